#include "engine/composites.h"

#include "base/alloc.h"
#include "base/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    const Alarm *alarm;
    char fingerprint[FINGERPRINT_TEXT];
    int64_t since_ms; /* when it was attached */
    bool is_committing, was_looked; /* looked at since the start */
} Entry;

/* An alarm that composites watch. */
typedef struct Child {
    const char *name;
    const char *account, *region; /* where it watches; "" where in several */
    bool has_place;
    StateTally tally;
    UT_hash_handle hh;
} Child;

struct Composites {
    Core *core;
    Backlog *backlog;
    Entry *entries;
    size_t count;
    int64_t down_s, resumed_ms; /* of a restart: when evaluation had ended (0: not known), and when it was */
    bool is_waiting; /* a new one, for the first evaluation of what it watches */
    Child *children;
};

Composites *composites_new(Core *core, Backlog *backlog) {
    Composites *all = alloc_zeroed(1, sizeof *all);
    all->core = core;
    all->backlog = backlog;
    return all;
}

static void drop_all(Composites *all) {
    Child *child, *next;
    HASH_ITER(hh, all->children, child, next) {
        HASH_DEL(all->children, child);
        free(child);
    }
    free(all->entries);
    all->entries = NULL;
    all->count = 0;
}

static Entry *entry_find(Entry *entries, size_t count, const char *fingerprint) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(entries[i].fingerprint, fingerprint)) return &entries[i];
    return NULL;
}

Composites *composites_free(Composites *all) {
    if (!all) return NULL;
    drop_all(all);
    free(all);
    return NULL;
}

static Child *child_find(const Composites *all, const char *name) {
    Child *child;
    HASH_FIND_STR(all->children, name, child);
    return child;
}

static void child_make(Composites *all, const char *name) {
    if (child_find(all, name)) return;
    Child *child = alloc_zeroed(1, sizeof *child);
    child->name = name;
    HASH_ADD_KEYPTR(hh, all->children, child->name, strlen(child->name), child);
}

/* --- where it is --- */

/* What two places share. */
static void meet(const char **account, const char **region, bool *has_place, const char *a, const char *r) {
    *account = !*has_place || !strcmp(*account, a) ? a : "";
    *region = !*has_place || !strcmp(*region, r) ? r : "";
    *has_place = true;
}

static void place_children(Composites *all, const Watch *watches, const Alarm *const *alarms, size_t count) {
    for (size_t w = 0; w < count; w++) {
        Child *child = child_find(all, alarms[w]->name);
        if (child) meet(&child->account, &child->region, &child->has_place, watches[w].account, watches[w].region);
    }
}

/* The composite's place is known when those of its children are: composites among them come first. Cycles are refused
 * at load; the bound holds all the same. */
static bool place_composite(Composites *all, const Alarm *alarm, const char **ret_account, const char **ret_region) {
    const Composite *rule = alarm->composite->rule;
    bool has_place = false;
    *ret_account = *ret_region = "";
    for (size_t i = 0; i < composite_children(rule); i++) {
        const Child *child = child_find(all, composite_child(rule, i));
        if (child && child->has_place) meet(ret_account, ret_region, &has_place, child->account, child->region);
    }
    return has_place;
}

static bool waits_for_place(const Composites *all, const Snapshot *snapshot, const Alarm *alarm) {
    const Composite *rule = alarm->composite->rule;
    for (size_t i = 0; i < composite_children(rule); i++) {
        const Child *child = child_find(all, composite_child(rule, i));
        const Alarm *watched = alarm_find(snapshot, composite_child(rule, i));
        if (child && !child->has_place && watched && watched->composite && watched->enabled) return true;
    }
    return false;
}

static void attach_one(Composites *all, Entry *entry, const char *account, const char *region) {
    Core *core = all->core;
    Instance *instance = instance_get(
        core->instances, entry->alarm->name, account, region, SOURCE_COMPOSITE, NULL, clock_wall_ms(core->clock));
    instance_attach(instance, entry->alarm, *account ? aws_account_id(core->aws, account) : "");
    instance_facts_name(&instance->facts, entry->alarm->composite->text);
    memcpy(entry->fingerprint, instance->fingerprint, FINGERPRINT_TEXT);
}

static bool attach_round(Composites *all, const Snapshot *snapshot, bool is_last) {
    bool goes_on = false;
    for (size_t i = 0; i < all->count; i++) {
        Entry *entry = &all->entries[i];
        if (*entry->fingerprint || (!is_last && waits_for_place(all, snapshot, entry->alarm))) continue;
        const char *account, *region;
        const bool has_place = place_composite(all, entry->alarm, &account, &region);
        attach_one(all, entry, account, region);
        Child *self = child_find(all, entry->alarm->name);
        if (self && !self->has_place) meet(&self->account, &self->region, &self->has_place, account, region);
        goes_on = goes_on || has_place || self;
    }
    return goes_on;
}

static size_t count_composites(const AlarmsSection *section) {
    size_t count = 0;
    for (size_t i = 0; i < section->count; i++) count += section->alarms[i].composite && section->alarms[i].enabled;
    return count;
}

static void list_entries(Composites *all, const AlarmsSection *section) {
    all->entries = alloc_zeroed(count_composites(section) + 1, sizeof *all->entries);
    for (size_t i = 0; i < section->count; i++) {
        const Alarm *alarm = &section->alarms[i];
        if (!alarm->composite || !alarm->enabled) continue;
        all->entries[all->count++] = (Entry){.alarm = alarm, .since_ms = clock_boot_ms(all->core->clock)};
        const Composite *rule = alarm->composite->rule;
        for (size_t c = 0; c < composite_children(rule); c++) child_make(all, composite_child(rule, c));
        if (alarm->composite->suppressor) child_make(all, alarm->composite->suppressor);
    }
}

void composites_attach(
    Composites *all, Snapshot *snapshot, const Watch *watches, const Alarm *const *alarms, size_t count) {
    if (!all) return;
    Entry *before = all->entries;
    const size_t before_count = all->count;
    all->entries = NULL;
    drop_all(all);
    list_entries(all, snapshot_section(snapshot, &alarms_section));
    place_children(all, watches, alarms, count);
    size_t rounds = 0;
    while (rounds++ < all->count && attach_round(all, snapshot, false)) {}
    attach_round(all, snapshot, true);
    for (size_t i = 0; i < before_count; i++) { /* a change on its way is not made again */
        Entry *same = entry_find(all->entries, all->count, before[i].fingerprint);
        if (!same) continue;
        same->is_committing = before[i].is_committing;
        same->was_looked = before[i].was_looked;
    }
    free(before);
}

void composites_resume(Composites *all, int64_t down_s) {
    all->down_s = down_s;
    all->resumed_ms = clock_wall_ms(all->core->clock);
}

/* --- what the children are --- */

bool state_tally_state(const StateTally *tally, AlarmState *ret_state) {
    const size_t *states = tally->states;
    if (!states[STATE_OK] && !states[STATE_ALARM] && !states[STATE_INSUFFICIENT_DATA]) return false;
    *ret_state = states[STATE_ALARM] ? STATE_ALARM : states[STATE_OK] ? STATE_OK : STATE_INSUFFICIENT_DATA;
    return true;
}

static void tally(Composites *all) {
    for (Child *child = all->children; child; child = child->hh.next) child->tally = (StateTally){0};
    Instances *table = all->core->instances;
    for (const Instance *i = instances_next(table, NULL); i; i = instances_next(table, i)) {
        Child *child = i->alarm && !i->gone ? child_find(all, i->name) : NULL;
        if (!child) continue;
        child->tally.states[i->memory.state]++;
        child->tally.unlooked += !i->evaluated_ms || i->evaluated_ms < all->resumed_ms;
    }
}

static bool state_of(void *ctx, const char *name, AlarmState *ret_state) {
    const Child *child = child_find(ctx, name);
    return child && state_tally_state(&child->tally, ret_state);
}

static AlarmState suppressor_state(const Composites *all, const CompositeAlarm *composite) {
    AlarmState state = STATE_OK; /* one that is not there holds nothing */
    if (composite->suppressor) state_of((void *)all, composite->suppressor, &state);
    return state;
}

static bool is_unlooked(const Composites *all, const Composite *rule) {
    for (size_t i = 0; i < composite_children(rule); i++) {
        const Child *child = child_find(all, composite_child(rule, i));
        if (child && child->tally.unlooked) return true;
    }
    return false;
}

/* `the rule is true: a is ALARM, b is OK`; caller frees. */
static char *reason_of(Composites *all, const Composite *rule, AlarmState state) {
    Buffer out = BUFFER(REASON_MAX);
    buffer_format(&out, "the rule is %s", state == STATE_ALARM ? "true" : "false");
    const size_t count = composite_children(rule);
    for (size_t i = 0; i < count && i < COMPOSITE_NAMED; i++) {
        AlarmState child;
        const char *name = composite_child(rule, i);
        const bool is_there = state_of(all, name, &child);
        buffer_format(&out, "%s %.120s %s%s", i ? "," : ":", name, is_there ? "is " : "does not exist",
            is_there ? state_word(child) : "");
    }
    if (count > COMPOSITE_NAMED) buffer_format(&out, " and %zu more", count - COMPOSITE_NAMED);
    return buffer_take(&out);
}

/* NULL: none is missing. Caller frees. */
static char *missing_text(Composites *all, const Composite *rule) {
    Buffer out = BUFFER(REASON_MAX);
    AlarmState state;
    for (size_t i = 0; i < composite_children(rule); i++)
        if (!state_of(all, composite_child(rule, i), &state))
            buffer_format(&out, "%s%.120s", out.used ? ", " : "", composite_child(rule, i));
    if (!out.used) return buffer_deinit(&out), NULL;
    OWN(text) char *names = buffer_take(&out);
    return text_format("not there to be watched, so what asks for it is false: %s", names);
}

/* --- a change --- */

typedef struct Commit {
    Composites *all;
    char fingerprint[FINGERPRINT_TEXT];
} Commit;

static void committed(void *ctx) {
    Commit *commit = ctx;
    Composites *all = commit->all;
    Entry *entry = entry_find(all->entries, all->count, commit->fingerprint);
    if (entry) entry->is_committing = false;
    free(commit);
    composites_look(all);
    all->core->wake(all->core->ctx); /* a wait may have begun */
}

static void commit_change(Composites *all, Entry *entry, InstanceChange *take_change) {
    Commit *commit = alloc_zeroed(1, sizeof *commit);
    commit->all = all;
    memcpy(commit->fingerprint, entry->fingerprint, FINGERPRINT_TEXT);
    entry->is_committing = true;
    Batch *batch = batch_new(all->backlog);
    batch_add(batch, take_change);
    batch_commit(batch, committed, commit);
}

static void take_suppressor(
    Hold *hold, const CompositeAlarm *composite, AlarmState state, AlarmState suppressor, int64_t now_ms) {
    if (hold->suppressor && !strcmp(hold->suppressor, composite->suppressor)) return;
    if (hold->suppressor)
        suppression_replace(&composite->suppression, &hold->suppression, suppressor, now_ms);
    else
        hold->suppression = suppression_begin(state, suppressor);
    free(hold->suppressor);
    hold->suppressor = text_copy(composite->suppressor);
}

/* What the suppressor makes of the state that is reached now. */
static void suppress(
    InstanceChange *change, const CompositeAlarm *composite, AlarmState to, AlarmState suppressor, int64_t now_ms) {
    Instance *after = &change->after;
    Hold *hold = &after->hold;
    if (!composite->suppressor) {
        const bool was_owed = hold->suppression.is_owed;
        hold->suppression = (SuppressionMemory){0};
        free(hold->suppressor);
        hold->suppressor = NULL;
        if (was_owed) change_tell(change, now_ms);
        return;
    }
    take_suppressor(hold, composite, after->memory.state, suppressor, now_ms);
    const SuppressionActions actions =
        suppression_step(&composite->suppression, &hold->suppression, to, suppressor, now_ms);
    for (size_t i = 0; i < actions.count; i++)
        if (actions.states[i] == after->memory.state) change_tell(change, now_ms); /* else the change itself tells */
    change->persist = true;
}

static bool is_resumed(const Composites *all, const Entry *entry, const Instance *instance) {
    return all->down_s && !entry->was_looked && instance->hold.pending.phase == PENDING_PENDING;
}

/* Does it wait for the first evaluation of what it watches? A new one has nothing to judge by, and what `for` counts
 * would go by states of before the start: down time is no evidence (I16). */
static bool waits_for_children(const Composites *all, const Entry *entry, const Instance *instance) {
    const bool is_new = instance->hold.judged == STATE_INSUFFICIENT_DATA;
    const bool is_pending = !entry->was_looked && instance->hold.pending.phase == PENDING_PENDING;
    return (is_new || is_pending) && is_unlooked(all, entry->alarm->composite->rule) &&
        clock_boot_ms(all->core->clock) - entry->since_ms < COMPOSITE_FIRST_MS;
}

/* Must it be looked at more closely? */
static bool has_news(
    const Composites *all, const Entry *entry, const Instance *instance, AlarmState judged, AlarmState suppressor) {
    const CompositeAlarm *composite = instance->alarm->composite;
    const Hold *hold = &instance->hold;
    const int64_t now_ms = clock_wall_ms(all->core->clock);
    if (judged != hold->judged || is_resumed(all, entry, instance)) return true;
    if (hold->pending.phase == PENDING_INACTIVE && judged != instance->memory.state) return true;
    if (hold_pend_due_ms(&instance->alarm->hold.pending, hold) <= now_ms) return true;
    if ((composite->suppressor != NULL) != (hold->suppressor != NULL)) return true;
    if (composite->suppressor &&
        (strcmp(composite->suppressor, hold->suppressor) || hold->suppression.suppressor != suppressor ||
            suppression_due_ms(&hold->suppression) <= now_ms))
        return true;
    if (instance->alarm->hold.flap.high_percent <= 0) return hold->flap.has_begun;
    return hold_flap_settles(hold) && now_ms - hold->flap_ms >= HOLD_FEED_MS;
}

/* Judged to be `judged`: what is shown of it, what is told of that, and why. */
static void take_judged(
    Composites *all, const Entry *entry, InstanceChange *change, AlarmState judged, AlarmState suppressor) {
    Instance *after = &change->after;
    const CompositeAlarm *composite = entry->alarm->composite;
    const AlarmState was_judged = after->hold.judged, shown = after->memory.state;
    const int64_t now_ms = clock_wall_ms(all->core->clock);
    if (is_resumed(all, entry, after))
        pending_resume(&after->alarm->hold.pending, &after->hold.pending, all->down_s, now_ms / 1000);
    const AlarmState to = change_judge(change, judged, now_ms);
    suppress(change, composite, to, suppressor, now_ms);
    OWN(text)
    char *reason = judged == was_judged && to == shown ? NULL : reason_of(all, composite->rule, judged);
    change_show(change, to, NAN, reason, now_ms);
}

static void look_at(Composites *all, Entry *entry) {
    Instance *instance = instance_find(all->core->instances, entry->fingerprint);
    if (!instance || !instance->alarm || entry->is_committing) return;
    const CompositeAlarm *composite = entry->alarm->composite;
    const int64_t now_ms = clock_wall_ms(all->core->clock);
    if (waits_for_children(all, entry, instance)) {
        all->is_waiting = true;
        return;
    }
    size_t missing;
    const AlarmState judged = composite_evaluate(composite->rule, state_of, all, &missing);
    const AlarmState suppressor = suppressor_state(all, composite);
    free(instance->evaluation_error);
    instance->evaluation_error = missing ? missing_text(all, composite->rule) : NULL;
    instance->evaluated_ms = now_ms;
    if (!has_news(all, entry, instance, judged, suppressor)) {
        entry->was_looked = true;
        return;
    }
    InstanceChange *change = change_new(instance);
    take_judged(all, entry, change, judged, suppressor);
    entry->was_looked = true;
    commit_change(all, entry, change);
}

void composites_look(Composites *all) {
    if (!all || !all->count) return;
    tally(all);
    all->is_waiting = false;
    for (size_t i = 0; i < all->count; i++) look_at(all, &all->entries[i]);
}

void composites_evaluated(Composites *all) {
    if (all && all->is_waiting) composites_look(all);
}

/* --- time --- */

static int64_t entry_next_ms(const Composites *all, const Entry *entry) {
    const Instance *instance = instance_find(all->core->instances, entry->fingerprint);
    if (!instance || !instance->alarm || entry->is_committing) return INT64_MAX;
    const int64_t now_ms = clock_wall_ms(all->core->clock), boot_ms = clock_boot_ms(all->core->clock);
    int64_t next_ms = instance->hold.suppressor ? suppression_due_ms(&instance->hold.suppression) : INT64_MAX;
    int64_t also_ms = INT64_MAX;
    if (instance->hold.judged == STATE_INSUFFICIENT_DATA || waits_for_children(all, entry, instance))
        also_ms = now_ms + entry->since_ms + COMPOSITE_FIRST_MS - boot_ms;
    else
        also_ms = hold_pend_due_ms(&instance->alarm->hold.pending, &instance->hold);
    if (also_ms < next_ms) next_ms = also_ms;
    if (instance->alarm->hold.flap.high_percent <= 0 || !hold_flap_settles(&instance->hold)) return next_ms;
    also_ms = instance->hold.flap_ms + HOLD_FEED_MS;
    return also_ms < next_ms ? also_ms : next_ms;
}

int64_t composites_next_wall_ms(const Composites *all) {
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < all->count; i++) {
        const int64_t entry_ms = entry_next_ms(all, &all->entries[i]);
        if (entry_ms < next_ms) next_ms = entry_ms;
    }
    return next_ms;
}

void composites_tick(Composites *all) {
    if (composites_next_wall_ms(all) <= clock_wall_ms(all->core->clock)) composites_look(all);
}

void composites_shift(Composites *all, int64_t by_ms) {
    for (size_t i = 0; i < all->count; i++) {
        Instance *instance = instance_find(all->core->instances, all->entries[i].fingerprint);
        if (!instance) continue;
        Hold *hold = &instance->hold;
        if (hold->suppression.phase != SUPPRESSION_IDLE) hold->suppression.due_ms += by_ms;
        if (hold->flap_ms) hold->flap_ms += by_ms;
        if (hold->pending.phase == PENDING_INACTIVE) continue;
        hold->pending.active_s += by_ms / 1000;
        if (hold->pending.is_kept) hold->pending.ended_s += by_ms / 1000;
    }
}
