#include "aws/sigv4.h"

#include "../run.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW_MS 1767323045000 /* 20260102T030405Z */
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static const struct Case {
    const char *name;
    SigV4Request request;
    SigV4Header headers[3];
    const char *canonical, *signature, *signed_names; /* canonical NULL: only the signature is published */
} cases[] = {
    {"json",
        {.method = "POST",
            .host = "monitoring.eu-west-1.amazonaws.com",
            .path = "/",
            .region = "eu-west-1",
            .service = "monitoring",
            .header_count = 2,
            .body = "{\"StartTime\":1767322800,\"EndTime\":1767323100,\"MetricDataQueries\":[{\"Id\":\"a\","
                    "\"MetricStat\":{\"Metric\":"
                    "{\"Namespace\":\"AWS/"
                    "SQS\",\"MetricName\":\"NumberOfMessagesSent\"},\"Period\":60,\"Stat\":\"Sum\"}}]}"},
        {{"x-amz-target", "GraniteServiceVersion20100801.GetMetricData"},
            {"content-type", "application/x-amz-json-1.0"}},
        "c93962af7a368e2660143f3701c0eb813c25d83dbcaab8d3eed030ba395686e7",
        "54ef2e58ca669bf48d9722e4e03abfbb68cb2bb44cffc86b7e2efe7908def808",
        "content-type;host;x-amz-date;x-amz-target"},
    {"query",
        {.method = "POST",
            .host = "sns.us-east-1.amazonaws.com",
            .path = "",
            .region = "us-east-1",
            .service = "sns",
            .header_count = 1,
            .body = "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A111122223333%3Aoncall"
                    "&Message=caf%C3%A9%20is%20%2A~_.-%20down"},
        {{"content-type", FORM}}, "6fb5191552ff725d268bc838dd799946196db2105e79dcb4dbe49cfdddb5f618",
        "d186943c1405a4a170cc809846589578888efe4e5bbe11cce95000ac0b4885e8", "content-type;host;x-amz-date"},
    {"session token",
        {.method = "POST",
            .host = "xray.us-east-1.amazonaws.com",
            .path = "/ServiceGraph",
            .region = "us-east-1",
            .service = "xray",
            .header_count = 2,
            .body = "{\"StartTime\":1767322800,\"EndTime\":1767322860,\"GroupName\":\"Default\"}"},
        {{"content-type", "application/json"}, {"x-amz-security-token", "FwoGZXIvYXdzEXAMPLETOKEN//+/=="}},
        "f426a640a8a5d6cd8f95763bce2fe7078e2721057a06785fb659577bf7d4b480",
        "ffe9460d66351fd940a9a0deb1ebc1ae24e39075ccfaafe9a0e06a39e8c8ce15",
        "content-type;host;x-amz-date;x-amz-security-token"},
    {"S3 keeps its path",
        {.method = "GET",
            .host = "trail-logs.s3.eu-west-1.amazonaws.com",
            .path = "/AWSLogs/111122223333/a%20b%2B%3D/x%40y.json.gz",
            .query = "versionId=v1",
            .region = "eu-west-1",
            .service = "s3",
            .header_count = 1,
            .body = "",
            .plain_path = true},
        {{"x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
        "c9d2fd6c55b9241b31ca106ea7a91a0f5b42ae69728db130136b48642fa7f840",
        "d7b9ae6b554da5fa3cfec1279310aa3bbb0b1ebfab630271947db7a283473c87", "host;x-amz-content-sha256;x-amz-date"},
    {"path encoded again, query sorted",
        {.method = "GET",
            .host = "xray.us-east-1.amazonaws.com",
            .path = "/ListTagsForResource/arn%3Aaws%3Axray%3Aus-east-1",
            .query = "b=2&a=x%20y",
            .region = "us-east-1",
            .service = "xray",
            .body = ""},
        {{0}}, "34808fb828489531f7f3506d731830bbc1eec54ea5c4abe4a58b607d6fdfca1b",
        "b44251b10dbc0d143722416ac81d5b80726c118ce5cd13fcab9b0644e481c057", "host;x-amz-date"},
};

static void sign(SigV4Request request, const char *secret, const char *id, SigV4Signature *ret) {
    OWN(secret) Secret *key = secret_new(secret, strlen(secret));
    request.key_id = id;
    request.secret = key;
    request.body_length = strlen(request.body);
    sigv4_sign(&request, ret);
}

START_TEST(published_vectors) {
    const struct Case *c = &cases[_i];
    SigV4Request request = c->request;
    SigV4Signature got;
    request.headers = c->headers;
    request.now_ms = NOW_MS;
    sign(request, SECRET, "AKIDEXAMPLE00000001", &got);
    OWN(text)
    char *want = text_format(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE00000001/20260102/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
        request.region, request.service, c->signed_names, c->signature);
    ck_assert_str_eq(got.date, "20260102T030405Z");
    ck_assert_msg(strcmp(got.canonical, c->canonical) == 0, "%s: canonical request %s", c->name, got.canonical);
    ck_assert_str_eq(got.authorization, want);
    free(got.authorization);
}
END_TEST

/* Lines of botocore's signer, made by sigv4_botocore.py: method, host, path, query, header, body, signature; by tabs.
 */
static int check_lines(FILE *lines) {
    char line[8192];
    int wrong = 0;
    while (fgets(line, sizeof line, lines)) {
        char *field[9], *rest = line;
        for (size_t i = 0; i < 9; i++) field[i] = strsep(&rest, "\t\n");
        const SigV4Header header = {"x-amz-meta", field[4]};
        SigV4Signature got;
        sign((SigV4Request){.method = field[0],
                 .host = field[1],
                 .path = field[2],
                 .query = *field[3] ? field[3] : NULL,
                 .headers = &header,
                 .header_count = 1,
                 .body = field[5],
                 .region = "eu-west-1",
                 .service = strcmp(field[6], "s3") == 0 ? "s3" : "xray",
                 .plain_path = strcmp(field[6], "s3") == 0,
                 .now_ms = NOW_MS},
            SECRET, "AKID", &got);
        if (strcmp(got.text, field[7]) != 0)
            wrong += fprintf(stderr, "%s %s?%s: %s, not %s\n", field[0], field[2], field[3], got.text, field[7]) > 0;
        free(got.authorization);
    }
    return wrong;
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) return check_lines(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
    return run_table("sigv4", published_vectors, COUNT_OF(cases));
}
