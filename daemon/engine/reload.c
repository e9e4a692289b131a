/* daemon/engine/reload.c: all or nothing: read and checked on the pool, swapped on the loop (I15) */
#include "engine/parts.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/systemd.h"
#include "store/store_section.h"

#include <stdlib.h>
#include <string.h>

static const Metric reloads_metric = {
    "tocsin_config_reloads_total", "Reloads by their outcome.", METRIC_COUNTER, {"result"}};

static void begin(Engine *engine);

static void load_on_pool(uv_work_t *work) {
    Engine *engine = work->data;
    engine->reload_snapshot =
        snapshot_load(engine->options.schema, engine->options.file, false, engine->reload_problems);
}

/* What only a restart can change (design, "Configuration"). */
static bool state_stays(const Snapshot *before, const Snapshot *after, Problems *all) {
    const StateSection *old = snapshot_section(before, &state_section), *new = snapshot_section(after, &state_section);
    if (!strcmp(old->directory, new->directory)) return true;
    return problem_add(all, (Place){snapshot_file(after), 1, 1}, "restart Tocsin, or put it back",
        "state.directory changed from `%s` to `%s`, which needs a restart", old->directory, new->directory);
}

static bool swap(Engine *engine) {
    Snapshot *after = engine->reload_snapshot;
    Problems *all = engine->reload_problems;
    if (!after || problems_errors(all)) return false;
    if (!state_stays(engine->core.snapshot, after, all)) return false;
    if (engine->options.accept && !engine->options.accept(engine->options.ctx, engine->core.snapshot, after, all))
        return false;
    Error err = {0};
    if (!plugin_host_configure(engine->host, after, &err))
        return problem_add(all, (Place){snapshot_file(after), 1, 1}, NULL, "%s", err.text);
    engine_apply_snapshot(engine, after);
    return true;
}

/* The first problem, for the status and the alarm; the whole list goes to the log and to who asked. */
static char *first_problem(const Problems *all) {
    OWN(json) json_t *lines = problems_json(all);
    const char *first = json_string_value(json_array_get(lines, 0));
    const size_t count = problems_errors(all);
    return count > 1 ? text_format("%s (and %zu more)", first ? first : "", count - 1)
                     : text_copy(first ? first : "could not be read");
}

static void log_problems(const Problems *all) {
    OWN(json) json_t *lines = problems_json(all);
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line) LOG(ERROR, "configuration problem", KV("at", json_string_value(line)));
}

static void record(Engine *engine, bool ok) {
    engine->reload_ms = clock_wall_ms(engine->core.clock);
    engine->reload_ok = ok;
    free(engine->reload_error);
    engine->reload_error = ok ? NULL : first_problem(engine->reload_problems);
    metric_add(engine->core.metrics, &reloads_metric, 1, METRIC_VALUES(ok ? "success" : "failure"));
    if (ok) {
        LOG(INFO, "configuration reloaded", KV("file", engine->options.file));
    } else {
        log_problems(engine->reload_problems);
        LOG(ERROR, "reload refused: the old configuration stays in force", KV("file", engine->options.file));
    }
    own_set(engine->own, &own_reload_failed, NULL, !ok, ok ? "the last reload went well" : engine->reload_error);
}

static void answer(Engine *engine, size_t served, bool ok) {
    ReloadWaiter waiters[RELOAD_WAITERS];
    memcpy(waiters, engine->reload_waiters, sizeof waiters);
    engine->reload_waiting -= served;
    memmove(engine->reload_waiters, engine->reload_waiters + served, engine->reload_waiting * sizeof *waiters);
    for (size_t i = 0; i < served; i++)
        if (waiters[i].done) waiters[i].done(waiters[i].ctx, ok, engine->reload_problems);
}

static void say_stopping(const Engine *engine, Problems *all) {
    problem_add(all, (Place){engine->options.file, 1, 1}, "its next start reads the file",
        "Tocsin is stopping: nothing is reloaded");
}

/* Too late: it is no failure of the file, and who waits for the next one waits in vain. */
static void abandon(Engine *engine) {
    say_stopping(engine, engine->reload_problems);
    answer(engine, engine->reload_waiting, false);
}

static void loaded(uv_work_t *work, int status) {
    Engine *engine = work->data;
    if (engine->stop_boot_ms) {
        abandon(engine);
    } else {
        const bool ok = status == 0 && swap(engine);
        record(engine, ok);
        answer(engine, engine->reload_serving, ok);
    }
    engine->reload_snapshot = snapshot_free(engine->reload_snapshot);
    engine->reload_problems = problems_free(engine->reload_problems);
    engine->is_reloading = false;
    if (engine->stop_boot_ms) return;
    OWN(text) char *status_text = engine_status_text(engine);
    systemd_ready(status_text); /* on failure too: the reload is over */
    if (engine->reload_waiting) begin(engine);
}

static void begin(Engine *engine) {
    engine->is_reloading = true;
    engine->reload_serving = engine->reload_waiting;
    engine->reload_problems = problems_new();
    engine->reload_work.data = engine;
    systemd_reloading(clock_mono_us(engine->core.clock));
    uv_queue_work(engine->core.loop, &engine->reload_work, load_on_pool, loaded);
}

void engine_reload(Engine *engine, EngineReloaded *done, void *ctx) {
    const bool is_covered = engine->is_reloading && engine->reload_waiting > engine->reload_serving;
    if (is_covered && !done) return; /* one that begins later is asked for: signals do not take the clients' places */
    if (engine->stop_boot_ms || engine->reload_waiting == RELOAD_WAITERS) {
        OWN(problems) Problems *all = problems_new();
        if (engine->stop_boot_ms)
            say_stopping(engine, all);
        else /* each waiter is a client of ours: the socket's own bound is lower */
            problem_add(all, (Place){engine->options.file, 1, 1}, "wait for them", "too many reloads wait");
        if (done) done(ctx, false, all);
        return;
    }
    engine->reload_waiters[engine->reload_waiting++] = (ReloadWaiter){done, ctx};
    if (!engine->is_reloading) begin(engine);
}
