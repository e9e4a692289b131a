#include "alarms/hold.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

void hold_copy(Hold *into, const Hold *from) {
    *into = *from;
    into->suppressor = from->suppressor ? text_copy(from->suppressor) : NULL;
}

void hold_deinit(Hold *hold) {
    free(hold->suppressor);
    *hold = (Hold){0};
}

bool hold_holds(const Hold *hold) { return hold->flap.is_flapping || hold->suppression.is_owed; }

static bool pending_equal(const PendingMemory *a, const PendingMemory *b) {
    return a->phase == b->phase && a->active_s == b->active_s && a->is_kept == b->is_kept && a->ended_s == b->ended_s;
}

static bool suppression_equal(const SuppressionMemory *a, const SuppressionMemory *b) {
    return a->composite == b->composite && a->suppressor == b->suppressor && a->told == b->told &&
        a->is_owed == b->is_owed && a->phase == b->phase && a->due_ms == b->due_ms;
}

static bool flap_equal(const FlapMemory *a, const FlapMemory *b) {
    return a->has_begun == b->has_begun && a->is_flapping == b->is_flapping &&
        !memcmp(a->states, b->states, sizeof a->states);
}

bool hold_equal(const Hold *a, const Hold *b) {
    const bool is_pending = a->pending.phase != PENDING_INACTIVE; /* else the shown state is the judged one */
    if (a->suppressor != b->suppressor && (!a->suppressor || !b->suppressor || strcmp(a->suppressor, b->suppressor)))
        return false;
    return pending_equal(&a->pending, &b->pending) && (!is_pending || a->judged == b->judged) &&
        flap_equal(&a->flap, &b->flap) && suppression_equal(&a->suppression, &b->suppression);
}

/* --- for, keep_firing_for --- */

AlarmState hold_pend(const PendingRule *rule, Hold *hold, AlarmState shown, int64_t shown_s, int64_t now_s) {
    PendingMemory *memory = &hold->pending;
    if (!rule->for_s && !rule->keep_firing_s) {
        if (memory->phase != PENDING_INACTIVE) *memory = (PendingMemory){0};
        return hold->judged;
    }
    /* It fired before it had these keys: an edited file resets nothing. */
    if (memory->phase == PENDING_INACTIVE && shown == STATE_ALARM)
        *memory = (PendingMemory){.phase = PENDING_FIRING, .active_s = shown_s};
    switch (pending_step(rule, memory, hold->judged == STATE_ALARM, now_s)) {
    case PENDING_FIRING: return STATE_ALARM;
    case PENDING_PENDING: return shown;
    case PENDING_INACTIVE: break;
    }
    return hold->judged;
}

int64_t hold_pend_due_ms(const PendingRule *rule, const Hold *hold) {
    const PendingMemory *memory = &hold->pending;
    if (memory->phase == PENDING_INACTIVE) return INT64_MAX;
    if (!rule->for_s && !rule->keep_firing_s) return 0; /* an edited file took the keys away */
    if (memory->phase == PENDING_PENDING) return (memory->active_s + rule->for_s) * 1000;
    return memory->is_kept ? (memory->ended_s + rule->keep_firing_s) * 1000 : INT64_MAX;
}

/* --- flap --- */

FlapChange hold_flap(
    const FlapRule *rule, Hold *hold, AlarmState state, bool has_changed, int64_t period_ms, int64_t now_ms) {
    if (rule->high_percent <= 0) {
        const bool was = hold->flap.is_flapping;
        hold->flap = (FlapMemory){0};
        return was ? FLAP_STOPPED : FLAP_SAME;
    }
    const int64_t since_ms = now_ms - hold->flap_ms;
    if (!has_changed && since_ms >= 0 && since_ms < period_ms) return FLAP_SAME;
    hold->flap_ms = now_ms;
    return flap_step(rule, &hold->flap, state);
}

bool hold_flap_settles(const Hold *hold) { return hold->flap.has_begun && flap_percent(&hold->flap) > 0; }

/* --- the state file --- */

static const char letters[] = "OAI"; /* OK, ALARM, INSUFFICIENT_DATA in AlarmState's order */
_Static_assert(STATE_OK == 0 && STATE_ALARM == 1 && STATE_INSUFFICIENT_DATA == 2, "letters[] follows AlarmState");

static json_t *flap_json(const FlapMemory *flap) {
    char states[FLAP_STATES + 1] = {0};
    for (size_t i = 0; i < FLAP_STATES; i++) states[i] = letters[flap->states[i]];
    return json_pack("{s:s, s:b}", "states", states, "is_flapping", flap->is_flapping);
}

static void flap_read(FlapMemory *flap, const json_t *json) {
    const char *states = json_text(json, "states");
    if (!states || strlen(states) != FLAP_STATES || strspn(states, letters) != FLAP_STATES) return;
    for (size_t i = 0; i < FLAP_STATES; i++) flap->states[i] = (unsigned char)(strchr(letters, states[i]) - letters);
    flap->has_begun = true;
    flap->is_flapping = json_flag(json, "is_flapping", false);
}

static json_t *pending_json(const PendingMemory *pending) {
    json_t *json =
        json_pack("{s:b, s:I}", "fires", pending->phase == PENDING_FIRING, "active_s", (json_int_t)pending->active_s);
    if (pending->is_kept) json_object_set_new(json, "ended_s", json_integer(pending->ended_s));
    return json;
}

static void pending_read(PendingMemory *pending, const json_t *json, int64_t now_ms) {
    int64_t active_s;
    if (!json_whole(json, "active_s", &active_s)) return;
    *pending = (PendingMemory){
        .phase = json_flag(json, "fires", false) ? PENDING_FIRING : PENDING_PENDING, .active_s = active_s};
    pending->is_kept = pending->phase == PENDING_FIRING && json_object_get(json, "ended_s");
    if (pending->is_kept && !json_whole(json, "ended_s", &pending->ended_s)) pending->ended_s = now_ms / 1000;
}

static json_t *suppression_json(const Hold *hold) {
    const SuppressionMemory *memory = &hold->suppression;
    return json_pack("{s:o, s:s, s:s, s:s, s:b, s:i, s:I}", "by", json_safe(hold->suppressor), "composite",
        state_word(memory->composite), "suppressor", state_word(memory->suppressor), "told", state_word(memory->told),
        "is_owed", memory->is_owed, "phase", memory->phase, "due_ms", (json_int_t)memory->due_ms);
}

static bool state_read(const json_t *json, const char *key, AlarmState *ret_state) {
    const char *word = json_text(json, key);
    return word && state_parse(word, ret_state);
}

static void suppression_read(Hold *hold, const json_t *json) {
    SuppressionMemory memory = {0};
    int64_t phase, due_ms;
    const char *by = json_text(json, "by");
    if (!by || !state_read(json, "composite", &memory.composite) ||
        !state_read(json, "suppressor", &memory.suppressor) || !state_read(json, "told", &memory.told) ||
        !json_whole(json, "phase", &phase) || phase < SUPPRESSION_IDLE || phase > SUPPRESSION_EXTENDING ||
        !json_whole(json, "due_ms", &due_ms))
        return;
    memory.phase = (SuppressionPhase)phase;
    memory.is_owed = json_flag(json, "is_owed", false);
    memory.due_ms = due_ms;
    hold->suppression = memory;
    hold->suppressor = text_copy(by);
}

json_t *hold_json(const Hold *hold) {
    json_t *json = json_object();
    if (hold->pending.phase != PENDING_INACTIVE) {
        json_object_set_new(json, "judged", json_string(state_word(hold->judged)));
        json_object_set_new(json, "pending", pending_json(&hold->pending));
    }
    if (hold->flap.has_begun) json_object_set_new(json, "flap", flap_json(&hold->flap));
    if (hold->suppressor) json_object_set_new(json, "suppression", suppression_json(hold));
    if (json_object_size(json)) return json;
    json_decref(json);
    return NULL;
}

void hold_read(Hold *into, const json_t *json, AlarmState shown, int64_t now_ms) {
    *into = (Hold){.judged = shown};
    state_read(json, "judged", &into->judged);
    pending_read(&into->pending, json_map(json, "pending"), now_ms);
    flap_read(&into->flap, json_map(json, "flap"));
    suppression_read(into, json_map(json, "suppression"));
}
