#include "base/guard.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Header {
    alignas(max_align_t) size_t size;
} Header;

void *guard_malloc(size_t size_bytes) {
    if (size_bytes > SIZE_MAX / 2) return NULL;
    Header *header = malloc(sizeof *header + size_bytes);
    if (!header) return NULL;
    header->size = size_bytes;
    return header + 1;
}

void *guard_calloc(size_t count, size_t size_bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, size_bytes, &all)) return NULL;
    void *block = guard_malloc(all);
    return block ? memset(block, 0, all) : NULL;
}

void *guard_realloc(void *old, size_t size_bytes) { /* never in place: realloc would leave a copy behind */
    void *block = guard_malloc(size_bytes);
    if (!block || !old) return block;
    const size_t had = ((Header *)old - 1)->size;
    memcpy(block, old, had < size_bytes ? had : size_bytes);
    guard_free(old);
    return block;
}

char *guard_strdup(const char *text) {
    const size_t size = strlen(text) + 1;
    char *copy = guard_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void guard_free(void *block) {
    if (!block) return;
    Header *header = (Header *)block - 1;
    explicit_bzero(block, header->size);
    free(header);
}
