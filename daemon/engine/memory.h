/* What the state file knows by name and memory must have at hand: how far sources were read (cursors), and which events
 * were counted. Follows the file: read at a start, changed when a batch is committed. Loop thread. */
#ifndef TOCSIN_ENGINE_MEMORY_H
#define TOCSIN_ENGINE_MEMORY_H

#include "base/metrics.h"
#include "base/own.h"
#include "store/store.h"

enum { MEMORY_IDS_MAX = 1000000 }; /* of all scopes; past it the oldest of the largest scope go */

typedef struct Memory Memory;
Memory *memory_new(Metrics *metrics);
Memory *memory_free(Memory *memory);
OWN_DEFINE(Memory, memory)

void memory_load(Memory *memory, const StoreLoad *load);
void memory_apply(Memory *memory, const StoreBatch *committed);

const char *memory_cursor(const Memory *memory, const char *name); /* its JSON; NULL: none. Borrowed until it changes */
bool memory_is_seen(const Memory *memory, const char *scope, const char *id);
size_t memory_ids(const Memory *memory); /* how many */

/* Calls `each` for every cursor whose name begins with `prefix`. */
typedef void MemoryCursor(void *ctx, const char *name, const char *value_json);
void memory_each(const Memory *memory, const char *prefix, MemoryCursor *each, void *ctx);

#endif
