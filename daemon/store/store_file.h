/* Opening the state file: pragmas, check, migrations, reading it whole; and setting aside one that cannot be read.
 * Blocks; runs before the loop does. */
#ifndef TOCSIN_STORE_STORE_FILE_H
#define TOCSIN_STORE_STORE_FILE_H

#include "store/store.h"
#include "store/store_batch.h"

#include <sqlite3.h>

enum {
    STORE_CHECKPOINT_PAGES = 250, /* of WAL: then it is written back */
    STORE_WAL_BYTES = 4 << 20, /* what a WAL is cut to once it was written back */
    STORE_LOST_MAX = 100 /* files set aside within one second */
};

typedef struct StoreFile {
    sqlite3 *db;
    Statements *statements; /* the caller's, to free before the connection is closed */
    StoreLoad *load; /* what was there; the caller's */
    char *lost; /* the new name of a file that could not be read, or NULL; the caller's */
} StoreFile;

/* The one writing connection on `tocsin.db` in `options->directory`, whose lock the caller holds. False: errors as
 * store_open() tells them. */
bool store_file_open(const StoreOptions *options, int64_t now_ms, StoreFile *ret_file, Error *err);
/* The connection for queries; NULL where it cannot be opened. */
sqlite3 *store_file_open_reader(const char *directory);
/* Marks the stop clean, writes everything back, closes. Readers must be closed before. SQLITE_OK or the error. */
int store_file_close(sqlite3 *db);

#endif
