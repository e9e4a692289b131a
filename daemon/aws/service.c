#include "aws/service.h"

#include "base/alloc.h"

#include <ctype.h>
#include <string.h>

#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static const AwsServiceRow services[AWS_SERVICES] = {
    [AWS_MONITORING] = {"cloudwatch", "monitoring", "monitoring", AWS_JSON_1_0, "GraniteServiceVersion20100801",
        "application/x-amz-json-1.0"},
    [AWS_STS] = {"sts", "sts", "sts", AWS_QUERY, "2011-06-15", FORM},
    [AWS_SNS] = {"sns", "sns", "sns", AWS_QUERY, "2010-03-31", FORM},
    [AWS_XRAY] = {"xray", "xray", "xray", AWS_REST_JSON, NULL, "application/json", 500}, /* 2/s: no rate is published */
    [AWS_CLOUDTRAIL] = {"cloudtrail", "cloudtrail", "cloudtrail", AWS_JSON_1_1,
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "application/x-amz-json-1.1",
        667}, /* 2/s, shared with consoles and scanners: we take 1.5 */
};
const char *const aws_service_words[] = {"cloudwatch", "sts", "sns", "xray", "cloudtrail", NULL};

/* The longer prefix first: us-gov- begins like us-. */
static const AwsPartition partitions[] = {
    {"aws-us-gov", "us-gov-", "amazonaws.com"},
    {"aws-cn", "cn-", "amazonaws.com.cn"},
    {"aws-eusc", "eusc-de-", "amazonaws.eu"},
    {"aws", "", "amazonaws.com"},
};

const AwsServiceRow *aws_service(AwsService service) { return &services[service]; }

bool aws_service_find(const char *word, AwsService *ret_service) {
    for (size_t i = 0; i < AWS_SERVICES; i++) {
        if (strcmp(services[i].word, word) != 0) continue;
        *ret_service = (AwsService)i;
        return true;
    }
    return false;
}

const AwsPartition *aws_partition(const char *region) {
    size_t i = 0;
    while (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) != 0) i++; /* the last takes all */
    return &partitions[i];
}

/* eu-west-1, us-gov-east-1, eusc-de-east-1: words and a number, by hyphens. */
bool aws_region_ok(const char *region) {
    size_t words = 0;
    const char *p = region;
    for (; islower((unsigned char)*p); words++) {
        while (islower((unsigned char)*p)) p++;
        if (*p++ != '-') return false;
    }
    const size_t number = strspn(p, "0123456789");
    return words >= 2 && number >= 1 && number <= 2 && p[number] == 0 && strlen(region) <= 32;
}

char *aws_endpoint(AwsService service, const char *region) {
    return text_format("https://%s.%s.%s", services[service].host, region, aws_partition(region)->suffix);
}

bool aws_role_arn(const char *arn, const char **ret_partition, size_t *ret_partition_length, const char **ret_account) {
    if (strncmp(arn, "arn:aws", 7) != 0 || strlen(arn) < 20 || strlen(arn) > 2048) return false;
    const char *partition = arn + 4, *end = strchr(partition, ':');
    if (!end || strncmp(end, ":iam::", 6) != 0) return false;
    const char *account = end + 6;
    if (strspn(account, "0123456789") != 12 || strncmp(account + 12, ":role/", 6) != 0) return false;
    const char *name = account + 18;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("+=,.@-_/", *p)) return false;
    *ret_partition = partition;
    *ret_partition_length = (size_t)(end - partition);
    *ret_account = account;
    return *name && name[strlen(name) - 1] != '/';
}
