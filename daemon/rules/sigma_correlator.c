#include "rules/sigma_correlator.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/labels.h"

#include <stdlib.h>
#include <string.h>

/* A rule as a part of a correlation. */
typedef struct Use {
    uint32_t correlation;
    size_t part;
} Use;

struct SigmaCorrelator {
    const SigmaSet *set;
    EventWindow **windows; /* by number; NULL: no correlation */
    Use **uses; /* by number */
    size_t *use_counts;
    SigmaFired *fired;
    char **groups; /* parallel to fired */
    size_t fired_count;
};

static WindowRule rule_of(const SigmaCorrelation *correlation, int64_t late_s) {
    static const WindowMode modes[] = {[CORRELATE_EVENT_COUNT] = WINDOW_EVENTS,
        [CORRELATE_VALUE_COUNT] = WINDOW_VALUES,
        [CORRELATE_TEMPORAL] = WINDOW_KINDS,
        [CORRELATE_ORDERED] = WINDOW_ORDERED};
    return (WindowRule){.mode = modes[correlation->kind],
        .kinds = correlation->rule_count,
        .span_s = correlation->timespan_s,
        .keep_s = correlation->timespan_s + late_s,
        .condition = correlation->condition};
}

static void use_add(SigmaCorrelator *correlator, uint32_t rule, Use use) {
    Use **uses = &correlator->uses[rule];
    *uses = alloc_again(*uses, correlator->use_counts[rule] + 1, sizeof **uses);
    (*uses)[correlator->use_counts[rule]++] = use;
}

SigmaCorrelator *sigma_correlator_new(const SigmaSet *set, int64_t late_s) {
    const size_t count = sigma_set_count(set);
    SigmaCorrelator *correlator = alloc_zeroed(1, sizeof *correlator);
    correlator->set = set;
    correlator->windows = alloc_zeroed(count + 1, sizeof *correlator->windows);
    correlator->uses = alloc_zeroed(count + 1, sizeof *correlator->uses);
    correlator->use_counts = alloc_zeroed(count + 1, sizeof *correlator->use_counts);
    for (uint32_t number = 0; number < count; number++) {
        const SigmaCorrelation *correlation = sigma_set_rule(set, number)->correlation;
        if (!correlation) continue;
        const WindowRule rule = rule_of(correlation, late_s);
        correlator->windows[number] = event_window_new(&rule);
        for (size_t part = 0; part < correlation->rule_count; part++)
            use_add(correlator, correlation->rules[part], (Use){number, part});
    }
    return correlator;
}

static void forget_fired(SigmaCorrelator *correlator) {
    for (size_t i = 0; i < correlator->fired_count; i++) free(correlator->groups[i]);
    correlator->fired_count = 0;
}

SigmaCorrelator *sigma_correlator_free(SigmaCorrelator *correlator) {
    if (!correlator) return NULL;
    forget_fired(correlator);
    for (size_t i = 0; i < sigma_set_count(correlator->set); i++) {
        event_window_free(correlator->windows[i]);
        free(correlator->uses[i]);
    }
    free(correlator->windows);
    free(correlator->uses);
    free(correlator->use_counts);
    free(correlator->fired);
    free(correlator->groups);
    free(correlator);
    return NULL;
}

char *sigma_correlation_group(const SigmaCorrelation *correlation, size_t part, const json_t *event) {
    OWN(buffer) Buffer key = BUFFER(SIZE_MAX / 4);
    char text[LABEL_VALUE_MAX];
    for (size_t i = 0; i < correlation->group_count; i++) {
        const char *field = correlation->group_fields[part * correlation->group_count + i];
        if (i) buffer_text(&key, "\x1f");
        buffer_text(&key, sigma_event_text(event, field, text, sizeof text));
    }
    return buffer_take(&key);
}

static bool has_fired(const SigmaCorrelator *correlator, uint32_t number) {
    for (size_t i = 0; i < correlator->fired_count; i++)
        if (correlator->fired[i].number == number) return true;
    return false;
}

static void fire(SigmaCorrelator *correlator, uint32_t number, char *take_group, int64_t count) {
    const size_t at = correlator->fired_count++;
    correlator->fired = alloc_again(correlator->fired, at + 1, sizeof *correlator->fired);
    correlator->groups = alloc_again(correlator->groups, at + 1, sizeof *correlator->groups);
    correlator->groups[at] = take_group;
    correlator->fired[at] = (SigmaFired){number, take_group, count};
}

static void feed_one(SigmaCorrelator *correlator, Use use, const json_t *event, int64_t time_ms, const char *id) {
    const SigmaCorrelation *correlation = sigma_set_rule(correlator->set, use.correlation)->correlation;
    EventWindow *window = correlator->windows[use.correlation];
    OWN(text) char *group = sigma_correlation_group(correlation, use.part, event);
    char value[LABEL_VALUE_MAX];
    const char *counted = correlation->field ? sigma_event_text(event, correlation->field, value, sizeof value) : NULL;
    int64_t count = 0;
    if (correlation->field && !*counted) return; /* an event without the field has no value to count */
    const size_t kind = correlation->kind >= CORRELATE_TEMPORAL ? use.part : 0; /* else one event counts once */
    if (event_window_add(window, group, time_ms, kind, id, counted) != WINDOW_ADDED) return;
    if (count_is_absence(&correlation->condition) || has_fired(correlator, use.correlation)) return;
    if (event_window_meets(window, group, time_ms, kind, id, &count))
        fire(correlator, use.correlation, GIVE(group), count);
}

/* What fires counts in the chain behind it, as an event of the same id and time. A chain has no circle. */
size_t sigma_correlator_feed(SigmaCorrelator *correlator, const json_t *event, int64_t time_ms, const char *id,
    const uint32_t *numbers, size_t count, const SigmaFired **ret_fired) {
    forget_fired(correlator);
    for (size_t i = 0; i < count + correlator->fired_count; i++) {
        const uint32_t number = i < count ? numbers[i] : correlator->fired[i - count].number;
        for (size_t u = 0; u < correlator->use_counts[number]; u++)
            feed_one(correlator, correlator->uses[number][u], event, time_ms, id);
    }
    *ret_fired = correlator->fired;
    return correlator->fired_count;
}

void sigma_correlator_prune(SigmaCorrelator *correlator, int64_t now_ms) {
    for (size_t i = 0; i < sigma_set_count(correlator->set); i++)
        if (correlator->windows[i]) event_window_prune(correlator->windows[i], now_ms);
}

EventWindow *sigma_correlator_window(SigmaCorrelator *correlator, uint32_t number) {
    return correlator->windows[number];
}
