#include "control/route_view.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/json.h"
#include "control/view.h"

#include <string.h>

static json_t *names_json(const Interval *const *intervals, size_t count) {
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_safe(intervals[i]->name));
    return all;
}

static json_t *group_by_json(const Route *route) {
    json_t *all = json_array();
    if (route->by_every_label) json_array_append_new(all, json_string("..."));
    for (size_t i = 0; i < route->group_by.count; i++) json_array_append_new(all, json_safe(route->group_by.texts[i]));
    return all;
}

static json_t *matchers_list(const Route *route) {
    json_t *all = json_array();
    for (size_t i = 0; route->matchers && i < matchers_count(route->matchers); i++) {
        const Matcher matcher = matchers_at(route->matchers, i);
        OWN(text)
        char *text = text_format("%s%s\"%s\"", matcher.name,
            matcher.is_regex       ? matcher.is_equal ? "=~" : "!~"
                : matcher.is_equal ? "="
                                   : "!=",
            matcher.value);
        json_array_append_new(all, json_safe(text));
    }
    return all;
}

static json_t *escalations_json(const Route *route) {
    json_t *all = json_array();
    for (const Route *next = route->escalation; next; next = next->sibling)
        json_array_append_new(
            all, json_pack("{s:I, s:o}", "after", (json_int_t)next->after_s, "receiver", json_safe(next->receiver)));
    return all;
}

/* What a route and a way have in common; times in seconds. */
static json_t *times_json(const Route *route) {
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:o}", "receiver", json_safe(route->receiver), "group_by",
        group_by_json(route), "group_wait", (json_int_t)route->group_wait_s, "group_interval",
        (json_int_t)route->group_interval_s, "repeat_interval", (json_int_t)route->repeat_interval_s, "escalate",
        escalations_json(route));
}

/* As deep as the configuration's YAML may be nested, at most. */
json_t *view_route(const Route *route) {
    json_t *view = times_json(route), *below = json_array();
    for (const Route *child = route->child; child; child = child->sibling)
        json_array_append_new(below, view_route(child));
    json_object_set_new(view, "id", json_safe(route->id));
    json_object_set_new(view, "matchers", matchers_list(route));
    json_object_set_new(view, "continue", json_boolean(route->goes_on));
    json_object_set_new(view, "mute_time_intervals", names_json(route->mute, route->mute_count));
    json_object_set_new(view, "active_time_intervals", names_json(route->active, route->active_count));
    json_object_set_new(view, "routes", below);
    return view;
}

static json_t *texts_json(const char *const *texts, size_t count) {
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_safe(texts[i]));
    return all;
}

/* The next second at which the route speaks; 0: not within the search. */
static int64_t speaks_again_s(const Route *route, int64_t at_s) {
    for (int steps = 0; steps < 1000; steps++) {
        const Interval *muting = route_muted_by(route, at_s);
        if (!muting) return at_s;
        int64_t next_s;
        if (!interval_next_change(muting, at_s, &next_s)) return 0;
        for (size_t i = 0; i < route->active_count; i++) { /* any of these may begin first */
            int64_t other_s;
            if (interval_next_change(route->active[i], at_s, &other_s) && other_s < next_s) next_s = other_s;
        }
        at_s = next_s;
    }
    return 0;
}

/* What holds it: the route's times and silences at that time; what inhibits it now. */
static json_t *mutes_json(Engine *engine, const Route *route, const Labels *labels, int64_t at_ms) {
    const char *ids[VIEW_MUTES_MAX], *fingerprints[VIEW_MUTES_MAX];
    const Mutes *mutes = engine_mutes(engine);
    const Interval *interval = route_muted_by(route, at_ms / 1000);
    const size_t silences = silences_mute(mutes_silences(mutes), labels, at_ms, ids, COUNT_OF(ids), NULL);
    const size_t inhibitors = mutes_inhibitors(mutes, labels, at_ms, fingerprints, COUNT_OF(fingerprints));
    return json_pack("{s:o, s:o, s:o, s:o}", "time_interval", interval ? json_safe(interval->name) : json_null(),
        "until", interval ? json_time(speaks_again_s(route, at_ms / 1000) * 1000) : json_null(), "silences",
        texts_json(ids, silences), "inhibited_by", texts_json(fingerprints, inhibitors));
}

static json_t *way_json(Engine *engine, const Route *route, const Labels *labels, int64_t at_ms) {
    OWN(arena) Arena *arena = arena_new();
    OWN(labels) Labels *group = route_group_labels(route, labels);
    const char *key = route_group_key(route, route->receiver, group, arena);
    json_t *view = times_json(route);
    json_object_set_new(view, "route", json_safe(route->id));
    json_object_set_new(view, "group_key", json_safe(key + strlen(route->receiver) + 1));
    json_object_set_new(view, "group_labels", labels_json(group));
    json_object_set_new(view, "muted_by", mutes_json(engine, route, labels, at_ms));
    return view;
}

json_t *view_ways(Engine *engine, const Labels *labels, int64_t at_ms) {
    OWN(arena) Arena *arena = arena_new();
    const RouteSection *routes = engine_routes(engine);
    const Route **matched = arena_alloc(arena, route_room(routes), sizeof *matched);
    const size_t count = route_match(routes, labels, matched);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, way_json(engine, matched[i], labels, at_ms));
    return all;
}
