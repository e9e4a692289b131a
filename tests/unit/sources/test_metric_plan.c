/* Which calls a set of watches becomes: what is shared, what is cut, what it costs. */
#include "sources/cloudwatch.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/own.h"
#include "metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 1201 };

static const MetricBatch *batch_at(const Plan *plan, size_t index) { return plan_poll(plan, index)->batch; }

START_TEST(many_watches_are_cut_into_calls) {
    static TestAlarm alarms[MANY];
    static char names[MANY][16];
    static Watch watches[MANY];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "i-%zu", i);
        test_alarm(&alarms[i], "AWS/EC2", names[i], "p99", 60, 7);
        watches[i] = test_watch(&alarms[i], i);
    }
    OWN(plan) Plan *plan = metric_plan(NULL, watches, MANY);
    ck_assert_uint_eq(plan_count(plan), 3);
    bool seen[MANY] = {false};
    for (size_t i = 0; i < plan_count(plan); i++) {
        const Poll *poll = plan_poll(plan, i);
        const MetricBatch *batch = poll->batch;
        ck_assert_uint_le(batch->query_count, METRIC_QUERIES_MAX);
        ck_assert_uint_le(batch->query_count * metric_grid(batch, 1767322800).count, METRIC_DATAPOINTS_MAX);
        ck_assert_uint_eq(poll->watch_count, batch->reader_count);
        for (size_t k = 0; k < batch->reader_count; k++) {
            ck_assert(!seen[batch->readers[k].watch] && poll->watches[k] == batch->readers[k].watch);
            seen[batch->readers[k].watch] = true;
            ck_assert_ptr_eq(
                batch->queries[batch->readers[k].values].selector, &alarms[batch->readers[k].watch].selector);
        }
    }
    for (size_t i = 0; i < MANY; i++) ck_assert(seen[i]);
    ck_assert_uint_ne(plan_poll(plan, 0)->phase, plan_poll(plan, 1)->phase);
    const PlanCost cost = plan_cost(plan);
    ck_assert(fabs(cost.billed_units_month - MANY * 43800.0) < 1);
    ck_assert(fabs(cost.usd_month - MANY * 0.438) < 0.01);
}
END_TEST

/* Two alarms side by side: how many calls, queries and billed metrics they come to. */
static const struct Pair {
    const char *what, *namespace[2], *dimension[2], *statistic[2];
    int64_t period_s[2], every_s[2];
    bool few_samples; /* the second ignores percentiles of few samples */
    size_t polls, queries;
    double billed;
} pairs[] = {
    {"the same metric", {"N", "N"}, {"a", "a"}, {"Sum", "Sum"}, {60, 60}, {0, 0}, false, 1, 1, 1},
    {"two metrics", {"N", "N"}, {"a", "b"}, {"Sum", "Sum"}, {60, 60}, {0, 0}, false, 1, 2, 2},
    {"two statistics of one", {"N", "N"}, {"a", "a"}, {"Sum", "p99"}, {60, 60}, {0, 0}, false, 1, 2, 1},
    {"another schedule", {"N", "N"}, {"a", "a"}, {"Sum", "Sum"}, {60, 60}, {0, 300}, false, 2, 2, 2},
    {"folded from minutes", {"N", "N"}, {"a", "a"}, {"Sum", "Sum"}, {60, 300}, {0, 0}, false, 1, 1, 1},
    {"an average is folded from two", {"N", "N"}, {"a", "a"}, {"Average", "Sum"}, {300, 60}, {0, 0}, false, 1, 2, 1},
    {"samples of a percentile", {"N", "N"}, {"a", "a"}, {"SampleCount", "p99"}, {60, 60}, {0, 0}, true, 1, 2, 1},
    {"a percentile does not fold", {"N", "N"}, {"a", "a"}, {"p99", "p99"}, {60, 300}, {0, 0}, false, 2, 2, 2},
    {"high resolution", {"N", "N"}, {"a", "a"}, {"Sum", "Sum"}, {60, 10}, {0, 0}, false, 2, 2, 2},
    {"phases of other settle times", {"AWS/EC2", "AWS/EBS"}, {"a", "a"}, {"p9", "p9"}, {120, 120}, {0, 0}, false, 2, 2,
        2},
};

START_TEST(shares_what_can_be_shared) {
    const struct Pair *c = &pairs[_i];
    TestAlarm alarms[2];
    Watch watches[2];
    for (size_t i = 0; i < 2; i++) {
        test_alarm(&alarms[i], c->namespace[i], c -> dimension[i], c -> statistic[i], c -> period_s[i], 3);
        watches[i] = test_watch(&alarms[i], i);
        watches[i].every_s = c->every_s[i];
    }
    alarms[1].rule.ignore_low_samples = c->few_samples;
    OWN(plan) Plan *plan = metric_plan(NULL, watches, 2);
    size_t queries = 0;
    double billed = 0;
    for (size_t i = 0; i < plan_count(plan); i++) {
        queries += batch_at(plan, i)->query_count;
        billed += batch_at(plan, i)->billed_units;
    }
    ck_assert_msg(plan_count(plan) == c->polls && queries == c->queries && billed == c->billed,
        "%s: %zu polls, %zu queries, %g billed", c->what, plan_count(plan), queries, billed);
}
END_TEST

/* What one alarm is read as. */
static const struct Reading {
    const char *statistic;
    int64_t period_s;
    size_t range;
    int64_t step_s, every_s;
    Fold fold;
    bool phased;
} readings[] = {
    {"Average", 60, 3, 60, 60, FOLD_NONE, false},
    {"Average", 300, 3, 60, 60, FOLD_AVERAGE, false},
    {"SampleCount", 300, 3, 60, 60, FOLD_SUM, false},
    {"Minimum", 300, 3, 60, 60, FOLD_MINIMUM, false},
    {"Maximum", 3600, 24, 60, 300, FOLD_MAXIMUM, false},
    {"Maximum", 3600, 25, 3600, 300, FOLD_NONE, true}, /* more than 1,440 minutes */
    {"p90", 300, 3, 300, 60, FOLD_NONE, true},
    {"p90", 60, 3, 60, 60, FOLD_NONE, false},
    {"Sum", 10, 3, 10, 10, FOLD_NONE, false},
    {"Sum", 30, 3, 10, 10, FOLD_SUM, false},
    {"p90", 30, 3, 30, 10, FOLD_NONE, true},
};

/* Polled at `now - gap_s` and again at `now`: no window that became judgeable in between reaches past the grid. */
static void check_replay(const MetricBatch *batch, const ThresholdRule *rule, int64_t now, int64_t gap_s) {
    const int64_t settle_s = batch->readers[0].settle_s;
    *batch->last_read_s = now - gap_s;
    const int64_t end = evaluation_end_s(rule, now - gap_s, settle_s) + evaluation_step_s(rule);
    if (!batch->phased)
        ck_assert_int_ge(window_start(end, rule->period_s, rule->range, 0), metric_grid(batch, now).start_s);
    *batch->last_read_s = 0;
}

START_TEST(reads_what_folds) {
    const struct Reading *c = &readings[_i];
    TestAlarm alarm;
    test_alarm(&alarm, "N", "a", c->statistic, c->period_s, c->range);
    const Watch watch = test_watch(&alarm, 0);
    OWN(plan) Plan *plan = metric_plan(NULL, &watch, 1);
    const MetricBatch *batch = batch_at(plan, 0);
    ck_assert_int_eq(batch->step_s, c->step_s);
    ck_assert_int_eq(batch->readers[0].fold, c->fold);
    ck_assert_int_eq(batch->phased, c->phased);
    ck_assert_int_eq(plan_poll(plan, 0)->every_s, c->every_s);
    for (int64_t now = 1767322800; now < 1767322800 + 3700; now += 37) { /* every settled window lies on the grid */
        const MetricGrid grid = metric_grid(batch, now);
        const int64_t end = evaluation_end_s(&alarm.rule, now, batch->readers[0].settle_s);
        const int64_t start = window_start(end, c->period_s, c->range, 0);
        ck_assert_int_ge(start, grid.start_s);
        ck_assert_int_eq((start - grid.start_s) % grid.step_s, 0);
        for (int64_t gap_s = 1; gap_s <= METRIC_REPLAY_S; gap_s += 59) check_replay(batch, &alarm.rule, now, gap_s);
        const int64_t grid_end = grid.start_s + (int64_t)grid.count * grid.step_s;
        ck_assert_int_gt(grid_end, now); /* what still fills is read too */
        ck_assert_int_le(grid_end - grid.step_s, now);
        ck_assert(c->step_s < 60 || grid.start_s % 60 == 0);
    }
}
END_TEST

static const struct Growing {
    const char *namespace, *statistic;
    Comparison comparison;
    bool want;
} growing[] = {
    {"AWS/SQS", "Sum", COMPARE_GT, true},
    {"AWS/SQS", "Sum", COMPARE_LT, false},
    {"Mine", "Sum", COMPARE_GT, false},
    {"Mine", "SampleCount", COMPARE_GE, true},
    {"Mine", "SampleCount", COMPARE_LE, false},
    {"Mine", "Maximum", COMPARE_GT, true},
    {"Mine", "Maximum", COMPARE_LT, false},
    {"Mine", "Minimum", COMPARE_LE, true},
    {"Mine", "Minimum", COMPARE_GT, false},
    {"AWS/SQS", "Average", COMPARE_GT, false},
    {"AWS/SQS", "p99", COMPARE_GT, false},
};

START_TEST(what_more_data_cannot_undo) {
    const struct Growing *c = &growing[_i];
    TestAlarm alarm;
    test_alarm(&alarm, c->namespace, "a", c->statistic, 60, 3);
    alarm.rule.comparison = c->comparison;
    const Watch watch = test_watch(&alarm, 0);
    OWN(plan) Plan *plan = metric_plan(NULL, &watch, 1);
    ck_assert_int_eq(batch_at(plan, 0)->readers[0].grows_only, c->want);
}
END_TEST

START_TEST(replays_what_was_missed) {
    TestAlarm alarm;
    test_alarm(&alarm, "N", "a", "Sum", 60, 3);
    const Watch watch = test_watch(&alarm, 0);
    OWN(plan) Plan *plan = metric_plan(NULL, &watch, 1);
    const MetricBatch *batch = batch_at(plan, 0);
    const int64_t now = 1767322800;
    const size_t first = metric_grid(batch, now).count;
    *batch->last_read_s = now - 60;
    const size_t usual = metric_grid(batch, now).count;
    ck_assert_uint_eq(first, usual - 1 + METRIC_REPLAY_S / 60);
    *batch->last_read_s = now - 86400;
    ck_assert_uint_eq(metric_grid(batch, now).count, first);
    *batch->last_read_s = now + 86400; /* the clock went back */
    ck_assert_uint_eq(metric_grid(batch, now).count, usual - 1);
}
END_TEST

/* Alarms of like windows share a call, which reaches as far back as the widest of them needs and no further. */
START_TEST(asks_for_what_is_needed) {
    TestAlarm alarms[2];
    test_alarm(&alarms[0], "N", "a", "Sum", 60, 5);
    test_alarm(&alarms[1], "N", "b", "Sum", 60, 9);
    const Watch watches[] = {test_watch(&alarms[0], 0), test_watch(&alarms[1], 1)};
    for (size_t count = 1; count <= 2; count++) {
        OWN(plan) Plan *plan = metric_plan(NULL, watches, count);
        ck_assert_uint_eq(plan_count(plan), 1);
        const MetricBatch *batch = batch_at(plan, 0);
        const int64_t widest = (int64_t)alarms[count - 1].rule.range * 60;
        /* settling, the evaluation's minute, the running one */
        ck_assert_int_eq(batch->span_s, widest + batch->readers[0].settle_s + 60 + 2 * 60);
    }
}
END_TEST

START_TEST(short_periods_reach_back_three_hours_at_most) {
    TestAlarm alarm;
    test_alarm(&alarm, "N", "a", "Sum", 10, 1060);
    const Watch watch = test_watch(&alarm, 0);
    OWN(plan) Plan *plan = metric_plan(NULL, &watch, 1);
    const MetricGrid grid = metric_grid(batch_at(plan, 0), 1767322805);
    ck_assert_int_gt(grid.start_s, 1767322805 - 3 * 3600);
    ck_assert_int_eq(grid.start_s % 10, 0);
}
END_TEST

START_TEST(no_watches_no_polls) {
    OWN(plan) Plan *plan = metric_plan(NULL, NULL, 0);
    ck_assert_uint_eq(plan_count(plan), 0);
}
END_TEST

START_TEST(links_into_the_console) {
    TestAlarm alarm;
    test_alarm(&alarm, "AWS/EC2", "a b'(~)$\xe2\x82\xac", "p99.9", 300, 3);
    OWN(labels) Labels *series = labels_new(alarm.series, 1);
    OWN(text) char *url = metric_console_url(&alarm.selector, series, "eu-west-1", 1767322800000);
    ck_assert_str_eq(url,
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/"
        "home?region=eu-west-1#metricsV2:graph=~(metrics~(~(~'AWS*2fEC2~'M"
        "~'D~'a*20b*27*28*7e*29!**20ac~(stat~'p99.9~period~300)))~view~'timeSeries~stacked~false~region~'eu-west-1"
        "~start~'2026-01-02T00*3a00*3a00.000Z~end~'2026-01-02T04*3a00*3a00.000Z)");
    OWN(text) char *china = metric_console_url(&alarm.selector, series, "cn-north-1", 1767322800000);
    ck_assert_ptr_nonnull(strstr(china, "https://cn-north-1.console.amazonaws.cn/"));
    OWN(text) char *words = metric_describe(&alarm.selector, &alarm.rule);
    ck_assert_str_eq(words, "AWS/EC2 M p99.9 300 s");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, many_watches_are_cut_into_calls);
    tcase_add_loop_test(tcase, shares_what_can_be_shared, 0, (int)COUNT_OF(pairs));
    tcase_add_loop_test(tcase, reads_what_folds, 0, (int)COUNT_OF(readings));
    tcase_add_loop_test(tcase, what_more_data_cannot_undo, 0, (int)COUNT_OF(growing));
    tcase_add_test(tcase, replays_what_was_missed);
    tcase_add_test(tcase, asks_for_what_is_needed);
    tcase_add_test(tcase, short_periods_reach_back_three_hours_at_most);
    tcase_add_test(tcase, no_watches_no_polls);
    tcase_add_test(tcase, links_into_the_console);
}

int main(void) { return run_tests("metric_plan", fill); }
