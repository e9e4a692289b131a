#include "rules/window.h"

#include <math.h>

int64_t window_start(int64_t end_s, int64_t period_s, size_t range, size_t index) {
    return end_s - (int64_t)(range - index) * period_s;
}

/* Index of the sample that starts at `start_s`; -1 where none does. */
static int64_t sample_at(const Samples *samples, int64_t start_s) {
    const int64_t distance = start_s - samples->start_s;
    if (samples->step_s <= 0 || distance % samples->step_s != 0) return -1;
    const int64_t index = distance / samples->step_s;
    return index >= 0 && index < (int64_t)samples->count ? index : -1;
}

static double fold_one(Fold fold, double so_far, double value) {
    if (isnan(so_far)) return value;
    switch (fold) {
    case FOLD_AVERAGE:
    case FOLD_SUM: return so_far + value;
    case FOLD_MINIMUM: return fmin(so_far, value);
    case FOLD_MAXIMUM: return fmax(so_far, value);
    case FOLD_NONE: break;
    }
    return value;
}

/* One datapoint over [start_s, start_s + period_s). */
static double fold_period(const Samples *samples, int64_t start_s, int64_t period_s, double *ret_count) {
    double value = NAN, count = NAN;
    const int64_t steps = samples->fold == FOLD_NONE ? 1 : period_s / samples->step_s;
    for (int64_t i = 0; i < steps; i++) {
        const int64_t at = sample_at(samples, start_s + i * samples->step_s);
        if (at < 0 || isnan(samples->values[at])) continue;
        const double samples_here = samples->counts ? samples->counts[at] : NAN;
        if (samples->fold == FOLD_AVERAGE && !(samples_here > 0)) continue; /* a Sum of nothing has no average */
        value = fold_one(samples->fold, value, samples->values[at]);
        if (!isnan(samples_here)) count = isnan(count) ? samples_here : count + samples_here;
    }
    *ret_count = count;
    return samples->fold == FOLD_AVERAGE ? value / count : value;
}

void window_fill(
    const Samples *samples, int64_t end_s, int64_t period_s, size_t range, double *ret_values, double *ret_counts) {
    for (size_t i = 0; i < range; i++) {
        double count;
        ret_values[i] = fold_period(samples, window_start(end_s, period_s, range, i), period_s, &count);
        if (ret_counts) ret_counts[i] = count;
    }
}
