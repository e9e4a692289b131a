/* What people read: subject, summary, and Alertmanager's body field for field. */
#include "notify/render.h"
#include "notify/render_alert.h"
#include "notify/render_pick.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1700000000, MANY = 25, CROWD = 300 };
#define NOW_MS ((int64_t)NOW_S * 1000)

static Alarm above = {
    .name = "api-latency-p99", .rule = {.comparison = COMPARE_GT, .threshold = 0.8, .n = 5, .m = 3, .period_s = 60}};

static const struct Case {
    const char *name, *account, *region, *reason;
    bool has_alarm, resolved, gone, no_data;
    double value, threshold;
    int64_t ago_s, lasted_s;
    const char *want;
} cases[] = {
    {"api-latency-p99", "prod", "eu-west-1", "r", true, false, false, false, 1.23, 0.8, 0, 0,
        "api-latency-p99 is 1.23 (> 0.8) for 5 min in prod eu-west-1"},
    {"a", "prod", "eu-west-1", "r", true, false, false, false, 1.23456789, 0.8, 3600, 0,
        "a is 1.235 (> 0.8) for 1 h 5 min in prod eu-west-1"},
    {"a", "", "eu-west-1", "r", true, false, false, false, 0.80001, 0.8, 0, 0,
        "a is 0.80001 (> 0.8) for 5 min in eu-west-1"},
    {"a", "", "", "r", true, false, false, false, 5368709120.7, 5e9, 0, 0, "a is 5368709121 (> 5000000000) for 5 min"},
    {"a", "", "", "r", false, false, false, false, 7, 5, 30, 0, "a is 7 (5) for 30 s"},
    {"a", "", "", "r", true, false, false, false, 7, 5, 90000, 0, "a is 7 (> 5) for 1 d 1 h"},
    {"a", "", "", "r", true, false, false, false, 7, 5, -600, 0, "a is 7 (> 5) for 0 s"}, /* the clock went back */
    {"a", "prod", "", "r", true, false, false, true, 7, 5, 60, 0,
        "a still fires, but its data is missing: last 7 (> 5) in prod"},
    {"a", "prod", "", "r", true, false, false, true, NAN, 5, 60, 0, "a still fires, but its data is missing in prod"},
    {"a", "prod", "eu-west-1", "no datapoints were received", true, false, false, false, NAN, 5, 60, 0,
        "a (prod eu-west-1): no datapoints were received"},
    {"TocsinSourceFailing", "prod", "eu-west-1", "3 failures in a row", false, false, false, false, NAN, NAN, 60, 0,
        "TocsinSourceFailing (prod eu-west-1): 3 failures in a row"},
    {"TocsinReloadFailed", "", "", "line 3", false, false, false, false, NAN, NAN, 60, 0, "TocsinReloadFailed: line 3"},
    {"a", "prod", "eu-west-1", "r", true, true, false, false, 0.5, 0.8, 0, 750,
        "a is back at 0.5 (was > 0.8) after 12 min in prod eu-west-1"},
    {"a", "prod", "", "it was removed", true, true, true, false, 9, 0.8, 0, 60,
        "a is over after 1 min in prod: it was removed"},
    {"TocsinReloadFailed", "", "", "reloaded", false, true, false, false, NAN, NAN, 0, 172800,
        "TocsinReloadFailed is over after 2 d: reloaded"},
};

static Instance make(const struct Case *c) {
    const Label labels[] = {
        {"alertname", c->name}, {"account", c->account}, {"region", c->region}, {"severity", "critical"}};
    const int64_t start_ms = NOW_MS - (c->ago_s + c->lasted_s) * 1000;
    Instance i = {.alarm = c->has_alarm ? &above : NULL,
        .name = (char *)c->name,
        .labels = labels_new(labels, 4),
        .gone = c->gone,
        .facts = {.reason = (char *)c->reason,
            .value = c->value,
            .threshold = c->threshold,
            .worst = 2.5,
            .console_url = (char *)"https://console.example/x",
            .what = (char *)"AWS/X Y p99 60 s"},
        .firing_since_ms = start_ms,
        .resolved_ms = c->resolved ? start_ms + c->lasted_s * 1000 : 0};
    return i;
}

static GroupAlert alert_of(const Instance *i, const struct Case *c) {
    return (GroupAlert){"00000000000000ff", c->resolved ? ALERT_ENDED : ALERT_FIRES, i, i->firing_since_ms, c->no_data};
}

/* One message of these alerts to one channel; NULL: it gets none. */
static json_t *message(GroupAlert *alerts, size_t count, const char *reason, ReceiverChannel channel) {
    OWN(labels) Labels *group = labels_new((const Label[]){{"alertname", "x"}}, 1);
    GroupTurn turn = {.key = (char *)"oncall/{}:{alertname=\"x\"}",
        .receiver = (char *)"oncall",
        .labels = group,
        .reason = reason,
        .alerts = alerts,
        .alert_count = count};
    for (size_t i = 0; i < count; i++) {
        turn.firing += alerts[i].kind == ALERT_FIRES;
        turn.ended += alerts[i].kind == ALERT_ENDED;
        turn.named += alerts[i].kind == ALERT_FIRES && alerts[i].is_named;
    }
    rest_put_off(&turn, &channel, 1);
    rest_choose(&turn, &channel, 1);
    OWN(render_input)
    RenderInput *input = render_input_new(&turn, &channel, 1, "https://tocsin.example", NOW_MS, NULL, NULL);
    free(turn.names.rest);
    OWN(rendered) Rendered *rendered = render(input);
    if (!rendered_count(rendered)) return NULL;
    const OutboxRow row = rendered_row(rendered, 0);
    ck_assert_str_eq(row.group_key, turn.key);
    ck_assert_str_eq(row.plugin, "webhook");
    ck_assert_int_eq(row.expires_ms - row.created_ms, 72 * 3600000LL);
    OWN(rendered) Rendered *again = render(input); /* the same bytes each time */
    ck_assert_str_eq(rendered_row(again, 0).message_json, row.message_json);
    json_t *json = json_read(row.message_json, strlen(row.message_json), NULL);
    ck_assert_str_eq(json_text(json, "id"), row.id);
    return json;
}

static const char *reason_for(bool fresh, size_t firing, size_t ended, bool repeat) {
    return group_reason(&(GroupFigures){.was_sent = true,
        .firing = firing,
        .fresh = fresh,
        .ended = ended,
        .is_repeat_due = repeat,
        .tells_resolved = true});
}

static const ReceiverChannel webhook = {"webhook", 0, true, false};

static const struct {
    const char *message;
    bool wants_resolved;
    const char *want; /* NULL: nothing is handed over */
} handovers[] = {
    {"", true, NULL},
    {"{}", true, NULL},
    {"{\"subject\":\"s\",\"webhook\":[]}", true, NULL},
    {"{\"subject\":\"s\",\"webhook\":{\"status\":\"resolved\"}}", false, NULL},
    {"{\"subject\":\"s\",\"webhook\":{\"status\":\"resolved\"}}", true,
        "{\"created_at\":\"2026-01-02T03:04:05.000Z\",\"id\":\"new\",\"receiver\":\"lead\",\"subject\":\"s: oncall "
        "could not be "
        "reached for 11m\",\"webhook\":{\"receiver\":\"lead\",\"status\":\"resolved\"}}"},
    {"{\"id\":\"old\",\"subject\":\"s\",\"test\":false,\"webhook\":{\"status\":\"firing\",\"alerts\":[{\"annotations\":"
     "{}}]}}",
        false,
        "{\"created_at\":\"2026-01-02T03:04:05.000Z\",\"id\":\"new\",\"receiver\":\"lead\",\"subject\":\"s: oncall "
        "could not be "
        "reached for 11m\",\"test\":false,\"webhook\":{\"alerts\":[{\"annotations\":{\"fallback\":\"oncall could not "
        "be reached "
        "for 11m\"}}],\"receiver\":\"lead\",\"status\":\"firing\"}}"},
    {"{\"subject\":\"s\",\"rest\":{\"alerts\":[{\"annotations\":{}}]},\"webhook\":{\"status\":\"firing\"}}", false,
        "{\"created_at\":\"2026-01-02T03:04:05.000Z\",\"id\":\"new\",\"receiver\":\"lead\",\"rest\":{\"alerts\":[{"
        "\"annotations\":{\"fallback\":\"oncall could not be reached for 11m\"}}]},\"subject\":\"s: oncall could not "
        "be "
        "reached for 11m\",\"webhook\":{\"receiver\":\"lead\",\"status\":\"firing\"}}"},
};

START_TEST(a_fallback_is_told_why) {
    const RenderHandover how = {"new", "oncall", "lead", 660, INT64_C(1767323045000), handovers[_i].wants_resolved};
    OWN(text) char *got = render_handover(handovers[_i].message, &how);
    ck_assert_str_eq(got ? got : "", handovers[_i].want ? handovers[_i].want : "");
}
END_TEST

START_TEST(an_escalation_says_so) {
    const Label labels[] = {{"alertname", "api"}};
    OWN(labels) Labels *group = labels_new(labels, 1);
    Instance i = {.name = (char *)"api",
        .labels = group,
        .facts = {.reason = (char *)"it is slow", .value = NAN, .threshold = NAN, .worst = NAN},
        .firing_since_ms = NOW_MS - 1000,
        .resolved_ms = _i ? NOW_MS : 0};
    GroupAlert alert = {"00000000000000ff", _i ? ALERT_ENDED : ALERT_FIRES, &i};
    GroupTurn turn = {.key = (char *)"lead/{}/!900s:{alertname=\"api\"}",
        .receiver = (char *)"lead",
        .labels = group,
        .reason = _i ? "all alerts resolved" : "not acknowledged",
        .alerts = &alert,
        .alert_count = 1,
        .firing = !_i,
        .ended = (size_t)_i,
        .escalated_from = (char *)"oncall",
        .escalated_after_s = 900};
    rest_choose(&turn, &webhook, 1);
    OWN(render_input)
    RenderInput *input = render_input_new(&turn, &webhook, 1, "https://tocsin.example", NOW_MS, NULL, NULL);
    OWN(rendered) Rendered *rendered = render(input);
    const char *text = rendered_row(rendered, 0).message_json;
    OWN(json) json_t *json = json_read(text, strlen(text), NULL);
    const json_t *notes = json_map(json_array_get(json_list(json_map(json, "webhook"), "alerts"), 0), "annotations");
    const char *why = json_text(notes, "escalation");
    ck_assert_str_eq(json_text(json, "subject"),
        _i ? "[RESOLVED] api" : "[FIRING:1] api: not acknowledged within 15m of telling oncall");
    ck_assert_str_eq(why ? why : "", _i ? "" : "not acknowledged within 15m of telling oncall");
}
END_TEST

START_TEST(who_is_on_it_is_named) {
    const Ack ack = {.by = (char *)"ann", .comment = (char *)"rolling back"};
    const Label labels[] = {{"alertname", "api"}};
    Instance i = {.name = (char *)"api",
        .labels = labels_new(labels, 1),
        .facts = {.reason = (char *)"it is slow", .value = NAN, .threshold = NAN, .worst = NAN},
        .firing_since_ms = NOW_MS - 1000,
        .resolved_ms = _i ? NOW_MS : 0};
    GroupAlert alert = {"00000000000000ff", _i ? ALERT_ENDED : ALERT_FIRES, &i, .ack = &ack};
    OWN(json) json_t *json = message(&alert, 1, reason_for(!_i, !_i, (size_t)_i, false), webhook);
    const json_t *notes = json_map(json_array_get(json_list(json_map(json, "webhook"), "alerts"), 0), "annotations");
    const char *by = json_text(notes, "acknowledged_by"), *comment = json_text(notes, "acknowledged_comment");
    if (_i) { /* it is over: nobody needs to be on it */
        ck_assert(!by && !comment);
    } else {
        ck_assert_str_eq(by, "ann");
        ck_assert_str_eq(comment, "rolling back");
        ck_assert_str_eq(json_text(notes, "summary"), "api: it is slow, acknowledged by ann");
    }
    labels_free(i.labels);
}
END_TEST

static char *words_of_pair(const Labels *series) { return text_copy(labels_get(series, "service")); }

START_TEST(what_flaps_says_so) {
    struct Case c = {"a", "prod", "eu-west-1", "r", true, false, false, false, 7, 5, 0, 0, NULL};
    Instance i = make(&c);
    i.hold.flap.is_flapping = true;
    GroupAlert alert = alert_of(&i, &c);
    RenderAlert copy;
    render_alert_copy(&copy, &alert, NOW_MS);
    OWN(text) char *summary = render_alert_summary(&copy, NOW_MS);
    ck_assert_str_eq(summary, "a is flapping: it goes off and clears again and again in prod eu-west-1");
    OWN(json) json_t *json = render_alert_json(&copy, NOW_MS);
    ck_assert_str_eq(json_text(json_map(json, "annotations"), "flapping"), "true");
    render_alert_deinit(&copy);
    labels_free(i.labels);
}
END_TEST

START_TEST(found_series_and_further_matches_are_named) {
    static const Source found = {.has_events = true, .has_no_threshold = true}, named = {.series_words = words_of_pair};
    const Alarm alarms[] = {{.source = &found}, {.source = &named}};
    for (size_t k = 0; k < COUNT_OF(alarms); k++) {
        Instance i = {.alarm = &alarms[k],
            .name = (char *)"root-used",
            .labels = labels_new(&(Label){"alertname", "root-used"}, 1),
            .series = labels_new((const Label[]){{"who", "ann"}, {"service", "iam"}}, 2),
            .facts = {.reason = (char *)"ann did it", .value = NAN, .threshold = NAN, .worst = NAN},
            .news = 5,
            .firing_since_ms = NOW_MS};
        const GroupAlert alert = {.kind = ALERT_FIRES, .instance = &i, .starts_ms = NOW_MS, .news = 5, .more = 2};
        RenderAlert copy;
        render_alert_copy(&copy, &alert, NOW_MS);
        OWN(text) char *summary = render_alert_summary(&copy, NOW_MS);
        ck_assert_str_eq(summary,
            k ? "root-used (iam): 2 more, 5 in all: ann did it"
              : "root-used (service iam, who ann): 2 more, 5 in all: ann did it");
        OWN(json) json_t *json = render_alert_json(&copy, NOW_MS);
        ck_assert_str_eq(json_text(json_map(json, "annotations"), "more"), "2");
        ck_assert_str_eq(json_text(json_map(json, "annotations"), "matches"), "5");
        render_alert_deinit(&copy);
        labels_free(i.labels);
        labels_free(i.series);
    }
}
END_TEST

START_TEST(reads_well_on_a_phone) {
    const struct Case *c = &cases[_i];
    Instance i = make(c);
    GroupAlert alert = alert_of(&i, c);
    OWN(json) json_t *json = message(&alert, 1, reason_for(!c->resolved, !c->resolved, c->resolved, false), webhook);
    const json_t *first = json_array_get(json_list(json_map(json, "webhook"), "alerts"), 0);
    ck_assert_str_eq(json_text(json_map(first, "annotations"), "summary"), c->want);
    labels_free(i.labels);
}
END_TEST

START_TEST(says_all_that_alertmanager_says) {
    Instance firing = make(&cases[0]), resolved = make(&cases[12]);
    firing.annotations = labels_new((const Label[]){{"runbook_url", "https://r"}, {"description", "slow"}}, 2);
    GroupAlert alerts[] = {alert_of(&resolved, &cases[12]), alert_of(&firing, &cases[0])};
    OWN(json) json_t *json = message(alerts, 2, reason_for(true, 1, 1, false), webhook);
    ck_assert_str_eq(json_text(json, "subject"), "[FIRING:1] api-latency-p99, a (prod eu-west-1)");
    ck_assert_str_eq(json_text(json, "created_at"), "2023-11-14T22:13:20.000Z");
    ck_assert_str_eq(json_text(json, "receiver"), "oncall");
    ck_assert(!json_flag(json, "test", true));
    const json_t *body = json_map(json, "webhook");
    static const char *const texts[][2] = {{"version", "4"}, {"groupKey", "{}:{alertname=\"x\"}"}, {"status", "firing"},
        {"receiver", "oncall"}, {"externalURL", "https://tocsin.example"}, {"notification_reason", "new alerts added"}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) ck_assert_str_eq(json_text(body, texts[i][0]), texts[i][1]);
    ck_assert_int_eq(json_integer_value(json_object_get(body, "truncatedAlerts")), 0);
    ck_assert_uint_eq(json_object_size(body), 11);
    ck_assert_str_eq(json_text(json_map(body, "groupLabels"), "alertname"), "x");
    ck_assert_ptr_null(json_text(json_map(body, "commonLabels"), "alertname"));
    ck_assert_str_eq(json_text(json_map(body, "commonLabels"), "region"), "eu-west-1");
    ck_assert_str_eq(json_text(json_map(body, "commonAnnotations"), "metric"), "AWS/X Y p99 60 s");
    const json_t *one = json_array_get(json_list(body, "alerts"), 0),
                 *two = json_array_get(json_list(body, "alerts"), 1);
    ck_assert_uint_eq(json_object_size(one), 7);
    ck_assert_str_eq(json_text(one, "status"), "firing"); /* what fires stands first */
    ck_assert_str_eq(json_text(one, "startsAt"), "2023-11-14T22:13:20.000Z");
    ck_assert_str_eq(json_text(one, "endsAt"), "0001-01-01T00:00:00Z");
    ck_assert_str_eq(json_text(one, "generatorURL"), "https://console.example/x");
    ck_assert_str_eq(json_text(one, "fingerprint"), "00000000000000ff");
    ck_assert_str_eq(json_text(json_map(one, "annotations"), "runbook_url"), "https://r");
    ck_assert_str_eq(json_text(json_map(one, "annotations"), "value"), "1.23");
    ck_assert_str_eq(json_text(json_map(one, "annotations"), "threshold"), "0.8");
    ck_assert_str_eq(json_text(json_map(one, "annotations"), "reason"), "r");
    ck_assert_str_eq(json_text(json_map(one, "annotations"), "worst_value"), "2.5");
    ck_assert_ptr_null(json_text(json_map(one, "annotations"), "duration"));
    ck_assert_str_eq(json_text(two, "status"), "resolved");
    ck_assert_str_eq(json_text(two, "endsAt"), "2023-11-14T22:13:20.000Z");
    ck_assert_str_eq(json_text(json_map(two, "annotations"), "duration"), "12m 30s");
    ck_assert_str_eq(json_text(json_map(two, "annotations"), "worst_value"), "2.5");
    ck_assert_str_eq(json_text(json_map(two, "annotations"), "cleared_value"), "0.5");
    labels_free(firing.annotations);
    labels_free(firing.labels);
    labels_free(resolved.labels);
}
END_TEST

/* fresh, repeat; what fires, what ended; the channel's wish; the alerts that it gets, 0: no message */
static const struct {
    bool fresh, repeat;
    size_t firing, ended;
    bool send_resolved, has_waiting;
    size_t want;
    const char *subject;
} wishes[] = {
    {true, false, 1, 1, true, false, 2, "[FIRING:1] a (prod eu-west-1)"},
    {true, false, 1, 1, false, false, 1, "[FIRING:1] a (prod eu-west-1)"},
    {false, false, 1, 1, true, false, 2, "[FIRING:1] a (prod eu-west-1)"},
    {false, false, 1, 1, false, false, 0, NULL},
    {false, false, 0, 2, true, false, 2, "[RESOLVED] a (prod eu-west-1)"},
    {false, false, 0, 2, false, false, 0, NULL},
    {false, true, 2, 0, false, false, 2, "[FIRING:2] a (prod eu-west-1)"},
    {false, true, 2, 0, true, true, 0, NULL}, /* the one before still waits there */
    {true, false, 2, 0, true, true, 2, "[FIRING:2] a (prod eu-west-1)"},
    {false, false, 0, 0, true, false, 0, NULL},
};

START_TEST(a_channel_gets_what_it_wants) {
    struct Case fires = cases[1], ended = cases[12];
    Instance instances[] = {make(&fires), make(&ended)};
    GroupAlert alerts[3];
    size_t count = 0;
    for (size_t i = 0; i < wishes[_i].firing; i++) alerts[count++] = alert_of(&instances[0], &fires);
    for (size_t i = 0; i < wishes[_i].ended; i++) alerts[count++] = alert_of(&instances[1], &ended);
    alerts[count++] = (GroupAlert){.kind = ALERT_PASSED};
    const char *reason = reason_for(wishes[_i].fresh, wishes[_i].firing, wishes[_i].ended, wishes[_i].repeat);
    OWN(json)
    json_t *json = message(
        alerts, count, reason, (ReceiverChannel){"webhook", 0, wishes[_i].send_resolved, wishes[_i].has_waiting});
    ck_assert_uint_eq(json_array_size(json_list(json_map(json, "webhook"), "alerts")), wishes[_i].want);
    if (json) ck_assert_str_eq(json_text(json, "subject"), wishes[_i].subject);
    labels_free(instances[0].labels);
    labels_free(instances[1].labels);
}
END_TEST

START_TEST(shows_twenty_and_counts_the_rest) {
    struct Case c[MANY];
    Instance instances[MANY];
    GroupAlert alerts[MANY];
    char names[MANY][16];
    for (int k = 0; k < MANY; k++) {
        c[k] = cases[k == 3 ? 12 : 0];
        snprintf(names[k], sizeof names[k], "a%d", k);
        c[k].name = names[k];
        c[k].ago_s = k;
        instances[k] = make(&c[k]);
        instances[k].severity = k == MANY - 1 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        alerts[k] = alert_of(&instances[k], &c[k]);
    }
    OWN(json) json_t *json = message(alerts, MANY, reason_for(true, MANY - 1, 1, false), webhook);
    const json_t *body = json_map(json, "webhook");
    ck_assert_uint_eq(json_array_size(json_list(body, "alerts")), 20);
    ck_assert_int_eq(json_integer_value(json_object_get(body, "truncatedAlerts")), 5);
    ck_assert_str_eq(json_text(json, "subject"), "[FIRING:24] a24, a0, a1 and 17 more (prod eu-west-1)");
    for (int k = 0; k < MANY; k++) labels_free(instances[k].labels);
}
END_TEST

/* Alerts of two kinds, made and freed together. */
typedef struct Crowd {
    Instance instances[CROWD];
    GroupAlert alerts[CROWD];
    size_t count;
} Crowd;

static void crowd_add(Crowd *crowd, size_t count, const struct Case *c) {
    for (; count; count--, crowd->count++) {
        Instance *i = &crowd->instances[crowd->count];
        *i = make(c);
        crowd->alerts[crowd->count] = alert_of(i, c);
        snprintf(crowd->alerts[crowd->count].fingerprint, FINGERPRINT_TEXT, "%016zx", crowd->count);
    }
}

static void crowd_deinit(Crowd *crowd) {
    for (size_t i = 0; i < crowd->count; i++) labels_free(crowd->instances[i].labels);
}

static size_t count_with(const json_t *alerts, const char *status) {
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(alerts); i++)
        found += strcmp(json_text(json_array_get(alerts, i), "status"), status) == 0;
    return found;
}

/* what fires and what ended; does the channel want it; how many of each are shown */
static const struct {
    size_t firing, ended;
    bool send_resolved;
    size_t shows_firing, shows_ended;
} crowds[] = {
    {30, 3, true, 17, 3},
    {30, 15, true, 10, 10},
    {12, 15, true, 10, 10},
    {4, 30, true, 4, 16},
    {0, 30, true, 0, 20},
    {30, 0, true, 20, 0},
    {30, 15, false, 20, 0},
};

START_TEST(shows_what_ended_beside_many_that_fire) {
    Crowd crowd = {.count = 0};
    crowd_add(&crowd, crowds[_i].firing, &cases[0]);
    crowd_add(&crowd, crowds[_i].ended, &cases[12]);
    const ReceiverChannel channel = {"webhook", 0, crowds[_i].send_resolved, false};
    const bool is_fresh = crowds[_i].firing > 0;
    OWN(json)
    json_t *json =
        message(crowd.alerts, crowd.count, reason_for(is_fresh, crowds[_i].firing, crowds[_i].ended, false), channel);
    const json_t *body = json_map(json, "webhook"), *alerts = json_list(body, "alerts");
    ck_assert_uint_eq(count_with(alerts, "firing"), crowds[_i].shows_firing);
    ck_assert_uint_eq(count_with(alerts, "resolved"), crowds[_i].shows_ended);
    if (is_fresh) ck_assert_str_eq(json_text(json_array_get(alerts, 0), "status"), "firing");
    const size_t all = crowds[_i].firing + (channel.send_resolved ? crowds[_i].ended : 0);
    ck_assert_int_eq(json_integer_value(json_object_get(body, "truncatedAlerts")),
        (json_int_t)(all - crowds[_i].shows_firing - crowds[_i].shows_ended));
    crowd_deinit(&crowd);
}
END_TEST

/* All that come before others are picked, in order: whatever the order in which they lie, and however many there are.
 */
START_TEST(picks_the_first_of_many) {
    PickOrder *const order = _i % 2 ? pick_named_first : pick_severe_first;
    const size_t max = _i / 2 % 2 ? 20 : CROWD;
    unsigned lot = (unsigned)_i;
    Crowd crowd = {.count = 0};
    crowd_add(&crowd, CROWD / 2, &cases[0]);
    crowd_add(&crowd, CROWD / 2, &cases[12]);
    for (size_t i = 0; i < crowd.count; i++) {
        lot = lot * 1103515245u + 12345u;
        crowd.instances[i].severity = (Severity)(lot >> 16 & 3);
        crowd.instances[i].firing_since_ms = NOW_MS - (lot >> 18 & 7);
        crowd.alerts[i].told_at_ms = NOW_MS + (lot >> 21 & 7);
        crowd.alerts[i].is_first = lot >> 24 & 1;
        crowd.alerts[i].is_named = lot >> 26 & 1;
        crowd.alerts[i].kind = lot >> 25 & 1 ? ALERT_FIRES : ALERT_ENDED;
    }
    const GroupTurn turn = {.alerts = crowd.alerts, .alert_count = crowd.count};
    const GroupAlert *picked[CROWD];
    size_t all = 0, before = 0;
    const size_t count = pick_first(&turn, ALERT_FIRES, order, max, picked);
    for (size_t i = 0; i < crowd.count; i++) {
        all += crowd.alerts[i].kind == ALERT_FIRES;
        before += crowd.alerts[i].kind == ALERT_FIRES && order(&crowd.alerts[i], picked[count - 1]) <= 0;
    }
    ck_assert_uint_eq(count, all < max ? all : max);
    ck_assert_uint_eq(before, count);
    for (size_t i = 1; i < count; i++) ck_assert_int_lt(order(picked[i - 1], picked[i]), 0);
    crowd_deinit(&crowd);
}
END_TEST

/* --- what is named beside what is shown */

/* What a channel wants of 30 that fire, 5 of them first, and of 15 that ended; how many it is named of each beside the
 * shown ones, none: there is no rest. Those that are new are shown, for they are the severe ones. */
static const struct {
    bool send_resolved, wants_rest, wants_again;
    int firing, ended;
} rests[] = {
    {true, false, false, -1, -1},
    {true, true, false, 0, 5},
    {true, true, true, 20, 5},
    {false, true, false, 0, 0},
    {false, true, true, 10, 0},
};

START_TEST(names_the_rest_where_it_is_wanted) {
    Crowd crowd = {.count = 0};
    struct Case firing = cases[0], ended = cases[12];
    crowd_add(&crowd, 30, &firing);
    crowd_add(&crowd, 15, &ended);
    for (size_t i = 0; i < crowd.count; i++) {
        crowd.alerts[i].is_first = i < 5;
        crowd.alerts[i].is_named = i >= 5 && i < 30;
        crowd.alerts[i].told_at_ms = i < 5 ? 0 : NOW_MS - 5000;
        crowd.instances[i].severity = i < 5 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    }
    crowd.instances[44].annotations = labels_new((const Label[]){{"runbook_url", "https://r"}}, 1);
    OWN(json)
    json_t *json = message(crowd.alerts, crowd.count, reason_for(true, 30, 15, false),
        (ReceiverChannel){"webhook", 0, rests[_i].send_resolved, false, rests[_i].wants_rest, rests[_i].wants_again});
    const json_t *rest = json_map(json, "rest"), *alerts = json_list(rest, "alerts");
    ck_assert_uint_eq(json_object_size(json_map(json, "webhook")), 11); /* the body stays as it is */
    ck_assert_int_eq(rest != NULL, rests[_i].wants_rest);
    if (rest) {
        ck_assert_uint_eq(count_with(alerts, "firing"), (size_t)rests[_i].firing);
        ck_assert_uint_eq(count_with(alerts, "resolved"), (size_t)rests[_i].ended);
        ck_assert_int_eq(json_integer_value(json_object_get(rest, "counted")), 0);
    }
    if (rests[_i].ended > 0) {
        const json_t *last = json_array_get(alerts, 4);
        ck_assert_uint_eq(json_object_size(last), 7); /* as in the body */
        ck_assert_str_eq(json_text(last, "fingerprint"), "000000000000002c");
        ck_assert_str_eq(json_text(json_map(last, "labels"), "alertname"), "a");
        ck_assert_str_eq(json_text(last, "endsAt"), "2023-11-14T22:13:20.000Z");
        ck_assert_str_eq(json_text(json_map(last, "annotations"), "runbook_url"), "https://r");
        ck_assert_str_eq(json_text(json_map(last, "annotations"), "summary"), cases[12].want);
        ck_assert_uint_eq(json_object_size(json_map(last, "annotations")), 2);
    }
    labels_free(crowd.instances[44].annotations);
    crowd_deinit(&crowd);
}
END_TEST

/* Labels as long as they may be: what has no room any more is counted, the ends stand. */
START_TEST(a_rest_has_its_bound) {
    OWN(text) char *word = alloc_zeroed(1025, 1);
    memset(word, 'x', 1024);
    struct Case firing = cases[0], ended = cases[12];
    Crowd crowd = {.count = 0};
    crowd_add(&crowd, 280, &firing);
    crowd_add(&crowd, 20, &ended);
    Label labels[16];
    char names[16][8];
    for (size_t k = 0; k < COUNT_OF(labels); k++) {
        snprintf(names[k], sizeof names[k], "l%zu", k);
        labels[k] = (Label){names[k], word};
    }
    for (size_t i = 0; i < crowd.count; i++) {
        labels_free(crowd.instances[i].labels);
        crowd.instances[i].labels = labels_new(labels, COUNT_OF(labels));
        crowd.alerts[i].is_first = i < 280;
    }
    OWN(json)
    json_t *json = message(crowd.alerts, crowd.count, reason_for(true, 280, 20, false),
        (ReceiverChannel){"webhook", 0, true, false, true, false});
    const json_t *rest = json_map(json, "rest"), *alerts = json_list(rest, "alerts");
    const size_t named = count_with(alerts, "firing");
    ck_assert_uint_le(json_dumpb(alerts, NULL, 0, JSON_COMPACT), REST_BYTES_MAX);
    ck_assert_uint_eq(count_with(alerts, "resolved"), 10);
    ck_assert_uint_gt(named, 50);
    ck_assert_int_eq(json_integer_value(json_object_get(rest, "counted")), (json_int_t)(280 - 10 - named));
    ck_assert_int_gt(json_integer_value(json_object_get(rest, "counted")), 0);
    crowd_deinit(&crowd);
}
END_TEST

START_TEST(text_of_attackers_stays_text) {
    struct Case c = cases[9];
    c.name = "x\r\nBcc: a@b\"}\x01";
    c.reason = "\xff\xfe<script>%s${x}";
    Instance i = make(&c);
    GroupAlert alert = alert_of(&i, &c);
    OWN(json) json_t *json = message(&alert, 1, reason_for(true, 1, 0, false), webhook);
    const json_t *first = json_array_get(json_list(json_map(json, "webhook"), "alerts"), 0);
    ck_assert_str_eq(json_text(json_map(first, "labels"), "alertname"), c.name);
    ck_assert_str_eq(json_text(json_map(first, "annotations"), "reason"), "\xef\xbf\xbd\xef\xbf\xbd<script>%s${x}");
    labels_free(i.labels);
}
END_TEST

START_TEST(a_test_says_that_it_is_one) {
    OWN(text) char *text = render_test("id-1", "oncall", "https://tocsin.example", NOW_MS);
    OWN(json) json_t *json = json_read(text, strlen(text), NULL);
    ck_assert(json_flag(json, "test", false));
    ck_assert_str_eq(json_text(json, "id"), "id-1");
    ck_assert_str_eq(json_text(json, "subject"), "[FIRING:1] TocsinTest");
    ck_assert_uint_eq(json_object_size(json_map(json, "webhook")), 11);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, what_flaps_says_so);
    tcase_add_loop_test(tcase, a_fallback_is_told_why, 0, COUNT_OF(handovers));
    tcase_add_loop_test(tcase, an_escalation_says_so, 0, 2);
    tcase_add_loop_test(tcase, who_is_on_it_is_named, 0, 2);
    tcase_add_test(tcase, found_series_and_further_matches_are_named);
    tcase_add_loop_test(tcase, reads_well_on_a_phone, 0, COUNT_OF(cases));
    tcase_add_test(tcase, says_all_that_alertmanager_says);
    tcase_add_loop_test(tcase, a_channel_gets_what_it_wants, 0, COUNT_OF(wishes));
    tcase_add_test(tcase, shows_twenty_and_counts_the_rest);
    tcase_add_loop_test(tcase, shows_what_ended_beside_many_that_fire, 0, COUNT_OF(crowds));
    tcase_add_loop_test(tcase, picks_the_first_of_many, 0, 40);
    tcase_add_loop_test(tcase, names_the_rest_where_it_is_wanted, 0, COUNT_OF(rests));
    tcase_add_test(tcase, a_rest_has_its_bound);
    tcase_add_test(tcase, text_of_attackers_stays_text);
    tcase_add_test(tcase, a_test_says_that_it_is_one);
}

int main(void) { return run_tests("render", fill); }
