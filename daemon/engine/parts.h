/* The engine's own struct, for the files that make it up (engine.c, reload.c, once.c, status.c, receiver_test.c): life
 * and wiring are one noun, its verbs are cut into files. Nobody else includes this. */
#ifndef TOCSIN_ENGINE_PARTS_H
#define TOCSIN_ENGINE_PARTS_H

#include "engine/acking.h"
#include "engine/composites.h"
#include "engine/heartbeat.h"
#include "engine/life.h"
#include "engine/notifier.h"
#include "engine/poller.h"
#include "engine/silencing.h"

enum { RELOAD_WAITERS = 64 };

typedef struct ReloadWaiter {
    EngineReloaded *done;
    void *ctx;
} ReloadWaiter;

struct Engine {
    Core core;
    EngineOptions options;
    Http *http;
    PluginHost *host;
    Backlog *backlog;
    Own *own;
    Poller *poller;
    Notifier *notifier;
    Silencing *silencing;
    Heartbeat *heartbeat;

    uv_timer_t timer; /* one timer for all that is due */
    uv_idle_t soon; /* what is due now */
    uv_prepare_t turns; /* how long a turn of the loop takes */
    unsigned open_handles;
    int64_t turn_began_us, idle_us; /* idle_us: that the loop had waited by then */
    int64_t suspended_ms; /* boot - mono at the last look */
    int64_t wall_offset_ms; /* wall - boot at the last look */
    int64_t slow_boot_ms; /* when the slow round was last made */
    size_t given_back; /* bytes: free in the heap when it was last trimmed, or fewer since */
    int64_t watchdog_boot_ms;

    int64_t started_ms, loaded_ms, started_boot_ms;
    bool is_started, was_lost, is_full;
    int64_t reload_ms;
    bool reload_ok;
    char *reload_error;
    uv_work_t reload_work; /* one reload at a time; who asks meanwhile is answered by the next */
    bool is_reloading;
    Snapshot *reload_snapshot;
    Problems *reload_problems;
    ReloadWaiter reload_waiters[RELOAD_WAITERS];
    size_t reload_waiting, reload_serving; /* the first `reload_serving` belong to the one that runs */

    void (*stopped)(void *ctx);
    void *stopped_ctx;
    int64_t stop_boot_ms; /* when the stop began; 0: not yet */
};

void engine_apply_snapshot(Engine *engine, Snapshot *snapshot); /* everything that follows a configuration */
char *engine_status_text(Engine *engine); /* what hurts, in one line; caller frees */

#endif
