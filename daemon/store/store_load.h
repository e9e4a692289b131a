/* Reading all that is needed to go on, once at start. */
#ifndef TOCSIN_STORE_STORE_LOAD_H
#define TOCSIN_STORE_STORE_LOAD_H

#include "store/store.h"

#include <sqlite3.h>

enum {
    STORE_LOAD_MAX = 1000000, /* rows of one table; what is beyond stays in the file, unread, and is logged */
    STORE_CRASHES_LEFT = 6 /* in flight at so many crashes in a row: parked (I5) */
};

/* What makes no sense of an owed row is put right as it is loaded. Rows found `sending` become pending; after a crash
 * it is counted, and the sixth parks them. Runs inside the caller's transaction, so that a crash is counted once.
 * SQLITE_OK or the error. */
int store_settle_sending(sqlite3 *db, bool was_clean, int64_t now_ms);
/* SQLITE_OK, and `*ret_load` is the caller's; or the error. */
int store_read_all(sqlite3 *db, bool was_clean, int64_t now_ms, StoreLoad **ret_load);

#endif
