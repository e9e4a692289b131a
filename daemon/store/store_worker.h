/* The store thread: takes jobs in order, up to STORE_GROUP in one transaction, answers when it is on disk, then writes
 * the WAL back and prunes. Every function here is for the loop; `woken` runs on the store thread and may do no more
 * than wake the loop. */
#ifndef TOCSIN_STORE_STORE_WORKER_H
#define TOCSIN_STORE_STORE_WORKER_H

#include "store/store_batch.h"
#include "store/store_prune.h"

#include <sqlite3.h>

enum { STORE_GROUP = 64 }; /* jobs in one transaction */

typedef struct StoreWorker StoreWorker;
typedef void StoreWoken(void *ctx);

/* Figures since the start, for the metrics. */
typedef struct WorkerFigures {
    int64_t commits, jobs, full, pruned;
    bool has_reserve;
} WorkerFigures;

/* Takes the connection and its statements. `directory` is copied. Aborts where not even one thread can be had. */
StoreWorker *worker_start(
    sqlite3 *take_db, Statements *take_statements, const char *directory, StoreWoken *woken, void *ctx);
void worker_push(StoreWorker *worker, Job *take_job);
/* All that was answered since the last call, in the order in which it was pushed; the caller's. NULL: nothing. */
Job *worker_answered(StoreWorker *worker);
/* Prunes by these limits, a slice after each transaction or while nothing waits; then makes the reserve anew. */
void worker_tidy(StoreWorker *worker, const PruneLimits *limits);
WorkerFigures worker_figures(StoreWorker *worker);
/* Waits until there is something to take by worker_answered(). False: there was nothing within `wait_ms`. */
bool worker_wait(StoreWorker *worker, int64_t wait_ms);
/* No more pushes: commits what waits, closes the file cleanly. False: it did not end within `wait_ms`, call again;
 * true: it has ended, worker_free() may follow. */
bool worker_stop(StoreWorker *worker, int64_t wait_ms);
/* Joins; what was not taken by worker_answered() must have been. NULL is fine; returns NULL. */
StoreWorker *worker_free(StoreWorker *worker);

#endif
