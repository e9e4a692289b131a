/* Prometheus' `for` and `keep_firing_for`: a condition fires when it has held for so long, and goes on for so long
 * after it has ended. Pure: time is passed in, the memory is a plain struct that can be stored. An evaluation that
 * failed is not told to it: nothing changes then. With M of N, the condition is its result. Source: Prometheus
 * documentation, "Alerting rules". */
#ifndef TOCSIN_RULES_PENDING_H
#define TOCSIN_RULES_PENDING_H

#include <stdbool.h>
#include <stdint.h>

enum { PENDING_GRACE_S = 600 }; /* what a restart leaves of a `for` that is no shorter */

typedef struct PendingRule {
    int64_t for_s, keep_firing_s; /* from 0 on */
} PendingRule;

typedef enum { PENDING_INACTIVE, PENDING_PENDING, PENDING_FIRING } PendingPhase;

/* Zero is inactive. */
typedef struct PendingMemory {
    PendingPhase phase;
    int64_t active_s; /* pending and firing: since when the condition holds */
    bool is_kept; /* firing, though the condition has ended */
    int64_t ended_s; /* is_kept: when that was seen */
} PendingMemory;

/* Takes in one evaluation. A clock that was set back shortens no wait and lengthens none by more than the step back. */
PendingPhase pending_step(const PendingRule *rule, PendingMemory *memory, bool condition, int64_t now_s);
/* After a restart: the time from `down_s`, when evaluation ended, to `now_s` does not count for `for`, and at least
 * PENDING_GRACE_S of one that is no shorter are left. */
void pending_resume(const PendingRule *rule, PendingMemory *memory, int64_t down_s, int64_t now_s);

#endif
