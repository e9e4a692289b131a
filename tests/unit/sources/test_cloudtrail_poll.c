/* Polls of CloudTrail over a feed that behaves as AWS's: newest first, by time and attribute, paged, late, twice and
 * throttled. The configuration, the plan, the rules and the pool are real; calls and what was committed are stand-ins.
 */
#include "sources/cloudtrail.h"

#include "../run.h"
#include "alarms/alarm.h"
#include "base/alloc.h"
#include "base/json.h"
#include "sources/poll_section.h"
#include "sources/sigma_section.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NOW_S = 1767322800, EVENTS_MAX = 12000, CALLS_MAX = 400, IDS_MAX = 12000 };

/* --- the feed --- */
typedef struct FakeEvent {
    char id[40];
    int64_t time_s;
    const char *name, *record; /* record NULL: made of the rest */
    const char *more; /* further members of the record */
    bool is_read, hides_id;
} FakeEvent;

typedef struct Asked {
    int64_t from_s, to_s;
    int most;
    bool has_token;
    char attribute[32];
} Asked;

struct Aws {
    uv_loop_t *loop;
    int64_t now_s;
    FakeEvent *events;
    size_t count;
    Asked asked[CALLS_MAX];
    size_t calls;
    size_t fail_from; /* calls from this one on are throttled; 0: none */
    size_t torn; /* the answer to this call is no JSON; 0: none */
    size_t too_long; /* answers of more events than this are too long; 0: none */
    int64_t call_s; /* how long a call takes */
    bool same_token;
};

struct AwsTicket {
    AwsDone *done;
    void *ctx;
    uv_idle_t later;
    char *body;
    AwsClass class;
};

void aws_ledger_add_traces(Aws *aws, const char *account, const char *region, double traces) {
    (void)aws, (void)account, (void)region, (void)traces;
}

int64_t aws_now_ms(const Aws *aws) { return aws->now_s * 1000; }

static void ticket_closed(uv_handle_t *handle) { free(handle->data); }

static void ticket_finish(AwsTicket *ticket, AwsClass class) {
    const AwsTicket copy = *ticket;
    uv_idle_stop(&ticket->later);
    uv_close((uv_handle_t *)&ticket->later, ticket_closed);
    copy.done(copy.ctx,
        &(AwsAnswer){.class = class,
            .status = 200,
            .body = class == AWS_FINE ? copy.body : NULL,
            .body_length = class == AWS_FINE ? strlen(copy.body) : 0,
            .code = "",
            .message = "",
            .explanation = class == AWS_FINE ? "" : "it was throttled"});
    free(copy.body);
}

static void ticket_due(uv_idle_t *later) { ticket_finish(later->data, ((AwsTicket *)later->data)->class); }

static json_t *event_json(const FakeEvent *event) {
    char time[64];
    const time_t seconds = event->time_s;
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
    OWN(text)
    char *record = event->record
        ? text_copy(event->record)
        : text_format(
              "{\"eventID\":\"%s\",\"eventTime\":\"%s\",\"eventName\":\"%s\",\"eventSource\":\"s.amazonaws.com\","
              "\"awsRegion\":\"eu-west-1\",\"readOnly\":%s%s}",
              event->id, time, event->name, event->is_read ? "true" : "false", event->more ? event->more : "");
    json_t *outer =
        json_pack("{s:s, s:s, s:I, s:s, s:s}", "EventName", event->name, "EventSource", "s.amazonaws.com", "EventTime",
            (json_int_t)event->time_s, "ReadOnly", event->is_read ? "true" : "false", "CloudTrailEvent", record);
    if (!event->hides_id) json_object_set_new(outer, "EventId", json_string(event->id));
    return outer;
}

static bool is_asked_for(const FakeEvent *event, const Asked *asked) {
    if (event->time_s < asked->from_s || event->time_s > asked->to_s) return false;
    if (!strcmp(asked->attribute, "ReadOnly")) return !event->is_read;
    return !*asked->attribute || !strcmp(event->name, "LookupEvents");
}

static int newest_first(const void *a, const void *b) {
    const FakeEvent *left = a, *right = b;
    return (left->time_s < right->time_s) - (left->time_s > right->time_s);
}

static char *answer(Aws *aws, const Asked *asked, size_t skip) {
    json_t *list = json_array();
    size_t matching = 0;
    qsort(aws->events, aws->count, sizeof *aws->events, newest_first);
    for (size_t i = 0; i < aws->count; i++) {
        if (!is_asked_for(&aws->events[i], asked) || matching++ < skip) continue;
        if (json_array_size(list) < (size_t)asked->most) json_array_append_new(list, event_json(&aws->events[i]));
    }
    const size_t end = skip + json_array_size(list);
    OWN(json) json_t *body = json_pack("{s:o}", "Events", list);
    char token[32];
    snprintf(token, sizeof token, "%zu", aws->same_token ? (size_t)1 : end);
    if (end < matching) json_object_set_new(body, "NextToken", json_string(token));
    return json_write(body);
}

static Asked asked_of(const json_t *body, size_t *ret_skip) {
    Asked asked = {0};
    int64_t most;
    ck_assert(json_whole(body, "StartTime", &asked.from_s) && json_whole(body, "EndTime", &asked.to_s));
    ck_assert(json_whole(body, "MaxResults", &most));
    asked.most = (int)most;
    const char *token = json_text(body, "NextToken");
    asked.has_token = token != NULL;
    *ret_skip = token ? strtoul(token, NULL, 10) : 0;
    const char *attribute = json_text(json_array_get(json_list(body, "LookupAttributes"), 0), "AttributeKey");
    if (attribute) snprintf(asked.attribute, sizeof asked.attribute, "%s", attribute);
    return asked;
}

AwsTicket *aws_call(Aws *aws, const AwsCall *call, AwsDone *done, void *ctx) {
    AwsTicket *ticket = alloc_zeroed(1, sizeof *ticket);
    OWN(json) json_t *body = json_loadb(call->body, call->body_length, 0, NULL);
    size_t skip;
    ck_assert_int_eq(call->service, AWS_CLOUDTRAIL);
    ck_assert_str_eq(call->operation, "LookupEvents");
    ck_assert_uint_eq(call->body_max, 16 << 20);
    ck_assert_uint_lt(aws->calls, CALLS_MAX);
    const Asked asked = asked_of(body, &skip);
    aws->asked[aws->calls++] = asked;
    aws->now_s += aws->call_s;
    *ticket = (AwsTicket){.done = done, .ctx = ctx, .class = AWS_FINE};
    ticket->body = aws->torn == aws->calls ? text_copy("{\"Events\":[") : answer(aws, &asked, skip);
    if (aws->fail_from && aws->calls >= aws->fail_from) ticket->class = AWS_THROTTLED;
    if (aws->too_long && asked.most > (int)aws->too_long) ticket->class = AWS_TOO_LONG;
    uv_idle_init(aws->loop, &ticket->later);
    ticket->later.data = ticket;
    uv_idle_start(&ticket->later, ticket_due);
    return ticket;
}

void aws_cancel(AwsTicket *ticket) { ticket_finish(ticket, AWS_CANCELLED); }

/* --- the world: what is committed survives `world_restart` --- */
typedef struct World {
    uv_loop_t loop;
    Aws aws;
    Snapshot *snapshot;
    Watch *watches;
    const Alarm *const *alarms;
    Plan *plan;
    PollWorld poll;
    PollRun *run;
    PollOutcome *outcome;
    EventLog *kept;
    Metrics *metrics;
    char *cursor;
    char (*ids)[40];
    size_t id_count, counted;
} World;

static bool is_seen(void *ctx, const char *scope, const char *id) {
    const World *world = ctx;
    ck_assert_str_eq(scope, "cloudtrail/default/eu-west-1");
    for (size_t i = 0; i < world->id_count; i++)
        if (strcmp(world->ids[i], id) == 0) return true;
    return false;
}

static const char *cursor(void *ctx, const char *name) {
    ck_assert_str_eq(name, "cloudtrail/default/eu-west-1");
    return ((World *)ctx)->cursor;
}

static void keep(void *ctx, PollOutcome *take_outcome) {
    World *world = ctx;
    ck_assert_ptr_null(world->outcome); /* once */
    world->outcome = take_outcome;
    world->run = NULL;
}

static Snapshot *load(const char *text) {
    static const SectionDescriptor *const sections[] = {
        &aws_section, &poll_section, &sigma_section, &packs_section, &alarms_section, NULL};
    static const SnapshotSchema schema = {sections, NULL};
    char path[] = "/tmp/tocsin-test-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    OWN(problems) Problems *problems = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, path, true, problems);
    unlink(path);
    if (problems_errors(problems)) problems_print(problems, stderr);
    ck_assert_uint_eq(problems_errors(problems), 0);
    return snapshot;
}

static void config_take(World *world, const char *text) {
    world->snapshot = load(text);
    const size_t count = alarm_watches(world->snapshot, &world->watches, &world->alarms);
    size_t here = 0; /* the home region has a poll of its own */
    for (size_t i = 0; i < count; i++)
        if (!strcmp(world->watches[i].region, "eu-west-1")) world->watches[here++] = world->watches[i];
    ck_assert_uint_eq(2 * here, count);
    world->plan = event_plan(world->snapshot, world->watches, here);
    ck_assert_uint_eq(plan_count(world->plan), 1);
}

static void config_drop(World *world) {
    plan_free(world->plan);
    free(world->watches);
    free((void *)(uintptr_t)world->alarms);
    snapshot_free(world->snapshot);
}

#define HEAD "aws: {region: eu-west-1}\n"
#define STOP "{name: stop, events: {detection: {s: {eventName: StopLogging}, condition: s}}}"
#define WRITES HEAD "alarms: [" STOP "]\n"
#define ALL HEAD "poll: {cloudtrail: {read_events: true}}\nalarms: [" STOP "]\n"

static void world_start(World *world, const char *config) {
    *world = (World){0};
    uv_loop_init(&world->loop);
    world->aws = (Aws){.loop = &world->loop, .now_s = NOW_S, .events = alloc_zeroed(EVENTS_MAX, sizeof(FakeEvent))};
    world->ids = alloc_zeroed(IDS_MAX, sizeof *world->ids);
    world->metrics = metrics_new();
    config_take(world, config);
    world->poll = (PollWorld){.loop = &world->loop,
        .aws = &world->aws,
        .metrics = world->metrics,
        .is_seen = is_seen,
        .cursor = cursor,
        .ctx = world};
}

/* A new start, or a reload: what is in memory alone is gone. */
static void world_restart(World *world, const char *config) {
    world->kept = event_log_free(world->kept);
    config_drop(world);
    config_take(world, config);
}

static void world_stop(World *world) {
    poll_outcome_free(world->outcome);
    event_log_free(world->kept);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    config_drop(world);
    metrics_free(world->metrics);
    free(world->aws.events);
    free(world->cursor);
    free(world->ids);
}

static FakeEvent *put(World *world, int number, int64_t ago_s, const char *name) {
    FakeEvent *event = &world->aws.events[world->aws.count++];
    *event = (FakeEvent){.time_s = world->aws.now_s - ago_s, .name = name};
    ck_assert_uint_le(world->aws.count, EVENTS_MAX);
    snprintf(event->id, sizeof event->id, "e-%d", number);
    return event;
}

static void world_begin(World *world) {
    poll_outcome_free(world->outcome);
    world->outcome = NULL;
    world->aws.calls = 0;
    world->run = event_poll_start(plan_poll(world->plan, 0), &world->poll, keep, world);
    ck_assert_ptr_null(world->outcome); /* never inside start */
}

/* What the engine makes of an outcome: one commit of ids and cursor. */
static void commit(World *world) {
    const PollOutcome *got = world->outcome;
    ck_assert_str_eq(got->scope, "cloudtrail/default/eu-west-1");
    for (size_t i = 0; i < got->event_count; i++) {
        if (!got->events[i].is_new) continue;
        ck_assert_msg(!is_seen(world, got->scope, got->events[i].id), "%s counts twice", got->events[i].id);
        ck_assert_uint_lt(world->id_count, IDS_MAX);
        snprintf(world->ids[world->id_count++], 40, "%s", got->events[i].id);
        world->counted++;
    }
    ck_assert_uint_eq(got->cursor_count, 1);
    ck_assert_str_eq(got->cursors[0].name, "cloudtrail/default/eu-west-1");
    free(world->cursor);
    world->cursor = text_copy(got->cursors[0].value_json);
    event_log_free(world->kept);
    world->kept = got->kept;
    ck_assert_ptr_nonnull(world->kept);
    for (size_t i = 1; i < got->event_count; i++)
        ck_assert_int_ge(got->events[i].time_ms, got->events[i - 1].time_ms); /* oldest first */
}

static const PollOutcome *world_poll(World *world) {
    world_begin(world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_ptr_nonnull(world->outcome);
    commit(world);
    return world->outcome;
}

static CloudtrailCursor committed(const World *world) { return cursor_parse(world->cursor, world->aws.now_s); }

/* --- which interval --- */

START_TEST(the_first_start_looks_back) {
    World world;
    world_start(&world, ALL);
    put(&world, 1, 3599, "StopLogging");
    put(&world, 2, 3601, "StopLogging");
    put(&world, 3, 400, "StopLogging");
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(got->event_count, 2);
    ck_assert_uint_eq(got->match_count, 2);
    ck_assert_str_eq(got->events[0].id, "e-1");
    ck_assert(got->events[0].is_new && got->is_complete && !got->failed);
    ck_assert_uint_eq(got->matches[1].event, 1);
    ck_assert_uint_eq(got->matches[0].watch, world.watches[0].index);
    ck_assert_ptr_null(got->matches[0].group);
    ck_assert_int_eq(got->lag_s, 400);
    ck_assert_uint_eq(world.aws.calls, 1);
    ck_assert_int_eq(world.aws.asked[0].from_s, NOW_S - 3600);
    ck_assert_int_eq(world.aws.asked[0].to_s, NOW_S);
    ck_assert_int_eq(committed(&world).high_water_s, NOW_S - 400);
    world_poll(&world); /* nothing from before the look back counts, however far the overlap reaches */
    ck_assert_uint_eq(world.counted, 2);
    world_stop(&world);
}
END_TEST

START_TEST(each_run_begins_before_the_newest_event) {
    World world;
    world_start(&world, ALL);
    put(&world, 1, 100, "StopLogging");
    world_poll(&world);
    world.aws.now_s += 60;
    world_poll(&world);
    ck_assert_int_eq(world.aws.asked[0].from_s, NOW_S - 100 - 300);
    world.aws.now_s = NOW_S + 600;
    world_poll(&world);
    ck_assert_int_eq(world.aws.asked[0].from_s, NOW_S - 100 - 1800); /* every ten minutes the whole overlap */
    world.aws.now_s += 60;
    world_poll(&world);
    ck_assert_int_eq(world.aws.asked[0].from_s, NOW_S - 100 - 300);
    world_restart(&world, ALL);
    world_poll(&world);
    ck_assert_int_eq(world.aws.asked[0].from_s, NOW_S - 100 - 1800); /* and after a start */
    ck_assert_uint_eq(world.counted, 1);
    world_stop(&world);
}
END_TEST

START_TEST(late_events_are_found) {
    World world;
    world_start(&world, ALL);
    put(&world, 1, 10, "StopLogging");
    world_poll(&world);
    world.aws.now_s += 60;
    put(&world, 2, 60 + 10 + 290, "StopLogging"); /* within five minutes before the newest */
    put(&world, 3, 60 + 10 + 1700, "StopLogging")->more = ",\"addendum\":{\"reason\":\"DELIVERY_DELAY\"}";
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(got->match_count, 1);
    world.aws.now_s += 600;
    got = world_poll(&world);
    ck_assert_uint_eq(got->match_count, 1);
    ck_assert_str_eq(got->events[got->matches[0].event].id, "e-3");
    ck_assert_uint_eq(world.counted, 3);
    world_stop(&world);
}
END_TEST

static void world_poll_for_nobody(World *world) {
    world_begin(world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_ptr_nonnull(world->outcome);
    event_log_free(world->outcome->kept);
}

/* Up again with a clock so far off: nobody judges what the first run by it read, nor commits how far it got; the run by
 * the right clock reads the overlap and the gap, and probes the feed. */
static const int64_t wrong_by_s[] = {1200, -100};

START_TEST(a_run_by_a_wrong_clock_loses_no_event) {
    World world;
    world_start(&world, WRITES);
    put(&world, 1, 10, "StopLogging");
    world_poll(&world);
    world_restart(&world, WRITES);
    world.aws.now_s += 120;
    put(&world, 2, 100, "StopLogging");
    put(&world, 3, 120 + 10 + 1700, "StopLogging"); /* it came late, while we were down: in the overlap alone */
    const Poll *poll = plan_poll(world.plan, 0);
    for (int twice = 0; twice < 2; twice++) { /* the repeat may meet a second correction */
        world.aws.now_s += wrong_by_s[_i];
        world_poll_for_nobody(&world);
        world.aws.now_s -= wrong_by_s[_i];
        poll->source->forget(poll, world.aws.now_s);
    }
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(got->match_count, 2);
    ck_assert_uint_eq(world.counted, 3);
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert_str_eq(world.aws.asked[1].attribute, "EventName");
    ck_assert_int_eq(committed(&world).high_water_s, NOW_S + 20);
    world_stop(&world);
}
END_TEST

/* A newest event is read again for ever: its id is never given up before. */
START_TEST(a_quiet_account_counts_once) {
    World world;
    world_start(&world, ALL);
    put(&world, 1, 100, "StopLogging");
    world_poll(&world);
    for (int hour = 0; hour < 30; hour++) {
        world.aws.now_s += 3600;
        const PollOutcome *got = world_poll(&world);
        ck_assert_int_le(got->ids_until_ms, (int64_t)(NOW_S - 100 - 1800) * 1000);
        ck_assert_int_gt(got->ids_until_ms, 0);
    }
    ck_assert_uint_eq(world.counted, 1);
    world_stop(&world);
}
END_TEST

START_TEST(a_wider_overlap_recounts_nothing) {
    World world;
    world_start(&world, ALL);
    for (int i = 0; i < 100; i++) {
        put(&world, i, 0, "StopLogging");
        world_poll(&world);
        world.aws.now_s += 300;
    }
    world.id_count = 0; /* all that the last outcome allowed to forget, and more */
    const int64_t until_ms = world.outcome->ids_until_ms;
    for (size_t i = 0; i < world.aws.count; i++)
        if (world.aws.events[i].time_s * 1000 >= until_ms)
            snprintf(world.ids[world.id_count++], 40, "%s", world.aws.events[i].id);
    world_restart(&world, HEAD "poll: {cloudtrail: {read_events: true, overlap: 1d}}\nalarms: [" STOP "]\n");
    world_poll(&world);
    ck_assert_uint_eq(world.counted, 100);
    world_stop(&world);
}
END_TEST

/* --- doubles --- */

START_TEST(pages_that_shift_count_once) {
    World world;
    world_start(&world, ALL);
    for (int i = 0; i < 120; i++) put(&world, i, 1000 - i, "StopLogging");
    for (int i = 0; i < 120; i += 7) put(&world, i, 1000 - i, "StopLogging"); /* twice */
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(world.aws.calls, 3);
    ck_assert_uint_eq(got->event_count, 120);
    ck_assert_uint_eq(got->match_count, 120);
    got = world_poll(&world);
    ck_assert_uint_eq(got->event_count, 0); /* they stand in the log */
    ck_assert_uint_eq(event_log_count(world.kept), 120);
    world_stop(&world);
}
END_TEST

START_TEST(after_a_restart_the_log_is_filled) {
    World world;
    world_start(&world, ALL);
    put(&world, 1, 100, "StopLogging");
    put(&world, 2, 50, "RunInstances");
    world_poll(&world);
    world_restart(&world, ALL);
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(got->event_count, 2);
    ck_assert(!got->events[0].is_new && !got->events[1].is_new);
    ck_assert_uint_eq(got->match_count, 0);
    ck_assert_uint_eq(event_log_count(world.kept), 2);
    ck_assert_str_eq(event_log_at(world.kept, 1)->rules[0], "stop");
    ck_assert_uint_eq(event_log_at(world.kept, 0)->rule_count, 0);
    ck_assert_int_eq(event_log_as_of_ms(world.kept), (int64_t)NOW_S * 1000);
    world_stop(&world);
}
END_TEST

/* A correction of a record counts with it, whichever comes first. */
START_TEST(corrections_count_once) {
    static const char update[] = ",\"addendum\":{\"reason\":\"UPDATED_DATA\",\"originalEventID\":\"e-1\"}";
    World world;
    world_start(&world, ALL);
    put(&world, 1, 100, "StopLogging");
    if (_i != 0) world_poll(&world); /* 1: the record was counted before */
    put(&world, 2, 100, "StopLogging")->more = update;
    if (_i == 2) { /* the correction alone, and the record later */
        world.aws.events[0] = world.aws.events[1];
        world.aws.count = 1;
        world.id_count = world.counted = 0;
        world_poll(&world);
        put(&world, 1, 100, "StopLogging");
    }
    world_poll(&world);
    world_poll(&world);
    ck_assert_uint_eq(world.counted, 1);
    ck_assert_str_eq(world.ids[0], "e-1");
    world_stop(&world);
}
END_TEST

/* --- what cannot be read --- */

static const struct PartCase {
    const char *what;
    size_t fail_from, torn;
    bool same_token;
    size_t events; /* handed on all the same */
    AwsClass class;
} part_cases[] = {
    {"the first page fails", 1, 0, false, 0, AWS_THROTTLED},
    {"the first page is torn", 0, 1, false, 0, AWS_OTHER},
    {"the second page fails", 2, 0, false, 50, AWS_THROTTLED},
    {"the third page is torn", 0, 3, false, 100, AWS_OTHER},
    {"a token twice", 0, 0, true, 0, AWS_PAGING},
};

START_TEST(what_was_not_read_is_a_gap) {
    const struct PartCase *c = &part_cases[_i];
    World world;
    world_start(&world, ALL);
    for (int i = 0; i < 200; i++) put(&world, i, 2000 - i, "StopLogging");
    world.aws.fail_from = c->fail_from;
    world.aws.torn = c->torn;
    world.aws.same_token = c->same_token;
    const PollOutcome *got = world_poll(&world);
    ck_assert_msg(got->failed && got->error && *got->error, "%s", c->what);
    ck_assert_int_eq(got->error_class, c->class);
    ck_assert(!got->is_complete);
    if (!c->same_token) ck_assert_uint_eq(got->event_count, c->events);
    ck_assert_uint_eq(got->match_count, got->event_count);
    CloudtrailCursor after = committed(&world);
    ck_assert_uint_eq(after.gap_count, got->event_count > 0);
    if (got->event_count) {
        ck_assert_int_eq(after.gaps[0].from_s, NOW_S - 3600);
        ck_assert_int_eq(after.gaps[0].to_s * 1000, got->events[0].time_ms);
        ck_assert_int_eq(got->lag_s, 3600);
        ck_assert_int_eq(got->ids_until_ms, 0);
    }
    world.aws.fail_from = world.aws.torn = 0;
    world.aws.same_token = false;
    world.aws.now_s += 60;
    got = world_poll(&world);
    ck_assert(!got->failed && got->is_complete);
    ck_assert_uint_eq(world.counted, 200);
    ck_assert_uint_eq(committed(&world).gap_count, 0);
    ck_assert_int_lt(got->lag_s, 1900); /* of the newest, however old what the gap held */
    world_stop(&world);
}
END_TEST

/* More than a run may ask: the rest comes at later runs, gap by gap, and nothing is lost or counted twice. */
START_TEST(a_flood_is_read_in_the_end) {
    World world;
    world_start(&world, ALL);
    for (int i = 0; i < 11000; i++) put(&world, i, 3000 - i / 4, "RunInstances");
    if (_i == 1) world.aws.call_s = 10; /* slow answers: time ends a run, not pages */
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(world.aws.calls, _i ? 10 : CLOUDTRAIL_PAGES_MAX);
    ck_assert(!got->failed && !got->is_complete);
    ck_assert_uint_eq(got->event_count, 50 * world.aws.calls);
    ck_assert_int_gt(got->lag_s, 2000);
    int runs = 1;
    for (; committed(&world).gap_count && runs < 40; runs++) {
        world.aws.now_s += 60;
        world_poll(&world);
    }
    ck_assert_int_lt(runs, 40);
    ck_assert_uint_eq(world.counted, 11000);
    ck_assert(world.outcome->is_complete);
    world_stop(&world);
}
END_TEST

START_TEST(too_long_answers_are_asked_in_halves) {
    World world;
    world_start(&world, ALL);
    for (int i = 0; i < 100; i++) put(&world, i, 1000 - i, "StopLogging");
    world.aws.too_long = 12;
    const PollOutcome *got = world_poll(&world);
    ck_assert(!got->failed);
    ck_assert_uint_eq(got->event_count, 100);
    ck_assert_int_eq(world.aws.asked[1].most, 25);
    ck_assert_int_eq(world.aws.asked[2].most, 12);
    ck_assert(!world.aws.asked[1].has_token && !world.aws.asked[2].has_token && world.aws.asked[3].has_token);
    world_stop(&world);
}
END_TEST

START_TEST(cancelled_ends_at_once) {
    World world;
    world_start(&world, ALL);
    for (int i = 0; i < 120; i++) put(&world, i, 1000 - i, "StopLogging");
    world_begin(&world);
    for (int turn = 0; turn < _i && !world.outcome; turn++) uv_run(&world.loop, UV_RUN_NOWAIT);
    if (!world.outcome) {
        event_poll_cancel(world.run);
        ck_assert_ptr_nonnull(world.outcome);
        ck_assert(world.outcome->failed && world.outcome->error_class == AWS_CANCELLED);
    }
    world.kept = world.outcome->kept;
    config_drop(&world); /* the pool may still be at work: it has what it needs */
    uv_run(&world.loop, UV_RUN_DEFAULT);
    config_take(&world, ALL);
    world_stop(&world);
}
END_TEST

/* --- bad records --- */

static const struct RecordCase {
    const char *what, *record;
    bool hides_id;
    size_t events, matches;
    const char *id, *reason;
} record_cases[] = {
    {"empty", "", false, 1, 1, "e-1", "not_json"},
    {"cut", "{\"eventName\":\"StopLogging\"", false, 1, 1, "e-1", "not_json"},
    {"a list", "[]", false, 1, 1, "e-1", "not_json"},
    {"no members", "{}", false, 1, 0, "e-1", NULL},
    {"nulls", "{\"eventName\":null,\"userIdentity\":null,\"eventTime\":null,\"eventID\":null}", false, 1, 0, "e-1",
        NULL},
    {"an id of its own", "{\"eventID\":\"inner\",\"eventName\":\"StopLogging\"}", true, 1, 1, "inner", NULL},
    {"no id at all", "{\"eventName\":\"StopLogging\"}", true, 0, 0, NULL, "no_id"},
    {"a NUL to hide behind", "{\"eventName\":\"StopLogging\",\"userAgent\":\"\\u0000\"}", false, 1, 1, "e-1", NULL},
};

START_TEST(bad_records_are_no_failure) {
    static const Metric skipped = {"tocsin_cloudtrail_skipped_events_total",
        "Events that were not, or not wholly, judged: not_json (judged by their outer members), no_id, no_time.",
        METRIC_COUNTER, {"account", "region", "reason"}};
    const struct RecordCase *c = &record_cases[_i];
    World world;
    world_start(&world, ALL);
    FakeEvent *event = put(&world, 1, 100, "StopLogging");
    event->record = c->record;
    event->hides_id = c->hides_id;
    const PollOutcome *got = world_poll(&world);
    ck_assert(!got->failed && got->is_complete);
    ck_assert_msg(got->event_count == c->events && got->match_count == c->matches, "%s: %zu, %zu", c->what,
        got->event_count, got->match_count);
    if (c->id) ck_assert_str_eq(got->events[0].id, c->id);
    if (c->id) ck_assert_int_eq(got->events[0].time_ms, (int64_t)(NOW_S - 100) * 1000);
    if (c->reason)
        ck_assert(metric_get(world.metrics, &skipped, METRIC_VALUES("default", "eu-west-1", c->reason)) == 1);
    world_poll(&world);
    ck_assert_uint_eq(world.counted, c->events);
    world_stop(&world);
}
END_TEST

START_TEST(a_huge_record) {
    World world;
    world_start(&world, ALL);
    char *filler = alloc_zeroed(1, (256 << 10) + 1);
    memset(filler, 'x', 256 << 10);
    OWN(text) char *record = text_format("{\"eventName\":\"StopLogging\",\"userAgent\":\"%s\"}", filler);
    put(&world, 1, 100, "StopLogging")->record = record;
    ck_assert_uint_eq(world_poll(&world)->match_count, 1);
    free(filler);
    world_stop(&world);
}
END_TEST

/* --- only what writes, and the feed --- */

START_TEST(reads_are_asked_for_where_a_rule_can_match_one) {
    static const struct {
        const char *config, *attribute;
    } cases[] = {{WRITES, "ReadOnly"}, {ALL, ""},
        {HEAD "alarms: [{name: a, events: {detection: {s: {errorCode: AccessDenied}, condition: s}}}]\n", ""},
        {HEAD "poll: {cloudtrail: {read_events: false}}\nalarms: [{name: a, events: {detection: {s: {errorCode: x}, "
              "condition: s}}}]\n",
            "ReadOnly"}};
    World world;
    world_start(&world, cases[_i].config);
    put(&world, 1, 100, "StopLogging");
    put(&world, 2, 100, "GetObject")->is_read = true;
    const PollOutcome *got = world_poll(&world);
    ck_assert_str_eq(world.aws.asked[0].attribute, cases[_i].attribute);
    ck_assert_uint_eq(got->event_count, *cases[_i].attribute ? 1 : 2);
    world_stop(&world);
}
END_TEST

START_TEST(the_feed_is_probed) {
    World world;
    world_start(&world, WRITES);
    for (int i = 0; i < 200; i++) put(&world, i, 1000 - i, "LookupEvents")->is_read = true;
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(world.aws.calls, 2); /* one page of it */
    ck_assert_str_eq(world.aws.asked[1].attribute, "EventName");
    ck_assert_int_eq(got->feed_seen_ms, (int64_t)(NOW_S - 801) * 1000);
    ck_assert_uint_eq(got->event_count, 0);
    ck_assert(got->is_complete);
    world.aws.now_s += 60;
    world_poll(&world);
    ck_assert_uint_eq(world.aws.calls, 1);
    world.aws.now_s += 900;
    world.aws.fail_from = 2;
    put(&world, 500, 5, "StopLogging");
    got = world_poll(&world); /* a probe that fails is a failure, and what was read counts */
    ck_assert_uint_eq(world.aws.calls, 2);
    ck_assert(got->failed);
    ck_assert_uint_eq(got->match_count, 1);
    ck_assert_int_eq(got->feed_seen_ms, (int64_t)(NOW_S - 801) * 1000);
    ck_assert_uint_eq(committed(&world).gap_count, 0);
    world_stop(&world);
}
END_TEST

START_TEST(our_calls_are_seen_among_all) {
    World world;
    world_start(&world, ALL);
    const PollOutcome *got = world_poll(&world);
    ck_assert_int_eq(got->feed_seen_ms, 0);
    ck_assert_int_eq(got->lag_s, 0); /* all that there is was read */
    put(&world, 1, 200, "LookupEvents")->is_read = true;
    got = world_poll(&world);
    ck_assert_uint_eq(world.aws.calls, 1);
    ck_assert_int_eq(got->feed_seen_ms, (int64_t)(NOW_S - 200) * 1000);
    world_stop(&world);
}
END_TEST

/* --- what a match says --- */

START_TEST(a_match_has_group_key_and_fields) {
    World world;
    world_start(&world,
        HEAD "poll: {cloudtrail: {read_events: true}}\nalarms:\n"
             "  - {name: by who, events: {detection: {s: {eventName: StopLogging}, condition: s}, group-by: "
             "[userIdentity.arn, "
             "awsRegion, errorCode], first_seen: {key: [userIdentity.arn, resources.ARN]}}}\n"
             "  - {name: other, events: {detection: {s: {eventName: Other}, condition: s}}}\n"
             "  - {name: again, events: {detection: {s: {eventName: StopLogging}, condition: s}}}\n");
    put(&world, 1, 100, "StopLogging")->more =
        ",\"userIdentity\":{\"arn\":\"arn:a\\u001fb\"},\"resources\":[{\"ARN\":\"r-1\"},{\"ARN\":\"r-2\"}]";
    const PollOutcome *got = world_poll(&world);
    ck_assert_uint_eq(got->match_count, 2);
    const EventMatch *match = &got->matches[got->matches[0].group ? 0 : 1];
    ck_assert_ptr_nonnull(match->group);
    ck_assert_uint_eq(match->watch, world.watches[0].index);
    ck_assert_str_eq(labels_get(match->group, "userIdentity.arn"), "arn:a b");
    ck_assert_str_eq(labels_get(match->group, "awsRegion"), "eu-west-1");
    ck_assert_str_eq(labels_get(match->group, "errorCode"), "");
    ck_assert_str_eq(match->key, "arn:a b\x1fr-1");
    ck_assert_ptr_null(match->value);
    ck_assert_uint_eq(event_log_at(world.kept, 0)->rule_count, 2);
    world_stop(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, the_first_start_looks_back);
    tcase_add_test(tcase, each_run_begins_before_the_newest_event);
    tcase_add_test(tcase, late_events_are_found);
    tcase_add_loop_test(tcase, a_run_by_a_wrong_clock_loses_no_event, 0, (int)COUNT_OF(wrong_by_s));
    tcase_add_test(tcase, a_quiet_account_counts_once);
    tcase_add_test(tcase, a_wider_overlap_recounts_nothing);
    tcase_add_test(tcase, pages_that_shift_count_once);
    tcase_add_test(tcase, after_a_restart_the_log_is_filled);
    tcase_add_loop_test(tcase, corrections_count_once, 0, 3);
    tcase_add_loop_test(tcase, what_was_not_read_is_a_gap, 0, (int)COUNT_OF(part_cases));
    tcase_add_loop_test(tcase, a_flood_is_read_in_the_end, 0, 2);
    tcase_add_test(tcase, too_long_answers_are_asked_in_halves);
    tcase_add_loop_test(tcase, cancelled_ends_at_once, 0, 12);
    tcase_add_loop_test(tcase, bad_records_are_no_failure, 0, (int)COUNT_OF(record_cases));
    tcase_add_test(tcase, a_huge_record);
    tcase_add_loop_test(tcase, reads_are_asked_for_where_a_rule_can_match_one, 0, 4);
    tcase_add_test(tcase, the_feed_is_probed);
    tcase_add_test(tcase, our_calls_are_seen_among_all);
    tcase_add_test(tcase, a_match_has_group_key_and_fields);
}

int main(void) { return run_tests("cloudtrail_poll", fill); }
