/* What the engine's parts share: plain pointers, owned by engine.c, valid as long as the engine lives. */
#ifndef TOCSIN_ENGINE_CORE_H
#define TOCSIN_ENGINE_CORE_H

#include "alarms/change.h"
#include "engine/engine.h"
#include "engine/memory.h"
#include "notify/acks.h"
#include "notify/groups.h"
#include "notify/mutes.h"

typedef struct Core {
    uv_loop_t *loop;
    const Clock *clock;
    Metrics *metrics;
    Store *store;
    Instances *instances;
    Memory *memory;
    Groups *groups;
    Mutes *mutes;
    Acks *acks;
    struct Composites *composites; /* told when states changed; NULL: nobody is */
    Aws *aws;
    Snapshot *snapshot; /* the present one; replaced by a reload */
    GroupWorld world; /* what routing knows; notifier.c keeps it, `now_ms` is set by core_world() */
    uint64_t routings; /* how often the routes were replaced: what was routed before may lead elsewhere now */
    size_t changes_under_way; /* of instances, in batches whose commit is not done: each is a copy of one */
    size_t touches_under_way; /* of those: groups that memory may not know yet */
    size_t acks_under_way; /* commits of acknowledgements that are not done */
    bool is_behind; /* the disk was full: the file lacks touches that memory has, so no group takes its turn yet */
    void (*wake)(void *ctx); /* something became due: look at the timers again */
    void (*reroute)(void *ctx); /* a commit brought what was routed by routes of before */
    void (*state_full)(void *ctx, bool is_full);
    char *(*what_changed)(void *ctx, const Instance *instance); /* in words; NULL: nothing. Caller frees */
    void *ctx; /* of these */
    EngineEvent *event; /* /v1/events; NULL: nobody listens */
    void *event_ctx;
} Core;

static inline GroupWorld core_world(const Core *core) {
    GroupWorld world = core->world;
    world.owed += core->touches_under_way;
    world.now_ms = clock_wall_ms(core->clock);
    return world;
}

json_t *transition_json(
    const Instance *instance, const Transition *transition); /* an object of /v1/history; new reference */

#endif
