/* daemon/engine/closing.c: the end of what people had open */
#include "engine/closing.h"

#include "base/alloc.h"

#include <stdlib.h>

struct Closing {
    Core *core;
    Arena *arena;
    InstanceTold *told;
    size_t count;
};

Closing *closing_new(Core *core, size_t room) {
    Closing *closing = alloc_zeroed(1, sizeof *closing);
    *closing = (Closing){.core = core, .arena = arena_new()};
    closing->told = arena_alloc(closing->arena, room + 1, sizeof *closing->told);
    return closing;
}

static void closing_free(Closing *closing) {
    arena_free(closing->arena);
    free(closing);
}

void closing_add(Closing *closing, const Instance *instance) {
    if (!instance || !instance_is_resolved(instance)) return;
    if (groups_know(closing->core->groups, instance->fingerprint)) return;
    closing->told[closing->count++] =
        (InstanceTold){arena_text(closing->arena, instance->fingerprint), instance->resolved_ms};
}

static void close_told(Core *core, const InstanceTold *told) {
    Instance *instance = instance_find(core->instances, told->fingerprint);
    if (!instance || instance->resolved_ms != told->resolved_ms) return; /* it fired again meanwhile */
    instance->firing_since_ms = instance->resolved_ms = 0;
    if (instance->gone) instance_remove(core->instances, instance);
}

static void closed(void *ctx, StoreOutcome outcome) {
    Closing *closing = ctx;
    Core *core = closing->core;
    /* With no room for it, too: the next start comes to the same. */
    for (size_t i = 0; outcome != STORE_STOPPED && i < closing->count; i++) close_told(core, &closing->told[i]);
    if (outcome == STORE_FULL) core->state_full(core->ctx, true);
    closing_free(closing);
}

void closing_commit(Closing *take_closing) {
    Closing *closing = take_closing;
    const StoreBatch batch = {.told = closing->told, .told_count = closing->count};
    if (closing->count)
        store_commit_batch(closing->core->store, &batch, closed, closing);
    else
        closing_free(closing);
}

void closing_of_all(Core *core) {
    Closing *closing = closing_new(core, instances_count(core->instances));
    for (Instance *i = instances_next(core->instances, NULL); i; i = instances_next(core->instances, i))
        closing_add(closing, i);
    closing_commit(closing);
}
