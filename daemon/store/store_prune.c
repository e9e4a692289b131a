#include "store/store_prune.h"

#include "base/own.h"
#include "store/store_sql.h"

#define DAY_MS INT64_C(86400000)

/* Ids are given in order and never twice, so the highest less the number of rows to keep is where those begin. */
#define OLD_HISTORY \
    "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE id <= (SELECT max(id) FROM history) - ?1" \
    " ORDER BY id LIMIT ?2)"
#define OLD_DECISIONS \
    "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE id <= (SELECT max(id) FROM decision) - ?1" \
    " ORDER BY id LIMIT ?2)"
#define FINISHED "state IN ('delivered', 'discarded', 'expired')"

typedef struct Pruning {
    const char *text; /* ?1 the limit, ?2 rows a slice */
    int64_t limit;
} Pruning;

static int delete_rows(sqlite3 *db, const Pruning *pruning, int64_t *ret_rows) {
    sqlite3_stmt *statement = NULL;
    const int code = sqlite3_prepare_v2(db, pruning->text, -1, &statement, NULL);
    if (code != SQLITE_OK) return code;
    sql_bind_number(statement, 1, pruning->limit);
    sql_bind_number(statement, 2, PRUNE_SLICE);
    sqlite3_step(statement); /* commits by itself */
    *ret_rows = sqlite3_changes(db);
    return sqlite3_finalize(statement);
}

int prune_slice(sqlite3 *db, const PruneLimits *limits, int64_t *ret_rows) {
    const Pruning all[] = {
        {OLD_HISTORY, limits->history_max_rows},
        {"DELETE FROM history WHERE id IN (SELECT id FROM history WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)",
            limits->now_ms - limits->history_keep_ms},
        {OLD_DECISIONS, limits->history_max_rows},
        {"DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)",
            limits->now_ms - limits->history_keep_ms},
        {"DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE " FINISHED " AND finished_ms < ?1"
         " ORDER BY finished_ms LIMIT ?2)",
            limits->now_ms - PRUNE_FINISHED_DAYS * DAY_MS},
        {"DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE " FINISHED
         " ORDER BY finished_ms DESC LIMIT ?2 OFFSET ?1)",
            PRUNE_FINISHED_MAX},
    };
    int code = SQLITE_OK;
    *ret_rows = 0;
    for (size_t i = 0; code == SQLITE_OK && *ret_rows == 0 && i < COUNT_OF(all); i++)
        code = delete_rows(db, &all[i], ret_rows);
    return code;
}

int prune_for_room(sqlite3 *db, int64_t *ret_rows) {
    static const Pruning oldest[] = {{OLD_DECISIONS, PRUNE_FOR_ROOM_KEEPS}, {OLD_HISTORY, PRUNE_FOR_ROOM_KEEPS}};
    int code = SQLITE_OK;
    *ret_rows = 0;
    for (size_t i = 0; i < COUNT_OF(oldest); i++) {
        int64_t rows = 1;
        for (int slice = 0; code == SQLITE_OK && rows > 0 && slice < PRUNE_FOR_ROOM_SLICES; slice++) {
            rows = 0;
            code = delete_rows(db, &oldest[i], &rows);
            *ret_rows += rows;
        }
    }
    return code;
}
