/* What the tests of the engine's parts stand on: a configuration from a text, and a core with nothing around it. */
#ifndef TOCSIN_TESTS_ENGINE_CORE_H
#define TOCSIN_TESTS_ENGINE_CORE_H

#include "../store/room.h"
#include "engine/core.h"

static inline Snapshot *core_load(const SnapshotSchema *schema, const char *text) {
    char path[] = "/tmp/tocsin-test-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    OWN(problems) Problems *problems = problems_new();
    Snapshot *snapshot = snapshot_load(schema, path, true, problems);
    if (problems_errors(problems)) problems_print(problems, stderr);
    ck_assert_uint_eq(problems_errors(problems), 0);
    unlink(path);
    return snapshot;
}

static inline void core_ignore_wake(void *ctx) { (void)ctx; }
static inline void core_ignore_full(void *ctx, bool is_full) { (void)ctx, (void)is_full; }

/* In an open room; one receiver, `oncall`. The routes are borrowed. */
static inline Core core_make(Room *room, const RouteSection *routes) {
    static const char *const receivers[] = {"oncall"};
    return (Core){.loop = &room->loop,
        .clock = room->clock,
        .metrics = room->metrics,
        .store = room->store,
        .instances = instances_new(),
        .memory = memory_new(room->metrics),
        .groups = groups_new(room->metrics),
        .mutes = mutes_new(),
        .acks = acks_new(),
        .aws = aws_new(&room->loop, NULL, room->clock, room->metrics),
        .world = {.routes = routes, .receivers = receivers, .receiver_count = 1},
        .wake = core_ignore_wake,
        .state_full = core_ignore_full};
}

#endif
