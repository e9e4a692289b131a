/* daemon/control/calls_people.c: what people do about alerts: silences and acknowledgements */
#include "control/calls.h"

#include "base/alloc.h"
#include "base/json.h"
#include "control/route_view.h"

#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 256 * 1024 }; /* of a body that is read on the loop */

/* The body as an object; NULL: it was answered. Caller decrefs. */
static json_t *read_body(const Call *call) {
    Error err = {0};
    if (call->body_length > READ_BYTES) {
        answer_error(call->answer, 413, "too_large", "the body may have %d bytes here", READ_BYTES);
        return NULL;
    }
    json_t *object = json_read(call->body ? call->body : "", call->body_length, &err);
    if (json_is_object(object)) return object;
    json_decref(object);
    answer_error(call->answer, 400, "bad_request", "the body must be a JSON object%s%s", object ? "" : ": ",
        object ? "" : err.text);
    return NULL;
}

/* Who says nothing of himself is his user's number: names are not looked up on the loop. */
static void name_author(json_t *object, const char *key, uid_t uid) {
    const json_t *given = json_object_get(object, key);
    if (given && !json_is_null(given) && !(json_is_string(given) && !*json_string_value(given))) return;
    OWN(text) char *name = text_format("uid %lld", (long long)uid);
    json_object_set_new(object, key, json_string(name));
}

/* --- routes --- */

static bool read_labels(const Target *target, Label *pairs, char **room, size_t *ret_count, Error *err) {
    *ret_count = 0;
    for (size_t i = 0; i < target->parameter_count; i++) {
        const Parameter *parameter = &target->parameters[i];
        if (strcmp(parameter->name, "label") != 0) continue;
        const char *equals = strchr(parameter->value, '=');
        if (!equals || equals == parameter->value)
            return error_set(err, ERROR_INPUT, "label cannot be `%.80s` (name=value)", parameter->value);
        char *name = text_copy_length(parameter->value, (size_t)(equals - parameter->value));
        room[*ret_count] = name;
        pairs[(*ret_count)++] = (Label){name, equals + 1};
        if (!label_name_ok(name))
            return error_set(err, ERROR_INPUT, "`%.80s` is no label's name (letters, digits and `_`)", name);
    }
    return true;
}

void call_routes(const Call *call) {
    Error err = {0};
    Label pairs[TARGET_PARAMETERS];
    char *room[TARGET_PARAMETERS];
    size_t count = 0;
    int64_t at_ms = clock_wall_ms(engine_clock(call->engine));
    const bool is_good =
        read_labels(call->target, pairs, room, &count, &err) && target_time(call->target, "at", &at_ms, &err);
    OWN(labels) Labels *labels = labels_new(pairs, is_good ? count : 0);
    for (size_t i = 0; i < count; i++) free(room[i]);
    if (!is_good) return answer_error(call->answer, 400, "bad_request", "%s", err.text);
    if (count)
        return answer_json(call->answer, 200,
            json_pack("{s:o, s:o, s:o}", "at", json_time(at_ms), "labels", labels_json(labels), "ways",
                view_ways(call->engine, labels, at_ms)));
    const RouteSection *routes = engine_routes(call->engine);
    answer_json(call->answer, 200,
        json_pack(
            "{s:o}", "route", routes->is_given && routes->root.receiver ? view_route(&routes->root) : json_null()));
}

/* --- silences --- */

void call_silences(const Call *call) {
    Error err = {0};
    int64_t limit;
    const char *after = target_parameter(call->target, "after"), *last = NULL;
    if (!target_limit(call->target, &limit, &err))
        return answer_error(call->answer, 400, "bad_request", "%s", err.text);
    const Silences *all = mutes_silences(engine_mutes(call->engine));
    const int64_t now_ms = clock_wall_ms(engine_clock(call->engine));
    json_t *rows = json_array();
    size_t i = 0;
    while (after && i < silences_count(all) && strcmp(silences_at(all, i)->id, after) != 0) i++;
    for (i += after != NULL; i < silences_count(all) && (int64_t)json_array_size(rows) < limit; i++) {
        last = silences_at(all, i)->id;
        json_array_append_new(rows, silence_json(silences_at(all, i), now_ms));
    }
    answer_json(call->answer, 200,
        json_pack(
            "{s:o, s:o}", "silences", rows, "next", last && i < silences_count(all) ? json_safe(last) : json_null()));
}

/* A change's answer, when it is committed. */
typedef struct SilenceAsked {
    Answer *answer;
    Engine *engine;
} SilenceAsked;

static bool refused(Answer *answer, EngineOutcome outcome, const char *said) {
    switch (outcome) {
    case ENGINE_DONE: return false;
    case ENGINE_NOT_FOUND: return answer_error(answer, 404, "not_found", "%s", said), true;
    case ENGINE_WRONG_STATE: return answer_error(answer, 409, "wrong_state", "%s", said), true;
    case ENGINE_STORE_FULL:
        return answer_error(
                   answer, 503, "state_full", "the state could not be written: nothing has changed (free some room)"),
               true;
    }
    return false;
}

/* How many of the instances that there are it speaks of: none and all are what nobody means. */
static size_t count_matching(Engine *engine, const Silence *silence) {
    size_t count = 0;
    Instances *all = engine_instances(engine);
    for (Instance *i = instances_next(all, NULL); i; i = instances_next(all, i))
        count += matchers_match(silence->matchers, i->labels, NULL);
    return count;
}

static void silenced(void *ctx, EngineOutcome outcome, const char *said) {
    const SilenceAsked asked = *(SilenceAsked *)ctx;
    free(ctx);
    if (refused(asked.answer, outcome, said)) return;
    const Silence *made = silences_find(mutes_silences(engine_mutes(asked.engine)), said);
    const size_t matched = made ? count_matching(asked.engine, made) : 0;
    answer_json(asked.answer, 200,
        json_pack("{s:o, s:I, s:I}", "silenceID", json_safe(said), "matched", (json_int_t)matched, "instances",
            (json_int_t)instances_count(engine_instances(asked.engine))));
}

static SilenceAsked *asked_new(const Call *call) {
    SilenceAsked *asked = alloc_zeroed(1, sizeof *asked);
    *asked = (SilenceAsked){call->answer, call->engine};
    return asked;
}

void call_silence_post(const Call *call) {
    Error err = {0};
    OWN(json) json_t *object = read_body(call);
    if (!object) return;
    name_author(object, "createdBy", call->uid);
    Silence *posted = silence_read(object, clock_wall_ms(engine_clock(call->engine)), &err);
    if (!posted) return answer_error(call->answer, 400, "bad_request", "%s", err.text);
    engine_silence_post(call->engine, posted, silenced, asked_new(call));
}

void call_silence_expire(const Call *call) {
    engine_silence_expire(call->engine, call->name, silenced, asked_new(call));
}

/* --- acknowledgements --- */

typedef struct AckAsked {
    Answer *answer;
    json_t *made; /* NULL: it is taken back */
} AckAsked;

static void acknowledged(void *ctx, EngineOutcome outcome) {
    const AckAsked asked = *(AckAsked *)ctx;
    free(ctx);
    const char *said = outcome == ENGINE_NOT_FOUND ? "there is no alarm of this fingerprint" : "it is not acknowledged";
    if (!refused(asked.answer, outcome, said))
        answer_json(asked.answer, 200, asked.made ? json_incref(asked.made) : json_pack("{s:b}", "ok", true));
    json_decref(asked.made);
}

static AckAsked *ack_asked_new(const Call *call, json_t *take_made) {
    AckAsked *asked = alloc_zeroed(1, sizeof *asked);
    *asked = (AckAsked){call->answer, take_made};
    return asked;
}

void call_acknowledge(const Call *call) {
    Error err = {0};
    const Instance *instance = instance_find(engine_instances(call->engine), call->name);
    if (!instance)
        return answer_error(call->answer, 404, "not_found", "there is no alarm of the fingerprint `%.80s`", call->name);
    if (!instance_is_firing(instance))
        return answer_error(call->answer, 409, "wrong_state", "`%.255s` does not fire", instance->name);
    OWN(json) json_t *object = read_body(call);
    if (!object) return;
    name_author(object, "by", call->uid);
    Ack *ack = ack_read(object, instance, clock_wall_ms(engine_clock(call->engine)), &err);
    if (!ack) return answer_error(call->answer, 400, "bad_request", "%s", err.text);
    engine_acknowledge(call->engine, ack, acknowledged, ack_asked_new(call, ack_json(ack)));
}

void call_unacknowledge(const Call *call) {
    engine_unacknowledge(call->engine, call->name, acknowledged, ack_asked_new(call, NULL));
}
