/* Samples on a grid, and the datapoints of a window folded from them. Pure. A datapoint is stamped with its period's
 * start. Average folds as Sum / SampleCount; a period without a sample is missing (NAN). */
#ifndef TOCSIN_RULES_WINDOW_H
#define TOCSIN_RULES_WINDOW_H

#include "rules/judge.h"

typedef enum {
    FOLD_NONE, /* `values` are datapoints at the rule's own period and phase: taken as they are */
    FOLD_AVERAGE, /* values are Sums, counts SampleCounts */
    FOLD_SUM, /* Sum and SampleCount fold alike */
    FOLD_MINIMUM,
    FOLD_MAXIMUM
} Fold;

typedef struct Samples {
    Fold fold;
    int64_t start_s, step_s; /* the first sample's start, UTC; the distance of the grid */
    size_t count;
    double *values; /* NAN: none */
    double *counts; /* SampleCount, parallel; NULL where not read */
} Samples;

/* Fills `range` datapoints of `period_s` whose last one ends at end_s, oldest first. `ret_counts` (may be NULL) gets
 * the sample counts, NAN where unknown. A part of the range before the samples' start is missing. */
void window_fill(
    const Samples *samples, int64_t end_s, int64_t period_s, size_t range, double *ret_values, double *ret_counts);
/* Start of the datapoint at `index` of a window that ends at end_s. */
int64_t window_start(int64_t end_s, int64_t period_s, size_t range, size_t index);

#endif
