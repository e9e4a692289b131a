/* What is remembered of each poll of a plan between its runs, over a reload, too: a source that was blind before it is
 * as blind behind it. Plain data of the poller's parts, which say what is so. Loop thread. */
#ifndef TOCSIN_ENGINE_POLL_STATE_H
#define TOCSIN_ENGINE_POLL_STATE_H

#include "base/own.h"
#include "engine/feed.h"
#include "sources/source.h"

typedef struct PollState {
    const Poll *poll; /* the plan's */
    const Source *source; /* the poll's, which outlives the plan */
    char *name; /* its cursor's: by it a poll is known again behind a reload or a restart */
    unsigned failures; /* in a row */
    bool was_tried, was_resumed;
    int64_t ok_boot_ms, ok_wall_ms, calls, end_s;
    char *error, *blind; /* of the last run: NULL, it went well; the alarms that it could not read */
    void *kept; /* of the newest run that kept something */
    Feed feed; /* of events */
} PollState;

typedef struct PollStates PollStates;

/* One a poll of this plan, by the same index; the plan is borrowed. What `take_before` remembers of the same polls goes
 * over, even where its plan is gone; NULL: there is nothing before. Caller frees. */
PollStates *poll_states_new(const Plan *plan, PollStates *take_before, int64_t boot_ms);
PollStates *poll_states_free(PollStates *states);
OWN_DEFINE(PollStates, poll_states)

size_t poll_states_count(const PollStates *states);
PollState *poll_state(PollStates *states, size_t index);
void poll_state_keep(PollState *state, void *take_kept);

#endif
