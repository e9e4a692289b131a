/* daemon/engine/poll_state.c: polls by their name */
#include "engine/poll_state.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct PollStates {
    size_t count;
    PollState all[];
};

static char *cursor_name(const Poll *poll) {
    return text_format("poll/%s/%s/%s/%016" PRIx64, poll->source->name, poll->account, poll->region, poll->phase);
}

static void state_deinit(PollState *state) {
    poll_state_keep(state, NULL);
    free(state->name);
    free(state->error);
    free(state->blind);
}

static PollState *find(PollStates *states, const char *name) {
    for (size_t i = 0; i < states->count; i++)
        if (states->all[i].name && !strcmp(states->all[i].name, name)) return &states->all[i];
    return NULL;
}

static PollState state_of(const Poll *poll, PollStates *before, int64_t boot_ms) {
    OWN(text) char *name = cursor_name(poll);
    PollState *old = before ? find(before, name) : NULL;
    PollState state = {.name = old ? NULL : GIVE(name), .ok_boot_ms = boot_ms};
    if (old) {
        state = *old;
        *old = (PollState){0}; /* what is left there is nobody's */
    }
    state.poll = poll;
    state.source = poll->source;
    return state;
}

PollStates *poll_states_new(const Plan *plan, PollStates *take_before, int64_t boot_ms) {
    OWN(poll_states) PollStates *before = take_before;
    const size_t count = plan_count(plan);
    PollStates *states = alloc_zeroed(1, sizeof *states + count * sizeof *states->all);
    states->count = count;
    for (size_t i = 0; i < count; i++) states->all[i] = state_of(plan_poll(plan, i), before, boot_ms);
    return states;
}

PollStates *poll_states_free(PollStates *states) {
    if (!states) return NULL;
    for (size_t i = 0; i < states->count; i++) state_deinit(&states->all[i]);
    free(states);
    return NULL;
}

size_t poll_states_count(const PollStates *states) { return states->count; }
PollState *poll_state(PollStates *states, size_t index) { return &states->all[index]; }

void poll_state_keep(PollState *state, void *take_kept) {
    if (state->kept) state->source->kept_free(state->kept);
    state->kept = take_kept;
}
