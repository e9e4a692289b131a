/* A VFS over the real one that tells what is written, cut and synced, and can refuse: what the tests of power cuts and
 * failing disks stand on. One a process; called by whichever thread SQLite is on. */
#ifndef TOCSIN_TESTS_STORE_SHIM_H
#define TOCSIN_TESTS_STORE_SHIM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { SHIM_WRITE, SHIM_TRUNCATE, SHIM_SYNC } ShimOp;
typedef enum { SHIM_DATABASE, SHIM_WAL, SHIM_OTHER } ShimFile;
typedef struct ShimEvent {
    ShimOp op;
    ShimFile file;
    int64_t offset; /* or the length that it is cut to */
    const void *bytes;
    int32_t length;
} ShimEvent;

/* SQLITE_OK lets it through to the disk; else the call fails with this code and the disk sees nothing of it. */
typedef int ShimHook(void *ctx, const ShimEvent *event);

/* Becomes the default VFS for what is opened from now on. */
void shim_install(ShimHook *hook, void *ctx);

#endif
