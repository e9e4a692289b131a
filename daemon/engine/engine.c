/* daemon/engine/engine.c: the daemon's middle: what it is made of, and its one timer */
#include "engine/parts.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/systemd.h"
#include "engine/changes.h"
#include "engine/decisions.h"
#include "engine/settings.h"
#include "plugin/receivers.h"
#include "store/store_section.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MAX_MS = 5000, /* clocks are looked at and systemd is told at least this often */
    SLOW_ROUND_MS = 30000,
    FREE_KEPT_BYTES = 2 << 20, /* free, and kept for what comes next */
    SUSPEND_MS = 5000, /* boottime - monotonic grew by this: we slept (robustness 5) */
    WALL_JUMP_MS = 2000
};

static const Metric stall_metric = {
    "tocsin_loop_stall_seconds", "The longest turn of the event loop.", METRIC_GAUGE, {NULL}};

/* --- the timer --- */

static void tick(Engine *engine);

static void on_timer(uv_timer_t *timer) { tick(timer->data); }

static void on_soon(uv_idle_t *soon) {
    uv_idle_stop(soon);
    tick(soon->data);
}

/* What is due now is looked at in the next turn of the loop: a timer without a wait, started by a timer, runs in the
 * same turn, and all that is ready would be done before anybody else is heard. */
static void look_in(Engine *engine, int64_t wait_ms) {
    if (wait_ms > 0) {
        uv_idle_stop(&engine->soon);
        uv_timer_start(&engine->timer, on_timer, (uint64_t)wait_ms, 0);
    } else {
        uv_timer_stop(&engine->timer);
        uv_idle_start(&engine->soon, on_soon);
    }
}

static void wake(void *ctx) { look_in(ctx, 0); }

static void rearm(Engine *engine) {
    const int64_t polls_ms = poller_next_boot_ms(engine->poller),
                  silences_ms = silencing_next_wall_ms(engine->silencing),
                  waits_ms = composites_next_wall_ms(engine->core.composites);
    int64_t wall_ms = notifier_next_wall_ms(engine->notifier);
    if (silences_ms < wall_ms) wall_ms = silences_ms;
    if (waits_ms < wall_ms) wall_ms = waits_ms;
    const int64_t beat_ms = heartbeat_next_boot_ms(engine->heartbeat);
    int64_t wait_ms = TICK_MAX_MS;
    if (beat_ms != INT64_MAX && beat_ms - clock_boot_ms(engine->core.clock) < wait_ms)
        wait_ms = beat_ms - clock_boot_ms(engine->core.clock);
    if (polls_ms != INT64_MAX && polls_ms - clock_boot_ms(engine->core.clock) < wait_ms)
        wait_ms = polls_ms - clock_boot_ms(engine->core.clock);
    if (wall_ms != INT64_MAX && wall_ms - clock_wall_ms(engine->core.clock) < wait_ms)
        wait_ms = wall_ms - clock_wall_ms(engine->core.clock);
    look_in(engine, backlog_is_announcing(engine->backlog) ? 0 : wait_ms);
}

static void look_at_clocks(Engine *engine) {
    const Clock *clock = engine->core.clock;
    const int64_t suspended_ms = clock_boot_ms(clock) - clock_mono_ms(clock);
    const int64_t offset_ms = clock_wall_ms(clock) - clock_boot_ms(clock);
    const int64_t jump_ms = offset_ms - engine->wall_offset_ms;
    if (suspended_ms - engine->suspended_ms > SUSPEND_MS) {
        LOG(INFO, "the machine was suspended: polling at once",
            KV("seconds", (suspended_ms - engine->suspended_ms) / 1000));
        poller_rush(engine->poller);
    }
    if (jump_ms > WALL_JUMP_MS || jump_ms < -WALL_JUMP_MS) {
        LOG(WARNING, "the wall clock jumped: the schedule is realigned", KV("seconds", jump_ms / 1000));
        poller_realign(engine->poller);
        composites_shift(engine->core.composites, jump_ms);
        silencing_shift(engine->silencing, jump_ms);
        notifier_shift(engine->notifier, jump_ms);
        engine->wall_offset_ms = offset_ms;
    }
    engine->suspended_ms = suspended_ms;
}

static void feed_watchdog(Engine *engine) {
    const int64_t limit_ms = systemd_watchdog_ms(), boot_ms = clock_boot_ms(engine->core.clock);
    if (!limit_ms || boot_ms - engine->watchdog_boot_ms < limit_ms / 2 - TICK_MAX_MS) return;
    EngineStatus status;
    engine_status(engine, &status);
    if (!status.healthy) return;
    systemd_watchdog();
    engine->watchdog_boot_ms = boot_ms;
}

/* What a start or a storm has left behind goes back to the machine. Pages that were given back count as free for ever,
 * so what counts is how much more is free than ever since. */
static void give_back_memory(Engine *engine) {
    const size_t is_free = mallinfo2().fordblks;
    if (is_free < engine->given_back) engine->given_back = is_free;
    if (is_free - engine->given_back < FREE_KEPT_BYTES) return;
    malloc_trim(0);
    engine->given_back = is_free;
}

static void slow_round(Engine *engine) {
    const int64_t boot_ms = clock_boot_ms(engine->core.clock);
    if (boot_ms - engine->slow_boot_ms < SLOW_ROUND_MS) return;
    engine->slow_boot_ms = boot_ms;
    own_expire(engine->own);
    acking_prune(&engine->core);
    give_back_memory(engine);
    OWN(text) char *status = engine_status_text(engine);
    systemd_status(status);
}

static bool stop_is_over(const Engine *engine) {
    /* What runs on the pool comes back to us, however long it takes. */
    if (engine->is_reloading || notifier_is_rendering(engine->notifier)) return false;
    return notifier_is_stopped(engine->notifier) ||
        clock_boot_ms(engine->core.clock) - engine->stop_boot_ms > STOP_GRACE_MS;
}

static void tick(Engine *engine) {
    if (engine->stop_boot_ms) {
        if (!stop_is_over(engine)) {
            look_in(engine, 100);
            return;
        }
        void (*stopped)(void *) = GIVE(engine->stopped);
        if (stopped) stopped(engine->stopped_ctx);
        return;
    }
    look_at_clocks(engine);
    poller_tick(engine->poller);
    composites_tick(engine->core.composites);
    silencing_tick(engine->silencing);
    notifier_tick(engine->notifier);
    backlog_tick(engine->backlog);
    heartbeat_tick(engine->heartbeat);
    slow_round(engine);
    feed_watchdog(engine);
    rearm(engine);
}

/* A turn is all that lies between two looks, but for the time in which the loop waited: callbacks of sockets and of the
 * pool run behind the wait, within the same step of libuv's. */
static void loop_turns(uv_prepare_t *prepare) {
    Engine *engine = prepare->data;
    const int64_t now_us = clock_mono_us(engine->core.clock);
    const int64_t idle_us = (int64_t)(uv_metrics_idle_time(engine->core.loop) / 1000);
    const int64_t busy_us = now_us - engine->turn_began_us - (idle_us - engine->idle_us);
    const bool is_first = engine->turn_began_us == 0;
    engine->turn_began_us = now_us;
    engine->idle_us = idle_us;
    if (!is_first && (double)busy_us / 1e6 > metric_get(engine->core.metrics, &stall_metric, NULL))
        metric_set(engine->core.metrics, &stall_metric, (double)busy_us / 1e6, NULL);
}

/* The events of the alarm's own account and region. */
static char *what_changed(void *ctx, const Instance *instance) {
    Engine *engine = ctx;
    const WhatChanged *section = snapshot_section(engine->core.snapshot, &what_changed_section);
    const Poll *poll;
    for (size_t i = 0;; i++) {
        const void *kept = poller_kept(engine->poller, i, &poll);
        if (!poll) return NULL;
        if (!kept || !poll->source->has_events || strcmp(poll->account, instance->account) != 0 ||
            strcmp(poll->region, instance->region) != 0)
            continue;
        return changes_words(instance, kept, section->window_s, clock_wall_ms(engine->core.clock));
    }
}

/* --- a life --- */

static void reroute(void *ctx) {
    const Engine *engine = ctx;
    notifier_reroute(engine->notifier);
}

static void state_full(void *ctx, bool is_full) {
    Engine *engine = ctx;
    if (is_full == engine->is_full) return;
    engine->is_full = is_full;
    own_set(engine->own, &own_state_full, NULL, is_full,
        is_full ? "the state could not be written: no space is left (make room where state.directory lies)"
                : "the state is written again");
}

void engine_apply_snapshot(Engine *engine, Snapshot *snapshot) {
    const LogSection *log = snapshot_section(snapshot, &log_section);
    if (!engine->options.level_given) log_setup((LogFormat)log->format, (LogLevel)log->level);
    Snapshot *before = engine->core.snapshot;
    notifier_route_by(engine->notifier, snapshot_ref(snapshot));
    aws_configure(engine->core.aws, snapshot);
    const HistorySection *history = snapshot_section(snapshot, &history_section);
    store_set_history(engine->core.store, history->keep_s * 1000, history->max_rows);
    poller_configure(engine->poller, snapshot);
    notifier_configure(engine->notifier, !before);
    composites_look(engine->core.composites);
    engine->loaded_ms = clock_wall_ms(engine->core.clock);
    snapshot_free(before); /* instances point into the new one now */
}

static bool open_state(Engine *engine, Error *err) {
    const StateSection *state = snapshot_section(engine->options.snapshot, &state_section);
    const HistorySection *history = snapshot_section(engine->options.snapshot, &history_section);
    const StoreOptions how = {
        .directory = state->directory,
        .history_keep_ms = history->keep_s * 1000,
        .history_max_rows = history->max_rows,
        .extend = systemd_extend,
    };
    char *lost = NULL;
    engine->core.store = store_open(engine->core.loop, engine->core.clock, engine->core.metrics, &how, &lost, err);
    if (!engine->core.store) return false;
    if (lost) LOG(ERROR, "the state file could not be read and was set aside", KV("file", lost));
    engine->was_lost = lost != NULL;
    free(lost);
    return true;
}

static bool restore(Engine *engine, Error *err) {
    OWN(store_load) StoreLoad *load = store_load_all(engine->core.store, err);
    if (!load) return false;
    const int64_t now_ms = clock_wall_ms(engine->core.clock);
    size_t refused = 0;
    for (size_t i = 0; i < load->instance_count; i++) {
        if (!instance_restore(engine->core.instances, &load->instances[i], now_ms)) refused++;
        store_load_forget(load, i + 1);
    }
    if (refused) LOG(WARNING, "instances in the state file made no sense and were left out", KV("count", refused));
    memory_load(engine->core.memory, load);
    poller_resume(engine->poller, load);
    composites_resume(engine->core.composites, poller_resumed_s(engine->poller));
    notifier_load(engine->notifier, load);
    silencing_load(engine->silencing, load);
    acking_load(&engine->core, load);
    LOG(INFO, "state restored", KV("instances", load->instance_count), KV("groups", load->group_count),
        KV("owed", load->outbox_count), KV("clean", load->was_clean ? "yes" : "no"));
    return true;
}

static void init_handles(Engine *engine) {
    uv_timer_init(engine->core.loop, &engine->timer);
    uv_loop_configure(engine->core.loop, UV_METRICS_IDLE_TIME);
    uv_idle_init(engine->core.loop, &engine->soon);
    uv_prepare_init(engine->core.loop, &engine->turns);
    engine->timer.data = engine->soon.data = engine->turns.data = engine;
    engine->open_handles = 3;
}

/* The newest window of a place, of several the shortest. */
static const ServiceGraph *find_graph(void *ctx, const char *account, const char *region, const char *group) {
    const Engine *engine = ctx;
    const ServiceGraph *newest = NULL;
    const Poll *poll;
    for (size_t i = 0;; i++) {
        const ServiceGraph *graph = poller_kept(engine->poller, i, &poll);
        if (!poll) return newest;
        if (!graph || strcmp(poll->api, "GetServiceGraph") != 0 || strcmp(service_graph_account(graph), account) != 0 ||
            strcmp(service_graph_region(graph), region) != 0 || strcmp(service_graph_group(graph), group) != 0)
            continue;
        if (!newest || service_graph_end_s(graph) > service_graph_end_s(newest)) newest = graph;
    }
}

static Engine *engine_make(const EngineOptions *options) {
    Engine *engine = alloc_zeroed(1, sizeof *engine);
    engine->options = *options;
    engine->options.snapshot = snapshot_ref(options->snapshot);
    Core *core = &engine->core;
    core->loop = options->loop;
    core->clock = options->clock;
    core->metrics = metrics_new();
    core->instances = instances_new();
    core->memory = memory_new(core->metrics);
    core->groups = groups_new(core->metrics);
    core->mutes = mutes_new();
    core->acks = acks_new();
    core->world.is_once = options->once;
    core->wake = wake;
    core->reroute = reroute;
    core->state_full = state_full;
    core->what_changed = what_changed;
    core->ctx = engine;
    engine->http = http_new(core->loop, core->clock, core->metrics);
    core->aws = aws_new(core->loop, engine->http, core->clock, core->metrics);
    engine->host = plugin_host_new(core->loop, engine->http, core->aws, core->clock, core->metrics);
    engine->backlog = backlog_new(core);
    core->composites = composites_new(core, engine->backlog);
    engine->own = own_new(core, engine->backlog);
    engine->poller = poller_new(core, engine->backlog, engine->own);
    mutes_set_graph(core->mutes, find_graph, engine);
    engine->notifier = notifier_new(core, engine->own, engine->host);
    engine->silencing = silencing_new(core);
    engine->heartbeat = heartbeat_new(core, engine->http, engine->poller, engine->notifier);
    init_handles(engine);
    return engine;
}

Engine *engine_open(const EngineOptions *options, Error *err) {
    Engine *engine = engine_make(options);
    if (!open_state(engine, err) || !restore(engine, err) ||
        !plugin_host_configure(engine->host, options->snapshot, err))
        return engine_free(engine);
    return engine;
}

static bool keep_none(void *ctx, const Labels *series) {
    (void)ctx, (void)series;
    return false;
}

void engine_start(Engine *engine) {
    const Clock *clock = engine->core.clock;
    engine->is_started = true;
    engine->started_ms = clock_wall_ms(clock);
    engine->started_boot_ms = clock_boot_ms(clock);
    engine->suspended_ms = clock_boot_ms(clock) - clock_mono_ms(clock);
    engine->wall_offset_ms = clock_wall_ms(clock) - clock_boot_ms(clock);
    uv_prepare_start(&engine->turns, loop_turns);
    engine_apply_snapshot(engine, engine->options.snapshot);
    silencing_begin(engine->silencing);
    engine->options.snapshot = snapshot_free(engine->options.snapshot);
    own_clear_others(engine->own, &own_reload_failed, keep_none, NULL, "the configuration was read at a start");
    own_clear_others(engine->own, &own_state_full, keep_none, NULL, "the state is written again");
    if (engine->was_lost)
        own_set(engine->own, &own_state_lost, NULL, true,
            "the state file could not be read: it was set aside beside the new one, and what fires is told again");
    else
        own_clear_others(engine->own, &own_state_lost, keep_none, NULL, "the state was read at a start");
    if (engine->options.once) poller_rush(engine->poller);
    wake(engine);
}

void engine_stop(Engine *engine, void (*stopped)(void *ctx), void *ctx) {
    engine->stopped = stopped;
    engine->stopped_ctx = ctx;
    engine->stop_boot_ms = clock_boot_ms(engine->core.clock);
    notifier_stop(engine->notifier);
    wake(engine);
}

static void handle_closed(uv_handle_t *handle) {
    Engine *engine = handle->data;
    if (--engine->open_handles) return;
    free(engine);
}

Engine *engine_free(Engine *engine) {
    if (!engine) return NULL;
    Core *core = &engine->core;
    plugin_host_free(engine->host);
    core->store = store_close(core->store); /* its callbacks still find their owners */
    heartbeat_free(engine->heartbeat);
    poller_free(engine->poller);
    notifier_free(engine->notifier);
    silencing_free(engine->silencing);
    own_free(engine->own);
    core->composites = composites_free(core->composites);
    backlog_free(engine->backlog);
    aws_free(core->aws);
    http_free(engine->http);
    groups_free(core->groups);
    mutes_free(core->mutes);
    acks_free(core->acks);
    instances_free(core->instances);
    memory_free(core->memory);
    snapshot_free(core->snapshot);
    snapshot_free(engine->options.snapshot);
    metrics_free(core->metrics);
    free(engine->reload_error);
    uv_close((uv_handle_t *)&engine->timer, handle_closed);
    uv_close((uv_handle_t *)&engine->soon, handle_closed);
    uv_close((uv_handle_t *)&engine->turns, handle_closed);
    return NULL;
}

/* --- getters --- */

Snapshot *engine_snapshot(Engine *engine) { return engine->core.snapshot; }
const RouteSection *engine_routes(Engine *engine) { return engine->core.world.routes; }
const Mutes *engine_mutes(Engine *engine) { return engine->core.mutes; }
const Acks *engine_acks(Engine *engine) { return engine->core.acks; }
Instances *engine_instances(Engine *engine) { return engine->core.instances; }
Store *engine_store(Engine *engine) { return engine->core.store; }
Metrics *engine_metrics(Engine *engine) { return engine->core.metrics; }
const Clock *engine_clock(Engine *engine) { return engine->core.clock; }
uv_loop_t *engine_loop(Engine *engine) { return engine->core.loop; }
PlanCost engine_cost(const Engine *engine) { return poller_cost(engine->poller); }
size_t engine_sources(Engine *engine, SourceView **ret_views) { return poller_sources(engine->poller, ret_views); }
char *engine_what_changed(Engine *engine, const Instance *instance) { return what_changed(engine, instance); }

const void *engine_kept(Engine *engine, size_t index, const Poll **ret_poll) {
    return poller_kept(engine->poller, index, ret_poll);
}

void engine_groups_of(Engine *engine, const char *fingerprint, GroupSeen *seen, void *ctx) {
    groups_each_of(engine->core.groups, fingerprint, seen, ctx);
}

char *engine_held_words(Engine *engine, const Route *route, const Instance *instance) {
    return decision_held_words(&engine->core, route, instance, clock_wall_ms(engine->core.clock));
}

void engine_listen(Engine *engine, EngineEvent *event, void *ctx) {
    engine->core.event = event;
    engine->core.event_ctx = ctx;
}
