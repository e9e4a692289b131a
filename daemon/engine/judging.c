/* daemon/engine/judging.c: one outcome, one batch */
#include "engine/judging.h"

#include "base/alloc.h"
#include "base/json.h"
#include "engine/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct Judging {
    Core *core;
    Backlog *backlog;
    Events *events;
    json_t *resume; /* cursor name -> UTC seconds of its last success */
    Watched *watched;
    PollStates *states;
    Health *health;

    /* The run that is judged now. */
    PollOutcome *outcome; /* NULL: none is */
    size_t index, judged; /* judged: how many of its observations */
    int64_t now_ms; /* AWS's, when it began */
    Batch *batch;
};

Judging *judging_new(Core *core, Backlog *backlog) {
    Judging *judging = alloc_zeroed(1, sizeof *judging);
    *judging = (Judging){.core = core, .backlog = backlog, .events = events_new(core), .resume = json_object()};
    return judging;
}

Judging *judging_free(Judging *judging) {
    if (!judging) return NULL;
    json_decref(judging->resume);
    events_free(judging->events);
    free(judging);
    return NULL;
}

void judging_configure(Judging *judging, Watched *watched, PollStates *states, Health *health) {
    judging->watched = watched;
    judging->states = states;
    judging->health = health;
    size_t count;
    const Watch *watches = watched_all(watched, &count);
    events_configure(judging->events, watched_series(watched), watches, count);
}

/* --- cursors --- */

void judging_resume(Judging *judging, const StoreLoad *load) {
    for (size_t i = 0; i < load->cursor_count; i++) {
        const CursorRow *row = &load->cursors[i];
        if (strncmp(row->name, "poll/", 5) || !row->value_json) continue;
        OWN(json) json_t *value = json_read(row->value_json, strlen(row->value_json), NULL);
        int64_t at_s;
        if (json_whole(value, "at_s", &at_s)) json_object_set_new(judging->resume, row->name, json_integer(at_s));
    }
    events_load(judging->events, load);
}

int64_t judging_resumed_s(const Judging *judging) {
    int64_t newest_s = 0;
    const char *name;
    json_t *at_s;
    json_object_foreach(judging->resume, name, at_s)
        if (json_integer_value(at_s) > newest_s) newest_s = json_integer_value(at_s);
    return newest_s;
}

/* The settled window end that this poll had judged when it last went well: as far behind its time as today's is. */
static int64_t resume_end_s(
    const Judging *judging, const PollState *state, const Observation *seen, const ThresholdRule *rule, int64_t now_s) {
    if (state->was_resumed) return 0;
    int64_t at_s;
    if (!json_whole(judging->resume, state->name, &at_s)) return 0;
    return evaluation_end_s(rule, at_s, now_s - seen->settled_end_s);
}

static void move_cursor(Batch *batch, const PollState *state, int64_t now_ms) {
    char value[64];
    snprintf(value, sizeof value, "{\"at_s\":%" PRId64 "}", now_ms / 1000);
    batch_cursor(batch, state->name, value);
}

/* --- what came back --- */

static void add_links(InstanceChange *change) {
    Instance *after = &change->after;
    const Alarm *alarm = after->alarm;
    free(after->facts.console_url);
    after->facts.console_url = NULL; /* instance_link() makes it */
    OWN(text) char *what = alarm->source->describe(alarm->selector, &alarm->rule);
    instance_facts_name(&after->facts, what);
}

static void judge_observation(Judging *judging, PollState *state, const Observation *seen) {
    const int64_t now_ms = judging->now_ms;
    Instance *instance = watched_instance(judging->watched, seen, now_ms);
    if (!instance) return;
    InstanceChange *change = change_new(instance);
    if (seen->error) {
        change_error(change, seen->error);
    } else {
        change_observe(change, seen, resume_end_s(judging, state, seen, &instance->alarm->rule, now_ms / 1000), now_ms);
        if (seen->settled_end_s > state->end_s) state->end_s = seen->settled_end_s;
    }
    if (change->transition_count) add_links(change);
    batch_add(judging->batch, change);
}

static void judge_events(Judging *judging, PollState *state) {
    const PollOutcome *outcome = judging->outcome;
    events_judge(judging->events, state->poll, outcome, judging->now_ms, judging->batch);
    if (!outcome->failed) health_look_at_events(judging->health, judging->index, outcome, judging->now_ms);
    if (outcome->lag_s >= 0) state->end_s = judging->now_ms / 1000 - outcome->lag_s;
}

void judging_begin(Judging *judging, size_t index, PollOutcome *take_outcome) {
    judging->outcome = take_outcome;
    judging->index = index;
    judging->judged = 0;
    judging->now_ms = take_outcome->now_ms ? take_outcome->now_ms : aws_now_ms(judging->core->aws);
    judging->batch = batch_new(judging->backlog);
    if (take_outcome->scope) judge_events(judging, poll_state(judging->states, index));
}

/* What the run says of the source, and of what it did not see. */
static void conclude(Judging *judging, PollState *state) {
    PollOutcome *outcome = GIVE(judging->outcome);
    const bool went_well = health_record(judging->health, judging->index, outcome);
    if (outcome->kept) poll_state_keep(state, outcome->kept);
    if (outcome->failed)
        watched_blind(judging->watched, state->poll, outcome);
    else if (outcome->is_complete)
        watched_close(judging->watched, state->poll, outcome, judging->now_ms, judging->batch);
    if (went_well) move_cursor(judging->batch, state, judging->now_ms);
    poll_outcome_free(outcome);
    health_look(judging->health, judging->index);
}

Batch *judging_go_on(Judging *judging) {
    const PollOutcome *outcome = judging->outcome;
    PollState *state = poll_state(judging->states, judging->index);
    const size_t left = outcome->count - judging->judged;
    const size_t end = judging->judged + (left < JUDGED_AT_ONCE ? left : JUDGED_AT_ONCE);
    while (judging->judged < end) judge_observation(judging, state, &outcome->observations[judging->judged++]);
    if (judging->judged < outcome->count) return NULL;
    conclude(judging, state);
    return GIVE(judging->batch);
}

PollOutcome *judging_abandon(Judging *judging) {
    judging->batch = batch_free(judging->batch);
    return GIVE(judging->outcome);
}

void judging_committed(Judging *judging, size_t index) {
    PollState *state = poll_state(judging->states, index);
    state->was_resumed = state->was_resumed || !state->failures;
}
