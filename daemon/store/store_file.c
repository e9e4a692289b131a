#include "store/store_file.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/timetext.h"
#include "store/store_damage.h"
#include "store/store_load.h"
#include "store/store_reserve.h"
#include "store/store_schema.h"
#include "store/store_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHECK_MS = 60000, /* for quick_check of a small file, */
    CHECK_BYTES_A_MS = 10000, /* and so much more a byte: 10 MB/s, a slow disk */
    VERSIONS_MAX = 10000, /* a user_version above is damage, not a newer Tocsin */
    PAGE_BYTES = 4096
};

typedef struct Opening {
    const StoreOptions *options;
    int64_t now_ms;
    const char *path;
    sqlite3 *db;
    int64_t version;
    bool was_clean;
    bool is_newer, is_damaged; /* found by a step that SQLite itself had no complaint about */
    Statements *statements;
    StoreLoad *load;
} Opening;

static int configure(sqlite3 *db) {
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, SQL_BUSY_MS);
    int code = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Only the loaded and accepted file is written back on close: a newer one is left as it was found. */
    if (code == SQLITE_OK) code = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sql_run(db,
            "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
            "PRAGMA cache_size=-512;" /* KiB: it would keep all it may have, and the system caches the file, too */
            "PRAGMA foreign_keys=ON");
    return code;
}

static int open_connection(Opening *o) {
    /* SQLite would make it readable for others, and its WAL follows the file's mode. */
    const int fd = open(o->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) close(fd);
    const int code = sqlite3_open_v2(o->path, &o->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    return code != SQLITE_OK ? code : configure(o->db);
}

static int read_version(Opening *o) {
    const int code = sql_number(o->db, "PRAGMA user_version", &o->version);
    if (code != SQLITE_OK) return code;
    o->is_damaged = o->version < 0 || o->version > VERSIONS_MAX;
    o->is_newer = !o->is_damaged && o->version > schema_steps.count;
    return SQLITE_OK;
}

static int set_pragmas(Opening *o) {
    bool is_wal = false;
    int code = sql_answers(o->db, "PRAGMA journal_mode=WAL", "wal", &is_wal);
    if (code == SQLITE_OK && !is_wal)
        code = SQLITE_CANTOPEN; /* a filesystem without shared memory: no durable commits */
    /* No automatic checkpoint: SQLite hides its errors, and a failed fsync must end the daemon. The worker does it. */
    if (code == SQLITE_OK) code = sql_run(o->db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0");
    char *limits = sqlite3_mprintf("PRAGMA journal_size_limit=%d; PRAGMA max_page_count=%lld", STORE_WAL_BYTES,
        o->options->max_bytes > 0 ? (long long)(o->options->max_bytes / PAGE_BYTES) : 0xfffffffeLL);
    if (code == SQLITE_OK) code = limits ? sql_run(o->db, limits) : SQLITE_NOMEM;
    sqlite3_free(limits);
    return code;
}

static int check_pages(Opening *o) {
    struct stat status = {0};
    stat(o->path, &status);
    if (o->options->extend) o->options->extend(CHECK_MS + status.st_size / CHECK_BYTES_A_MS);
    bool is_fine = false;
    const int code = sql_answers(o->db, "PRAGMA quick_check(1)", "ok", &is_fine);
    o->is_damaged = code == SQLITE_OK && !is_fine;
    return code;
}

static int check_last_stop(Opening *o) {
    o->was_clean = true; /* a file that is made now was never stopped badly */
    o->is_damaged = o->version != 0 && damage_is_marked(o->options->directory, o->path);
    if (o->is_damaged) return SQLITE_OK;
    damage_clear(o->options->directory); /* it means a file that is gone */
    if (o->version == 0) return SQLITE_OK;
    int64_t clean = 0;
    const int code = sql_number(o->db, "SELECT value FROM meta WHERE key = 'clean'", &clean);
    o->was_clean = clean != 0;
    return code != SQLITE_OK || o->was_clean ? code : check_pages(o);
}

static int migrate(Opening *o) { return schema_migrate(o->db, &schema_steps, o->version, o->options->extend); }

/* From here on the stop is not clean until store_file_close() says so. With the crash counts, so that each counts once.
 */
static int begin_run(Opening *o) {
    int code = sql_run(o->db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK) code = store_settle_sending(o->db, o->was_clean, o->now_ms);
    if (code == SQLITE_OK) code = sql_run(o->db, "INSERT OR REPLACE INTO meta VALUES ('clean', 0)");
    return code != SQLITE_OK ? code : sql_run(o->db, "COMMIT");
}

static int load(Opening *o) { return store_read_all(o->db, o->was_clean, o->now_ms, &o->load); }

/* Every table that will be written is there: better to find out before anything depends on it. */
static int prepare(Opening *o) {
    o->statements = statements_new(o->db);
    return o->statements ? SQLITE_OK : sqlite3_extended_errcode(o->db);
}

static int (*const steps[])(Opening *o) = {
    open_connection, read_version, set_pragmas, check_last_stop, migrate, begin_run, load, prepare};

/* Takes all steps, or stops at the first that fails or finds something. */
static int take_steps(Opening *o) {
    *o = (Opening){.options = o->options, .now_ms = o->now_ms, .path = o->path};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        const int code = steps[i](o);
        if (code != SQLITE_OK || o->is_newer || o->is_damaged) return code;
    }
    return sqlite3_db_config(o->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

static void close_connection(Opening *o) {
    o->load = store_load_free(o->load);
    o->statements = statements_free(o->statements);
    sqlite3_close(o->db);
    o->db = NULL;
}

/* SQLITE_ERROR here is a table or column that should be there; READONLY, of a file that we may write, a damaged header.
 */
static bool is_unreadable(const Opening *o, int code) {
    if (o->is_damaged || sql_fault(o->db, code) == SQL_UNREADABLE || (code & 0xff) == SQLITE_ERROR) return true;
    return (code & 0xff) == SQLITE_READONLY && access(o->path, W_OK) == 0 && o->version != 0;
}

static bool move_one(const char *path, const char *new_path, const char *tail) {
    OWN(text) char *from = text_format("%s%s", path, tail);
    OWN(text) char *to = text_format("%s%s", new_path, tail);
    return rename(from, to) == 0 || errno == ENOENT;
}

/* A name that is not taken; caller frees. */
static char *lost_name(const char *path, int64_t now_ms) {
    char stamp[TIME_TEXT_MAX];
    time_format_compact(now_ms, stamp);
    for (int turn = 1; turn <= STORE_LOST_MAX; turn++) {
        OWN(text)
        char *name =
            turn == 1 ? text_format("%s.lost-%s", path, stamp) : text_format("%s.lost-%s-%d", path, stamp, turn);
        if (access(name, F_OK) != 0) return GIVE(name);
    }
    return NULL;
}

/* The WAL goes with its file, under the name by which SQLite finds it: what can be saved by hand is not torn apart. */
static bool set_aside(const char *path, int64_t now_ms, char **ret_lost, Error *err) {
    OWN(text) char *name = lost_name(path, now_ms);
    if (name && move_one(path, name, "-wal") && move_one(path, name, "-shm") && move_one(path, name, "")) {
        *ret_lost = GIVE(name);
        return true;
    }
    return error_set(err, ERROR_LOCAL, "the state file %s cannot be read, nor moved aside: %s", path, strerror(errno));
}

static bool refuse(const Opening *o, int code, Error *err) {
    if (o->is_newer)
        return error_set(err, ERROR_INPUT,
            "the state file %s has version %lld, this Tocsin knows %lld: it is left untouched (install the newer "
            "Tocsin, "
            "or name another state.directory)",
            o->path, (long long)o->version, (long long)schema_steps.count);
    const SqlFault fault = sql_fault(o->db, code);
    if (fault == SQL_NO_ROOM)
        return error_set(err, ERROR_LOCAL, "no room for the state file %s (free some: nothing was changed)", o->path);
    if (fault == SQL_LOCKED)
        return error_set(err, ERROR_LOCAL, "another program holds the state file %s (close it)", o->path);
    const bool is_persons = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY;
    return error_set(err, is_persons ? ERROR_INPUT : ERROR_LOCAL, "the state file %s cannot be used: %s%s", o->path,
        o->db ? sqlite3_errmsg(o->db) : sqlite3_errstr(code),
        is_persons ? " (the daemon must own its directory, on a local disk)" : "");
}

bool store_file_open(const StoreOptions *options, int64_t now_ms, StoreFile *ret_file, Error *err) {
    OWN(text) char *path = text_format("%s/tocsin.db", options->directory);
    OWN(text) char *lost = NULL;
    Opening o = {.options = options, .now_ms = now_ms, .path = path};
    int code = take_steps(&o);
    if (sql_fault(o.db, code) == SQL_NO_ROOM && reserve_release(options->directory)) {
        close_connection(&o);
        code = take_steps(&o);
    }
    if (is_unreadable(&o, code)) {
        OWN(text)
        char *why = text_copy(o.is_damaged ? "its check, or the last run, found it damaged" : sqlite3_errmsg(o.db));
        close_connection(&o);
        if (!set_aside(path, now_ms, &lost, err)) return false;
        damage_clear(options->directory);
        LOG(ERROR, "the state file could not be read and was moved aside; alarms that fire are notified again",
            KV("kept_as", lost), KV("error", why));
        code = take_steps(&o);
    }
    if (code != SQLITE_OK || o.is_newer || o.is_damaged) {
        refuse(&o, code, err);
        close_connection(&o);
        return false;
    }
    *ret_file = (StoreFile){o.db, o.statements, o.load, GIVE(lost)};
    return true;
}

sqlite3 *store_file_open_reader(const char *directory) {
    OWN(text) char *path = text_format("%s/tocsin.db", directory);
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) code = configure(db); /* it never writes back, least of all on close: one connection does */
    if (code == SQLITE_OK) return db;
    LOG(WARNING, "the state file cannot be opened for queries", KV("error", sqlite3_errstr(code)));
    sqlite3_close(db);
    return NULL;
}

int store_file_close(sqlite3 *db) {
    /* The mark comes last: where writing back failed, the next start checks the file. */
    int code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code == SQLITE_OK) code = sql_run(db, "INSERT OR REPLACE INTO meta VALUES ('clean', 1)");
    const int closed = sqlite3_close(db);
    return code == SQLITE_OK ? closed : code;
}
