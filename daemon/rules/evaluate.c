#include "rules/evaluate.h"

#include "rules/reason.h"

#include <math.h>

enum { DAY_S = 86400, HOUR_S = 3600 };

int64_t evaluation_step_s(const ThresholdRule *rule) {
    if (rule->period_s < 60) return 10;
    return (int64_t)rule->n * rule->period_s > DAY_S ? HOUR_S : 60;
}

static int64_t floor_to(int64_t value, int64_t step) { return value - ((value % step) + step) % step; }

int64_t evaluation_end_s(const ThresholdRule *rule, int64_t now_s, int64_t settle_s) {
    return floor_to(now_s - settle_s, evaluation_step_s(rule));
}

const char *comparison_sign(Comparison comparison) {
    static const char *const signs[] = {">", ">=", "<", "<="};
    return signs[comparison];
}

/* End of the newest sample with a value; 0: none. */
static int64_t newest_end_s(const Samples *samples) {
    for (size_t i = samples->count; i-- > 0;)
        if (!isnan(samples->values[i])) return samples->start_s + (int64_t)(i + 1) * samples->step_s;
    return 0;
}

/* The newest datapoint that is there (and breaches, where only such are asked for), its value and stamp. */
static void newest_value(const ThresholdRule *rule, const double *values, int64_t end_s, AlarmState previous,
    bool breaching_only, Evaluation *ret) {
    ret->value = NAN;
    ret->value_s = 0;
    for (size_t i = rule->range; i-- > 0;) {
        if (!isfinite(values[i]) || (breaching_only && !judge_breaches(rule, values[i], previous))) continue;
        ret->value = values[i];
        ret->value_s = window_start(end_s, rule->period_s, rule->range, i);
        return;
    }
}

/* Replaces unsettled datapoints that do not breach, or are not there, by one that cannot breach; returns the end of the
 * newest unsettled one that does, 0 for none. */
static int64_t doubt_unsettled(
    const ThresholdRule *rule, double *values, int64_t end_s, int64_t settled_end_s, AlarmState previous) {
    const bool above = rule->comparison == COMPARE_GT || rule->comparison == COMPARE_GE;
    int64_t tripping_end_s = 0;
    for (size_t i = rule->range; i-- > 0;) {
        const int64_t datapoint_end_s = window_start(end_s, rule->period_s, rule->range, i) + rule->period_s;
        if (datapoint_end_s <= settled_end_s) break;
        if (!isnan(values[i]) && judge_breaches(rule, values[i], previous)) {
            if (tripping_end_s == 0) tripping_end_s = datapoint_end_s;
        } else {
            values[i] = above ? -INFINITY : INFINITY;
        }
    }
    return tripping_end_s;
}

/* The second window, which ends at the newest datapoint with a value: only its ALARM counts. */
static bool evaluate_early(const ThresholdRule *rule, const Samples *samples, int64_t settled_end_s,
    const EvaluationMemory *memory, double *values, Evaluation *ret) {
    const int64_t end_s = newest_end_s(samples);
    if (end_s <= settled_end_s) return false;
    window_fill(samples, end_s, rule->period_s, rule->range, values, NULL);
    const int64_t tripping_end_s = doubt_unsettled(rule, values, end_s, settled_end_s, memory->state);
    if (tripping_end_s == 0) return false;
    const Verdict verdict = judge(rule, values, NULL, rule->range, memory->state);
    if (verdict.state != STATE_ALARM) return false;
    ret->verdict = verdict;
    ret->early = true;
    ret->held = false;
    ret->memory.state = STATE_ALARM;
    ret->memory.early_until_s = tripping_end_s;
    newest_value(rule, values, end_s, memory->state, true, ret);
    reason_write(rule, values, end_s, memory->state, ret);
    return true;
}

/* A window that stands on too few samples says nothing: all its datapoints count as missing. */
static void doubt_few(const ThresholdRule *rule, double *values, const double *counts, Evaluation *ret) {
    for (size_t i = 0; i < rule->range; i++)
        if (!isnan(values[i]) && counts[i] > 0) ret->samples += counts[i];
    ret->too_few = ret->samples > 0 && ret->samples < rule->samples_min;
    for (size_t i = 0; ret->too_few && i < rule->range; i++) values[i] = NAN;
}

static void evaluate_settled(const ThresholdRule *rule, const Samples *samples, int64_t end_s,
    const EvaluationMemory *memory, double *scratch, Evaluation *ret) {
    double *values = scratch, *counts = scratch + rule->range;
    window_fill(samples, end_s, rule->period_s, rule->range, values, counts);
    if (rule->samples_min > 0 && samples->counts) doubt_few(rule, values, counts, ret);
    const bool reaches_past = end_s >= memory->early_until_s;
    ret->verdict = judge(rule, values, samples->counts ? counts : NULL, rule->range, memory->state);
    ret->held = memory->state == STATE_ALARM && ret->verdict.state != STATE_ALARM && !reaches_past;
    ret->memory = (EvaluationMemory){
        .state = ret->held ? STATE_ALARM : ret->verdict.state,
        .window_end_s = end_s,
        .early_until_s = reaches_past ? 0 : memory->early_until_s,
    };
    newest_value(rule, values, end_s, memory->state, false, ret);
    reason_write(rule, values, end_s, memory->state, ret);
}

void evaluate(const ThresholdRule *rule, const Samples *samples, int64_t end_s, int64_t settled_end_s, bool grows_only,
    const EvaluationMemory *memory, double *scratch, Evaluation *ret) {
    *ret = (Evaluation){0};
    evaluate_settled(rule, samples, end_s, memory, scratch, ret);
    if (rule->early && grows_only && end_s == settled_end_s && (ret->held || ret->memory.state != STATE_ALARM))
        evaluate_early(rule, samples, settled_end_s, memory, scratch, ret);
    ret->changed = ret->memory.state != memory->state;
}
