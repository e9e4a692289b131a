/* A disk that answers no more while the store is closed: what waits is told that it may be lost, once, and what the
 * disk does later reaches nobody. */
#include "room.h"
#include "shim.h"

#include "unit/run.h"

#include <sqlite3.h>

static Room room;
static uv_sem_t asked, released;
static bool is_stuck; /* set on the loop before the commit that stands still */

static int hold(void *ctx, const ShimEvent *event) {
    (void)ctx;
    if (__atomic_load_n(&is_stuck, __ATOMIC_ACQUIRE) && event->file == SHIM_WAL && event->op == SHIM_WRITE) {
        __atomic_store_n(&is_stuck, false, __ATOMIC_RELEASE);
        uv_sem_post(&asked);
        uv_sem_wait(&released);
    }
    return SQLITE_OK;
}

static void over(uv_timer_t *timer) { uv_close((uv_handle_t *)timer, NULL); }

START_TEST(a_stuck_disk_is_left_behind) {
    uv_sem_init(&asked, 0);
    uv_sem_init(&released, 0);
    shim_install(hold, NULL);
    room_init(&room);
    clock_free(room.clock);
    room.clock = clock_new(); /* the deadline is real */
    room_open(&room);
    const OutboxRow owed = room_owed("id-1");
    room_commit(&room, &(StoreBatch){.outbox = &owed, .outbox_count = 1});
    ck_assert_uint_eq(room.answers, 1);
    __atomic_store_n(&is_stuck, true, __ATOMIC_RELEASE);
    store_commit_batch(room.store, &(StoreBatch){.outbox = &owed, .outbox_count = 1}, room_done, &room);
    store_lease(room.store, "id-1", 1, room_leased, &room);
    uv_sem_wait(&asked);
    room.store = store_close(room.store);
    ck_assert_uint_eq(room.answers, 3);
    ck_assert_int_eq(room.outcome, STORE_STOPPED);
    ck_assert_str_eq(room.message, "(none)");
    uv_timer_t other; /* the daemon's loop is alive for others still */
    uv_update_time(&room.loop);
    uv_timer_init(&room.loop, &other);
    uv_timer_start(&other, over, 500, 0);
    uv_sem_post(&released); /* the thread goes on, and wakes the loop */
    ck_assert_int_eq(uv_run(&room.loop, UV_RUN_DEFAULT), 0); /* nothing holds the loop */
    ck_assert_uint_eq(room.answers, 3);
    /* The thread closes the file, and so removes what we do. */
    for (int i = 0; i < 500 && nftw(room.folder, room_remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0; i++) usleep(10000);
    ck_assert_int_ne(access(room.folder, F_OK), 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_stuck_disk_is_left_behind);
}

int main(void) { return run_tests("store stuck", fill); }
