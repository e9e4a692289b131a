/* CloudWatch's statistics: their grammar, and their value over plain rows (a CSV). Pure. The words are CloudWatch's,
 * case included. Source: CloudWatch User Guide, "CloudWatch statistics definitions". */
#ifndef TOCSIN_RULES_STATISTIC_H
#define TOCSIN_RULES_STATISTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    STATISTIC_AVERAGE,
    STATISTIC_SUM,
    STATISTIC_MINIMUM,
    STATISTIC_MAXIMUM,
    STATISTIC_SAMPLE_COUNT,
    STATISTIC_PERCENTILE, /* pNN.N */
    STATISTIC_TRIMMED_MEAN, /* tmNN, TM(a:b), IQM */
    STATISTIC_TRIMMED_COUNT, /* tcNN, TC(a:b) */
    STATISTIC_TRIMMED_SUM, /* tsNN, TS(a:b) */
    STATISTIC_WINSORIZED_MEAN, /* wmNN, WM(a:b) */
    STATISTIC_PERCENTILE_RANK /* PR(a:b): percent of the rows in a value range */
} StatisticKind;

enum { STATISTIC_TEXT_MAX = 64 };
#define STATISTIC_WHOLE \
    ((int64_t)1000000000000) /* 100 percent, in units of 10^-10 percent: CloudWatch takes 10 decimals */

typedef struct Statistic {
    StatisticKind kind;
    bool by_percent; /* the bounds are percents of the rows, not values */
    int64_t percentile_e10; /* PERCENTILE: percent x 10^10 */
    int64_t lower_e10, upper_e10; /* by_percent: 0 and STATISTIC_WHOLE where open */
    double lower_value, upper_value; /* otherwise: infinite where open; lower excluded, upper included */
} Statistic;

/* False: no statistic of CloudWatch's. */
bool statistic_parse(const char *text, Statistic *ret_statistic);
/* Average, Sum, Minimum, Maximum and SampleCount of a long period follow from those of short ones; no other does. */
bool statistic_folds(const Statistic *statistic);
/* The statistic over `count` rows, sorted ascending; percentiles by nearest rank. NAN where it has none. */
double statistic_over(const Statistic *statistic, const double *rows, size_t count);

#endif
