#include "store/store.h"

#include "base/alloc.h"
#include "base/log.h"
#include "store/store_file.h"
#include "store/store_lock.h"
#include "store/store_reader.h"
#include "store/store_worker.h"

#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

enum {
    STORE_QUEUE_MAX =
        100000, /* jobs that wait: a poll group has one in flight, so more means that the disk stands still */
    STORE_TIDY_MS = 60000,
    STORE_ANSWER_MS = 10, /* for so long callbacks run in one turn of the loop */
    STORE_CLOSE_MS = 10000
};

struct Store {
    uv_loop_t *loop;
    const Clock *clock;
    Metrics *metrics;
    int lock_fd;
    PruneLimits limits;
    StoreWorker *worker;
    Reader *reader;
    StoreLoad *load; /* until it is asked for */
    bool is_abandoned; /* the thread stands in the disk, and nobody listens to it */
    uv_async_t wake;
    uv_timer_t tidy;
    unsigned open_handles;
    Job *owed; /* all that was handed in and not answered, oldest first */
    Job *answered; /* their outcome is known, their callback has not run yet */
    size_t owed_count;
};

static const Metric commits_metric = {
    .name = "tocsin_store_commits_total", .help = "Transactions on disk.", .type = METRIC_COUNTER};
static const Metric jobs_metric = {.name = "tocsin_store_jobs_total",
    .help = "Batches, leases and results that were answered; up to 64 share a transaction.",
    .type = METRIC_COUNTER};
static const Metric full_metric = {.name = "tocsin_store_full_total",
    .help = "Transactions that found no room, even after the reserve was given back.",
    .type = METRIC_COUNTER};
static const Metric pruned_metric = {.name = "tocsin_store_pruned_rows_total",
    .help = "Rows past their limits that were deleted.",
    .type = METRIC_COUNTER};
static const Metric reserve_metric = {.name = "tocsin_store_reserve",
    .help = "1 while the room put by for a full disk (tocsin.reserve) is there.",
    .type = METRIC_GAUGE};
static const Metric queued_metric = {
    .name = "tocsin_store_queued", .help = "Batches handed in and not yet on disk.", .type = METRIC_GAUGE};

static void show_figures(Store *store) {
    const WorkerFigures figures = worker_figures(store->worker);
    metric_set(store->metrics, &commits_metric, (double)figures.commits, NULL);
    metric_set(store->metrics, &jobs_metric, (double)figures.jobs, NULL);
    metric_set(store->metrics, &full_metric, (double)figures.full, NULL);
    metric_set(store->metrics, &pruned_metric, (double)figures.pruned, NULL);
    metric_set(store->metrics, &reserve_metric, figures.has_reserve ? 1 : 0, NULL);
    metric_set(store->metrics, &queued_metric, (double)store->owed_count, NULL);
}

/* Only what is owed keeps the loop alive. */
static void hold_loop(Store *store) {
    if (store->owed_count > 0)
        uv_ref((uv_handle_t *)&store->wake);
    else
        uv_unref((uv_handle_t *)&store->wake);
}

/* The one way out of a job. A callback may hand in the next, or close the store. */
static void answer_one(Store *store) {
    OWN(job) Job *job = store->answered;
    DL_DELETE(store->answered, job);
    DL_DELETE2(store->owed, job, owed_prev, owed_next);
    store->owed_count--;
    if (job->done) job->done(job->ctx, job->outcome);
    if (job->message_done) job->message_done(job->ctx, job->outcome, job->message);
}

static void answer_all(Store *store) {
    while (store->answered) answer_one(store);
}

static void collect(Store *store) {
    Job *jobs = worker_answered(store->worker);
    DL_CONCAT(store->answered, jobs);
}

static void on_wake(uv_async_t *wake) {
    Store *store = wake->data;
    if (store->is_abandoned) return; /* all of it was told already */
    if (!store->worker) return; /* closed inside a callback: it was all answered there */
    collect(store);
    const int64_t began_ms = clock_mono_ms(store->clock);
    while (store->answered && clock_mono_ms(store->clock) - began_ms < STORE_ANSWER_MS) answer_one(store);
    if (!store->worker) return;
    if (store->answered) uv_async_send(&store->wake); /* others have their turn first */
    hold_loop(store);
    show_figures(store);
}

static void wake_loop(void *ctx) { /* on the store thread */
    Store *store = ctx;
    uv_async_send(&store->wake);
}

static void tidy_now(Store *store) {
    store->limits.now_ms = clock_wall_ms(store->clock);
    worker_tidy(store->worker, &store->limits);
}

static void on_tidy(uv_timer_t *timer) { tidy_now(timer->data); }

static void handle_closed(uv_handle_t *handle) {
    Store *store = handle->data;
    if (--store->open_handles == 0) free(store);
}

static void init_handles(Store *store) {
    uv_async_init(store->loop, &store->wake, on_wake);
    uv_timer_init(store->loop, &store->tidy);
    store->wake.data = store->tidy.data = store;
    store->open_handles = 2;
    uv_timer_start(&store->tidy, on_tidy, STORE_TIDY_MS, STORE_TIDY_MS);
    uv_unref((uv_handle_t *)&store->wake);
    uv_unref((uv_handle_t *)&store->tidy);
}

static Store *store_new(uv_loop_t *loop, const Clock *clock, Metrics *metrics, const StoreOptions *options) {
    Store *store = alloc_zeroed(1, sizeof *store);
    *store = (Store){.loop = loop, .clock = clock, .metrics = metrics};
    store->limits = (PruneLimits){0, options->history_keep_ms, options->history_max_rows};
    store->reader = reader_new(loop, clock, metrics, options->directory);
    init_handles(store);
    return store;
}

/* The memory goes when the loop has closed the handles. */
static void store_end(Store *store) {
    store->load = store_load_free(store->load);
    if (store->lock_fd >= 0) close(store->lock_fd);
    uv_close((uv_handle_t *)&store->wake, handle_closed);
    uv_close((uv_handle_t *)&store->tidy, handle_closed);
}

Store *store_open(
    uv_loop_t *loop, const Clock *clock, Metrics *metrics, const StoreOptions *options, char **ret_lost, Error *err) {
    const int lock_fd = store_lock(options->directory, err);
    if (lock_fd < 0) return NULL;
    StoreFile file;
    if (!store_file_open(options, clock_wall_ms(clock), &file, err)) {
        close(lock_fd);
        return NULL;
    }
    Store *store = store_new(loop, clock, metrics, options);
    store->lock_fd = lock_fd;
    store->load = file.load;
    store->worker = worker_start(file.db, file.statements, options->directory, wake_loop, store);
    *ret_lost = file.lost;
    tidy_now(store);
    return store;
}

StoreLoad *store_load_all(Store *store, Error *err) {
    if (!store->load) error_set(err, ERROR_LOCAL, "the state was loaded before");
    return GIVE(store->load);
}

static void hand_in(Store *store, Job *job, StoreDone *done, void *ctx) {
    job->done = done;
    job->ctx = ctx;
    job->handed_in_ms = clock_mono_ms(store->clock);
    DL_APPEND2(store->owed, job, owed_prev, owed_next);
    store->owed_count++;
    hold_loop(store);
    if (store->owed_count <= STORE_QUEUE_MAX) {
        worker_push(store->worker, job);
        return;
    }
    LOG(ERROR, "too many batches wait for the disk; the newest is not written", KV("STORE_QUEUE_MAX", STORE_QUEUE_MAX));
    job->outcome = STORE_FULL;
    DL_APPEND(store->answered, job);
    uv_async_send(&store->wake);
}

void store_commit_batch(Store *store, const StoreBatch *batch, StoreDone *done, void *ctx) {
    hand_in(store, job_new_batch(batch), done, ctx);
}

void store_lease(Store *store, const char *id, int64_t attempts, StoreMessage *done, void *ctx) {
    hand_in(store, job_new_lease(id, attempts, done), NULL, ctx);
}

void store_message(Store *store, const char *id, StoreMessage *done, void *ctx) {
    hand_in(store, job_new_message(id, done), NULL, ctx);
}

void store_finish(Store *store, const OutboxResult *result, StoreDone *done, void *ctx) {
    hand_in(store, job_new_finish(result), done, ctx);
}

void store_history(Store *store, const HistoryQuery *query, StoreHistoryDone *done, void *ctx) {
    reader_history(store->reader, query, done, ctx);
}

void store_decisions(Store *store, const DecisionQuery *query, StoreDecisionsDone *done, void *ctx) {
    reader_decisions(store->reader, query, done, ctx);
}

void store_outbox(Store *store, const OutboxQuery *query, StoreOutboxDone *done, void *ctx) {
    reader_outbox(store->reader, query, done, ctx);
}

size_t store_queued(const Store *store) { return store->owed_count; }

int64_t store_waiting_ms(const Store *store) {
    return store->owed ? clock_mono_ms(store->clock) - store->owed->handed_in_ms : 0;
}

void store_set_history(Store *store, int64_t keep_ms, int64_t max_rows) {
    store->limits.history_keep_ms = keep_ms;
    store->limits.history_max_rows = max_rows;
    tidy_now(store);
}

/* The thread stands in the disk and keeps its jobs: they are told, and left to it, whatever it says of them later. It
 * may still wake the loop, so that handle stays open; it holds the loop no more. The process ends next. */
static void abandon(Store *store) {
    LOG(ERROR, "the state file did not close in time; what was not answered may be lost",
        KV("jobs", store->owed_count));
    Job *job;
    DL_FOREACH2(store->owed, job, owed_next) {
        if (job->done) job->done(job->ctx, STORE_STOPPED);
        if (job->message_done) job->message_done(job->ctx, STORE_STOPPED, NULL);
    }
    store->is_abandoned = true;
    uv_unref((uv_handle_t *)&store->wake);
    uv_close((uv_handle_t *)&store->tidy, NULL);
}

Store *store_close(Store *store) {
    if (!store) return NULL;
    store->reader = reader_free(store->reader, STORE_CLOSE_MS); /* first: the file is written back by its last user */
    const int64_t end_ms = clock_mono_ms(store->clock) + STORE_CLOSE_MS;
    collect(store);
    for (answer_all(store); store->owed; answer_all(store)) { /* a callback may hand in what follows from its own */
        if (!worker_wait(store->worker, end_ms - clock_mono_ms(store->clock))) break;
        collect(store);
    }
    const int64_t left_ms = end_ms - clock_mono_ms(store->clock);
    const bool has_ended = worker_stop(store->worker, left_ms > 0 ? left_ms : 0);
    collect(store);
    answer_all(store);
    if (!has_ended) {
        abandon(store);
        return NULL;
    }
    store->worker = worker_free(store->worker);
    store_end(store);
    return NULL;
}
