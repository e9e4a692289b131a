#include "control/explain_view.h"

#include "alarms/composite_alarm.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"
#include "notify/route.h"

#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 4096 };

typedef struct Telling {
    const Explained *facts;
    const Instance *instance; /* NULL: it is no more */
    json_t *sentences, *routes, *next;
} Telling;

__attribute__((format(printf, 2, 3))) static void say(Telling *t, const char *format, ...) {
    Buffer out = BUFFER(SENTENCE_MAX);
    va_list args;
    va_start(args, format);
    OWN(text) char *text = text_format_v(format, args);
    va_end(args);
    buffer_text(&out, text);
    json_array_append_new(t->sentences, json_safe(buffer_string(&out)));
    buffer_deinit(&out);
}

static bool is_past(const Telling *t) { return t->facts->at_ms != 0; }

/* --- the state, and the rule --- */

static void say_state(Telling *t, const char *name) {
    const json_t *last = json_array_get(t->facts->transitions, 0);
    char at[TIME_TEXT_MAX];
    if (!is_past(t) && t->instance) {
        const Instance *i = t->instance;
        say(t, "%s is in %s since %s: %s.", name, state_word(i->memory.state), time_format(i->since_ms, at),
            i->facts.reason);
        if (i->gone) say(t, "It is not configured or not seen any more: it stays until its end was told.");
    } else if (last) {
        time_format(t->facts->at_ms ? t->facts->at_ms : clock_wall_ms(engine_clock(t->facts->engine)), at);
        say(t, "At %s %s was in %s since %s: %s.", at, name, json_text(last, "to"), json_text(last, "time"),
            json_text(last, "reason"));
    } else {
        say(t, "No change of %s's state is known up to that time.", name);
    }
}

static void say_rule(Telling *t) {
    const Alarm *alarm = t->instance ? t->instance->alarm : NULL;
    char number[NUMBER_TEXT_MAX], span[TIME_TEXT_MAX];
    if (!alarm) return;
    if (alarm->composite) {
        say(t, "The rule: ALARM while %s.", alarm->composite->text);
    } else if (alarm_has_threshold(alarm)) {
        const ThresholdRule *rule = &alarm->rule;
        say(t, "The rule: ALARM when %zu of the newest %zu datapoints of %s are %s %s.", rule->m, rule->n,
            t->instance->facts.what ? t->instance->facts.what : "the metric", comparison_sign(rule->comparison),
            number_format(rule->threshold, number));
    }
    if (alarm->hold.pending.for_s)
        say(t, "It fires when that has lasted for %s.", duration_format(alarm->hold.pending.for_s, span));
}

/* The datapoints that were judged last, oldest first. */
static void say_datapoints(Telling *t) {
    const Datapoints *d = &t->instance->datapoints;
    Buffer out = BUFFER(SENTENCE_MAX);
    char number[NUMBER_TEXT_MAX], from[TIME_TEXT_MAX];
    const size_t shown = t->instance->alarm ? t->instance->alarm->rule.n : d->count;
    const size_t first = d->count > shown ? d->count - shown : 0;
    for (size_t i = first; i < d->count; i++)
        buffer_format(&out, "%s%s", i > first ? ", " : "",
            d->values[i] != d->values[i] ? "missing" : number_format(d->values[i], number));
    if (out.used)
        say(t, "The newest datapoints, from %s on: %s.",
            time_format((d->start_s + (int64_t)first * d->step_s) * 1000, from), buffer_string(&out));
    buffer_deinit(&out);
}

static void say_holds(Telling *t) {
    const Instance *i = t->instance;
    char at[TIME_TEXT_MAX];
    if (i->evaluation_error) say(t, "It cannot be judged, so its state stays: %s.", i->evaluation_error);
    if (i->hold.pending.phase == PENDING_PENDING)
        say(t, "It is pending: it breaches since %s and has not lasted long enough.",
            time_format(i->hold.pending.active_s * 1000, at));
    if (i->hold.flap.is_flapping)
        say(t, "It flaps (%.0f %% of its last states changed): what it changes to is not told.",
            flap_percent(&i->hold.flap));
    if (i->hold.suppression.is_owed) say(t, "Its last change waits for the suppressor %s.", i->hold.suppressor);
}

/* --- where it goes, and what holds it now --- */

static void say_route(Telling *t, const Route *route) {
    OWN(labels) Labels *group = route_group_labels(route, t->instance->labels);
    OWN(json) json_t *labels = labels_json(group);
    OWN(text) char *text = json_write(labels);
    OWN(text) char *held = engine_held_words(t->facts->engine, route, t->instance);
    say(t, "Its labels lead to the receiver %s by the route %s, in the group %s.", route->receiver,
        route->id ? route->id : "{}", text);
    if (held) say(t, "Nothing is said of it to %s now: %s.", route->receiver, held);
    json_array_append_new(t->routes,
        json_pack("{s:o, s:o, s:O, s:o}", "receiver", json_safe(route->receiver), "route",
            json_safe(route->id ? route->id : "{}"), "group", labels, "held_by", held ? json_safe(held) : json_null()));
}

static void say_routes(Telling *t) {
    const RouteSection *routes = snapshot_section(engine_snapshot(t->facts->engine), &route_section);
    const Route **found = alloc_zeroed(route_room(routes) + 1, sizeof *found);
    const size_t count = route_match(routes, t->instance->labels, found);
    if (!count) say(t, "There is no route: nobody is told.");
    for (size_t i = 0; i < count; i++) say_route(t, found[i]);
    free(found);
    const Ack *ack =
        acks_find(engine_acks(t->facts->engine), t->instance, clock_wall_ms(engine_clock(t->facts->engine)));
    if (ack)
        say(t, "%s has acknowledged it%s%s: it is not repeated and goes on to nobody else.", ack->by,
            *ack->comment ? ": " : "", ack->comment);
}

/* --- what was told --- */

/* `webhook: delivered at the 1. try`, for a list. */
static char *message_words(const OutboxRow *row) {
    const bool is_over = !strcmp(row->state, "delivered");
    return text_format("%s %lld %s after %lld %s%s%.300s", row->plugin, (long long)row->plugin_index, row->state,
        (long long)row->attempts, row->attempts == 1 ? "try" : "tries",
        row->last_error && *row->last_error ? (is_over ? ", answered " : ", last answer ") : "",
        row->last_error ? row->last_error : "");
}

static json_t *message_json(const OutboxRow *row) {
    return json_pack("{s:o, s:o, s:I, s:o, s:I, s:o, s:o, s:o}", "id", json_safe(row->id), "plugin",
        json_safe(row->plugin), "index", (json_int_t)row->plugin_index, "state", json_safe(row->state), "attempts",
        (json_int_t)row->attempts, "next_attempt", json_time(row->next_attempt_ms), "finished_at",
        json_time(row->finished_ms), "answer", row->last_error ? json_safe(row->last_error) : json_null());
}

/* One decision and the messages that it made: rows from `first` on. Returns the next decision's first row. */
static size_t take_decision(const Explained *facts, size_t first, json_t **ret_json, char **ret_words) {
    const DecisionRow *d = &facts->decisions[first].decision;
    json_t *messages = json_array();
    Buffer words = BUFFER(SENTENCE_MAX);
    char at[TIME_TEXT_MAX];
    const bool is_told = !strcmp(d->decision, "told");
    buffer_format(&words, "%s: %s%s%s%s", time_format(d->time_ms, at), *d->receiver ? d->receiver : "nobody",
        is_told ? " was told" : " was not told", d->reason ? ": " : "", d->reason ? d->reason : "");
    size_t next = first;
    for (; next < facts->decision_count && facts->decisions[next].decision.id == d->id; next++) {
        if (!facts->decisions[next].has_message) continue;
        OWN(text) char *message = message_words(&facts->decisions[next].message);
        buffer_format(&words, "; %s", message);
        json_array_append_new(messages, message_json(&facts->decisions[next].message));
    }
    buffer_text(&words, ".");
    *ret_json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "time", json_time(d->time_ms), "receiver",
        json_safe(d->receiver), "group", json_safe(d->group_key), "decision", json_safe(d->decision), "reason",
        json_safe(d->reason), "messages", messages);
    *ret_words = buffer_take(&words);
    return next;
}

/* Newest first in the list, told in the order in which it happened. */
static json_t *say_decisions(Telling *t) {
    const Explained *facts = t->facts;
    json_t *all = json_array();
    char **words = alloc_zeroed(facts->decision_count + 1, sizeof *words);
    size_t count = 0;
    for (size_t i = 0; i < facts->decision_count;) {
        json_t *json;
        i = take_decision(facts, i, &json, &words[count++]);
        json_array_append_new(all, json);
    }
    if (!count) say(t, "Nothing was decided about telling of it%s.", is_past(t) ? " up to that time" : " so far");
    while (count-- > 0) {
        json_array_append_new(t->sentences, json_safe(words[count]));
        free(words[count]);
    }
    free(words);
    return all;
}

/* --- what is to come --- */

static void say_next(void *ctx, const GroupView *view) {
    Telling *t = ctx;
    char at[TIME_TEXT_MAX] = "at once";
    if (view->due_ms) time_format(view->due_ms, at);
    const bool fires = instance_is_firing(t->instance);
    const char *what = !view->is_told ? "hears of it if it still fires"
        : !fires                      ? "hears of its end"
        : view->is_leaving            ? "hears of its end when it ends: it is routed elsewhere now"
                                      : "hears of it again if it still fires, and before that of what changes";
    say(t, "Next, %s: %s %s.", at, view->receiver, what);
    json_array_append_new(t->next,
        json_pack("{s:o, s:o, s:o, s:b}", "at", json_time(view->due_ms), "receiver", json_safe(view->receiver), "group",
            json_safe(view->key), "told", view->is_told));
}

static Instance *find(Engine *engine, const char *fingerprint) {
    Instances *table = engine_instances(engine);
    for (Instance *i = instances_next(table, NULL); i; i = instances_next(table, i))
        if (!strcmp(i->fingerprint, fingerprint)) return i;
    return NULL;
}

json_t *explain_json(const Explained *facts) {
    const Instance *instance = find(facts->engine, facts->fingerprint);
    const json_t *last = json_array_get(facts->transitions, 0);
    if (!instance && !last && !facts->decision_count) return NULL;
    Telling t = {facts, instance, json_array(), json_array(), json_array()};
    const char *name = instance ? instance->name : last ? json_text(last, "name") : facts->fingerprint;
    say_state(&t, name);
    say_rule(&t);
    if (instance && !is_past(&t)) {
        say_datapoints(&t);
        say_holds(&t);
        say_routes(&t);
    }
    json_t *decisions = say_decisions(&t);
    if (instance && !is_past(&t)) engine_groups_of(facts->engine, facts->fingerprint, say_next, &t);
    const char *state = instance && !is_past(&t) ? state_word(instance->memory.state) : json_text(last, "to");
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:O, s:o, s:o, s:o}", "name", json_safe(name), "fingerprint",
        json_safe(facts->fingerprint), "at",
        json_time(is_past(&t) ? facts->at_ms : clock_wall_ms(engine_clock(facts->engine))), "state", json_safe(state),
        "sentences", t.sentences, "transitions", facts->transitions, "decisions", decisions, "routes", t.routes, "next",
        t.next);
}
