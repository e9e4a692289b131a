/* daemon/sources/cloudtrail_plan.c: one poll an account and region, for all that watch events there */
#include "sources/cloudtrail.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "sources/plan.h"
#include "sources/poll_section.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct EventRules {
    atomic_size_t references;
    Snapshot *snapshot; /* set, selectors and texts are its own; NULL in tests */
    const SigmaSet *set;
    EventReader *readers; /* by rule */
    size_t count;
};

static int by_rule(const void *a, const void *b) {
    const EventReader *left = a, *right = b;
    if (left->rule != right->rule) return left->rule < right->rule ? -1 : 1;
    return (left->watch > right->watch) - (left->watch < right->watch);
}

static EventRules *event_rules_new(Snapshot *snapshot, const Watch *watches, size_t count) {
    EventRules *rules = alloc_zeroed(1, sizeof *rules);
    size_t room = 0;
    for (size_t i = 0; i < count; i++) room += ((const EventSelector *)watches[i].selector)->part_count;
    atomic_init(&rules->references, 1);
    rules->snapshot = snapshot_ref(snapshot);
    rules->set = ((const EventSelector *)watches[0].selector)->set;
    rules->readers = alloc_zeroed(room + 1, sizeof *rules->readers);
    for (size_t i = 0; i < count; i++) {
        const EventSelector *selector = watches[i].selector;
        for (uint32_t part = 0; part < selector->part_count; part++)
            rules->readers[rules->count++] =
                (EventReader){selector->parts[part].rule, part, watches[i].index, selector};
    }
    qsort(rules->readers, rules->count, sizeof *rules->readers, by_rule);
    return rules;
}

EventRules *event_rules_ref(EventRules *rules) {
    atomic_fetch_add(&rules->references, 1);
    return rules;
}

EventRules *event_rules_free(EventRules *rules) {
    if (!rules || atomic_fetch_sub(&rules->references, 1) > 1) return NULL;
    snapshot_free(rules->snapshot);
    free(rules->readers);
    free(rules);
    return NULL;
}

const SigmaSet *event_rules_set(const EventRules *rules) { return rules->set; }

size_t event_rules_readers(const EventRules *rules, uint32_t rule, const EventReader **ret_readers) {
    size_t low = 0, high = rules->count, count = 0;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (rules->readers[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_readers = rules->readers + low;
    while (low + count < rules->count && rules->readers[low + count].rule == rule) count++;
    return count;
}

/* --- one poll --- */

static bool any_reads(const EventRules *rules) {
    for (size_t i = 0; i < rules->count; i++)
        if (sigma_rule_reads(rules->set, rules->readers[i].rule)) return true;
    return false;
}

static void rules_release(void *rules) { event_rules_free(rules); }

static void memory_release(void *memory_) {
    EventMemory *memory = memory_;
    event_log_free(memory->log);
    free(memory);
}

static EventMemory *memory_new(Plan *plan) {
    EventMemory *memory = alloc_zeroed(1, sizeof *memory);
    memory->log = event_log_new();
    memory->lag_s = -1;
    plan_own(plan, memory, memory_release);
    return memory;
}

static int64_t shortest_s(const Watch *watches, size_t count, int64_t every_s) {
    int64_t shortest = every_s;
    for (size_t i = 0; i < count; i++)
        if (watches[i].every_s && watches[i].every_s < shortest) shortest = watches[i].every_s;
    return shortest;
}

/* What stands in the section where there is none: tests. */
static const PollSection *poll_keys(Snapshot *snapshot) {
    static const PollSection fallback = {
        .cloudtrail = {.every_s = 60, .overlap_s = 1800, .lookback_s = 3600, .read_events = READ_EVENTS_AUTO}};
    return snapshot ? snapshot_section(snapshot, &poll_section) : &fallback;
}

/* `watches`: all of one account and region. */
static void add_poll(Plan *plan, Snapshot *snapshot, const Watch *watches, size_t count) {
    const PollSection *keys = poll_keys(snapshot);
    EventBatch *batch = arena_alloc(plan->arena, 1, sizeof *batch);
    size_t *indices = arena_alloc(plan->arena, count, sizeof *indices);
    for (size_t i = 0; i < count; i++) indices[i] = watches[i].index;
    batch->rules = event_rules_new(snapshot, watches, count);
    plan_own(plan, batch->rules, rules_release);
    batch->memory = memory_new(plan);
    batch->overlap_s = keys->cloudtrail.overlap_s;
    batch->lookback_s = keys->cloudtrail.lookback_s;
    batch->writes_only = keys->cloudtrail.read_events == READ_EVENTS_AUTO
        ? !any_reads(batch->rules)
        : keys->cloudtrail.read_events == READ_EVENTS_NO;
    batch->cursor = arena_format(plan->arena, "cloudtrail/%s/%s", watches[0].account, watches[0].region);
    plan_add(plan,
        &(Poll){.source = &cloudtrail_source,
            .account = watches[0].account,
            .region = watches[0].region,
            .api = "LookupEvents",
            .every_s = shortest_s(watches, count, keys->cloudtrail.every_s),
            .phase = stable_hash(batch->cursor),
            .watches = indices,
            .watch_count = count,
            .batch = batch});
}

static int by_place(const void *a, const void *b) {
    const Watch *left = a, *right = b;
    int order = strcmp(left->account, right->account);
    if (!order) order = strcmp(left->region, right->region);
    return order ? order : (left->index > right->index) - (left->index < right->index);
}

Plan *event_plan(Snapshot *snapshot, const Watch *watches, size_t count) {
    Plan *plan = plan_new(snapshot);
    Watch *sorted = alloc_zeroed(count + 1, sizeof *sorted);
    if (count) memcpy(sorted, watches, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_place);
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && strcmp(sorted[end].account, sorted[start].account) == 0 &&
             strcmp(sorted[end].region, sorted[start].region) == 0;)
            end++;
        add_poll(plan, snapshot, sorted + start, end - start);
    }
    free(sorted);
    return plan;
}
