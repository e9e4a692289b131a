#include "store/store_worker.h"

#include "base/alloc.h"
#include "base/log.h"
#include "store/store_damage.h"
#include "store/store_file.h"
#include "store/store_reserve.h"
#include "store/store_sql.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>
#include <uv.h>

struct StoreWorker {
    uv_thread_t thread;
    uv_mutex_t lock; /* for the five members below */
    uv_cond_t wake; /* something to do */
    uv_cond_t over; /* something was answered, or it has ended */
    Job *waiting, *answered;
    PruneLimits limits;
    bool is_tidying, is_stopping, has_ended;
    WorkerFigures figures;

    /* What follows is the store thread's alone. */
    sqlite3 *db;
    Statements *statements;
    char *directory;
    int wal_pages; /* since the last commit said so */
    StoreWoken *woken;
    void *ctx;
};

/* The one way out when the disk fails: what memory holds is no longer what the file will hold, and an fsync that failed
 * once may claim success the next time although the pages are lost. Exits at once: systemd starts anew, and the file
 * is checked then. */
static _Noreturn void give_up(StoreWorker *worker, int code) {
    const int number = sqlite3_system_errno(worker->db); /* SQLite keeps none of a failed sync */
    LOG(ERROR, "the state file failed; exiting at once, so that nothing is told that is not on disk",
        KV("error", sqlite3_errstr(code)), KV("detail", sqlite3_errmsg(worker->db)), KV("code", code),
        KV("system", number ? strerror(number) : ""), KV("directory", worker->directory));
    if (damage_is_told(worker->db, code)) damage_mark(worker->directory, sqlite3_db_filename(worker->db, "main"));
    _exit(1);
}

static int note_wal(void *ctx, sqlite3 *db, const char *name, int pages) {
    (void)db, (void)name;
    StoreWorker *worker = ctx;
    worker->wal_pages = pages;
    return SQLITE_OK;
}

/* A fault that leaves nothing to do but to go on later: no room, or another program's lock. */
static bool is_passing(StoreWorker *worker, int code) {
    switch (sql_fault(worker->db, code)) {
    case SQL_FINE:
    case SQL_NO_ROOM:
    case SQL_LOCKED: return true;
    case SQL_UNREADABLE:
    case SQL_BROKEN: break;
    }
    give_up(worker, code);
}

/* Writes the WAL back; a reader may keep it from getting all the way, the next time it gets further. */
static void write_back(StoreWorker *worker, int mode) {
    const int code = sqlite3_wal_checkpoint_v2(worker->db, NULL, mode, NULL, NULL);
    if (code == SQLITE_OK) worker->wal_pages = 0;
    if (is_passing(worker, code) && sql_fault(worker->db, code) == SQL_NO_ROOM && reserve_release(worker->directory))
        write_back(worker, mode);
}

static int try_commit(StoreWorker *worker, Job *jobs) {
    int code = sql_run(worker->db, "BEGIN IMMEDIATE");
    Job *job;
    if (code == SQLITE_OK)
        DL_FOREACH(jobs, job) {
            code = job_apply(worker->statements, job);
            if (code != SQLITE_OK) break;
        }
    if (code == SQLITE_OK) code = sql_run(worker->db, "COMMIT");
    if (code != SQLITE_OK && is_passing(worker, code) &&
        !sqlite3_get_autocommit(worker->db)) /* FULL may have done it */
        sql_run(worker->db, "ROLLBACK");
    return code;
}

/* The disk is full, and a DELETE needs room as well: the reserve goes first, then the oldest history. */
static void make_room(StoreWorker *worker) {
    int64_t rows = 0;
    const bool released = reserve_release(worker->directory);
    const int code = prune_for_room(worker->db, &rows);
    is_passing(worker, code);
    write_back(worker, SQLITE_CHECKPOINT_TRUNCATE);
    LOG(WARNING, "no room for the state: gave back what was put by for that (free some disk space)",
        KV("directory", worker->directory), KV("reserve_bytes", released ? RESERVE_BYTES : 0),
        KV("history_rows", rows));
}

static StoreOutcome commit(StoreWorker *worker, Job *jobs) {
    int code = try_commit(worker, jobs);
    if (sql_fault(worker->db, code) == SQL_NO_ROOM) {
        make_room(worker);
        code = try_commit(worker, jobs);
    }
    if (code == SQLITE_OK) return STORE_OK;
    LOG(ERROR, "the state cannot be written now; alarms go on in memory (free disk space, or end what locks the file)",
        KV("directory", worker->directory), KV("error", sqlite3_errstr(code)));
    return STORE_FULL;
}

/* Moves up to STORE_GROUP jobs out of what waits. Locked. */
static Job *take_group(StoreWorker *worker, int64_t *ret_count) {
    Job *group = NULL;
    for (*ret_count = 0; worker->waiting && *ret_count < STORE_GROUP; ++*ret_count) {
        Job *job = worker->waiting;
        DL_DELETE(worker->waiting, job);
        DL_APPEND(group, job);
    }
    return group;
}

static void answer(StoreWorker *worker, Job *group, int64_t count, StoreOutcome outcome) {
    Job *job;
    DL_FOREACH(group, job) job->outcome = outcome;
    uv_mutex_lock(&worker->lock);
    DL_CONCAT(worker->answered, group);
    worker->figures.commits += outcome == STORE_OK;
    worker->figures.full += outcome == STORE_FULL;
    worker->figures.jobs += count;
    uv_cond_signal(&worker->over);
    uv_mutex_unlock(&worker->lock);
    worker->woken(worker->ctx);
}

static void tidy_slice(StoreWorker *worker, const PruneLimits *limits) {
    int64_t rows = 0;
    const int code = prune_slice(worker->db, limits, &rows);
    is_passing(worker, code);
    const bool is_done = code != SQLITE_OK || rows == 0;
    const bool has_reserve = is_done && reserve_make(worker->directory);
    uv_mutex_lock(&worker->lock);
    worker->figures.pruned += rows;
    if (is_done) {
        worker->figures.has_reserve = has_reserve;
        worker->is_tidying = false;
    }
    uv_mutex_unlock(&worker->lock);
}

static void end(StoreWorker *worker) {
    worker->statements = statements_free(worker->statements);
    const int code = store_file_close(worker->db);
    if (code != SQLITE_OK)
        LOG(WARNING, "the state file could not be closed cleanly; the next start checks it",
            KV("error", sqlite3_errstr(code)));
    uv_mutex_lock(&worker->lock);
    worker->has_ended = true;
    uv_cond_signal(&worker->over);
    uv_mutex_unlock(&worker->lock);
}

static void run(void *ctx) {
    StoreWorker *worker = ctx;
    for (;;) {
        uv_mutex_lock(&worker->lock);
        while (!worker->waiting && !worker->is_tidying && !worker->is_stopping)
            uv_cond_wait(&worker->wake, &worker->lock);
        int64_t count;
        Job *group = take_group(worker, &count);
        const bool is_stopping = worker->is_stopping, is_tidying = worker->is_tidying && !is_stopping;
        const PruneLimits limits = worker->limits;
        uv_mutex_unlock(&worker->lock);
        if (group) answer(worker, group, count, commit(worker, group));
        if (is_tidying) tidy_slice(worker, &limits); /* after each group, so that no load puts it off for ever */
        if (!group && is_stopping) break;
        if (worker->wal_pages >= STORE_CHECKPOINT_PAGES) write_back(worker, SQLITE_CHECKPOINT_PASSIVE);
    }
    end(worker);
}

StoreWorker *worker_start(
    sqlite3 *take_db, Statements *take_statements, const char *directory, StoreWoken *woken, void *ctx) {
    StoreWorker *worker = alloc_zeroed(1, sizeof *worker);
    worker->statements = take_statements;
    worker->db = take_db;
    worker->directory = text_copy(directory);
    worker->woken = woken;
    worker->ctx = ctx;
    worker->figures.has_reserve = reserve_make(directory);
    sqlite3_wal_hook(take_db, note_wal, worker);
    uv_mutex_init(&worker->lock);
    uv_cond_init(&worker->wake);
    uv_cond_init(&worker->over);
    if (uv_thread_create(&worker->thread, run, worker) != 0) abort();
    return worker;
}

void worker_push(StoreWorker *worker, Job *take_job) {
    uv_mutex_lock(&worker->lock);
    DL_APPEND(worker->waiting, take_job);
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->lock);
}

Job *worker_answered(StoreWorker *worker) {
    uv_mutex_lock(&worker->lock);
    Job *jobs = GIVE(worker->answered);
    uv_mutex_unlock(&worker->lock);
    return jobs;
}

void worker_tidy(StoreWorker *worker, const PruneLimits *limits) {
    uv_mutex_lock(&worker->lock);
    worker->limits = *limits;
    worker->is_tidying = true;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->lock);
}

WorkerFigures worker_figures(StoreWorker *worker) {
    uv_mutex_lock(&worker->lock);
    const WorkerFigures figures = worker->figures;
    uv_mutex_unlock(&worker->lock);
    return figures;
}

bool worker_wait(StoreWorker *worker, int64_t wait_ms) {
    if (wait_ms <= 0) return false;
    uv_mutex_lock(&worker->lock);
    int waited = 0;
    while (!worker->answered && waited == 0)
        waited = uv_cond_timedwait(&worker->over, &worker->lock, (uint64_t)wait_ms * 1000000);
    const bool is_answered = worker->answered != NULL;
    uv_mutex_unlock(&worker->lock);
    return is_answered;
}

bool worker_stop(StoreWorker *worker, int64_t wait_ms) {
    uv_mutex_lock(&worker->lock);
    worker->is_stopping = true;
    uv_cond_signal(&worker->wake);
    int waited = 0;
    while (!worker->has_ended && waited == 0)
        waited = uv_cond_timedwait(&worker->over, &worker->lock, (uint64_t)wait_ms * 1000000);
    const bool has_ended = worker->has_ended;
    uv_mutex_unlock(&worker->lock);
    return has_ended;
}

StoreWorker *worker_free(StoreWorker *worker) {
    if (!worker) return NULL;
    uv_thread_join(&worker->thread);
    uv_cond_destroy(&worker->over);
    uv_cond_destroy(&worker->wake);
    uv_mutex_destroy(&worker->lock);
    free(worker->directory);
    free(worker);
    return NULL;
}
