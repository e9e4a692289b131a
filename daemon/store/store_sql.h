/* Short words for SQLite: faults by who must act, statements prepared once, columns that are bounded as they are read
 * (the state file counts as outside). A connection is used by one thread at a time; so is what is prepared on it. */
#ifndef TOCSIN_STORE_STORE_SQL_H
#define TOCSIN_STORE_STORE_SQL_H

#include "base/arena.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SQL_BUSY_MS = 5000, /* how long another program's lock on the file is waited for */
    SQL_NAME_BYTES = 4096, /* names, keys, ids, states: longer ones are cut when read */
    SQL_TEXT_BYTES = 64 << 10, /* reasons, errors */
    SQL_JSON_BYTES = 16 << 20, /* JSON: longer means a damaged file; what is cut no longer parses, its owner says so */
};

typedef enum {
    SQL_FINE,
    SQL_NO_ROOM, /* disk, quota or our own bound */
    SQL_LOCKED, /* another program holds the file */
    SQL_UNREADABLE, /* not a database, or a damaged one */
    SQL_BROKEN /* the disk failed, or a statement did: neither is tried again */
} SqlFault;

/* What an extended code of `db` asks for; SQLITE_ROW and SQLITE_DONE are fine. */
SqlFault sql_fault(sqlite3 *db, int code);
/* SQLITE_OK or the error of the first statement that failed. */
int sql_run(sqlite3 *db, const char *text);
/* The first column of the first row as a number; `*ret_value` stays as it was where there is no row. */
int sql_number(sqlite3 *db, const char *text, int64_t *ret_value);
/* As sql_number; a text column is compared with `expected`. */
int sql_answers(sqlite3 *db, const char *text, const char *expected, bool *ret_same);

/* Binding, by index from 1. NULL and NaN become SQL's NULL. A text must live until the statement was stepped. */
void sql_bind_text(sqlite3_stmt *statement, int index, const char *text);
void sql_bind_name(sqlite3_stmt *statement, int index, const char *text); /* NULL becomes "" */
void sql_bind_number(sqlite3_stmt *statement, int index, int64_t value);
void sql_bind_real(sqlite3_stmt *statement, int index, double value);
/* Steps a statement that gives no rows, and makes it ready for the next binding. SQLITE_OK or the error. */
int sql_step(sqlite3_stmt *statement);

/* Times older or later than this are not believed. */
typedef struct SqlTimes {
    int64_t oldest_ms, latest_ms;
} SqlTimes;
/* One year around `now_ms`; a clock that was not yet set (before 2020) is no measure, everything until 2200 passes. */
SqlTimes sql_times(int64_t now_ms);

/* Columns by index from 0; texts are copied into the arena, cut at a whole character. */
const char *sql_text(sqlite3_stmt *statement, int column, size_t max_bytes, Arena *arena); /* NULL stays NULL */
const char *sql_name(sqlite3_stmt *statement, int column, Arena *arena); /* never NULL */
int64_t sql_count(sqlite3_stmt *statement, int column); /* never negative */
int64_t sql_time(sqlite3_stmt *statement, int column, SqlTimes times); /* 0 stays 0 */
double sql_real(sqlite3_stmt *statement, int column, bool *ret_has); /* NAN where NULL */

static inline void sql_statement_drop(sqlite3_stmt **p) { /* for OWN(sql_statement) */
    sqlite3_finalize(*p);
    *p = NULL;
}

#endif
