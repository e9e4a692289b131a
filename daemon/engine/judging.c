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

static void judge_observation(
    Judging *judging, PollState *state, const Observation *seen, int64_t now_ms, Batch *batch) {
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
    batch_add(batch, change);
}

static void judge_events(Judging *judging, size_t index, const PollOutcome *outcome, int64_t now_ms, Batch *batch) {
    PollState *state = poll_state(judging->states, index);
    events_judge(judging->events, state->poll, outcome, now_ms, batch);
    if (!outcome->failed) health_look_at_events(judging->health, index, outcome, now_ms);
    if (outcome->lag_s >= 0) state->end_s = now_ms / 1000 - outcome->lag_s;
}

Batch *judging_judge(Judging *judging, size_t index, PollOutcome *take_outcome) {
    PollState *state = poll_state(judging->states, index);
    const int64_t now_ms = take_outcome->now_ms ? take_outcome->now_ms : aws_now_ms(judging->core->aws);
    Batch *batch = batch_new(judging->backlog);
    if (take_outcome->scope) judge_events(judging, index, take_outcome, now_ms, batch);
    for (size_t i = 0; i < take_outcome->count; i++)
        judge_observation(judging, state, &take_outcome->observations[i], now_ms, batch);
    const bool went_well = health_record(judging->health, index, take_outcome);
    if (take_outcome->kept) poll_state_keep(state, take_outcome->kept);
    if (take_outcome->failed)
        watched_blind(judging->watched, state->poll, take_outcome);
    else if (take_outcome->is_complete)
        watched_close(judging->watched, state->poll, take_outcome, now_ms, batch);
    if (went_well) move_cursor(batch, state, now_ms);
    poll_outcome_free(take_outcome);
    health_look(judging->health, index);
    return batch;
}

void judging_committed(Judging *judging, size_t index) {
    PollState *state = poll_state(judging->states, index);
    state->was_resumed = state->was_resumed || !state->failures;
}
