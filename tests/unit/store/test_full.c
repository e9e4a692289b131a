/* No room: what goes first, what is told, and how it goes on when there is room again. */
#include "room.h"

#include "store/store_prune.h"
#include "store/store_reserve.h"
#include "unit/run.h"

#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static Room room;
static void set_up(void) { room_init(&room); }
static void tear_down(void) { room_deinit(&room); }

static bool has_reserve(void) {
    OWN(text) char *path = text_format("%s/tocsin.reserve", room.folder);
    return access(path, F_OK) == 0;
}

/* --- the file's own bound
 * ------------------------------------------------------------------------------------------------ */

enum { SMALL_FILE = 2 << 20 };

static void see_count(void *ctx, const HistoryRow *rows, size_t count, int64_t next) {
    (void)rows, (void)next;
    *(size_t *)ctx = count;
}

START_TEST(old_history_gives_way) {
    enum { ROWS = 30000, A_BATCH = 500 };
    HistoryRow rows[A_BATCH];
    struct stat status;
    size_t left = 0;
    for (int i = 0; i < A_BATCH; i++)
        rows[i] = (HistoryRow){.time_ms = ROOM_NOW_MS,
            .name = "cpu",
            .fingerprint = "00000000000000aa",
            .from = "OK",
            .to = "ALARM",
            .reason = "a reason of the usual length, about as long as this one is, or a little longer"};
    room.options.max_bytes = SMALL_FILE;
    room_open(&room);
    for (int i = 0; i < ROWS / A_BATCH; i++) {
        room_commit(&room, &(StoreBatch){.history = rows, .history_count = A_BATCH});
        ck_assert_int_eq(
            room.outcome, STORE_OK); /* never told that there is no room: there always is, for what is new */
    }
    store_history(room.store, &(HistoryQuery){.limit = 0}, see_count, &left);
    room_run(&room);
    ck_assert_uint_ge(left, PRUNE_FOR_ROOM_KEEPS);
    ck_assert_int_eq(stat(room.path, &status), 0);
    ck_assert_int_le(status.st_size, SMALL_FILE);
}
END_TEST

/* One row that nothing may prune, and a cursor that tells whether its batch is there. */
static void add_big(int number) {
    enum { BIG = 100000 };
    static char text[BIG + 1];
    memset(text, 'x', BIG);
    OWN(text) char *id = text_format("%d", number);
    OutboxRow row = room_owed(id);
    row.message_json = text;
    const CursorRow cursor = {"newest", id};
    room_commit(&room, &(StoreBatch){.outbox = &row, .outbox_count = 1, .cursors = &cursor, .cursor_count = 1});
}

static int fill_up(void) {
    int number = 0;
    do add_big(++number);
    while (room.outcome == STORE_OK && number < 1000);
    ck_assert_int_eq(room.outcome, STORE_FULL);
    return number;
}

START_TEST(a_batch_that_finds_no_room_is_not_there_at_all) {
    room.options.max_bytes = SMALL_FILE;
    room_open(&room);
    const int refused = fill_up();
    store_lease(room.store, "1", 1, room_leased, &room); /* what needs no room goes on */
    room_run(&room);
    ck_assert_int_eq(room.outcome, STORE_OK);
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->outbox_count, (size_t)refused - 1);
    ck_assert_int_eq(atoi(load->cursors[0].value_json), refused - 1);
}
END_TEST

START_TEST(room_again) {
    room.options.max_bytes = SMALL_FILE;
    room_open(&room);
    const int refused = fill_up();
    for (int i = 0; i < 2; i++) { /* one's pages alone may not do: the tree of what comes is another */
        const OutboxResult over = {.id = i ? "2" : "1", .attempts = 0, .state = "discarded", .finished_ms = 1};
        store_finish(room.store, &over, room_done, &room);
        room_run(&room);
        ck_assert_int_eq(room.outcome, STORE_OK);
    }
    store_set_history(room.store, DAY_MS, 10); /* prunes what is over */
    for (int tries = 0; tries < 1000 && (tries == 0 || room.outcome != STORE_OK); tries++) add_big(refused);
    ck_assert_int_eq(room.outcome, STORE_OK);
}
END_TEST

/* --- a disk that is really full
 * --------------------------------------------------------------------------------------- */

/* A small disk at the room's folder, seen by this process alone; false where that is not allowed here. */
static bool mount_small_disk(const char *size) {
    const int kinds = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    OWN(text) char *map = text_format("0 %u 1", geteuid());
    if (unshare(kinds) != 0) return false;
    if (kinds & CLONE_NEWUSER) {
        const int fd = open("/proc/self/uid_map", O_WRONLY);
        const bool is_mapped = fd >= 0 && write(fd, map, strlen(map)) > 0;
        if (fd >= 0) close(fd);
        if (!is_mapped) return false;
    }
    return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("tocsin-test", room.folder, "tmpfs", 0, size) == 0;
}

static void take_the_rest(const char *path) {
    struct statvfs left;
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(statvfs(room.folder, &left), 0);
    ck_assert_int_eq(posix_fallocate(fd, 0, (off_t)(left.f_bavail * left.f_frsize)), 0);
    close(fd);
}

START_TEST(a_full_disk_takes_the_reserve_and_gives_it_back) {
    if (!mount_small_disk("size=64m")) return (void)printf("no disk of its own here: not tested\n");
    OWN(text) char *filler = text_format("%s/filler", room.folder);
    room_open(&room);
    ck_assert(has_reserve());
    take_the_rest(filler);
    add_big(1);
    for (int i = 2; has_reserve() && i < 1000; i++) add_big(i); /* the WAL's own length may hold the first ones */
    ck_assert(!has_reserve());
    ck_assert_int_eq(room.outcome, STORE_OK); /* that is what it was put by for */
    const int refused = fill_up();
    store_set_history(room.store, 90 * DAY_MS, 1000);
    add_big(refused);
    ck_assert(!has_reserve()); /* not while the disk is full */
    ck_assert_int_eq(unlink(filler), 0);
    add_big(refused);
    ck_assert_int_eq(room.outcome, STORE_OK);
    for (int i = 0; i < 1000 && !has_reserve(); i++) {
        store_set_history(room.store, 90 * DAY_MS, 1000);
        store_lease(room.store, "1", 1, room_leased, &room);
        room_run(&room);
    }
    ck_assert(has_reserve());
    room_close(&room);
    ck_assert_int_eq(umount(room.folder), 0);
}
END_TEST

START_TEST(a_disk_that_is_full_at_the_start) {
    if (!mount_small_disk("size=64m")) return (void)printf("no disk of its own here: not tested\n");
    OWN(text) char *filler = text_format("%s/filler", room.folder);
    take_the_rest(filler);
    ck_assert(!room_try_open(&room));
    ck_assert_int_eq(room.err.kind, ERROR_LOCAL);
    ck_assert_msg(strstr(room.err.text, "no room") != NULL, "%s", room.err.text);
    ck_assert_int_eq(unlink(filler), 0);
    room_open(&room);
    add_big(1);
    room_close(&room);
    take_the_rest(filler);
    ck_assert(has_reserve());
    room_open(&room); /* the reserve is enough to start with what is there */
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->outbox_count, 1);
    room_close(&room);
    ck_assert_int_eq(umount(room.folder), 0);
}
END_TEST

START_TEST(the_reserve_does_not_take_the_last_room) {
    if (!mount_small_disk("size=24m")) return (void)printf("no disk of its own here: not tested\n");
    ck_assert(!reserve_make(room.folder));
    ck_assert(!has_reserve());
    ck_assert_int_eq(umount(room.folder), 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, old_history_gives_way);
    tcase_add_test(tcase, a_batch_that_finds_no_room_is_not_there_at_all);
    tcase_add_test(tcase, room_again);
    tcase_add_test(tcase, a_full_disk_takes_the_reserve_and_gives_it_back);
    tcase_add_test(tcase, a_disk_that_is_full_at_the_start);
    tcase_add_test(tcase, the_reserve_does_not_take_the_last_room);
}

int main(void) { return run_tests("store full", fill); }
