/* daemon/notify/groups.c: the table of groups, their touches and times */
#include "notify/groups.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "notify/group.h"

#include <stdlib.h>
#include <string.h>

static const Metric coarse_total = {"tocsin_groups_coarse_total",
    "Transitions that were grouped by receiver only, because too much was owed.", METRIC_COUNTER, {NULL}};

Groups *groups_new(Metrics *metrics) {
    Groups *groups = alloc_zeroed(1, sizeof *groups);
    groups->metrics = metrics;
    return groups;
}

Groups *groups_free(Groups *groups) {
    if (!groups) return NULL;
    while (groups->table) group_remove(groups, groups->table);
    due_deinit(&groups->due);
    free(groups);
    return NULL;
}

/* --- touches --- */

typedef struct Touches {
    Groups *groups;
    const GroupWorld *world;
    Arena *arena;
    const Route **routes; /* that the labels lead to */
    size_t route_count;
    GroupTouch *list; /* has room for one a route and known group, and where nobody can be left out for all receivers */
    size_t count;
} Touches;

static int64_t touch_due(const GroupWorld *world, const Route *route, const Group *group) {
    if (world->is_once) return world->now_ms;
    const int64_t wait_ms = (route->base ? route->after_s : route->group_wait_s) * 1000;
    const int64_t first_ms = !group ? 0 : group->is_busy ? group->first_coming_ms : group->first_flush_ms;
    if (!first_ms) return world->now_ms + wait_ms;
    /* Not this very moment's beat: its turn may have been a moment ago. */
    return beat_after(first_ms, route->group_interval_s * 1000, world->now_ms + 1);
}

static void touch_add(Touches *to, const GroupTouch *touch) {
    for (size_t i = 0; i < to->count; i++)
        if (!strcmp(to->list[i].key, touch->key)) return;
    to->list[to->count] = *touch;
    to->list[to->count++].shifted_ms = to->groups->shifted_ms;
}

static void touch_known(Touches *to, const Group *group) {
    const Route *route = route_of_key(to->world->routes, group->receiver, group->key);
    /* An escalation whose time has not come waits for nothing: what ended is forgotten there at once. */
    const bool is_early = route->base && !group->first_flush_ms;
    touch_add(to,
        &(GroupTouch){arena_text(to->arena, group->key), arena_text(to->arena, group->receiver),
            arena_text(to->arena, group->labels_json),
            is_early ? to->world->now_ms : touch_due(to->world, route, group)});
}

/* From GROUPS_OWED_MAX on, until a tenth of it is worked off. */
static bool is_too_much(Groups *groups, size_t owed) {
    const size_t all = owed + HASH_COUNT(groups->table) + groups->unspoken;
    const bool is_coarse = all >= (groups->is_coarse ? (size_t)GROUPS_OWED_MAX / 10 * 9 : (size_t)GROUPS_OWED_MAX);
    if (is_coarse && !groups->is_coarse)
        LOG(WARNING, "too much is owed: new alerts are grouped by receiver only", KV("owed", all),
            KV("bound", GROUPS_OWED_MAX));
    if (!is_coarse && groups->is_coarse) LOG(INFO, "alerts are grouped as configured again", KV("owed", all));
    groups->is_coarse = is_coarse;
    return is_coarse;
}

static void touch_receiver(Touches *to, const Route *route, const char *receiver, const Labels *group_labels) {
    Groups *groups = to->groups;
    const char *key = route_group_key(route, receiver, group_labels, to->arena);
    const Group *group = group_find(groups, key);
    if (!group && is_too_much(groups, to->world->owed)) {
        metric_add(groups->metrics, &coarse_total, 1, METRIC_VALUES(NULL));
        key = route_group_key(route, receiver, NULL, to->arena);
        group = group_find(groups, key);
        group_labels = NULL;
    }
    OWN(json) json_t *labels = group_labels ? labels_json(group_labels) : json_object();
    char *text = json_write(labels);
    touch_add(to,
        &(GroupTouch){
            key, arena_text(to->arena, receiver), arena_text(to->arena, text), touch_due(to->world, route, group)});
    free(text);
}

/* Is this the alarm that says that `receiver` cannot be reached? */
static bool speaks_of(const Labels *labels, const char *receiver) {
    return !strcmp(labels_get(labels, "source"), SOURCE_TOCSIN) &&
        !strcmp(labels_get(labels, "alertname"), "TocsinDeliveryFailing") &&
        !strcmp(labels_get(labels, "receiver"), receiver);
}

static void touch_everybody(Touches *to, const Route *route, const Labels *labels) {
    OWN(labels) Labels *group_labels = route_group_labels(route, labels);
    for (size_t i = 0; i < to->world->receiver_count; i++)
        touch_receiver(to, &to->world->routes->root, to->world->receivers[i], group_labels);
}

static void touch_routed(Touches *to, const Labels *labels) {
    for (size_t i = 0; i < to->route_count; i++) {
        OWN(labels) Labels *group_labels = route_group_labels(to->routes[i], labels);
        touch_receiver(to, to->routes[i], to->routes[i]->receiver, group_labels);
    }
    for (size_t i = 0; i < to->route_count; i++)
        if (speaks_of(labels, to->routes[i]->receiver)) touch_everybody(to, to->routes[i], labels);
}

static Touches touches_begin(
    Groups *groups, const GroupWorld *world, const Labels *labels, size_t known, Arena *arena) {
    Touches to = {.groups = groups, .world = world, .arena = arena};
    to.routes = arena_alloc(arena, route_room(world->routes), sizeof *to.routes);
    to.route_count = route_match(world->routes, labels, to.routes);
    size_t most = known + to.route_count;
    for (size_t i = 0; i < to.route_count; i++)
        if (speaks_of(labels, to.routes[i]->receiver)) most += world->receiver_count;
    to.list = arena_alloc(arena, most + 1, sizeof *to.list);
    return to;
}

size_t touches_routed(
    Groups *groups, const GroupWorld *world, const Labels *labels, Arena *arena, GroupTouch **ret_touches) {
    Touches to = touches_begin(groups, world, labels, 0, arena);
    touch_routed(&to, labels);
    *ret_touches = to.list;
    return to.count;
}

size_t groups_touches(Groups *groups, const GroupWorld *world, const char *fingerprint, const Labels *labels,
    Arena *arena, GroupTouch **ret_touches) {
    const Member *first = members_of(groups, fingerprint);
    size_t known = 0;
    for (const Member *m = first; m; m = m->next) known++;
    Touches to = touches_begin(groups, world, labels, known, arena);
    for (const Member *m = first; m; m = m->next) touch_known(&to, m->group);
    touch_routed(&to, labels);
    *ret_touches = to.list;
    return to.count;
}

size_t touches_escalated(
    Groups *groups, const GroupWorld *world, const Group *group, Arena *arena, GroupTouch **ret_touches) {
    const Route *route = route_of_key(world->routes, group->receiver, group->key);
    Touches to = {.groups = groups, .world = world, .arena = arena};
    *ret_touches = NULL;
    if (!route->escalation || !route_makes_key(route, group->receiver, group->key)) return 0;
    to.list = arena_alloc(arena, ESCALATIONS_MAX + 1, sizeof *to.list);
    OWN(labels) Labels *labels = group_labels(group);
    for (const Route *next = route->escalation; next; next = next->sibling)
        touch_receiver(&to, next, next->receiver, labels);
    *ret_touches = to.list;
    return to.count;
}

const Member *member_of_base(const Groups *groups, const Route *escalation, const char *fingerprint) {
    const Route *base = escalation->base;
    for (const Member *m = members_of(groups, fingerprint); m; m = m->next)
        if (m->is_told && route_makes_key(base, m->group->receiver, m->group->key)) return m;
    return NULL;
}

void groups_apply_touch(Groups *groups, const GroupTouch *touch, const char *fingerprint) {
    Group *group = group_make(groups, touch->key, touch->receiver, touch->labels_json);
    group->touches++;
    member_make(groups, group, fingerprint);
    const int64_t due_ms = touch->due_ms + groups->shifted_ms - touch->shifted_ms; /* it was made before a jump */
    if (!group->due.due_ms || due_ms < group->due.due_ms) group_set_due(groups, group, due_ms);
}

void group_look(Groups *groups, const GroupWorld *world, Group *group) {
    const Route *route = route_of_key(world->routes, group->receiver, group->key);
    if (!group->first_flush_ms && !route->base && !group->is_busy) return;
    group_hasten(groups, group, group->first_flush_ms ? touch_due(world, route, group) : world->now_ms);
}

size_t groups_look(
    Groups *groups, const GroupWorld *world, const char *fingerprint, Arena *arena, GroupTouch **ret_touches) {
    Touches to = {.groups = groups, .world = world, .arena = arena};
    size_t known = 0;
    for (const Member *m = members_of(groups, fingerprint); m; m = m->next) known++;
    to.list = arena_alloc(arena, known + 1, sizeof *to.list);
    for (const Member *m = members_of(groups, fingerprint); m; m = m->next) touch_known(&to, m->group);
    *ret_touches = to.list;
    return to.count;
}

void groups_hold(Groups *groups, const GroupWorld *world, const char *fingerprint, int64_t from_ms, int64_t until_ms) {
    GroupWorld then = *world;
    then.now_ms = from_ms;
    for (Member *m = members_of(groups, fingerprint); m; m = m->next) {
        Group *group = m->group;
        if (group->last_sent_ms >= until_ms) continue; /* a silence is over at its end */
        if (!group->is_busy && (!m->is_told || m->was_held)) continue; /* nobody knows of it, or it looks anyway */
        m->was_held = true;
        m->is_held_anew = group->is_busy;
        group_look(groups, &then, group);
    }
}

/* --- the state file --- */

static int64_t clamp(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

/* A key begins with its receiver; where it does not, the file was damaged here. */
static bool row_fits(const GroupRow *row) {
    const size_t length = strlen(row->receiver);
    return !strncmp(row->key, row->receiver, length) && row->key[length] == '/';
}

void groups_restore(Groups *groups, const GroupRow *row, int64_t now_ms) {
    if (!row_fits(row)) {
        LOG(WARNING, "a group in the state file made no sense and is left out: what it has told is told again",
            KV("key", row->key), KV("receiver", row->receiver));
        return;
    }
    const int64_t longest_ms = (int64_t)ROUTE_LONGEST_S * 1000, oldest_ms = now_ms - longest_ms;
    Group *group = group_make(groups, row->key, row->receiver, row->labels_json ? row->labels_json : "{}");
    group->touches = row->touches;
    if (row->first_flush_ms) group_spoke(groups, group, clamp(row->first_flush_ms, oldest_ms, now_ms));
    if (row->last_sent_ms) group->last_sent_ms = clamp(row->last_sent_ms, oldest_ms, now_ms);
    group_told_parse(groups, group, row->told_json);
    group_set_due(groups, group, row->due_ms ? clamp(row->due_ms, oldest_ms, now_ms + longest_ms) : 0);
}

/* --- time --- */

void groups_each_of(const Groups *groups, const char *fingerprint, GroupSeen *seen, void *ctx) {
    for (const Member *m = members_of(groups, fingerprint); m; m = m->next)
        seen(ctx,
            &(GroupView){m->group->key, m->group->receiver, m->group->due.due_ms, m->group->last_sent_ms, m->is_told,
                m->is_leaving});
}

int64_t groups_next_due_ms(const Groups *groups) {
    const DueItem *first = due_first(&groups->due);
    return first ? first->due_ms : INT64_MAX;
}

const char *groups_due(const Groups *groups, int64_t now_ms) {
    const DueItem *first = due_first(&groups->due);
    return first && first->due_ms <= now_ms ? ((const Group *)first)->key : NULL;
}

const char *groups_receiver(const Groups *groups, const char *key) {
    const Group *group = group_find(groups, key);
    return group ? group->receiver : NULL;
}

size_t groups_count(const Groups *groups) { return HASH_COUNT(groups->table); }

bool groups_are_idle(const Groups *groups, int64_t now_ms) {
    for (const Group *g = groups->table; g; g = g->hh.next)
        if (g->is_busy || (g->due.due_ms && g->due.due_ms <= now_ms)) return false;
    return true;
}

bool groups_know(const Groups *groups, const char *fingerprint) { return members_of(groups, fingerprint) != NULL; }

void groups_shift(Groups *groups, int64_t by_ms) {
    groups->shifted_ms += by_ms;
    for (Group *g = groups->table; g; g = g->hh.next) {
        if (g->first_flush_ms) group_spoke(groups, g, g->first_flush_ms + by_ms);
        if (g->first_coming_ms) g->first_coming_ms += by_ms;
        if (g->last_sent_ms) g->last_sent_ms += by_ms;
        for (Member *m = g->members; m; m = m->hh.next)
            if (m->told_at_ms) m->told_at_ms += by_ms; /* an escalation counts from here */
        if (g->due.due_ms) group_set_due(groups, g, g->due.due_ms + by_ms);
    }
}
