/* daemon/notify/due.c: a binary heap whose items know their place */
#include "notify/due.h"

#include "base/alloc.h"

#include <stdlib.h>

static void put(DueHeap *heap, size_t at, DueItem *item) {
    heap->items[at] = item;
    item->place = at + 1;
}

static void rise(DueHeap *heap, size_t at) {
    DueItem *item = heap->items[at];
    for (; at > 0 && heap->items[(at - 1) / 2]->due_ms > item->due_ms; at = (at - 1) / 2)
        put(heap, at, heap->items[(at - 1) / 2]);
    put(heap, at, item);
}

static void sink(DueHeap *heap, size_t at) {
    DueItem *item = heap->items[at];
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && heap->items[child + 1]->due_ms < heap->items[child]->due_ms) child++;
        if (heap->items[child]->due_ms >= item->due_ms) break;
        put(heap, at, heap->items[child]);
    }
    put(heap, at, item);
}

void due_set(DueHeap *heap, DueItem *item, int64_t due_ms) {
    item->due_ms = due_ms;
    if (!item->place) {
        if (heap->count == heap->room) {
            heap->room = heap->room ? 2 * heap->room : 16;
            heap->items = alloc_again(heap->items, heap->room, sizeof(DueItem *));
        }
        put(heap, heap->count++, item);
    }
    rise(heap, item->place - 1);
    sink(heap, item->place - 1);
}

void due_remove(DueHeap *heap, DueItem *item) {
    if (!item->place) return;
    const size_t at = item->place - 1;
    item->place = 0;
    DueItem *last = heap->items[--heap->count];
    if (last == item) return;
    put(heap, at, last);
    rise(heap, at);
    sink(heap, last->place - 1);
}

DueItem *due_first(const DueHeap *heap) { return heap->count ? heap->items[0] : NULL; }

void due_deinit(DueHeap *heap) {
    free(heap->items);
    *heap = (DueHeap){0};
}
