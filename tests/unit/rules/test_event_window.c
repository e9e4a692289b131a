/* Counting over time spans, late and repeated members first; keys seen for the first time. */
#include "rules/event_window.h"

#include "../run.h"
#include "base/alloc.h"
#include "rules/first_seen.h"

#include <stdio.h>
#include <string.h>

static CountCondition at_least(int64_t bound) {
    CountCondition condition = {0};
    condition.given[COUNT_GTE] = true;
    condition.bound[COUNT_GTE] = bound;
    return condition;
}

static EventWindow *window_of(WindowMode mode, int64_t bound) {
    return event_window_new(
        &(WindowRule){.mode = mode, .kinds = 3, .span_s = 300, .keep_s = 2100, .condition = at_least(bound)});
}

/* Members as `SECONDS KIND VALUE` in the order of their coming; the id is the place in the list, or `=N`: that of the
 * Nth again. `want`: a letter each: `+` met, `-` not, `k` known, `l` late. */
static const struct Row {
    WindowMode mode;
    int64_t bound;
    const char *members, *want;
} rows[] = {
    {WINDOW_EVENTS, 1, "0 0 a", "+"}, {WINDOW_EVENTS, 3, "0 0 a,100 0 a,299 0 a", "--+"},
    {WINDOW_EVENTS, 3, "0 0 a,100 0 a,300 0 a", "---"}, /* exactly the span apart: not in one window */
    {WINDOW_EVENTS, 3, "0 0 a,100 0 a,299 0 a,310 0 a,700 0 a", "--++-"},
    {WINDOW_EVENTS, 3, "299 0 a,0 0 a,100 0 a", "--+"}, /* backwards */
    {WINDOW_EVENTS, 3, "0 0 a,600 0 a,601 0 a,550 0 a", "---+"}, /* the late one completes a later window */
    {WINDOW_EVENTS, 3, "600 0 a,601 0 a,602 0 a,0 0 a", "--+-"}, /* and does not fire the one that fired */
    {WINDOW_EVENTS, 2, "300 0 a,0 0 a", "--"},
    {WINDOW_EVENTS, 3, "0 0 a,300 0 a,100 0 a", "---"}, /* nor where the window has slid on */
    {WINDOW_EVENTS, 2, "0 0 a,0 0 a=0,1 0 a", "-k+"}, {WINDOW_EVENTS, 2, "0 0 a,0 0 a", "-+"},
    {WINDOW_EVENTS, 2, "-2000 0 a,-1999 0 a,0 0 a", "-+-"}, {WINDOW_VALUES, 2, "0 0 a,1 0 a,2 0 b", "--+"},
    {WINDOW_VALUES, 2, "0 0 a,400 0 b,401 0 b", "---"},
    {WINDOW_VALUES, 3, "0 0 a,10 0 b,20 0 c,305 0 a,309 0 d", "--+++"}, {WINDOW_VALUES, 2, "300 0 b,0 0 a", "--"},
    {WINDOW_VALUES, 3, "20 0 c,0 0 a,10 0 b", "--+"}, {WINDOW_KINDS, 3, "0 2 -,1 0 -,2 1 -", "--+"},
    {WINDOW_KINDS, 3, "0 2 -,1 2 -,2 1 -", "---"}, {WINDOW_KINDS, 3, "0 0 -,200 1 -,300 2 -", "---"},
    {WINDOW_KINDS, 2, "0 0 -,0 1 -=0", "-+"}, /* one event that meets two rules */
    {WINDOW_ORDERED, 3, "0 0 -,1 1 -,2 2 -", "--+"}, {WINDOW_ORDERED, 3, "0 2 -,1 1 -,2 0 -", "---"},
    {WINDOW_ORDERED, 3, "2 2 -,1 1 -,0 0 -", "--+"}, /* in order by their own time */
    {WINDOW_ORDERED, 3, "5 2 -,5 1 -,5 0 -", "--+"}, /* in one second: any order */
    {WINDOW_ORDERED, 3, "0 0 -,299 1 -,300 2 -", "---"},
    {WINDOW_ORDERED, 3, "0 0 -,100 0 -,299 1 -,300 2 -", "---+"}, /* the later start counts */
    {WINDOW_ORDERED, 3, "0 0 -,1 1 -,2 2 -,3 0 -", "--+-"}, /* the fourth is in no run of three */
    {WINDOW_ORDERED, 2, "5 0 -,5 1 -=0", "--"}, /* one event is not two steps */
};

START_TEST(members_in_any_order) {
    const struct Row *row = &rows[_i];
    OWN(event_window) EventWindow *window = window_of(row->mode, row->bound);
    OWN(text) char *copy = text_copy(row->members);
    char *rest = copy, got[32] = "";
    for (size_t i = 0; rest; i++) {
        char *word = strsep(&rest, ","), value[8], id[16];
        long seconds;
        unsigned kind, same = (unsigned)i;
        ck_assert_int_eq(sscanf(word, "%ld %u %7[a-z-]", &seconds, &kind, value), 3);
        if (strchr(word, '=')) same = (unsigned)atoi(strchr(word, '=') + 1);
        snprintf(id, sizeof id, "id-%u", same);
        int64_t count;
        const WindowAnswer answer = event_window_add(window, "g", seconds * 1000, kind, id, value);
        got[i] = answer == WINDOW_KNOWN                                         ? 'k'
            : answer == WINDOW_LATE                                             ? 'l'
            : event_window_meets(window, "g", seconds * 1000, kind, id, &count) ? '+'
                                                                                : '-';
    }
    ck_assert_msg(!strcmp(got, row->want), "%s: %s, not %s", row->members, got, row->want);
}
END_TEST

START_TEST(counts_at_a_time) {
    OWN(event_window)
    EventWindow *window = window_of(WINDOW_EVENTS, 1), *values = window_of(WINDOW_VALUES, 1),
                *ordered = window_of(WINDOW_ORDERED, 1);
    ck_assert_int_eq(event_window_count(window, "g", 0), 0);
    for (int i = 0; i < 4; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        event_window_add(window, "g", i * 100000, 0, id, NULL);
        event_window_add(values, "g", i * 100000, 0, id, i % 2 ? "x" : "y");
        event_window_add(ordered, "g", i * 100000, (size_t)i % 3, id, NULL);
    }
    ck_assert_int_eq(event_window_count(window, "g", 0), 1);
    ck_assert_int_eq(event_window_count(window, "g", 299999), 3);
    ck_assert_int_eq(event_window_count(window, "g", 300000), 3); /* the first is out as the fourth is in */
    ck_assert_int_eq(event_window_count(window, "g", 599999), 1);
    ck_assert_int_eq(event_window_count(window, "g", 600000), 0); /* silence */
    ck_assert_int_eq(event_window_count(window, "other", 0), 0);
    ck_assert_int_eq(event_window_count(values, "g", 300000), 2);
    ck_assert_int_eq(event_window_count(values, "g", 599999), 1);
    ck_assert_int_eq(event_window_count(ordered, "g", 250000), 3);
    ck_assert_int_eq(event_window_count(ordered, "g", 399999), 1);
    ck_assert_int_eq(event_window_count(ordered, "g", 100000), 2);
}
END_TEST

START_TEST(what_is_old_is_forgotten_and_stays_so) {
    OWN(event_window) EventWindow *window = window_of(WINDOW_EVENTS, 1);
    event_window_add(window, "a", 0, 0, "1", NULL);
    event_window_add(window, "b", 1000, 0, "2", NULL);
    event_window_prune(window, 2100000);
    ck_assert_uint_eq(event_window_members(window), 2);
    event_window_prune(window, 2100001);
    ck_assert_uint_eq(event_window_members(window), 1);
    ck_assert_int_eq(event_window_add(window, "a", 0, 0, "3", NULL), WINDOW_LATE);
    event_window_prune(window, 0); /* a clock that goes back */
    ck_assert_int_eq(event_window_add(window, "a", 0, 0, "3", NULL), WINDOW_LATE);
    event_window_prune(window, 9000000);
    ck_assert_uint_eq(event_window_members(window), 0);
}
END_TEST

START_TEST(room_is_bounded) {
    OWN(event_window) EventWindow *window = window_of(WINDOW_EVENTS, 1);
    char text[16];
    for (int i = 0; i < WINDOW_GROUP_MEMBERS_MAX + 5; i++) {
        snprintf(text, sizeof text, "%d", i);
        ck_assert_int_eq(event_window_add(window, "g", i, 0, text, NULL), WINDOW_ADDED);
    }
    ck_assert_uint_eq(event_window_members(window), WINDOW_GROUP_MEMBERS_MAX);
    ck_assert_uint_eq(event_window_dropped(window), 5);
    for (int i = 1; i < WINDOW_GROUPS_MAX; i++) {
        snprintf(text, sizeof text, "g%d", i);
        ck_assert_int_eq(event_window_add(window, text, 0, 0, "x", NULL), WINDOW_ADDED);
    }
    ck_assert_int_eq(event_window_add(window, "one more", 0, 0, "x", NULL), WINDOW_FULL);
    ck_assert_uint_eq(event_window_dropped(window), 6);
    for (int i = 0; event_window_members(window) < WINDOW_MEMBERS_MAX; i++) {
        snprintf(text, sizeof text, "y%d", i);
        event_window_add(window,
            i % 2        ? "g1"
                : i % 4  ? "g2"
                : i % 8  ? "g3"
                : i % 16 ? "g4"
                : i % 32 ? "g5"
                         : "g6",
            i, 0, text, NULL);
        if (i > 60000) break;
    }
    for (int g = 7; event_window_members(window) < WINDOW_MEMBERS_MAX; g++) {
        char group[16];
        snprintf(group, sizeof group, "g%d", g);
        for (int i = 0; i < 9999 && event_window_members(window) < WINDOW_MEMBERS_MAX; i++) {
            snprintf(text, sizeof text, "z%d", i);
            event_window_add(window, group, i, 0, text, NULL);
        }
    }
    ck_assert_int_eq(event_window_add(window, "g1", 99999, 0, "new", NULL), WINDOW_ADDED); /* for its own oldest */
    ck_assert_uint_eq(event_window_members(window), WINDOW_MEMBERS_MAX);
}
END_TEST

static void put_back(void *ctx, const WindowMember *member) { ck_assert(event_window_restore(ctx, member)); }

START_TEST(members_are_listed_and_put_back) {
    OWN(event_window) EventWindow *window = window_of(WINDOW_VALUES, 2), *copy = window_of(WINDOW_VALUES, 2);
    event_window_add(window, "g", 1000, 0, "1", "x");
    event_window_add(window, "h", 1000, 1, "2", NULL);
    event_window_each(window, put_back, copy);
    ck_assert_uint_eq(event_window_members(copy), 2);
    ck_assert_int_eq(event_window_add(copy, "g", 1000, 0, "1", "x"), WINDOW_KNOWN);
    int64_t count = 0;
    event_window_add(copy, "g", 2000, 0, "3", "x");
    ck_assert(!event_window_meets(copy, "g", 2000, 0, "3", &count));
    event_window_add(copy, "g", 3000, 0, "4", "y");
    ck_assert(event_window_meets(copy, "g", 3000, 0, "4", &count));
    ck_assert_int_eq(count, 2);
    static const WindowMember wrong[] = {{"g", 0, 0, "", "0123456789abcdef"},
        {"g", 0, 0, "0123456789abcdef0123456789abcdeg", "0123456789abcdef"},
        {"g", 0, 0, "0123456789abcdef0123456789abcdef", "x"},
        {"g", 0, 64, "0123456789abcdef0123456789abcdef", "0123456789abcdef"}};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) ck_assert(!event_window_restore(copy, &wrong[i]));
}
END_TEST

START_TEST(conditions) {
    CountCondition range = {0};
    range.given[COUNT_GT] = range.given[COUNT_LTE] = true;
    range.bound[COUNT_GT] = 2;
    range.bound[COUNT_LTE] = 4;
    for (int64_t i = 0; i < 7; i++) ck_assert(count_meets(&range, i) == (i == 3 || i == 4));
    ck_assert(!count_is_absence(&range));
    CountCondition none = {0};
    none.given[COUNT_LT] = true;
    none.bound[COUNT_LT] = 1;
    ck_assert(count_is_absence(&none));
    static const struct {
        CountWord word;
        bool below, at, above;
    } words[] = {{COUNT_GT, 0, 0, 1}, {COUNT_GTE, 0, 1, 1}, {COUNT_LT, 1, 0, 0}, {COUNT_LTE, 1, 1, 0},
        {COUNT_EQ, 0, 1, 0}, {COUNT_NEQ, 1, 0, 1}};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        CountCondition one = {0};
        one.given[words[i].word] = true;
        one.bound[words[i].word] = 5;
        ck_assert(count_meets(&one, 4) == words[i].below && count_meets(&one, 5) == words[i].at &&
            count_meets(&one, 6) == words[i].above);
    }
}
END_TEST

START_TEST(keys_are_new_once) {
    OWN(first_seen) FirstSeen *seen = first_seen_new(1000000, 100, 1000); /* learns until 1,100,000 */
    ck_assert_int_eq(first_seen_meet(seen, "a", 1000000), FIRST_SEEN_LEARNING);
    ck_assert_int_eq(first_seen_meet(seen, "a", 1100000), FIRST_SEEN_KNOWN);
    ck_assert_int_eq(first_seen_meet(seen, "b", 1100000), FIRST_SEEN_NEW);
    ck_assert_int_eq(first_seen_meet(seen, "b", 1100000), FIRST_SEEN_KNOWN);
    ck_assert_int_eq(first_seen_meet(seen, "b", 1000000), FIRST_SEEN_KNOWN); /* late */
    ck_assert_int_eq(first_seen_meet(seen, "c", 1099999), FIRST_SEEN_LEARNING);
    ck_assert_int_eq(first_seen_meet(seen, "b", 2100000), FIRST_SEEN_KNOWN);
    ck_assert_int_eq(first_seen_meet(seen, "a", 2100001), FIRST_SEEN_NEW); /* forgotten meanwhile */
    first_seen_prune(seen, 3100001);
    ck_assert_uint_eq(first_seen_count(seen), 1);
}
END_TEST

static void copy_key(void *ctx, const char *key, int64_t last_ms) { first_seen_restore(ctx, key, last_ms); }

START_TEST(keys_are_bounded_and_put_back) {
    OWN(first_seen) FirstSeen *seen = first_seen_new(0, 0, 1000000), *copy = first_seen_new(0, 0, 1000000);
    char key[16];
    for (int i = 0; i < FIRST_SEEN_KEYS_MAX; i++) {
        snprintf(key, sizeof key, "%d", i);
        first_seen_meet(seen, key, i);
    }
    first_seen_meet(seen, "0", FIRST_SEEN_KEYS_MAX); /* so that 1 was met longest ago */
    ck_assert_int_eq(first_seen_meet(seen, "new", FIRST_SEEN_KEYS_MAX), FIRST_SEEN_NEW);
    ck_assert_uint_eq(first_seen_count(seen), FIRST_SEEN_KEYS_MAX);
    ck_assert_uint_eq(first_seen_dropped(seen), 1);
    first_seen_each(seen, copy_key, copy);
    ck_assert_uint_eq(first_seen_count(copy), FIRST_SEEN_KEYS_MAX);
    ck_assert_int_eq(first_seen_meet(copy, "0", FIRST_SEEN_KEYS_MAX + 1), FIRST_SEEN_KNOWN);
    ck_assert_int_eq(first_seen_meet(copy, "1", FIRST_SEEN_KEYS_MAX + 1), FIRST_SEEN_NEW);
    ck_assert_int_eq(first_seen_meet(copy, "3", FIRST_SEEN_KEYS_MAX + 1), FIRST_SEEN_KNOWN);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, members_in_any_order, 0, (int)COUNT_OF(rows));
    tcase_add_test(tcase, counts_at_a_time);
    tcase_add_test(tcase, what_is_old_is_forgotten_and_stays_so);
    tcase_add_test(tcase, room_is_bounded);
    tcase_add_test(tcase, members_are_listed_and_put_back);
    tcase_add_test(tcase, conditions);
    tcase_add_test(tcase, keys_are_new_once);
    tcase_add_test(tcase, keys_are_bounded_and_put_back);
}

int main(void) { return run_tests("event_window", fill); }
