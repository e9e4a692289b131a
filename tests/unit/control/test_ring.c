#include "control/ring.h"

#include "../run.h"

#include <string.h>

START_TEST(bytes_come_in_order_whatever_the_room) {
    const size_t room = (size_t)_i + 1;
    OWN(ring) Ring *ring = ring_new();
    OWN(event_text) EventText *one = event_text_new("transition", "{\"a\":1}");
    OWN(event_text) EventText *two = event_text_comment("keep-alive");
    ck_assert(ring_push(ring, one) && ring_push(ring, two) && ring_push(ring, one));
    char all[256] = "", piece[64];
    for (size_t got; (got = ring_read(ring, piece, room)) > 0;) strncat(all, piece, got);
    ck_assert_str_eq(
        all, "event: transition\ndata: {\"a\":1}\n\n: keep-alive\n\nevent: transition\ndata: {\"a\":1}\n\n");
    ck_assert(ring_is_empty(ring));
}
END_TEST

START_TEST(a_full_ring_takes_no_more) {
    OWN(ring) Ring *ring = ring_new();
    OWN(event_text) EventText *text = event_text_comment("x");
    for (int i = 0; i < RING_EVENTS; i++) ck_assert(ring_push(ring, text));
    ck_assert(!ring_push(ring, text));
    char piece[5];
    ck_assert_uint_eq(ring_read(ring, piece, 4), 4); /* not yet the whole of the first one */
    ck_assert(!ring_push(ring, text));
    ck_assert_uint_eq(ring_read(ring, piece, 1), 1);
    ck_assert(ring_push(ring, text)); /* round the end */
    size_t left = 0;
    for (size_t got; (got = ring_read(ring, piece, 5)) > 0;) left += got;
    ck_assert_uint_eq(left, (size_t)RING_EVENTS * 5);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, bytes_come_in_order_whatever_the_room, 0, 60);
    tcase_add_test(tcase, a_full_ring_takes_no_more);
}
int main(void) { return run_tests("ring", fill); }
