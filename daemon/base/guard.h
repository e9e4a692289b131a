/* Allocators that wipe a block before it is freed, for libraries through which secrets pass (robustness:
 * malloc_usable_size is not to be trusted under fortified calls, so each block carries its size in front). Thread-safe
 * as malloc is. A block of these is freed by these alone. */
#ifndef TOCSIN_BASE_GUARD_H
#define TOCSIN_BASE_GUARD_H

#include <stddef.h>

void *guard_malloc(size_t size_bytes);
void *guard_calloc(size_t count, size_t size_bytes);
void *guard_realloc(void *old, size_t size_bytes);
char *guard_strdup(const char *text);
void guard_free(void *block); /* NULL is fine */

#endif
