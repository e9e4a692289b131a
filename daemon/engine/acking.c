/* daemon/engine/acking.c: an acknowledgement, from a person to the groups that tell of its alert */
#include "engine/acking.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum { PRUNED_AT_ONCE = 100 };

typedef struct Acking {
    Core *core;
    Ack *ack; /* NULL: it goes */
    char fingerprint[FINGERPRINT_TEXT];
    Arena *arena;
    GroupTouch *touches; /* those that tell of the alert look again, whatever becomes of us until then */
    size_t touch_count;
    uint64_t routings; /* of the core's, when they were looked up */
    EngineChanged *done;
    void *ctx;
} Acking;

static void acking_free(Acking *acking) {
    ack_free(acking->ack);
    arena_free(acking->arena);
    free(acking);
}

static void apply(Acking *acking) {
    Core *core = acking->core;
    const char *by = acking->ack ? acking->ack->by : "", *comment = acking->ack ? acking->ack->comment : "";
    LOG(INFO, acking->ack ? "an alert was acknowledged" : "an acknowledgement was taken back",
        KV("fingerprint", acking->fingerprint), KV("by", by), KV("comment", comment));
    if (acking->ack)
        acks_put(core->acks, GIVE(acking->ack));
    else
        acks_remove(core->acks, acking->fingerprint);
    for (size_t i = 0; i < acking->touch_count; i++)
        groups_apply_touch(core->groups, &acking->touches[i], acking->fingerprint);
    /* As a batch's: memory is what the file is first, then both are routed anew. */
    if (acking->touch_count && acking->routings != core->routings) core->reroute(core->ctx);
    core->wake(core->ctx);
}

static void committed(void *ctx, StoreOutcome outcome) {
    Acking *acking = ctx;
    acking->core->acks_under_way--;
    if (outcome == STORE_OK) apply(acking);
    if (outcome == STORE_FULL) acking->core->state_full(acking->core->ctx, true);
    if (acking->done) acking->done(acking->ctx, outcome == STORE_OK ? ENGINE_DONE : ENGINE_STORE_FULL);
    acking_free(acking);
}

static Acking *acking_new(Core *core, const char *fingerprint, EngineChanged *done, void *ctx) {
    Acking *acking = alloc_zeroed(1, sizeof *acking);
    *acking = (Acking){.core = core, .routings = core->routings, .done = done, .ctx = ctx};
    core->acks_under_way++;
    snprintf(acking->fingerprint, sizeof acking->fingerprint, "%s", fingerprint);
    acking->arena = arena_new();
    const GroupWorld world = core_world(core);
    acking->touch_count = groups_look(core->groups, &world, fingerprint, acking->arena, &acking->touches);
    return acking;
}

void acking_put(Core *core, Ack *take_ack, EngineChanged *done, void *ctx) {
    Acking *acking = acking_new(core, take_ack->fingerprint, done, ctx);
    acking->ack = take_ack;
    const AckRow row = ack_row(take_ack);
    const StoreBatch batch = {
        .acks = &row, .ack_count = 1, .touches = acking->touches, .touch_count = acking->touch_count};
    store_commit_batch(core->store, &batch, committed, acking);
}

void acking_remove(Core *core, const char *fingerprint, EngineChanged *done, void *ctx) {
    const Instance *instance = instance_find(core->instances, fingerprint);
    if (!instance) return done(ctx, ENGINE_NOT_FOUND);
    if (!acks_find(core->acks, instance, clock_wall_ms(core->clock))) return done(ctx, ENGINE_WRONG_STATE);
    Acking *acking = acking_new(core, fingerprint, done, ctx);
    const char *gone = acking->fingerprint;
    const StoreBatch batch = {
        .ack_forget = &gone, .ack_forget_count = 1, .touches = acking->touches, .touch_count = acking->touch_count};
    store_commit_batch(core->store, &batch, committed, acking);
}

/* --- time --- */

void acking_load(Core *core, const StoreLoad *load) {
    for (size_t i = 0; i < load->ack_count; i++) {
        Ack *ack = ack_restore(&load->acks[i]);
        if (ack) acks_put(core->acks, ack);
    }
}

static Instance *find(void *ctx, const char *fingerprint) { return instance_find(ctx, fingerprint); }

static void pruned(void *ctx, StoreOutcome outcome) { (void)ctx, (void)outcome; } /* a later start prunes again */

void acking_prune(Core *core) {
    if (core->acks_under_way) return; /* a new one may stand where memory still has the stale one */
    const char *stale[PRUNED_AT_ONCE];
    const size_t count =
        acks_stale(core->acks, find, core->instances, clock_wall_ms(core->clock), stale, PRUNED_AT_ONCE);
    if (!count) return;
    store_commit_batch(core->store, &(StoreBatch){.ack_forget = stale, .ack_forget_count = count}, pruned, NULL);
    for (size_t i = 0; i < count; i++) acks_remove(core->acks, stale[i]);
}
