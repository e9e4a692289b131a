/* Every answer of AWS that is decoded, cut at each of its bytes: none of the pieces is believed, and no byte behind a
 * piece is read (each lies at the end of its own block, where a sanitizer stands). */
#include "aws/keys_json.h"
#include "aws/sts.h"
#include "sources/cloudtrail.h"
#include "sources/cloudwatch.h"
#include "sources/xray_graph.h"
#include "sources/xray_summaries.h"

#include "../run.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

typedef bool Believes(const char *body, size_t length);

static bool metric_data(const char *body, size_t length) {
    static const MetricGrid grid = {1767322800, 60, 5};
    OWN(metric_page) MetricPage *page = metric_page_decode(body, length, &grid, 2, &(Error){0});
    return page != NULL;
}

static bool lookup_events(const char *body, size_t length) {
    OWN(lookup_page) LookupPage *page = lookup_page_decode(body, length, &(Error){0});
    return page != NULL;
}

static bool service_graph(const char *body, size_t length) {
    OWN(graph_pages) GraphPages *pages = graph_pages_new();
    const char *token;
    return graph_pages_add(pages, body, length, &token, &(Error){0});
}

static bool trace_summaries(const char *body, size_t length) {
    OWN(trace_count) TraceCount *count = trace_count_new();
    const char *token;
    const bool is_believed = trace_count_add(count, body, length, &token, &(Error){0});
    ck_assert_uint_eq(trace_count_traces(count), is_believed ? 2 : 0); /* a piece leaves nothing behind */
    return is_believed;
}

static bool insight_summaries(const char *body, size_t length) {
    OWN(insight_list) InsightList *list = insight_list_new();
    const char *token;
    const bool is_believed = insight_list_add(list, body, length, &token, &(Error){0});
    ck_assert_uint_eq(list->count, is_believed ? 2 : 0);
    return is_believed;
}

static bool one_insight(const char *body, size_t length) {
    OWN(insight_list) InsightList *list = insight_list_new();
    return insight_list_add_one(list, body, length, &(Error){0}) && list->count == 1;
}

static bool assumed_role(const char *body, size_t length) {
    OWN(aws_keys) AwsKeys *keys = sts_assume_read(body, length, "a role", 1767322800000, &(Error){0});
    return keys != NULL;
}

static bool caller_identity(const char *body, size_t length) {
    StsIdentity identity;
    return sts_identity_read(body, length, &identity, &(Error){0});
}

static bool process_keys(const char *body, size_t length) {
    OWN(aws_keys) AwsKeys *keys = keys_json_read(KEYS_OF_PROCESS, body, length, "a", 1767322800000, &(Error){0});
    return keys != NULL;
}

static bool container_keys(const char *body, size_t length) {
    OWN(aws_keys) AwsKeys *keys = keys_json_read(KEYS_OF_CONTAINER, body, length, "a", 1767322800000, &(Error){0});
    return keys != NULL;
}

static bool instance_keys(const char *body, size_t length) {
    OWN(aws_keys) AwsKeys *keys = keys_json_read(KEYS_OF_INSTANCE, body, length, "a", 1767322800000, &(Error){0});
    return keys != NULL;
}

#define KEYS(id, token, end) \
    "\"" id "\":\"ASIA7\",\"SecretAccessKey\":\"s/+=\",\"" token "\":\"t0ken\",\"" end "\":\"2026-01-02T09:04:05Z\"}"
#define INSIGHT(id) \
    "{\"InsightId\":\"" id "\",\"GroupName\":\"Default\",\"State\":\"ACTIVE\",\"StartTime\":1767322700.5,\"Summary\":" \
    "\"down\",\"RootCauseServiceId\":{\"Name\":\"shop\",\"Type\":\"AWS::ECS::Container\"}}"

static const struct Case {
    const char *what, *body;
    Believes *believes;
} cases[] = {
    {"GetMetricData",
        "{\"Messages\":[],\"MetricDataResults\":[{\"Id\":\"m0\",\"Label\":\"x \\u00e9\",\"StatusCode\":\"Complete\","
        "\"Timestamps\":[1767322800,1.76732286E9],\"Values\":[1.5,2e3]},{\"Id\":\"m1\",\"StatusCode\":"
        "\"InternalError\","
        "\"Timestamps\":[],\"Values\":[]}],\"NextToken\":\"t\"}",
        metric_data},
    {"LookupEvents",
        "{\"Events\":[{\"EventId\":\"e\",\"EventName\":\"N\",\"EventTime\":1767322802.5,\"ReadOnly\":\"false\","
        "\"CloudTrailEvent\":\"{\\\"a\\\":\\\"\\\\u00e9\\\"}\"}],\"NextToken\":\"t\"}",
        lookup_events},
    {"GetServiceGraph",
        "{\"Services\":[{\"ReferenceId\":0,\"Name\":\"a\",\"Type\":\"T\",\"SummaryStatistics\":{\"OkCount\":1,"
        "\"ErrorStatistics\":{\"ThrottleCount\":0,\"TotalCount\":0},\"FaultStatistics\":{\"TotalCount\":2},"
        "\"TotalCount\":3,\"TotalResponseTime\":0.5},\"ResponseTimeHistogram\":[{\"Value\":0.1,\"Count\":3}],"
        "\"Edges\":[{\"ReferenceId\":0}]}],\"ContainsOldGroupVersions\":false,\"NextToken\":\"t\"}",
        service_graph},
    {"GetTraceSummaries",
        "{\"TracesProcessedCount\":10,\"TraceSummaries\":[{\"Id\":\"1-a-b\",\"ResponseTime\":0.5},{\"Id\":\"1-a-c\"}],"
        "\"ApproximateTime\":1767322800,\"NextToken\":\"t\"}",
        trace_summaries},
    {"GetInsightSummaries", "{\"InsightSummaries\":[" INSIGHT("i-1") "," INSIGHT("i-2") "],\"NextToken\":\"t\"}",
        insight_summaries},
    {"GetInsight", "{\"Insight\":" INSIGHT("i-1") "}", one_insight},
    {"AssumeRole",
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n <AssumeRoleResult>\n  <Credentials>"
        "<AccessKeyId>ASIA7</AccessKeyId><SecretAccessKey>s/+=</SecretAccessKey><SessionToken>t&amp;0</SessionToken>"
        "<Expiration>2026-01-02T09:04:05Z</Expiration></Credentials>\n </AssumeRoleResult>\n</AssumeRoleResponse>",
        assumed_role},
    {"GetCallerIdentity",
        "<?xml version=\"1.0\"?><GetCallerIdentityResponse><GetCallerIdentityResult>"
        "<Arn>arn:aws:iam::111122223333:user/x</Arn><UserId>AIDA</UserId><Account>111122223333</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>",
        caller_identity},
    {"credential_process", "{\"Version\":1," KEYS("AccessKeyId", "SessionToken", "Expiration"), process_keys},
    {"container", "{" KEYS("AccessKeyId", "Token", "Expiration"), container_keys},
    {"instance", "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\"," KEYS("AccessKeyId", "Token", "Expiration"),
        instance_keys},
};

START_TEST(no_piece_is_believed) {
    const struct Case *c = &cases[_i];
    const size_t whole = strlen(c->body);
    ck_assert_msg(c->believes(c->body, whole), "%s: the whole is not believed", c->what);
    for (size_t length = 0; length < whole; length++) {
        char *piece = alloc_zeroed(length ? length : 1, 1);
        memcpy(piece, c->body, length);
        const bool is_believed = c->believes(piece, length);
        free(piece);
        ck_assert_msg(!is_believed, "%s: believed when cut at byte %zu of %zu", c->what, length, whole);
    }
}
END_TEST

int main(void) {
    size_t cuts = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) cuts += strlen(cases[i].body);
    printf("figure: %zu kinds of answer cut at each byte, %zu pieces: none is believed\n", COUNT_OF(cases), cuts);
    fflush(stdout);
    return run_table("cut_answers", no_piece_is_believed, COUNT_OF(cases));
}
