/* daemon/control/calls_alertmanager.c: the reading calls of Alertmanager's API v2; an error is a JSON text, as there */
#include "control/calls.h"

#include "base/alloc.h"
#include "base/json.h"
#include "control/alertmanager_view.h"

#include <string.h>

static void answer_wrong(const Call *call, unsigned status, const char *text) {
    answer_json(call->answer, status, json_safe(text));
}

static const RouteSection *routes_of(const Call *call) {
    return snapshot_section(engine_snapshot(call->engine), &route_section);
}

static const ReceiversSection *receivers_of(const Call *call) {
    return snapshot_section(engine_snapshot(call->engine), &receivers_section);
}

/* Every `filter` of the call. NULL: it was answered. Caller frees. */
static Matchers *read_filter(const Call *call) {
    OWN(matchers) Matchers *filter = matchers_new();
    for (size_t i = 0; i < call->target->parameter_count; i++) {
        const Parameter *parameter = &call->target->parameters[i];
        Fault fault = {0};
        if (strcmp(parameter->name, "filter") || matchers_add_text(filter, parameter->value, &fault)) continue;
        OWN(text)
        char *text = text_format("bad matcher format: %s, at character %zu of `%.*s` (%s)", fault.what, fault.column,
            fault_shown(parameter->value, strlen(parameter->value)), parameter->value, fault.remedy);
        return answer_wrong(call, 400, text), NULL;
    }
    return GIVE(filter);
}

static bool read_flag(const Call *call, const char *name, bool *ret_value) {
    const char *word = target_parameter(call->target, name);
    *ret_value = !word || !strcmp(word, "true");
    if (!word || !strcmp(word, "true") || !strcmp(word, "false")) return true;
    OWN(text) char *text = text_format("%s cannot be `%.40s` (true or false)", name, word);
    return answer_wrong(call, 400, text), false;
}

/* `receiver`, an expression for the whole name, as a matcher of that name. */
static bool read_receiver(const Call *call, Matchers *into) {
    const char *expression = target_parameter(call->target, "receiver");
    Fault fault = {0};
    if (!expression || !*expression ||
        matchers_add(into, &(Matcher){"receiver", expression, .is_regex = true, .is_equal = true}, &fault))
        return true;
    OWN(text) char *text = text_format("failed to parse receiver param: %s", fault.what);
    return answer_wrong(call, 400, text), false;
}

typedef json_t *Listed(Engine *engine, const RouteSection *routes, const AmChoice *choice);

static void answer_alerts(const Call *call, Listed *listed) {
    OWN(matchers) Matchers *filter = read_filter(call), *receiver = matchers_new();
    AmChoice choice = {.filter = filter, .receiver = receiver};
    if (!filter || !read_flag(call, "active", &choice.active) || !read_flag(call, "silenced", &choice.silenced) ||
        !read_flag(call, "inhibited", &choice.inhibited) || !read_flag(call, "unprocessed", &choice.unprocessed) ||
        !read_receiver(call, receiver))
        return;
    answer_json(call->answer, 200, listed(call->engine, routes_of(call), &choice));
}

void call_am_alerts(const Call *call) { answer_alerts(call, am_alerts); }

void call_am_groups(const Call *call) { answer_alerts(call, am_groups); }

void call_am_silences(const Call *call) {
    OWN(matchers) Matchers *filter = read_filter(call);
    if (filter) answer_json(call->answer, 200, am_silences(call->engine, filter));
}

void call_am_silence(const Call *call) {
    const Silence *silence = silences_find(mutes_silences(engine_mutes(call->engine)), call->name);
    if (silence)
        answer_json(call->answer, 200, silence_json(silence, clock_wall_ms(engine_clock(call->engine))));
    else
        answer_wrong(call, 404, "there is no such silence");
}

void call_am_receivers(const Call *call) { answer_json(call->answer, 200, am_receivers(receivers_of(call))); }

void call_am_status(const Call *call) {
    answer_json(call->answer, 200, am_status(call->engine, routes_of(call), receivers_of(call)));
}
