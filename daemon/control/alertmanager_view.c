#include "control/alertmanager_view.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "base/timetext.h"
#include "notify/render_alert.h"

#include <stdlib.h>
#include <string.h>

enum { MUTES_SHOWN = 100 };

/* --- one alert --- */

/* What holds it: silences' ids, and fingerprints of what inhibits it. */
static json_t *silenced_by(Engine *engine, const Instance *instance, int64_t now_ms) {
    const char *found[MUTES_SHOWN];
    const size_t count =
        silences_mute(mutes_silences(engine_mutes(engine)), instance->labels, now_ms, found, COUNT_OF(found), NULL);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_safe(found[i]));
    return all;
}

static json_t *inhibited_by(Engine *engine, const Instance *instance, int64_t now_ms) {
    const char *found[MUTES_SHOWN];
    const size_t count = mutes_inhibitors(engine_mutes(engine), instance->labels, now_ms, found, COUNT_OF(found));
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_string(found[i]));
    return all;
}

static json_t *status_json(Engine *engine, const Instance *instance, int64_t now_ms) {
    json_t *silences = silenced_by(engine, instance, now_ms), *inhibitors = inhibited_by(engine, instance, now_ms);
    const bool is_held = json_array_size(silences) || json_array_size(inhibitors);
    return json_pack("{s:o, s:o, s:s}", "inhibitedBy", inhibitors, "silencedBy", silences, "state",
        is_held ? "suppressed" : "active");
}

static bool is_chosen(const AmChoice *choice, const Instance *instance, const json_t *status) {
    const bool is_silenced = json_array_size(json_list(status, "silencedBy")) > 0;
    const bool is_inhibited = json_array_size(json_list(status, "inhibitedBy")) > 0;
    if (!choice->active && !is_silenced && !is_inhibited) return false;
    if ((!choice->silenced && is_silenced) || (!choice->inhibited && is_inhibited)) return false;
    return matchers_match(choice->filter, instance->labels, NULL);
}

static bool receiver_chosen(const AmChoice *choice, const char *receiver) {
    OWN(labels) Labels *labels = labels_new(&(Label){"receiver", receiver}, 1);
    return matchers_match(choice->receiver, labels, NULL);
}

static json_t *named(const char *name) { return json_pack("{s:o}", "name", json_safe(name)); }

/* Takes `status`. */
static json_t *alert_json(const Instance *instance, json_t *take_status, json_t *take_receivers, int64_t now_ms) {
    const GroupAlert fires = {.kind = ALERT_FIRES, .instance = instance, .no_data = instance->data_missing};
    RenderAlert copy;
    render_alert_copy(&copy, &fires, now_ms);
    OWN(json) json_t *rendered = render_alert_json(&copy, now_ms);
    render_alert_deinit(&copy);
    json_t *alert =
        json_pack("{s:O, s:o, s:s, s:o, s:o, s:o, s:o, s:O}", "annotations", json_object_get(rendered, "annotations"),
            "endsAt", json_time(now_ms + AM_ALERT_LIFE_MS), "fingerprint", instance->fingerprint, "receivers",
            take_receivers, "startsAt", json_time(instance->firing_since_ms), "status", take_status, "updatedAt",
            json_time(instance->evaluated_ms ? instance->evaluated_ms : instance->firing_since_ms), "labels",
            json_object_get(rendered, "labels"));
    const char *url = json_text(rendered, "generatorURL");
    if (url && *url) json_object_set_new(alert, "generatorURL", json_safe(url));
    return alert;
}

/* --- alerts --- */

static int by_fingerprint(const void *a, const void *b) {
    return strcmp((*(Instance *const *)a)->fingerprint, (*(Instance *const *)b)->fingerprint);
}

/* The firing ones, by fingerprint; caller frees the array. */
static Instance **firing(Engine *engine, size_t *ret_count) {
    size_t count, used = 0;
    Instance **all = instances_sorted(engine_instances(engine), &count);
    for (size_t i = 0; i < count; i++)
        if (instance_is_firing(all[i])) all[used++] = all[i];
    qsort(all, used, sizeof *all, by_fingerprint);
    *ret_count = used;
    return all;
}

/* To whom it goes; NULL: to nobody who was asked for. */
static json_t *receivers_of(
    const RouteSection *routes, const AmChoice *choice, const Instance *instance, const Route **room) {
    const size_t count = route_match(routes, instance->labels, room);
    json_t *receivers = json_array();
    bool is_wanted = !matchers_count(choice->receiver);
    for (size_t i = 0; i < count; i++) {
        is_wanted = is_wanted || receiver_chosen(choice, room[i]->receiver);
        json_array_append_new(receivers, named(room[i]->receiver));
    }
    if (is_wanted) return receivers;
    json_decref(receivers);
    return NULL;
}

json_t *am_alerts(Engine *engine, const RouteSection *routes, const AmChoice *choice) {
    const int64_t now_ms = clock_wall_ms(engine_clock(engine));
    const Route **room = alloc_zeroed(route_room(routes) + 1, sizeof *room);
    size_t count;
    Instance **all = firing(engine, &count);
    json_t *alerts = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *status = status_json(engine, all[i], now_ms);
        json_t *receivers = is_chosen(choice, all[i], status) ? receivers_of(routes, choice, all[i], room) : NULL;
        if (receivers)
            json_array_append_new(alerts, alert_json(all[i], status, receivers, now_ms));
        else
            json_decref(status);
    }
    free(all);
    free(room);
    return alerts;
}

/* --- groups --- */

typedef struct AmGroup {
    char *key;
    const char *receiver;
    Labels *labels;
    json_t *alerts;
    UT_hash_handle hh;
} AmGroup;

static AmGroup *group_of(AmGroup **groups, const Route *route, const Instance *instance) {
    OWN(arena) Arena *arena = arena_new();
    Labels *labels = route_group_labels(route, instance->labels);
    const char *key = route_group_key(route, route->receiver, labels, arena);
    AmGroup *group;
    HASH_FIND_STR(*groups, key, group);
    if (group) {
        labels_free(labels);
        return group;
    }
    group = alloc_zeroed(1, sizeof *group);
    *group = (AmGroup){text_copy(key), route->receiver, labels, json_array(), {0}};
    HASH_ADD_KEYPTR(hh, *groups, group->key, strlen(group->key), group);
    return group;
}

static int by_labels(const AmGroup *a, const AmGroup *b) {
    const size_t in_a = labels_count(a->labels), in_b = labels_count(b->labels);
    for (size_t i = 0; i < in_a && i < in_b; i++) {
        const Label left = labels_at(a->labels, i), right = labels_at(b->labels, i);
        const int order =
            strcmp(left.name, right.name) ? strcmp(left.name, right.name) : strcmp(left.value, right.value);
        if (order) return order;
    }
    if (in_a != in_b) return in_a < in_b ? -1 : 1;
    return strcmp(a->receiver, b->receiver);
}

/* Frees the groups. */
static json_t *groups_json(AmGroup *take_groups) {
    AmGroup *groups = take_groups, *group, *next;
    json_t *all = json_array();
    HASH_SORT(groups, by_labels);
    HASH_ITER(hh, groups, group, next) {
        json_array_append_new(all,
            json_pack("{s:o, s:o, s:o}", "alerts", group->alerts, "labels", labels_json(group->labels), "receiver",
                named(group->receiver)));
        HASH_DEL(groups, group);
        labels_free(group->labels);
        free(group->key);
        free(group);
    }
    return all;
}

json_t *am_groups(Engine *engine, const RouteSection *routes, const AmChoice *choice) {
    const int64_t now_ms = clock_wall_ms(engine_clock(engine));
    const Route **room = alloc_zeroed(route_room(routes) + 1, sizeof *room);
    AmGroup *groups = NULL;
    size_t count;
    Instance **all = firing(engine, &count);
    for (size_t i = 0; i < count; i++) {
        OWN(json) json_t *status = status_json(engine, all[i], now_ms);
        const size_t goes = is_chosen(choice, all[i], status) ? route_match(routes, all[i]->labels, room) : 0;
        json_t *receivers = json_array();
        for (size_t r = 0; r < goes; r++) json_array_append_new(receivers, named(room[r]->receiver));
        for (size_t r = 0; r < goes; r++)
            if (receiver_chosen(choice, room[r]->receiver))
                json_array_append_new(group_of(&groups, room[r], all[i])->alerts,
                    alert_json(all[i], json_incref(status), json_incref(receivers), now_ms));
        json_decref(receivers);
    }
    free(all);
    free(room);
    return groups_json(groups);
}

/* --- silences --- */

static bool has_matcher(const Silence *silence, Matcher wanted) {
    for (size_t i = 0; i < matchers_count(silence->matchers); i++) {
        const Matcher own = matchers_at(silence->matchers, i);
        if (own.is_equal == wanted.is_equal && own.is_regex == wanted.is_regex && !strcmp(own.name, wanted.name) &&
            !strcmp(own.value, wanted.value))
            return true;
    }
    return false;
}

static bool silence_chosen(const Silence *silence, const Matchers *filter) {
    for (size_t i = 0; i < matchers_count(filter); i++)
        if (!has_matcher(silence, matchers_at(filter, i))) return false;
    return true;
}

typedef struct Shown {
    const Silence *silence;
    SilenceState state;
} Shown;

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* Active by when they end, pending by when they begin, expired the newest first. */
static int by_state(const void *a, const void *b) {
    static const int ranks[] = {[SILENCE_ACTIVE] = 0, [SILENCE_PENDING] = 1, [SILENCE_EXPIRED] = 2};
    const Shown *x = a, *y = b;
    if (x->state != y->state) return ranks[x->state] - ranks[y->state];
    if (x->state == SILENCE_ACTIVE) return compare(x->silence->ends_ms, y->silence->ends_ms);
    if (x->state == SILENCE_PENDING) return compare(x->silence->starts_ms, y->silence->starts_ms);
    return compare(y->silence->ends_ms, x->silence->ends_ms);
}

json_t *am_silences(Engine *engine, const Matchers *filter) {
    const Silences *all = mutes_silences(engine_mutes(engine));
    const int64_t now_ms = clock_wall_ms(engine_clock(engine));
    Shown *shown = alloc_zeroed(silences_count(all) + 1, sizeof *shown);
    size_t count = 0;
    for (size_t i = 0; i < silences_count(all); i++) {
        const Silence *silence = silences_at(all, i);
        if (silence_chosen(silence, filter)) shown[count++] = (Shown){silence, silence_state(silence, now_ms)};
    }
    qsort(shown, count, sizeof *shown, by_state);
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(rows, silence_json(shown[i].silence, now_ms));
    free(shown);
    return rows;
}

/* --- receivers, status --- */

json_t *am_receivers(const ReceiversSection *receivers) {
    json_t *all = json_array();
    for (size_t i = 0; i < receivers->count; i++) json_array_append_new(all, named(receivers->receivers[i].name));
    return all;
}

static json_t *span_json(int64_t seconds) {
    char text[TIME_TEXT_MAX];
    return json_string(duration_format(seconds, text));
}

static void add_intervals(
    json_t *route, const char *key, const Interval *const *intervals, size_t count, json_t *used) {
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(names, json_safe(intervals[i]->name));
        json_object_set_new(used, intervals[i]->name, json_null());
    }
    if (count)
        json_object_set_new(route, key, names);
    else
        json_decref(names);
}

static json_t *matchers_list(const Matchers *matchers) {
    json_t *list = json_array();
    for (size_t i = 0; matchers && i < matchers_count(matchers); i++) {
        OWN(matchers) Matchers *one = matchers_new();
        const Matcher matcher = matchers_at(matchers, i);
        matchers_add(one, &matcher, NULL);
        char *text = matchers_text(one); /* in braces, which a list's item does without */
        json_array_append_new(list, json_stringn(text + 1, strlen(text) - 2));
        free(text);
    }
    return list;
}

static json_t *route_json(const Route *route, json_t *used) { /* depth: that of the file */
    json_t *json = json_object(), *names = json_array(), *children = json_array();
    for (size_t i = 0; i < route->group_by.count; i++)
        json_array_append_new(names, json_safe(route->group_by.texts[i]));
    if (route->by_every_label) json_array_append_new(names, json_string("..."));
    json_object_set_new(json, "receiver", json_safe(route->receiver));
    json_object_set_new(json, "group_by", names);
    json_object_set_new(json, "group_wait", span_json(route->group_wait_s));
    json_object_set_new(json, "group_interval", span_json(route->group_interval_s));
    json_object_set_new(json, "repeat_interval", span_json(route->repeat_interval_s));
    if (route->matchers) json_object_set_new(json, "matchers", matchers_list(route->matchers));
    if (route->goes_on) json_object_set_new(json, "continue", json_true());
    add_intervals(json, "mute_time_intervals", route->mute, route->mute_count, used);
    add_intervals(json, "active_time_intervals", route->active, route->active_count, used);
    for (const Route *child = route->child; child; child = child->sibling)
        json_array_append_new(children, route_json(child, used));
    json_object_set_new(json, "routes", children);
    return json;
}

/* JSON is YAML. Times are named and not told: a client that tests routes asks for the names alone. */
static char *config_text(const RouteSection *routes, const ReceiversSection *receivers) {
    OWN(json) json_t *used = json_object(), *config = json_object();
    json_t *intervals = json_array();
    if (routes->count) json_object_set_new(config, "route", route_json(&routes->root, used));
    json_object_set_new(config, "receivers", am_receivers(receivers));
    const char *name;
    json_t *none;
    json_object_foreach(used, name, none)
        json_array_append_new(intervals, json_pack("{s:s, s:[]}", "name", name, "time_intervals"));
    json_object_set_new(config, "time_intervals", intervals);
    return json_write(config);
}

json_t *am_status(Engine *engine, const RouteSection *routes, const ReceiversSection *receivers) {
    EngineStatus status = {0};
    engine_status(engine, &status);
    OWN(text) char *config = config_text(routes, receivers);
    json_t *version = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "branch", "", "buildDate", "", "buildUser", "",
        "goVersion", "", "revision", "", "version", TOCSIN_VERSION);
    return json_pack("{s:{s:[], s:s}, s:{s:o}, s:o, s:o}", "cluster", "peers", "status", "disabled", "config",
        "original", json_safe(config), "uptime", json_time(status.started_ms), "versionInfo", version);
}
