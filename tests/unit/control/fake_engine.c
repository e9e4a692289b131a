#include "fake_engine.h"

#include "base/alloc.h"
#include "base/intern.h"
#include "notify/interval_section.h"
#include "notify/route.h"
#include "plugin/receivers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const SectionDescriptor *const sections[] = {&time_intervals_section, &route_section, &receivers_section, NULL};
static const SnapshotSchema schema = {sections, NULL};

enum { NOW_S = 1767323045 }; /* 2026-01-02T03:04:05Z */

static void alarm_init(
    Instance *instance, const char *fingerprint, const char *name, AlarmState state, double *datapoints) {
    const Label labels[] = {{"alertname", name}, {"region", "eu-west-1"}, {"severity", "warning"}};
    *instance = (Instance){.name = intern(name),
        .source = intern("cloudwatch"),
        .account = intern("default"),
        .region = intern("eu-west-1"),
        .severity = SEVERITY_WARNING,
        .labels = labels_new(labels, 3),
        .memory = {.state = state},
        .since_ms = NOW_S * INT64_C(1000) - 60000,
        .firing_since_ms = state == STATE_ALARM ? NOW_S * INT64_C(1000) - 60000 : 0,
        .evaluated_ms = NOW_S * INT64_C(1000),
        .durable = true,
        .facts = {.reason = text_copy("Threshold Crossed"), .value = 1.5, .threshold = 0.8, .value_s = NOW_S - 120},
        .datapoints = {.values = datapoints, .count = 3, .start_s = NOW_S - 180, .step_s = 60}};
    memcpy(instance->fingerprint, fingerprint, FINGERPRINT_TEXT);
}

/* Nothing is configured. */
static Snapshot *empty_snapshot(void) {
    char path[] = "/tmp/tocsin-test-XXXXXX";
    close(mkstemp(path));
    OWN(problems) Problems *problems = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, path, true, problems);
    unlink(path);
    return snapshot;
}

/* `severity="critical"` goes to a pager, silent from midnight to six, and from there to a lead. */
static void routes_init(Engine *engine) {
    static const char *const by_alertname[] = {"alertname"};
    static Span hours = {0, 360};
    static IntervalSpec times = {.times = {1, &hours}};
    static const Interval nights = {.name = "nights", .count = 1, .specs = &times};
    static const Interval *const mute[] = {&nights};
    Route *root = &engine->routes.root, *child = &engine->child, *escalation = &engine->escalation;
    engine->routes = (RouteSection){.is_given = true, .count = 2};
    *root = (Route){.id = "{}",
        .receiver = "oncall",
        .group_by = {1, by_alertname, NULL},
        .group_wait_s = 30,
        .group_interval_s = 300,
        .repeat_interval_s = 14400};
    *child = *root;
    child->id = "{}/{severity=\"critical\"}";
    child->receiver = "pager";
    child->mute = mute;
    child->mute_count = 1;
    child->matchers = matchers_new();
    matchers_add_text(child->matchers, "severity=critical", NULL);
    *escalation = *child;
    escalation->matchers = NULL;
    escalation->receiver = "lead";
    escalation->base = child;
    escalation->after_s = 900;
    child->escalation = escalation;
    root->child = root->next = child;
    child->next = escalation;
}

void fake_engine_init(Engine *engine, uv_loop_t *loop) {
    *engine = (Engine){.loop = loop, .healthy = true, .ready = true, .datapoints = {0.5, NAN, 1.5}};
    engine->clock = clock_new_virtual(NOW_S * INT64_C(1000));
    engine->metrics = metrics_new();
    engine->mutes = mutes_new();
    engine->snapshot = empty_snapshot();
    routes_init(engine);
    engine->acks = acks_new();
    alarm_init(&engine->alarms[0], "00000000000000aa", "a/b", STATE_OK, engine->datapoints);
    alarm_init(&engine->alarms[1], "00000000000000bb", "cpu", STATE_ALARM, engine->datapoints);
    alarm_init(&engine->alarms[2], "00000000000000cc", "cpu", STATE_OK, engine->datapoints);
    engine->alarms[2].facts.value = NAN;
}

void fake_engine_deinit(Engine *engine) {
    for (size_t i = 0; i < FAKE_ALARMS; i++) {
        Instance *instance = &engine->alarms[i];
        labels_free(instance->labels);
        intern_drop(instance->name);
        intern_drop(instance->source);
        intern_drop(instance->account);
        intern_drop(instance->region);
        free(instance->facts.reason);
    }
    metrics_free(engine->metrics);
    mutes_free(engine->mutes);
    snapshot_free(engine->snapshot);
    matchers_free(engine->child.matchers);
    acks_free(engine->acks);
    clock_free(engine->clock);
}

/* --- answering now, or on the loop --- */

typedef struct Later {
    uv_timer_t timer;
    void (*run)(struct Later *later);
    Engine *engine;
    void (*done)(void);
    void *ctx;
} Later;

static void free_later(uv_handle_t *handle) { free(handle->data); }

static void on_later(uv_timer_t *timer) {
    Later *later = timer->data;
    later->run(later);
    uv_close((uv_handle_t *)timer, free_later);
}

static void answer_later(Engine *engine, void (*run)(Later *), void (*done)(void), void *ctx) {
    Later *later = alloc_zeroed(1, sizeof *later);
    later->run = run;
    later->engine = engine;
    later->done = done;
    later->ctx = ctx;
    later->timer.data = later;
    if (!engine->loop) {
        run(later);
        free(later);
        return;
    }
    uv_timer_init(engine->loop, &later->timer);
    uv_timer_start(&later->timer, on_later, 0, 0);
}

/* --- engine.h --- */

void engine_status(Engine *engine, EngineStatus *ret) {
    *ret = (EngineStatus){.started_ms = NOW_S * INT64_C(1000) - 3600000,
        .loaded_ms = NOW_S * INT64_C(1000) - 3600000,
        .ready = engine->ready,
        .healthy = engine->healthy,
        .config_file = "/etc/tocsin/tocsin.yaml",
        .reload_ms = engine->reload_fails ? NOW_S * INT64_C(1000) : 0,
        .reload_error = "3 errors",
        .ok = 2,
        .alarm = 1,
        .pending = 4,
        .delivered = 5,
        .ledger = {.calls = 7, .billed_metrics = 12},
        .usd_month = 1.25};
}
Snapshot *engine_snapshot(Engine *engine) { return engine->snapshot; }
const Acks *engine_acks(Engine *engine) { return engine->acks; }
const RouteSection *engine_routes(Engine *engine) { return &engine->routes; }
const Mutes *engine_mutes(Engine *engine) { return engine->mutes; }
Instances *engine_instances(Engine *engine) { return (Instances *)engine; }
Store *engine_store(Engine *engine) { return (Store *)engine; }
Metrics *engine_metrics(Engine *engine) { return engine->metrics; }
const Clock *engine_clock(Engine *engine) { return engine->clock; }
uv_loop_t *engine_loop(Engine *engine) { return engine->loop; }

size_t engine_sources(Engine *engine, SourceView **ret_views) {
    SourceView *views = alloc_zeroed(2, sizeof *views);
    views[0] = (SourceView){"cloudwatch", "default", "eu-west-1", 60, NOW_S * INT64_C(1000), 0, 2, 9, NULL};
    views[1] = (SourceView){"cloudwatch", "default", "us-east-1", 60, 0, 0, 0, 1, "denied: cloudwatch:GetMetricData"};
    *ret_views = views;
    return engine->rows_empty ? 0 : 2;
}

char *engine_what_changed(Engine *engine, const Instance *instance) {
    (void)engine, (void)instance;
    return NULL;
}

const void *engine_kept(Engine *engine, size_t index, const Poll **ret_poll) {
    engine->poll = (Poll){
        .api = engine->kept_api ? engine->kept_api : "GetServiceGraph", .account = "default", .region = "eu-west-1"};
    *ret_poll = index ? NULL : &engine->poll;
    return index ? NULL : engine->kept;
}

void engine_refresh_metrics(Engine *engine) {
    static const Metric asked = {"tocsin_fake_asked", "How often somebody asked.", METRIC_COUNTER, {NULL}};
    metric_add(engine->metrics, &asked, 1, NULL);
}

static void run_reload(Later *later) {
    OWN(problems) Problems *problems = problems_new();
    if (later->engine->reload_fails) problem_add(problems, (Place){"t.yaml", 3, 5}, NULL, "no key `alarm`");
    ((EngineReloaded *)later->done)(later->ctx, !later->engine->reload_fails, problems);
}
void engine_reload(Engine *engine, EngineReloaded *done, void *ctx) {
    snprintf(engine->asked, sizeof engine->asked, "reload");
    answer_later(engine, run_reload, (void (*)(void))done, ctx);
}

/* Silences are changed inside the call: a commit that is already done. */
static void silenced(
    Engine *engine, bool is_planned, SilenceChange *change, Error *err, EngineSilenced *done, void *ctx) {
    if (!is_planned) {
        done(ctx, ENGINE_NOT_FOUND, err->text);
    } else if (engine->outcome != ENGINE_DONE) {
        silence_change_deinit(change);
        done(ctx, engine->outcome, "");
    } else {
        const Silence *made = change->puts[0];
        silences_apply(mutes_silences(engine->mutes), change);
        done(ctx, ENGINE_DONE, made->id);
    }
}

void engine_silence_post(Engine *engine, Silence *take_posted, EngineSilenced *done, void *ctx) {
    Error err = {0};
    SilenceChange change = {0};
    OWN(silence) Silence *posted = take_posted;
    snprintf(engine->asked, sizeof engine->asked, "silence by %.100s", posted->created_by);
    const bool is_planned =
        silences_plan_post(mutes_silences(engine->mutes), posted, NOW_S * INT64_C(1000), &change, &err);
    silenced(engine, is_planned, &change, &err, done, ctx);
}

void engine_silence_expire(Engine *engine, const char *id, EngineSilenced *done, void *ctx) {
    Error err = {0};
    SilenceChange change = {0};
    snprintf(engine->asked, sizeof engine->asked, "expire %.100s", id);
    const bool is_planned =
        silences_plan_expire(mutes_silences(engine->mutes), id, NOW_S * INT64_C(1000), &change, &err);
    silenced(engine, is_planned, &change, &err, done, ctx);
}

void engine_acknowledge(Engine *engine, Ack *take_ack, EngineChanged *done, void *ctx) {
    snprintf(engine->asked, sizeof engine->asked, "acknowledge %s by %.100s", take_ack->fingerprint, take_ack->by);
    if (engine->outcome == ENGINE_DONE)
        acks_put(engine->acks, take_ack);
    else
        ack_free(take_ack);
    done(ctx, engine->outcome);
}

void engine_unacknowledge(Engine *engine, const char *fingerprint, EngineChanged *done, void *ctx) {
    const Instance *instance = instance_find((Instances *)engine, fingerprint);
    snprintf(engine->asked, sizeof engine->asked, "unacknowledge %.100s", fingerprint);
    if (!instance) return done(ctx, ENGINE_NOT_FOUND);
    if (!acks_find(engine->acks, instance, NOW_S * INT64_C(1000))) return done(ctx, ENGINE_WRONG_STATE);
    acks_remove(engine->acks, fingerprint);
    done(ctx, ENGINE_DONE);
}

static void run_changed(Later *later) { ((EngineChanged *)later->done)(later->ctx, later->engine->outcome); }
void engine_notification_retry(Engine *engine, const char *id, EngineChanged *done, void *ctx) {
    snprintf(engine->asked, sizeof engine->asked, "retry %s", id);
    answer_later(engine, run_changed, (void (*)(void))done, ctx);
}
void engine_notification_discard(Engine *engine, const char *id, EngineChanged *done, void *ctx) {
    snprintf(engine->asked, sizeof engine->asked, "discard %s", id);
    answer_later(engine, run_changed, (void (*)(void))done, ctx);
}

static void run_tested(Later *later) {
    const ReceiverTestResult result = {"webhook", 0, "refused", "403 \xff go away"};
    ((EngineTested *)later->done)(later->ctx, later->engine->outcome, &result, 1);
}
void engine_receiver_test(Engine *engine, const char *receiver, EngineTested *done, void *ctx) {
    snprintf(engine->asked, sizeof engine->asked, "test %s", receiver);
    answer_later(engine, run_tested, (void (*)(void))done, ctx);
}

void engine_groups_of(Engine *engine, const char *fingerprint, GroupSeen *seen, void *ctx) {
    seen(ctx,
        &(GroupView){.key = "oncall/{}:{}",
            .receiver = "oncall",
            .due_ms = clock_wall_ms(engine->clock) + 60000,
            .last_sent_ms = 1,
            .is_told = fingerprint[0] == '0'});
}
char *engine_held_words(Engine *engine, const Route *route, const Instance *instance) {
    (void)engine, (void)route, (void)instance;
    return text_copy("silenced by me");
}

void engine_listen(Engine *engine, EngineEvent *event, void *ctx) {
    engine->event = event;
    engine->event_ctx = ctx;
}

/* --- alarms --- */

const char *severity_word(Severity severity) { return severity == SEVERITY_WARNING ? "warning" : "critical"; }
const Alarm *alarm_find(const Snapshot *snapshot, const char *name) {
    static const Alarm known = {.name = "cpu"}, idle = {.name = "idle"};
    (void)snapshot;
    return !strcmp(name, "cpu") ? &known : !strcmp(name, "idle") ? &idle : NULL;
}
json_t *alarm_rule_json(const Alarm *alarm) {
    return json_pack("{s:s, s:s}", "name", alarm->name, "comparison_operator", ">");
}
size_t instances_count(const Instances *table) {
    (void)table;
    return FAKE_ALARMS;
}

Instance *instance_find(Instances *table, const char *fingerprint) {
    Engine *engine = (Engine *)table;
    for (size_t i = 0; i < FAKE_ALARMS; i++)
        if (!strcmp(engine->alarms[i].fingerprint, fingerprint)) return &engine->alarms[i];
    return NULL;
}

Instance *instances_next(Instances *table, const Instance *after) {
    Engine *engine = (Engine *)table;
    const size_t next = after ? (size_t)(after - engine->alarms) + 1 : 0;
    return next < FAKE_ALARMS ? &engine->alarms[next] : NULL;
}

Instance **instances_sorted(Instances *table, size_t *ret_count) {
    Engine *engine = (Engine *)table;
    Instance **all = alloc_zeroed(FAKE_ALARMS, sizeof(Instance *));
    for (size_t i = 0; i < FAKE_ALARMS; i++) all[i] = &engine->alarms[i];
    *ret_count = FAKE_ALARMS;
    return all;
}

/* --- the store --- */

static void run_history(Later *later) {
    static const HistoryRow row = {.id = 9,
        .time_ms = NOW_S * INT64_C(1000),
        .name = "cpu",
        .fingerprint = "00000000000000bb",
        .from = "OK",
        .to = "ALARM",
        .reason = "Threshold Crossed",
        .value = 1.5,
        .has_value = true};
    const bool empty = later->engine->rows_empty;
    ((StoreHistoryDone *)later->done)(
        later->ctx, later->engine->store_fails ? NULL : &row, empty ? 0 : 1, empty ? 0 : 9);
}
void store_history(Store *store, const HistoryQuery *query, StoreHistoryDone *done, void *ctx) {
    Engine *engine = (Engine *)store;
    engine->history = *query;
    engine->history.name = engine->history.fingerprint = NULL;
    answer_later(engine, run_history, (void (*)(void))done, ctx);
}

static void run_decisions(Later *later) {
    static const DecisionTold rows[] = {
        {.decision = {3, NOW_S * INT64_C(1000), "00000000000000bb", "oncall/{}:{}", "oncall", "held",
             "silenced by me"}},
        {.decision = {2, NOW_S * INT64_C(1000) - 60000, "00000000000000bb", "oncall/{}:{}", "oncall", "told",
             "first notification"},
            .has_message = true,
            .message = {.id = "1", .plugin = "email", .state = "delivered", .attempts = 1, .last_error = "250 ok"}},
        {.decision = {2, NOW_S * INT64_C(1000) - 60000, "00000000000000bb", "oncall/{}:{}", "oncall", "told",
             "first notification"},
            .has_message = true,
            .message = {.id = "2", .plugin = "webhook", .state = "pending", .attempts = 2, .last_error = "HTTP 503"}},
    };
    const bool empty = later->engine->rows_empty;
    ((StoreDecisionsDone *)later->done)(later->ctx, later->engine->store_fails ? NULL : rows, empty ? 0 : 3);
}
void store_decisions(Store *store, const DecisionQuery *query, StoreDecisionsDone *done, void *ctx) {
    (void)query;
    answer_later((Engine *)store, run_decisions, (void (*)(void))done, ctx);
}

static void run_outbox(Later *later) {
    static const OutboxRow row = {.id = "11111111-1111-4111-8111-111111111111",
        .receiver = "oncall",
        .plugin = "webhook",
        .state = "parked",
        .attempts = 2,
        .created_ms = NOW_S * INT64_C(1000),
        .last_error = "404",
        .message_json = "{\"secret\":\"body\"}"};
    const bool empty = later->engine->rows_empty;
    ((StoreOutboxDone *)later->done)(later->ctx, later->engine->store_fails ? NULL : &row, empty ? 0 : 1, NULL);
}
void store_outbox(Store *store, const OutboxQuery *query, StoreOutboxDone *done, void *ctx) {
    Engine *engine = (Engine *)store;
    engine->outbox = *query;
    engine->outbox.state = engine->outbox.after = NULL;
    answer_later(engine, run_outbox, (void (*)(void))done, ctx);
}

/* --- replies --- */

void fake_reply_sent(void *ctx, Reply *take_reply) {
    FakeReply *got = ctx;
    got->count++;
    free(got->reply.body);
    json_decref(got->json);
    got->reply = *take_reply;
    take_reply->body = NULL;
    got->json = got->reply.body ? json_read(got->reply.body, got->reply.length, NULL) : NULL;
}

void fake_reply_deinit(FakeReply *got) {
    free(got->reply.body);
    json_decref(got->json);
    *got = (FakeReply){0};
}
