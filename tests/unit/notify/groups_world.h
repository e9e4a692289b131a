/* A world for groups: instances made by hand, a state file that treats its rows as store/rows.h promises, a daemon that
 * can be started anew from them, and people who write down what they were told. */
#ifndef TOCSIN_TESTS_GROUPS_WORLD_H
#define TOCSIN_TESTS_GROUPS_WORLD_H

#include "notify/reroute.h"
#include "notify/turn.h"

#include "../run.h"
#include "base/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORLD_INSTANCES = 16, WORLD_ROWS = 64, WORLD_RECEIVERS = 8, WORLD_SAID = 4096 };

typedef struct World {
    Groups *groups;
    RouteSection routes;
    const char *receivers[WORLD_RECEIVERS];
    size_t receiver_count, owed;
    Instance instances[WORLD_INSTANCES];
    size_t instance_count;
    GroupRow file[WORLD_ROWS]; /* texts owned; key NULL: free */
    int64_t now_ms;
    bool tells_resolved, is_once;
    int64_t acked_until_ms[WORLD_INSTANCES]; /* 0: nobody is on it */
    Ack acks[WORLD_INSTANCES];
    bool is_muted[WORLD_INSTANCES]; /* by something outside its route */
    ReceiverChannel keeper; /* of every receiver, where it wants the rest */
    char said[WORLD_SAID]; /* `receiver: reason +fires -ended; ` since it was last emptied */
} World;

static const char *const by_alertname[] = {"alertname"};

static inline void world_init(World *world) {
    *world = (World){.groups = groups_new(NULL), .now_ms = 1700000000000, .tells_resolved = true};
    world->routes = (RouteSection){.is_given = true,
        .count = 1,
        .root = {.id = "{}",
            .receiver = "oncall",
            .group_by = {1, by_alertname, NULL},
            .group_wait_s = 30,
            .group_interval_s = 300,
            .repeat_interval_s = 14400}};
    world->receivers[world->receiver_count++] = "oncall";
}

static inline void row_deinit(GroupRow *row) {
    free((char *)row->key);
    free((char *)row->receiver);
    free((char *)row->labels_json);
    free((char *)row->told_json);
    *row = (GroupRow){0};
}

static inline void world_deinit(World *world) {
    world->groups = groups_free(world->groups);
    for (size_t i = 0; i < world->instance_count; i++) labels_free(world->instances[i].labels);
    for (size_t i = 0; i < WORLD_ROWS; i++) row_deinit(&world->file[i]);
}

/* --- the state file --- */

static inline GroupRow *file_row(World *world, const char *key) {
    for (size_t i = 0; i < WORLD_ROWS; i++)
        if (world->file[i].key && !strcmp(world->file[i].key, key)) return &world->file[i];
    return NULL;
}

static inline size_t file_rows(const World *world) {
    size_t count = 0;
    for (size_t i = 0; i < WORLD_ROWS; i++) count += world->file[i].key != NULL;
    return count;
}

static inline int64_t earlier(int64_t a, int64_t b) { return !a ? b : !b || a < b ? a : b; }

static inline void file_touch(World *world, const GroupTouch *touch) {
    GroupRow *row = file_row(world, touch->key);
    for (size_t i = 0; !row; i++) {
        ck_assert_uint_lt(i, WORLD_ROWS);
        if (world->file[i].key) continue;
        row = &world->file[i];
        row->key = text_copy(touch->key);
        row->receiver = text_copy(touch->receiver);
        row->labels_json = text_copy(touch->labels_json);
    }
    row->touches++;
    row->due_ms = earlier(row->due_ms, touch->due_ms);
}

static inline void file_flush(World *world, const GroupFlush *flush) {
    GroupRow *row = file_row(world, flush->key);
    if (!row) return;
    const bool was_touched = row->touches != flush->seen_touches;
    if (flush->drop && !was_touched) {
        row_deinit(row);
        return;
    }
    row->due_ms = was_touched ? earlier(row->due_ms, flush->next_due_ms) : flush->next_due_ms;
    row->first_flush_ms = flush->first_flush_ms;
    row->last_sent_ms = flush->last_sent_ms;
    free((char *)row->told_json);
    row->told_json = text_copy(flush->told_json);
}

/* --- instances --- */

static inline const Instance *find_instance(void *ctx, const char *fingerprint) {
    World *world = ctx;
    for (size_t i = 0; i < world->instance_count; i++)
        if (!strcmp(world->instances[i].fingerprint, fingerprint)) return &world->instances[i];
    return NULL;
}

static inline Instance *world_instance(World *world, const char *alertname, const char *name, const char *value) {
    Instance *i = &world->instances[world->instance_count++];
    ck_assert_uint_le(world->instance_count, WORLD_INSTANCES);
    const Label labels[] = {{"alertname", alertname}, {"source", "tocsin"}, {name, value}};
    *i = (Instance){.labels = labels_new(labels, 3), .facts = {.value = NAN, .threshold = NAN, .worst = NAN}};
    snprintf(i->fingerprint, FINGERPRINT_TEXT, "%016zx", world->instance_count);
    return i;
}

/* --- the daemon --- */

static inline GroupWorld world_view(const World *world) {
    return (GroupWorld){
        &world->routes, world->receivers, world->receiver_count, world->owed, world->now_ms, world->is_once};
}

/* Commit 1, and memory behind it. */
static inline void world_tell(World *world, const Instance *instance) {
    OWN(arena) Arena *arena = arena_new();
    const GroupWorld view = world_view(world);
    GroupTouch *touches;
    const size_t count = groups_touches(world->groups, &view, instance->fingerprint, instance->labels, arena, &touches);
    for (size_t i = 0; i < count; i++) {
        file_touch(world, &touches[i]);
        groups_apply_touch(world->groups, &touches[i], instance->fingerprint);
    }
}

/* Somebody acknowledged it, or does no more. */
static inline void world_look(World *world, const Instance *instance) {
    OWN(arena) Arena *arena = arena_new();
    const GroupWorld view = world_view(world);
    GroupTouch *touches;
    const size_t count = groups_look(world->groups, &view, instance->fingerprint, arena, &touches);
    for (size_t i = 0; i < count; i++) {
        file_touch(world, &touches[i]);
        groups_apply_touch(world->groups, &touches[i], instance->fingerprint);
    }
}

static inline void world_fire(World *world, Instance *instance) {
    if (instance->firing_since_ms && !instance->resolved_ms) return;
    instance->firing_since_ms = world->now_ms;
    instance->resolved_ms = 0;
    world_tell(world, instance);
}

static inline void world_resolve(World *world, Instance *instance) {
    if (!instance->firing_since_ms || instance->resolved_ms) return;
    instance->resolved_ms = world->now_ms;
    world_tell(world, instance);
}

static inline void say(World *world, const GroupTurn *turn) {
    if (!turn->reason) return;
    size_t used = strlen(world->said);
    used += (size_t)snprintf(world->said + used, WORLD_SAID - used, "%s: %s", turn->receiver, turn->reason);
    for (size_t i = 0; i < world->instance_count; i++) /* in the order of the instances: members have none */
        for (size_t k = 0; k < turn->alert_count; k++) {
            const GroupAlert *alert = &turn->alerts[k];
            if (strcmp(alert->fingerprint, world->instances[i].fingerprint) != 0 || !alert_is_told(alert)) continue;
            used += (size_t)snprintf(
                world->said + used, WORLD_SAID - used, " %c%zu", alert->kind == ALERT_FIRES ? '+' : '-', i);
        }
    snprintf(world->said + used, WORLD_SAID - used, "; ");
}

static inline bool is_muted(void *ctx, const Instance *instance) {
    const World *world = ctx;
    return world->is_muted[instance - world->instances];
}

static inline const Ack *ack_of(void *ctx, const Instance *instance) {
    World *world = ctx;
    const size_t i = (size_t)(instance - world->instances);
    if (world->acked_until_ms[i] <= world->now_ms || !instance_is_firing(instance)) return NULL;
    world->acks[i] = (Ack){
        .until_ms = world->acked_until_ms[i] == INT64_MAX ? 0 : world->acked_until_ms[i], .by = "", .comment = ""};
    return &world->acks[i];
}

static inline TurnWorld turn_world(World *world, const char *key) {
    return (TurnWorld){.route = route_of_key(&world->routes, groups_receiver(world->groups, key), key),
        .tells_resolved = world->tells_resolved,
        .channels = &world->keeper,
        .channel_count = world->keeper.wants_rest,
        .now_ms = world->now_ms,
        .find = find_instance,
        .is_muted = is_muted,
        .ack_of = ack_of,
        .ctx = world};
}

static inline GroupTurn *world_begin(World *world, const char *key) {
    const TurnWorld view = turn_world(world, key);
    return turn_begin(world->groups, key, &view);
}

/* Commit 2 of whoever is due. */
static inline void world_turns(World *world) {
    for (const char *key; (key = groups_due(world->groups, world->now_ms));) {
        GroupTurn *turn = world_begin(world, key);
        ck_assert_ptr_nonnull(turn);
        say(world, turn);
        OWN(arena) Arena *arena = arena_new();
        GroupTouch *touches = NULL;
        const char **touched = NULL;
        const GroupWorld view = world_view(world);
        const size_t count = turn_escalates(world->groups, &view, turn, arena, &touches, &touched);
        for (size_t i = 0; i < count; i++) file_touch(world, &touches[i]);
        file_flush(world, &turn->flush);
        turn_end(world->groups, turn, true, world->now_ms);
        for (size_t i = 0; i < count; i++) groups_apply_touch(world->groups, &touches[i], touched[i]);
    }
    for (size_t i = 0; i < world->instance_count; i++) {
        Instance *instance = &world->instances[i];
        if (instance->resolved_ms && !groups_know(world->groups, instance->fingerprint))
            instance->firing_since_ms = instance->resolved_ms = 0;
    }
}

static inline void world_reroute(World *world) {
    OWN(arena) Arena *arena = arena_new();
    const GroupWorld view = world_view(world);
    const Instance *all[WORLD_INSTANCES];
    for (size_t i = 0; i < world->instance_count; i++) all[i] = &world->instances[i];
    const Rerouting batch = groups_reroute(world->groups, &view, all, world->instance_count, arena);
    for (size_t i = 0; i < batch.touch_count; i++) file_touch(world, &batch.touches[i]);
    for (size_t i = 0; i < batch.flush_count; i++) file_flush(world, &batch.flushes[i]);
}

/* A crash, and a start from what is in the file. */
static inline void world_restart(World *world) {
    world->groups = groups_free(world->groups);
    world->groups = groups_new(NULL);
    for (size_t i = 0; i < WORLD_ROWS; i++)
        if (world->file[i].key) groups_restore(world->groups, &world->file[i], world->now_ms);
    world_reroute(world);
}

/* Lets time pass, a turn at each due time. */
static inline void world_pass(World *world, int64_t seconds) {
    const int64_t until_ms = world->now_ms + seconds * 1000;
    for (int64_t next; (next = groups_next_due_ms(world->groups)) <= until_ms;) {
        if (next > world->now_ms) world->now_ms = next;
        world_turns(world);
    }
    world->now_ms = until_ms;
}

static inline void world_said(World *world, const char *want) {
    ck_assert_str_eq(world->said, want);
    *world->said = '\0';
}

#endif
