/* One batch read page by page, from a stand-in for the AWS client: its calls are scripted, everything else is real. */
#include "sources/cloudwatch.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/own.h"
#include "metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NOW_S = 1767322800, QUERIES = 2, ANSWERS_MAX = 120 };

/* --- the stand-in --- */
typedef struct Scripted {
    const char *body; /* NULL: the call fails */
    AwsClass class;
} Scripted;

struct AwsTicket {
    AwsDone *done;
    void *ctx;
    uv_idle_t later;
    Scripted answer;
    Aws *aws;
};

struct Aws {
    uv_loop_t *loop;
    const Scripted *script;
    size_t count, calls;
    double billed;
    char *tokens[ANSWERS_MAX];
    int64_t now_s, start_s; /* start_s: from where on the last call asked */
};

int64_t aws_now_ms(const Aws *aws) { return aws->now_s * 1000; }

static void ticket_closed(uv_handle_t *handle) { free(handle->data); }

static void ticket_finish(AwsTicket *ticket, AwsClass class) {
    AwsDone *done = ticket->done;
    void *ctx = ticket->ctx;
    const Scripted answer = ticket->answer;
    uv_idle_stop(&ticket->later);
    uv_close((uv_handle_t *)&ticket->later, ticket_closed);
    done(ctx,
        &(AwsAnswer){.class = class,
            .status = 200,
            .body = answer.body,
            .body_length = answer.body ? strlen(answer.body) : 0,
            .code = "",
            .message = "",
            .explanation = "it was lost"});
}

static void ticket_due(uv_idle_t *later) {
    AwsTicket *ticket = later->data;
    ticket_finish(ticket, ticket->answer.body ? AWS_FINE : ticket->answer.class);
}

AwsTicket *aws_call(Aws *aws, const AwsCall *call, AwsDone *done, void *ctx) {
    AwsTicket *ticket = alloc_zeroed(1, sizeof *ticket);
    ck_assert_uint_lt(aws->calls, ANSWERS_MAX);
    *ticket = (AwsTicket){
        .done = done, .ctx = ctx, .answer = aws->script[aws->calls < aws->count ? aws->calls : aws->count - 1]};
    json_t *body = json_loadb(call->body, call->body_length, 0, NULL);
    ck_assert_ptr_nonnull(body);
    const char *token = json_string_value(json_object_get(body, "NextToken"));
    aws->tokens[aws->calls++] = token ? text_copy(token) : NULL;
    aws->billed += call->billed_units;
    aws->start_s = json_integer_value(json_object_get(body, "StartTime"));
    ck_assert_str_eq(call->action, "cloudwatch:GetMetricData");
    json_decref(body);
    uv_idle_init(aws->loop, &ticket->later);
    ticket->later.data = ticket;
    uv_idle_start(&ticket->later, ticket_due);
    return ticket;
}

void aws_cancel(AwsTicket *ticket) { ticket_finish(ticket, AWS_CANCELLED); }

/* --- the world --- */
typedef struct World {
    uv_loop_t loop;
    Aws aws;
    TestAlarm alarms[QUERIES];
    Plan *plan;
    PollWorld poll;
    PollRun *run;
    PollOutcome *outcome;
} World;

static void keep(void *ctx, PollOutcome *take_outcome) {
    World *world = ctx;
    ck_assert_ptr_null(world->outcome); /* once */
    world->outcome = take_outcome;
}

/* Two alarms: m0 on dimension a, m1 on b. */
static void world_start(World *world, const Scripted *script, size_t count) {
    *world = (World){0};
    uv_loop_init(&world->loop);
    world->aws = (Aws){.loop = &world->loop, .script = script, .count = count, .now_s = NOW_S + 7};
    Watch watches[QUERIES];
    for (size_t i = 0; i < QUERIES; i++) {
        test_alarm(&world->alarms[i], "AWS/EC2", i ? "b" : "a", "Sum", 60, 3);
        watches[i] = test_watch(&world->alarms[i], 10 + i);
    }
    world->plan = metric_plan(NULL, watches, QUERIES);
    ck_assert_uint_eq(plan_count(world->plan), 1);
    world->poll = (PollWorld){.loop = &world->loop, .aws = &world->aws};
    world->run = metric_poll_start(plan_poll(world->plan, 0), &world->poll, keep, world);
    ck_assert_ptr_null(world->outcome); /* never inside start */
}

static void world_stop(World *world) {
    poll_outcome_free(world->outcome);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    plan_free(world->plan);
    for (size_t i = 0; i < world->aws.calls; i++) free(world->aws.tokens[i]);
}

#define SERIES(id, status, stamps, values) \
    "{\"Id\":\"" id "\",\"StatusCode\":\"" status "\",\"Timestamps\":[" stamps "],\"Values\":[" values "]}"
#define PAGE(series, more) \
    { "{\"MetricDataResults\":[" series "]" more "}", AWS_FINE }
#define M0 SERIES("m0", "Complete", "1767322680", "1")
#define M1 SERIES("m1", "Complete", "1767322620", "2")

/* What each of the two alarms learns: a word of its error, or NULL. */
static const struct Case {
    const char *what;
    Scripted script[3];
    size_t count, calls;
    const char *errors[QUERIES];
    bool failed;
} cases[] = {
    {"one page", {PAGE(M0 "," M1, "")}, 1, 1, {NULL, NULL}, false},
    {"two pages", {PAGE(M0, ",\"NextToken\":\"t\""), PAGE(M1, "")}, 2, 2, {NULL, NULL}, false},
    {"an empty page with a token", {PAGE("", ",\"NextToken\":\"t\""), PAGE(M0 "," M1, "")}, 2, 2, {NULL, NULL}, false},
    {"refused", {{NULL, AWS_DENIED}}, 1, 1, {"it was lost", "it was lost"}, true},
    {"a lost second page", {PAGE(M0, ",\"NextToken\":\"t\""), {NULL, AWS_THROTTLED}}, 2, 2, {NULL, "it was lost"},
        true},
    {"a torn second page", {PAGE(M0, ",\"NextToken\":\"t\""), PAGE("{", "")}, 2, 2, {NULL, "no JSON"}, true},
    {"a token twice", {PAGE(M0, ",\"NextToken\":\"t\""), PAGE("", ",\"NextToken\":\"t\"")}, 2, 2, {NULL, "twice"},
        true},
    {"a missing id", {PAGE(M0, "")}, 1, 1, {NULL, "does not hold"}, true},
    {"half of one", {PAGE(M0 "," SERIES("m1", "PartialData", "", ""), "")}, 1, 1, {NULL, "half-way"}, true},
    {"forbidden", {PAGE(SERIES("m0", "Forbidden", "", "") "," M1, "")}, 1, 1, {"Forbidden", NULL}, true},
    {"an internal error", {PAGE(SERIES("m0", "InternalError", "", "") "," M1, "")}, 1, 1, {"InternalError", NULL},
        true},
    {"something left out", {PAGE(M0 "," M1, ",\"Messages\":[{\"Code\":\"C\",\"Value\":\"v\"}]")}, 1, 1,
        {"C: v", "C: v"}, true},
    {"no JSON", {{"<html>", AWS_FINE}}, 1, 1, {"no JSON", "no JSON"}, true},
};

START_TEST(unknown_is_not_missing) {
    const struct Case *c = &cases[_i];
    World world;
    world_start(&world, c->script, c->count);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    const PollOutcome *got = world.outcome;
    ck_assert_ptr_nonnull(got);
    ck_assert_uint_eq(got->count, QUERIES);
    ck_assert_uint_eq(world.aws.calls, c->calls);
    ck_assert_msg(got->failed == c->failed && (got->error != NULL) == c->failed, "%s: %s", c->what, got->error);
    for (size_t i = 0; i < QUERIES; i++) {
        const Observation *seen = &got->observations[i];
        ck_assert_uint_eq(seen->watch, 10 + i);
        if (c->errors[i]) {
            ck_assert_msg(seen->error && strstr(seen->error, c->errors[i]), "%s: %s", c->what, seen->error);
            continue;
        }
        ck_assert_msg(!seen->error, "%s: %s", c->what, seen->error);
        ck_assert_int_eq(seen->settled_end_s, NOW_S - 120);
        ck_assert(seen->every_minute && seen->grows_only);
        ck_assert_str_eq(labels_get(seen->labels, "D"), i ? "b" : "a");
        double window[1];
        window_fill(&seen->samples, NOW_S - (i ? 120 : 60), 60, 1, window, NULL);
        ck_assert(window[0] == (i ? 2 : 1));
    }
    const MetricBatch *batch = plan_poll(world.plan, 0)->batch;
    ck_assert_int_eq(*batch->last_read_s, c->failed ? 0 : NOW_S + 7);
    ck_assert(world.aws.billed == 2.0 * (double)c->calls); /* each call asks for both metrics */
    for (size_t i = 1; i < world.aws.calls; i++) ck_assert_str_eq(world.aws.tokens[i], "t");
    world_stop(&world);
}
END_TEST

START_TEST(pages_are_bounded) {
    static char bodies[ANSWERS_MAX][80];
    static Scripted script[ANSWERS_MAX];
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        snprintf(bodies[i], sizeof bodies[i], "{\"MetricDataResults\":[],\"NextToken\":\"%zu\"}", i);
        script[i] = (Scripted){bodies[i], AWS_FINE};
    }
    World world;
    world_start(&world, script, ANSWERS_MAX);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(world.aws.calls, 100);
    ck_assert(world.outcome->failed && world.outcome->error_class == AWS_PAGING);
    world_stop(&world);
}
END_TEST

START_TEST(cancelled_ends_at_once) {
    static const Scripted script[] = {PAGE(M0 "," M1, "")};
    World world;
    world_start(&world, script, 1);
    if (_i == 1) uv_run(&world.loop, UV_RUN_NOWAIT); /* answered: the pool has it now */
    if (world.outcome) return world_stop(&world); /* the pool was quick */
    metric_poll_cancel(world.run);
    ck_assert_ptr_nonnull(world.outcome);
    ck_assert(world.outcome->failed && world.outcome->error_class == AWS_CANCELLED);
    world_stop(&world);
}
END_TEST

START_TEST(asks_for_what_the_grid_says) {
    World world;
    static const Scripted script[] = {PAGE(M0 "," M1, "")};
    world_start(&world, script, 1);
    const MetricBatch *batch = plan_poll(world.plan, 0)->batch;
    const MetricGrid grid = {NOW_S, 60, 5};
    world.alarms[1].selector.unit = "Count";
    OWN(text) char *body = metric_request(batch, &grid, NULL, "t\"1");
    ck_assert_str_eq(body,
        "{\"EndTime\":1767323100,\"MetricDataQueries\":[{\"Id\":\"m0\",\"MetricStat\":{\"Metric\":{\"Dimensions\":[{"
        "\"Name\":\"D\","
        "\"Value\":\"a\"}],\"MetricName\":\"M\",\"Namespace\":\"AWS/"
        "EC2\"},\"Period\":60,\"Stat\":\"Sum\"}},{\"Id\":\"m1\","
        "\"MetricStat\":{\"Metric\":{\"Dimensions\":[{\"Name\":\"D\",\"Value\":\"b\"}],\"MetricName\":\"M\","
        "\"Namespace\":\"AWS/EC2\"},"
        "\"Period\":60,\"Stat\":\"Sum\",\"Unit\":\"Count\"}}],\"NextToken\":\"t\\\"1\",\"ScanBy\":"
        "\"TimestampAscending\","
        "\"StartTime\":1767322800}");
    uv_run(&world.loop, UV_RUN_DEFAULT);
    world_stop(&world);
}
END_TEST

static void run_again(World *world, int64_t now_s) {
    poll_outcome_free(world->outcome);
    world->outcome = NULL;
    world->aws.now_s = now_s;
    world->run = metric_poll_start(plan_poll(world->plan, 0), &world->poll, keep, world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert(world->outcome && !world->outcome->failed);
}

/* Down for ten minutes, then up with a clock so far off: the run by the right clock makes up for all of them. */
static const int64_t wrong_by_s[] = {1200, 86400, -100};

START_TEST(a_run_by_a_wrong_clock_leaves_the_gap) {
    World world;
    static const Scripted script[] = {PAGE(M0 "," M1, "")};
    const int64_t back_s = NOW_S + 607;
    world_start(&world, script, 1);
    const Poll *poll = plan_poll(world.plan, 0);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    const int64_t last_s = *((const MetricBatch *)poll->batch)->last_read_s;
    ck_assert_int_eq(last_s, NOW_S + 7);
    const MetricGrid missed = metric_grid(poll->batch, back_s);
    for (int twice = 0; twice < 2; twice++) { /* the repeat may meet a second correction */
        run_again(&world, back_s + wrong_by_s[_i]);
        poll->source->forget(poll, back_s);
    }
    run_again(&world, back_s);
    ck_assert_int_eq(world.aws.start_s, missed.start_s);
    ck_assert_int_le(world.aws.start_s, last_s - 120); /* what was not settled then, and all since */
    ck_assert_int_eq(*((const MetricBatch *)poll->batch)->last_read_s, back_s);
    world_stop(&world);
}
END_TEST

/* What was read last in a future that there is not is as good as never read. */
START_TEST(a_reading_of_the_future_is_none) {
    World world;
    static const Scripted script[] = {PAGE(M0 "," M1, "")};
    world_start(&world, script, 1);
    const Poll *poll = plan_poll(world.plan, 0);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    run_again(&world, NOW_S + 60);
    poll->source->forget(poll, NOW_S - 3600);
    ck_assert_int_eq(*((const MetricBatch *)poll->batch)->last_read_s, 0);
    world_stop(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, unknown_is_not_missing, 0, (int)COUNT_OF(cases));
    tcase_add_test(tcase, pages_are_bounded);
    tcase_add_loop_test(tcase, cancelled_ends_at_once, 0, 2);
    tcase_add_test(tcase, asks_for_what_the_grid_says);
    tcase_add_loop_test(tcase, a_run_by_a_wrong_clock_leaves_the_gap, 0, (int)COUNT_OF(wrong_by_s));
    tcase_add_test(tcase, a_reading_of_the_future_is_none);
}

int main(void) { return run_tests("metric_poll", fill); }
