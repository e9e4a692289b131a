/* The state: one SQLite file, written and checkpointed by one thread of its own; every call here is made on the loop
 * and answered there. Batches are committed in the order in which they were handed in, up to 64 in one transaction; a
 * callback runs after its transaction is on disk (WAL, synchronous=FULL). robustness section 2. */
#ifndef TOCSIN_STORE_STORE_H
#define TOCSIN_STORE_STORE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/own.h"
#include "store/rows.h"

#include <uv.h>

typedef struct Store Store;

typedef struct StoreOptions {
    const char *directory; /* made, 0700, if its parent exists */
    int64_t history_keep_ms, history_max_rows;
    int64_t max_bytes; /* a bound on the file, full like a disk beyond it; 0: the disk's own */
    void (*extend)(int64_t ms); /* told during migrations and checks; may be NULL */
} StoreOptions;

typedef enum {
    STORE_OK,
    STORE_FULL, /* no room (or another program holds the file): nothing was written; memory may go on, marked not
                   durable; the batch may be handed in again */
    STORE_STOPPED /* the store was closed first */
} StoreOutcome;

typedef void StoreDone(void *ctx, StoreOutcome outcome); /* once, on the loop, never inside the call */

/* Before the loop runs; blocks. Takes the lock (`tocsin.lock`, flock, pid inside), opens, checks (quick_check when the
 * last stop was not clean), migrates. A file that cannot be read is moved aside with its WAL as `tocsin.db.lost-TIME`
 * and a fresh one is made: `*ret_lost` gets the new name of the old one (caller frees), else NULL. NULL: ERROR_INPUT,
 * the schema is newer (untouched, says both versions), another daemon runs (names its pid), or the directory cannot be
 * used; ERROR_LOCAL, anything else. */
Store *store_open(
    uv_loop_t *loop, const Clock *clock, Metrics *metrics, const StoreOptions *options, char **ret_lost, Error *err);

/* What was there, for one caller once; NULL after that. Rows found `sending` come as pending with crashes + 1 (written
 * back first), unless the last stop was clean; sixth crash: parked (I5). Only outbox rows that are still owed or parked
 * are loaded, oldest first, without their messages. Texts that were stored as NULL come back as NULL; names, keys and
 * states never are. */
typedef struct StoreLoad {
    InstanceRow *instances;
    size_t instance_count;
    GroupRow *groups;
    size_t group_count;
    OutboxRow *outbox;
    size_t outbox_count;
    CursorRow *cursors;
    size_t cursor_count;
    SeenRow *seen;
    size_t seen_count;
    MatchRow *matches; /* by instance, then by the events' time */
    size_t match_count;
    SilenceRow *silences;
    size_t silence_count;
    AckRow *acks;
    size_t ack_count;
    bool was_clean; /* the last stop was clean */
} StoreLoad;
StoreLoad *store_load_all(Store *store, Error *err);
StoreLoad *store_load_free(StoreLoad *load);
/* The texts of all instances below `count` may go: of many, not all must be there twice while memory takes them over.
 * Called after each instance, in their order. */
void store_load_forget(StoreLoad *load, size_t count);
OWN_DEFINE(StoreLoad, store_load)

/* Commits 1 and 2. The batch is copied before the call returns. */
void store_commit_batch(Store *store, const StoreBatch *batch, StoreDone *done, void *ctx);
/* As StoreDone, with the message of a row of the outbox, which is borrowed for the call; NULL: it was not read, or is
 * not there. Messages stay in the file until they are sent: of those that wait there may be very many. */
typedef void StoreMessage(void *ctx, StoreOutcome outcome, const char *message_json);
/* Commit 3: row -> sending, attempts + 1 (to `attempts`), if it is pending with attempts - 1. */
void store_lease(Store *store, const char *id, int64_t attempts, StoreMessage *done, void *ctx);
/* The message alone; nothing is changed. */
void store_message(Store *store, const char *id, StoreMessage *done, void *ctx);
/* Commit 4, and what is done by hand: retry (pending) and discard. Sets crashes to 0. A delivered or discarded row
 * stays. */
void store_finish(Store *store, const OutboxResult *result, StoreDone *done, void *ctx);

/* Queries, on the pool by one read-only connection. Rows belong to the callback for its length. NULL rows: failed. A
 * limit of 0 or above 10,000 means 10,000; a page of long rows ends earlier: go on from `next`. */
typedef struct HistoryQuery {
    const char *name, *fingerprint; /* NULL: any */
    int64_t since_ms, until_ms; /* 0: any; since inclusive, until exclusive */
    int64_t limit, after; /* newest first; `after`: only ids below it, 0: from the newest */
} HistoryQuery;
typedef void StoreHistoryDone(void *ctx, const HistoryRow *rows, size_t count, int64_t next); /* next: 0 at the end */
void store_history(Store *store, const HistoryQuery *query, StoreHistoryDone *done, void *ctx);
typedef struct OutboxQuery {
    const char *state; /* NULL: any */
    int64_t limit;
    const char *after; /* an id; NULL: from the newest */
} OutboxQuery;
typedef void StoreOutboxDone(
    void *ctx, const OutboxRow *rows, size_t count, const char *next); /* next: NULL at the end */
void store_outbox(Store *store, const OutboxQuery *query, StoreOutboxDone *done, void *ctx);

/* What was decided about an alert, newest first, each with the messages that it made. */
typedef struct DecisionQuery {
    const char *fingerprint;
    int64_t until_ms; /* inclusive; 0: any */
    int64_t limit;
} DecisionQuery;
typedef struct DecisionTold {
    DecisionRow decision;
    bool has_message; /* false: none was made, or its record is gone */
    OutboxRow message; /* without message_json. Of a decision with several messages there is a row each */
} DecisionTold;
typedef void StoreDecisionsDone(void *ctx, const DecisionTold *rows, size_t count);
void store_decisions(Store *store, const DecisionQuery *query, StoreDecisionsDone *done, void *ctx);

/* Batches handed in and not yet answered, and how long the oldest waits: the watchdog's condition. */
size_t store_queued(const Store *store);
int64_t store_waiting_ms(const Store *store);

/* Reload: new history limits. */
void store_set_history(Store *store, int64_t keep_ms, int64_t max_rows);

/* Answers what is queued (committing it), marks the stop clean, checkpoints, closes, joins the thread; blocks at most
 * 10 s. Callbacks that are still owed run inside with their real outcome, and what they hand in is committed too.
 * Returns NULL. */
Store *store_close(Store *store);

#endif
