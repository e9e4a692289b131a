#include "control/calls.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "control/event_view.h"
#include "control/graph_view.h"
#include "control/view.h"
#include "notify/outbox.h"

#include <stdlib.h>
#include <string.h>

enum { METRICS_TEXT_MAX = 16 << 20 }; /* bytes: METRICS_SERIES long lines of every metric fit */

static void bad_request(const Call *call, const Error *err) {
    answer_error(call->answer, 400, "bad_request", "%s", err->text);
}

void call_status(const Call *call) { answer_json(call->answer, 200, view_status(call->engine)); }

void call_events(const Call *call) { answer_stream(call->answer); }

/* --- alarms --- */

/* A page of the table, which is sorted by name, then fingerprint. `after` is `FINGERPRINT:NAME` of the last row before.
 */
typedef struct AlarmPage {
    const char *name, *fingerprint, *after; /* NULL: any */
    bool any_state;
    AlarmState state;
    int64_t limit;
    json_t *(*view)(Engine *engine, const Instance *instance);
} AlarmPage;

static bool is_behind(const Instance *instance, const char *after) {
    const char *name = strlen(after) > FINGERPRINT_TEXT ? after + FINGERPRINT_TEXT : "";
    const int order = strcmp(instance->name, name);
    return order > 0 || (order == 0 && strncmp(instance->fingerprint, after, FINGERPRINT_TEXT - 1) > 0);
}

static bool is_wanted(const AlarmPage *page, const Instance *instance) {
    if (page->name && strcmp(page->name, instance->name)) return false;
    if (page->fingerprint && strcmp(page->fingerprint, instance->fingerprint)) return false;
    if (!page->any_state && instance->memory.state != page->state) return false;
    return !page->after || is_behind(instance, page->after);
}

/* The page's rows as an array; `*ret_next` becomes a string, or null at the end; `*ret_known`: is there any of that
 * name? */
static json_t *list_alarms(Engine *engine, const AlarmPage *page, json_t **ret_next, bool *ret_known) {
    size_t count = 0, datapoints = 0;
    Instance **all = instances_sorted(engine_instances(engine), &count);
    json_t *rows = json_array();
    const Instance *last = NULL;
    *ret_next = NULL;
    *ret_known = false;
    for (size_t i = 0; i < count && !*ret_next; i++) {
        if (page->name && !strcmp(page->name, all[i]->name)) *ret_known = true;
        if (!is_wanted(page, all[i])) continue;
        if (last && ((int64_t)json_array_size(rows) == page->limit || datapoints > DETAIL_DATAPOINTS)) {
            OWN(text) char *next = text_format("%s:%s", last->fingerprint, last->name);
            *ret_next = json_safe(next);
            break;
        }
        json_array_append_new(rows, page->view(engine, all[i]));
        if (page->view == view_instance_detail) datapoints += all[i]->datapoints.count;
        last = all[i];
    }
    if (!*ret_next) *ret_next = json_null();
    free(all);
    return rows;
}

static bool read_state(const Target *target, AlarmPage *page, Error *err) {
    const char *word = target_parameter(target, "state");
    page->any_state = !word;
    if (!word || state_parse(word, &page->state)) return true;
    return error_set(err, ERROR_INPUT, "state cannot be `%.40s` (OK, ALARM or INSUFFICIENT_DATA)", word);
}

void call_alarms(const Call *call) {
    Error err = {0};
    AlarmPage page = {.name = target_parameter(call->target, "name"),
        .fingerprint = target_parameter(call->target, "fingerprint"),
        .after = target_parameter(call->target, "after"),
        .view = view_instance};
    if (!read_state(call->target, &page, &err) || !target_limit(call->target, &page.limit, &err))
        return bad_request(call, &err);
    json_t *next;
    bool known;
    json_t *rows = list_alarms(call->engine, &page, &next, &known);
    answer_json(call->answer, 200, json_pack("{s:o, s:o}", "alarms", rows, "next", next));
}

void call_alarm(const Call *call) {
    Error err = {0};
    AlarmPage page = {.name = call->name,
        .any_state = true,
        .after = target_parameter(call->target, "after"),
        .view = view_instance_detail};
    if (!target_limit(call->target, &page.limit, &err)) return bad_request(call, &err);
    const Alarm *alarm = alarm_find(engine_snapshot(call->engine), call->name);
    json_t *next;
    bool known;
    json_t *rows = list_alarms(call->engine, &page, &next, &known);
    if (!alarm && !known) {
        json_decref(rows);
        json_decref(next);
        return answer_error(call->answer, 404, "not_found", "there is no alarm `%.255s`", call->name);
    }
    answer_json(call->answer, 200,
        json_pack("{s:o, s:o, s:o, s:o}", "name", json_safe(call->name), "rule",
            alarm ? alarm_rule_json(alarm) : json_object(), "instances", rows, "next", next));
}

/* --- sources: few, so a page is cut out of all of them; `after` is a row's number --- */

static bool whole_after(const Target *target, int64_t *ret_after, Error *err) {
    const char *text = target_parameter(target, "after");
    if (!text) return true;
    const size_t length = strlen(text);
    if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
        return error_set(err, ERROR_INPUT, "after cannot be `%.40s` (the `next` of the answer before)", text);
    *ret_after = strtoll(text, NULL, 10);
    return true;
}

static json_t *whole_next(int64_t next) {
    if (next == 0) return json_null();
    OWN(text) char *text = text_format("%lld", (long long)next);
    return json_string(text);
}

void call_sources(const Call *call) {
    Error err = {0};
    int64_t limit, after = 0;
    if (!target_limit(call->target, &limit, &err) || !whole_after(call->target, &after, &err))
        return bad_request(call, &err);
    OWN(json) json_t *all = view_sources(call->engine);
    const int64_t count = (int64_t)json_array_size(all);
    json_t *page = json_array();
    for (int64_t i = after; i < count && i - after < limit; i++)
        json_array_append(page, json_array_get(all, (size_t)i));
    const bool more = after < count && count - after > limit;
    answer_json(
        call->answer, 200, json_pack("{s:o, s:o}", "sources", page, "next", whole_next(more ? after + limit : 0)));
}

/* --- history and notifications: asked of the store, answered when it has read --- */

static void history_read(void *ctx, const HistoryRow *rows, size_t count, int64_t next) {
    if (!rows) return answer_error(ctx, 503, "unavailable", "the history could not be read: see the daemon's log");
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, view_transition(&rows[i]));
    answer_json(ctx, 200, json_pack("{s:o, s:o}", "transitions", all, "next", whole_next(next)));
}

void call_history(const Call *call) {
    Error err = {0};
    HistoryQuery query = {
        .name = target_parameter(call->target, "name"), .fingerprint = target_parameter(call->target, "fingerprint")};
    if (!target_limit(call->target, &query.limit, &err) || !whole_after(call->target, &query.after, &err) ||
        !target_time(call->target, "since", &query.since_ms, &err) ||
        !target_time(call->target, "until", &query.until_ms, &err))
        return bad_request(call, &err);
    store_history(engine_store(call->engine), &query, history_read, call->answer);
}

static void outbox_read(void *ctx, const OutboxRow *rows, size_t count, const char *next) {
    if (!rows) return answer_error(ctx, 503, "unavailable", "the outbox could not be read: see the daemon's log");
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, outbox_row_json(&rows[i]));
    answer_json(ctx, 200, json_pack("{s:o, s:o}", "notifications", all, "next", next ? json_safe(next) : json_null()));
}

static bool is_outbox_state(const char *word) {
    static const char *const states[] = {"pending", "sending", "delivered", "parked", "expired", "discarded"};
    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (!strcmp(states[i], word)) return true;
    return false;
}

void call_notifications(const Call *call) {
    Error err = {0};
    OutboxQuery query = {
        .state = target_parameter(call->target, "state"), .after = target_parameter(call->target, "after")};
    if (!target_limit(call->target, &query.limit, &err)) return bad_request(call, &err);
    if (query.state && !is_outbox_state(query.state))
        return answer_error(call->answer, 400, "bad_request",
            "state cannot be `%.40s` (pending, sending, delivered, parked, expired or discarded)", query.state);
    store_outbox(engine_store(call->engine), &query, outbox_read, call->answer);
}

/* --- the service graph --- */

void call_service_graph(const Call *call) {
    const GraphChoice choice = {.account = target_parameter(call->target, "account"),
        .region = target_parameter(call->target, "region"),
        .group = target_parameter(call->target, "group")};
    view_graphs(call->engine, &choice, call->answer);
}

/* --- CloudTrail --- */

void call_cloudtrail_events(const Call *call) {
    Error err = {0};
    EventChoice choice = {.rule = target_parameter(call->target, "rule")};
    if (!target_limit(call->target, &choice.limit, &err) || !target_time(call->target, "since", &choice.since_ms, &err))
        return bad_request(call, &err);
    answer_json(call->answer, 200, view_events(call->engine, &choice));
}

/* --- what machines ask --- */

void call_metrics(const Call *call) {
    engine_refresh_metrics(call->engine);
    Buffer out = BUFFER(METRICS_TEXT_MAX);
    metrics_print(engine_metrics(call->engine), &out);
    if (out.overflow) {
        buffer_deinit(&out);
        return answer_error(call->answer, 500, "too_large", "the metrics are longer than %d bytes", METRICS_TEXT_MAX);
    }
    answer_text(call->answer, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_take(&out));
}

static void answer_whether(const Call *call, bool is_so, const char *code, const char *message) {
    if (is_so)
        answer_json(call->answer, 200, json_pack("{s:s}", "status", "ok"));
    else
        answer_error(call->answer, 503, code, "%s", message);
}

void call_health(const Call *call) {
    EngineStatus status = {0};
    engine_status(call->engine, &status);
    answer_whether(
        call, status.healthy, "unhealthy", "the store or the outbox makes no progress: see the daemon's log");
}

void call_ready(const Call *call) {
    EngineStatus status = {0};
    engine_status(call->engine, &status);
    answer_whether(call, status.ready, "not_ready", "the daemon is starting or stopping");
}
