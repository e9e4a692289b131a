/* A heap gives back what is in it, the earliest first, whatever was moved or taken out meanwhile. */
#include "notify/due.h"

#include "../run.h"

enum { ITEMS = 64, ROUNDS = 20000 };

static int64_t earliest(const DueItem *items) {
    int64_t least = INT64_MAX;
    for (int i = 0; i < ITEMS; i++)
        if (items[i].place && items[i].due_ms < least) least = items[i].due_ms;
    return least;
}

START_TEST(gives_the_earliest) {
    DueHeap heap = {0};
    DueItem items[ITEMS] = {0};
    uint32_t random = 1;
    ck_assert_ptr_null(due_first(&heap));
    due_remove(&heap, &items[0]);
    for (int round = 0; round < ROUNDS; round++) {
        random = random * 1664525 + 1013904223;
        DueItem *item = &items[(random >> 8) % ITEMS];
        if ((random >> 20) % 3) {
            due_set(&heap, item, (random >> 16) % 1000);
        } else {
            due_remove(&heap, item);
        }
        const DueItem *first = due_first(&heap);
        ck_assert_int_eq(first ? first->due_ms : INT64_MAX, earliest(items));
    }
    due_deinit(&heap);
}
END_TEST

int main(void) { return run_table("due", gives_the_earliest, 1); }
