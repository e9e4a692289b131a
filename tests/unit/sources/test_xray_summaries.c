/* Answers of GetTraceSummaries, GetInsightSummaries and GetInsight: malformed first, then real ones where they are. */
#include "sources/xray_summaries.h"

#include "../run.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define A "1-695734b1-23fc5b688855d396af79b49"

static const struct Traces {
    const char *body;
    bool is_answer;
    size_t traces, skipped;
    double scanned;
    const char *token;
} traces[] = {
    {"", false, 0, 0, 0, NULL},
    {"{", false, 0, 0, 0, NULL},
    {"[]", false, 0, 0, 0, NULL},
    {"{\"TraceSummaries\":{}}", false, 0, 0, 0, NULL},
    {"{\"TracesProcessedCount\":5}", false, 0, 0, 0, NULL},
    {"{\"TraceSummaries\":[]}", true, 0, 0, 0, NULL},
    {"{\"TraceSummaries\":[],\"TracesProcessedCount\":12,\"NextToken\":\"t\"}", true, 0, 0, 12, "t"},
    {"{\"TraceSummaries\":[],\"TracesProcessedCount\":-1,\"NextToken\":\"\"}", true, 0, 0, 0, NULL},
    {"{\"TraceSummaries\":[],\"TracesProcessedCount\":1e300,\"NextToken\":5}", true, 0, 0, 0, NULL},
    {"{\"TraceSummaries\":[5,null,{},{\"Id\":7},{\"Id\":\"\"},{\"Id\":\"a b\"},{\"Id\":\"a/b\"}]}", true, 0, 7, 0,
        NULL},
    {"{\"TraceSummaries\":[{\"Id\":\"" A "1\"},{\"Id\":\"" A "2\"},{\"Id\":\"" A "1\"}]}", true, 2, 0, 0, NULL},
    {"{\"TraceSummaries\":[{\"Id\":"
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
        true, 0, 1, 0, NULL},
};

START_TEST(traces_of_a_page) {
    const struct Traces *c = &traces[_i];
    OWN(trace_count) TraceCount *count = trace_count_new();
    Error err = {0};
    const char *token = NULL;
    ck_assert_msg(trace_count_add(count, c->body, strlen(c->body), &token, &err) == c->is_answer, "%s", c->body);
    ck_assert_int_eq(err.kind, c->is_answer ? ERROR_NONE : ERROR_REMOTE);
    ck_assert_uint_eq(trace_count_traces(count), c->traces);
    ck_assert_uint_eq(trace_count_skipped(count), c->skipped);
    ck_assert(trace_count_scanned(count) == c->scanned);
    ck_assert(c->token ? token && strcmp(token, c->token) == 0 : token == NULL);
}
END_TEST

/* A trace on two pages is one; what was scanned adds up; the first five are the examples. */
START_TEST(pages_of_traces_join) {
    OWN(trace_count) TraceCount *count = trace_count_new();
    const char *token;
    char body[512];
    for (int page = 0; page < 4; page++) {
        snprintf(body, sizeof body,
            "{\"TracesProcessedCount\":10,\"TraceSummaries\":[{\"Id\":\"x%d\"},{\"Id\":\"x%d\"}]}", page, page + 4);
        for (int twice = 0; twice < 2; twice++) ck_assert(trace_count_add(count, body, strlen(body), &token, NULL));
    }
    ck_assert_uint_eq(trace_count_traces(count), 8);
    ck_assert(trace_count_scanned(count) == 80);
    static const char *const expected[] = {"x0", "x4", "x1", "x5", "x2"};
    for (size_t i = 0; i < TRACE_EXAMPLES; i++) ck_assert_str_eq(trace_count_example(count, i), expected[i]);
    ck_assert_ptr_null(trace_count_example(count, TRACE_EXAMPLES));
}
END_TEST

START_TEST(the_guides_traces) {
    OWN(json) json_t *answer = json_load_file(XRAY_DATA "/get-trace-summaries.json", 0, NULL);
    if (!answer) {
        printf("skipped: %s/get-trace-summaries.json is not there\n", XRAY_DATA);
        return;
    }
    char *body = json_write(answer);
    OWN(trace_count) TraceCount *count = trace_count_new();
    const char *token;
    ck_assert(trace_count_add(count, body, strlen(body), &token, NULL));
    ck_assert_uint_eq(trace_count_traces(count), json_array_size(json_list(answer, "TraceSummaries")));
    ck_assert_uint_eq(trace_count_skipped(count), 0);
    free(body);
}
END_TEST

#define LIST(items) "{\"InsightSummaries\":[" items "]}"
#define INSIGHT(id, state, more) "{\"InsightId\":\"" id "\",\"State\":\"" state "\"" more "}"

static const struct Insights {
    const char *body;
    bool is_answer;
    size_t count, skipped;
} insights[] = {
    {"", false, 0, 0},
    {"{}", false, 0, 0},
    {"{\"InsightSummaries\":null}", false, 0, 0},
    {LIST(""), true, 0, 0},
    {LIST("1,null,{},{\"InsightId\":\"a\"},{\"State\":\"ACTIVE\"}"), true, 0, 5},
    {LIST(INSIGHT("a", "active", "") "," INSIGHT("a", "", "") "," INSIGHT("a\\u0001", "ACTIVE", "")), true, 0, 3},
    {LIST(INSIGHT("a", "ACTIVE", "") "," INSIGHT("b", "CLOSED", "") "," INSIGHT("a", "CLOSED", "")), true, 2, 1},
    {LIST(INSIGHT("a", "ACTIVE", ",\"RootCauseServiceId\":5,\"Categories\":{},\"StartTime\":\"x\",\"Summary\":[]")),
        true, 1, 0},
};

START_TEST(insights_of_a_page) {
    const struct Insights *c = &insights[_i];
    OWN(insight_list) InsightList *list = insight_list_new();
    Error err = {0};
    const char *token = NULL;
    ck_assert_msg(insight_list_add(list, c->body, strlen(c->body), &token, &err) == c->is_answer, "%s", c->body);
    ck_assert_int_eq(err.kind, c->is_answer ? ERROR_NONE : ERROR_REMOTE);
    ck_assert_uint_eq(list->count, c->count);
    ck_assert_uint_eq(list->skipped, c->skipped);
    for (size_t i = 0; i < list->count; i++) ck_assert(list->insights[i].root_service && list->insights[i].summary);
}
END_TEST

START_TEST(an_insight_in_full) {
    static const char body[] = LIST(INSIGHT("f9a1-2", "ACTIVE",
        ",\"GroupName\":\"Default\",\"RootCauseServiceId\":{\"Name\":\"pay\",\"Type\":\"AWS::Lambda\"},\"Categories\":["
        "\"FAULT\",\"X\"],\"StartTime\":1767320000.5,\"Summary\":\"s\",\"ClientRequestImpactStatistics\":{"
        "\"FaultCount\":"
        "38,\"TotalCount\":120},\"RootCauseServiceRequestImpactStatistics\":{\"FaultCount\":-1,\"TotalCount\":60.0},"
        "\"TopAnomalousServices\":[{\"ServiceId\":{\"Name\":\"pay\"}},{},{\"ServiceId\":{\"Name\":\"db\"}}]"));
    OWN(insight_list) InsightList *list = insight_list_new();
    const char *token;
    ck_assert(insight_list_add(list, body, strlen(body), &token, NULL));
    const Insight *got = insight_list_find(list, "f9a1-2");
    ck_assert(got && got->is_active && got->start_s == 1767320000.5 && isnan(got->end_s));
    ck_assert_str_eq(got->root_service, "pay");
    ck_assert_str_eq(got->root_type, "AWS::Lambda");
    ck_assert_str_eq(got->categories, "FAULT, X");
    ck_assert_str_eq(got->anomalous, "pay, db");
    ck_assert(got->client_faults == 38 && got->client_total == 120);
    ck_assert(got->root_faults == -1 && got->root_total == 60);
    ck_assert_ptr_null(insight_list_find(list, "f9a1"));
}
END_TEST

START_TEST(one_insight_joins_a_list) {
    static const char many[] = LIST(INSIGHT("a", "ACTIVE", "")),
                      one[] = "{\"Insight\":" INSIGHT("b", "CLOSED", ",\"Summary\":\"s\"") "}";
    OWN(insight_list) InsightList *list = insight_list_new();
    InsightList *other = insight_list_new();
    const char *token;
    ck_assert(insight_list_add(list, many, strlen(many), &token, NULL));
    ck_assert(!insight_list_add_one(other, many, strlen(many), NULL));
    ck_assert(insight_list_add_one(other, one, strlen(one), NULL));
    insight_list_join(list, other);
    ck_assert_uint_eq(list->count, 2);
    ck_assert_str_eq(insight_list_find(list, "b")->summary, "s");
}
END_TEST

START_TEST(insights_are_bounded) {
    OWN(insight_list) InsightList *list = insight_list_new();
    for (int i = 0; i < INSIGHTS_MAX + 5; i++) {
        char body[128];
        const char *token;
        snprintf(body, sizeof body, LIST(INSIGHT("i%d", "ACTIVE", "")), i);
        ck_assert(insight_list_add(list, body, strlen(body), &token, NULL));
    }
    ck_assert(list->count == INSIGHTS_MAX && list->skipped == 5);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, traces_of_a_page, 0, (int)COUNT_OF(traces));
    tcase_add_test(tcase, pages_of_traces_join);
    tcase_add_test(tcase, the_guides_traces);
    tcase_add_loop_test(tcase, insights_of_a_page, 0, (int)COUNT_OF(insights));
    tcase_add_test(tcase, an_insight_in_full);
    tcase_add_test(tcase, one_insight_joins_a_list);
    tcase_add_test(tcase, insights_are_bounded);
}

int main(void) { return run_tests("xray_summaries", fill); }
