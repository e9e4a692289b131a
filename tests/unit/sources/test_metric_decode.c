/* Answers of GetMetricData, malformed ones first. */
#include "sources/cloudwatch.h"

#include "../run.h"
#include "base/own.h"

#include <math.h>
#include <string.h>

static const MetricGrid grid = {1767322800, 60, 5};
enum { QUERIES = 2 };

static const char *const refused[] = {"", " ", "null", "[]", "{}", "\"x\"", "{\"MetricDataResults\":{}}",
    "{\"MetricDataResults\":null}", "{\"MetricDataResults\":[1]}", "{\"MetricDataResults\":[{}]}",
    "{\"MetricDataResults\":[{\"Id\":\"m2\",\"StatusCode\":\"Complete\",\"Timestamps\":[],\"Values\":[]}]}",
    "{\"MetricDataResults\":[{\"Id\":\"m-1\"}]}", "{\"MetricDataResults\":[{\"Id\":\"m 1\"}]}",
    "{\"MetricDataResults\":[{\"Id\":\"m99999999999999999999\"}]}", "{\"MetricDataResults\":[{\"Id\":7}]}",
    "{\"MetricDataResults\":[],\"MetricDataResults\":[]}", "<xml/>"};

START_TEST(refuses) {
    Error error = {0};
    ck_assert_ptr_null(metric_page_decode(refused[_i], strlen(refused[_i]), &grid, QUERIES, &error));
    ck_assert_int_eq(error.kind, ERROR_REMOTE);
    ck_assert_int_ne(error.text[0], '\0');
}
END_TEST

#define ONE(members) "{\"MetricDataResults\":[{\"Id\":\"m1\"," members "}]}"
#define TIMES(stamps, values) "\"StatusCode\":\"Complete\",\"Timestamps\":[" stamps "],\"Values\":[" values "]"

/* What one result comes to: the values on the grid (a digit, - for none), or a word of its error. */
static const struct Case {
    const char *body, *want, *error;
} cases[] = {
    {ONE("\"StatusCode\":\"InternalError\",\"Timestamps\":[],\"Values\":[]"), NULL, "InternalError"},
    {ONE("\"StatusCode\":\"Forbidden\",\"Messages\":[{\"Code\":\"Why\",\"Value\":\"no right\"}]"), NULL,
        "Why: no right"},
    {ONE("\"StatusCode\":\"Surprise\",\"Timestamps\":[],\"Values\":[]"), NULL, "Surprise"},
    {ONE("\"StatusCode\":7,\"Timestamps\":[],\"Values\":[]"), NULL, "no status"},
    {ONE("\"Timestamps\":[],\"Values\":[]"), NULL, "no status"},
    {ONE("\"StatusCode\":\"Complete\""), NULL, "not as many values"},
    {ONE(TIMES("1767322800", "")), NULL, "not as many values"},
    {ONE(TIMES("", "1")), NULL, "not as many values"},
    {ONE(TIMES("1767322830", "1")), NULL, "other periods"},
    {ONE(TIMES("1767322800.5", "1")), NULL, "other periods"},
    {ONE(TIMES("\"1767322800\"", "1")), NULL, "other periods"},
    {ONE(TIMES("-60", "1")), NULL, "other periods"},
    {ONE(TIMES("1e300", "1")), NULL, "other periods"},
    {ONE(TIMES("null", "1")), NULL, "other periods"},
    {ONE(TIMES("1767322800", "null")), NULL, "no number"},
    {ONE(TIMES("1767322800", "[]")), NULL, "no number"},
    {ONE(TIMES("", "")), "-----", NULL},
    {ONE(TIMES("1767322800,1.7673229E9", "1,2.0")), NULL, "other periods"}, /* off by 40 s */
    {ONE(TIMES("1767322800,1.76732292E9", "1,2.0")), "1-2--", NULL},
    {ONE(TIMES("1767323040,1767322800", "5,1")), "1---5", NULL}, /* newest first */
    {ONE(TIMES("1767322860,1767322860", "3,4")), "-4---", NULL}, /* twice: the later one */
    {ONE(TIMES("1767322740,1767322800,1767323100", "7,1,9")), "1----", NULL}, /* wider than asked */
    {ONE(TIMES("1767322800,1767322860", "\"NaN\",\"Infinity\"")), "-----", NULL},
    {ONE(TIMES("1767322800", "0")), "0----", NULL},
    {"{\"Messages\":[],\"Extra\":{\"a\":[1]},\"MetricDataResults\":[{\"Label\":\"x\",\"Id\":\"m1\"," TIMES(
         "1767322800", "8") "}]}",
        "8----", NULL},
};

static const MetricQuery queries[QUERIES];
static const MetricBatch batch = {.queries = queries, .query_count = QUERIES};

START_TEST(one_result) {
    const struct Case *c = &cases[_i];
    Error error = {0};
    OWN(metric_page) MetricPage *page = metric_page_decode(c->body, strlen(c->body), &grid, QUERIES, &error);
    ck_assert_msg(page != NULL, "%s: %s", c->body, error.text);
    OWN(arena) Arena *arena = arena_new();
    MetricReading reading;
    metric_reading_init(&reading, arena, &grid, &batch);
    metric_reading_join(&reading, page);
    const char *why = metric_reading_error(&reading, 1);
    if (c->error) {
        ck_assert_msg(why && strstr(why, c->error), "%s: %s", c->body, why ? why : "no error");
        return;
    }
    ck_assert_msg(!why, "%s: %s", c->body, why);
    for (size_t i = 0; i < grid.count; i++) {
        const double got = reading.values[1][i];
        ck_assert_msg(c->want[i] == '-' ? isnan(got) : got == c->want[i] - '0', "%s: [%zu] %g", c->body, i, got);
    }
    ck_assert_ptr_nonnull(strstr(metric_reading_error(&reading, 0), "does not hold")); /* m0 did not come */
}
END_TEST

START_TEST(cut_at_each_byte) {
    const char *whole =
        "{\"Messages\":[],\"MetricDataResults\":[{\"Id\":\"m0\"," TIMES("1767322800", "1.5") "}],\"NextToken\":\"t\"}";
    for (size_t length = 0; length < strlen(whole); length++) {
        Error error = {0};
        ck_assert_ptr_null(metric_page_decode(whole, length, &grid, QUERIES, &error));
    }
    OWN(metric_page) MetricPage *page = metric_page_decode(whole, strlen(whole), &grid, QUERIES, NULL);
    ck_assert_ptr_nonnull(page);
    ck_assert_str_eq(page->next_token, "t");
    ck_assert_ptr_null(page->message);
}
END_TEST

START_TEST(pages_are_joined) {
    static const char *const pages[] = {
        "{\"MetricDataResults\":[{\"Id\":\"m0\",\"StatusCode\":\"PartialData\",\"Timestamps\":[1767322800],\"Values\":["
        "1]},"
        "{\"Id\":\"m1\",\"StatusCode\":\"PartialData\",\"Timestamps\":[],\"Values\":[]}],\"NextToken\":\"t\"}",
        "{\"MetricDataResults\":[{\"Id\":\"m0\"," TIMES("1767322860", "2") "}]}",
    };
    OWN(arena) Arena *arena = arena_new();
    MetricReading reading;
    metric_reading_init(&reading, arena, &grid, &batch);
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        OWN(metric_page) MetricPage *page = metric_page_decode(pages[i], strlen(pages[i]), &grid, QUERIES, NULL);
        metric_reading_join(&reading, page);
        ck_assert_int_eq(metric_reading_error(&reading, 0) == NULL, i == 1); /* the last page's status counts */
    }
    ck_assert(reading.values[0][0] == 1 && reading.values[0][1] == 2);
    ck_assert_ptr_nonnull(strstr(metric_reading_error(&reading, 1), "half-way"));
}
END_TEST

START_TEST(left_out_is_told) {
    const char *body =
        "{\"Messages\":[{\"Code\":\"MaxMetricsExceeded\",\"Value\":\"too many\"}],\"MetricDataResults\":[]}";
    OWN(metric_page) MetricPage *page = metric_page_decode(body, strlen(body), &grid, QUERIES, NULL);
    ck_assert_str_eq(page->message, "MaxMetricsExceeded: too many");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, (int)COUNT_OF(refused));
    tcase_add_loop_test(tcase, one_result, 0, (int)COUNT_OF(cases));
    tcase_add_test(tcase, cut_at_each_byte);
    tcase_add_test(tcase, pages_are_joined);
    tcase_add_test(tcase, left_out_is_told);
}

int main(void) { return run_tests("metric_decode", fill); }
