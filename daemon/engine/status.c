/* daemon/engine/status.c: the engine as people and systemd see it */
#include "engine/parts.h"

#include "base/alloc.h"
#include "engine/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STORE_PATIENCE_MS = 20000, OUTBOX_PATIENCE_MS = 20000 }; /* the watchdog's: robustness 9 */

static void count_states(Engine *engine, EngineStatus *ret) {
    for (Instance *i = instances_next(engine->core.instances, NULL); i; i = instances_next(engine->core.instances, i)) {
        if (i->gone) continue;
        switch (i->memory.state) {
        case STATE_OK: ret->ok++; break;
        case STATE_ALARM: ret->alarm++; break;
        case STATE_INSUFFICIENT_DATA: ret->insufficient++; break;
        }
    }
}

/* What X-Ray bills for traces that it looks at is known only as they are: at the pace since the start. List price in
 * us-east-1; the first million of a month is free. */
static double traces_usd_month(Engine *engine, double traces) {
    enum { MONTH_S = 2628000, FREE_A_MONTH = 1000000, PACE_MIN_S = 60 };
    const int64_t up_s = (clock_boot_ms(engine->core.clock) - engine->started_boot_ms) / 1000;
    const double a_month = traces * MONTH_S / (double)(up_s > PACE_MIN_S ? up_s : PACE_MIN_S);
    return a_month > FREE_A_MONTH ? (a_month - FREE_A_MONTH) * 0.5e-6 : 0;
}

void engine_status(Engine *engine, EngineStatus *ret) {
    const OutboxCounts counts = outbox_counts(notifier_outbox(engine->notifier));
    *ret = (EngineStatus){
        .started_ms = engine->started_ms,
        .loaded_ms = engine->loaded_ms,
        .ready = engine->is_started,
        .config_file = engine->options.file,
        .reload_ms = engine->reload_ms,
        .reload_ok = engine->reload_ok,
        .reload_error = engine->reload_error,
        .pending = counts.pending,
        .parked = counts.parked,
        .delivered = counts.delivered,
        .failed = counts.failed,
        .ledger = aws_ledger(engine->core.aws),
        .usd_month = poller_cost(engine->poller).usd_month,
        .healthy = engine->is_started && store_waiting_ms(engine->core.store) < STORE_PATIENCE_MS &&
            outbox_overdue_ms(notifier_outbox(engine->notifier)) < OUTBOX_PATIENCE_MS,
    };
    ret->usd_month += traces_usd_month(engine, ret->ledger.traces_scanned);
    count_states(engine, ret);
}

static size_t blind_sources(Engine *engine) {
    SourceView *views;
    const size_t count = poller_sources(engine->poller, &views);
    size_t blind = 0;
    for (size_t i = 0; i < count; i++) blind += views[i].last_error != NULL;
    free(views);
    return blind;
}

char *engine_status_text(Engine *engine) {
    EngineStatus status;
    engine_status(engine, &status);
    return text_format(
        "%zu in ALARM, %zu OK, %zu without data; %zu sources blind; %zu notifications wait, %zu parked%s", status.alarm,
        status.ok, status.insufficient, blind_sources(engine), status.pending, status.parked,
        engine->reload_error ? "; the last reload was refused" : "");
}

/* --- gauges made when somebody asks --- */

static const Metric build_metric = {
    "tocsin_build_info", "A constant 1, labelled with the version.", METRIC_GAUGE, {"version"}};
static const Metric alarms_metric = {"tocsin_alarms", "Alarm instances by state.", METRIC_GAUGE, {"state"}};
static const Metric outbox_metric = {
    "tocsin_outbox_notifications", "Notifications that are owed or parked, now.", METRIC_GAUGE, {"state"}};
static const Metric reload_ok_metric = {
    "tocsin_config_last_reload_successful", "Did the last reload go well? 1 before the first.", METRIC_GAUGE, {NULL}};
static const Metric loaded_metric = {"tocsin_config_last_reload_success_timestamp_seconds",
    "When the configuration in force was read.", METRIC_GAUGE, {NULL}};
static const Metric usd_metric = {
    "tocsin_aws_estimated_usd_month", "What the plan costs a month at list prices.", METRIC_GAUGE, {NULL}};
static const Metric lag_metric = {
    "tocsin_source_lag_seconds", "How far behind now a source is.", METRIC_GAUGE, {"source", "account", "region"}};
static const Metric blind_metric = {
    "tocsin_source_blind", "1 where the last poll failed.", METRIC_GAUGE, {"source", "account", "region"}};
static const Metric queue_metric = {
    "tocsin_store_queued_batches", "Batches that wait for their commit.", METRIC_GAUGE, {NULL}};
static const Metric backlog_metric = {
    "tocsin_store_backlog_batches", "Batches that a full disk has not taken yet.", METRIC_GAUGE, {NULL}};
static const Metric skew_metric = {"tocsin_aws_clock_skew_seconds", "AWS's clock minus ours.", METRIC_GAUGE, {NULL}};

static void refresh_sources(Engine *engine) {
    Metrics *metrics = engine->core.metrics;
    SourceView *views;
    const size_t count = poller_sources(engine->poller, &views);
    metric_clear(metrics, &lag_metric);
    metric_clear(metrics, &blind_metric);
    for (size_t i = 0; i < count; i++) {
        const char *const *feed = METRIC_VALUES(views[i].name, views[i].account, views[i].region);
        metric_set(metrics, &lag_metric, (double)views[i].lag_s, feed);
        metric_set(metrics, &blind_metric, views[i].last_error ? 1 : 0, feed);
    }
    free(views);
}

void engine_refresh_metrics(Engine *engine) {
    Metrics *metrics = engine->core.metrics;
    EngineStatus status;
    engine_status(engine, &status);
    metric_set(metrics, &build_metric, 1, METRIC_VALUES(TOCSIN_VERSION));
    metric_set(metrics, &alarms_metric, (double)status.ok, METRIC_VALUES("OK"));
    metric_set(metrics, &alarms_metric, (double)status.alarm, METRIC_VALUES("ALARM"));
    metric_set(metrics, &alarms_metric, (double)status.insufficient, METRIC_VALUES("INSUFFICIENT_DATA"));
    metric_set(metrics, &outbox_metric, (double)status.pending, METRIC_VALUES("pending"));
    metric_set(metrics, &outbox_metric, (double)status.parked, METRIC_VALUES("parked"));
    metric_set(metrics, &reload_ok_metric, engine->reload_error ? 0 : 1, NULL);
    metric_set(metrics, &loaded_metric, (double)status.loaded_ms / 1000, NULL);
    metric_set(metrics, &usd_metric, status.usd_month, NULL);
    metric_set(metrics, &queue_metric, (double)store_queued(engine->core.store), NULL);
    metric_set(metrics, &backlog_metric, (double)backlog_count(engine->backlog), NULL);
    metric_set(metrics, &skew_metric, (double)aws_skew_ms(engine->core.aws) / 1000, NULL);
    outbox_refresh_metrics(notifier_outbox(engine->notifier));
    refresh_sources(engine);
    process_refresh_metrics(metrics, engine->started_ms);
}
