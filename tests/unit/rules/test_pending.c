/* `for` and `keep_firing_for`: every pending entry of alarm-cases.json, restarts, and clocks that are set. */
#include "rules/pending.h"

#include "../run.h"
#include "base/own.h"
#include "cases.h"

#include <string.h>

static const char *const phases[] = {"inactive", "pending", "firing"};

static void check_case(const json_t *c) {
    const PendingRule rule = {(int64_t)figure(c, "hold"), (int64_t)figure(c, "keep_firing_for")};
    const json_t *condition = json_object_get(c, "condition"), *expected = json_object_get(c, "expected");
    ck_assert_uint_eq(json_array_size(condition), json_array_size(expected));
    PendingMemory memory = {0};
    for (size_t i = 0; i < json_array_size(condition); i++) {
        const bool holds = json_integer_value(json_array_get(condition, i));
        const int64_t now = 1767225600 + (int64_t)i * (int64_t)figure(c, "step");
        const char *got = phases[pending_step(&rule, &memory, holds, now)];
        ck_assert_msg(
            strcmp(got, json_string_value(json_array_get(expected, i))) == 0, "%s: %zu is %s", word(c, "name"), i, got);
    }
}

START_TEST(published) {
    json_t *list = cases_of("pending_cases");
    for (size_t i = 0; i < json_array_size(list); i++) check_case(json_array_get(list, i));
    json_decref(list);
}
END_TEST

static const struct Down {
    int64_t for_s, down_s, up_s; /* the condition has held since 0 */
    int64_t fires_s; /* the first second at which it fires */
} downs[] = {
    {300, 100, 1000, 1200}, /* 200 s were left */
    {300, 300, 1000, 1000}, /* it was due */
    {599, 500, 1000, 1099}, /* too short for the grace */
    {600, 500, 1000, 1600}, /* 100 s were left: at least ten minutes are */
    {3600, 3500, 4000, 4600}, {3600, 600, 4000, 7000}, /* 3,000 s were left */
    {300, 100, 100, 300}, /* not down at all */
    {300, 200, 100, 300}, /* the clock was set back meanwhile */
};

START_TEST(resumes_without_the_time_down) {
    const PendingRule rule = {.for_s = downs[_i].for_s};
    PendingMemory memory = {0};
    pending_step(&rule, &memory, true, 0);
    pending_resume(&rule, &memory, downs[_i].down_s, downs[_i].up_s);
    PendingMemory before = memory;
    if (downs[_i].fires_s > downs[_i].up_s)
        ck_assert_int_eq(pending_step(&rule, &before, true, downs[_i].fires_s - 1), PENDING_PENDING);
    ck_assert_int_eq(pending_step(&rule, &memory, true, downs[_i].fires_s), PENDING_FIRING);
}
END_TEST

START_TEST(resume_leaves_what_is_not_pending) {
    const PendingRule rule = {.for_s = 0, .keep_firing_s = 100};
    PendingMemory firing = {0}, inactive = {0};
    pending_step(&rule, &firing, true, 10);
    pending_step(&rule, &firing, false, 20);
    pending_resume(&rule, &firing, 30, 60);
    pending_resume(&rule, &inactive, 30, 60);
    ck_assert_int_eq(pending_step(&rule, &firing, false, 119), PENDING_FIRING);
    ck_assert_int_eq(pending_step(&rule, &firing, false, 120), PENDING_INACTIVE);
    ck_assert_int_eq(inactive.phase, PENDING_INACTIVE);
}
END_TEST

START_TEST(clock_set_back) {
    const PendingRule rule = {.for_s = 60, .keep_firing_s = 60};
    PendingMemory memory = {0};
    pending_step(&rule, &memory, true, 10000);
    ck_assert_int_eq(pending_step(&rule, &memory, true, 5000), PENDING_PENDING);
    ck_assert_int_eq(pending_step(&rule, &memory, true, 5060), PENDING_FIRING); /* not at 10060 */
    pending_step(&rule, &memory, false, 5100);
    ck_assert_int_eq(pending_step(&rule, &memory, false, 1000), PENDING_FIRING);
    ck_assert_int_eq(pending_step(&rule, &memory, false, 1060), PENDING_INACTIVE);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, published);
    tcase_add_loop_test(tcase, resumes_without_the_time_down, 0, COUNT_OF(downs));
    tcase_add_test(tcase, resume_leaves_what_is_not_pending);
    tcase_add_test(tcase, clock_set_back);
}

int main(void) { return run_tests("pending", fill); }
