/* daemon/engine/own.c: what Tocsin says about itself */
#include "engine/own.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/table.h"
#include "engine/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const OwnKind own_source_failing = {
    "TocsinSourceFailing", SEVERITY_ERROR, "Tocsin cannot read a source: the alarms that hang on it are blind."};
const OwnKind own_delivery_failing = {
    "TocsinDeliveryFailing", SEVERITY_CRITICAL, "Tocsin cannot deliver through a receiver: its notifications wait."};
const OwnKind own_reload_failed = {
    "TocsinReloadFailed", SEVERITY_WARNING, "The last reload was refused: the old configuration is still in force."};
const OwnKind own_state_full = {"TocsinStateFull", SEVERITY_CRITICAL,
    "There is no room to write Tocsin's state: a restart now would forget what happens."};
const OwnKind own_state_lost = {"TocsinStateLost", SEVERITY_CRITICAL,
    "The state file could not be read and was set aside: Tocsin began afresh and may tell things again."};
const OwnKind own_clock_skew = {"TocsinClockSkew", SEVERITY_WARNING, "This machine's clock disagrees with AWS's."};
const OwnKind own_feed_quiet = {"TocsinFeedQuiet", SEVERITY_ERROR,
    "CloudTrail answers, but does not show what must be there: events may be missing."};
const OwnKind own_instance_overflow = {"TocsinInstanceOverflow", SEVERITY_WARNING,
    "An alarm matches more series than it may watch: some are not watched."};

typedef struct Entry {
    char fingerprint[FINGERPRINT_TEXT];
    Own *own;
    const OwnKind *kind;
    Labels *series;
    Severity severity;
    char *reason;
    bool holds, is_committing;
    UT_hash_handle hh;
} Entry;

struct Own {
    Core *core;
    Backlog *backlog;
    Entry *entries;
};

Own *own_new(Core *core, Backlog *backlog) {
    Own *own = alloc_zeroed(1, sizeof *own);
    own->core = core;
    own->backlog = backlog;
    return own;
}

static void entry_remove(Entry *entry) {
    HASH_DEL(entry->own->entries, entry);
    labels_free(entry->series);
    free(entry->reason);
    free(entry);
}

Own *own_free(Own *own) {
    if (!own) return NULL;
    Entry *entry, *next;
    HASH_ITER(hh, own->entries, entry, next) entry_remove(entry);
    free(own);
    return NULL;
}

static void own_fingerprint(const OwnKind *kind, const Labels *series, char ret_text[static FINGERPRINT_TEXT]) {
    fingerprint_make(
        kind->name, labels_get(series, "account"), labels_get(series, "region"), SOURCE_TOCSIN, series, ret_text);
}

static Instance *own_instance(Entry *entry) {
    Core *core = entry->own->core;
    return instance_get(core->instances, entry->kind->name, labels_get(entry->series, "account"),
        labels_get(entry->series, "region"), SOURCE_TOCSIN, entry->series, clock_wall_ms(core->clock));
}

static void pump(Entry *entry);

static void committed(void *ctx) {
    Entry *entry = ctx;
    entry->is_committing = false;
    pump(entry); /* the condition may have turned meanwhile */
}

static void commit(Entry *entry, InstanceChange *take_change) {
    Batch *batch = batch_new(entry->own->backlog);
    batch_add(batch, take_change);
    entry->is_committing = true;
    batch_commit(batch, committed, entry);
}

static void say(const Entry *entry) {
    if (entry->holds)
        LOG(WARNING, "own alarm raised", KV("alarm", entry->kind->name), KV("reason", entry->reason));
    else
        LOG(INFO, "own alarm cleared", KV("alarm", entry->kind->name), KV("reason", entry->reason));
}

static void update_reason(Instance *instance, const char *reason) {
    if (!strcmp(instance->facts.reason, reason)) return;
    free(instance->facts.reason);
    instance->facts.reason = text_copy(reason);
}

static void pump(Entry *entry) {
    if (entry->is_committing) return;
    Instance *instance = own_instance(entry);
    const AlarmState wanted = entry->holds ? STATE_ALARM : STATE_OK;
    const bool is_new_severity = entry->holds && instance->severity != entry->severity;
    if (is_new_severity || !*labels_get(instance->labels, "alertname"))
        instance_attach_own(instance, entry->severity, entry->kind->description);
    if (instance->memory.state == wanted && !is_new_severity) {
        update_reason(instance, entry->reason);
        return;
    }
    InstanceChange *change = change_new(instance);
    change_state(change, wanted, NAN, entry->reason, clock_wall_ms(entry->own->core->clock));
    change->persist = change->tell = true;
    say(entry);
    commit(entry, change);
}

static Entry *entry_make(Own *own, const char *fingerprint, const OwnKind *kind, const Labels *series) {
    Entry *entry = alloc_zeroed(1, sizeof *entry);
    memcpy(entry->fingerprint, fingerprint, FINGERPRINT_TEXT);
    entry->own = own;
    entry->kind = kind;
    entry->series = labels_merge(series, NULL);
    HASH_ADD_STR(own->entries, fingerprint, entry);
    return entry;
}

void own_set_severity(
    Own *own, const OwnKind *kind, Severity severity, const Labels *series, bool holds, const char *reason) {
    char fingerprint[FINGERPRINT_TEXT];
    own_fingerprint(kind, series, fingerprint);
    Entry *entry;
    HASH_FIND_STR(own->entries, fingerprint, entry);
    if (!entry) {
        const Instance *restored = instance_find(own->core->instances, fingerprint);
        if (!holds && (!restored || restored->memory.state == STATE_OK)) return;
        if (HASH_COUNT(own->entries) >= OWN_ENTRIES) return;
        entry = entry_make(own, fingerprint, kind, series);
    }
    entry->holds = holds;
    entry->severity = severity;
    free(entry->reason);
    entry->reason = text_copy(reason);
    pump(entry);
}

void own_set(Own *own, const OwnKind *kind, const Labels *series, bool holds, const char *reason) {
    own_set_severity(own, kind, kind->severity, series, holds, reason);
}

void own_clear_others(
    Own *own, const OwnKind *kind, bool (*keep)(void *ctx, const Labels *series), void *ctx, const char *reason) {
    const Instance *next;
    for (const Instance *i = instances_next(own->core->instances, NULL); i; i = next) {
        next = instances_next(own->core->instances, i);
        if (strcmp(i->source, SOURCE_TOCSIN) || strcmp(i->name, kind->name) || i->memory.state == STATE_OK) continue;
        if (!keep(ctx, i->series))
            own_set(own, kind, i->series, false, reason); /* should it add one: that comes behind */
    }
}

static bool is_over(const Instance *instance, int64_t now_ms) {
    return !strcmp(instance->source, SOURCE_TOCSIN) && instance->memory.state == STATE_OK &&
        !instance->firing_since_ms && now_ms - instance->since_ms > OWN_LISTED_MS;
}

void own_expire(Own *own) {
    const int64_t now_ms = clock_wall_ms(own->core->clock);
    Batch *batch = NULL;
    for (Instance *i = instances_next(own->core->instances, NULL); i; i = instances_next(own->core->instances, i)) {
        if (!is_over(i, now_ms)) continue;
        Entry *entry;
        HASH_FIND_STR(own->entries, i->fingerprint, entry);
        if (entry && (entry->is_committing || entry->holds)) continue;
        if (entry) entry_remove(entry);
        if (!batch) batch = batch_new(own->backlog);
        batch_forget(batch, i->fingerprint);
    }
    if (batch) batch_commit(batch, NULL, NULL);
}
