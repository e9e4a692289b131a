/* CloudWatch's statistics: what is one and what is not, and their value over plain rows. */
#include "rules/statistic.h"

#include "../run.h"
#include "base/own.h"

#include <math.h>

static const char *const refused[] = {"", "average", "AVERAGE", "Avg", "p", "p101", "p100.1", "p-1", "p99.", "p.5",
    "p 99", "P99", "p99x", "p99.00000000001", "p1e1", "tm", "tm0", "tm101", "TM", "TM()", "TM(:)", "TM(10%:90)",
    "TM(90%:10%)", "TM(10%:10%)", "TM(:101%)", "TM(5:5)", "TM(a:b)", "TM(1:2", "TM(1:2)x", "TM(nan:2)", "TM(1:2:3)",
    "PR", "PR(10%:90%)", "PR(:)", "pr(1:2)", "iqm", "IQM1",
    "TM(                                                                            1:2)"};

START_TEST(refuses) {
    Statistic s;
    ck_assert_msg(!statistic_parse(refused[_i], &s), "`%s` was taken", refused[_i]);
}
END_TEST

/* Over the rows 1, 2 ... 10. */
static const struct Case {
    const char *text;
    StatisticKind kind;
    bool folds;
    double over_ten;
} taken[] = {
    {"Average", STATISTIC_AVERAGE, true, 5.5},
    {"Sum", STATISTIC_SUM, true, 55},
    {"Minimum", STATISTIC_MINIMUM, true, 1},
    {"Maximum", STATISTIC_MAXIMUM, true, 10},
    {"SampleCount", STATISTIC_SAMPLE_COUNT, true, 10},
    {"p50", STATISTIC_PERCENTILE, false, 5},
    {"p90", STATISTIC_PERCENTILE, false, 9},
    {"p90.1", STATISTIC_PERCENTILE, false, 10},
    {"p100", STATISTIC_PERCENTILE, false, 10},
    {"p0", STATISTIC_PERCENTILE, false, 1},
    {"p0.0000000001", STATISTIC_PERCENTILE, false, 1},
    {"tm90", STATISTIC_TRIMMED_MEAN, false, 5},
    {"TM(10%:90%)", STATISTIC_TRIMMED_MEAN, false, 5.5},
    {"TM(:50%)", STATISTIC_TRIMMED_MEAN, false, 3},
    {"TM(2:4)", STATISTIC_TRIMMED_MEAN, false, 3.5},
    {"TM(20:30)", STATISTIC_TRIMMED_MEAN, false, NAN},
    {"tc90", STATISTIC_TRIMMED_COUNT, false, 9},
    {"TC(2:4)", STATISTIC_TRIMMED_COUNT, false, 2},
    {"TC(20:30)", STATISTIC_TRIMMED_COUNT, false, 0},
    {"ts90", STATISTIC_TRIMMED_SUM, false, 45},
    {"TS(8:)", STATISTIC_TRIMMED_SUM, false, 19},
    {"wm90", STATISTIC_WINSORIZED_MEAN, false, 5.4},
    {"WM(10%:90%)", STATISTIC_WINSORIZED_MEAN, false, 5.5},
    {"PR(:3)", STATISTIC_PERCENTILE_RANK, false, 30},
    {"PR(-1.5:3)", STATISTIC_PERCENTILE_RANK, false, 30},
    {"PR(3:5)", STATISTIC_PERCENTILE_RANK, false, 20},
    {"IQM", STATISTIC_TRIMMED_MEAN, false, 5.5},
};

START_TEST(takes) {
    const struct Case *c = &taken[_i];
    const double rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    Statistic s;
    ck_assert_msg(statistic_parse(c->text, &s), "`%s` was refused", c->text);
    ck_assert_int_eq(s.kind, c->kind);
    ck_assert_int_eq(statistic_folds(&s), c->folds);
    const double got = statistic_over(&s, rows, COUNT_OF(rows));
    ck_assert_msg(isnan(c->over_ten) ? isnan(got) : fabs(got - c->over_ten) < 1e-9, "%s: %g", c->text, got);
    ck_assert(isnan(statistic_over(&s, rows, 0)));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, (int)COUNT_OF(refused));
    tcase_add_loop_test(tcase, takes, 0, (int)COUNT_OF(taken));
}

int main(void) { return run_tests("statistic", fill); }
