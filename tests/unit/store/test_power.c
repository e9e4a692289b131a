/* The power goes, or the disk fails. One run of the real store is recorded, write by write and answer by answer; then
 * it is cut at many instants, what was not synced being dropped, torn or kept by chance, and what was answered must be
 * there. */
#include "room.h"

#include "shim.h"
#include "unit/run.h"

#include <sqlite3.h>
#include <sys/mman.h>

enum {
    COMMITS = 50,
    FAILING_COMMITS = 30,
    LONG_TEXT = 60000, /* so that the WAL is written back and begun anew on the way */
    CUTS = 100,
    SECTOR = 512,
    IMAGE_MAX = 16 << 20
};

static Room room;
static bool *told; /* shared with a child: true for each of its commits that was answered as on disk */
static void set_up(void) {
    room_init(&room);
    told = mmap(NULL, FAILING_COMMITS + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(told, MAP_FAILED);
}
static void tear_down(void) { room_deinit(&room); }

/* --- the record
 * --------------------------------------------------------------------------------------------------------- */

/* In the file: this, and the bytes of a write behind it. */
typedef struct Record {
    enum { RECORD_DISK, RECORD_ANSWERED } kind;
    ShimOp op;
    ShimFile file;
    int32_t length;
    int64_t offset; /* of an answer: the commit's number */
} Record;

static void make_file(void) {
    room_open(&room);
    room_close(&room);
}

static uv_mutex_t record_lock;
static void put_record(FILE *out, const Record *record, const void *bytes) {
    uv_mutex_lock(&record_lock);
    fwrite(record, sizeof *record, 1, out);
    if (bytes && record->length > 0) fwrite(bytes, (size_t)record->length, 1, out);
    uv_mutex_unlock(&record_lock);
}

static int record_event(void *ctx, const ShimEvent *event) {
    put_record(ctx, &(Record){RECORD_DISK, event->op, event->file, event->length, event->offset}, event->bytes);
    return SQLITE_OK;
}

typedef struct Writing {
    Room *room;
    FILE *out;
    int64_t number;
} Writing;

static void commit_next(Writing *writing);
static void answered(void *ctx, StoreOutcome outcome) {
    Writing *writing = ctx;
    ck_assert_int_eq(outcome, STORE_OK);
    put_record(writing->out, &(Record){.kind = RECORD_ANSWERED, .offset = writing->number}, NULL);
    if (writing->number < COMMITS) commit_next(writing);
}

/* Two rows a batch, so that half a batch would show; and one that is overwritten each time. */
static void commit_next(Writing *writing) {
    char name[32], text[LONG_TEXT + 1];
    memset(text, 'a' + (int)(++writing->number % 26), LONG_TEXT);
    text[LONG_TEXT] = '\0';
    snprintf(name, sizeof name, "%016x", (unsigned)writing->number);
    const OutboxRow owed = room_owed(name);
    const InstanceRow instance = {.fingerprint = name, .state = "ALARM"};
    const CursorRow cursor = {"long", text};
    const StoreBatch batch = {.outbox = &owed,
        .outbox_count = 1,
        .instances = &instance,
        .instance_count = 1,
        .cursors = &cursor,
        .cursor_count = 1};
    store_commit_batch(writing->room->store, &batch, answered, writing);
}

/* A child writes and dies; what it wrote to the disk, in order, is in the file at `path`. */
static void record_run(const char *path) {
    const pid_t pid = fork();
    if (pid == 0) {
        Writing writing = {&room, fopen(path, "w"), 0};
        uv_mutex_init(&record_lock);
        uv_loop_fork(&room.loop);
        shim_install(record_event, writing.out);
        room_open(&room);
        commit_next(&writing);
        room_run(&room);
        fclose(writing.out);
        raise(SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- the cut
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct Image {
    char *bytes;
    size_t length;
} Image;

typedef struct Disk {
    Image files[SHIM_OTHER];
    const Record **unsynced; /* in order, of both files */
    size_t unsynced_count;
    int64_t answered;
} Disk;

static void apply(Disk *disk, const Record *record, size_t length) {
    Image *image = &disk->files[record->file];
    if (record->op == SHIM_TRUNCATE) {
        image->length = (size_t)record->offset < image->length ? (size_t)record->offset : image->length;
        return;
    }
    const size_t end = (size_t)record->offset + length;
    ck_assert_uint_le(end, IMAGE_MAX);
    if (end > image->length) { /* what lies between was never written: zeros, whatever stood there before a cut */
        memset(image->bytes + image->length, 0, end - image->length);
        image->length = end;
    }
    memcpy(image->bytes + record->offset, record + 1, length);
}

static void sync_file(Disk *disk, ShimFile file) {
    size_t left = 0;
    for (size_t i = 0; i < disk->unsynced_count; i++) {
        const Record *record = disk->unsynced[i];
        if (record->file == file)
            apply(disk, record, (size_t)record->length);
        else
            disk->unsynced[left++] = record;
    }
    disk->unsynced_count = left;
}

static void take_record(Disk *disk, const Record *record, bool with_syncs) {
    if (record->kind == RECORD_ANSWERED) {
        disk->answered = record->offset;
    } else if (record->file == SHIM_OTHER) {
        return;
    } else if (record->op == SHIM_SYNC) {
        if (with_syncs) sync_file(disk, record->file);
    } else {
        disk->unsynced[disk->unsynced_count++] = record;
    }
}

/* The power goes: each write that was not synced is lost, there, or torn at a sector, in any order of luck. */
static void lose_power(Disk *disk, unsigned *seed) {
    const int keeps = rand_r(seed) % 4; /* of 3: none, some, most, all */
    for (size_t i = 0; i < disk->unsynced_count; i++) {
        const Record *record = disk->unsynced[i];
        if (rand_r(seed) % 3 >= keeps) continue;
        size_t length = (size_t)record->length;
        if (length > SECTOR && rand_r(seed) % 4 == 0) length = SECTOR * ((size_t)rand_r(seed) % (length / SECTOR));
        apply(disk, record, length);
    }
    disk->unsynced_count = 0;
}

typedef struct Tape {
    Image before; /* the state file as the recorded run found it */
    const Record **records;
    size_t count;
} Tape;

static Image read_image(const char *path) {
    Image image = {alloc_zeroed(IMAGE_MAX, 1), 0};
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    image.length = fread(image.bytes, 1, IMAGE_MAX, in);
    fclose(in);
    return image;
}

static Tape read_tape(const char *path) {
    Tape tape = {0};
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    Record head;
    while (fread(&head, sizeof head, 1, in) == 1) {
        Record *record = alloc_zeroed(1, sizeof head + (size_t)head.length);
        *record = head;
        if (head.length > 0) ck_assert_uint_eq(fread(record + 1, (size_t)head.length, 1, in), 1);
        tape.records = alloc_again(tape.records, tape.count + 1, sizeof *tape.records);
        tape.records[tape.count++] = record;
    }
    fclose(in);
    return tape;
}

static void free_tape(Tape *tape) {
    for (size_t i = 0; i < tape->count; i++) free((void *)tape->records[i]);
    free(tape->records);
    free(tape->before.bytes);
}

/* --- what is left
 * ------------------------------------------------------------------------------------------------------- */

static void write_image(const char *path, const Image *image) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    if (image->length > 0) ck_assert_uint_eq(fwrite(image->bytes, image->length, 1, file), 1);
    fclose(file);
}

/* Are the commits that were answered there, whole, and after them no more than the one in flight? */
static bool holds(const StoreLoad *load, int64_t answered_count) {
    if (room.lost || load->instance_count != load->outbox_count) return false;
    if ((int64_t)load->outbox_count < answered_count || (int64_t)load->outbox_count > answered_count + 1) return false;
    for (size_t i = 0; i < load->outbox_count; i++)
        if (strtoul(load->outbox[i].id, NULL, 16) != i + 1) return false;
    return true;
}

static bool survives(const Tape *tape, size_t cut, unsigned *seed, bool with_syncs) {
    OWN(text) char *wal = text_format("%s-wal", room.path);
    OWN(text) char *shm = text_format("%s-shm", room.path);
    Disk disk = {.unsynced = alloc_zeroed(tape->count + 1, sizeof(Record *))};
    for (size_t i = 0; i < COUNT_OF(disk.files); i++) disk.files[i].bytes = alloc_zeroed(IMAGE_MAX, 1);
    memcpy(disk.files[SHIM_DATABASE].bytes, tape->before.bytes, tape->before.length);
    disk.files[SHIM_DATABASE].length = tape->before.length;
    for (size_t i = 0; i < cut; i++) take_record(&disk, tape->records[i], with_syncs);
    lose_power(&disk, seed);
    write_image(room.path, &disk.files[SHIM_DATABASE]);
    write_image(wal, &disk.files[SHIM_WAL]);
    unlink(shm);
    for (size_t i = 0; i < COUNT_OF(disk.files); i++) free(disk.files[i].bytes);
    free(disk.unsynced);
    if (!room_try_open(&room)) return false;
    OWN(store_load) StoreLoad *load = room_load(&room);
    const bool is_whole = holds(load, disk.answered);
    room_close(&room);
    return is_whole;
}

static size_t losses(const Tape *tape, bool with_syncs) {
    const char *given = getenv("TOCSIN_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    printf("seed %u, %zu records\n", seed, tape->count);
    size_t lost = 0;
    for (int i = 0; i < CUTS; i++) {
        const size_t cut = (size_t)rand_r(&seed) % tape->count;
        if (survives(tape, cut, &seed, with_syncs)) continue;
        if (lost++ == 0 && with_syncs) printf("lost at record %zu, cut %d\n", cut, i);
    }
    return lost;
}

START_TEST(what_was_answered_survives_a_power_cut) {
    OWN(text) char *path = text_format("%s/tape", room.folder);
    make_file();
    const Image before = read_image(room.path);
    record_run(path);
    Tape tape = read_tape(path);
    tape.before = before;
    ck_assert_uint_eq(losses(&tape, true), 0);
    ck_assert_uint_gt(losses(&tape, false), 0); /* the test's own test: on a disk that ignores syncs it must fail */
    free_tape(&tape);
}
END_TEST

/* --- a disk that fails
 * -------------------------------------------------------------------------------------------------- */

typedef struct Failing {
    ShimOp op;
    ShimFile file;
    int code;
    int from, until; /* which of its calls, from 1, inclusive */
    int calls;
} Failing;

static int fail_some(void *ctx, const ShimEvent *event) {
    Failing *failing = ctx;
    if (event->op != failing->op || event->file != failing->file) return SQLITE_OK;
    failing->calls++;
    return failing->calls >= failing->from && failing->calls <= failing->until ? failing->code : SQLITE_OK;
}

static void commit_numbered(int64_t number) {
    OWN(text) char *name = text_format("%016x", (unsigned)number);
    OWN(text) char *text = text_format("%0*d", LONG_TEXT, 1);
    const OutboxRow owed = room_owed(name);
    const InstanceRow instance = {.fingerprint = name, .state = "ALARM", .reason = text};
    room_commit(&room, &(StoreBatch){.outbox = &owed, .outbox_count = 1, .instances = &instance, .instance_count = 1});
    told[number] = room.outcome == STORE_OK;
}

/* Commits under a disk that fails, in a child. Its status; 2: the store could not even be opened. */
static int run_failing(Failing *failing) {
    memset(told, 0, FAILING_COMMITS + 1);
    const pid_t pid = fork();
    if (pid == 0) {
        uv_loop_fork(&room.loop);
        shim_install(fail_some, failing);
        if (!room_try_open(&room)) _exit(2);
        for (int64_t number = 1; number <= FAILING_COMMITS; number++) commit_numbered(number);
        room_close(&room);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* On a disk that is well again: what was told is there, and nothing by halves. */
static void expect_told(const char *what, int at) {
    bool there[FAILING_COMMITS + 1] = {false};
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_msg(!room.lost, "%s, call %d: set aside", what, at);
    ck_assert_uint_eq(load->outbox_count, load->instance_count);
    for (size_t i = 0; i < load->outbox_count; i++) there[strtoul(load->outbox[i].id, NULL, 16)] = true;
    for (int i = 1; i <= FAILING_COMMITS; i++)
        ck_assert_msg(there[i] || !told[i], "%s, call %d: commit %d was told and is not there", what, at, i);
    room_close(&room);
}

static void forget_all(void) {
    unlink(room.path); /* a new file for the next run: closed cleanly, it has no WAL */
    make_file();
}

static const struct FailingCase {
    const char *what;
    ShimOp op;
    ShimFile file;
    int code;
} failing_cases[] = {
    {"an fsync of the WAL", SHIM_SYNC, SHIM_WAL, SQLITE_IOERR_FSYNC},
    {"an fsync of the file", SHIM_SYNC, SHIM_DATABASE, SQLITE_IOERR_FSYNC},
    {"a write to the WAL", SHIM_WRITE, SHIM_WAL, SQLITE_IOERR_WRITE},
    {"a write to the file", SHIM_WRITE, SHIM_DATABASE, SQLITE_IOERR_WRITE},
};

START_TEST(a_disk_that_fails_once_ends_the_daemon) {
    const struct FailingCase *c = &failing_cases[_i];
    int failed = 0;
    for (int at = 1, status = 1; status != 0 && at < 400;
         at += 1 + at / 4) { /* until the failure lies behind the end */
        forget_all();
        status = run_failing(&(Failing){c->op, c->file, c->code, at, at, 0});
        ck_assert_msg(status == 0 || status == 1 || status == 2, "%s, call %d: status %d", c->what, at, status);
        failed += status == 1;
        expect_told(c->what, at);
    }
    ck_assert_msg(failed > 0, "%s never ended the daemon", c->what);
}
END_TEST

static const struct FullCase {
    ShimFile file;
    int lasts;
} full_cases[] = {{SHIM_WAL, 0}, {SHIM_WAL, 30}, {SHIM_DATABASE, 0}, {SHIM_DATABASE, 30}};

START_TEST(a_full_disk_loses_nothing_that_was_told) {
    const struct FullCase *c = &full_cases[_i];
    for (int at = 1; at < 300; at += 1 + at / 4) {
        forget_all();
        const int status = run_failing(&(Failing){SHIM_WRITE, c->file, SQLITE_FULL, at, at + c->lasts, 0});
        ck_assert_msg(status == 0 || status == 2, "full at write %d: status %d", at, status);
        ck_assert_msg(status == 2 || told[FAILING_COMMITS], "full at write %d: never recovered", at);
        expect_told("full", at);
    }
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, what_was_answered_survives_a_power_cut);
    tcase_add_loop_test(tcase, a_disk_that_fails_once_ends_the_daemon, 0, COUNT_OF(failing_cases));
    tcase_add_loop_test(tcase, a_full_disk_loses_nothing_that_was_told, 0, COUNT_OF(full_cases));
}

int main(void) { return run_tests("store power", fill); }
