/* Evaluation of arbitrary windows under arbitrary rules. Holds: the state is one of three, the same input gives the
 * same result, the reason is a bounded text, a settled window decides alone where early is off. */
#include "fuzz.h"

#include "rules/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 64, RANGE_MAX = 32, START_S = 1767322800 };

typedef struct Input {
    const uint8_t *data;
    size_t left;
} Input;

static unsigned take(Input *input, unsigned below) {
    if (input->left == 0) return 0;
    input->left--;
    return *input->data++ % below;
}

/* A few values that differ in what matters, any bit pattern among them. */
static double take_value(Input *input) {
    static const double values[] = {NAN, 0, -0.0, 1, -1, 1e308, -1e308, 4.9e-324, INFINITY, -INFINITY};
    const unsigned kind = take(input, 12);
    if (kind < 10) return values[kind];
    double value = 0;
    if (input->left < sizeof value) return value;
    memcpy(&value, input->data, sizeof value);
    input->data += sizeof value;
    input->left -= sizeof value;
    return value;
}

static ThresholdRule take_rule(Input *input) {
    static const int64_t periods[] = {10, 20, 30, 60, 120, 300, 86400};
    ThresholdRule rule = {.comparison = (Comparison)take(input, 4), .missing = (MissingData)take(input, 4)};
    rule.n = 1 + take(input, RANGE_MAX);
    rule.m = 1 + take(input, (unsigned)rule.n);
    rule.range = rule.n + take(input, RANGE_MAX);
    rule.period_s = periods[take(input, 7)];
    rule.has_ok_threshold = take(input, 2);
    rule.ignore_low_samples = take(input, 2);
    rule.early = take(input, 2);
    rule.percentile_e10 = take(input, 2) ? (int64_t)take(input, 101) * 10000000000 : 0;
    rule.threshold = take_value(input);
    rule.ok_threshold = take_value(input);
    return rule;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = {data, size};
    const ThresholdRule rule = take_rule(&input);
    double values[SAMPLES_MAX], counts[SAMPLES_MAX], scratch[4 * RANGE_MAX];
    Samples samples = {(Fold)take(&input, 5), START_S, take(&input, 2) ? 60 : 10, 0, values, NULL};
    if (samples.fold != FOLD_NONE && rule.period_s % samples.step_s != 0) samples.fold = FOLD_NONE;
    if (take(&input, 2)) samples.counts = counts;
    const EvaluationMemory memory = {
        .state = (AlarmState)take(&input, 3), .early_until_s = START_S + 60 * take(&input, 64)};
    const int64_t settled_s = START_S + 10 * (int64_t)take(&input, 255),
                  end_s = settled_s - 60 * (int64_t)take(&input, 3);
    const bool grows_only = take(&input, 2);
    while (samples.count < SAMPLES_MAX && input.left) {
        counts[samples.count] = take_value(&input);
        values[samples.count++] = take_value(&input);
    }
    Evaluation first, second;
    evaluate(&rule, &samples, end_s, settled_s, grows_only, &memory, scratch, &first);
    evaluate(&rule, &samples, end_s, settled_s, grows_only, &memory, scratch, &second);
    if (first.memory.state > STATE_INSUFFICIENT_DATA || !memchr(first.reason, '\0', REASON_MAX) || !first.reason[0])
        abort();
    if (first.memory.state != second.memory.state || strcmp(first.reason, second.reason) != 0) abort();
    if (!same(first.value, second.value) || first.changed != (first.memory.state != memory.state)) abort();
    if (first.early && !(rule.early && grows_only && end_s == settled_s && first.memory.state == STATE_ALARM)) abort();
    return 0;
}
