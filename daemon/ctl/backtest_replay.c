#include "ctl/backtest_replay.h"

#include "base/alloc.h"
#include "sources/metric_selector.h"

#include <math.h>
#include <stdlib.h>

enum { MINUTE_S = 60 };

static int64_t floor_to(int64_t value, int64_t step) { return value - ((value % step) + step) % step; }
static int64_t seconds_of(int64_t ms) { return floor_to(ms, 1000) / 1000; }

static int by_value(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* First row at or after `time_ms`. */
static size_t row_from(const CsvSeries *series, int64_t time_ms) {
    size_t low = 0, high = series->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (series->rows[middle].time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The statistic of the rows in [start_s, start_s + period_s); `room` holds as many as the series has. */
static double datapoint(const Replay *replay, int64_t start_s, double *room, double *ret_count) {
    const MetricSelector *metric = replay->alarm->selector;
    const size_t first = row_from(replay->series, start_s * 1000);
    const size_t end = row_from(replay->series, (start_s + replay->alarm->rule.period_s) * 1000);
    for (size_t i = first; i < end; i++) room[i - first] = replay->series->rows[i].value;
    qsort(room, end - first, sizeof *room, by_value);
    *ret_count = end > first ? (double)(end - first) : NAN;
    return statistic_over(&metric->parsed, room, end - first);
}

/* Datapoints of the alarm's own period, one for each place on the step where a window may begin: they overlap. */
static void datapoints_fill(const Replay *replay, Samples *samples) {
    double *room = alloc_zeroed(replay->series->count, sizeof *room);
    for (size_t i = 0; i < samples->count; i++)
        samples->values[i] =
            datapoint(replay, samples->start_s + (int64_t)i * samples->step_s, room, &samples->counts[i]);
    free(room);
}

typedef struct Walk {
    int64_t first_end_s, last_end_s, clock_step_s; /* of the clock */
    double *scratch;
    EvaluationMemory memory;
    int64_t in_alarm_s; /* of the present stretch */
} Walk;

static void walk_step(const Replay *replay, const Samples *samples, Walk *walk, int64_t clock_s,
    ReplayTransition *transition, void *ctx, ReplayResult *ret) {
    const ThresholdRule *rule = &replay->alarm->rule;
    const int64_t end_s = evaluation_end_s(rule, clock_s, 0);
    const AlarmState before = walk->memory.state;
    if (end_s != walk->memory.window_end_s) {
        evaluate(rule, samples, end_s, end_s, false, &walk->memory, walk->scratch, &ret->last);
        walk->memory = ret->last.memory;
        if (ret->last.changed) transition(ctx, clock_s, before, &ret->last);
        if (ret->last.changed && walk->memory.state == STATE_ALARM) ret->alarms++;
    }
    ret->total_s += walk->clock_step_s;
    walk->in_alarm_s = walk->memory.state == STATE_ALARM ? walk->in_alarm_s + walk->clock_step_s : 0;
    if (walk->memory.state == STATE_ALARM) ret->alarm_s += walk->clock_step_s;
    if (walk->in_alarm_s > ret->longest_s) ret->longest_s = walk->in_alarm_s;
}

/* From the first row's step plus one period to the last row's plus one period; or the one end that was asked for. */
static bool walk_bounds(const Replay *replay, Walk *walk, Error *err) {
    const CsvSeries *series = replay->series;
    const int64_t period_s = replay->alarm->rule.period_s;
    walk->clock_step_s = period_s < MINUTE_S ? 10 : MINUTE_S;
    walk->first_end_s = floor_to(seconds_of(series->rows[0].time_ms), walk->clock_step_s) + period_s;
    walk->last_end_s = floor_to(seconds_of(series->rows[series->count - 1].time_ms), walk->clock_step_s) + period_s;
    if ((walk->last_end_s - walk->first_end_s) / walk->clock_step_s >= REPLAY_STEPS_MAX)
        return error_set(err, ERROR_INPUT, "the series is longer than %d steps of %lld s (REPLAY_STEPS_MAX)",
            REPLAY_STEPS_MAX, (long long)walk->clock_step_s);
    if (replay->has_at) walk->first_end_s = walk->last_end_s = evaluation_end_s(&replay->alarm->rule, replay->at_s, 0);
    return true;
}

/* The grid holds every datapoint with a row in it that a window of the walk may ask for; outside of it all is missing.
 */
static Samples samples_new(const Replay *replay, const Walk *walk) {
    const ThresholdRule *rule = &replay->alarm->rule;
    const CsvSeries *series = replay->series;
    const int64_t step_s = walk->clock_step_s;
    const int64_t first_row_s = floor_to(seconds_of(series->rows[0].time_ms), step_s);
    const int64_t last_row_s = floor_to(seconds_of(series->rows[series->count - 1].time_ms), step_s);
    int64_t start_s = window_start(floor_to(walk->first_end_s, step_s), rule->period_s, rule->range, 0) - 3600;
    int64_t end_s = walk->last_end_s - rule->period_s;
    if (start_s < first_row_s - rule->period_s) start_s = first_row_s - rule->period_s;
    if (end_s > last_row_s) end_s = last_row_s;
    Samples samples = {.fold = FOLD_NONE, .start_s = floor_to(start_s, step_s), .step_s = step_s};
    samples.count = end_s >= samples.start_s ? (size_t)((end_s - samples.start_s) / step_s) + 1 : 0;
    samples.values = alloc_zeroed(samples.count + 1, sizeof *samples.values);
    samples.counts = alloc_zeroed(samples.count + 1, sizeof *samples.counts);
    datapoints_fill(replay, &samples);
    return samples;
}

static void walk_run(const Replay *replay, const Samples *samples, Walk *walk, ReplayTransition *transition, void *ctx,
    ReplayResult *ret) {
    walk->memory.state = replay->initial;
    walk->scratch = alloc_zeroed(2 * replay->alarm->rule.range, sizeof *walk->scratch);
    *ret = (ReplayResult){0};
    for (int64_t clock_s = walk->first_end_s; clock_s <= walk->last_end_s; clock_s += walk->clock_step_s)
        walk_step(replay, samples, walk, clock_s, transition, ctx, ret);
    ret->final = walk->memory.state;
    free(walk->scratch);
}

bool replay_run(const Replay *replay, ReplayTransition *transition, void *ctx, ReplayResult *ret, Error *err) {
    Walk walk = {replay->first_end_s, replay->last_end_s, replay->clock_step_s};
    if (replay->samples) return walk_run(replay, replay->samples, &walk, transition, ctx, ret), true;
    if (!walk_bounds(replay, &walk, err)) return false;
    Samples samples = samples_new(replay, &walk);
    walk_run(replay, &samples, &walk, transition, ctx, ret);
    free(samples.values);
    free(samples.counts);
    return true;
}
