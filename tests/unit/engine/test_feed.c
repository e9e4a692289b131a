/* When a feed of events is dead: not before an hour of readings without a call of our own in it. */
#include "engine/feed.h"

#include "../run.h"

/* A letter ten minutes: `r` read, `s` read and our own calls of that time seen, `-` not read; `!` behind a letter:
 * dead. */
static const char *const lives[] = {
    "rrrrrrr!", /* the hour begins with the first reading */
    "ssssssssssss", "srrrrrr!r!sr", "srrrr------rrrrrrr!", /* away for an hour: begins anew */
    "rrr-----------------r", "r-r-r-r-r-r-r-r-r", /* too seldom read to tell */
};

START_TEST(a_feed) {
    Feed feed = {0};
    int64_t now_ms = 1770000000000, seen_ms = 0;
    for (const char *life = lives[_i]; *life; life++) {
        now_ms += 600001;
        if (*life == '-') continue;
        if (*life == 's') seen_ms = now_ms;
        const bool want = life[1] == '!';
        ck_assert_msg(
            feed_is_quiet(&feed, seen_ms, now_ms) == want, "%s: at %zu", lives[_i], (size_t)(life - lives[_i]));
        life += want;
    }
}
END_TEST

/* A clock that was ahead, and ours or AWS's is right again. */
START_TEST(a_clock_that_goes_back) {
    Feed feed = {0};
    ck_assert(!feed_is_quiet(&feed, 0, 2000000000000));
    ck_assert(!feed_is_quiet(&feed, 0, 1770000000000));
    ck_assert_int_eq(feed.since_ms, 1770000000000);
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_loop_test(tests, a_feed, 0, sizeof lives / sizeof *lives);
    tcase_add_test(tests, a_clock_that_goes_back);
}

int main(void) { return run_tests("feed", fill); }
