/* Windows that slide, and datapoints folded from samples. */
#include "rules/evaluate.h"

#include "../run.h"
#include "base/own.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

static int64_t seconds_of(const char *text) {
    int hours = 0, minutes = 0, seconds = 0;
    ck_assert_int_eq(sscanf(text, "%d:%d:%d", &hours, &minutes, &seconds), 3);
    return hours * 3600 + minutes * 60 + seconds;
}

START_TEST(slides_by_the_minute) {
    json_error_t error;
    json_t *all = json_load_file(ALARM_CASES, 0, &error);
    const json_t *list = json_object_get(all, "window_cases");
    ck_assert_uint_gt(json_array_size(list), 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i), *starts = json_object_get(c, "expected_starts");
        const size_t points = json_array_size(starts);
        const ThresholdRule rule = {
            .n = points, .m = points, .range = points, .period_s = json_integer_value(json_object_get(c, "period"))};
        const int64_t end = evaluation_end_s(&rule, seconds_of(json_string_value(json_object_get(c, "now"))), 0);
        for (size_t k = 0; k < points; k++)
            ck_assert_int_eq(
                window_start(end, rule.period_s, points, k), seconds_of(json_string_value(json_array_get(starts, k))));
    }
    json_decref(all);
}
END_TEST

static const struct {
    int64_t period_s;
    size_t n;
    int64_t step_s;
} steps[] = {{10, 3, 10}, {30, 1, 10}, {60, 3, 60}, {300, 288, 60}, {300, 289, 3600}, {86400, 1, 60}, {86400, 2, 3600}};

START_TEST(step_of_evaluation) {
    ck_assert_int_eq(
        evaluation_step_s(&(ThresholdRule){.period_s = steps[_i].period_s, .n = steps[_i].n}), steps[_i].step_s);
}
END_TEST

/* Six samples of a minute from 600 on; folded to two datapoints of three minutes that end at 960. */
static double values[] = {1, 9, 5, NAN, NAN, NAN}, sample_counts[] = {2, 0, 1, NAN, NAN, NAN}; /* 9: a sum of nothing */
static const struct Fold_case {
    Fold fold;
    bool counted;
    double want, want_count;
} folds[] = {
    {FOLD_AVERAGE, true, 2, 3},
    {FOLD_AVERAGE, false, NAN, NAN},
    {FOLD_SUM, false, 15, NAN},
    {FOLD_MINIMUM, true, 1, 3},
    {FOLD_MAXIMUM, false, 9, NAN},
};

static bool same(double a, double b) { return isnan(a) ? isnan(b) : a == b; }

START_TEST(folds_samples) {
    const struct Fold_case *c = &folds[_i];
    const Samples samples = {c->fold, 600, 60, COUNT_OF(values), values, c->counted ? sample_counts : NULL};
    double got[2], counts[2];
    window_fill(&samples, 960, 180, 2, got, counts);
    ck_assert_msg(same(c->want, got[0]), "%g", got[0]);
    ck_assert(same(c->want_count, counts[0]));
    ck_assert(isnan(got[1]) && isnan(counts[1])); /* a period without a sample is missing */
}
END_TEST

START_TEST(outside_is_missing) {
    const Samples samples = {FOLD_NONE, 600, 60, COUNT_OF(values), values, NULL};
    double got[3];
    window_fill(&samples, 660, 60, 3, got, NULL); /* reaches back before the first */
    ck_assert(isnan(got[0]) && isnan(got[1]) && got[2] == 1);
    window_fill(&samples, 1140, 60, 3, got, NULL); /* lies behind the last */
    ck_assert(isnan(got[0]) && isnan(got[1]) && isnan(got[2]));
    window_fill(&samples, 690, 60, 1, got, NULL); /* off the grid: another phase's datapoint is not this one's */
    ck_assert(isnan(got[0]));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, slides_by_the_minute);
    tcase_add_loop_test(tcase, step_of_evaluation, 0, (int)COUNT_OF(steps));
    tcase_add_loop_test(tcase, folds_samples, 0, (int)COUNT_OF(folds));
    tcase_add_test(tcase, outside_is_missing);
}

int main(void) { return run_tests("window", fill); }
