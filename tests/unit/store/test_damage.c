/* A state file damaged anywhere: bytes changed, zeroed, cut off, in the file or in its log. Whatever stands there, a
 * start opens it as far as it is whole or sets it aside; damage that shows at work alone ends the run at once and is
 * set aside by the next. Never a crash, and never a third start. */
#include "room.h"

#include "unit/run.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#ifdef __SANITIZE_ADDRESS__
enum { DAMAGES = 100 }; /* a process each, and those are slow here */
#else
enum { DAMAGES = 1000 };
#endif
enum {
    ROWS = 24,
    STARTS_MAX = 2,
    VERSION_AT = 60, /* of the file's head: a small number there is a newer version, which is refused by intent */
    CHILD_LOST = 10, /* exit statuses of a run: it worked on a fresh file, */
    CHILD_REFUSED = 11, /* it did not start, */
    CHILD_ENDED = 1 /* the store ended it */
};

typedef struct Image {
    char *bytes;
    size_t length;
} Image;

typedef struct Good { /* a file and its log, as a clean stop or a crash leaves them */
    Image file, wal;
} Good;

static Room room;
static void set_up(void) { room_init(&room); }
static void tear_down(void) {
    umount2(room.folder, MNT_DETACH); /* where mount_memory() did; a folder with a disk on it would stay */
    room_deinit(&room);
}

/* --- all that the daemon does with the file --- */

static void put_rows(int i) {
    OWN(text) char *name = text_format("%016x", i + 1);
    const InstanceRow instance = {.fingerprint = name, .alarm = "cpu", .state = "ALARM", .reason = "because"};
    const HistoryRow history = {
        .time_ms = ROOM_NOW_MS - i, .name = "cpu", .fingerprint = name, .from = "OK", .to = "ALARM"};
    const DecisionRow decision = {.time_ms = ROOM_NOW_MS - i,
        .fingerprint = name,
        .group_key = name,
        .receiver = "oncall",
        .decision = "told",
        .reason = "it fires"};
    const GroupTouch touch = {name, "oncall", "{}", ROOM_NOW_MS + i};
    const OutboxRow owed = room_owed(name);
    const CursorRow cursor = {name, "{\"at\":1}"};
    const SeenRow seen = {"prod eu-west-1", name, ROOM_NOW_MS};
    const MatchRow match = {name, name, 0, ROOM_NOW_MS, ROOM_NOW_MS, "10.0.0.1"};
    const SilenceRow silence = {name, "{}", ROOM_NOW_MS, ROOM_NOW_MS + DAY_MS};
    const AckRow ack = {name, "ann", "on it", ROOM_NOW_MS, ROOM_NOW_MS, 0};
    store_commit_batch(room.store,
        &(StoreBatch){&instance, 1, .history = &history, .history_count = 1, .decisions = &decision,
            .decision_count = 1, .touches = &touch, .touch_count = 1, .outbox = &owed, .outbox_count = 1,
            .cursors = &cursor, .cursor_count = 1, .seen = &seen, .seen_count = 1, .matches = &match, .match_count = 1,
            .silences = &silence, .silence_count = 1, .acks = &ack, .ack_count = 1},
        room_done, &room);
}

/* What is there goes: by its keys, so that each index must find it. */
static void drop_rows(int i) {
    OWN(text) char *name = text_format("%016x", i + 1);
    const char *gone = name;
    const OutboxResult over = {.id = name, .attempts = 1, .state = "delivered", .finished_ms = 1};
    const GroupFlush flush = {.key = name, .seen_touches = 1, .drop = true};
    const ForgetBefore seen = {"prod eu-west-1", ROOM_NOW_MS + 1}, matches = {name, ROOM_NOW_MS + 1};
    const CursorRow cursor = {name, NULL};
    store_lease(room.store, name, 1, room_leased, &room);
    store_finish(room.store, &over, room_done, &room);
    store_commit_batch(room.store,
        &(StoreBatch){.forget = &gone,
            .forget_count = 1,
            .flushes = &flush,
            .flush_count = 1,
            .cursors = &cursor,
            .cursor_count = 1,
            .seen_forget = &seen,
            .seen_forget_count = 1,
            .match_forget = &matches,
            .match_forget_count = 1,
            .silence_forget = &gone,
            .silence_forget_count = 1,
            .ack_forget = &gone,
            .ack_forget_count = 1},
        room_done, &room);
}

static void see_history(void *ctx, const HistoryRow *rows, size_t count, int64_t next) {
    (void)ctx, (void)rows, (void)count, (void)next;
}
static void see_outbox(void *ctx, const OutboxRow *rows, size_t count, const char *next) {
    (void)ctx, (void)rows, (void)count, (void)next;
}
static void see_decisions(void *ctx, const DecisionTold *rows, size_t count) { (void)ctx, (void)rows, (void)count; }

static void work(void) {
    store_history(room.store, &(HistoryQuery){.name = "cpu"}, see_history, NULL);
    store_outbox(room.store, &(OutboxQuery){.limit = 100}, see_outbox, NULL);
    store_decisions(room.store, &(DecisionQuery){.fingerprint = "0000000000000001"}, see_decisions, NULL);
    room_run(&room);
    for (int i = 0; i < ROWS; i++) put_rows(i);
    room_run(&room);
    for (int i = 0; i < ROWS; i++) drop_rows(i);
    room_run(&room);
    store_set_history(room.store, 1, 1); /* prunes: a slice after each group of jobs */
    for (int i = 0; i < 4; i++) {
        put_rows(ROWS + i);
        room_run(&room);
        ck_assert_int_eq(room.outcome, STORE_OK);
    }
}

/* One run of the daemon's store in a process of its own: its status, as above; below 0: the signal that killed it. */
static int run_once(void) {
    fflush(stdout);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(CHILD_REFUSED); /* hundreds of lines that are meant to come */
        uv_loop_fork(&room.loop);
        if (!room_try_open(&room)) _exit(CHILD_REFUSED);
        store_load_free(room_load(&room));
        work();
        room_close(&room);
        _exit(room.lost ? CHILD_LOST : 0);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- the damage --- */

static Image read_image(const char *path) {
    struct stat status;
    const int fd = open(path, O_RDONLY);
    if (fd < 0) return (Image){0};
    ck_assert_int_eq(fstat(fd, &status), 0);
    Image image = {alloc_zeroed((size_t)status.st_size + 1, 1), (size_t)status.st_size};
    ck_assert_int_eq(read(fd, image.bytes, image.length), status.st_size);
    close(fd);
    return image;
}

static void write_image(const char *path, const char *bytes, size_t length) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

static void fill_and_die(Room *in) {
    (void)in;
    for (int i = 0; i < ROWS; i++) put_rows(i);
}

/* A crash: the log holds all, unless it was written back. */
static Good make_good(bool is_clean, const char *wal) {
    if (is_clean) {
        room_open(&room);
        fill_and_die(&room);
        room_run(&room);
        room_close(&room);
    } else {
        room_crash(&room, fill_and_die);
    }
    const Good good = {read_image(room.path), read_image(wal)};
    ck_assert(is_clean == (good.wal.length == 0));
    unlink(wal);
    unlink(room.path);
    return good;
}

typedef enum { CHANGED, ZEROED, CUT, KINDS } Kind;
static const char *const kind_words[] = {"changed", "zeroed", "cut"};

/* Damages `bytes` somewhere; its new length. */
static size_t damage(char *bytes, size_t length, Kind kind, bool is_file, unsigned *seed, size_t *ret_at) {
    const size_t at = *ret_at = (size_t)rand_r(seed) % length;
    if (kind == CUT) return at;
    const size_t many = 1 + (size_t)rand_r(seed) % (kind == ZEROED ? 4096 : rand_r(seed) % 4 ? 4 : 256);
    for (size_t i = at; i < at + many && i < length; i++)
        if (!is_file || i < VERSION_AT || i >= VERSION_AT + 4) bytes[i] = kind == ZEROED ? 0 : (char)rand_r(seed);
    return length;
}

static void put_damaged(const Good *good, const char *wal, Kind kind, bool is_wal, unsigned *seed, size_t *ret_at) {
    const Image *target = is_wal ? &good->wal : &good->file, *other = is_wal ? &good->file : &good->wal;
    OWN(text) char *bytes = alloc_zeroed(target->length, 1);
    memcpy(bytes, target->bytes, target->length);
    const size_t length = damage(bytes, target->length, kind, !is_wal, seed, ret_at);
    write_image(is_wal ? wal : room.path, bytes, length);
    unlink(is_wal ? room.path : wal);
    if (other->length) write_image(is_wal ? room.path : wal, other->bytes, other->length);
}

/* A disk in memory, for this test alone: thousands of syncs cost nothing there. Without it the test is slower. */
static void mount_memory(void) {
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0) return;
    if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0) return;
    if (mount("tocsin-test", room.folder, "tmpfs", 0, "size=256m") != 0) perror("tmpfs");
}

static void drop_lost(void) {
    OWN(text) char *command = text_format("rm -f %s/tocsin.db*", room.folder);
    ck_assert_int_eq(system(command), 0);
}

static unsigned number_of(const char *name, unsigned fallback) {
    const char *given = getenv(name);
    return given ? (unsigned)strtoul(given, NULL, 10) : fallback;
}

START_TEST(damage_anywhere_costs_at_most_one_more_start) {
    unsigned seed = number_of("TOCSIN_SEED", (unsigned)getpid()), first = seed;
    const unsigned damages = number_of("DAMAGES", DAMAGES);
    unsigned whole = 0, lost = 0, ended = 0;
    mount_memory();
    OWN(text) char *wal = text_format("%s-wal", room.path);
    Good goods[] = {make_good(true, wal), make_good(false, wal)};
    printf("seed %u\n", seed);
    for (unsigned i = 0; i < damages; i++) {
        const Good *good = &goods[i % 2];
        const Kind kind = (Kind)(i / 2 % KINDS);
        const bool is_wal = good->wal.length && rand_r(&seed) % 2;
        size_t at;
        put_damaged(good, wal, kind, is_wal, &seed, &at);
        int status = CHILD_ENDED, starts = 0;
        while (status == CHILD_ENDED && starts++ < STARTS_MAX) status = run_once();
        ck_assert_msg(status == 0 || status == CHILD_LOST, "%u: %s, %s at %zu: status %d after %d starts", i,
            is_wal                 ? "log"
                : good->wal.length ? "file"
                                   : "clean file",
            kind_words[kind], at, status, starts);
        ended += starts > 1;
        lost += status == CHILD_LOST;
        whole += status == 0 && starts == 1;
        drop_lost();
    }
    printf(
        "figure: %u damaged state files (seed %u): %u opened and worked on, %u set aside, %u of these after a run that "
        "ended at once; none needed a third start\n",
        damages, first, whole, lost, ended);
    for (size_t i = 0; i < COUNT_OF(goods); i++) free(goods[i].file.bytes), free(goods[i].wal.bytes);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 280);
    tcase_add_test(tcase, damage_anywhere_costs_at_most_one_more_start);
}

int main(void) { return run_tests("store damage", fill); }
