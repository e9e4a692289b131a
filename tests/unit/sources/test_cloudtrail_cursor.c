/* How far CloudTrail was read, with its gaps: from anything that stands in the state file, and through all changes. */
#include "sources/cloudtrail_cursor.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/own.h"

#include <string.h>

enum { NOW_S = 1767322800 };

/* What is read back of a row; NULL: it does not exist. */
static const struct Case {
    const char *row, *back;
} cases[] = {
    {NULL, NULL},
    {"", NULL},
    {"{", NULL},
    {"[]", NULL},
    {"{\"gaps\":[]}", NULL},
    {"{\"high_water_s\":\"7\"}", NULL},
    {"{\"high_water_s\":7}", "{\"gaps\":[],\"high_water_s\":7,\"known_from_s\":0}"},
    {"{\"high_water_s\":-7,\"known_from_s\":9}", "{\"gaps\":[],\"high_water_s\":0,\"known_from_s\":0}"},
    {"{\"high_water_s\":99999999999,\"known_from_s\":99999999999}",
        "{\"gaps\":[],\"high_water_s\":1767322800,\"known_from_s\":1767322800}"},
    {"{\"high_water_s\":70,\"known_from_s\":5,\"gaps\":7}", "{\"gaps\":[],\"high_water_s\":70,\"known_from_s\":5}"},
    {"{\"high_water_s\":70,\"gaps\":[null,[],[1],[\"1\",2],{},[9,8],[1,2,3]]}",
        "{\"gaps\":[[1,2]],\"high_water_s\":70,\"known_from_s\":0}"},
    {"{\"high_water_s\":70,\"gaps\":[[40,50],[10,20],[15,30],[31,32],[50,60]]}",
        "{\"gaps\":[[10,32],[40,60]],\"high_water_s\":70,\"known_from_s\":0}"},
};

START_TEST(rows_are_read_back) {
    const struct Case *c = &cases[_i];
    const CloudtrailCursor cursor = cursor_parse(c->row, NOW_S);
    ck_assert_int_eq(cursor.exists, c->back != NULL);
    if (!c->back) return;
    OWN(text) char *row = cursor_format(&cursor);
    ck_assert_str_eq(row, c->back);
}
END_TEST

START_TEST(gaps_are_bounded_and_cover_all) {
    CloudtrailCursor cursor = {.exists = true};
    for (int64_t i = 0; i < 500; i++) {
        const int64_t from_s = (i * 7919) % 500 * 100;
        cursor_add_gap(&cursor, (Interval){from_s, from_s + 10});
        ck_assert_uint_le(cursor.gap_count, GAPS_MAX);
    }
    for (int64_t start_s = 0; start_s < 50000; start_s += 100) {
        bool covered = false;
        for (size_t i = 0; i < cursor.gap_count; i++)
            covered = covered || (cursor.gaps[i].from_s <= start_s && cursor.gaps[i].to_s >= start_s + 10);
        ck_assert_msg(covered, "%lld", (long long)start_s);
    }
    for (size_t i = 1; i < cursor.gap_count; i++) ck_assert_int_gt(cursor.gaps[i].from_s, cursor.gaps[i - 1].to_s + 1);
}
END_TEST

START_TEST(gaps_are_read) {
    CloudtrailCursor cursor = {.exists = true};
    cursor_add_gap(&cursor, (Interval){20, 10});
    ck_assert_uint_eq(cursor.gap_count, 0);
    cursor_add_gap(&cursor, (Interval){10, 20});
    cursor_add_gap(&cursor, (Interval){40, 50});
    cursor_gap_read(&cursor, (Interval){10, 19}, 9); /* another one */
    ck_assert_uint_eq(cursor.gap_count, 2);
    cursor_gap_read(&cursor, (Interval){10, 20}, 15);
    ck_assert_int_eq(cursor.gaps[0].to_s, 15);
    cursor_gap_read(&cursor, (Interval){10, 15}, 99); /* never longer than it was */
    ck_assert_int_eq(cursor.gaps[0].to_s, 15);
    cursor_gap_read(&cursor, (Interval){10, 15}, 9);
    ck_assert_uint_eq(cursor.gap_count, 1);
    ck_assert_int_eq(cursor.gaps[0].from_s, 40);
}
END_TEST

START_TEST(what_is_too_old_is_told) {
    const int64_t oldest_s = NOW_S - CLOUDTRAIL_KEPT_S;
    CloudtrailCursor cursor = {.exists = true};
    ck_assert_int_eq(cursor_drop_old(&cursor, NOW_S), 0);
    cursor_add_gap(&cursor, (Interval){oldest_s - 100, oldest_s - 91});
    cursor_add_gap(&cursor, (Interval){oldest_s - 5, oldest_s + 5});
    cursor_add_gap(&cursor, (Interval){oldest_s + 50, oldest_s + 60});
    ck_assert_int_eq(cursor_drop_old(&cursor, NOW_S), 15);
    ck_assert_uint_eq(cursor.gap_count, 2);
    ck_assert_int_eq(cursor.gaps[0].from_s, oldest_s);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, rows_are_read_back, 0, (int)COUNT_OF(cases));
    tcase_add_test(tcase, gaps_are_bounded_and_cover_all);
    tcase_add_test(tcase, gaps_are_read);
    tcase_add_test(tcase, what_is_too_old_is_told);
}

int main(void) { return run_tests("cloudtrail_cursor", fill); }
