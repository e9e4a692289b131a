/* When polls run: the first within ten seconds, then each at its own phase, whatever the clocks do. */
#include "engine/schedule.h"

#include "../run.h"

#include <stdlib.h>

/* A plan of our own: the schedule knows polls by the two calls alone. */
struct Plan {
    Poll polls[3];
    size_t count;
};
const Poll *plan_poll(const Plan *plan, size_t index) { return &plan->polls[index]; }
size_t plan_count(const Plan *plan) { return plan->count; }

#define WALL 1767323100000 /* a whole minute */

static const struct Turn {
    int64_t every_s;
    uint64_t phase;
    int64_t first_ms; /* the first wait */
} turns[] = {
    {60, 0, 0},
    {60, 12345, 2345}, /* first: within ten seconds; then at second 12.345 */
    {60, 60000 + 59999, 9999},
    {10, 25001, 5001},
    {1, 700, 700},
    {300, 123456789, 6789},
};

START_TEST(phase_and_first) {
    const struct Turn *t = &turns[_i];
    const Plan plan = {.count = 1, .polls = {{.every_s = t->every_s, .phase = t->phase}}};
    OWN(schedule) Schedule *schedule = schedule_new(&plan, 5000);
    ck_assert_int_eq(schedule_next_boot_ms(schedule), 5000 + t->first_ms);
    ck_assert_ptr_null(schedule_due(schedule, 5000 + t->first_ms - 1));
    Scheduled *due = schedule_due(schedule, 5000 + t->first_ms);
    ck_assert_ptr_nonnull(due);
    schedule_begin(due, 5000 + t->first_ms);
    ck_assert_ptr_null(schedule_due(schedule, INT64_MAX)); /* one run at a time */
    schedule_end(due, WALL + t->first_ms, 5000 + t->first_ms);
    const int64_t wait = schedule_next_boot_ms(schedule) - 5000 - t->first_ms;
    ck_assert_int_gt(wait, 0);
    ck_assert_int_le(wait, t->every_s * 1000);
    ck_assert_int_eq((WALL + t->first_ms + wait - (int64_t)t->phase) % (t->every_s * 1000), 0);
}
END_TEST

START_TEST(a_wall_clock_that_jumps_neither_fires_nor_forgets) {
    const Plan plan = {.count = 1, .polls = {{.every_s = 60, .phase = 30000}}};
    OWN(schedule) Schedule *schedule = schedule_new(&plan, 0);
    Scheduled *due = schedule_due(schedule, 10000);
    schedule_begin(due, 10000);
    schedule_end(due, WALL, 10000);
    for (int64_t jump = -3600000; jump <= 3600000; jump += 777777) {
        schedule_realign(schedule, WALL + jump, 20000);
        ck_assert_int_gt(schedule_next_boot_ms(schedule), 20000);
        ck_assert_int_le(schedule_next_boot_ms(schedule), 20000 + 60000);
    }
    schedule_rush(schedule, 21000);
    ck_assert_ptr_nonnull(schedule_due(schedule, 21000));
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_loop_test(tests, phase_and_first, 0, COUNT_OF(turns));
    tcase_add_test(tests, a_wall_clock_that_jumps_neither_fires_nor_forgets);
}

int main(void) { return run_tests("schedule", fill); }
