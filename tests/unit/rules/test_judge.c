/* Every metric-alarm entry of alarm-cases.json: the published tables, the defaults, the low-sample rule. */
#include "rules/judge.h"

#include "../run.h"
#include "base/own.h"
#include "cases.h"
#include "rules/statistic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RANGE_MAX = 64 };

static MissingData missing_of(const char *text) {
    static const char *const words[] = {"missing", "ignore", "breaching", "notBreaching"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], text) == 0) return (MissingData)i;
    ck_abort_msg("treatment %s", text);
}

static void check_case(const json_t *c) {
    ThresholdRule rule = {.n = (size_t)figure(c, "evaluation_periods"), .threshold = figure(c, "threshold")};
    const json_t *m = json_object_get(c, "datapoints_to_alarm");
    rule.m = json_is_integer(m) ? (size_t)json_integer_value(m) : rule.n;
    ck_assert(comparison_parse(word(c, "comparison"), &rule.comparison));
    const char *treatment = word(c, "treat_missing"), *space = word(c, "namespace");
    if (!treatment) treatment = space && strcmp(space, "AWS/DynamoDB") == 0 ? "ignore" : "missing";
    rule.missing = missing_of(treatment);
    double window[RANGE_MAX];
    const json_t *points = json_object_get(c, "datapoints");
    const size_t length = json_array_size(points);
    ck_assert_uint_le(length, RANGE_MAX);
    for (size_t i = 0; i < length; i++) {
        const json_t *value = json_array_get(points, i);
        window[i] = json_is_null(value) ? NAN : json_number_value(value);
    }
    rule.range = length;
    const Verdict got = judge(&rule, window, NULL, length, state_of(word(c, "previous_state")));
    ck_assert_msg(got.state == state_of(word(c, "expected_state")), "%s: %s, not %s", word(c, "name"),
        state_word(got.state), word(c, "expected_state"));
}

START_TEST(published_and_derived) {
    static const char *const groups[] = {"cases", "default_cases"};
    json_t *list = cases_of(groups[_i]);
    for (size_t i = 0; i < json_array_size(list); i++) check_case(json_array_get(list, i));
    json_decref(list);
}
END_TEST

START_TEST(low_samples) {
    json_t *list = cases_of("low_sample_cases");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        char text[STATISTIC_TEXT_MAX];
        Statistic statistic;
        snprintf(text, sizeof text, "p%g", figure(c, "percentile"));
        ck_assert(statistic_parse(text, &statistic));
        ThresholdRule rule = {.n = 1,
            .m = 1,
            .range = 1,
            .threshold = figure(c, "threshold"),
            .ignore_low_samples = strcmp(word(c, "low_sample"), "ignore") == 0,
            .percentile_e10 = statistic.percentile_e10};
        ck_assert(comparison_parse(word(c, "comparison"), &rule.comparison));
        const double value = figure(c, "value"), count = figure(c, "sample_count");
        const Verdict got = judge(&rule, &value, &count, 1, state_of(word(c, "previous_state")));
        ck_assert_msg(got.state == state_of(word(c, "expected_state")), "%s", word(c, "name"));
    }
    json_decref(list);
}
END_TEST

static const struct {
    const char *statistic;
    int64_t needed;
} needs[] = {
    {"p99", 1000}, {"p95", 200}, {"p97", 334}, {"p50", 20}, {"p10", 100}, {"p99.9", 10000}, {"p100", 0}, {"p0", 0}};

START_TEST(samples_needed) {
    Statistic statistic;
    ck_assert(statistic_parse(needs[_i].statistic, &statistic));
    ck_assert_int_eq(judge_samples_needed(statistic.percentile_e10), needs[_i].needed);
}
END_TEST

/* Newest on the right: X breaches, 0 is good, h lies between ok_threshold and threshold, - is missing. */
static const struct Step {
    const char *window;
    AlarmState previous, want;
} hysteresis[] = {
    {"h", STATE_OK, STATE_OK},
    {"h", STATE_ALARM, STATE_ALARM},
    {"h", STATE_INSUFFICIENT_DATA, STATE_OK},
    {"0", STATE_ALARM, STATE_OK},
    {"X", STATE_OK, STATE_ALARM},
};

START_TEST(stays_until_back_past_ok_threshold) {
    const struct Step *c = &hysteresis[_i];
    const ThresholdRule rule = {.comparison = COMPARE_GT,
        .threshold = 10,
        .has_ok_threshold = true,
        .ok_threshold = 5,
        .n = 1,
        .m = 1,
        .range = 1};
    const double value = c->window[0] == 'X' ? 11 : c->window[0] == 'h' ? 7 : 5;
    ck_assert_int_eq(judge(&rule, &value, NULL, 1, c->previous).state, c->want);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, published_and_derived, 0, 2);
    tcase_add_test(tcase, low_samples);
    tcase_add_loop_test(tcase, samples_needed, 0, (int)COUNT_OF(needs));
    tcase_add_loop_test(tcase, stays_until_back_past_ok_threshold, 0, (int)COUNT_OF(hysteresis));
}

int main(void) { return run_tests("judge", fill); }
