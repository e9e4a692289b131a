/* What each AWS service is called on the wire, and where it answers. Pure; any thread. */
#ifndef TOCSIN_AWS_SERVICE_H
#define TOCSIN_AWS_SERVICE_H

#include "aws/aws.h"

typedef enum { AWS_JSON_1_0, AWS_QUERY, AWS_REST_JSON, AWS_JSON_1_1 } AwsProtocol;

typedef struct AwsServiceRow {
    const char *word; /* key of `endpoints`, the ledger's name; in capitals AWS_ENDPOINT_URL_…'s end */
    const char *host; /* HOST.REGION.SUFFIX */
    const char *signing; /* the name that is signed for */
    AwsProtocol protocol;
    const char *target; /* X-Amz-Target's prefix, or the query protocol's API version; rest-json: NULL */
    const char *content_type;
    int64_t gap_ms; /* calls of one account and region are at least this far apart, a burst of two aside; 0: no bound */
} AwsServiceRow;

const AwsServiceRow *aws_service(AwsService service);
bool aws_service_find(const char *word, AwsService *ret_service);
extern const char *const aws_service_words[]; /* ends at NULL, for the nearest name */

typedef struct AwsPartition {
    const char *name, *prefix, *suffix; /* aws-cn, cn-, amazonaws.com.cn */
} AwsPartition;
const AwsPartition *aws_partition(const char *region); /* by prefix; an unknown one is in `aws` */
bool aws_region_ok(const char *region); /* has it the shape of one? */
/* https://HOST.REGION.SUFFIX; caller frees. */
char *aws_endpoint(AwsService service, const char *region);

/* Is `arn` that of an IAM role? *ret_partition and *ret_account (12 digits) point into it, not ended by a zero byte. */
bool aws_role_arn(const char *arn, const char **ret_partition, size_t *ret_partition_length, const char **ret_account);

#endif
