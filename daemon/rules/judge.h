/* Does this window of datapoints make an alarm? Pure: no clock, no allocation, no I/O. The daemon, `backtest` and the
 * tests share it. Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data". */
#ifndef TOCSIN_RULES_JUDGE_H
#define TOCSIN_RULES_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { STATE_OK, STATE_ALARM, STATE_INSUFFICIENT_DATA } AlarmState;
const char *state_word(AlarmState state); /* OK ALARM INSUFFICIENT_DATA */
bool state_parse(const char *word, AlarmState *ret_state);

typedef enum { COMPARE_GT, COMPARE_GE, COMPARE_LT, COMPARE_LE } Comparison;
typedef enum { MISSING_MISSING, MISSING_IGNORE, MISSING_BREACHING, MISSING_NOT_BREACHING } MissingData;

typedef struct ThresholdRule { /* small ones side by side: each alarm has one */
    Comparison comparison;
    MissingData missing;
    bool has_ok_threshold;
    bool ignore_low_samples; /* evaluate_low_sample_count_percentiles: ignore */
    bool early; /* early: true, the default */
    double threshold;
    double ok_threshold; /* once in ALARM a datapoint breaches until it is back past this */
    size_t n, m; /* evaluation periods, datapoints to alarm: 1 <= m <= n <= 10080 */
    size_t range; /* datapoints looked at, gaps included; >= n */
    int64_t percentile_e10; /* where the statistic is a percentile: percent x 10^10, exact (p99.9 is 999000000000); else
                               0 */
    double samples_min; /* fewer samples than this in all the window: its datapoints count as missing; 0: any number */
    int64_t period_s;
} ThresholdRule;

/* Which rule decided: the reason's words follow from it. */
typedef enum {
    BASIS_DATAPOINTS, /* enough of them, gaps or not; or enough breaching ones; or a good one among too few */
    BASIS_FILLED, /* missing ones were filled in */
    BASIS_EMPTY, /* nothing at all in the range: INSUFFICIENT_DATA */
    BASIS_PREMATURE, /* too few, all breaching, and old enough to prove it */
    BASIS_YOUNG, /* too few, all breaching, too young to prove anything */
    BASIS_KEPT, /* `ignore`: the state stays */
    BASIS_FEW_SAMPLES /* the percentile stands on too few samples: the state stays */
} VerdictBasis;

typedef struct Verdict {
    AlarmState state;
    size_t real, breaching; /* datapoints that exist and decided; those of them that breach */
    size_t filled; /* missing ones that were filled in */
    VerdictBasis basis;
} Verdict;

/* Decides what state `window` calls for.
 *   window    `length` values, one a period, oldest first, NAN where missing; borrowed for the call
 *   counts    sample counts parallel to window, or NULL
 *   previous  the state until now, kept where the window does not decide
 * Cannot fail. */
Verdict judge(
    const ThresholdRule *rule, const double *window, const double *counts, size_t length, AlarmState previous);
bool judge_breaches(const ThresholdRule *rule, double value, AlarmState previous);
/* Samples that a percentile needs before it says more than noise: 10 / (1 - p) from p50 on, 10 / p below; in integers.
 * 0 where `percentile_e10` is 0 or p100. */
int64_t judge_samples_needed(int64_t percentile_e10);
/* `>` `GreaterThanThreshold` and so on. */
bool comparison_parse(const char *word, Comparison *ret_comparison);

#endif
