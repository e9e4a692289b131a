/* What every source's plan is made of: its polls, what they cost, and the memory behind them. For the sources alone;
 * others see source.h. */
#ifndef TOCSIN_SOURCES_PLAN_H
#define TOCSIN_SOURCES_PLAN_H

#include "base/arena.h"
#include "sources/source.h"

struct Plan {
    Arena *arena; /* polls and batches live here */
    Snapshot *snapshot; /* one reference: watches borrow their texts from it; NULL in tests */
    Poll *polls;
    size_t count, room;
    PlanCost cost;
    Plan *joined; /* plans whose polls were taken over; a chain */
    struct PlanOwned {
        void *memory;
        void (*free)(void *memory);
    } * owned; /* what is no arena's: what polls remember between runs */
    size_t owned_count;
};

Plan *plan_new(Snapshot *snapshot);
/* Copies `poll` to the end; its pointers must live as long as the plan. */
void plan_add(Plan *plan, const Poll *poll);
/* `memory` goes with the plan, by `release`. */
void plan_own(Plan *plan, void *memory, void (*release)(void *memory));
/* Takes over another plan's polls and costs. */
void plan_join(Plan *plan, Plan *take_other);
/* Adds what `billed_units` a poll cost in a month at `every_s`. */
void plan_add_cost(Plan *plan, double billed_units, double usd_a_unit, int64_t every_s);

/* An empty outcome in an arena of its own, for the receiver's poll_outcome_free(). */
PollOutcome *poll_outcome_new(size_t observations);
void poll_outcome_fail(PollOutcome *outcome, const char *why, AwsClass class); /* `why` NULL: it did not; copied */

#endif
