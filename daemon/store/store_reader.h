/* Queries: one read-only connection, used by one job on libuv's pool at a time; the others wait here, in order. It
 * never checkpoints. Loop thread. */
#ifndef TOCSIN_STORE_STORE_READER_H
#define TOCSIN_STORE_STORE_READER_H

#include "store/store.h"

enum { QUERIES_MAX = 64 }; /* that wait; one more is answered with NULL rows */

typedef struct Reader Reader;

/* The file is opened by the first query. `directory` is copied; clock and metrics are borrowed. */
Reader *reader_new(uv_loop_t *loop, const Clock *clock, Metrics *metrics, const char *directory);
void reader_history(Reader *reader, const HistoryQuery *query, StoreHistoryDone *done, void *ctx);
void reader_decisions(Reader *reader, const DecisionQuery *query, StoreDecisionsDone *done, void *ctx);
void reader_outbox(Reader *reader, const OutboxQuery *query, StoreOutboxDone *done, void *ctx);
/* Interrupts and waits for the query that runs, at most `wait_ms`; every query that is owed an answer gets NULL rows
 * inside. The memory goes when the loop has heard of the end of the pool's job. NULL is fine; returns NULL. */
Reader *reader_free(Reader *reader, int64_t wait_ms);

#endif
