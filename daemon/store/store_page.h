/* One page of history or of the outbox, newest first, from a connection that may read. Any thread that owns it. */
#ifndef TOCSIN_STORE_STORE_PAGE_H
#define TOCSIN_STORE_STORE_PAGE_H

#include "base/arena.h"
#include "store/store.h"

#include <sqlite3.h>

enum {
    PAGE_ROWS_MAX = 10000, /* a limit of 0, or above, means this one */
    PAGE_BYTES_MAX = 16 << 20 /* a page of long rows ends early */
};

/* Rows and texts live in `arena`. False: it could not be read. */
typedef struct HistoryPage {
    HistoryRow *rows;
    size_t count;
    int64_t next; /* 0 at the end */
} HistoryPage;
bool page_history(sqlite3 *db, const HistoryQuery *query, int64_t now_ms, Arena *arena, HistoryPage *ret_page);

typedef struct OutboxPage {
    OutboxRow *rows;
    size_t count;
    const char *next; /* NULL at the end */
} OutboxPage;
bool page_outbox(sqlite3 *db, const OutboxQuery *query, int64_t now_ms, Arena *arena, OutboxPage *ret_page);

typedef struct DecisionPage {
    DecisionTold *rows;
    size_t count;
} DecisionPage;
bool page_decisions(sqlite3 *db, const DecisionQuery *query, int64_t now_ms, Arena *arena, DecisionPage *ret_page);

#endif
