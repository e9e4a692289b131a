/* Traces counted window by window, from a stand-in for the AWS client. */
#include "sources/xray.h"

#include "../run.h"
#include "fake_aws.h"
#include "sources/plan.h"

#include <math.h>
#include <stdio.h>

enum { NOW_S = 1767322800, END_S = NOW_S - 120 };

typedef struct World {
    uv_loop_t loop;
    Aws aws;
    TracesSelector selector;
    ThresholdRule rule;
    Plan *plan;
    PollWorld poll;
    PollRun *run;
    PollOutcome *outcome;
    size_t destinations;
    const char *destination; /* an answer; NULL: refused */
    AwsClass refusal;
    int matches, of; /* traces that each filter finds in a window */
    int nameless; /* summaries without an id that stand beside them */
    int pages; /* that the filter's answer has */
    const char *refused; /* AWS's words on the filter; NULL: none */
    char body[4096];
} World;

static FakeAnswer answer(Aws *aws, const AwsCall *call, const json_t *body) {
    World *world = aws->ctx;
    if (strcmp(call->operation, "GetTraceSegmentDestination") == 0) {
        ck_assert_str_eq(call->path, "/GetTraceSegmentDestination");
        ck_assert_uint_eq(json_object_size(body), 0);
        world->destinations++;
        return (FakeAnswer){world->destination, world->refusal, "not allowed"};
    }
    ck_assert_str_eq(call->path, "/TraceSummaries");
    ck_assert_str_eq(call->action, "xray:GetTraceSummaries");
    ck_assert_str_eq(json_text(body, "TimeRangeType"), "Event");
    ck_assert_ptr_null(json_object_get(body, "Sampling")); /* a subset would be counted */
    int64_t start_s = 0, end_s = 0;
    ck_assert(json_whole(body, "StartTime", &start_s) && json_whole(body, "EndTime", &end_s));
    ck_assert_int_eq(end_s - start_s, world->rule.period_s);
    if (world->refused) return (FakeAnswer){NULL, AWS_VALIDATION, world->refused};
    const bool is_of = strcmp(json_text(body, "FilterExpression"), "of") == 0;
    const char *token = json_text(body, "NextToken");
    const int page = token ? atoi(token) : 0, count = is_of ? world->of : world->matches;
    int used = snprintf(world->body, sizeof world->body, "{\"TracesProcessedCount\":100,");
    if (page + 1 < world->pages)
        used += snprintf(world->body + used, sizeof world->body - (size_t)used, "\"NextToken\":\"%d\",", page + 1);
    used += snprintf(world->body + used, sizeof world->body - (size_t)used, "\"TraceSummaries\":[");
    for (int i = 0; i < count; i++)
        used += snprintf(
            world->body + used, sizeof world->body - (size_t)used, "%s{\"Id\":\"1-%d-%d\"}", i ? "," : "", page, i);
    for (int i = 0; i < world->nameless; i++)
        used += snprintf(world->body + used, sizeof world->body - (size_t)used, "%s{}", i || count ? "," : "");
    snprintf(world->body + used, sizeof world->body - (size_t)used, "]}");
    return (FakeAnswer){world->body, AWS_FINE, NULL};
}

static void keep(void *ctx, PollOutcome *take_outcome) {
    World *world = ctx;
    ck_assert_ptr_null(world->outcome); /* once */
    world->outcome = take_outcome;
}

static void begin(World *world, TracesStatistic statistic, size_t range) {
    *world = (World){.matches = 3, .of = 12, .pages = 1, .destination = "{\"Destination\":\"XRay\"}"};
    uv_loop_init(&world->loop);
    world->aws = (Aws){.loop = &world->loop, .now_s = NOW_S, .answer = answer, .ctx = world};
    world->selector = (TracesSelector){.filter = "filter", .of = "of", .statistic = (int)statistic, .window_s = 300};
    world->rule =
        (ThresholdRule){.comparison = COMPARE_GT, .threshold = 2, .n = 1, .m = 1, .range = range, .period_s = 300};
    const Watch watch = {.index = 7,
        .source = &traces_source,
        .alarm = "a",
        .selector = &world->selector,
        .account = "default",
        .region = "eu-west-1",
        .rule = &world->rule};
    world->plan = traces_plan(NULL, &watch, 1);
    ck_assert_uint_eq(plan_count(world->plan), 1);
    world->poll = (PollWorld){.loop = &world->loop, .aws = &world->aws};
}

static const PollOutcome *poll_at(World *world, int64_t now_s) {
    poll_outcome_free(world->outcome);
    world->outcome = NULL;
    world->aws.now_s = now_s;
    world->aws.calls = 0;
    world->run = traces_poll_start(plan_poll(world->plan, 0), &world->poll, keep, world);
    ck_assert_ptr_null(world->outcome); /* never inside start */
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_ptr_nonnull(world->outcome);
    return world->outcome;
}

static void end(World *world) {
    poll_outcome_free(world->outcome);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    plan_free(world->plan);
}

static double newest(const PollOutcome *outcome) {
    const Observation *seen = &outcome->observations[0];
    double value;
    ck_assert_uint_eq(outcome->count, 1);
    ck_assert_uint_eq(seen->watch, 7);
    ck_assert_msg(!seen->error, "%s", seen->error);
    window_fill(&seen->samples, seen->settled_end_s, 300, 1, &value, NULL);
    return value;
}

START_TEST(traces_are_counted) {
    World world;
    begin(&world, TRACES_COUNT, 3);
    world.pages = 2;
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 1 + 3 * 2);
    ck_assert(!got->failed && newest(got) == 6 && got->observations[0].settled_end_s == END_S);
    ck_assert(world.aws.traces == 600);
    const Labels *notes = got->observations[0].notes;
    ck_assert_str_eq(labels_get(notes, "traces"), "1-0-0, 1-0-1, 1-0-2, 1-1-0, 1-1-1");
    ck_assert_ptr_nonnull(strstr(labels_get(notes, "trace_links"),
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/1-1-1"));
    got = poll_at(&world, NOW_S + 10);
    ck_assert(world.aws.calls == 0 && newest(got) == 6);
    world.matches = 0;
    got = poll_at(&world, NOW_S + 300); /* no trace is 0, not missing; and nothing to look at */
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert(newest(got) == 0 && !got->observations[0].notes);
    end(&world);
}
END_TEST

START_TEST(a_share_of_all) {
    World world;
    begin(&world, TRACES_RATIO, 1);
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 3);
    ck_assert(newest(got) == 25 && world.aws.traces == 200);
    world.of = 0;
    got = poll_at(&world, NOW_S + 60); /* of nothing there is no share */
    ck_assert(isnan(newest(got)) && !got->failed && !got->observations[0].notes);
    end(&world);
}
END_TEST

/* They are not counted as traces, but somebody can see that there were some. */
START_TEST(summaries_without_an_id) {
    World world;
    begin(&world, TRACES_COUNT, 1);
    OWN(metrics) Metrics *metrics = world.poll.metrics = metrics_new();
    Buffer out = BUFFER(4096);
    world.nameless = 2;
    ck_assert(newest(poll_at(&world, NOW_S)) == 3);
    metrics_print(metrics, &out);
    ck_assert_ptr_nonnull(
        strstr(buffer_string(&out), "tocsin_xray_traces_skipped_total{account=\"default\",region=\"eu-west-1\"} 2\n"));
    buffer_deinit(&out);
    end(&world);
}
END_TEST

START_TEST(a_refused_filter) {
    World world;
    begin(&world, TRACES_RATIO, 3);
    world.refused = "Invalid filter expression";
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 2); /* no other window is asked for */
    ck_assert(got->failed && got->count == 1);
    ck_assert_str_eq(got->observations[0].error, "Invalid filter expression");
    ck_assert_int_eq(got->error_class, AWS_VALIDATION);
    end(&world);
}
END_TEST

/* Transaction Search hides traces: said in words, looked at again each time until it is over. */
START_TEST(hidden_traces) {
    World world;
    begin(&world, TRACES_COUNT, 1);
    world.destination = "{\"Destination\":\"CloudWatchLogs\",\"Status\":\"ACTIVE\"}";
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 1);
    ck_assert(got->failed && got->count == 1);
    ck_assert_ptr_nonnull(strstr(got->observations[0].error, "Transaction Search"));
    poll_at(&world, NOW_S + 60);
    ck_assert_uint_eq(world.destinations, 2);
    world.destination = "{\"Destination\":\"XRay\"}";
    got = poll_at(&world, NOW_S + 120);
    ck_assert(!got->failed && newest(got) == 3);
    end(&world);
}
END_TEST

static const struct Destination {
    const char *answer;
    AwsClass class;
    size_t asked; /* in three runs, the last of them an hour later */
} destinations[] = {
    {"{\"Destination\":\"XRay\",\"Status\":\"ACTIVE\"}", AWS_FINE, 2},
    {NULL, AWS_DENIED, 2},
    {NULL, AWS_VALIDATION, 2},
    {NULL, AWS_THROTTLED, 3},
    {"[]", AWS_FINE, 2},
    {"<html>", AWS_FINE, 2},
};

START_TEST(the_destination_is_asked_for_each_hour) {
    const struct Destination *c = &destinations[_i];
    World world;
    begin(&world, TRACES_COUNT, 1);
    world.destination = c->answer;
    world.refusal = c->class;
    static const int64_t times_s[] = {NOW_S, NOW_S + 60, NOW_S + 3600};
    for (size_t i = 0; i < 3; i++) {
        const PollOutcome *got = poll_at(&world, times_s[i]);
        ck_assert_msg(!got->failed && newest(got) == 3, "%s: %s", c->answer, got->error);
    }
    ck_assert_uint_eq(world.destinations, c->asked);
    end(&world);
}
END_TEST

/* Windows of AWS's future hold no trace; when they come they are read. So is the destination. */
START_TEST(windows_of_a_wrong_clock_are_forgotten) {
    World world;
    begin(&world, TRACES_COUNT, 3);
    const Poll *poll = plan_poll(world.plan, 0);
    world.matches = 0;
    poll_at(&world, NOW_S + 1200);
    poll->source->forget(poll, NOW_S + 7);
    world.matches = 3;
    for (int64_t now_s = NOW_S; now_s <= NOW_S + 1200; now_s += 300) ck_assert(newest(poll_at(&world, now_s)) == 3);
    ck_assert_uint_eq(world.destinations, 2);
    poll->source->forget(poll, NOW_S + 1207); /* a clock that was right is no reason to read anything again */
    poll_at(&world, NOW_S + 1200);
    ck_assert_uint_eq(world.aws.calls, 0);
    end(&world);
}
END_TEST

START_TEST(endless_pages) {
    World world;
    begin(&world, TRACES_COUNT, 1);
    world.pages = 1000;
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 101);
    ck_assert(got->failed && strstr(got->error, "PAGES_MAX") && got->error_class == AWS_PAGING);
    ck_assert(got->observations[0].error);
    end(&world);
}
END_TEST

START_TEST(cancelled_ends_at_once) {
    World world;
    begin(&world, TRACES_RATIO, 3);
    world.run = traces_poll_start(plan_poll(world.plan, 0), &world.poll, keep, &world);
    for (int i = 0; i < _i && !world.outcome; i++) uv_run(&world.loop, UV_RUN_ONCE);
    if (!world.outcome) traces_poll_cancel(world.run);
    ck_assert_ptr_nonnull(world.outcome);
    ck_assert(world.outcome->failed && world.outcome->error_class == AWS_CANCELLED);
    world.plan = plan_free(world.plan); /* what is on the pool must not look at it */
    end(&world);
}
END_TEST

START_TEST(words) {
    const TracesSelector traces = {.filter = "service(\"a\")", .statistic = TRACES_RATIO};
    const ThresholdRule rule = {.period_s = 300};
    OWN(text) char *what = traces_describe(&traces, &rule);
    OWN(text) char *url = traces_console_url(&traces, NULL, "eu-west-1", 1767322800000);
    ck_assert_str_eq(what, "X-Ray traces percentage of `service(\"a\")` 300 s");
    ck_assert_ptr_nonnull(strstr(url, "#xray:traces/query?~(query~(expression~'service*28*22a*22*29)~context~("));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, traces_are_counted);
    tcase_add_test(tcase, a_share_of_all);
    tcase_add_test(tcase, summaries_without_an_id);
    tcase_add_test(tcase, a_refused_filter);
    tcase_add_test(tcase, hidden_traces);
    tcase_add_loop_test(tcase, the_destination_is_asked_for_each_hour, 0, (int)COUNT_OF(destinations));
    tcase_add_test(tcase, windows_of_a_wrong_clock_are_forgotten);
    tcase_add_test(tcase, endless_pages);
    tcase_add_loop_test(tcase, cancelled_ends_at_once, 0, 7);
    tcase_add_test(tcase, words);
}

int main(void) { return run_tests("xray_traces", fill); }
