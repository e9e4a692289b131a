/* Alarms on expressions: which share a call, under which ids, and what becomes of an expression that CloudWatch refuses
 * or that gives several series. */
#include "sources/cloudwatch.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"
#define FAKE_SERVICE AWS_MONITORING
#include "fake_aws.h"

#include <math.h>
#include <stdio.h>

enum { NOW_S = 1767322800, ALARMS = 5 };

typedef struct MathAlarm {
    MathItem items[2];
    MathSelector selector;
    ThresholdRule rule;
    char name[8];
} MathAlarm;

typedef struct World {
    uv_loop_t loop;
    struct Aws aws;
    MathAlarm alarms[ALARMS];
    size_t count;
    Plan *plan;
    PollWorld poll;
    PollOutcome *outcome;
    size_t queries[CALLS_MAX]; /* of each call */
    const char *refuse; /* an expression that holds this is refused */
    const char *refusal; /* in these words */
    bool refuse_all;
    char body[4096];
    char *answer; /* instead of one datapoint for each */
} World;

/* `a` is a metric, `rate` an expression over it, or alone. */
static void alarm_make(MathAlarm *alarm, size_t number, const char *expression, bool has_metric) {
    *alarm = (MathAlarm){.selector = {.period_s = 60, .billed_units = 1, .returned = has_metric}};
    snprintf(alarm->name, sizeof alarm->name, "a%zu", number);
    if (has_metric)
        alarm->items[0] = (MathItem){.id = "a",
            .metric = {.namespace = "N", .metric_name = "M", .statistic = "Sum"},
            .at = {"t.yaml", 10 * (uint32_t)number, 9}};
    alarm->items[has_metric] = (MathItem){
        .id = "rate", .expression = expression, .return_data = true, .at = {"t.yaml", 10 * (uint32_t)number + 1, 28}};
    alarm->selector.items = (SectionList){.count = has_metric ? 2 : 1, .items = alarm->items};
    alarm->rule = (ThresholdRule){.comparison = COMPARE_GT, .n = 1, .m = 1, .range = 3, .period_s = 60};
}

static void world_plan(World *world) {
    Watch watches[ALARMS];
    for (size_t i = 0; i < world->count; i++)
        watches[i] = (Watch){.index = 10 + i,
            .alarm = world->alarms[i].name,
            .selector = &world->alarms[i].selector,
            .account = "default",
            .region = "eu-west-1",
            .rule = &world->alarms[i].rule,
            .settle_s = 120};
    world->plan = math_plan(NULL, watches, world->count);
}

static FakeAnswer answer(Aws *aws, const AwsCall *call, const json_t *body) {
    World *world = aws->ctx;
    const json_t *queries = json_object_get(body, "MetricDataQueries"), *query;
    size_t i, used = 0;
    ck_assert_str_eq(call->operation, "GetMetricData");
    world->queries[aws->calls - 1] = json_array_size(queries);
    if (world->refuse_all) return (FakeAnswer){.class = AWS_VALIDATION, .words = "nothing is right"};
    used += (size_t)sprintf(world->body, "{\"MetricDataResults\":[");
    json_array_foreach(queries, i, query) {
        const char *expression = json_string_value(json_object_get(query, "Expression"));
        if (!expression) {
            ck_assert(json_is_false(json_object_get(query, "ReturnData"))); /* inputs give no data */
            continue;
        }
        ck_assert_int_eq(json_integer_value(json_object_get(query, "Period")), 60);
        if (world->refuse && strstr(expression, world->refuse))
            return (FakeAnswer){.class = AWS_VALIDATION, .words = world->refusal};
        used += (size_t)snprintf(world->body + used, sizeof world->body - used,
            "%s{\"Id\":\"%s\",\"Label\":\"x\",\"StatusCode\":\"Complete\",\"Timestamps\":[1767322680],\"Values\":[7]}",
            i > 1 ? "," : "", json_string_value(json_object_get(query, "Id")));
    }
    snprintf(world->body + used, sizeof world->body - used, "]}");
    return (FakeAnswer){.body = world->answer ? world->answer : world->body};
}

static void keep(void *ctx, PollOutcome *take_outcome) {
    World *world = ctx;
    ck_assert_ptr_null(world->outcome);
    world->outcome = take_outcome;
}

static void world_init(World *world) {
    *world = (World){.refusal = "Error in expression"};
    uv_loop_init(&world->loop);
    world->aws = (struct Aws){.loop = &world->loop, .now_s = NOW_S, .answer = answer, .ctx = world};
    world->poll = (PollWorld){.loop = &world->loop, .aws = &world->aws};
}

static void poll_once(World *world, size_t index) {
    poll_outcome_free(world->outcome);
    world->outcome = NULL;
    world->aws.calls = 0;
    metric_poll_start(plan_poll(world->plan, index), &world->poll, keep, world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_ptr_nonnull(world->outcome);
}

static void world_stop(World *world) {
    poll_outcome_free(world->outcome);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    plan_free(world->plan);
}

static const char *error_of(const World *world, size_t watch) {
    for (size_t i = 0; i < world->outcome->count; i++)
        if (world->outcome->observations[i].watch == watch) return world->outcome->observations[i].error;
    return "not observed";
}

START_TEST(alarms_share_a_call_under_ids_of_their_own) {
    World world;
    world_init(&world);
    world.count = 2;
    alarm_make(&world.alarms[0], 0, "a * 2", true);
    alarm_make(&world.alarms[1], 1, "a / 2", true);
    world_plan(&world);
    ck_assert_uint_eq(plan_count(world.plan), 1);
    const MetricBatch *batch = plan_poll(world.plan, 0)->batch;
    ck_assert_uint_eq(batch->query_count, 4);
    ck_assert_str_eq(batch->queries[0].id, "z0");
    ck_assert_str_eq(batch->queries[1].expression, "z0 * 2");
    ck_assert_str_eq(batch->queries[3].expression, "z2 / 2");
    ck_assert_uint_eq(batch->readers[1].values, 3);
    ck_assert(fabs(plan_cost(world.plan).billed_units_month - 2 * 43800.0) < 1);
    poll_once(&world, 0);
    ck_assert(!world.outcome->failed && world.outcome->count == 2);
    double window[1];
    window_fill(&world.outcome->observations[1].samples, NOW_S - 60, 60, 1, window, NULL);
    ck_assert(window[0] == 7);
    world_stop(&world);
}
END_TEST

START_TEST(one_that_is_refused_leaves_the_others_alone) {
    World world;
    world_init(&world);
    world.count = ALARMS;
    for (size_t i = 0; i < ALARMS; i++) alarm_make(&world.alarms[i], i, i == 3 ? "a + bad" : "a + 1", true);
    world.refuse = "bad";
    world_plan(&world);
    poll_once(&world, 0);
    for (size_t i = 0; i < ALARMS; i++) {
        const char *error = error_of(&world, 10 + i);
        ck_assert_msg(i == 3 ? error && strstr(error, "refused what this alarm asks for: Error in expression") : !error,
            "%zu: %s", i, error ? error : "none");
    }
    ck_assert(world.outcome->failed);
    ck_assert_uint_eq(world.aws.calls, 7); /* halved until it stands alone */
    const MetricBatch *batch = plan_poll(world.plan, 0)->batch;
    ck_assert_int_eq(*batch->last_read_s, 0); /* its hour is read again when it is taken */
    poll_once(&world, 0); /* the culprit is known: the others together, and it by itself */
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert_uint_eq(world.queries[0], 2 * (ALARMS - 1));
    world.refuse = NULL;
    poll_once(&world, 0); /* it is mended: from the next poll on all share one call again */
    ck_assert(!world.outcome->failed);
    poll_once(&world, 0);
    ck_assert_uint_eq(world.aws.calls, 1);
    world_stop(&world);
}
END_TEST

/* What CloudWatch says of the fourth alarm, whose metric has the id z6 in the call and whose expression m7. */
static const struct Refusal {
    const char *said, *told;
} refusals[] = {
    {"Error in expression 'm7': Unknown function NO",
        "t.yaml:31:28: CloudWatch refused the expression `rate`: Error in expression 'rate': Unknown function NO"},
    {"z6 has no such statistic.", "t.yaml:30:9: CloudWatch refused the metric `a`: a has no such statistic."},
    {"z6", "t.yaml:30:9: CloudWatch refused the metric `a`: a"},
    {"at 100*z6/m7", "t.yaml:30:9: CloudWatch refused the metric `a`: at 100*a/rate"},
    {"m0 m1 m7", "t.yaml:31:28: CloudWatch refused the expression `rate`: m0 m1 rate"}, /* another alarm's ids */
    {"no dimension Host has the value m5", /* the third alarm's id, and a word of its own here */
        "t.yaml:31:28: CloudWatch refused what this alarm asks for: no dimension Host has the value m5"},
    {"something", "t.yaml:31:28: CloudWatch refused what this alarm asks for: something"},
    {"", "t.yaml:31:28: CloudWatch refused what this alarm asks for: it gave no reason"},
    {"m7.large db.m7 mm7 m77 z7 m m1234567 M7", /* names of other things */
        "t.yaml:31:28: CloudWatch refused what this alarm asks for: m7.large db.m7 mm7 m77 z7 m m1234567 M7"},
};

START_TEST(a_refusal_speaks_the_language_of_the_file) {
    World world;
    world_init(&world);
    world.count = ALARMS;
    for (size_t i = 0; i < ALARMS; i++) alarm_make(&world.alarms[i], i, i == 3 ? "a + bad" : "a + 1", true);
    world.refuse = "bad";
    world.refusal = refusals[_i].said;
    world_plan(&world);
    for (int polls = 0; polls < 2; polls++) { /* found by halving, then known */
        poll_once(&world, 0);
        ck_assert_str_eq(error_of(&world, 13), refusals[_i].told);
        ck_assert_str_eq(world.outcome->error, refusals[_i].told);
        ck_assert_ptr_null(error_of(&world, 12));
    }
    world_stop(&world);
}
END_TEST

START_TEST(a_refusal_without_a_culprit_says_so) {
    World world;
    world_init(&world);
    world.count = ALARMS;
    for (size_t i = 0; i < ALARMS; i++) alarm_make(&world.alarms[i], i, "a + 1", i != 2);
    world_plan(&world);
    const MetricBatch *batch = plan_poll(world.plan, 0)->batch;
    OWN(arena) Arena *arena = arena_new();
    ck_assert_str_eq(metric_refusal(arena, batch, NULL, &batch->readers[3], NULL),
        "t.yaml:31:28: CloudWatch refused what this alarm asks for; it is asked again in a later poll");
    ck_assert_str_eq(metric_refusal(arena, batch, NULL, &batch->readers[2], "x"),
        "t.yaml:21:28: CloudWatch refused the expression `rate`: x"); /* it has no other entry */
    ck_assert_str_eq(metric_refusal_shared(arena, batch, NULL, "z0 + m1"),
        "CloudWatch refused the call that this alarm shares with others: a + rate");
    OWN(text) char *many = alloc_zeroed(1, 4096);
    for (size_t i = 0; i < 1000; i++) memcpy(many + 3 * i, "m1 ", 3);
    ck_assert_uint_eq(strlen(metric_words(arena, batch, NULL, many)), 200 * strlen("rate ")); /* bounded */
    world_stop(&world);
}
END_TEST

START_TEST(when_all_are_refused_none_is_the_culprit) {
    World world;
    world_init(&world);
    world.count = ALARMS;
    for (size_t i = 0; i < ALARMS; i++) alarm_make(&world.alarms[i], i, "a + 1", true);
    world.refuse_all = true;
    world_plan(&world);
    poll_once(&world, 0);
    ck_assert_uint_eq(world.aws.calls, 2 * ALARMS - 1);
    world.refuse_all = false;
    poll_once(&world, 0);
    ck_assert_uint_eq(world.aws.calls, 1);
    ck_assert(!world.outcome->failed);
    world_stop(&world);
}
END_TEST

#define FOUND(label, status, values) \
    "{\"Id\":\"m0\",\"Label\":\"" label "\",\"StatusCode\":\"" status "\",\"Timestamps\":[" values \
    "],\"Values\":[" values "]}"

/* What several series of one expression become: labels joined, or a word of the poll's error. */
static const struct Case {
    const char *what, *answer, *labels, *error;
} cases[] = {
    {"none", "", "", NULL},
    {"two", FOUND("i-1 | web", "Complete", "") "," FOUND("i-2 | db", "Complete", ""), "Id=i-1 Role=web, Id=i-2 Role=db",
        NULL},
    {"another form", FOUND("just that", "Complete", ""), "label=just that", NULL},
    {"an empty dimension", FOUND("i-1 | ", "Complete", ""), "Id=i-1", NULL},
    {"the same label twice", FOUND("i-1 | a", "Complete", "") "," FOUND("i-1 | a", "Complete", ""), NULL, "one label"},
    {"half of one", FOUND("i-1 | a", "PartialData", ""), "Id=i-1 Role=a", "half-way"},
    {"an error of one", FOUND("i-1 | a", "InternalError", ""), "Id=i-1 Role=a", "InternalError"},
    {"cut by a page", FOUND("i-1 | a", "PartialData", "") "," FOUND("i-1 | a", "Complete", ""), "Id=i-1 Role=a", NULL},
};

static void join_labels(const World *world, Buffer *out) {
    for (size_t i = 0; i < world->outcome->count; i++) {
        const Labels *labels = world->outcome->observations[i].labels;
        if (i) buffer_text(out, ", ");
        for (size_t k = 0; k < labels_count(labels); k++)
            buffer_format(out, "%s%s=%s", k ? " " : "", labels_at(labels, k).name, labels_at(labels, k).value);
    }
}

START_TEST(each_series_is_an_instance) {
    const struct Case *c = &cases[_i];
    static const char *const names[] = {"Id", "Role"};
    World world;
    world_init(&world);
    world.count = 2;
    alarm_make(&world.alarms[0], 0, "SELECT SUM(x) FROM y GROUP BY Id, Role", false);
    alarm_make(&world.alarms[1], 1, "a + 1", true);
    world.alarms[0].selector.is_query = world.alarms[0].selector.is_many = world.alarms[0].selector.is_alone = true;
    world.alarms[0].selector.names = names;
    world.alarms[0].selector.name_count = COUNT_OF(names);
    world_plan(&world);
    ck_assert_uint_eq(plan_count(world.plan), 2); /* one query a call */
    const size_t mine = *plan_poll(world.plan, 0)->watches == 10 ? 0 : 1;
    OWN(text) char *text = text_format("{\"MetricDataResults\":[%s]}", c->answer);
    world.answer = text;
    poll_once(&world, mine);
    OWN(buffer) Buffer labels = BUFFER(1000);
    join_labels(&world, &labels);
    ck_assert_msg(world.outcome->failed == (c->error != NULL), "%s: %s", c->what, world.outcome->error);
    if (c->error) ck_assert_msg(strstr(world.outcome->error, c->error), "%s: %s", c->what, world.outcome->error);
    if (c->labels) ck_assert_str_eq(buffer_string(&labels), c->labels);
    ck_assert(c->labels || !world.outcome->count);
    if (!c->error) ck_assert(world.outcome->is_complete && world.outcome->settled_end_s == NOW_S - 120);
    world_stop(&world);
}
END_TEST

START_TEST(several_series_where_one_was_expected) {
    World world;
    world_init(&world);
    world.count = 1;
    alarm_make(&world.alarms[0], 0, "a + 1", false);
    world_plan(&world);
    world.answer = (char[]){"{\"MetricDataResults\":[" FOUND("x", "Complete", "") "," FOUND("y", "Complete", "") "]}"};
    poll_once(&world, 0);
    ck_assert_ptr_nonnull(strstr(error_of(&world, 10), "several series where one was expected"));
    world_stop(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, alarms_share_a_call_under_ids_of_their_own);
    tcase_add_test(tcase, one_that_is_refused_leaves_the_others_alone);
    tcase_add_loop_test(tcase, a_refusal_speaks_the_language_of_the_file, 0, (int)COUNT_OF(refusals));
    tcase_add_test(tcase, a_refusal_without_a_culprit_says_so);
    tcase_add_test(tcase, when_all_are_refused_none_is_the_culprit);
    tcase_add_loop_test(tcase, each_series_is_an_instance, 0, (int)COUNT_OF(cases));
    tcase_add_test(tcase, several_series_where_one_was_expected);
}

int main(void) { return run_tests("math_poll", fill); }
