/* A folder of its own, a loop, a clock that stands still, and a store in it, for the tests of the store. */
#ifndef TOCSIN_TESTS_STORE_ROOM_H
#define TOCSIN_TESTS_STORE_ROOM_H

#include "base/alloc.h"
#include "store/store.h"

#include <check.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM_NOW_MS INT64_C(1770000000000) /* 2026-02-02 */
#define DAY_MS INT64_C(86400000)

typedef struct Room {
    char folder[64], path[80];
    uv_loop_t loop;
    Clock *clock;
    Metrics *metrics;
    StoreOptions options;
    Store *store;
    char *lost;
    Error err;
    size_t answers; /* callbacks so far, and the last one's outcome */
    StoreOutcome outcome;
    char message[256]; /* of the last lease, or of what was asked for */
} Room;

static inline void room_init(Room *room) {
    *room = (Room){.clock = clock_new_virtual(ROOM_NOW_MS), .metrics = metrics_new()};
    snprintf(room->folder, sizeof room->folder, "%s/tocsin-store-XXXXXX", "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(room->folder));
    snprintf(room->path, sizeof room->path, "%s/tocsin.db", room->folder);
    room->options =
        (StoreOptions){.directory = room->folder, .history_keep_ms = 90 * DAY_MS, .history_max_rows = 1000000};
    uv_loop_init(&room->loop);
}

static inline bool room_try_open(Room *room) {
    free(room->lost);
    room->lost = NULL;
    room->err = (Error){0};
    room->store = store_open(&room->loop, room->clock, room->metrics, &room->options, &room->lost, &room->err);
    return room->store != NULL;
}

static inline void room_open(Room *room) { ck_assert_msg(room_try_open(room), "%s", room->err.text); }

static inline StoreLoad *room_load(Room *room) {
    StoreLoad *load = store_load_all(room->store, &room->err);
    ck_assert_msg(load != NULL, "%s", room->err.text);
    return load;
}

/* All that was handed in is answered when this returns. */
static inline void room_run(Room *room) { uv_run(&room->loop, UV_RUN_DEFAULT); }

static inline void room_close(Room *room) {
    room->store = store_close(room->store);
    room_run(room);
}

static inline int room_remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw) {
    (void)status, (void)kind, (void)ftw;
    return remove(path);
}

static inline void room_deinit(Room *room) {
    room_close(room);
    ck_assert_int_eq(uv_loop_close(&room->loop), 0); /* no handle and no job is left behind */
    metrics_free(room->metrics);
    clock_free(room->clock);
    free(room->lost);
    nftw(room->folder, room_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void room_done(void *ctx, StoreOutcome outcome) {
    Room *room = ctx;
    room->answers++;
    room->outcome = outcome;
}

static inline void room_leased(void *ctx, StoreOutcome outcome, const char *message_json) {
    Room *room = ctx;
    snprintf(room->message, sizeof room->message, "%s", message_json ? message_json : "(none)");
    room_done(ctx, outcome);
}

static inline void room_commit(Room *room, const StoreBatch *batch) {
    store_commit_batch(room->store, batch, room_done, room);
    room_run(room);
}

/* What `act` does to a freshly opened store, and then the process is gone without a word. */
static inline void room_crash(Room *room, void (*act)(Room *room)) {
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        uv_loop_fork(&room->loop);
        room_open(room);
        act(room);
        room_run(room);
        raise(SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* not by a failure of its own */
}

#define ROOM_MESSAGE "{\"subject\":\"x\"}"

static inline OutboxRow room_owed(const char *id) {
    return (OutboxRow){.id = id,
        .group_key = "{}:{alertname=\"x\"}",
        .receiver = "oncall",
        .plugin = "webhook",
        .state = "pending",
        .created_ms = ROOM_NOW_MS,
        .next_attempt_ms = ROOM_NOW_MS,
        .expires_ms = ROOM_NOW_MS + 3 * DAY_MS,
        .message_json = ROOM_MESSAGE};
}

static inline void room_add_outbox(Room *room, const char *id) {
    const OutboxRow row = room_owed(id);
    room_commit(room, &(StoreBatch){.outbox = &row, .outbox_count = 1});
}

#endif
