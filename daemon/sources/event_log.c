#include "sources/event_log.h"

#include "base/alloc.h"
#include "base/table.h"

#include <string.h>

typedef struct Entry {
    LoggedEvent logged; /* its lists and texts stand behind the entry */
    UT_hash_handle hh;
} Entry;

struct EventLog {
    size_t references;
    Entry *by_id;
    Entry **entries; /* oldest first */
    size_t count, room;
    int64_t as_of_ms;
};

EventLog *event_log_new(void) {
    EventLog *log = alloc_zeroed(1, sizeof *log);
    log->references = 1;
    return log;
}

EventLog *event_log_ref(EventLog *log) {
    log->references++;
    return log;
}

static void drop_oldest(EventLog *log, size_t count) {
    if (!count) return;
    for (size_t i = 0; i < count; i++) {
        HASH_DEL(log->by_id, log->entries[i]);
        free(log->entries[i]);
    }
    log->count -= count;
    memmove(log->entries, log->entries + count, log->count * sizeof *log->entries);
}

EventLog *event_log_free(EventLog *log) {
    if (!log || --log->references) return NULL;
    drop_oldest(log, log->count);
    free(log->entries);
    free(log);
    return NULL;
}

bool event_log_has(const EventLog *log, const char *id) {
    Entry *found = NULL;
    HASH_FIND(hh, log->by_id, id, strlen(id), found);
    return found != NULL;
}

/* One piece of memory an event: an arena's blocks are far larger than it. */
typedef struct Packer {
    char *at; /* NULL: only measuring */
    size_t bytes;
} Packer;

static const char *pack_text(Packer *packer, const char *text) {
    const size_t size = strlen(text) + 1;
    char *copy = packer->at ? packer->at + packer->bytes : NULL;
    if (copy) memcpy(copy, text, size);
    packer->bytes += size;
    return copy;
}

static void pack_texts(Packer *packer, const char **into, const char *const *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *copy = pack_text(packer, texts[i]);
        if (into) into[i] = copy;
    }
}

static void pack_event(Packer *packer, LoggedEvent *into, const LoggedEvent *from) {
    const ReadEvent *event = &from->event;
    ReadEvent *own = &into->event;
    *into = *from;
    const char **texts[] = {
        &own->id, &own->name, &own->service, &own->region, &own->who, &own->where, &own->error, &own->brief};
    for (size_t i = 0; i < COUNT_OF(texts); i++) *texts[i] = pack_text(packer, *texts[i]);
    const char **lists = packer->at
        ? (const char **)(void *)(packer->at - (event->resource_count + from->rule_count) * sizeof *lists)
        : NULL;
    pack_texts(packer, lists, event->resources, event->resource_count);
    pack_texts(packer, lists ? lists + event->resource_count : NULL, from->rules, from->rule_count);
    own->resources = lists;
    into->rules = lists ? lists + event->resource_count : NULL;
}

static Entry *entry_new(const LoggedEvent *from) {
    const size_t lists = (from->event.resource_count + from->rule_count) * sizeof(char *);
    Packer packer = {0};
    LoggedEvent measured;
    pack_event(&packer, &measured, from);
    Entry *entry = alloc_zeroed(1, sizeof *entry + lists + packer.bytes);
    packer = (Packer){(char *)(entry + 1) + lists, 0};
    pack_event(&packer, &entry->logged, from);
    return entry;
}

/* Where an event of this time belongs: behind all that are not younger. */
static size_t place_of(const EventLog *log, int64_t time_ms) {
    size_t low = 0, high = log->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (log->entries[middle]->logged.event.time_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void event_log_add(EventLog *log, const ReadEvent *event, const char *const *rules, size_t rule_count) {
    if (event_log_has(log, event->id)) return;
    if (log->count == EVENT_LOG_MAX) {
        if (place_of(log, event->time_ms) == 0) return;
        drop_oldest(log, 1);
    }
    if (log->count == log->room) {
        log->room = log->room ? 2 * log->room : 64;
        log->entries = alloc_again(log->entries, log->room, sizeof(Entry *));
    }
    const size_t at = place_of(log, event->time_ms);
    Entry *entry = entry_new(&(LoggedEvent){*event, rules, rule_count});
    memmove(log->entries + at + 1, log->entries + at, (log->count - at) * sizeof *log->entries);
    log->entries[at] = entry;
    log->count++;
    HASH_ADD_KEYPTR(hh, log->by_id, entry->logged.event.id, strlen(entry->logged.event.id), entry);
}

void event_log_prune(EventLog *log, int64_t now_ms, int64_t as_of_ms) {
    drop_oldest(log, place_of(log, now_ms - EVENT_LOG_KEPT_MS));
    if (as_of_ms) log->as_of_ms = as_of_ms;
}

size_t event_log_count(const EventLog *log) { return log->count; }
const LoggedEvent *event_log_at(const EventLog *log, size_t index) {
    return &log->entries[log->count - 1 - index]->logged;
}
int64_t event_log_as_of_ms(const EventLog *log) { return log->as_of_ms; }
