/* The newest events of an account and region: order, bounds, copies. */
#include "sources/event_log.h"

#include "../run.h"

#include <stdio.h>
#include <string.h>

static void add(EventLog *log, int number, int64_t time_ms) {
    char id[32], brief[64];
    char resource[] = "arn:x";
    const char *const resources[] = {resource, "i-1"};
    char title[] = "a rule";
    const char *const rules[] = {title};
    snprintf(id, sizeof id, "e-%d", number);
    snprintf(brief, sizeof brief, "brief of %d", number);
    event_log_add(log,
        &(ReadEvent){.id = id,
            .name = "N",
            .service = "s",
            .region = "r",
            .who = "w",
            .where = "",
            .error = "",
            .brief = brief,
            .resources = resources,
            .resource_count = (size_t)(number % 3),
            .time_ms = time_ms},
        rules, (size_t)(number % 2));
    memset(resource, 'x', sizeof resource - 1); /* what was given is the giver's again */
    memset(title, 'x', sizeof title - 1);
}

START_TEST(newest_first_and_once) {
    OWN(event_log) EventLog *log = event_log_new();
    ck_assert_uint_eq(event_log_count(log), 0);
    event_log_prune(log, 0, 0);
    add(log, 5, 2000);
    add(log, 1, 3000);
    add(log, 2, 1000);
    add(log, 5, 9000);
    ck_assert_uint_eq(event_log_count(log), 3);
    ck_assert(event_log_has(log, "e-5") && !event_log_has(log, "e-7"));
    ck_assert_str_eq(event_log_at(log, 0)->event.id, "e-1");
    const LoggedEvent *logged = event_log_at(log, 1);
    ck_assert_str_eq(logged->event.brief, "brief of 5");
    ck_assert_uint_eq(logged->event.resource_count, 2);
    ck_assert_str_eq(logged->event.resources[0], "arn:x");
    ck_assert_str_eq(logged->event.resources[1], "i-1");
    ck_assert_uint_eq(logged->rule_count, 1);
    ck_assert_str_eq(logged->rules[0], "a rule");
    ck_assert_str_eq(event_log_at(log, 2)->event.id, "e-2");
    ck_assert_uint_eq(event_log_at(log, 2)->rule_count, 0);
}
END_TEST

START_TEST(a_full_log_keeps_the_newest) {
    OWN(event_log) EventLog *log = event_log_new();
    for (int i = 0; i < EVENT_LOG_MAX + 100; i++) add(log, i, 1000 + i);
    ck_assert_uint_eq(event_log_count(log), EVENT_LOG_MAX);
    ck_assert_str_eq(event_log_at(log, EVENT_LOG_MAX - 1)->event.id, "e-100");
    add(log, 99999, 1); /* older than all */
    ck_assert(!event_log_has(log, "e-99999") && event_log_has(log, "e-100"));
}
END_TEST

START_TEST(old_ones_go) {
    OWN(event_log) EventLog *log = event_log_new();
    OWN(event_log) EventLog *other = event_log_ref(log);
    add(log, 1, 1000);
    add(log, 2, 5000);
    event_log_prune(log, EVENT_LOG_KEPT_MS + 2000, 7);
    ck_assert_uint_eq(event_log_count(other), 1);
    ck_assert(!event_log_has(other, "e-1"));
    ck_assert_int_eq(event_log_as_of_ms(other), 7);
    event_log_prune(log, EVENT_LOG_KEPT_MS + 2000, 0);
    ck_assert_int_eq(event_log_as_of_ms(other), 7);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, newest_first_and_once);
    tcase_add_test(tcase, a_full_log_keeps_the_newest);
    tcase_add_test(tcase, old_ones_go);
}

int main(void) { return run_tests("event_log", fill); }
