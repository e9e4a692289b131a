/* Every entry of alarm-cases.json about X-Ray, the words of statistics, and the bound of a rate. */
#include "sources/xray_statistic.h"

#include "../run.h"
#include "base/json.h"

#include <math.h>
#include <string.h>

static const char *const words[] = {"fault_rate", "error_rate", "throttle_rate", "average_response_time"};
static const char *const expectations[] = {"fault_pct", "error_pct", "throttle_pct", "mean_seconds"};

static double value_of(const char *word, const GraphFigures *figures) {
    XrayStatistic statistic;
    double samples;
    ck_assert_msg(xray_statistic_parse(word, &statistic), "%s", word);
    return xray_statistic_value(&statistic, figures, &samples);
}

/* One node as an answer has it. */
static ServiceGraph *graph_with(const json_t *summary, const json_t *histogram) {
    OWN(json) json_t *service = json_pack("{s:i, s:s, s:s}", "ReferenceId", 0, "Name", "n", "Type", "T");
    if (summary && !json_is_null(summary)) json_object_set(service, "SummaryStatistics", (json_t *)(uintptr_t)summary);
    if (histogram) json_object_set(service, "ResponseTimeHistogram", (json_t *)(uintptr_t)histogram);
    OWN(json) json_t *answer = json_pack("{s:[O]}", "Services", service);
    char *body = json_write(answer);
    GraphPages *pages = graph_pages_new();
    const char *token;
    ck_assert(graph_pages_add(pages, body, strlen(body), &token, NULL));
    free(body);
    return service_graph_new(pages, "a", "r", NULL, 0, 60);
}

static void check_percentile(const json_t *c, const char *name) {
    const json_int_t permille = json_integer_value(json_object_get(c, "permille"));
    const json_t *expected = json_object_get(c, "expected");
    OWN(service_graph) ServiceGraph *graph = graph_with(NULL, json_object_get(c, "histogram"));
    const XrayStatistic statistic = {.kind = XRAY_PERCENTILE, .percentile_e10 = permille * 1000000000};
    double samples;
    const double got = xray_statistic_value(&statistic, &service_graph_node(graph, 0)->figures, &samples);
    ck_assert_msg(json_is_null(expected) ? isnan(got) && isnan(samples) : got == json_number_value(expected), "%s: %g",
        name, got);
}

static void check_rates(const json_t *c, const char *name) {
    const json_t *expected = json_object_get(c, "expected");
    OWN(service_graph) ServiceGraph *graph = graph_with(json_object_get(c, "summary"), NULL);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const double got = value_of(words[i], &service_graph_node(graph, 0)->figures);
        if (json_is_null(expected))
            ck_assert_msg(isnan(got), "%s: %s is %g", name, words[i], got);
        else
            ck_assert_msg(fabs(got - json_number_value(json_object_get(expected, expectations[i]))) < 1e-9,
                "%s: %s is %g", name, words[i], got);
    }
}

START_TEST(published_cases) {
    json_error_t error;
    OWN(json) json_t *all = json_load_file(ALARM_CASES, 0, &error);
    ck_assert_msg(all != NULL, "%s", error.text);
    const json_t *list = json_object_get(all, "xray_cases");
    ck_assert_uint_ge(json_array_size(list), 14);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        if (strcmp(json_text(c, "kind"), "percentile") == 0)
            check_percentile(c, json_text(c, "name"));
        else
            check_rates(c, json_text(c, "name"));
    }
}
END_TEST

static const struct Word {
    const char *text;
    bool is_good;
    int64_t percentile_e10;
} texts[] = {
    {"", false, 0},
    {"p", false, 0},
    {"p0", false, 0},
    {"p0.0", false, 0},
    {"p101", false, 0},
    {"p-1", false, 0},
    {"p99.", false, 0},
    {"P99", false, 0},
    {"p9e1", false, 0},
    {"fault rate", false, 0},
    {"Fault_Rate", false, 0},
    {"tm99", false, 0},
    {"Average", false, 0},
    {"fault_rat", false, 0},
    {"p50", true, 500000000000},
    {"p99.9", true, 999000000000},
    {"p100", true, 1000000000000},
    {"p0.01", true, 100000000},
    {"fault_rate", true, 0},
    {"average_response_time", true, 0},
    {"throttle_count", true, 0},
    {"request_count", true, 0},
    {"ok_rate", true, 0},
};

START_TEST(words_of_statistics) {
    const struct Word *c = &texts[_i];
    XrayStatistic got = {.percentile_e10 = -1};
    ck_assert_msg(xray_statistic_parse(c->text, &got) == c->is_good, "%s", c->text);
    ck_assert_int_eq(got.percentile_e10, c->is_good ? c->percentile_e10 : -1);
}
END_TEST

/* Figures to more digits than are written here: Wilson's interval, one-sided normal quantiles. */
START_TEST(bounds_of_rates) {
    ck_assert(fabs(wilson_z(0.95) - 1.6448536269514722) < 1e-9);
    ck_assert(fabs(wilson_z(0.975) - 1.959963984540054) < 1e-9);
    ck_assert(fabs(wilson_z(0.999999) - 4.753424308817089) < 1e-6);
    ck_assert(wilson_z(0.5) == 0 && wilson_z(0) == 0 && wilson_z(1) == 0 && wilson_z(NAN) == 0);
    ck_assert(fabs(wilson_bound(1, 10, 1.959963984540054, false) - 0.017876213095072896) < 1e-9);
    ck_assert(fabs(wilson_bound(1, 10, 1.959963984540054, true) - 0.4041500267952385) < 1e-9);
    ck_assert(wilson_bound(0, 5, 1.6, false) < 1e-12 && wilson_bound(5, 5, 1.6, true) > 1 - 1e-12);
    ck_assert(wilson_bound(9, 5, 1.6, true) > 1 - 1e-12); /* more hits than requests is all of them */
    const GraphFigures figures = {.has_counts = true, .total = 10, .fault = 1, .ok = 9, .seconds = 1};
    XrayStatistic statistic = {.kind = XRAY_FAULT_RATE, .z = wilson_z(0.975)};
    double samples;
    ck_assert(fabs(xray_statistic_value(&statistic, &figures, &samples) - 1.7876213095072896) < 1e-6);
    statistic.wants_upper = true;
    ck_assert(fabs(xray_statistic_value(&statistic, &figures, &samples) - 40.41500267952385) < 1e-6);
    ck_assert(samples == 10);
}
END_TEST

/* An asynchronous edge has no response times: its percentiles are of the events' age. */
START_TEST(age_where_there_is_no_response) {
    const HistogramEntry slow = {7, 3}, quick = {1, 1};
    GraphFigures figures = {.ok = -1, .seconds = NAN, .age = {&slow, 1, 3}};
    const XrayStatistic p50 = {.kind = XRAY_PERCENTILE, .percentile_e10 = 500000000000};
    double samples;
    ck_assert(xray_statistic_value(&p50, &figures, &samples) == 7 && samples == 3);
    ck_assert(xray_statistic_is_age(&p50, &figures));
    figures.response = (Histogram){&quick, 1, 1};
    ck_assert(xray_statistic_value(&p50, &figures, &samples) == 1 && samples == 1);
    ck_assert(!xray_statistic_is_age(&p50, &figures));
    ck_assert(isnan(value_of("fault_rate", &figures)) && isnan(value_of("request_count", &figures)));
}
END_TEST

START_TEST(counts_and_shares) {
    const GraphFigures figures = {.has_counts = true, .total = 8, .ok = 4, .error = 2, .throttle = 1, .fault = 9};
    ck_assert(value_of("request_count", &figures) == 8 && value_of("fault_count", &figures) == 9);
    ck_assert(value_of("error_count", &figures) == 2 && value_of("throttle_count", &figures) == 1);
    ck_assert(value_of("ok_rate", &figures) == 50 && value_of("fault_rate", &figures) == 100);
    GraphFigures unsaid = figures;
    unsaid.ok = -1;
    ck_assert(isnan(value_of("ok_rate", &unsaid)));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, published_cases);
    tcase_add_loop_test(tcase, words_of_statistics, 0, (int)COUNT_OF(texts));
    tcase_add_test(tcase, bounds_of_rates);
    tcase_add_test(tcase, age_where_there_is_no_response);
    tcase_add_test(tcase, counts_and_shares);
}

int main(void) { return run_tests("xray_statistic", fill); }
