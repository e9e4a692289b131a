#include "sources/plan.h"

#include "base/alloc.h"

enum { MONTH_S = 2628000 }; /* a twelfth of 365 days */

Plan *plan_new(Snapshot *snapshot) {
    Plan *plan = alloc_zeroed(1, sizeof *plan);
    plan->arena = arena_new();
    plan->snapshot = snapshot ? snapshot_ref(snapshot) : NULL;
    return plan;
}

Plan *plan_free(Plan *plan) {
    if (!plan) return NULL;
    for (size_t i = 0; i < plan->owned_count; i++) plan->owned[i].free(plan->owned[i].memory);
    free(plan->owned);
    free(plan->polls);
    arena_free(plan->arena);
    snapshot_free(plan->snapshot);
    plan_free(plan->joined);
    free(plan);
    return NULL;
}

void plan_add(Plan *plan, const Poll *poll) {
    if (plan->count == plan->room) {
        plan->room = plan->room ? 2 * plan->room : 8;
        plan->polls = alloc_again(plan->polls, plan->room, sizeof *plan->polls);
    }
    plan->polls[plan->count++] = *poll;
}

void plan_own(Plan *plan, void *memory, void (*release)(void *memory)) {
    plan->owned = alloc_again(plan->owned, plan->owned_count + 1, sizeof *plan->owned);
    plan->owned[plan->owned_count++] = (struct PlanOwned){memory, release};
}

void plan_join(Plan *plan, Plan *take_other) {
    for (size_t i = 0; i < take_other->count; i++) plan_add(plan, &take_other->polls[i]);
    plan->cost.billed_units_month += take_other->cost.billed_units_month;
    plan->cost.usd_month += take_other->cost.usd_month;
    Plan **last = &plan->joined;
    while (*last) last = &(*last)->joined;
    *last = take_other;
}

void plan_add_cost(Plan *plan, double billed_units, double usd_a_unit, int64_t every_s) {
    const double units = billed_units * MONTH_S / (double)every_s;
    plan->cost.billed_units_month += units;
    plan->cost.usd_month += units * usd_a_unit;
}

const Poll *plan_poll(const Plan *plan, size_t index) { return &plan->polls[index]; }
size_t plan_count(const Plan *plan) { return plan->count; }
PlanCost plan_cost(const Plan *plan) { return plan->cost; }

PollOutcome *poll_outcome_new(size_t observations) {
    Arena *arena = arena_new();
    PollOutcome *outcome = arena_alloc(arena, 1, sizeof *outcome);
    outcome->arena = arena;
    outcome->observations = arena_alloc(arena, observations ? observations : 1, sizeof *outcome->observations);
    return outcome;
}

void poll_outcome_fail(PollOutcome *outcome, const char *why, AwsClass class) {
    if (!why) return;
    outcome->failed = true;
    outcome->error = arena_text(outcome->arena, why);
    outcome->error_class = class;
}

void poll_outcome_free(PollOutcome *outcome) {
    if (!outcome) return;
    for (size_t i = 0; i < outcome->count; i++) {
        labels_free(outcome->observations[i].labels);
        labels_free(outcome->observations[i].notes);
    }
    for (size_t i = 0; i < outcome->match_count; i++) labels_free(outcome->matches[i].group);
    arena_free(outcome->arena); /* the outcome itself lives there */
}
