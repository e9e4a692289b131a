/* What is due, the earliest first: a binary heap of items that belong to others and know their place in it, so that one
 * can be moved or taken out. Loop thread; used by groups and by the outbox. */
#ifndef TOCSIN_NOTIFY_DUE_H
#define TOCSIN_NOTIFY_DUE_H

#include <stddef.h>
#include <stdint.h>

typedef struct DueItem {
    int64_t due_ms;
    size_t place; /* its index + 1; 0: in no heap */
} DueItem;

typedef struct DueHeap {
    DueItem **items; /* borrowed, each */
    size_t count, room;
} DueHeap;

void due_set(DueHeap *heap, DueItem *item, int64_t due_ms); /* puts it in, or moves it */
void due_remove(DueHeap *heap, DueItem *item); /* nothing where it is in no heap */
DueItem *due_first(const DueHeap *heap); /* NULL: empty */
void due_deinit(DueHeap *heap);

#endif
