/* daemon/engine/batch.c: one transaction, then memory */
#include "engine/batch.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "engine/announcements.h"
#include "engine/composites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct Batch {
    Backlog *backlog;
    Arena *arena; /* rows and their texts */
    InstanceChange **changes;
    size_t change_count;
    InstanceRow *instances;
    HistoryRow *history;
    DecisionRow *decisions;
    GroupTouch *touches;
    const char **touched; /* parallel to touches: whose fingerprint */
    const char **forget;
    CursorRow *cursors;
    SeenRow *seen;
    MatchRow *matches;
    ForgetBefore *seen_forget, *match_forget;
    StoreBatch rows;
    uint64_t routings; /* of the core's, when its touches were routed */
    bool is_applied;
    BatchDone *done;
    void *ctx;
    Batch *next;
};

struct Backlog {
    Core *core;
    Announcements *announcements;
    Batch *first, **last;
    size_t count;
    bool is_trying;
    int64_t next_try_ms; /* boot clock */
};

Backlog *backlog_new(Core *core) {
    Backlog *backlog = alloc_zeroed(1, sizeof *backlog);
    backlog->core = core;
    backlog->announcements = announcements_new(core);
    backlog->last = &backlog->first;
    return backlog;
}

size_t backlog_count(const Backlog *backlog) { return backlog->count; }

bool backlog_is_announcing(const Backlog *backlog) { return announcements_wait(backlog->announcements); }

Batch *batch_new(Backlog *backlog) {
    Batch *batch = alloc_zeroed(1, sizeof *batch);
    batch->backlog = backlog;
    batch->arena = arena_new();
    batch->routings = backlog->core->routings;
    return batch;
}

/* Memory knows its changes and groups from here on, or never will. */
static void end_of_way(Batch *batch) {
    if (batch->is_applied) return;
    batch->is_applied = true;
    batch->backlog->core->touches_under_way -= batch->rows.touch_count;
    batch->backlog->core->changes_under_way -= batch->change_count;
}

Batch *batch_free(Batch *batch) {
    if (!batch) return NULL;
    end_of_way(batch);
    for (size_t i = 0; i < batch->change_count; i++) change_free(batch->changes[i]);
    free(batch->changes);
    free(batch->instances);
    free(batch->history);
    free(batch->decisions);
    free(batch->touches);
    free(batch->touched);
    free(batch->forget);
    free(batch->cursors);
    free(batch->seen);
    free(batch->matches);
    free(batch->seen_forget);
    free(batch->match_forget);
    arena_free(batch->arena);
    free(batch);
    return NULL;
}

Backlog *backlog_free(Backlog *backlog) {
    if (!backlog) return NULL;
    while (backlog->first) {
        Batch *batch = backlog->first;
        backlog->first = batch->next;
        batch_free(batch);
    }
    announcements_free(backlog->announcements);
    free(backlog);
    return NULL;
}

/* --- gathering --- */

void batch_forget(Batch *batch, const char *fingerprint) {
    batch->forget = alloc_again(batch->forget, batch->rows.forget_count + 1, sizeof *batch->forget);
    batch->forget[batch->rows.forget_count++] = arena_text(batch->arena, fingerprint);
}

void batch_cursor(Batch *batch, const char *name, const char *value_json) {
    batch->cursors = alloc_again(batch->cursors, batch->rows.cursor_count + 1, sizeof *batch->cursors);
    batch->cursors[batch->rows.cursor_count++] =
        (CursorRow){arena_text(batch->arena, name), value_json ? arena_text(batch->arena, value_json) : NULL};
}

void batch_seen(Batch *batch, const char *scope, const char *id, int64_t seen_ms) {
    batch->seen = alloc_again(batch->seen, batch->rows.seen_count + 1, sizeof *batch->seen);
    batch->seen[batch->rows.seen_count++] =
        (SeenRow){arena_text(batch->arena, scope), arena_text(batch->arena, id), seen_ms};
}

void batch_match(Batch *batch, const MatchRow *row) {
    batch->matches = alloc_again(batch->matches, batch->rows.match_count + 1, sizeof *batch->matches);
    MatchRow *own = &batch->matches[batch->rows.match_count++];
    *own = *row;
    own->fingerprint = arena_text(batch->arena, row->fingerprint);
    own->event_id = arena_text(batch->arena, row->event_id);
    own->value = arena_text(batch->arena, row->value);
}

static void add_forget(Batch *batch, ForgetBefore **list, size_t *count, const char *key, int64_t before_ms) {
    *list = alloc_again(*list, *count + 1, sizeof **list);
    (*list)[(*count)++] = (ForgetBefore){arena_text(batch->arena, key), before_ms};
}

void batch_forget_seen(Batch *batch, const char *scope, int64_t before_ms) {
    add_forget(batch, &batch->seen_forget, &batch->rows.seen_forget_count, scope, before_ms);
}

void batch_forget_matches(Batch *batch, const char *fingerprint, int64_t before_ms) {
    add_forget(batch, &batch->match_forget, &batch->rows.match_forget_count, fingerprint, before_ms);
}

static void add_touches(Batch *batch, const InstanceChange *change) {
    Core *core = batch->backlog->core;
    const GroupWorld world = core_world(core);
    GroupTouch *touches;
    const size_t count =
        groups_touches(core->groups, &world, change->after.fingerprint, change->after.labels, batch->arena, &touches);
    const size_t before = batch->rows.touch_count;
    batch->touches = alloc_again(batch->touches, before + count + 1, sizeof *batch->touches);
    batch->touched = alloc_again(batch->touched, before + count + 1, sizeof *batch->touched);
    for (size_t i = 0; i < count; i++) {
        batch->touches[before + i] = touches[i];
        batch->touched[before + i] = arena_text(batch->arena, change->after.fingerprint);
    }
    batch->rows.touch_count = before + count;
    core->touches_under_way += count;
}

/* Nobody is to be told of this end: it is over at once. */
static void close_untold(Batch *batch, InstanceChange *change) {
    Instance *after = &change->after;
    if (!instance_is_resolved(after)) return;
    after->firing_since_ms = after->resolved_ms = 0;
    if (!after->gone) return;
    batch_forget(batch, after->fingerprint);
    change->persist = false;
}

static void add_history(Batch *batch, const InstanceChange *change) {
    const Instance *after = &change->after;
    const size_t before = batch->rows.history_count;
    batch->history = alloc_again(batch->history, before + change->transition_count + 1, sizeof *batch->history);
    for (size_t i = 0; i < change->transition_count; i++) {
        const Transition *t = &change->transitions[i];
        batch->history[before + i] = (HistoryRow){.time_ms = t->time_ms,
            .name = after->name,
            .fingerprint = after->fingerprint,
            .from = state_word(t->from),
            .to = state_word(t->to),
            .reason = t->reason,
            .value = t->value,
            .has_value = !isnan(t->value)};
    }
    batch->rows.history_count = before + change->transition_count;
}

/* A change that flapping or a suppressor keeps from people: no group hears of it, and so none can say why. */
static void add_decision(Batch *batch, const InstanceChange *change) {
    const Instance *after = &change->after;
    const Hold *hold = &after->hold;
    if (!change->transition_count || !hold_holds(hold)) return;
    const char *reason = hold->flap.is_flapping
        ? arena_text(batch->arena, "it flaps: what it changes to is not told until it is steady")
        : arena_format(batch->arena, "the change waits for the suppressor `%.255s`", hold->suppressor);
    batch->decisions = alloc_again(batch->decisions, batch->rows.decision_count + 1, sizeof *batch->decisions);
    batch->decisions[batch->rows.decision_count++] =
        (DecisionRow){.time_ms = change->transitions[change->transition_count - 1].time_ms,
            .fingerprint = after->fingerprint,
            .group_key = "",
            .receiver = "",
            .decision = "held",
            .reason = reason};
}

void batch_add(Batch *batch, InstanceChange *take_change) {
    InstanceChange *change = take_change;
    batch->changes = alloc_again(batch->changes, batch->change_count + 1, sizeof *batch->changes);
    batch->changes[batch->change_count++] = change;
    batch->backlog->core->changes_under_way++;
    const size_t touches = batch->rows.touch_count;
    if (change->tell) add_touches(batch, change);
    if (change->tell && batch->rows.touch_count == touches) close_untold(batch, change);
    add_history(batch, change);
    add_decision(batch, change);
    if (!change->persist) return;
    batch->instances = alloc_again(batch->instances, batch->rows.instance_count + 1, sizeof *batch->instances);
    batch->instances[batch->rows.instance_count++] = instance_row(&change->after, batch->arena);
}

/* --- memory becomes true --- */

static void apply_change(Core *core, InstanceChange *change, bool durable) {
    Instance *instance = instance_find(core->instances, change->after.fingerprint);
    if (!instance) { /* removed while the commit was under way: nothing is said of it */
        change->transition_count = 0;
        return;
    }
    instance_apply(instance, change, durable);
    mutes_follow(core->mutes, instance);
}

/* What the disk has not taken keeps its changes until it has. */
static void announce(Batch *batch, bool durable) {
    Announcements *announcements = batch->backlog->announcements;
    if (!durable) return announcements_say(announcements, batch->changes, batch->change_count);
    announcements_take(announcements, GIVE(batch->changes), batch->change_count);
    batch->change_count = 0;
}

static void apply(Batch *batch, bool durable) {
    if (batch->is_applied) return;
    end_of_way(batch);
    Core *core = batch->backlog->core;
    memory_apply(core->memory, &batch->rows);
    for (size_t i = 0; i < batch->change_count; i++) apply_change(core, batch->changes[i], durable);
    for (size_t i = 0; i < batch->rows.touch_count; i++)
        groups_apply_touch(core->groups, &batch->touches[i], batch->touched[i]);
    for (size_t i = 0; i < batch->rows.forget_count; i++) {
        Instance *instance = instance_find(core->instances, batch->forget[i]);
        mutes_forget(core->mutes, batch->forget[i]);
        if (instance) instance_remove(core->instances, instance);
    }
    announce(batch, durable);
    if (batch->rows.touch_count && batch->routings != core->routings) core->reroute(core->ctx);
    if (batch->rows.touch_count) core->wake(core->ctx);
    if (batch->rows.history_count || batch->rows.forget_count)
        composites_look(core->composites);
    else
        composites_evaluated(core->composites);
}

static void finish(Batch *batch) {
    BatchDone *done = batch->done;
    batch->done = NULL;
    if (done) done(batch->ctx);
}

/* --- the commit, and what a full disk makes of it --- */

static void mark_durable(Batch *batch) {
    for (size_t i = 0; i < batch->change_count; i++) {
        Instance *instance = instance_find(batch->backlog->core->instances, batch->changes[i]->after.fingerprint);
        if (instance) instance->durable = true;
    }
}

static void backlog_push(Backlog *backlog, Batch *batch) {
    batch->next = NULL;
    *backlog->last = batch;
    backlog->last = &batch->next;
    backlog->count++;
    if (backlog->count > 1) return;
    backlog->core->is_behind = true;
    backlog->next_try_ms = clock_boot_ms(backlog->core->clock) + BACKLOG_RETRY_MS;
    backlog->core->state_full(backlog->core->ctx, true);
}

static bool is_worth_keeping(const Batch *batch) {
    return batch->rows.instance_count || batch->rows.history_count || batch->rows.touch_count ||
        batch->rows.forget_count || batch->rows.seen_count || batch->rows.match_count;
}

static void committed(void *ctx, StoreOutcome outcome) {
    Batch *batch = ctx;
    if (outcome == STORE_STOPPED) { /* nothing became true, and nobody goes on from here */
        batch_free(batch);
        return;
    }
    Backlog *backlog = batch->backlog;
    const bool keep = outcome == STORE_FULL && is_worth_keeping(batch) && backlog->count < BACKLOG_MAX;
    apply(batch, outcome == STORE_OK);
    if (outcome == STORE_OK && !backlog->count) backlog->core->state_full(backlog->core->ctx, false);
    finish(batch);
    if (keep)
        backlog_push(backlog, batch);
    else
        batch_free(batch);
}

/* The outcome is an empty transaction's: this batch was not handed in, so that it cannot overtake an older one. */
static void behind_backlog(void *ctx, StoreOutcome outcome) {
    Batch *batch = ctx;
    if (outcome == STORE_STOPPED || batch->backlog->count)
        committed(batch, outcome == STORE_STOPPED ? STORE_STOPPED : STORE_FULL);
    else /* the older ones are on disk by now */
        store_commit_batch(batch->backlog->core->store, &batch->rows, committed, batch);
}

void batch_commit(Batch *take_batch, BatchDone *done, void *ctx) {
    Batch *batch = take_batch;
    Store *store = batch->backlog->core->store;
    batch->done = done;
    batch->ctx = ctx;
    batch->rows.instances = batch->instances;
    batch->rows.history = batch->history;
    batch->rows.decisions = batch->decisions;
    batch->rows.touches = batch->touches;
    batch->rows.forget = batch->forget;
    batch->rows.cursors = batch->cursors;
    batch->rows.seen = batch->seen;
    batch->rows.matches = batch->matches;
    batch->rows.seen_forget = batch->seen_forget;
    batch->rows.match_forget = batch->match_forget;
    if (batch->backlog->count)
        store_commit_batch(store, &(StoreBatch){0}, behind_backlog, batch);
    else
        store_commit_batch(store, &batch->rows, committed, batch);
}

static void try_again(Backlog *backlog);

static void tried_again(void *ctx, StoreOutcome outcome) {
    Batch *batch = ctx;
    Backlog *backlog = batch->backlog;
    backlog->is_trying = false;
    if (outcome == STORE_STOPPED) return; /* backlog_free() has it */
    if (outcome == STORE_FULL) {
        backlog->next_try_ms = clock_boot_ms(backlog->core->clock) + BACKLOG_RETRY_MS;
        return;
    }
    mark_durable(batch);
    backlog->first = batch->next;
    if (!backlog->first) backlog->last = &backlog->first;
    backlog->count--;
    batch_free(batch);
    if (!backlog->count) {
        backlog->core->is_behind = false;
        backlog->core->state_full(backlog->core->ctx, false);
        backlog->core->wake(backlog->core->ctx);
    }
    try_again(backlog);
}

static void try_again(Backlog *backlog) {
    if (!backlog->count || backlog->is_trying || clock_boot_ms(backlog->core->clock) < backlog->next_try_ms) return;
    backlog->is_trying = true;
    store_commit_batch(backlog->core->store, &backlog->first->rows, tried_again, backlog->first);
}

void backlog_tick(Backlog *backlog) {
    announcements_tick(backlog->announcements);
    try_again(backlog);
}
