#include "store/store_reader.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/log.h"
#include "store/store_file.h"
#include "store/store_page.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

typedef struct Query Query;
struct Query {
    uv_work_t work;
    Query *prev, *next; /* utlist */
    Reader *reader;
    Arena *arena;
    int64_t now_ms;
    /* One of the three is asked: the others' `done` is NULL. */
    StoreHistoryDone *history_done;
    StoreOutboxDone *outbox_done;
    StoreDecisionsDone *decisions_done;
    void *ctx;
    HistoryQuery history;
    OutboxQuery outbox;
    DecisionQuery decisions;
    HistoryPage history_page;
    OutboxPage outbox_page;
    DecisionPage decision_page;
    bool is_read;
};

struct Reader {
    uv_loop_t *loop;
    const Clock *clock;
    Metrics *metrics;
    char *directory;
    Query *waiting, *running;
    size_t waiting_count;
    Query *refused; /* answered at the next turn, not inside the call */
    bool is_closing;
    uv_mutex_t lock; /* for the two members below: the pool's side */
    uv_cond_t over;
    bool is_reading;
    sqlite3 *db;
};

static const Metric refused_metric = {.name = "tocsin_store_queries_refused_total",
    .help = "Queries of history or notifications refused because too many waited (QUERIES_MAX).",
    .type = METRIC_COUNTER};

static Query *query_free(Query *query) {
    arena_free(query->arena);
    free(query);
    return NULL;
}

/* The one way out of a query: `done` runs once. */
static void query_answer(Query *query) {
    const HistoryPage history = query->is_read ? query->history_page : (HistoryPage){0};
    const OutboxPage outbox = query->is_read ? query->outbox_page : (OutboxPage){0};
    if (query->history_done) query->history_done(query->ctx, history.rows, history.count, history.next);
    if (query->outbox_done) query->outbox_done(query->ctx, outbox.rows, outbox.count, outbox.next);
    const DecisionPage decisions = query->is_read ? query->decision_page : (DecisionPage){0};
    if (query->decisions_done) query->decisions_done(query->ctx, decisions.rows, decisions.count);
    query->history_done = NULL;
    query->outbox_done = NULL;
    query->decisions_done = NULL;
}

static void reader_gone(Reader *reader) {
    uv_cond_destroy(&reader->over);
    uv_mutex_destroy(&reader->lock);
    free(reader->directory);
    free(reader);
}

static sqlite3 *open_once(Reader *reader) {
    uv_mutex_lock(&reader->lock);
    if (!reader->db) reader->db = store_file_open_reader(reader->directory);
    sqlite3 *db = reader->db;
    uv_mutex_unlock(&reader->lock);
    return db;
}

static void read_on_pool(uv_work_t *work) {
    Query *query = work->data;
    Reader *reader = query->reader;
    sqlite3 *db = open_once(reader);
    if (db && query->history_done)
        query->is_read = page_history(db, &query->history, query->now_ms, query->arena, &query->history_page);
    else if (db && query->decisions_done)
        query->is_read = page_decisions(db, &query->decisions, query->now_ms, query->arena, &query->decision_page);
    else if (db)
        query->is_read = page_outbox(db, &query->outbox, query->now_ms, query->arena, &query->outbox_page);
    uv_mutex_lock(&reader->lock);
    reader->is_reading = false;
    uv_cond_signal(&reader->over);
    uv_mutex_unlock(&reader->lock);
}

static void start_next(Reader *reader);

static void answer_refused(Reader *reader) {
    while (reader->refused) {
        Query *query = reader->refused;
        DL_DELETE(reader->refused, query);
        query_answer(query);
        query_free(query);
    }
}

static void read_done(uv_work_t *work, int status) {
    (void)status; /* cancelled: reader_free() has answered it */
    Query *query = work->data;
    Reader *reader = query->reader;
    reader->running = NULL;
    if (!reader->is_closing) query_answer(query);
    query_free(query);
    if (!reader->is_closing) answer_refused(reader);
    if (reader->is_closing)
        reader_gone(reader);
    else
        start_next(reader);
}

static void start_next(Reader *reader) {
    Query *query = reader->waiting;
    if (!query || reader->running) return;
    DL_DELETE(reader->waiting, query);
    reader->waiting_count--;
    reader->running = query;
    reader->is_reading = true;
    query->work.data = query;
    uv_queue_work(reader->loop, &query->work, read_on_pool, read_done);
}

static void take_in(Reader *reader, Query *query) {
    if (reader->waiting_count >= QUERIES_MAX || reader->is_closing) {
        LOG(WARNING, "too many queries wait for the state file; one is refused", KV("QUERIES_MAX", QUERIES_MAX));
        metric_add(reader->metrics, &refused_metric, 1, NULL);
        DL_APPEND(reader->refused, query);
        return;
    }
    DL_APPEND(reader->waiting, query);
    reader->waiting_count++;
    start_next(reader);
}

static Query *query_new(Reader *reader, void *ctx) {
    Query *query = alloc_zeroed(1, sizeof *query);
    query->reader = reader;
    query->arena = arena_new();
    query->now_ms = clock_wall_ms(reader->clock);
    query->ctx = ctx;
    return query;
}

void reader_history(Reader *reader, const HistoryQuery *asked, StoreHistoryDone *done, void *ctx) {
    Query *query = query_new(reader, ctx);
    query->history = *asked;
    query->history.name = arena_text(query->arena, asked->name);
    query->history.fingerprint = arena_text(query->arena, asked->fingerprint);
    query->history_done = done;
    take_in(reader, query);
}

void reader_decisions(Reader *reader, const DecisionQuery *asked, StoreDecisionsDone *done, void *ctx) {
    Query *query = query_new(reader, ctx);
    query->decisions = *asked;
    query->decisions.fingerprint = arena_text(query->arena, asked->fingerprint);
    query->decisions_done = done;
    take_in(reader, query);
}

void reader_outbox(Reader *reader, const OutboxQuery *asked, StoreOutboxDone *done, void *ctx) {
    Query *query = query_new(reader, ctx);
    query->outbox = *asked;
    query->outbox.state = arena_text(query->arena, asked->state);
    query->outbox.after = arena_text(query->arena, asked->after);
    query->outbox_done = done;
    take_in(reader, query);
}

Reader *reader_new(uv_loop_t *loop, const Clock *clock, Metrics *metrics, const char *directory) {
    Reader *reader = alloc_zeroed(1, sizeof *reader);
    reader->loop = loop;
    reader->clock = clock;
    reader->metrics = metrics;
    reader->directory = text_copy(directory);
    uv_mutex_init(&reader->lock);
    uv_cond_init(&reader->over);
    return reader;
}

/* Until the pool is out of the connection. False: it still is in it, and keeps it. */
static bool wait_for_pool(Reader *reader, int64_t wait_ms) {
    if (!reader->running || uv_cancel((uv_req_t *)&reader->running->work) == 0) return true;
    uv_mutex_lock(&reader->lock);
    if (reader->db) sqlite3_interrupt(reader->db);
    int waited = 0;
    while (reader->is_reading && waited == 0)
        waited = uv_cond_timedwait(&reader->over, &reader->lock, (uint64_t)wait_ms * 1000000);
    const bool is_out = !reader->is_reading;
    uv_mutex_unlock(&reader->lock);
    return is_out;
}

Reader *reader_free(Reader *reader, int64_t wait_ms) {
    if (!reader) return NULL;
    reader->is_closing = true;
    if (wait_for_pool(reader, wait_ms)) sqlite3_close(reader->db);
    if (reader->running) {
        reader->running->is_read = false;
        query_answer(reader->running);
    }
    DL_CONCAT(reader->refused, reader->waiting);
    reader->waiting = NULL;
    answer_refused(reader);
    if (!reader->running) reader_gone(reader);
    return NULL;
}
