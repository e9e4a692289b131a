#include "base/arena.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block is an eighth of what there is, so that a large arena has few. What is bigger gets a block of its own. */
enum { BLOCK_MIN = 16 << 10, BLOCK_MAX = 256 << 10 };

typedef struct Block Block;
struct Block {
    Block *next;
    size_t used, room;
    alignas(max_align_t) char bytes[];
};
struct Arena {
    Block *blocks; /* the first one is filled */
    size_t bytes;
};

Arena *arena_new(void) { return alloc_zeroed(1, sizeof(Arena)); }

Arena *arena_free(Arena *arena) {
    if (!arena) return NULL;
    for (Block *block = arena->blocks; block;) {
        Block *next = block->next;
        free(block);
        block = next;
    }
    free(arena);
    return NULL;
}

static size_t block_room(const Arena *arena) {
    const size_t share = arena->bytes / 8;
    return share < BLOCK_MIN ? BLOCK_MIN : share > BLOCK_MAX ? BLOCK_MAX : share;
}

static Block *block_add(Arena *arena, size_t wanted) {
    const size_t usual = block_room(arena), room = wanted > usual ? wanted : usual;
    const bool is_own = wanted > usual;
    Block *block = alloc_zeroed(1, sizeof *block + room);
    block->room = room;
    arena->bytes += sizeof *block + room;
    if (arena->blocks && is_own) { /* big ones go behind, so that the open one stays in use */
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

static void *take(Arena *arena, size_t wanted, size_t alignment) {
    if (!wanted) wanted = 1; /* each is its own place */
    Block *block = arena->blocks;
    const size_t used = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;
    const bool fits = block && used <= block->room && block->room - used >= wanted;
    if (!fits) block = block_add(arena, wanted);
    void *memory = block->bytes + (fits ? used : 0);
    block->used = (fits ? used : 0) + wanted;
    return memory;
}

void *arena_alloc(Arena *arena, size_t count, size_t size_bytes) {
    size_t wanted;
    if (__builtin_mul_overflow(count, size_bytes, &wanted) || wanted > SIZE_MAX / 2) abort();
    return take(arena, wanted, alignof(max_align_t));
}

char *arena_text(Arena *arena, const char *text) { return text ? arena_text_length(arena, text, strlen(text)) : NULL; }

char *arena_text_length(Arena *arena, const char *text, size_t length) {
    if (length > SIZE_MAX / 2) abort();
    char *copy = take(arena, length + 1, 1); /* side by side: most texts are shorter than the alignment */
    if (length) memcpy(copy, text, length);
    return copy;
}

char *arena_format(Arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    OWN(text) char *text = text_format_v(format, args);
    va_end(args);
    return arena_text(arena, text);
}

size_t arena_bytes(const Arena *arena) { return arena->bytes; }
