#include "store/store_load.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/log.h"
#include "store/store_read.h"

#include <stdlib.h>

enum { INSTANCES_A_CHUNK = 1024 };

/* The arenas stand behind the public part: rows and texts go with them. */
typedef struct Loaded {
    StoreLoad load;
    Arena *arena;
    Arena *chunks[STORE_LOAD_MAX / INSTANCES_A_CHUNK + 1]; /* the texts of so many instances each */
} Loaded;

/* One table: `read` fills a row; false leaves it out. */
typedef struct TableReader {
    const char *table, *count, *select;
    size_t row_bytes;
    bool (*read)(sqlite3_stmt *statement, const Reading *in, void *row);
} TableReader;

static bool instance_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_instance(s, in, row); }
static bool group_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_group(s, in, row); }
static bool outbox_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_outbox(s, in, row); }
static bool seen_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_seen(s, in, row); }
static bool match_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_match(s, in, row); }
static bool cursor_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_cursor(s, in, row); }

static bool silence_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_silence(s, in, row); }
static bool ack_at(sqlite3_stmt *s, const Reading *in, void *row) { return read_ack(s, in, row); }

/* A damaged row without a state is owed, too: NULL is in no list, and not outside of one either. */
#define OWED " FROM outbox WHERE ifnull(state, '') NOT IN ('delivered', 'discarded', 'expired') "
static const TableReader instance_reader = {"instance", "SELECT count(*) FROM instance",
    "SELECT " INSTANCE_COLUMNS " FROM instance", sizeof(InstanceRow), instance_at};
static const TableReader group_reader = {"notification_group", "SELECT count(*) FROM notification_group",
    "SELECT " GROUP_COLUMNS " FROM notification_group", sizeof(GroupRow), group_at};
static const TableReader outbox_reader = {"outbox", "SELECT count(*)" OWED,
    "SELECT " OUTBOX_COLUMNS("NULL") OWED "ORDER BY seq", sizeof(OutboxRow), outbox_at};
static const TableReader cursor_reader = {
    "cursor", "SELECT count(*) FROM cursor", "SELECT " CURSOR_COLUMNS " FROM cursor", sizeof(CursorRow), cursor_at};
static const TableReader seen_reader = {"event_seen", "SELECT count(*) FROM event_seen",
    "SELECT " SEEN_COLUMNS " FROM event_seen ORDER BY seen_ms DESC", sizeof(SeenRow), seen_at};
static const TableReader match_reader = {"event_match", "SELECT count(*) FROM event_match",
    "SELECT " MATCH_COLUMNS " FROM event_match ORDER BY fingerprint, event_ms", sizeof(MatchRow), match_at};

static const TableReader silence_reader = {"silence", "SELECT count(*) FROM silence",
    "SELECT " SILENCE_COLUMNS " FROM silence ORDER BY starts_ms", sizeof(SilenceRow), silence_at};
static const TableReader ack_reader = {"acknowledgement", "SELECT count(*) FROM acknowledgement",
    "SELECT " ACK_COLUMNS " FROM acknowledgement", sizeof(AckRow), ack_at};

static Arena *chunk_of(Arena **chunks, size_t row) {
    Arena **chunk = &chunks[row / INSTANCES_A_CHUNK];
    if (!*chunk) *chunk = arena_new();
    return *chunk;
}

/* `rows` holds `room` of them. */
static size_t read_rows(
    sqlite3_stmt *statement, const TableReader *reader, const Reading *in, Arena **chunks, char *rows, size_t room) {
    size_t count = 0, left_out = 0;
    while (count < room && sqlite3_step(statement) == SQLITE_ROW) {
        const Reading here = {chunks ? chunk_of(chunks, count) : in->arena, in->times};
        if (reader->read(statement, &here, rows + count * reader->row_bytes))
            count++;
        else
            left_out++;
    }
    if (left_out > 0)
        LOG(WARNING, "rows of the state file were not understood and are left out", KV("table", reader->table),
            KV("rows", left_out));
    return count;
}

/* Texts go into `chunks`, by row; NULL: into the arena, as the rows. */
static int read_chunked(
    sqlite3 *db, const TableReader *reader, const Reading *in, Arena **chunks, void *ret_rows, size_t *ret_count) {
    int64_t there = 0;
    int code = sql_number(db, reader->count, &there);
    if (code != SQLITE_OK) return code;
    if (there > STORE_LOAD_MAX) {
        LOG(ERROR, "the state file holds more rows than are loaded; the rest waits in the file (STORE_LOAD_MAX)",
            KV("table", reader->table), KV("rows", there), KV("loaded", STORE_LOAD_MAX));
        there = STORE_LOAD_MAX;
    }
    sqlite3_stmt *statement = NULL;
    code = sqlite3_prepare_v2(db, reader->select, -1, &statement, NULL);
    if (code != SQLITE_OK) return code;
    void *rows = arena_alloc(in->arena, (size_t)there + 1, reader->row_bytes);
    *ret_count = read_rows(statement, reader, in, chunks, rows, (size_t)there);
    *(void **)ret_rows = rows;
    return sqlite3_finalize(statement);
}

static int read_table(sqlite3 *db, const TableReader *reader, const Reading *in, void *ret_rows, size_t *ret_count) {
    return read_chunked(db, reader, in, NULL, ret_rows, ret_count);
}

/* What is loaded of a damaged row is what stands there from now on: LEASE and FINISH compare with it. */
static int settle_damaged(sqlite3 *db) {
    return sql_run(db,
        "UPDATE outbox SET state = 'parked', last_error = '" STORE_DAMAGED_ROW "' WHERE ifnull(state, '') NOT IN"
        " ('pending', 'sending', 'delivered', 'parked', 'expired', 'discarded');"
        "UPDATE outbox SET attempts = max(CAST(ifnull(attempts, 0) AS INTEGER), 0)"
        " WHERE state NOT IN ('delivered', 'discarded', 'expired')"
        " AND (typeof(attempts) <> 'integer' OR attempts < 0)");
}

int store_settle_sending(sqlite3 *db, bool was_clean, int64_t now_ms) {
    const int settled = settle_damaged(db);
    if (settled != SQLITE_OK) return settled;
    if (was_clean) return sql_run(db, "UPDATE outbox SET state = 'pending' WHERE state = 'sending'");
    sqlite3_stmt *statement = NULL;
    const int code = sqlite3_prepare_v2(db,
        "UPDATE outbox SET crashes = crashes + 1, state = iif(crashes + 1 < ?1, 'pending', 'parked'),"
        " finished_ms = iif(crashes + 1 < ?1, 0, ?2),"
        " last_error = iif(crashes + 1 < ?1, last_error, 'Tocsin crashed each of the last ' || (crashes + 1) || "
        "' times that it was sending this: kept, not sent again')"
        " WHERE state = 'sending'",
        -1, &statement, NULL);
    if (code != SQLITE_OK) return code;
    sql_bind_number(statement, 1, STORE_CRASHES_LEFT);
    sql_bind_number(statement, 2, now_ms);
    sqlite3_step(statement);
    return sqlite3_finalize(statement);
}

int store_read_all(sqlite3 *db, bool was_clean, int64_t now_ms, StoreLoad **ret_load) {
    Loaded *loaded = alloc_zeroed(1, sizeof *loaded);
    loaded->arena = arena_new();
    OWN(store_load) StoreLoad *load = &loaded->load;
    load->was_clean = was_clean;
    const Reading in = {loaded->arena, sql_times(now_ms)};
    int code = read_chunked(db, &instance_reader, &in, loaded->chunks, &load->instances, &load->instance_count);
    if (code == SQLITE_OK) code = read_table(db, &group_reader, &in, &load->groups, &load->group_count);
    if (code == SQLITE_OK) code = read_table(db, &outbox_reader, &in, &load->outbox, &load->outbox_count);
    if (code == SQLITE_OK) code = read_table(db, &cursor_reader, &in, &load->cursors, &load->cursor_count);
    if (code == SQLITE_OK) code = read_table(db, &seen_reader, &in, &load->seen, &load->seen_count);
    if (code == SQLITE_OK) code = read_table(db, &match_reader, &in, &load->matches, &load->match_count);
    if (code == SQLITE_OK) code = read_table(db, &silence_reader, &in, &load->silences, &load->silence_count);
    if (code == SQLITE_OK) code = read_table(db, &ack_reader, &in, &load->acks, &load->ack_count);
    if (code == SQLITE_OK) *ret_load = GIVE(load);
    return code;
}

StoreLoad *store_load_free(StoreLoad *load) {
    if (!load) return NULL;
    Loaded *loaded = (Loaded *)load;
    for (size_t i = 0; i < COUNT_OF(loaded->chunks); i++) arena_free(loaded->chunks[i]);
    arena_free(loaded->arena);
    free(loaded);
    return NULL;
}

void store_load_forget(StoreLoad *load, size_t count) {
    Loaded *loaded = (Loaded *)load;
    if (!count || count % INSTANCES_A_CHUNK) return;
    Arena **chunk = &loaded->chunks[count / INSTANCES_A_CHUNK - 1];
    *chunk = arena_free(*chunk);
}
