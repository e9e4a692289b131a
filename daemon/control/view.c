#include "control/view.h"

#include "alarms/instance_link.h"
#include "base/alloc.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static json_t *text_or_null(const char *text) { return text ? json_safe(text) : json_null(); }

json_t *view_sources(Engine *engine) {
    SourceView *rows = NULL;
    const size_t count = engine_sources(engine, &rows);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        const SourceView *row = &rows[i];
        json_array_append_new(all,
            json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:I, s:I}", "name", json_safe(row->name), "account",
                json_safe(row->account), "region", json_safe(row->region), "every", (json_int_t)row->every_s,
                "last_success", json_time(row->last_success_ms), "last_error", text_or_null(row->last_error),
                "next_poll", json_time(row->next_poll_ms), "lag_seconds", (json_int_t)row->lag_s, "calls",
                (json_int_t)row->calls));
    }
    free(rows);
    return all;
}

static json_t *view_reload(const EngineStatus *status) {
    if (status->reload_ms == 0) return json_null();
    return json_pack("{s:o, s:b, s:o}", "at", json_time(status->reload_ms), "ok", status->reload_ok, "error",
        text_or_null(status->reload_ok ? NULL : status->reload_error));
}

static json_t *view_ledger(const EngineStatus *status) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "calls", (json_int_t)status->ledger.calls, "throttled",
        (json_int_t)status->ledger.throttled, "failed", (json_int_t)status->ledger.failed, "billed_metrics",
        (json_int_t)status->ledger.billed_metrics, "traces_scanned", (json_int_t)status->ledger.traces_scanned,
        "estimated_usd_month", json_number(status->usd_month));
}

json_t *view_status(Engine *engine) {
    EngineStatus status = {0};
    engine_status(engine, &status);
    json_t *config = json_pack("{s:o, s:o, s:o}", "file", text_or_null(status.config_file), "loaded_at",
        json_time(status.loaded_ms), "last_reload", view_reload(&status));
    json_t *alarms = json_pack("{s:I, s:I, s:I}", "OK", (json_int_t)status.ok, "ALARM", (json_int_t)status.alarm,
        "INSUFFICIENT_DATA", (json_int_t)status.insufficient);
    json_t *notifications = json_pack("{s:I, s:I, s:I, s:I}", "pending", (json_int_t)status.pending, "delivered",
        (json_int_t)status.delivered, "failed", (json_int_t)status.failed, "parked", (json_int_t)status.parked);
    return json_pack("{s:s, s:I, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "version", TOCSIN_VERSION, "pid",
        (json_int_t)getpid(), "started_at", json_time(status.started_ms), "ready", status.ready, "config", config,
        "alarms", alarms, "sources", view_sources(engine), "notifications", notifications, "aws", view_ledger(&status));
}

static json_t *labels_or_empty(const Labels *labels) { return labels ? labels_json(labels) : json_object(); }

/* What a person wrote wins over what a source found, as in a message. */
static json_t *view_annotations(const Instance *instance) {
    json_t *all = labels_or_empty(instance->facts.notes);
    OWN(json) json_t *own = labels_or_empty(instance->annotations);
    json_object_update(all, own);
    return all;
}

/* The ids of silences that hold what it says, or would say. */
static json_t *view_silences(Engine *engine, const Instance *instance) {
    const char *found[VIEW_MUTES_MAX];
    json_t *all = json_array();
    const int64_t now_ms = clock_wall_ms(engine_clock(engine));
    const size_t count =
        silences_mute(mutes_silences(engine_mutes(engine)), instance->labels, now_ms, found, COUNT_OF(found), NULL);
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_safe(found[i]));
    return all;
}

/* The fingerprints of firing alerts that hold back this one. */
static json_t *view_inhibitors(Engine *engine, const Instance *instance) {
    const char *found[VIEW_MUTES_MAX];
    json_t *all = json_array();
    if (!instance_is_firing(instance)) return all;
    const size_t count = mutes_inhibitors(
        engine_mutes(engine), instance->labels, clock_wall_ms(engine_clock(engine)), found, COUNT_OF(found));
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_string(found[i]));
    return all;
}

static json_t *view_ack(Engine *engine, const Instance *instance) {
    const Ack *ack = acks_find(engine_acks(engine), instance, clock_wall_ms(engine_clock(engine)));
    return ack ? ack_json(ack) : json_null();
}

/* What stands between the state and what people are told; members are null where nothing does. */
static void add_hold(json_t *view, const Instance *instance) {
    const Hold *hold = &instance->hold;
    const bool is_pending = hold->pending.phase == PENDING_PENDING;
    json_object_set_new(view, "pending_since", json_time(is_pending ? hold->pending.active_s * 1000 : 0));
    json_object_set_new(view, "flapping", json_boolean(hold->flap.is_flapping));
    json_object_set_new(
        view, "flap_percent", hold->flap.has_begun ? json_real(flap_percent(&hold->flap)) : json_null());
    json_object_set_new(view, "suppressed_by", text_or_null(hold->suppression.is_owed ? hold->suppressor : NULL));
}

json_t *view_instance(Engine *engine, const Instance *instance) {
    const InstanceFacts *facts = &instance->facts;
    json_t *view = json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "name",
        json_safe(instance->name), "fingerprint", instance->fingerprint, "state", state_word(instance->memory.state),
        "since", json_time(instance->since_ms), "value", json_number(facts->value), "threshold",
        json_number(facts->threshold), "reason", text_or_null(facts->reason), "severity",
        severity_word(instance->severity), "source", text_or_null(instance->source), "account",
        text_or_null(instance->account), "region", text_or_null(instance->region));
    json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "labels", labels_or_empty(instance->labels),
        "annotations", view_annotations(instance), "last_evaluated", json_time(instance->evaluated_ms), "silenced_by",
        view_silences(engine, instance), "inhibited_by", view_inhibitors(engine, instance), "acknowledged",
        view_ack(engine, instance), "evaluation_error", text_or_null(instance->evaluation_error));
    OWN(text) char *link = instance_link(instance);
    json_t *ours = json_pack("{s:o, s:o, s:o, s:o, s:b}", "metric", text_or_null(facts->what), "console_url",
        text_or_null(*link ? link : NULL), "value_at", json_time(facts->value_s * 1000), "firing_since",
        json_time(instance->firing_since_ms), "durable", instance->durable);
    json_object_update(view, more);
    json_object_update(view, ours);
    add_hold(view, instance);
    json_decref(more);
    json_decref(ours);
    return view;
}

static json_t *view_datapoints(const Instance *instance) {
    json_t *all = json_array();
    for (size_t i = 0; i < instance->datapoints.count; i++) {
        const int64_t at_s = instance->datapoints.start_s + (int64_t)i * instance->datapoints.step_s;
        json_array_append_new(
            all, json_pack("[o, o]", json_time(at_s * 1000), json_number(instance->datapoints.values[i])));
    }
    return all;
}

json_t *view_instance_detail(Engine *engine, const Instance *instance) {
    json_t *view = view_instance(engine, instance);
    OWN(text) char *changed = engine_what_changed(engine, instance);
    if (changed) json_object_set_new(json_object_get(view, "annotations"), "what_changed", json_safe(changed));
    json_object_set_new(view, "datapoints", view_datapoints(instance));
    return view;
}

json_t *view_transition(const HistoryRow *row) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "time", json_time(row->time_ms), "name",
        json_safe(row->name), "fingerprint", json_safe(row->fingerprint), "from", text_or_null(row->from), "to",
        text_or_null(row->to), "value", row->has_value ? json_number(row->value) : json_null(), "reason",
        text_or_null(row->reason));
}
