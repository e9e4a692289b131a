#include "base/metrics.h"

#include "../run.h"

#include "base/alloc.h"

#include <math.h>

static const Metric polls = {"tocsin_polls_total", "Polls.", METRIC_COUNTER, {"account", "result"}};
static const Metric lag = {"tocsin_lag_seconds", "How far\nbehind \\.", METRIC_GAUGE, {0}};

START_TEST(counters_and_gauges_are_printed) {
    OWN(metrics) Metrics *metrics = metrics_new();
    metric_add(NULL, &polls, 1, NULL);
    metric_add(metrics, &polls, 1, METRIC_VALUES("prod", "ok"));
    metric_add(metrics, &polls, 2, METRIC_VALUES("prod", "ok"));
    metric_add(metrics, &polls, 1, METRIC_VALUES("a\"b\\c\nd", NULL));
    metric_set(metrics, &lag, 2.5, NULL);
    metric_set(metrics, &lag, NAN, NULL);
    ck_assert_double_eq(metric_get(metrics, &polls, METRIC_VALUES("prod", "ok")), 3);
    ck_assert_double_eq(metric_get(metrics, &polls, METRIC_VALUES("prod", "no")), 0);
    ck_assert_double_eq(metric_sum(metrics, &polls), 4);
    OWN(buffer) Buffer out = BUFFER(10000);
    metrics_print(metrics, &out);
    ck_assert_str_eq(out.bytes,
        "# HELP tocsin_lag_seconds How far\\nbehind \\\\.\n# TYPE tocsin_lag_seconds gauge\n"
        "tocsin_lag_seconds NaN\n# HELP tocsin_polls_total Polls.\n# TYPE tocsin_polls_total counter\n"
        "tocsin_polls_total{account=\"a\\\"b\\\\c\\nd\",result=\"\"} 1\n"
        "tocsin_polls_total{account=\"prod\",result=\"ok\"} 3\n");
    metric_clear(metrics, &polls);
    ck_assert_double_eq(metric_sum(metrics, &polls), 0);
}
END_TEST

START_TEST(label_sets_are_bounded) {
    OWN(metrics) Metrics *metrics = metrics_new();
    static const Metric dropped = {"tocsin_metrics_dropped_total", "", METRIC_COUNTER, {"metric"}};
    for (int i = 0; i < METRICS_SERIES + 7; i++) {
        OWN(text) char *account = text_format("%d", i);
        metric_add(metrics, &polls, 1, METRIC_VALUES(account, "ok"));
    }
    ck_assert_double_eq(metric_sum(metrics, &polls), METRICS_SERIES);
    ck_assert_double_eq(metric_get(metrics, &dropped, METRIC_VALUES("tocsin_polls_total")), 7);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, counters_and_gauges_are_printed);
    tcase_add_test(tcase, label_sets_are_bounded);
}
int main(void) { return run_tests("metrics", fill); }
