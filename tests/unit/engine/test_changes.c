/* What is shown beside an alarm: which write events, in which order, within which bounds. */
#include "engine/changes.h"

#include "../run.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

enum { NOW_S = 1770000000, BEGAN_S = NOW_S - 300, WINDOW_S = 1800 }; /* NOW: 2026-02-02 02:40Z */
#define LAMBDA "lambda.amazonaws.com"
#define ARN "arn:aws:lambda:eu-west-1:111122223333:function:"

static void service_of(const void *selector, const Labels *series, char *text, size_t room) {
    (void)selector, (void)series;
    snprintf(text, room, LAMBDA);
}

static const Source with_service = {.name = "cloudwatch", .service = service_of}, without = {.name = "cloudtrail"};

typedef struct Seen {
    int64_t ago_s;
    const char *id, *service, *resource;
    const char *error;
    bool is_read_only;
} Seen;

static void add(EventLog *log, const Seen *seen) {
    event_log_add(log,
        &(ReadEvent){.id = seen->id,
            .name = "N",
            .service = seen->service ? seen->service : "ec2.amazonaws.com",
            .region = "eu-west-1",
            .who = "ann",
            .where = "",
            .error = seen->error ? seen->error : "",
            .brief = seen->id,
            .resources = &seen->resource,
            .resource_count = seen->resource != NULL,
            .time_ms = (NOW_S - seen->ago_s) * INT64_C(1000),
            .is_read_only = seen->is_read_only},
        NULL, 0);
}

/* What stands beside an alarm on the function `checkout`, which began five minutes ago. Caller frees. */
static char *beside(const Source *source, const Seen *seen, size_t count, const char *name) {
    OWN(event_log) EventLog *log = event_log_new();
    for (size_t i = 0; i < count; i++) add(log, &seen[i]);
    event_log_prune(log, NOW_S * INT64_C(1000), NOW_S * INT64_C(1000));
    Alarm alarm = {.source = source};
    OWN(labels) Labels *series = labels_new(&(Label){"FunctionName", name}, 1);
    OWN(labels) Labels *notes = labels_new(&(Label){"event_id", "own"}, 1);
    const Instance instance = {
        .alarm = &alarm, .series = series, .facts = {.notes = notes}, .firing_since_ms = BEGAN_S * INT64_C(1000)};
    return changes_words(&instance, log, WINDOW_S, NOW_S * INT64_C(1000));
}

static const struct Same {
    const char *name, *resource;
    bool is_same;
} sames[] = {
    {"checkout", "checkout", true},
    {"checkout", ARN "checkout", true},
    {"checkout", ARN "checkout:live", true},
    {"checkout", ARN "checkout-api", false},
    {"checkout", ARN "my-checkout", false},
    {"checkout", ARN "my-checkout/checkout", true}, /* the second place fits */
    {"checkout", "checkout/x", false}, /* it begins a path: whose it is stands before it */
    {"app/api/50dc", "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/api/50dc", true},
    {"app/api/50dc", "50dc", true},
    {"app/api/50dc", "app", false},
    {"api", ARN "api", true},
    {"eu", ARN "eu", false},
    {"eu", "eu", false},
    {"checkout", "", false},
    {"checkout", "c", false},
};

START_TEST(the_same_resource) {
    const struct Same *c = &sames[_i];
    const Seen seen = {400, "e", NULL, c->resource, NULL, false};
    OWN(text) char *words = beside(&without, &seen, 1, c->name);
    ck_assert_msg((words != NULL) == c->is_same, "%s in %s: %s", c->name, c->resource, words ? words : "");
}
END_TEST

START_TEST(resource_first_then_service_and_before_the_alarm_first) {
    static const Seen seen[] = {
        {10, "service since", LAMBDA, "other", NULL, false},
        {20, "resource since", LAMBDA, ARN "checkout", NULL, false},
        {310, "service before", LAMBDA, "other", NULL, false},
        {320, "elsewhere", NULL, "other", NULL, false},
        {330, "read", LAMBDA, "checkout", NULL, true},
        {340, "failed", LAMBDA, "checkout", "AccessDenied", false},
        {350, "resource before", NULL, "checkout", NULL, false},
        {360, "own", LAMBDA, "checkout", NULL, false},
        {300 + WINDOW_S + 1, "long ago", LAMBDA, "checkout", NULL, false},
    };
    OWN(text) char *words = beside(&with_service, seen, COUNT_OF(seen), "checkout");
    ck_assert_ptr_nonnull(words);
    ck_assert_str_eq(words,
        "as of 02:40Z\n02:34:10Z resource before\n02:39:40Z resource since\n02:34:50Z service before\n"
        "02:39:50Z service since");
}
END_TEST

START_TEST(five_at_the_most) {
    Seen seen[20];
    char ids[20][8];
    for (int i = 0; i < 20; i++) {
        snprintf(ids[i], sizeof ids[i], "e%d", i);
        seen[i] = (Seen){400 + i, ids[i], LAMBDA, i % 4 ? NULL : "checkout", NULL, false};
    }
    OWN(text) char *words = beside(&with_service, seen, COUNT_OF(seen), "checkout");
    ck_assert_str_eq(words, "as of 02:40Z\n02:33:20Z e0\n02:33:16Z e4\n02:33:12Z e8\n02:33:08Z e12\n02:33:04Z e16");
}
END_TEST

START_TEST(long_lines_stay_within_their_room) {
    char longest[5][EVENT_BRIEF_MAX + 1];
    Seen seen[5];
    for (int i = 0; i < 5; i++) {
        memset(longest[i], 'x', EVENT_BRIEF_MAX);
        longest[i][EVENT_BRIEF_MAX - 1] = (char)('0' + i);
        longest[i][EVENT_BRIEF_MAX] = 0;
        seen[i] = (Seen){400 + i, longest[i], LAMBDA, NULL, NULL, false};
    }
    OWN(text) char *words = beside(&with_service, seen, COUNT_OF(seen), "checkout");
    ck_assert_ptr_nonnull(words);
    ck_assert_uint_le(strlen(words), 1000);
}
END_TEST

START_TEST(nothing_where_there_is_nothing_to_tell) {
    OWN(event_log) EventLog *log = event_log_new();
    const Instance quiet = {.firing_since_ms = 0}, over = {.firing_since_ms = 1, .resolved_ms = 2},
                   fires = {.firing_since_ms = 1};
    const Seen other = {400, "e", NULL, "other", NULL, false};
    ck_assert_ptr_null(changes_words(&fires, log, WINDOW_S, 2000));
    ck_assert_ptr_null(beside(&with_service, NULL, 0, "checkout"));
    ck_assert_ptr_null(beside(&with_service, &other, 1, "checkout"));
    add(log, &(Seen){400, "e", LAMBDA, "checkout", NULL, false});
    ck_assert_ptr_null(changes_words(&quiet, log, WINDOW_S, 2000));
    ck_assert_ptr_null(changes_words(&over, log, WINDOW_S, 2000));
    ck_assert_ptr_null(changes_words(&fires, log, 0, 2000)); /* turned off */
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_loop_test(tests, the_same_resource, 0, (int)COUNT_OF(sames));
    tcase_add_test(tests, resource_first_then_service_and_before_the_alarm_first);
    tcase_add_test(tests, five_at_the_most);
    tcase_add_test(tests, long_lines_stay_within_their_room);
    tcase_add_test(tests, nothing_where_there_is_nothing_to_tell);
}

int main(void) { return run_tests("changes", fill); }
