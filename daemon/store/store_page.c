#include "store/store_page.h"

#include "base/buffer.h"
#include "store/store_read.h"

enum { QUERY_TEXT_BYTES = 4096 };

static int64_t page_rows(int64_t limit) { return limit <= 0 || limit > PAGE_ROWS_MAX ? PAGE_ROWS_MAX : limit; }

/* More than a year back is believed here: history may be kept for so long. */
static SqlTimes history_times(int64_t now_ms) { return (SqlTimes){1, sql_times(now_ms).latest_ms}; }

/* A time is turned into a bound on ids through the index on times, so that the rows come out by id and the scan ends
 * where the times do; `+` keeps SQLite from sorting all that lies between them instead. */
static sqlite3_stmt *history_statement(sqlite3 *db, const HistoryQuery *query) {
    Buffer text = BUFFER(QUERY_TEXT_BYTES);
    buffer_text(&text, "SELECT " HISTORY_COLUMNS " FROM history WHERE true");
    if (query->name) buffer_text(&text, " AND name = ?1");
    if (query->fingerprint) buffer_text(&text, " AND fingerprint = ?2");
    if (query->since_ms)
        buffer_text(&text, " AND id >= (SELECT min(id) FROM history WHERE time_ms >= ?3) AND +time_ms >= ?3");
    if (query->until_ms)
        buffer_text(&text, " AND id <= (SELECT max(id) FROM history WHERE time_ms < ?4) AND +time_ms < ?4");
    if (query->after) buffer_text(&text, " AND id < ?5");
    buffer_text(&text, " ORDER BY id DESC LIMIT ?6");
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, buffer_string(&text), -1, &s, NULL) == SQLITE_OK) {
        sql_bind_text(s, 1, query->name);
        sql_bind_text(s, 2, query->fingerprint);
        sql_bind_number(s, 3, query->since_ms);
        sql_bind_number(s, 4, query->until_ms);
        sql_bind_number(s, 5, query->after);
        sql_bind_number(s, 6, page_rows(query->limit) + 1); /* one more tells whether there is a next page */
    }
    buffer_deinit(&text);
    return s;
}

/* Steps to the next row that belongs to the page. `*ret_more`: there is one, and no room for it. */
static bool page_goes_on(sqlite3_stmt *statement, size_t count, int64_t limit, const Arena *arena, bool *ret_more) {
    if (sqlite3_step(statement) != SQLITE_ROW) return false;
    *ret_more = (int64_t)count >= page_rows(limit) || (count > 0 && arena_bytes(arena) > PAGE_BYTES_MAX);
    return !*ret_more;
}

bool page_history(sqlite3 *db, const HistoryQuery *query, int64_t now_ms, Arena *arena, HistoryPage *ret_page) {
    const Reading in = {arena, history_times(now_ms)};
    OWN(sql_statement) sqlite3_stmt *statement = history_statement(db, query);
    if (!statement) return false;
    HistoryPage page = {.rows = arena_alloc(arena, (size_t)page_rows(query->limit), sizeof *page.rows)};
    bool has_more = false;
    while (page_goes_on(statement, page.count, query->limit, arena, &has_more))
        if (read_history(statement, &in, &page.rows[page.count])) page.count++;
    if (sqlite3_reset(statement) != SQLITE_OK) return false;
    if (has_more) page.next = page.rows[page.count - 1].id;
    *ret_page = page;
    return true;
}

static sqlite3_stmt *outbox_statement(sqlite3 *db, const OutboxQuery *query) {
    Buffer text = BUFFER(QUERY_TEXT_BYTES);
    buffer_text(&text, "SELECT " OUTBOX_COLUMNS("message_json") " FROM " OUTBOX_TABLES " WHERE true");
    if (query->state) buffer_text(&text, " AND state = ?1");
    if (query->after) buffer_text(&text, " AND seq < (SELECT seq FROM outbox WHERE id = ?2)");
    buffer_text(&text, " ORDER BY seq DESC LIMIT ?3");
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, buffer_string(&text), -1, &s, NULL) == SQLITE_OK) {
        sql_bind_text(s, 1, query->state);
        sql_bind_text(s, 2, query->after);
        sql_bind_number(s, 3, page_rows(query->limit) + 1);
    }
    buffer_deinit(&text);
    return s;
}

bool page_outbox(sqlite3 *db, const OutboxQuery *query, int64_t now_ms, Arena *arena, OutboxPage *ret_page) {
    const Reading in = {arena, history_times(now_ms)};
    OWN(sql_statement) sqlite3_stmt *statement = outbox_statement(db, query);
    if (!statement) return false;
    OutboxPage page = {.rows = arena_alloc(arena, (size_t)page_rows(query->limit), sizeof *page.rows)};
    bool has_more = false;
    while (page_goes_on(statement, page.count, query->limit, arena, &has_more))
        if (read_outbox(statement, &in, &page.rows[page.count])) page.count++;
    if (sqlite3_reset(statement) != SQLITE_OK) return false;
    if (has_more) page.next = page.rows[page.count - 1].id;
    *ret_page = page;
    return true;
}

/* A decision's messages were made at its time, by its group. */
static sqlite3_stmt *decisions_statement(sqlite3 *db, const DecisionQuery *query) {
    sqlite3_stmt *s = NULL;
    const int code = sqlite3_prepare_v2(db,
        "SELECT d.id, d.time_ms, d.fingerprint, d.group_key, d.receiver, d.decision, d.reason, o.id, o.plugin,"
        " o.plugin_index, o.state, o.attempts, o.created_ms, o.next_attempt_ms, o.finished_ms, o.last_error,"
        " o.receipt_json FROM (SELECT * FROM decision WHERE fingerprint = ?1 AND (?2 = 0 OR time_ms <= ?2)"
        " ORDER BY id DESC LIMIT ?3) AS d LEFT JOIN outbox AS o ON d.decision = 'told' AND o.group_key = d.group_key"
        " AND o.created_ms = d.time_ms AND o.receiver = d.receiver ORDER BY d.id DESC, o.seq LIMIT ?4",
        -1, &s, NULL);
    if (code != SQLITE_OK) return NULL;
    sql_bind_text(s, 1, query->fingerprint);
    sql_bind_number(s, 2, query->until_ms);
    sql_bind_number(s, 3, page_rows(query->limit));
    sql_bind_number(s, 4, PAGE_ROWS_MAX);
    return s;
}

bool page_decisions(sqlite3 *db, const DecisionQuery *query, int64_t now_ms, Arena *arena, DecisionPage *ret_page) {
    const Reading in = {arena, history_times(now_ms)};
    OWN(sql_statement) sqlite3_stmt *statement = decisions_statement(db, query);
    if (!statement) return false;
    DecisionPage page = {.rows = arena_alloc(arena, PAGE_ROWS_MAX, sizeof *page.rows)};
    bool has_more = false;
    while (page_goes_on(statement, page.count, PAGE_ROWS_MAX, arena, &has_more))
        read_decision(statement, &in, &page.rows[page.count++]);
    if (sqlite3_reset(statement) != SQLITE_OK) return false;
    *ret_page = page;
    return true;
}
