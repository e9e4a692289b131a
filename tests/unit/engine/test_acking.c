/* An acknowledgement on its way to the disk while the routes are replaced. */
#include "engine/acking.h"

#include "../run.h"
#include "../store/room.h"

static const char *const by_name[] = {"alertname"};
static const char *const receivers[] = {"oncall"};

typedef struct World {
    Room room;
    Core core;
    RouteSection routes;
    Instance *instance;
    int reroutes;
    EngineOutcome answer;
} World;

static void ignore_wake(void *ctx) { (void)ctx; }
static void ignore_full(void *ctx, bool is_full) { (void)ctx, (void)is_full; }
static void count_reroute(void *ctx) { ((World *)ctx)->reroutes++; }
static void note_answer(void *ctx, EngineOutcome answer) { ((World *)ctx)->answer = answer; }

/* An alert that fires, in a group of its own. */
static void add_alert(World *w) {
    const int64_t now_ms = clock_wall_ms(w->room.clock);
    OWN(arena) Arena *arena = arena_new();
    w->instance = instance_get(w->core.instances, "cpu", "prod", "eu-west-1", "cloudwatch", NULL, now_ms);
    w->instance->firing_since_ms = now_ms;
    const GroupWorld view = core_world(&w->core);
    GroupTouch *touches;
    const size_t count =
        groups_touches(w->core.groups, &view, w->instance->fingerprint, w->instance->labels, arena, &touches);
    ck_assert_uint_eq(count, 1);
    groups_apply_touch(w->core.groups, touches, w->instance->fingerprint);
}

static void world_init(World *w) {
    *w = (World){.answer = ENGINE_NOT_FOUND};
    room_init(&w->room);
    room_open(&w->room);
    w->routes = (RouteSection){.is_given = true,
        .count = 1,
        .root = {.id = "{}", .receiver = "oncall", .group_by = {1, by_name, NULL}, .group_interval_s = 300}};
    w->core = (Core){.loop = &w->room.loop,
        .clock = w->room.clock,
        .store = w->room.store,
        .instances = instances_new(),
        .groups = groups_new(w->room.metrics),
        .mutes = mutes_new(),
        .acks = acks_new(),
        .world = {.routes = &w->routes, .receivers = receivers, .receiver_count = 1},
        .wake = ignore_wake,
        .reroute = count_reroute,
        .state_full = ignore_full,
        .ctx = w};
    add_alert(w);
}

static void world_deinit(World *w) {
    acks_free(w->core.acks);
    mutes_free(w->core.mutes);
    groups_free(w->core.groups);
    instances_free(w->core.instances);
    room_deinit(&w->room);
}

static void put(World *w) {
    Ack *ack = alloc_zeroed(1, sizeof *ack);
    *ack = (Ack){.by = text_copy("ann"),
        .comment = text_copy("on it"),
        .starts_ms = w->instance->firing_since_ms,
        .at_ms = w->instance->firing_since_ms};
    memcpy(ack->fingerprint, w->instance->fingerprint, FINGERPRINT_TEXT);
    acking_put(&w->core, ack, note_answer, w);
}

static bool is_acknowledged(const World *w) {
    return acks_find(w->core.acks, w->instance, clock_wall_ms(w->room.clock)) != NULL;
}

/* Its touch may bring back a group of the old routes, which the reload had ended already. */
START_TEST(over_a_reload_the_alert_is_routed_anew) {
    World w;
    world_init(&w);
    put(&w);
    w.core.routings++;
    room_run(&w.room);
    ck_assert_int_eq(w.answer, ENGINE_DONE);
    ck_assert(is_acknowledged(&w));
    ck_assert_int_eq(w.reroutes, 1);
    w.answer = ENGINE_NOT_FOUND;
    acking_remove(&w.core, w.instance->fingerprint, note_answer, &w);
    w.core.routings++;
    room_run(&w.room);
    ck_assert_int_eq(w.answer, ENGINE_DONE);
    ck_assert(!is_acknowledged(&w));
    ck_assert_int_eq(w.reroutes, 2);
    world_deinit(&w);
}
END_TEST

START_TEST(else_nothing_is_routed_anew) {
    World w;
    world_init(&w);
    put(&w);
    room_run(&w.room);
    ck_assert(is_acknowledged(&w));
    ck_assert_int_eq(w.reroutes, 0);
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, over_a_reload_the_alert_is_routed_anew);
    tcase_add_test(tcase, else_nothing_is_routed_anew);
}

int main(void) { return run_tests("acking", fill); }
