/* Keeping the file small: what is past its limits goes, in slices, so that a commit never waits long. Store thread. */
#ifndef TOCSIN_STORE_STORE_PRUNE_H
#define TOCSIN_STORE_STORE_PRUNE_H

#include <sqlite3.h>
#include <stdint.h>

enum {
    PRUNE_SLICE = 500, /* rows a transaction */
    PRUNE_FINISHED_DAYS = 30, /* notifications that are over are shown for so long */
    PRUNE_FINISHED_MAX = 20000, /* and at most so many of them */
    PRUNE_FOR_ROOM_SLICES = 20, /* of history, each time that the disk is full */
    PRUNE_FOR_ROOM_KEEPS = 1000 /* the newest transitions stay even then */
};

typedef struct PruneLimits {
    int64_t now_ms, history_keep_ms, history_max_rows;
} PruneLimits;

/* One slice, in a transaction of its own. SQLITE_OK or the error; `*ret_rows` how many went (0: there is nothing more).
 */
int prune_slice(sqlite3 *db, const PruneLimits *limits, int64_t *ret_rows);
/* The oldest history, whatever its age: a full disk. */
int prune_for_room(sqlite3 *db, int64_t *ret_rows);

#endif
