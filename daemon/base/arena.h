/* Memory that is freed as one: a configuration snapshot, an AWS answer. Not thread-safe; one owner at a time. */
#ifndef TOCSIN_BASE_ARENA_H
#define TOCSIN_BASE_ARENA_H

#include "base/own.h"

typedef struct Arena Arena;

Arena *arena_new(void);
Arena *arena_free(Arena *arena); /* NULL is fine; returns NULL */
OWN_DEFINE(Arena, arena)

void *arena_alloc(Arena *arena, size_t count, size_t size_bytes) __attribute__((returns_nonnull)); /* zeroed, aligned */
char *arena_text(Arena *arena, const char *text); /* NULL gives NULL */
char *arena_text_length(Arena *arena, const char *text, size_t length);
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t arena_bytes(const Arena *arena); /* taken from the system so far */

#endif
