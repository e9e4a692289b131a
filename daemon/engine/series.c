/* daemon/engine/series.c: instances that come and go with what polls find */
#include "engine/series.h"

#include "alarms/instance_link.h"
#include "base/alloc.h"
#include "base/table.h"
#include "base/timetext.h"

#include <string.h>

enum { GONE_TEXT_MAX = 160 };
#define NO_SERIES "no series"
#define NO_MATCH "no match"

/* An instance of a watch. Named, not pointed to: it may be removed elsewhere when its end was told. */
typedef struct Entry {
    char fingerprint[FINGERPRINT_TEXT];
    bool is_seen; /* by the poll that is being judged */
    UT_hash_handle hh;
} Entry;

typedef struct Found {
    Entry *entries;
    size_t alarm; /* the first watch of its alarm: there the alarm's instances are counted */
    size_t alarm_entries;
    bool is_found; /* its polls find its series */
    bool is_overflowing;
} Found;

struct Series {
    Core *core;
    Backlog *backlog;
    Own *own;
    const DiscoverySection *limits;
    const Watch *watches;
    const Alarm *const *alarms;
    Found *found; /* parallel to watches */
    size_t count;
};

bool series_is_found(const Series *all, size_t watch) { return all->found[watch].is_found; }

static bool finds_series(const Watch *watch) {
    if (!watch->source->series) return true;
    OWN(labels) Labels *named = watch->source->series(watch->selector);
    return !named;
}

static void attach(Series *all, size_t watch, Instance *instance) {
    const char *id = aws_account_id(all->core->aws, all->watches[watch].account);
    if (instance->alarm != all->alarms[watch] || (*id && strcmp(id, labels_get(instance->labels, "account_id"))))
        instance_attach(instance, all->alarms[watch], id);
}

static Entry *entry_find(const Found *found, const char *fingerprint) {
    Entry *entry;
    HASH_FIND_STR(found->entries, fingerprint, entry);
    return entry;
}

static Entry *entry_add(Series *all, size_t watch, const char *fingerprint) {
    Entry *entry = alloc_zeroed(1, sizeof *entry);
    memcpy(entry->fingerprint, fingerprint, FINGERPRINT_TEXT);
    HASH_ADD_STR(all->found[watch].entries, fingerprint, entry);
    all->found[all->found[watch].alarm].alarm_entries++;
    return entry;
}

static void entry_remove(Series *all, size_t watch, Entry *entry) {
    HASH_DEL(all->found[watch].entries, entry);
    all->found[all->found[watch].alarm].alarm_entries--;
    free(entry);
}

/* --- the row of an alarm that has no series --- */

static void row_fingerprint(const Series *all, size_t watch, char ret_text[static FINGERPRINT_TEXT]) {
    const Watch *w = &all->watches[watch];
    fingerprint_make(w->alarm, w->account, w->region, w->source->name, NULL, ret_text);
}

static Instance *row_make(Series *all, size_t watch) {
    const Watch *w = &all->watches[watch];
    Instance *row = instance_get(
        all->core->instances, w->alarm, w->account, w->region, w->source->name, NULL, clock_wall_ms(all->core->clock));
    attach(all, watch, row);
    return row;
}

static void row_remove(Series *all, size_t watch) {
    char fingerprint[FINGERPRINT_TEXT];
    row_fingerprint(all, watch, fingerprint);
    Instance *row = instance_find(all->core->instances, fingerprint);
    if (row) instance_remove(all->core->instances, row);
}

static void row_say(Series *all, size_t watch, int64_t now_ms) {
    Instance *row = row_make(all, watch);
    row->evaluated_ms = now_ms;
    free(row->facts.reason);
    const bool has_events = all->watches[watch].source->has_events;
    row->facts.reason = text_copy(has_events ? NO_MATCH : NO_SERIES);
    if (has_events) row->memory.state = STATE_OK; /* no match is what is hoped for */
    free(row->evaluation_error);
    row->evaluation_error = NULL;
}

/* --- a new configuration --- */

typedef struct WatchPlace {
    char *key;
    size_t watch;
    UT_hash_handle hh;
} WatchPlace;

static char *place_key(const char *alarm, const char *account, const char *region, const char *source) {
    return text_format("%s\n%s\n%s\n%s", alarm, account, region, source);
}

static WatchPlace *places_make(const Series *all) {
    WatchPlace *places = NULL;
    for (size_t w = 0; w < all->count; w++) {
        const Watch *watch = &all->watches[w];
        if (!all->found[w].is_found) continue;
        WatchPlace *place = alloc_zeroed(1, sizeof *place);
        place->key = place_key(watch->alarm, watch->account, watch->region, watch->source->name);
        place->watch = w;
        HASH_ADD_KEYPTR(hh, places, place->key, strlen(place->key), place);
    }
    return places;
}

static void places_free(WatchPlace *places) {
    WatchPlace *place, *next;
    HASH_ITER(hh, places, place, next) {
        HASH_DEL(places, place);
        free(place->key);
        free(place);
    }
}

/* What is gone stays so until a poll sees it again. */
static void adopt(Series *all, WatchPlace *places, Instance *instance) {
    if (instance->gone || !labels_count(instance->series)) return;
    OWN(text) char *key = place_key(instance->name, instance->account, instance->region, instance->source);
    WatchPlace *place;
    HASH_FIND_STR(places, key, place);
    if (!place) return;
    instance_attach(instance, all->alarms[place->watch], aws_account_id(all->core->aws, instance->account));
    entry_add(all, place->watch, instance->fingerprint);
}

Series *series_new(Core *core, Backlog *backlog, Own *own, const DiscoverySection *limits, const Watch *watches,
    const Alarm *const *alarms, size_t count) {
    Series *all = alloc_zeroed(1, sizeof *all);
    *all = (Series){core, backlog, own, limits, watches, alarms, NULL, count};
    all->found = alloc_zeroed(count + 1, sizeof *all->found);
    for (size_t w = 0; w < count; w++) {
        all->found[w].alarm = w && alarms[w] == alarms[w - 1] ? all->found[w - 1].alarm : w;
        all->found[w].is_found = finds_series(&watches[w]);
    }
    WatchPlace *places = places_make(all);
    for (Instance *i = places ? instances_next(core->instances, NULL) : NULL; i; i = instances_next(core->instances, i))
        adopt(all, places, i);
    places_free(places);
    for (size_t w = 0; w < count; w++)
        if (all->found[w].is_found && !all->found[w].entries) row_make(all, w);
    return all;
}

Series *series_free(Series *series) {
    if (!series) return NULL;
    for (size_t w = 0; w < series->count; w++) {
        Entry *entry, *next;
        HASH_ITER(hh, series->found[w].entries, entry, next) entry_remove(series, w, entry);
    }
    free(series->found);
    free(series);
    return NULL;
}

/* --- a poll --- */

static int64_t grace_s(const Series *all, size_t watch) {
    const int64_t own_s = all->watches[watch].source->grace_s;
    return own_s ? own_s : all->limits->grace_s;
}

/* It was last there `absent_s` ago; is that too long? What earlier polls know of its absence counts, too. */
static bool is_over(const Series *all, size_t watch, const Entry *entry, int64_t absent_s) {
    const int64_t boot_ms = clock_boot_ms(all->core->clock), since_ms = boot_ms - absent_s * 1000;
    Instance *instance = entry ? instance_find(all->core->instances, entry->fingerprint) : NULL;
    if (!instance) return absent_s >= grace_s(all, watch);
    if (absent_s == 0)
        instance->unseen_boot_ms = 0;
    else if (!instance->unseen_boot_ms || since_ms < instance->unseen_boot_ms)
        instance->unseen_boot_ms = since_ms;
    return instance->unseen_boot_ms && boot_ms - instance->unseen_boot_ms >= grace_s(all, watch) * 1000;
}

Instance *series_seen(Series *all, size_t watch, const Labels *series, int64_t absent_s, int64_t now_ms) {
    const Watch *w = &all->watches[watch];
    Found *found = &all->found[watch];
    char fingerprint[FINGERPRINT_TEXT];
    fingerprint_make(w->alarm, w->account, w->region, w->source->name, series, fingerprint);
    Entry *entry = entry_find(found, fingerprint);
    if (is_over(all, watch, entry, absent_s)) return NULL;
    if (!entry && all->found[found->alarm].alarm_entries >= (size_t)all->limits->max_instances) {
        found->is_overflowing = true;
        return NULL;
    }
    if (!entry && !found->entries && labels_count(series)) row_remove(all, watch);
    if (!entry) entry = entry_add(all, watch, fingerprint);
    entry->is_seen = true;
    Instance *instance = instance_find(all->core->instances, fingerprint);
    if (!instance)
        instance = instance_add(
            all->core->instances, fingerprint, w->alarm, w->account, w->region, w->source->name, series, now_ms);
    attach(all, watch, instance);
    return instance;
}

void series_each(const Series *all, size_t watch, KnownSeries *each, void *ctx) {
    for (const Entry *entry = all->found[watch].entries; entry; entry = entry->hh.next) {
        const Instance *instance = instance_find(all->core->instances, entry->fingerprint);
        if (instance) each(ctx, instance->series, instance->memory.state);
    }
}

void series_each_instance(Series *all, size_t watch, void (*each)(void *ctx, Instance *instance), void *ctx) {
    Entry *entry, *next;
    HASH_ITER(hh, all->found[watch].entries, entry, next) {
        Instance *instance = instance_find(all->core->instances, entry->fingerprint);
        if (instance) each(ctx, instance);
    }
}

/* Gone: what fires is resolved with that reason, the rest is forgotten. */
static void retire(Series *all, size_t watch, Instance *instance, int64_t now_ms, Batch *batch) {
    char text[GONE_TEXT_MAX], span[TIME_TEXT_MAX];
    if (!instance->firing_since_ms) return batch_forget(batch, instance->fingerprint);
    snprintf(text, sizeof text, "gone: not seen for %s", duration_format(grace_s(all, watch), span));
    instance_keep_link(instance);
    instance->alarm = NULL; /* seen again, it is attached again */
    InstanceChange *change = change_new(instance);
    change_gone(change, text, now_ms);
    batch_add(batch, change);
}

static void miss(Instance *instance, int64_t settled_end_s, int64_t now_ms, Batch *batch) {
    const Observation nothing = {
        .settled_end_s = settled_end_s, .samples = {.fold = FOLD_NONE, .step_s = instance->alarm->rule.period_s}};
    InstanceChange *change = change_new(instance);
    change_observe(change, &nothing, 0, now_ms);
    batch_add(batch, change);
}

/* Events come and go: an instance of theirs is there while people have something open about it. */
static bool is_there(const Series *all, size_t watch, const Entry *entry) {
    if (!all->watches[watch].source->has_events) return entry->is_seen;
    Instance *instance = instance_find(all->core->instances, entry->fingerprint);
    const bool is_open = instance && (instance->memory.state == STATE_ALARM || instance->firing_since_ms);
    if (is_open || (instance && entry->is_seen)) instance->unseen_boot_ms = 0;
    return is_open || entry->is_seen;
}

static void close_unseen(Series *all, size_t watch, Entry *entry, int64_t settled_end_s, int64_t now_ms, Batch *batch) {
    const int64_t boot_ms = clock_boot_ms(all->core->clock);
    Instance *instance = instance_find(all->core->instances, entry->fingerprint);
    if (!instance || !instance->alarm) return entry_remove(all, watch, entry);
    if (!instance->unseen_boot_ms) instance->unseen_boot_ms = boot_ms;
    if (boot_ms - instance->unseen_boot_ms >= grace_s(all, watch) * 1000) {
        retire(all, watch, instance, now_ms, batch);
        entry_remove(all, watch, entry);
    } else if (settled_end_s) {
        miss(instance, settled_end_s, now_ms, batch);
    }
}

static void tell_overflow(Series *all, size_t watch) {
    const size_t alarm = all->found[watch].alarm;
    bool holds = false;
    for (size_t w = alarm; w < all->count && all->found[w].alarm == alarm; w++)
        holds = holds || all->found[w].is_overflowing;
    char reason[GONE_TEXT_MAX * 3];
    snprintf(reason, sizeof reason,
        "`%.255s` matches more than %zu series: those beyond are not watched (narrow it, or raise "
        "discovery.max_instances)",
        all->watches[watch].alarm, (size_t)all->limits->max_instances);
    OWN(labels) Labels *series = labels_new(&(Label){"alarm", all->watches[watch].alarm}, 1);
    own_set(all->own, &own_instance_overflow, series, holds,
        holds ? reason : "all series that the alarm matches are watched");
}

void series_close(Series *all, size_t watch, int64_t settled_end_s, int64_t now_ms, Batch *batch) {
    Found *found = &all->found[watch];
    Entry *entry, *next;
    HASH_ITER(hh, found->entries, entry, next) {
        if (!is_there(all, watch, entry))
            close_unseen(all, watch, entry, settled_end_s, now_ms, batch);
        else
            entry->is_seen = false;
    }
    if (!found->entries) row_say(all, watch, now_ms);
    tell_overflow(all, watch);
    found->is_overflowing = false;
}

static void set_error(Instance *instance, const char *error) {
    if (!instance) return;
    free(instance->evaluation_error);
    instance->evaluation_error = text_copy(error);
}

void series_blind(Series *all, size_t watch, const char *error) {
    char row[FINGERPRINT_TEXT];
    for (Entry *entry = all->found[watch].entries; entry; entry = entry->hh.next) {
        if (!entry->is_seen) set_error(instance_find(all->core->instances, entry->fingerprint), error);
        entry->is_seen = false;
    }
    if (all->found[watch].entries) return;
    row_fingerprint(all, watch, row);
    set_error(instance_find(all->core->instances, row), error);
}
