/* Selectors and watches made by hand, for the tests of the CloudWatch source. */
#ifndef TOCSIN_TESTS_METRICS_H
#define TOCSIN_TESTS_METRICS_H

#include "sources/cloudwatch.h"

#include <check.h>

/* One alarm on one metric; filled in place, since a watch points into it. */
typedef struct TestAlarm {
    MetricSelector selector;
    ThresholdRule rule;
    Label series[1];
    const char *names[1], *texts[1];
} TestAlarm;

static inline void test_alarm(TestAlarm *alarm, const char *namespace, const char *dimension, const char *statistic,
    int64_t period_s, size_t range) {
    *alarm = (TestAlarm){
        .selector = {.namespace = namespace, .metric_name = "M", .statistic = statistic, .period_s = period_s}};
    alarm->names[0] = "D";
    alarm->texts[0] = dimension;
    alarm->series[0] = (Label){"D", dimension};
    alarm->selector.series = alarm->series;
    alarm->selector.dimensions = (TextMap){.count = 1, .names = alarm->names, .texts = alarm->texts};
    ck_assert_msg(statistic_parse(statistic, &alarm->selector.parsed), "%s", statistic);
    alarm->rule = (ThresholdRule){.comparison = COMPARE_GT,
        .threshold = 10,
        .n = 1,
        .m = 1,
        .range = range,
        .period_s = period_s,
        .early = true,
        .percentile_e10 =
            alarm->selector.parsed.kind == STATISTIC_PERCENTILE ? alarm->selector.parsed.percentile_e10 : 0};
}

static inline Watch test_watch(const TestAlarm *alarm, size_t index) {
    return (Watch){.index = index,
        .alarm = "a",
        .selector = &alarm->selector,
        .account = "default",
        .region = "eu-west-1",
        .rule = &alarm->rule};
}

#endif
