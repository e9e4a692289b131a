/* Commit 1: changes of instances, their history, the cursor and the groups that must hear, as one transaction; applied
 * to memory when it is on disk. When the disk is full they are applied all the same, marked not durable, and what was
 * not written waits in order and is tried again (design, "Memory becomes true at the commit"). What became true is then
 * announced, some a turn. Loop thread. */
#ifndef TOCSIN_ENGINE_BATCH_H
#define TOCSIN_ENGINE_BATCH_H

#include "engine/core.h"

enum { BACKLOG_MAX = 10000, BACKLOG_RETRY_MS = 5000 };

typedef struct Backlog Backlog; /* what a full disk has not taken yet, or nobody was told of; one an engine */
Backlog *backlog_new(Core *core);
Backlog *backlog_free(Backlog *backlog); /* NULL is fine; returns NULL */
OWN_DEFINE(Backlog, backlog)
size_t backlog_count(const Backlog *backlog);
/* Tries the oldest again when its time has come, and announces what became true. */
void backlog_tick(Backlog *backlog);
bool backlog_is_announcing(const Backlog *backlog); /* and there is more of that */

typedef struct Batch Batch;
typedef void BatchDone(void *ctx); /* once, on the loop, after memory became true; never inside batch_commit() */

Batch *batch_new(Backlog *backlog);
Batch *batch_free(Batch *batch); /* of one that is not committed: nothing of it counts. NULL is fine; returns NULL */
void batch_add(Batch *batch, InstanceChange *take_change);
void batch_forget(Batch *batch, const char *fingerprint); /* the row and the instance go */
void batch_cursor(Batch *batch, const char *name, const char *value_json); /* NULL: it is forgotten */
/* An event counts from here on: never again, and for an instance until its matches before a time are forgotten. */
void batch_seen(Batch *batch, const char *scope, const char *id, int64_t seen_ms);
void batch_forget_seen(Batch *batch, const char *scope, int64_t before_ms);
void batch_match(Batch *batch, const MatchRow *row);
void batch_forget_matches(Batch *batch, const char *fingerprint, int64_t before_ms);
void batch_commit(Batch *take_batch, BatchDone *done, void *ctx); /* `done` may be NULL */

#endif
