/* The state file as something from outside: damaged, foreign, newer, edited. */
#include "room.h"

#include "store/store_damage.h"
#include "store/store_file.h"
#include "store/store_schema.h"
#include "store/store_sql.h"
#include "unit/run.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

static Room room;
static void set_up(void) { room_init(&room); }
static void tear_down(void) { room_deinit(&room); }

enum { ROWS = 200 };

static void fill_rows(Room *in) {
    for (int i = 0; i < ROWS; i++) {
        OWN(text) char *name = text_format("%016x", i + 1);
        const InstanceRow instance = {.fingerprint = name,
            .alarm = "cpu",
            .source = "cloudwatch",
            .state = "ALARM",
            .labels_json = "{\"a\":\"b\"}",
            .reason = "because",
            .since_ms = ROOM_NOW_MS};
        const HistoryRow history = {
            .time_ms = ROOM_NOW_MS, .name = "cpu", .fingerprint = name, .from = "OK", .to = "ALARM"};
        const OutboxRow owed = room_owed(name);
        const StoreBatch batch = {.instances = &instance,
            .instance_count = 1,
            .history = &history,
            .history_count = 1,
            .outbox = &owed,
            .outbox_count = 1};
        store_commit_batch(in->store, &batch, room_done, in);
    }
    room_run(in);
}

static void edit(const char *text) {
    sqlite3 *db = NULL;
    char *error = NULL;
    ck_assert_int_eq(sqlite3_open(room.path, &db), SQLITE_OK);
    sqlite3_exec(db, text, NULL, NULL, &error);
    ck_assert_msg(!error, "%s", error);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void write_file(const char *path, const void *bytes, size_t length) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static char *read_file(const char *path, size_t *ret_length) {
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    struct stat status;
    fstat(fileno(file), &status);
    *ret_length = (size_t)status.st_size;
    char *bytes = alloc_zeroed(*ret_length + 1, 1);
    ck_assert_uint_eq(fread(bytes, 1, *ret_length, file), *ret_length);
    fclose(file);
    return bytes;
}

/* --- files that are no state file
 * ------------------------------------------------------------------------------------- */

static void leave_nothing(void) {}
static void leave_empty(void) { write_file(room.path, "", 0); }
static void leave_text(void) { write_file(room.path, "alarms: []\n", 11); }
static void leave_zeros(void) {
    static const char zeros[8192];
    write_file(room.path, zeros, sizeof zeros);
}
static void leave_directory(void) { ck_assert_int_eq(mkdir(room.path, 0700), 0); }
static void leave_foreign(void) { edit("CREATE TABLE instance(x); INSERT INTO instance VALUES (1)"); }
static void make_ours(void) {
    room_open(&room);
    room_add_outbox(&room, "kept");
    room_close(&room);
}
static void leave_ours(void) { make_ours(); }
static void leave_newer(void) { make_ours(), edit("PRAGMA user_version=90; CREATE TABLE future(x)"); }
static void leave_absurd_version(void) { make_ours(), edit("PRAGMA user_version=1633771873"); }
static void leave_negative_version(void) { make_ours(), edit("PRAGMA user_version=-1"); }
static void leave_without_table(void) { make_ours(), edit("DROP TABLE history"); }
static void leave_without_column(void) { make_ours(), edit("ALTER TABLE cursor DROP COLUMN value_json"); }
static void leave_without_version(void) { make_ours(), edit("PRAGMA user_version=0"); }
static void cut_file(off_t length) { ck_assert_int_eq(truncate(room.path, length), 0); }
static void leave_half(void) { make_ours(), cut_file(10000); }
static void leave_header(void) { make_ours(), cut_file(100); }
static void leave_bad_wal(void) {
    make_ours();
    OWN(text) char *path = text_format("%s-wal", room.path);
    write_file(path, "this is no log of anything, and long enough to look at", 54);
}

typedef enum { FRESH, KEPT, LOST, REFUSED } Fate;
static const struct FileCase {
    const char *what;
    void (*leave)(void);
    Fate fate;
    ErrorKind kind;
    const char *says; /* of the refusal */
} file_cases[] = {
    {"nothing", leave_nothing, FRESH, ERROR_NONE, NULL},
    {"an empty file", leave_empty, FRESH, ERROR_NONE, NULL},
    {"ours", leave_ours, KEPT, ERROR_NONE, NULL},
    {"ours, with a WAL that is none", leave_bad_wal, KEPT, ERROR_NONE, NULL},
    {"a text", leave_text, LOST, ERROR_NONE, NULL},
    {"zeros", leave_zeros, LOST, ERROR_NONE, NULL},
    {"another program's database", leave_foreign, LOST, ERROR_NONE, NULL},
    {"a version that cannot be", leave_absurd_version, LOST, ERROR_NONE, NULL},
    {"a negative version", leave_negative_version, LOST, ERROR_NONE, NULL},
    {"a table is missing", leave_without_table, LOST, ERROR_NONE, NULL},
    {"a column is missing", leave_without_column, LOST, ERROR_NONE, NULL},
    {"ours, but of no version", leave_without_version, LOST, ERROR_NONE, NULL},
    {"cut in the middle", leave_half, LOST, ERROR_NONE, NULL},
    {"cut behind the header", leave_header, LOST, ERROR_NONE, NULL},
    {"a directory", leave_directory, REFUSED, ERROR_INPUT, "cannot be used"},
    {"a newer version", leave_newer, REFUSED, ERROR_INPUT, "has version 90, this Tocsin knows 4"},
};

static void check_fate(const struct FileCase *c) {
    if (c->fate == REFUSED) {
        ck_assert_msg(!room.store, "%s: opened", c->what);
        ck_assert_msg(room.err.kind == c->kind && strstr(room.err.text, c->says), "%s: %s", c->what, room.err.text);
        return;
    }
    ck_assert_msg(room.store != NULL, "%s: %s", c->what, room.err.text);
    ck_assert_msg((room.lost != NULL) == (c->fate == LOST), "%s: lost %s", c->what, room.lost ? room.lost : "nothing");
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_msg(load->outbox_count == (c->fate == KEPT), "%s: %zu rows", c->what, load->outbox_count);
    room_add_outbox(&room, "new"); /* and it works */
    ck_assert_int_eq(room.outcome, STORE_OK);
}

START_TEST(what_a_file_becomes) {
    const struct FileCase *c = &file_cases[_i];
    c->leave();
    size_t length = 0, length_after = 0;
    const bool is_file = c->fate != FRESH && c->leave != leave_directory;
    OWN(text) char *before = is_file ? read_file(room.path, &length) : NULL;
    room_try_open(&room);
    check_fate(c);
    if (!is_file || c->fate == KEPT) return;
    OWN(text) char *after = read_file(c->fate == LOST ? room.lost : room.path, &length_after);
    ck_assert_msg(length == length_after, "%s: not as it was", c->what); /* set aside or refused, never changed (I8) */
    if (c->leave != leave_absurd_version && c->fate == REFUSED) ck_assert_mem_eq(before, after, length);
}
END_TEST

START_TEST(a_wal_goes_with_its_file) {
    leave_bad_wal();
    leave_text();
    room_open(&room);
    OWN(text) char *wal = text_format("%s-wal", room.lost);
    size_t length;
    OWN(text) char *bytes = read_file(wal, &length);
    ck_assert_mem_eq(bytes, "this is no log", 14);
}
END_TEST

START_TEST(two_lost_in_one_second_are_both_kept) {
    leave_text();
    room_open(&room);
    OWN(text) char *first = GIVE(room.lost);
    room_close(&room);
    leave_zeros();
    room_open(&room);
    ck_assert(room.lost && strcmp(room.lost, first) != 0 && access(first, F_OK) == 0);
}
END_TEST

static void open_filled(Room *in) { fill_rows(in); }

/* What loading does not read is found by the check, before anything is built on it. */
START_TEST(damage_that_only_the_check_sees) {
    static const char zeros[4096];
    int64_t page = 0;
    sqlite3 *db = NULL;
    room_crash(&room, open_filled);
    edit("PRAGMA wal_checkpoint(TRUNCATE)");
    ck_assert_int_eq(sqlite3_open(room.path, &db), SQLITE_OK);
    ck_assert_int_eq(sql_number(db, "SELECT rootpage FROM sqlite_master WHERE name = 'history'", &page), SQLITE_OK);
    sqlite3_close(db);
    const int fd = open(room.path, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, zeros, sizeof zeros, (page - 1) * (off_t)sizeof zeros), sizeof zeros);
    close(fd);
    room_open(&room);
    ck_assert_ptr_nonnull(room.lost);
}
END_TEST

START_TEST(a_newer_file_with_a_wal_is_left_untouched) {
    make_ours();
    sqlite3 *db = NULL; /* a newer Tocsin that was killed: what it wrote last stands in the WAL alone */
    ck_assert_int_eq(sqlite3_open(room.path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    ck_assert_int_eq(sql_run(db, "PRAGMA user_version=90; CREATE TABLE future(x)"), SQLITE_OK);
    sqlite3_close(db);
    OWN(text) char *wal = text_format("%s-wal", room.path);
    size_t lengths[4];
    OWN(text) char *file_before = read_file(room.path, &lengths[0]);
    OWN(text) char *wal_before = read_file(wal, &lengths[1]);
    ck_assert(!room_try_open(&room));
    ck_assert_msg(strstr(room.err.text, "version 90") != NULL, "%s", room.err.text);
    OWN(text) char *file_after = read_file(room.path, &lengths[2]);
    OWN(text) char *wal_after = read_file(wal, &lengths[3]);
    ck_assert(lengths[0] == lengths[2] && lengths[1] == lengths[3]);
    ck_assert_mem_eq(file_before, file_after, lengths[0]);
    ck_assert_mem_eq(wal_before, wal_after, lengths[1]);
}
END_TEST

START_TEST(nobody_else_may_read_it) {
    struct stat status;
    OWN(text) char *deeper = text_format("%s/state", room.folder);
    OWN(text) char *file = text_format("%s/tocsin.db", deeper);
    room.options.directory = deeper;
    umask(0);
    room_open(&room);
    ck_assert_int_eq(stat(deeper, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0700);
    ck_assert_int_eq(stat(file, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_parent_that_is_not_there) {
    OWN(text) char *deeper = text_format("%s/no/state", room.folder);
    room.options.directory = deeper;
    ck_assert(!room_try_open(&room));
    ck_assert_int_eq(room.err.kind, ERROR_INPUT);
    ck_assert_msg(strstr(room.err.text, deeper) != NULL, "%s", room.err.text);
}
END_TEST

/* --- damage at random places
 * ------------------------------------------------------------------------------------------- */

/* Opens it whatever stands there, and says how: every row as it was, or a fresh file beside the one that was kept. */
static void expect_intact_or_lost(const char *what, long at) {
    ck_assert_msg(room_try_open(&room), "%s at %ld: %s", what, at, room.err.text);
    OWN(store_load) StoreLoad *load = room_load(&room);
    if (room.lost) {
        ck_assert_msg(load->instance_count == 0 && access(room.lost, R_OK) == 0, "%s at %ld", what, at);
        ck_assert_int_eq(unlink(room.lost), 0);
    }
    room_close(&room);
}

/* TOCSIN_SEED takes a printed seed back. The version's own four bytes are left out: a small number there is a version.
 */
START_TEST(damage_at_random_offsets_never_keeps_it_from_starting) {
    enum { TRIES = 150, VERSION_AT = 60 };
    const char *given = getenv("TOCSIN_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    printf("seed %u\n", seed);
    room_crash(&room, open_filled); /* not a clean stop: it is checked */
    edit("PRAGMA wal_checkpoint(TRUNCATE)");
    size_t length;
    OWN(text) char *good = read_file(room.path, &length);
    OWN(text) char *bad = alloc_zeroed(length, 1);
    for (int i = 0; i < TRIES; i++) {
        memcpy(bad, good, length);
        const size_t at = (size_t)rand_r(&seed) % (i % 2 ? length : 4096);
        const size_t many = 1 + (size_t)rand_r(&seed) % 64;
        for (size_t k = at; k < at + many && k < length; k++)
            if (k < VERSION_AT || k >= VERSION_AT + 4) bad[k] = (char)rand_r(&seed);
        write_file(room.path, bad, length);
        expect_intact_or_lost("damage", (long)at);
    }
}
END_TEST

START_TEST(a_file_cut_anywhere_never_keeps_it_from_starting) {
    room_crash(&room, open_filled);
    OWN(text) char *wal = text_format("%s-wal", room.path);
    OWN(text) char *shm = text_format("%s-shm", room.path);
    size_t length, wal_length;
    OWN(text) char *file_bytes = read_file(room.path, &length);
    OWN(text) char *wal_bytes = read_file(wal, &wal_length);
    ck_assert_uint_gt(wal_length, 0);
    for (size_t cut = 0; cut < wal_length; cut += wal_length / 50 + 1) { /* a torn WAL is what a power cut leaves */
        write_file(room.path, file_bytes, length);
        write_file(wal, wal_bytes, cut);
        unlink(shm);
        expect_intact_or_lost("cut", (long)cut);
        ck_assert_ptr_null(room.lost); /* less of it, but whole */
    }
}
END_TEST

/* --- rows that were edited
 * ------------------------------------------------------------------------------------------------ */

START_TEST(times_and_texts_of_the_file_are_bounded) {
    make_ours();
    edit("INSERT INTO instance(fingerprint, state, since_ms, evaluated_ms, firing_since_ms, gone, reason)"
         " VALUES ('a', 'OK', -5, 9000000000000000000, 1, 7, printf('%.*c', 100000, 'x')),"
         " ('b', 'BURNING', 0, 0, 0, 0, NULL), ('', 'OK', 0, 0, 0, 0, NULL);"
         "INSERT INTO notification_group(key, due_ms, touches) VALUES ('g', 1, -3), ('', 1, 1);"
         "UPDATE outbox SET attempts = -1, created_ms = 1, state = 'lunch';"
         "INSERT INTO cursor VALUES ('c', NULL), ('d', '1')");
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    const int64_t year = 365 * DAY_MS;
    ck_assert_uint_eq(load->instance_count, 1); /* no such state, no name: left out */
    const InstanceRow *row = &load->instances[0];
    ck_assert_int_eq(row->since_ms, ROOM_NOW_MS - year);
    ck_assert_int_eq(row->evaluated_ms, ROOM_NOW_MS + year);
    ck_assert_int_eq(row->firing_since_ms, ROOM_NOW_MS - year);
    ck_assert_int_eq(row->resolved_ms, 0);
    ck_assert_uint_eq(strlen(row->reason), SQL_TEXT_BYTES);
    ck_assert(row->gone && *row->alarm == '\0' && isnan(row->value));
    ck_assert_uint_eq(load->group_count, 1);
    ck_assert_int_eq(load->groups[0].touches, 0);
    ck_assert_uint_eq(load->outbox_count, 1); /* an owed one is never left out */
    ck_assert_str_eq(load->outbox[0].state, "parked");
    ck_assert_int_eq(load->outbox[0].attempts, 0);
    ck_assert_uint_eq(load->cursor_count, 1);
}
END_TEST

/* A lease and a finish compare with what the file holds: what was put right in memory alone would be sent for ever. */
START_TEST(a_damaged_row_that_is_sent_is_not_sent_again) {
    static const char *const damages[] = {"state = NULL", "state = NULL, attempts = NULL",
        "state = 'lunch', attempts = -2", "attempts = NULL", "attempts = -1"};
    make_ours();
    OWN(text) char *damage = text_format("UPDATE outbox SET %s", damages[_i]);
    edit(damage);
    room_open(&room);
    int64_t attempts;
    {
        OWN(store_load) StoreLoad *load = room_load(&room);
        ck_assert_uint_eq(load->outbox_count, 1);
        const OutboxRow *row = &load->outbox[0];
        attempts = row->attempts;
        if (!strncmp(damages[_i], "state", 5)) {
            ck_assert_str_eq(row->state, "parked");
            ck_assert_msg(strstr(row->last_error, "damaged") != NULL, "%s", row->last_error);
            const OutboxResult again = {.id = "kept", .attempts = attempts, .state = "pending"};
            store_finish(room.store, &again, room_done, &room); /* as the start does with what is parked */
        }
    }
    const OutboxResult over = {.id = "kept", .attempts = attempts + 1, .state = "delivered", .finished_ms = 1};
    store_lease(room.store, "kept", attempts + 1, room_leased, &room);
    store_finish(room.store, &over, room_done, &room);
    room_run(&room);
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_msg(load->outbox_count == 0, "%s: owed again", damages[_i]);
}
END_TEST

START_TEST(texts_go_by_parts_and_no_other_goes_with_them) {
    enum { MANY = 2500 }; /* more than two parts */
    InstanceRow rows[MANY];
    char names[MANY][17];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%016x", (unsigned)i);
        rows[i] = (InstanceRow){.fingerprint = names[i], .alarm = "cpu", .state = "ALARM", .reason = names[i]};
    }
    room_open(&room);
    room_commit(&room, &(StoreBatch){.instances = rows, .instance_count = MANY});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->instance_count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        ck_assert_str_eq(load->instances[i].reason, load->instances[i].fingerprint);
        store_load_forget(load, i + 1);
    }
}
END_TEST

/* --- the mark of damage --- */

static bool is_marked(void) {
    OWN(text) char *mark = text_format("%s/tocsin.damaged", room.folder);
    return access(mark, F_OK) == 0;
}

static void expect_start(bool is_lost, size_t rows) {
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert((room.lost != NULL) == is_lost);
    ck_assert_uint_eq(load->outbox_count, rows);
    ck_assert(!is_marked()); /* it is for one start */
    room_close(&room);
}

START_TEST(a_marked_file_is_set_aside) {
    make_ours();
    damage_mark(room.folder, room.path);
    expect_start(true, 0);
    expect_start(false, 0);
}
END_TEST

START_TEST(a_mark_without_words_means_what_stands_there) {
    make_ours();
    OWN(text) char *mark = text_format("%s/tocsin.damaged", room.folder);
    write_file(mark, "", 0); /* the disk was full to the last byte */
    expect_start(true, 0);
}
END_TEST

START_TEST(a_mark_of_a_file_that_is_gone_means_no_other) {
    make_ours();
    damage_mark(room.folder, room.path);
    ck_assert_int_eq(unlink(room.path), 0); /* a person, by hand */
    expect_start(false, 0);
    room_open(&room);
    room_add_outbox(&room, "new");
    room_close(&room);
    expect_start(false, 1);
}
END_TEST

START_TEST(a_backup_put_back_by_hand_is_not_set_aside) {
    OWN(text) char *backup = text_format("%s/backup", room.folder);
    OWN(text) char *move = text_format("mv %s %s", backup, room.path);
    OWN(text)
    char *copy = text_format("sleep 0.02; cat %s > %s.new; cat %s.new > %s", room.path, backup, backup, room.path);
    make_ours();
    damage_mark(room.folder, room.path);
    size_t length;
    OWN(text) char *bytes = read_file(room.path, &length);
    write_file(backup, bytes, length);
    ck_assert_int_eq(system(move), 0); /* another file in its place */
    expect_start(false, 1);
    damage_mark(room.folder, room.path);
    ck_assert_int_eq(system(copy), 0); /* other bytes in the same file */
    expect_start(false, 1);
}
END_TEST

START_TEST(a_clock_that_was_not_set_is_no_measure) {
    make_ours();
    clock_set_wall(room.clock, 1000);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_int_eq(load->outbox[0].created_ms, ROOM_NOW_MS);
}
END_TEST

/* --- the way from version to version
 * -------------------------------------------------------------------------------------- */

static int64_t version_of(sqlite3 *db) {
    int64_t version = -1;
    ck_assert_int_eq(sql_number(db, "PRAGMA user_version", &version), SQLITE_OK);
    return version;
}

static int64_t extended;
static void note_extend(int64_t ms) { extended += ms > 0; }

START_TEST(a_file_of_the_first_version_is_brought_up) {
    make_ours();
    edit("DROP TABLE event_seen; DROP TABLE event_match; DROP TABLE silence; DROP TABLE acknowledgement; ALTER TABLE "
         "outbox DROP COLUMN handed_ms; DROP TABLE decision; DROP INDEX outbox_group; PRAGMA "
         "user_version=1");
    room_open(&room);
    ck_assert_ptr_null(room.lost);
    const SeenRow seen = {"prod eu-west-1", "event", ROOM_NOW_MS};
    room_commit(&room, &(StoreBatch){.seen = &seen, .seen_count = 1});
    ck_assert_int_eq(room.outcome, STORE_OK);
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->outbox_count, 1);
    ck_assert_uint_eq(load->seen_count, 1);
}
END_TEST

START_TEST(migrations_take_what_is_missing_or_nothing) {
    static const char *const three[] = {"CREATE TABLE a(x)", "CREATE TABLE b(x); INSERT INTO b VALUES (7)",
        "INSERT INTO a SELECT x FROM b; DROP TABLE b"};
    static const char *const broken[] = {"", "", "", "CREATE TABLE c(x)", "INSERT INTO nowhere VALUES (1)"};
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    ck_assert_int_eq(schema_migrate(db, &(SchemaSteps){three, 1}, 0, NULL), SQLITE_OK);
    ck_assert_int_eq(version_of(db), 1);
    extended = 0;
    ck_assert_int_eq(schema_migrate(db, &(SchemaSteps){three, 3}, 1, note_extend), SQLITE_OK);
    ck_assert_int_eq(version_of(db), 3);
    ck_assert_int_eq(extended, 2); /* each step says how long it may take */
    int64_t moved = 0;
    ck_assert_int_eq(sql_number(db, "SELECT x FROM a", &moved), SQLITE_OK);
    ck_assert_int_eq(moved, 7);
    ck_assert_int_ne(schema_migrate(db, &(SchemaSteps){broken, 5}, 3, NULL), SQLITE_OK);
    ck_assert_int_eq(version_of(db), 3); /* the fourth step went with the fifth */
    ck_assert_int_ne(sql_number(db, "SELECT count(*) FROM c", &moved), SQLITE_OK);
    ck_assert_int_eq(schema_migrate(db, &(SchemaSteps){three, 3}, 3, note_extend), SQLITE_OK);
    ck_assert_int_eq(extended, 2);
    sqlite3_close(db);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, what_a_file_becomes, 0, COUNT_OF(file_cases));
    tcase_add_test(tcase, a_wal_goes_with_its_file);
    tcase_add_test(tcase, two_lost_in_one_second_are_both_kept);
    tcase_add_test(tcase, damage_that_only_the_check_sees);
    tcase_add_test(tcase, a_newer_file_with_a_wal_is_left_untouched);
    tcase_add_test(tcase, nobody_else_may_read_it);
    tcase_add_test(tcase, a_parent_that_is_not_there);
    tcase_add_test(tcase, damage_at_random_offsets_never_keeps_it_from_starting);
    tcase_add_test(tcase, a_file_cut_anywhere_never_keeps_it_from_starting);
    tcase_add_test(tcase, times_and_texts_of_the_file_are_bounded);
    tcase_add_loop_test(tcase, a_damaged_row_that_is_sent_is_not_sent_again, 0, 5);
    tcase_add_test(tcase, texts_go_by_parts_and_no_other_goes_with_them);
    tcase_add_test(tcase, a_marked_file_is_set_aside);
    tcase_add_test(tcase, a_mark_without_words_means_what_stands_there);
    tcase_add_test(tcase, a_mark_of_a_file_that_is_gone_means_no_other);
    tcase_add_test(tcase, a_backup_put_back_by_hand_is_not_set_aside);
    tcase_add_test(tcase, a_clock_that_was_not_set_is_no_measure);
    tcase_add_test(tcase, a_file_of_the_first_version_is_brought_up);
    tcase_add_test(tcase, migrations_take_what_is_missing_or_nothing);
}

int main(void) { return run_tests("store file", fill); }
