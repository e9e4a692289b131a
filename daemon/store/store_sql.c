#include "store/store_sql.h"

#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define YEAR_MS (365 * DAY_MS)
#define YEAR_2020_MS INT64_C(1577836800000)
#define YEAR_2200_MS INT64_C(7258118400000)

/* SQLite says «full» for ENOSPC alone: a quota and a limit on file sizes are as full, and end the same way. */
static bool is_room_errno(int number) { return number == ENOSPC || number == EDQUOT || number == EFBIG; }

SqlFault sql_fault(sqlite3 *db, int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return SQL_FINE;
    case SQLITE_FULL: return SQL_NO_ROOM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return SQL_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return SQL_UNREADABLE;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_SHMSIZE) return SQL_NO_ROOM; /* the index of the WAL could not grow */
        if (code == SQLITE_IOERR_WRITE && is_room_errno(sqlite3_system_errno(db))) return SQL_NO_ROOM;
        return SQL_BROKEN;
    default: return SQL_BROKEN;
    }
}

int sql_run(sqlite3 *db, const char *text) { return sqlite3_exec(db, text, NULL, NULL, NULL); }

int sql_number(sqlite3 *db, const char *text, int64_t *ret_value) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    if (code != SQLITE_OK) return code;
    if (sqlite3_step(statement) == SQLITE_ROW) *ret_value = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement);
}

int sql_answers(sqlite3 *db, const char *text, const char *expected, bool *ret_same) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    if (code != SQLITE_OK) return code;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *got = (const char *)sqlite3_column_text(statement, 0);
        *ret_same = got && strcmp(got, expected) == 0;
    }
    return sqlite3_finalize(statement);
}

void sql_bind_text(sqlite3_stmt *statement, int index, const char *text) {
    sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void sql_bind_name(sqlite3_stmt *statement, int index, const char *text) {
    sql_bind_text(statement, index, text ? text : "");
}

void sql_bind_number(sqlite3_stmt *statement, int index, int64_t value) { sqlite3_bind_int64(statement, index, value); }

void sql_bind_real(sqlite3_stmt *statement, int index, double value) { sqlite3_bind_double(statement, index, value); }

int sql_step(sqlite3_stmt *statement) {
    sqlite3_step(statement);
    const int code = sqlite3_reset(statement); /* tells the step's error again */
    sqlite3_clear_bindings(statement);
    return code;
}

SqlTimes sql_times(int64_t now_ms) {
    if (now_ms < YEAR_2020_MS) return (SqlTimes){1, YEAR_2200_MS};
    return (SqlTimes){now_ms - YEAR_MS, now_ms + YEAR_MS};
}

const char *sql_text(sqlite3_stmt *statement, int column, size_t max_bytes, Arena *arena) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (!text) return NULL;
    const size_t length = strlen(text); /* a NUL inside ends it: nobody here writes one */
    return arena_text_length(arena, text, length > max_bytes ? utf8_cut(text, length, max_bytes) : length);
}

const char *sql_name(sqlite3_stmt *statement, int column, Arena *arena) {
    const char *text = sql_text(statement, column, SQL_NAME_BYTES, arena);
    return text ? text : "";
}

int64_t sql_count(sqlite3_stmt *statement, int column) {
    const int64_t value = sqlite3_column_int64(statement, column);
    return value < 0 ? 0 : value;
}

int64_t sql_time(sqlite3_stmt *statement, int column, SqlTimes times) {
    const int64_t value = sqlite3_column_int64(statement, column);
    if (value == 0) return 0;
    if (value < times.oldest_ms) return times.oldest_ms;
    return value > times.latest_ms ? times.latest_ms : value;
}

double sql_real(sqlite3_stmt *statement, int column, bool *ret_has) {
    *ret_has = sqlite3_column_type(statement, column) == SQLITE_FLOAT;
    return *ret_has ? sqlite3_column_double(statement, column) : NAN;
}
