/* The service graph read window by window, from a stand-in for the AWS client: its answers are made from the window
 * that is asked for, everything else is real. */
#include "sources/xray.h"

#include "../run.h"
#include "fake_aws.h"
#include "sources/plan.h"

#include <math.h>
#include <stdio.h>

enum { NOW_S = 1767322800, END_S = NOW_S - 120, ALARMS = 2 };

/* --- the world --- */
typedef struct World {
    uv_loop_t loop;
    Aws aws;
    GraphSelector selectors[ALARMS];
    ThresholdRule rules[ALARMS];
    Watch watches[ALARMS];
    Plan *plan;
    PollWorld poll;
    PollRun *run;
    PollOutcome *outcome;
    int64_t asked[CALLS_MAX]; /* ends of windows, in the order of the calls */
    int faults; /* of 100 requests that checkout has in each window */
    int64_t quiet_from_s, lost_end_s, partial_end_s; /* windows without checkout from then on; that fail, are partial */
    bool two_pages, endless; /* endless: the same token again and again */
    const char *group;
    char body[1024];
} World;

#define FIGURES \
    "\"SummaryStatistics\":{\"OkCount\":1,\"TotalCount\":100,\"FaultStatistics\":{\"TotalCount\":%d}," \
    "\"TotalResponseTime\":1}"

static FakeAnswer answer(Aws *aws, const AwsCall *call, const json_t *body) {
    World *world = aws->ctx;
    int64_t start_s = 0, end_s = 0;
    ck_assert_str_eq(call->operation, "GetServiceGraph");
    ck_assert_str_eq(call->action, "xray:GetServiceGraph");
    ck_assert_str_eq(call->path, "/ServiceGraph");
    ck_assert(json_whole(body, "StartTime", &start_s) && json_whole(body, "EndTime", &end_s));
    ck_assert_int_eq(end_s - start_s, world->rules[0].period_s);
    ck_assert_int_eq(end_s % 60, 0);
    const char *group = json_text(body, "GroupName");
    ck_assert(world->group ? group && strcmp(group, world->group) == 0 : group == NULL);
    world->asked[aws->calls - 1] = end_s;
    if (end_s == world->lost_end_s) return (FakeAnswer){NULL, AWS_VALIDATION, "the group does not exist"};
    const bool second = json_text(body, "NextToken") != NULL,
               quiet = world->quiet_from_s && end_s >= world->quiet_from_s;
    snprintf(world->body, sizeof world->body,
        "{\"ContainsOldGroupVersions\":%s,%s\"Services\":[{\"ReferenceId\":%d,\"Name\":\"%s\",\"Type\":\"%s\"," FIGURES
        ",\"Edges\":[%s{\"ReferenceId\":%d," FIGURES "}]}]}",
        end_s == world->partial_end_s ? "true" : "false",
        world->endless || (world->two_pages && !second) ? "\"NextToken\":\"t\"," : "", second,
        quiet        ? "other"
            : second ? "pay"
                     : "checkout",
        "T", world->faults, "", second ? 9 : world->two_pages, world->faults);
    return (FakeAnswer){world->body, AWS_FINE, NULL};
}

static void keep(void *ctx, PollOutcome *take_outcome) {
    World *world = ctx;
    ck_assert_ptr_null(world->outcome); /* once */
    world->outcome = take_outcome;
}

static void begin(World *world, int64_t period_s, size_t range, const char *edge_to, const char *group) {
    *world = (World){.faults = 20, .group = group};
    uv_loop_init(&world->loop);
    world->aws = (Aws){.loop = &world->loop, .now_s = NOW_S, .answer = answer, .ctx = world};
    for (size_t i = 0; i < ALARMS; i++) {
        world->selectors[i] = (GraphSelector){.service = i ? "ch*" : "checkout",
            .statistic = "fault_rate",
            .edge_to = edge_to,
            .group = group,
            .period_s = period_s};
        world->rules[i] = (ThresholdRule){.comparison = COMPARE_GT,
            .threshold = 5,
            .n = 1,
            .m = 1,
            .range = range,
            .period_s = period_s,
            .samples_min = 5};
        world->watches[i] = (Watch){.index = 10 + i,
            .source = &service_graph_source,
            .alarm = "a",
            .selector = &world->selectors[i],
            .account = "default",
            .region = "eu-west-1",
            .rule = &world->rules[i]};
    }
    world->plan = graph_plan(NULL, world->watches, ALARMS);
    ck_assert_uint_eq(plan_count(world->plan), 1); /* one poll serves both */
    world->poll = (PollWorld){.loop = &world->loop, .aws = &world->aws};
}

static void outcome_drop(World *world) {
    if (world->outcome && world->outcome->kept) service_graph_source.kept_free(world->outcome->kept);
    poll_outcome_free(world->outcome);
    world->outcome = NULL;
}

/* One run at `now_s`; the calls' ends are then asked[0..]. */
static const PollOutcome *poll_at(World *world, int64_t now_s) {
    outcome_drop(world);
    world->aws.now_s = now_s;
    world->aws.calls = 0;
    world->run = graph_poll_start(plan_poll(world->plan, 0), &world->poll, keep, world);
    ck_assert_ptr_null(world->outcome); /* never inside start */
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_ptr_nonnull(world->outcome);
    return world->outcome;
}

static void end(World *world) {
    outcome_drop(world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    plan_free(world->plan);
}

static double value_at(const Observation *seen, int64_t end_s) {
    double value, count;
    window_fill(&seen->samples, end_s, seen->samples.step_s, 1, &value, &count);
    ck_assert(isnan(value) == isnan(count));
    return value;
}

/* --- tests --- */

START_TEST(windows_of_the_range_are_read_once) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 3);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(world.asked[i], END_S - i * 60);
    ck_assert(!got->failed && got->settled_end_s == END_S && got->calls == 3);
    ck_assert_uint_eq(got->count, ALARMS);
    const Observation *seen = &got->observations[0];
    ck_assert_uint_eq(seen->watch, 10);
    ck_assert_str_eq(labels_get(seen->labels, "service"), "checkout");
    ck_assert_str_eq(labels_get(seen->labels, "service_type"), "T");
    ck_assert_uint_eq(labels_count(seen->labels), 2); /* no edge, no group */
    ck_assert(!seen->every_minute && !seen->grows_only && seen->settled_end_s == END_S);
    for (int i = 0; i < 3; i++) ck_assert(value_at(seen, END_S - i * 60) == 20);
    const ServiceGraph *graph = got->kept;
    ck_assert(graph && service_graph_end_s(graph) == END_S && service_graph_node_count(graph) == 1);

    got = poll_at(&world, NOW_S + 10); /* the same minute: nothing is to be read */
    ck_assert_uint_eq(world.aws.calls, 0);
    ck_assert(got->count == ALARMS && !got->kept && got->observations[0].every_minute);

    world.faults = 40;
    got = poll_at(&world, NOW_S + 60);
    ck_assert_uint_eq(world.aws.calls, 2); /* the newest; the oldest of the first run has settled 3 minutes by now */
    ck_assert(world.asked[0] == END_S + 60 && world.asked[1] == END_S - 120);
    ck_assert(got->observations[0].every_minute);
    ck_assert(value_at(&got->observations[0], END_S + 60) == 40 && value_at(&got->observations[0], END_S) == 20);
    end(&world);
}
END_TEST

/* 3 minutes behind its settling a window is read once more, and late traces replace what was there. */
START_TEST(late_traces_are_read_once_more) {
    World world;
    begin(&world, 60, 5, NULL, NULL);
    for (int minute = 0; minute < 3; minute++) poll_at(&world, NOW_S + minute * 60);
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert_int_eq(world.asked[1], END_S - 60);
    world.faults = 40;
    const PollOutcome *got = poll_at(&world, NOW_S + 180);
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert_int_eq(world.asked[0], END_S + 180);
    ck_assert_int_eq(world.asked[1], END_S);
    ck_assert(value_at(&got->observations[0], END_S) == 40 && value_at(&got->observations[0], END_S + 60) == 20);
    poll_at(&world, NOW_S + 240);
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert_int_eq(world.asked[1], END_S + 60); /* and END_S never again */
    end(&world);
}
END_TEST

START_TEST(a_service_without_traffic_is_missing) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    poll_at(&world, NOW_S);
    world.quiet_from_s = END_S + 60;
    const PollOutcome *got = poll_at(&world, NOW_S + 60);
    ck_assert(got->count == ALARMS && isnan(value_at(&got->observations[0], END_S + 60)));
    ck_assert(value_at(&got->observations[0], END_S) == 20);
    ck_assert_int_eq(got->observations[0].absent_s, 60);
    end(&world);
}
END_TEST

/* What was not read is no evidence of absence. */
START_TEST(an_absence_counts_by_what_was_read) {
    World world;
    begin(&world, 60, 5, NULL, NULL);
    ck_assert_int_eq(poll_at(&world, NOW_S)->observations[0].absent_s, 0);
    world.quiet_from_s = END_S + 60;
    ck_assert_int_eq(poll_at(&world, NOW_S + 60)->observations[0].absent_s, 60);
    ck_assert_int_eq(poll_at(&world, NOW_S + 120)->observations[0].absent_s, 120);
    world.quiet_from_s = END_S + 240;
    ck_assert_int_eq(poll_at(&world, NOW_S + 240)->observations[0].absent_s, 60);
    end(&world);
}
END_TEST

/* Who is in none of the windows that are judged is not observed any more. */
START_TEST(a_vanished_service_is_forgotten) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    poll_at(&world, NOW_S);
    const PollOutcome *got = NULL;
    world.quiet_from_s = END_S + 60;
    for (int minute = 1; minute < 3; minute++) got = poll_at(&world, NOW_S + minute * 60);
    ck_assert(got->count == ALARMS && got->observations[0].absent_s == 120);
    for (int minute = 3; minute < 60; minute++) {
        got = poll_at(&world, NOW_S + minute * 60);
        ck_assert(got->count == 0 && got->is_complete);
    }
    ck_assert(got->count == 0 && got->settled_end_s == END_S + 59 * 60 && !got->failed);
    end(&world);
}
END_TEST

/* What could not be read is unknown: nobody is observed, and no window counts as read. */
START_TEST(a_lost_window_is_unknown) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    poll_at(&world, NOW_S);
    world.lost_end_s = END_S + 60;
    const PollOutcome *got = poll_at(&world, NOW_S + 60);
    ck_assert(got->failed && got->count == 0 && got->settled_end_s == 0 && !got->kept);
    ck_assert_str_eq(got->error, "the group does not exist");
    ck_assert_int_eq(got->error_class, AWS_VALIDATION);
    world.lost_end_s = 0;
    got = poll_at(&world, NOW_S + 120);
    ck_assert_uint_eq(world.aws.calls, 4); /* the newest, two once more, then the gap */
    ck_assert_int_eq(world.asked[3], END_S + 60);
    ck_assert(!got->failed && got->count == ALARMS && got->observations[0].every_minute);
    for (int i = 0; i < 4; i++) ck_assert(value_at(&got->observations[0], END_S + 120 - i * 60) == 20);
    end(&world);
}
END_TEST

/* A window that is only read once more for late traces leaves what was there when it fails. */
START_TEST(a_lost_second_reading_keeps_the_first) {
    World world;
    begin(&world, 60, 4, NULL, NULL);
    for (int minute = 0; minute < 3; minute++) poll_at(&world, NOW_S + minute * 60);
    world.lost_end_s = END_S;
    const PollOutcome *got = poll_at(&world, NOW_S + 180);
    ck_assert(got->failed && got->count == ALARMS && got->settled_end_s == 0);
    ck_assert(value_at(&got->observations[0], END_S) == 20 && got->kept);
    end(&world);
}
END_TEST

START_TEST(a_partial_window_is_unknown) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    world.partial_end_s = END_S - 60;
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 3); /* the others are read all the same */
    ck_assert(got->failed && got->count == 0 && strstr(got->error, "filter of the X-Ray group"));
    world.partial_end_s = 0;
    got = poll_at(&world, NOW_S + 60);
    ck_assert(world.aws.calls == 3 && world.asked[2] == END_S - 60);
    ck_assert(!got->failed && got->count == ALARMS);
    end(&world);
}
END_TEST

START_TEST(a_token_that_comes_twice) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    world.endless = true;
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert(got->failed && got->count == 0 && got->error_class == AWS_PAGING && strstr(got->error, "twice"));
    end(&world);
}
END_TEST

/* A long range is read in several runs, the newest windows first; until all are there the alarm is left alone. */
START_TEST(a_cold_start_is_bounded) {
    World world;
    begin(&world, 60, 70, NULL, NULL);
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, XRAY_WINDOWS_A_RUN);
    ck_assert_int_eq(world.asked[0], END_S);
    ck_assert_int_eq(world.asked[XRAY_WINDOWS_A_RUN - 1], END_S - (XRAY_WINDOWS_A_RUN - 1) * 60);
    ck_assert(!got->failed && got->count == 0 && got->settled_end_s == 0);
    ck_assert(!got->is_complete); /* what no window holds so far may be in one that is still to be read */
    poll_at(&world, NOW_S + 60);
    ck_assert_int_eq(world.asked[0], END_S + 60);
    got = poll_at(&world, NOW_S + 120);
    ck_assert(got->count == ALARMS && got->settled_end_s == END_S + 120 && got->is_complete);
    end(&world);
}
END_TEST

/* An outage that is not too long is made up for, minute by minute; from a longer one on only the present counts. */
START_TEST(missed_minutes_are_read) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    poll_at(&world, NOW_S);
    const PollOutcome *got = poll_at(&world, NOW_S + 600);
    ck_assert_uint_eq(world.aws.calls, 10);
    ck_assert(got->observations[0].every_minute && value_at(&got->observations[0], END_S + 60) == 20);
    got = poll_at(&world, NOW_S + 7200);
    ck_assert_uint_eq(world.aws.calls, 3);
    ck_assert(!got->observations[0].every_minute && isnan(value_at(&got->observations[0], END_S + 3600)));
    end(&world);
}
END_TEST

/* Down for ten minutes, then up with a clock so far off: by the right one each minute is read, and judged from what it
 * says. A far future is empty, and takes the place of all that is remembered; a near one of some of it. */
static const int64_t wrong_by_s[] = {86400, 1200, 90, -400};

START_TEST(windows_of_a_wrong_clock_are_forgotten) {
    World world;
    const int64_t back_s = NOW_S + 600, back_end_s = END_S + 600;
    begin(&world, 60, 3, NULL, NULL);
    const Poll *poll = plan_poll(world.plan, 0);
    poll_at(&world, NOW_S);
    world.quiet_from_s = back_end_s + 120; /* AWS's future */
    for (int twice = 0; twice < 2; twice++) { /* the repeat may meet a second correction */
        poll_at(&world, back_s + wrong_by_s[_i]);
        poll->source->forget(poll, back_s);
    }
    const PollOutcome *got = poll_at(&world, back_s);
    ck_assert(!got->failed && got->is_complete && got->count == ALARMS);
    ck_assert(got->observations[0].every_minute && got->observations[0].absent_s == 0);
    for (int64_t at_s = END_S + 60; at_s <= back_end_s; at_s += 60)
        ck_assert_msg(value_at(&got->observations[0], at_s) == 20, "%d s behind", (int)(back_end_s - at_s));
    world.quiet_from_s = 0; /* that future comes, and is not empty */
    got = poll_at(&world, back_s + 120);
    for (int64_t at_s = back_end_s; at_s <= back_end_s + 120; at_s += 60)
        ck_assert(value_at(&got->observations[0], at_s) == 20);
    end(&world);
}
END_TEST

/* A window that was read too early to hold late traces is read once more, whatever the clock said then. */
START_TEST(a_window_is_not_final_by_a_wrong_clock) {
    World world;
    begin(&world, 60, 5, NULL, NULL);
    const Poll *poll = plan_poll(world.plan, 0);
    poll_at(&world, NOW_S + 59 - 7);
    poll_at(&world, NOW_S + 240); /* END_S + 60, of three minutes ago, seems to be final */
    poll->source->forget(poll, NOW_S + 60);
    poll_at(&world, NOW_S + 60);
    poll_at(&world, NOW_S + 240);
    bool is_read = false;
    for (size_t i = 0; i < world.aws.calls; i++) is_read = is_read || world.asked[i] == END_S + 60;
    ck_assert(is_read);
    end(&world);
}
END_TEST

/* Periods above a minute slide by the minute: each minute has windows of its own. */
START_TEST(long_periods_slide) {
    World world;
    begin(&world, 300, 3, NULL, NULL);
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 3);
    ck_assert_int_eq(world.asked[2], END_S - 600);
    ck_assert_int_eq(got->observations[0].samples.step_s, 300);
    got = poll_at(&world, NOW_S + 60);
    ck_assert_uint_eq(world.aws.calls, 3);
    ck_assert(!got->observations[0].every_minute && value_at(&got->observations[0], END_S + 60 - 300) == 20);
    world.aws.calls = 0;
    for (int minute = 2; minute < 5; minute++) poll_at(&world, NOW_S + minute * 60);
    poll_at(&world, NOW_S + 300);
    ck_assert_int_eq(world.asked[0], END_S + 300);
    ck_assert_uint_le(world.aws.calls, 2); /* and one once more; END_S - 300 of this phase is remembered */
    end(&world);
}
END_TEST

START_TEST(edges_groups_and_causes) {
    World world;
    begin(&world, 60, 1, "p?y", "Default");
    world.two_pages = true;
    const PollOutcome *got = poll_at(&world, NOW_S);
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert_uint_eq(got->count, ALARMS);
    const Observation *seen = &got->observations[1];
    ck_assert_str_eq(labels_get(seen->labels, "service"), "checkout");
    ck_assert_str_eq(labels_get(seen->labels, "edge_to"), "pay");
    ck_assert_str_eq(labels_get(seen->labels, "xray_group"), "Default");
    ck_assert(value_at(seen, END_S) == 20);
    ck_assert_str_eq(labels_get(seen->notes, "path"), "checkout → pay: pay faults 20 %");
    ck_assert_str_eq(labels_get(seen->notes, "root_cause"), "pay faults 20 %");
    ck_assert_str_eq(labels_get(seen->notes, "affected"), "checkout");
    ck_assert_str_eq(service_graph_group(got->kept), "Default");
    world.faults = 1; /* good again: there is nothing to say */
    got = poll_at(&world, NOW_S + 60);
    ck_assert_ptr_null(got->observations[1].notes);
    end(&world);
}
END_TEST

START_TEST(cancelled_ends_at_once) {
    World world;
    begin(&world, 60, 3, NULL, NULL);
    if (_i == 2) poll_at(&world, NOW_S), outcome_drop(&world); /* then nothing is to be read */
    world.run = graph_poll_start(plan_poll(world.plan, 0), &world.poll, keep, &world);
    if (_i == 1) uv_run(&world.loop, UV_RUN_NOWAIT); /* answered: the pool has it now */
    ck_assert_ptr_null(world.outcome);
    graph_poll_cancel(world.run);
    ck_assert_ptr_nonnull(world.outcome);
    ck_assert(world.outcome->failed && world.outcome->error_class == AWS_CANCELLED);
    outcome_drop(&world);
    world.plan = plan_free(world.plan); /* what is on the pool must not look at it */
    end(&world);
}
END_TEST

/* Who shares a poll. */
START_TEST(polls_are_shared) {
    static const struct Sharing {
        const char *group, *region;
        int64_t period_s, settle_s, every_s;
        size_t polls;
    } cases[] = {
        {NULL, "eu-west-1", 60, 0, 0, 1},
        {NULL, "eu-west-1", 60, 120, 60, 1}, /* as the defaults are */
        {"Default", "eu-west-1", 60, 0, 0, 2},
        {NULL, "us-east-1", 60, 0, 0, 2},
        {NULL, "eu-west-1", 300, 0, 0, 2},
        {NULL, "eu-west-1", 60, 180, 0, 2},
        {NULL, "eu-west-1", 60, 0, 120, 2},
    };
    const struct Sharing *c = &cases[_i];
    World world;
    begin(&world, 60, 3, NULL, NULL);
    world.selectors[1].group = c->group;
    world.selectors[1].period_s = world.rules[1].period_s = c->period_s;
    world.watches[1].region = c->region;
    world.watches[1].settle_s = c->settle_s;
    world.watches[1].every_s = c->every_s;
    OWN(plan) Plan *plan = graph_plan(NULL, world.watches, ALARMS);
    ck_assert_uint_eq(plan_count(plan), c->polls);
    ck_assert_str_eq(plan_poll(plan, 0)->api, "GetServiceGraph");
    end(&world);
}
END_TEST

/* What the selector makes of the rule, and the plan of both. */
static const struct Decoded {
    const char *statistic;
    int64_t period_s, settle_s;
    double confidence;
    size_t range; /* as it must become, of n 3 */
    double samples_min;
    int64_t percentile_e10;
} decoded[] = {
    {"fault_rate", 60, 0, 0, 5, 6, 0},
    {"fault_rate", 60, 600, 0.95, 13, 6, 0},
    {"p99.9", 300, 0, 0, 5, 6, 999000000000},
    {"average_response_time", 3600, 0, 0, 5, 6, 0},
    {"request_count", 60, 0, 0, 5, 0, 0},
};

START_TEST(rules_of_selectors) {
    const struct Decoded *c = &decoded[_i];
    World world;
    begin(&world, 60, 3, NULL, NULL);
    GraphSelector selector = {.service = "a",
        .statistic = c->statistic,
        .period_s = c->period_s,
        .minimum_requests = 6,
        .confidence = c->confidence};
    ThresholdRule rule = {.comparison = _i == 1 ? COMPARE_LE : COMPARE_GE, .threshold = 5, .n = 3, .m = 2};
    int64_t settle_s = c->settle_s, every_s = 0;
    OWN(problems) Problems *problems = problems_new();
    const Node node = {.kind = NODE_MAP};
    Decoding in = {.problems = problems};
    ck_assert(graph_selector_decode(&in, &node, &selector, &rule, false, &settle_s, &every_s));
    ck_assert(rule.range == c->range && rule.samples_min == c->samples_min && rule.period_s == c->period_s);
    ck_assert_int_eq(rule.percentile_e10, c->percentile_e10);
    ck_assert_int_eq(settle_s, c->settle_s ? c->settle_s : 120);
    world.watches[0].selector = &selector;
    world.watches[0].rule = &rule;
    OWN(plan) Plan *plan = graph_plan(NULL, world.watches, 1);
    const GraphReader *reader = &((const GraphBatch *)plan_poll(plan, 0)->batch)->query->readers[0];
    ck_assert(reader->range == c->range && reader->measure.samples_needed == c->samples_min / 3);
    ck_assert(reader->measure.threshold == 5 && reader->measure.comparison == rule.comparison);
    ck_assert((reader->measure.statistic.z > 1.6) == (c->confidence > 0));
    ck_assert(reader->measure.statistic.wants_upper == (_i == 1));
    end(&world);
}
END_TEST

START_TEST(words) {
    const GraphSelector node = {.service = "checkout", .statistic = "fault_rate"},
                        edge = {.service = "checkout",
                            .edge_to = "payments",
                            .statistic = "p99",
                            .parsed = {.kind = XRAY_PERCENTILE}};
    const ThresholdRule rule = {.period_s = 60};
    OWN(text) char *of_node = graph_describe(&node, &rule);
    OWN(text) char *of_edge = graph_describe(&edge, &rule);
    ck_assert_str_eq(of_node, "X-Ray checkout fault_rate 60 s");
    ck_assert_str_eq(of_edge, "X-Ray checkout -> payments p99 60 s, event age where the edge is asynchronous");
    OWN(labels) Labels *series = labels_new((const Label[]){{"service", "a"}, {"xray_group", "my group"}}, 2);
    OWN(text) char *url = graph_console_url(&node, series, "eu-west-1", 1767322800000);
    ck_assert_str_eq(url,
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:service-map/"
        "map?~(query~(group~'my*20group)~context~(timeRange~(end~'2026-01-02T03*3a05*3a00.000Z~start~'2026-01-02T02*"
        "3a45"
        "*3a00.000Z)))");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, windows_of_the_range_are_read_once);
    tcase_add_test(tcase, late_traces_are_read_once_more);
    tcase_add_test(tcase, a_service_without_traffic_is_missing);
    tcase_add_test(tcase, an_absence_counts_by_what_was_read);
    tcase_add_test(tcase, a_vanished_service_is_forgotten);
    tcase_add_test(tcase, a_lost_window_is_unknown);
    tcase_add_test(tcase, a_lost_second_reading_keeps_the_first);
    tcase_add_test(tcase, a_partial_window_is_unknown);
    tcase_add_test(tcase, a_token_that_comes_twice);
    tcase_add_test(tcase, a_cold_start_is_bounded);
    tcase_add_test(tcase, missed_minutes_are_read);
    tcase_add_loop_test(tcase, windows_of_a_wrong_clock_are_forgotten, 0, (int)COUNT_OF(wrong_by_s));
    tcase_add_test(tcase, a_window_is_not_final_by_a_wrong_clock);
    tcase_add_test(tcase, long_periods_slide);
    tcase_add_test(tcase, edges_groups_and_causes);
    tcase_add_loop_test(tcase, cancelled_ends_at_once, 0, 3);
    tcase_add_loop_test(tcase, polls_are_shared, 0, 7);
    tcase_add_loop_test(tcase, rules_of_selectors, 0, (int)COUNT_OF(decoded));
    tcase_add_test(tcase, words);
}

int main(void) { return run_tests("xray_poll", fill); }
