/* Insights listed and followed, from a stand-in for the AWS client. */
#include "sources/xray.h"

#include "../run.h"
#include "fake_aws.h"
#include "sources/plan.h"

#include <math.h>

enum { NOW_S = 1767322800, KNOWN_MAX = 4 };

typedef struct World {
    uv_loop_t loop;
    Aws aws;
    InsightsSelector selectors[3];
    ThresholdRule rule;
    Watch watches[3];
    Plan *plan;
    PollWorld poll;
    PollRun *run;
    PollOutcome *outcome;
    FakeAnswer list, one;
    const char *followed[KNOWN_MAX];
    size_t followed_count;
    const char *known[KNOWN_MAX]; /* ids that have an instance */
    AlarmState states[KNOWN_MAX];
} World;

static FakeAnswer answer(Aws *aws, const AwsCall *call, const json_t *body) {
    World *world = aws->ctx;
    if (strcmp(call->operation, "GetInsight") == 0) {
        ck_assert_str_eq(call->path, "/Insight");
        ck_assert_str_eq(call->action, "xray:GetInsight");
        for (size_t i = 0; i < KNOWN_MAX; i++)
            if (world->known[i] && strcmp(world->known[i], json_text(body, "InsightId")) == 0)
                world->followed[world->followed_count++] = world->known[i];
        return world->one;
    }
    int64_t start_s = 0, end_s = 0;
    ck_assert_str_eq(call->path, "/InsightSummaries");
    ck_assert_str_eq(json_text(body, "GroupName"), "Default");
    ck_assert_ptr_null(json_object_get(body, "States")); /* both */
    ck_assert(json_whole(body, "StartTime", &start_s) && json_whole(body, "EndTime", &end_s));
    ck_assert(end_s - start_s == 6 * 3600 && end_s == NOW_S + 7);
    return world->list;
}

static void known(void *ctx, size_t watch, KnownSeries *each, void *each_ctx) {
    const World *world = ctx;
    ck_assert(watch == 0 || watch == 1);
    for (size_t i = 0; i < KNOWN_MAX && watch == 0; i++) {
        if (!world->known[i]) continue;
        OWN(labels) Labels *series = labels_new((const Label[]){{"insight", world->known[i]}}, 1);
        each(each_ctx, series, world->states[i]);
    }
}

static void keep(void *ctx, PollOutcome *take_outcome) {
    World *world = ctx;
    ck_assert_ptr_null(world->outcome); /* once */
    world->outcome = take_outcome;
}

static void begin(World *world, const char *list) {
    *world = (World){.list = {list, AWS_FINE, NULL}, .one = {NULL, AWS_VALIDATION, "unknown insight"}};
    uv_loop_init(&world->loop);
    world->aws = (Aws){.loop = &world->loop, .now_s = NOW_S, .answer = answer, .ctx = world};
    for (size_t i = 0; i < 3; i++) {
        world->selectors[i].group = i < 2 ? "Default" : "other";
        world->watches[i] = (Watch){.index = i,
            .source = &insights_source,
            .alarm = "a",
            .selector = &world->selectors[i],
            .account = "default",
            .region = "eu-west-1",
            .rule = &world->rule};
    }
    world->plan = insights_plan(NULL, world->watches, 3);
    ck_assert_uint_eq(plan_count(world->plan), 2); /* one a group */
    ck_assert_uint_eq(plan_poll(world->plan, 0)->watch_count, 2);
    world->poll = (PollWorld){.loop = &world->loop, .aws = &world->aws, .known = known, .ctx = world};
}

static const PollOutcome *poll(World *world) {
    world->run = insights_poll_start(plan_poll(world->plan, 0), &world->poll, keep, world);
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

#define ACTIVE \
    "{\"InsightId\":\"a-1\",\"State\":\"ACTIVE\",\"StartTime\":1767320000,\"Summary\":\"s\",\"Categories\":[" \
    "\"FAULT\"]," \
    "\"RootCauseServiceId\":{\"Name\":\"payments\",\"Type\":\"T\"}," \
    "\"ClientRequestImpactStatistics\":{\"FaultCount\":30,\"TotalCount\":120}}"
#define CLOSED(id) "{\"InsightId\":\"" id "\",\"State\":\"CLOSED\",\"EndTime\":1767321000}"
#define LIST(items) "{\"InsightSummaries\":[" items "]}"

START_TEST(each_insight_says_its_state) {
    World world;
    begin(&world, LIST(ACTIVE "," CLOSED("old") "," CLOSED("mine")));
    world.known[0] = "mine";
    world.states[0] = STATE_ALARM;
    const PollOutcome *got = poll(&world);
    ck_assert(!got->failed && got->settled_end_s == 0 && world.aws.calls == 1);
    ck_assert_uint_eq(got->count, 3); /* active for both watches, closed where somebody knew it */
    const Observation *active = &got->observations[0], *closed = &got->observations[1];
    ck_assert(active->said && active->said->state == STATE_ALARM && active->said->value == 25);
    ck_assert_str_eq(
        active->said->reason, "insight ACTIVE since 2026-01-02T02:13:20.000Z: payments faults, 30 of 120 requests");
    ck_assert_str_eq(labels_get(active->labels, "insight"), "a-1");
    ck_assert_str_eq(labels_get(active->labels, "xray_group"), "Default");
    ck_assert_uint_eq(labels_count(active->labels), 2); /* the root cause may change */
    ck_assert_str_eq(labels_get(active->notes, "root_cause"), "payments (T)");
    ck_assert_str_eq(labels_get(active->notes, "impact"), "30 of 120 client requests failed");
    ck_assert_str_eq(labels_get(active->notes, "categories"), "FAULT");
    ck_assert_str_eq(labels_get(active->notes, "insight_summary"), "s");
    ck_assert(closed->said->state == STATE_OK && isnan(closed->said->value));
    ck_assert_str_eq(closed->said->reason, "insight CLOSED at 2026-01-02T02:30:00.000Z");
    ck_assert_uint_eq(got->observations[2].watch, 1);
    end(&world);
}
END_TEST

/* Who is ALARM here and in the list no more is asked for by its id. */
static const struct Followed {
    FakeAnswer one;
    size_t observations;
    bool failed;
} followed[] = {
    {{"{\"Insight\":" CLOSED("mine") "}", AWS_FINE, NULL}, 1, false},
    {{NULL, AWS_VALIDATION, "unknown insight"}, 0, false}, /* vanished: over when its grace has passed */
    {{NULL, AWS_NOT_FOUND, "unknown insight"}, 0, false},
    {{NULL, AWS_DENIED, "not allowed"}, 0, true},
    {{"{}", AWS_FINE, NULL}, 0, true},
};

START_TEST(known_ones_are_followed) {
    const struct Followed *c = &followed[_i];
    World world;
    begin(&world, LIST(""));
    world.one = c->one;
    world.known[0] = "mine";
    world.states[0] = STATE_ALARM;
    world.known[1] = "healed";
    world.states[1] = STATE_OK;
    const PollOutcome *got = poll(&world);
    ck_assert_uint_eq(world.followed_count, 1);
    ck_assert_str_eq(world.followed[0], "mine");
    ck_assert_msg(got->failed == c->failed && got->count == c->observations, "%s: %s", c->one.words, got->error);
    end(&world);
}
END_TEST

START_TEST(an_unknown_group) {
    World world;
    begin(&world, NULL);
    world.list = (FakeAnswer){NULL, AWS_VALIDATION, "refused"};
    const PollOutcome *got = poll(&world);
    ck_assert(got->failed && got->count == 0);
    ck_assert_str_eq(got->error, "refused (does the X-Ray group `Default` exist, and are insights enabled for it?)");
    end(&world);
}
END_TEST

START_TEST(cancelled_ends_at_once) {
    World world;
    begin(&world, LIST(ACTIVE));
    world.known[0] = "mine";
    world.states[0] = STATE_ALARM;
    world.run = insights_poll_start(plan_poll(world.plan, 0), &world.poll, keep, &world);
    for (int i = 0; i < _i && !world.outcome; i++) uv_run(&world.loop, UV_RUN_ONCE);
    if (!world.outcome) insights_poll_cancel(world.run);
    ck_assert_ptr_nonnull(world.outcome);
    world.plan = plan_free(world.plan);
    end(&world);
}
END_TEST

START_TEST(words) {
    const InsightsSelector selector = {"Default"};
    OWN(labels) Labels *series = labels_new((const Label[]){{"insight", "a-1"}}, 1);
    OWN(text) char *what = insights_describe(&selector, NULL);
    OWN(text) char *url = insights_console_url(&selector, series, "eu-west-1", 0);
    ck_assert_str_eq(what, "X-Ray insights of group Default");
    ck_assert_str_eq(
        url, "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:insights/a-1");
    ck_assert(insights_source.has_no_threshold && insights_source.grace_s == 1800 && !insights_source.series);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, each_insight_says_its_state);
    tcase_add_loop_test(tcase, known_ones_are_followed, 0, (int)COUNT_OF(followed));
    tcase_add_test(tcase, an_unknown_group);
    tcase_add_loop_test(tcase, cancelled_ends_at_once, 0, 5);
    tcase_add_test(tcase, words);
}

int main(void) { return run_tests("xray_insights", fill); }
