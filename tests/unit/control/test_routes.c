#include "control/routes.h"

#include "../run.h"

#include "base/intern.h"
#include "control/calls.h"
#include "fake_engine.h"
#include "sources/xray_graph.h"

#include <string.h>

static const Caller admin = {.may_change = true, .uid = 0}, reader = {.uid = 1000},
                    remote = {.remote = true, .host = "127.0.0.1:9464", .uid = (uid_t)-1},
                    lured = {.remote = true, .host = "evil.example:9464", .uid = (uid_t)-1};

/* `want` stands in the body, as JSON with its keys sorted. */
static const struct Case {
    const Caller *caller;
    const char *method, *target;
    unsigned status;
    const char *want;
} cases[] = {
    {&reader, "GET", "", 400, "bad_request"},
    {&reader, "GET", "*", 400, "bad_request"},
    {&reader, "GET", "v1/status", 400, "does not begin"},
    {&reader, "GET", "/v1/alarms/%", 400, "hex"},
    {&reader, "GET", "/v1/alarms/%00", 400, "NUL"},
    {&reader, "GET", "/v1/alarms/a%0ab", 400, "control"},
    {&reader, "GET", "/v1/alarms/%ff", 400, "UTF-8"},
    {&reader, "GET", "/", 404, "not_found"},
    {&reader, "GET", "/v1", 404, "not_found"},
    {&reader, "GET", "/v1/status/more", 404, "not_found"},
    {&reader, "GET", "/v1/alarms/a/b", 404, "not_found"}, /* only a%2Fb is one part */
    {&reader, "GET", "/v1//", 404, "not_found"},
    {&reader, "PUT", "/v1/status", 405, "method_not_allowed"},
    {&reader, "get", "/v1/status", 405, "GET only"},
    {&admin, "GET", "/v1/reload", 405, "POST only"},
    {&reader, "GET", "/v1/status", 200, "\"alarms\":{\"ALARM\":1,\"INSUFFICIENT_DATA\":0,\"OK\":2}"},
    {&reader, "GET", "/v1/status", 200, "\"last_reload\":null"},
    {&reader, "GET", "/v1/status", 200, "\"notifications\":{\"delivered\":5,\"failed\":0,\"parked\":0,\"pending\":4}"},
    {&reader, "GET", "/v1/status", 200, "\"billed_metrics\":12,"}, /* a whole number: some readers want it so */
    {&reader, "GET", "/v1/status", 200, "\"estimated_usd_month\":1.25"},
    {&reader, "HEAD", "/v1/status", 200, "\"version\""},
    {&reader, "GET", "/v1/status/", 200, "\"version\""},
    {&reader, "GET", "/v1/status?stat=1", 400, "no parameter `stat`"},
    {&reader, "GET", "/v1/alarms", 200, "\"next\":null"},
    {&reader, "GET", "/v1/alarms?limit=1", 200, "\"next\":\"00000000000000aa:a/b\""},
    {&reader, "GET", "/v1/alarms?limit=0", 400, "limit cannot be `0`"},
    {&reader, "GET", "/v1/alarms?limit=-1", 400, "limit cannot"},
    {&reader, "GET", "/v1/alarms?limit=99999999999", 400, "limit cannot"},
    {&reader, "GET", "/v1/alarms?state=alarm", 400, "state cannot be `alarm`"},
    {&reader, "GET", "/v1/alarms?state=ALARM", 200, "\"state\":\"ALARM\""},
    {&reader, "GET", "/v1/alarms?name=none", 200, "\"alarms\":[]"},
    {&reader, "GET", "/v1/alarms?state=OK&name=cpu", 200, "\"value\":null"},
    {&reader, "GET", "/v1/alarms", 200,
        "\"acknowledged\":null,\"annotations\":{},\"console_url\":null,\"durable\":true,\"evaluation_error\":null"},
    {&reader, "GET", "/v1/alarms", 200, "\"silenced_by\":[],\"since\":\"2026-01-02T03:03:05.000Z\""},
    {&reader, "GET", "/v1/alarms/a%2Fb", 200, "\"rule\":{}"},
    {&reader, "GET", "/v1/alarms/cpu", 200, "\"rule\":{\"comparison_operator\":\">\",\"name\":\"cpu\"}"},
    {&reader, "GET", "/v1/alarms/cpu", 200,
        "[[\"2026-01-02T03:01:05.000Z\",0.5],[\"2026-01-02T03:02:05.000Z\",null],[\"2026-01-02T03:03:05.000Z\",1.5]]"},
    {&reader, "GET", "/v1/alarms/idle", 200, "\"instances\":[]"},
    {&reader, "GET", "/v1/alarms/none", 404, "there is no alarm `none`"},
    {&reader, "GET", "/v1/history?since=yesterday", 400, "since cannot be `yesterday`"},
    {&reader, "GET", "/v1/history?after=x", 400, "after cannot"},
    {&reader, "GET", "/v1/history", 200,
        "\"next\":\"9\",\"transitions\":[{\"fingerprint\":\"00000000000000bb\",\"from\":\"OK\""},
    {&reader, "GET", "/v1/sources", 200,
        "\"lag_seconds\":2,\"last_error\":null,\"last_success\":\"2026-01-02T03:04:05.000Z\""},
    {&reader, "GET", "/v1/sources?limit=1", 200, "\"next\":\"1\""},
    {&reader, "GET", "/v1/sources?limit=1&after=1", 200, "\"last_error\":\"denied: cloudwatch:GetMetricData\""},
    {&reader, "GET", "/v1/sources?after=7", 200, "\"next\":null,\"sources\":[]"},
    {&reader, "GET", "/v1/notifications?state=lost", 400, "state cannot be `lost`"},
    {&reader, "GET", "/v1/notifications", 200, "\"last_error\":\"404\",\"next_attempt\":null,\"plugin\":\"webhook\""},
    {&reader, "GET", "/metrics?anything=goes", 200, "tocsin_fake_asked 1"},
    {&reader, "GET", "/healthz", 200, "ok"},
    {&reader, "GET", "/readyz", 200, "ok"},
    {&reader, "POST", "/v1/reload", 403, "uid 1000 may read only"},
    {&reader, "POST", "/v1/notifications/x/retry", 403, "forbidden"},
    {&reader, "POST", "/v1/notifications/x/discard", 403, "forbidden"},
    {&reader, "POST", "/v1/receivers/x/test", 403, "forbidden"},
    {&reader, "POST", "/v1/silences", 403, "forbidden"},
    {&admin, "POST", "/v1/reload", 200, "\"ok\":true"},
    {&admin, "POST", "/v1/notifications/x/retry", 200, "\"ok\":true"},
    {&admin, "POST", "/v1/notifications//retry", 404, "not_found"},
    {&admin, "POST", "/v1/receivers/on%20call/test", 200,
        "\"receiver\":\"on call\",\"results\":[{\"detail\":\"403 \xef\xbf\xbd go "
        "away\",\"index\":0,\"outcome\":\"refused\""},
    {&admin, "POST", "/v1/silences", 400, "the body must be a JSON object"},
    {&admin, "DELETE", "/v1/silences/1", 404, "there is no silence `1`"},
    {&reader, "GET", "/v1/routes", 200,
        "{\"route\":{\"active_time_intervals\":[],\"continue\":false,\"escalate\":[],"
        "\"group_by\":[\"alertname\"],\"group_interval\":300,\"group_wait\":30,\"id\":\"{}\",\"matchers\":[],"},
    {&reader, "GET", "/v1/routes", 200, "\"escalate\":[{\"after\":900,\"receiver\":\"lead\"}]"},
    {&reader, "GET", "/v1/routes", 200,
        "\"matchers\":[\"severity=\\\"critical\\\"\"],\"mute_time_intervals\":[\"nights\"]"},
    {&reader, "GET", "/v1/routes?label=severity", 400, "label cannot be `severity` (name=value)"},
    {&reader, "GET", "/v1/routes?label==x", 400, "label cannot be `=x`"},
    {&reader, "GET", "/v1/routes?label=a-b=x", 400, "`a-b` is no label's name"},
    {&reader, "GET", "/v1/routes?label=a=x&at=noon", 400, "at cannot be `noon`"},
    {&reader, "GET", "/v1/routes?label=severity=info&label=alertname=x", 200,
        "\"group_key\":\"{}:{alertname=\\\"x\\\"}\",\"group_labels\":{\"alertname\":\"x\"}"},
    {&reader, "GET", "/v1/routes?label=severity=critical", 200,
        "\"muted_by\":{\"inhibited_by\":[],\"silences\":[],\"time_interval\":\"nights\",\"until\":\"2026-01-02T06:00:"
        "00.000Z\"}"},
    {&remote, "GET", "/v1/routes?label=severity=critical&at=2026-01-02T07:00:00Z", 200,
        "\"muted_by\":{\"inhibited_by\":[],\"silences\":[],\"time_interval\":null,\"until\":null},\"receiver\":"
        "\"pager\""},
    {&reader, "GET", "/v1/silences", 200, "{\"next\":null,\"silences\":[]}"},
    {&reader, "DELETE", "/v1/silences/1", 403, "forbidden"},
    {&reader, "POST", "/v1/alarms/00000000000000bb/acknowledge", 403, "forbidden"},
    {&remote, "DELETE", "/v1/alarms/00000000000000bb/acknowledge", 403, "forbidden"},
    {&admin, "POST", "/v1/alarms/00000000000000dd/acknowledge", 404, "no alarm of the fingerprint `00000000000000dd`"},
    {&admin, "POST", "/v1/alarms/00000000000000aa/acknowledge", 409, "`a/b` does not fire"},
    {&admin, "POST", "/v1/alarms/00000000000000bb/acknowledge", 400, "the body must be a JSON object"},
    {&admin, "DELETE", "/v1/alarms/00000000000000bb/acknowledge", 409, "it is not acknowledged"},
    {&admin, "DELETE", "/v1/alarms/00000000000000dd/acknowledge", 404, "no alarm of this fingerprint"},
    {&remote, "GET", "/v1/silences", 200, "silences"},
    {&remote, "DELETE", "/v1/silences/1", 403, "forbidden"},
    {&reader, "GET", "/v1/explain/00000000000000bb", 200, "\"cpu is in ALARM since 2026-01-02T03:03:05.000Z: "},
    {&reader, "GET", "/v1/explain/00000000000000bb", 200,
        "\"2026-01-02T03:03:05.000Z: oncall was told: first notification; email 0 delivered after 1 try, answered 250 "
        "ok; webhook 0 pending after 2 tries, last answer HTTP 503.\",\"2026-01-02T03:04:05.000Z: oncall was not told: "
        "silenced by me.\""},
    {&reader, "GET", "/v1/explain/00000000000000bb", 200, "There is no route: nobody is told."},
    {&reader, "GET", "/v1/explain/00000000000000bb", 200, "Next, 2026-01-02T03:05:05.000Z: oncall hears of "},
    {&reader, "GET", "/v1/explain/00000000000000bb?at=2026-01-02T03:04:00Z", 200,
        "\"At 2026-01-02T03:04:00.000Z cpu was in ALARM since "},
    {&reader, "GET", "/v1/explain/00000000000000bb?at=2026-01-02T03:04:00Z", 200, "\"next\":[]"},
    {&reader, "GET", "/v1/explain/cpu", 400, "`cpu` is no fingerprint"},
    {&reader, "GET", "/v1/explain/00000000000000bb?at=noon", 400, "at cannot be `noon`"},
    {&remote, "GET", "/v1/explain/00000000000000bb", 403, "forbidden"},
    {&reader, "GET", "/api/v2/alerts?filter=%7Bx", 400, "bad matcher format: "},
    {&reader, "GET", "/api/v2/alerts?filter=a%3Db&filter=%22", 400, "bad matcher format: "},
    {&reader, "GET", "/api/v2/alerts/groups?active=yes", 400, "active cannot be `yes`"},
    {&reader, "GET", "/api/v2/alerts?receiver=(", 400, "failed to parse receiver param"},
    {&reader, "GET", "/api/v2/alerts?state=x", 400, "no parameter `state`"},
    {&reader, "GET", "/api/v2/silences", 200, "[]"},
    {&reader, "GET", "/api/v2/alerts?filter=a%3D%22b%22&active=true", 200, "[]"},
    {&reader, "GET", "/api/v2/alerts/groups", 200, "[]"},
    {&reader, "GET", "/api/v2/receivers", 200, "[]"},
    {&reader, "GET", "/api/v2/status", 200, "\"cluster\":{\"peers\":[],\"status\":\"disabled\"}"},
    {&reader, "GET", "/api/v2/silences?filter=a%3D%7E(", 400, "bad matcher format"},
    {&remote, "GET", "/api/v2/silences", 200, "[]"},
    {&remote, "GET", "/api/v2/silence/1", 404, "no such silence"},
    {&admin, "POST", "/api/v2/silences", 405, "GET only"},
    {&remote, "GET", "/v1/alarms", 200, "cpu"},
    {&remote, "GET", "/metrics", 200, "tocsin_fake_asked 1"},
    {&remote, "GET", "/v1/notifications", 403, "forbidden"},
    {&remote, "POST", "/v1/reload", 403, "forbidden"},
    {&lured, "GET", "/v1/alarms", 403, "Host"},
};
START_TEST(calls_are_answered) {
    const struct Case *c = &cases[_i];
    Engine engine;
    FakeReply got = {0};
    fake_engine_init(&engine, NULL);
    routes_dispatch(&engine, c->caller, c->method, c->target, answer_new(fake_reply_sent, &got));
    ck_assert_int_eq(got.count, 1);
    ck_assert_msg(got.reply.status == c->status, "%s %s: %u, not %u: %s", c->method, c->target, got.reply.status,
        c->status, got.reply.body);
    ck_assert_msg(
        strstr(got.reply.body, c->want), "%s %s: no `%s` in %s", c->method, c->target, c->want, got.reply.body);
    ck_assert(got.json || !strncmp(c->target, "/metrics", 8));
    ck_assert_msg(c->status != 403 || !*engine.asked, "%s %s was done all the same", c->method, c->target);
    fake_reply_deinit(&got);
    fake_engine_deinit(&engine);
}
END_TEST

/* Asks as root, of an engine that `prepare` has set up; the body's JSON. Freed with `got`. */
static const json_t *ask(Engine *engine, FakeReply *got, const char *method, const char *target) {
    routes_dispatch(engine, &admin, method, target, answer_new(fake_reply_sent, got));
    return got->json;
}

static const json_t *post_body(
    Engine *engine, FakeReply *got, const char *method, const char *target, const char *body) {
    Caller caller = admin;
    caller.body = body;
    caller.body_length = strlen(body);
    routes_dispatch(engine, &caller, method, target, answer_new(fake_reply_sent, got));
    return got->json;
}

#define ON_CPU "\"matchers\":[{\"name\":\"alertname\",\"value\":\"cpu\",\"isRegex\":false}]"
#define UNTIL "\"endsAt\":\"2026-01-02T05:00:00Z\""
static const struct {
    const char *body;
    unsigned status;
    const char *want;
} posts[] = {
    {"", 400, "the body must be a JSON object"},
    {"[]", 400, "the body must be a JSON object"},
    {"{\"a\":1", 400, "the body must be a JSON object: "},
    {"{}", 400, "bad_request"},
    {"{" ON_CPU "," UNTIL "}", 400, "comment"},
    {"{" ON_CPU "," UNTIL ",\"comment\":\"\"}", 400, "comment"},
    {"{" ON_CPU ",\"endsAt\":\"2026-01-02T03:00:00Z\",\"comment\":\"c\"}", 400, "endsAt"},
    {"{\"matchers\":[]," UNTIL ",\"comment\":\"c\"}", 400, "matchers"},
    {"{\"id\":\"none\"," ON_CPU "," UNTIL ",\"comment\":\"c\"}", 404, "there is no silence `none`"},
    {"{" ON_CPU "," UNTIL ",\"comment\":\"c\"}", 200, "\"instances\":3,\"matched\":2,\"silenceID\":\""},
};

START_TEST(silences_are_checked) {
    Engine engine;
    FakeReply got = {0};
    fake_engine_init(&engine, NULL);
    post_body(&engine, &got, "POST", "/v1/silences", posts[_i].body);
    ck_assert_msg(got.reply.status == posts[_i].status && strstr(got.reply.body, posts[_i].want), "%u %s",
        got.reply.status, got.reply.body);
    ck_assert_str_eq(engine.asked, posts[_i].status == 200 || posts[_i].status == 404 ? "silence by uid 0" : "");
    fake_reply_deinit(&got);
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(a_silence_is_made_shown_and_ended) {
    Engine engine;
    FakeReply made = {0}, shown = {0}, alarms = {0}, ended = {0}, again = {0}, full = {0};
    fake_engine_init(&engine, NULL);
    post_body(&engine, &made, "POST", "/v1/silences", "{" ON_CPU "," UNTIL ",\"comment\":\"c\",\"createdBy\":\"ann\"}");
    ck_assert_str_eq(engine.asked, "silence by ann");
    const char *id = json_text(made.json, "silenceID");
    char want[128], path[128];
    snprintf(want, sizeof want, "\"silenced_by\":[\"%s\"]", id);
    snprintf(path, sizeof path, "/v1/silences/%s", id);
    ask(&engine, &shown, "GET", "/v1/silences");
    ck_assert(strstr(shown.reply.body, "\"createdBy\":\"ann\"") && strstr(shown.reply.body, "\"state\":\"active\""));
    ask(&engine, &alarms, "GET", "/v1/alarms?name=cpu&limit=1");
    ck_assert_msg(strstr(alarms.reply.body, want), "%s", alarms.reply.body);
    engine.outcome = ENGINE_STORE_FULL;
    ask(&engine, &full, "DELETE", path);
    ck_assert_uint_eq(full.reply.status, 503);
    engine.outcome = ENGINE_DONE;
    ask(&engine, &ended, "DELETE", path);
    ck_assert_uint_eq(ended.reply.status, 200);
    fake_reply_deinit(&alarms);
    alarms = (FakeReply){0};
    ask(&engine, &alarms, "GET", "/v1/alarms?name=cpu&limit=1");
    ck_assert(strstr(alarms.reply.body, "\"silenced_by\":[]"));
    ask(&engine, &again, "GET", "/v1/silences?limit=1");
    ck_assert(strstr(again.reply.body, "\"state\":\"expired\"") && strstr(again.reply.body, "\"next\":null"));
    FakeReply *all[] = {&made, &shown, &alarms, &ended, &again, &full};
    for (size_t i = 0; i < COUNT_OF(all); i++) fake_reply_deinit(all[i]);
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(an_alert_is_acknowledged_and_that_is_taken_back) {
    static const char target[] = "/v1/alarms/00000000000000bb/acknowledge";
    Engine engine;
    FakeReply wrong = {0}, made = {0}, shown = {0}, back = {0}, full = {0};
    fake_engine_init(&engine, NULL);
    post_body(&engine, &wrong, "POST", target, "{\"until\":\"2026-01-01T00:00:00Z\"}");
    ck_assert_uint_eq(wrong.reply.status, 400);
    engine.outcome = ENGINE_STORE_FULL;
    post_body(&engine, &full, "POST", target, "{}");
    ck_assert_uint_eq(full.reply.status, 503);
    ck_assert_str_eq(engine.asked, "acknowledge 00000000000000bb by uid 0");
    engine.outcome = ENGINE_DONE;
    post_body(
        &engine, &made, "POST", target, "{\"by\":\"ann\",\"comment\":\"on it\",\"until\":\"2026-01-02T05:00:00Z\"}");
    static const char want[] = "{\"at\":\"2026-01-02T03:04:05.000Z\",\"by\":\"ann\",\"comment\":\"on it\",\"until\":"
                               "\"2026-01-02T05:00:00.000Z\"}";
    ck_assert_uint_eq(made.reply.status, 200);
    ck_assert_str_eq(made.reply.body, want);
    ask(&engine, &shown, "GET", "/v1/alarms?state=ALARM");
    ck_assert_msg(strstr(shown.reply.body, want), "%s", shown.reply.body);
    ask(&engine, &back, "DELETE", target);
    ck_assert_uint_eq(back.reply.status, 200);
    FakeReply *all[] = {&wrong, &made, &shown, &back, &full};
    for (size_t i = 0; i < COUNT_OF(all); i++) fake_reply_deinit(all[i]);
    fake_engine_deinit(&engine);
}
END_TEST

/* checkout calls payments ten times in the minute, four of them fail; nothing is known of orders but its name. */
static ServiceGraph *graph_make(void) {
#define COUNTS(total, fault) \
    "\"SummaryStatistics\":{\"OkCount\":6,\"ErrorStatistics\":{\"ThrottleCount\":0,\"TotalCount\":0}," \
    "\"FaultStatistics\":{\"TotalCount\":" #fault "},\"TotalCount\":" #total ",\"TotalResponseTime\":5}," \
    "\"ResponseTimeHistogram\":[{\"Value\":2,\"Count\":1},{\"Value\":0.25,\"Count\":9}]"
    static const char body[] =
        "{\"Services\":[{\"ReferenceId\":0,\"Name\":\"checkout\",\"Type\":\"T\",\"Root\":true," COUNTS(
            10, 4) ",\"Edges\":[{\"ReferenceId\":1," COUNTS(10,
            4) "}]},"
               "{\"ReferenceId\":1,\"Name\":\"payments\",\"Type\":\"AWS::Lambda::Function\"," COUNTS(
                   10, 4) "},"
                          "{\"ReferenceId\":2,\"Name\":\"orders\",\"Type\":\"T\"}]}";
    GraphPages *pages = graph_pages_new();
    const char *token;
    Error err = {0};
    ck_assert_msg(graph_pages_add(pages, body, strlen(body), &token, &err), "%s", err.text);
    return service_graph_new(pages, "default", "eu-west-1", NULL, 1767322860, 1767322920);
}

/* Makes one of the engine's alarms one on a service, or on an edge of it. */
static void watch_service(Instance *alarm, const char *service, const char *edge_to) {
    intern_drop(alarm->source);
    alarm->source = intern("xray");
    alarm->series = labels_new((const Label[]){{"service", service}, {"edge_to", edge_to}}, 2);
}

static const struct Graph {
    const char *target, *want;
} graphs[] = {
    {"/v1/service-graph", "\"windows\":[{\"account\":\"default\",\"edges\":1,\"end\":\"2026-01-02T03:02:00.000Z\""},
    {"/v1/service-graph",
        "\"fault_rate\":40.0,\"from\":\"checkout\",\"from_id\":0,\"group\":\"\",\"latency\":{"
        "\"mean\":0.5,\"p50\":0.25,\"p90\":0.25,\"p95\":2.0,\"p99\":2.0}"},
    {"/v1/service-graph",
        "\"alarm_state\":\"ALARM\",\"alarms\":[{\"fingerprint\":\"00000000000000bb\",\"name\":\"cpu\""},
    {"/v1/service-graph",
        "\"name\":\"orders\",\"names\":[],\"ok_rate\":null,\"region\":\"eu-west-1\",\"requests\":null"},
    {"/v1/service-graph?account=default&region=eu-west-1&group=", "\"from\":\"checkout\""},
    {"/v1/service-graph?group=other", "{\"edges\":[],\"nodes\":[],\"windows\":[]}"},
    {"/v1/service-graph?region=us-east-1", "\"windows\":[]"},
};

START_TEST(the_service_graph_carries_the_states_of_its_alarms) {
    const struct Graph *c = &graphs[_i];
    Engine engine;
    FakeReply got = {0};
    uv_loop_t loop;
    uv_loop_init(&loop);
    fake_engine_init(&engine, &loop);
    OWN(service_graph) ServiceGraph *graph = graph_make();
    engine.kept = graph;
    watch_service(&engine.alarms[0], "checkout", "payments"); /* an OK on the edge alone */
    watch_service(&engine.alarms[1], "payments", "");
    routes_dispatch(&engine, &reader, "GET", c->target, answer_new(fake_reply_sent, &got));
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    ck_assert_uint_eq(got.reply.status, 200);
    ck_assert_msg(strstr(got.reply.body, c->want), "%s: no `%s` in %s", c->target, c->want, got.reply.body);
    labels_free(engine.alarms[0].series);
    labels_free(engine.alarms[1].series);
    fake_reply_deinit(&got);
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(pages_join_to_the_whole_list) {
    Engine engine;
    FakeReply got = {0};
    fake_engine_init(&engine, NULL);
    const char *const want[] = {"00000000000000aa", "00000000000000bb", "00000000000000cc"};
    char target[128] = "/v1/alarms?limit=1";
    for (size_t i = 0; i < FAKE_ALARMS; i++) {
        const json_t *page = ask(&engine, &got, "GET", target);
        ck_assert_str_eq(json_text(json_array_get(json_list(page, "alarms"), 0), "fingerprint"), want[i]);
        const char *next = json_text(page, "next");
        ck_assert_int_eq(next != NULL, i + 1 < FAKE_ALARMS);
        if (next) snprintf(target, sizeof target, "/v1/alarms?limit=1&after=%s", next);
    }
    fake_reply_deinit(&got);
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(outcomes_have_their_status) {
    static const struct {
        EngineOutcome outcome;
        unsigned status;
    } outcomes[] = {{ENGINE_DONE, 200}, {ENGINE_NOT_FOUND, 404}, {ENGINE_WRONG_STATE, 409}, {ENGINE_STORE_FULL, 503}};
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        Engine engine;
        FakeReply got = {0};
        fake_engine_init(&engine, NULL);
        engine.outcome = outcomes[i].outcome;
        ask(&engine, &got, "POST", "/v1/notifications/an%2Fid/discard");
        ck_assert_uint_eq(got.reply.status, outcomes[i].status);
        ck_assert_str_eq(engine.asked, "discard an/id");
        ask(&engine, &got, "POST", "/v1/receivers/oncall/test");
        ck_assert_int_eq(got.reply.status == 200, outcomes[i].outcome == ENGINE_DONE);
        fake_reply_deinit(&got);
        fake_engine_deinit(&engine);
    }
}
END_TEST

START_TEST(what_fails_says_so) {
    Engine engine;
    FakeReply got = {0};
    fake_engine_init(&engine, NULL);
    engine.reload_fails = engine.store_fails = true;
    engine.healthy = engine.ready = false;
    const json_t *answer = ask(&engine, &got, "POST", "/v1/reload");
    ck_assert_uint_eq(got.reply.status, 422);
    ck_assert_str_eq(json_text(json_map(answer, "error"), "code"), "invalid_config");
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_array_get(json_list(answer, "errors"), 0)), "t.yaml:3:5: error: "));
    const json_t *reload = json_map(json_map(ask(&engine, &got, "GET", "/v1/status"), "config"), "last_reload");
    ck_assert_str_eq(json_text(reload, "error"), "3 errors");
    static const char *const unavailable[] = {"/v1/history", "/v1/notifications", "/healthz", "/readyz"};
    for (size_t i = 0; i < sizeof unavailable / sizeof *unavailable; i++) {
        ask(&engine, &got, "GET", unavailable[i]);
        ck_assert_uint_eq(got.reply.status, 503);
    }
    fake_reply_deinit(&got);
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(queries_reach_the_store) {
    Engine engine;
    FakeReply got = {0};
    fake_engine_init(&engine, NULL);
    ask(&engine, &got, "GET", "/v1/history?since=2026-01-02T03:04:05Z&until=2026-01-02T04:04:05.5Z&limit=7&after=41");
    ck_assert_int_eq(engine.history.since_ms, INT64_C(1767323045000));
    ck_assert_int_eq(engine.history.until_ms, INT64_C(1767326645500));
    ck_assert_int_eq(engine.history.limit, 7);
    ck_assert_int_eq(engine.history.after, 41);
    ask(&engine, &got, "GET", "/v1/notifications?limit=123456");
    ck_assert_int_eq(engine.outbox.limit, LIST_LIMIT_MAX);
    ck_assert_ptr_null(strstr(got.reply.body, "secret")); /* the message is nobody's business here */
    engine.rows_empty = true;
    ck_assert_ptr_nonnull(json_list(ask(&engine, &got, "GET", "/v1/history"), "transitions"));
    fake_reply_deinit(&got);
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(a_client_that_left_gets_nothing) {
    FakeReply got = {0};
    Answer *answer = answer_new(fake_reply_sent, &got);
    answer_detach(answer);
    answer_error(answer, 500, "internal", "too late");
    ck_assert_int_eq(got.count, 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, calls_are_answered, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(tcase, silences_are_checked, 0, COUNT_OF(posts));
    tcase_add_test(tcase, a_silence_is_made_shown_and_ended);
    tcase_add_test(tcase, an_alert_is_acknowledged_and_that_is_taken_back);
    tcase_add_loop_test(tcase, the_service_graph_carries_the_states_of_its_alarms, 0, (int)COUNT_OF(graphs));
    tcase_add_test(tcase, pages_join_to_the_whole_list);
    tcase_add_test(tcase, outcomes_have_their_status);
    tcase_add_test(tcase, what_fails_says_so);
    tcase_add_test(tcase, queries_reach_the_store);
    tcase_add_test(tcase, a_client_that_left_gets_nothing);
}
int main(void) { return run_tests("routes", fill); }
