/* Does this window of datapoints make an alarm? Pure: no clock, no allocation, no I/O. The daemon, `backtest` and the tests
 * share it. Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data". */
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

typedef struct ThresholdRule {
    Comparison comparison;
    double threshold;
    bool has_ok_threshold;
    double ok_threshold;     /* once in ALARM a datapoint breaches until it is back past this */
    size_t n, m;             /* evaluation periods, datapoints to alarm: 1 <= m <= n <= 10080 */
    size_t range;            /* datapoints looked at, gaps included; >= n */
    MissingData missing;
    bool ignore_low_samples; /* evaluate_low_sample_count_percentiles: ignore */
    int64_t percentile_permyriad; /* p99.9 = 9990 * 10 = 99900 of 100000 where the statistic is a percentile, else 0 */
    int64_t period_s;
    bool early;              /* early: true, the default */
} ThresholdRule;

typedef struct Verdict {
    AlarmState state;
    size_t real, breaching, filled; /* in the window that decided */
    bool too_few_samples;    /* the state was kept for that */
} Verdict;

/* Decides what state `window` calls for.
 *   window    `length` values, one a period, oldest first, NAN where missing; borrowed for the call
 *   counts    sample counts parallel to window, or NULL
 *   previous  the state until now, kept where the window does not decide
 * Cannot fail. */
Verdict judge(const ThresholdRule *rule, const double *window, const double *counts, size_t length, AlarmState previous);
bool judge_breaches(const ThresholdRule *rule, double value, AlarmState previous);

#endif
