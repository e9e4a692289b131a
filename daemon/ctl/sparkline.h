/* Datapoints as one line of blocks, with a mark under each that is beyond the threshold. Pure. */
#ifndef TOCSIN_CTL_SPARKLINE_H
#define TOCSIN_CTL_SPARKLINE_H

#include <stdbool.h>
#include <stddef.h>

enum { SPARKLINE_MAX = 72 /* columns: the newest datapoints */ };

/* What counts as beyond; `GreaterThanThreshold` or `>`, as the rule was written. */
typedef enum { BEYOND_NOTHING, BEYOND_ABOVE, BEYOND_AT_OR_ABOVE, BEYOND_BELOW, BEYOND_AT_OR_BELOW } Beyond;
Beyond beyond_parse(const char *comparison_operator); /* NULL, or unknown: BEYOND_NOTHING */
const char *beyond_sign(Beyond beyond); /* > >= < <=, or "" */
bool beyond_is(Beyond beyond, double value, double threshold);

/* One block a value, low to high between the smallest and the largest (the threshold, unless NAN, among them); `·` for
 * NAN. All values alike: the lowest block. Caller frees. */
char *sparkline_blocks(const double *values, size_t count, double threshold);
/* `^` under each value that is beyond, blanks elsewhere, none at the end; caller frees. */
char *sparkline_marks(const double *values, size_t count, Beyond beyond, double threshold);

#endif
