/* daemon/engine/memory.c: cursors, and the ids of events that were counted */
#include "engine/memory.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/table.h"

#include <string.h>

static const Metric ids_metric = {
    "tocsin_events_remembered", "Ids of counted events that are kept.", METRIC_GAUGE, {NULL}};
static const Metric dropped_metric = {"tocsin_events_forgotten_early_total",
    "Ids of counted events that went for want of room (MEMORY_IDS_MAX): such an event may count twice.", METRIC_COUNTER,
    {NULL}};

typedef struct Cursor {
    char *name, *value;
    UT_hash_handle hh;
} Cursor;

/* In the order in which they were seen: uthash keeps it. */
typedef struct SeenId {
    int64_t seen_ms;
    UT_hash_handle hh;
    char id[];
} SeenId;

typedef struct Scope {
    char *name;
    SeenId *ids;
    UT_hash_handle hh;
} Scope;

struct Memory {
    Metrics *metrics;
    Cursor *cursors;
    Scope *scopes;
    size_t ids;
};

Memory *memory_new(Metrics *metrics) {
    Memory *memory = alloc_zeroed(1, sizeof *memory);
    memory->metrics = metrics;
    return memory;
}

static void cursor_free(Memory *memory, Cursor *cursor) {
    HASH_DEL(memory->cursors, cursor);
    free(cursor->name);
    free(cursor->value);
    free(cursor);
}

static void forget_id(Memory *memory, Scope *scope, SeenId *seen) {
    HASH_DEL(scope->ids, seen);
    free(seen);
    memory->ids--;
}

static void scope_free(Memory *memory, Scope *scope) {
    while (scope->ids) forget_id(memory, scope, scope->ids);
    HASH_DEL(memory->scopes, scope);
    free(scope->name);
    free(scope);
}

Memory *memory_free(Memory *memory) {
    if (!memory) return NULL;
    while (memory->cursors) cursor_free(memory, memory->cursors);
    while (memory->scopes) scope_free(memory, memory->scopes);
    free(memory);
    return NULL;
}

/* --- cursors --- */

static void put_cursor(Memory *memory, const CursorRow *row) {
    Cursor *cursor;
    HASH_FIND_STR(memory->cursors, row->name, cursor);
    if (!row->value_json) {
        if (cursor) cursor_free(memory, cursor);
        return;
    }
    if (!cursor) {
        cursor = alloc_zeroed(1, sizeof *cursor);
        cursor->name = text_copy(row->name);
        HASH_ADD_KEYPTR(hh, memory->cursors, cursor->name, strlen(cursor->name), cursor);
    }
    free(cursor->value);
    cursor->value = text_copy(row->value_json);
}

const char *memory_cursor(const Memory *memory, const char *name) {
    Cursor *cursor;
    HASH_FIND_STR(memory->cursors, name, cursor);
    return cursor ? cursor->value : NULL;
}

void memory_each(const Memory *memory, const char *prefix, MemoryCursor *each, void *ctx) {
    const size_t length = strlen(prefix);
    for (const Cursor *c = memory->cursors; c; c = c->hh.next)
        if (!strncmp(c->name, prefix, length)) each(ctx, c->name, c->value);
}

/* --- ids --- */

static Scope *scope_of(Memory *memory, const char *name) {
    Scope *scope;
    HASH_FIND_STR(memory->scopes, name, scope);
    if (scope) return scope;
    scope = alloc_zeroed(1, sizeof *scope);
    scope->name = text_copy(name);
    HASH_ADD_KEYPTR(hh, memory->scopes, scope->name, strlen(scope->name), scope);
    return scope;
}

static void make_room(Memory *memory) {
    Scope *largest = NULL;
    for (Scope *scope = memory->scopes; scope; scope = scope->hh.next)
        if (!largest || HASH_COUNT(scope->ids) > HASH_COUNT(largest->ids)) largest = scope;
    if (!largest || !largest->ids) return;
    forget_id(memory, largest, largest->ids);
    metric_add(memory->metrics, &dropped_metric, 1, NULL);
}

static void put_id(Memory *memory, const SeenRow *row) {
    Scope *scope = scope_of(memory, row->scope);
    SeenId *seen;
    HASH_FIND_STR(scope->ids, row->id, seen);
    if (seen) return;
    if (memory->ids >= MEMORY_IDS_MAX) make_room(memory);
    const size_t length = strlen(row->id);
    seen = alloc_zeroed(1, sizeof *seen + length + 1);
    seen->seen_ms = row->seen_ms;
    memcpy(seen->id, row->id, length + 1);
    HASH_ADD_KEYPTR(hh, scope->ids, seen->id, length, seen);
    memory->ids++;
}

static void forget_before(Memory *memory, const ForgetBefore *what) {
    Scope *scope;
    HASH_FIND_STR(memory->scopes, what->key, scope);
    while (scope && scope->ids && scope->ids->seen_ms < what->before_ms) forget_id(memory, scope, scope->ids);
}

bool memory_is_seen(const Memory *memory, const char *scope, const char *id) {
    Scope *found;
    HASH_FIND_STR(memory->scopes, scope, found);
    SeenId *seen = NULL;
    if (found) HASH_FIND_STR(found->ids, id, seen);
    return seen != NULL;
}

size_t memory_ids(const Memory *memory) { return memory->ids; }

/* --- both --- */

void memory_load(Memory *memory, const StoreLoad *load) {
    for (size_t i = 0; i < load->cursor_count; i++) put_cursor(memory, &load->cursors[i]);
    for (size_t i = load->seen_count; i-- > 0;) put_id(memory, &load->seen[i]); /* the file gives the newest first */
    metric_set(memory->metrics, &ids_metric, (double)memory->ids, NULL);
}

void memory_apply(Memory *memory, const StoreBatch *committed) {
    for (size_t i = 0; i < committed->cursor_count; i++) put_cursor(memory, &committed->cursors[i]);
    for (size_t i = 0; i < committed->seen_forget_count; i++) forget_before(memory, &committed->seen_forget[i]);
    for (size_t i = 0; i < committed->seen_count; i++) put_id(memory, &committed->seen[i]);
    if (committed->seen_count || committed->seen_forget_count)
        metric_set(memory->metrics, &ids_metric, (double)memory->ids, NULL);
}
