#include "shim.h"

#include <sqlite3.h>
#include <string.h>

typedef struct File {
    sqlite3_file base;
    ShimFile kind;
    sqlite3_file *real; /* stands behind this struct */
} File;

static struct {
    sqlite3_vfs vfs, *real;
    ShimHook *hook;
    void *ctx;
} shim;

static sqlite3_file *real(sqlite3_file *file) { return ((File *)file)->real; }

static int tell(sqlite3_file *file, ShimOp op, int64_t offset, const void *bytes, int length) {
    const ShimEvent event = {op, ((File *)file)->kind, offset, bytes, length};
    return shim.hook(shim.ctx, &event);
}

static int file_close(sqlite3_file *f) { return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK; }
static int file_read(sqlite3_file *f, void *bytes, int length, sqlite3_int64 offset) {
    return real(f)->pMethods->xRead(real(f), bytes, length, offset);
}
static int file_write(sqlite3_file *f, const void *bytes, int length, sqlite3_int64 offset) {
    const int code = tell(f, SHIM_WRITE, offset, bytes, length);
    return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), bytes, length, offset);
}
static int file_truncate(sqlite3_file *f, sqlite3_int64 length) {
    const int code = tell(f, SHIM_TRUNCATE, length, NULL, 0);
    return code != SQLITE_OK ? code : real(f)->pMethods->xTruncate(real(f), length);
}
static int file_sync(sqlite3_file *f, int flags) {
    const int code = tell(f, SHIM_SYNC, 0, NULL, 0);
    return code != SQLITE_OK ? code : real(f)->pMethods->xSync(real(f), flags);
}
static int file_size(sqlite3_file *f, sqlite3_int64 *size) { return real(f)->pMethods->xFileSize(real(f), size); }
static int file_lock(sqlite3_file *f, int level) { return real(f)->pMethods->xLock(real(f), level); }
static int file_unlock(sqlite3_file *f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
static int file_is_reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int file_control(sqlite3_file *f, int op, void *arg) {
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}
static int file_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int file_traits(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int file_shm_lock(sqlite3_file *f, int at, int count, int flags) {
    return real(f)->pMethods->xShmLock(real(f), at, count, flags);
}
static void file_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int file_shm_unmap(sqlite3_file *f, int drop) { return real(f)->pMethods->xShmUnmap(real(f), drop); }

static const sqlite3_io_methods methods = {2, file_close, file_read, file_write, file_truncate, file_sync, file_size,
    file_lock, file_unlock, file_is_reserved, file_control, file_sector, file_traits, file_shm_map, file_shm_lock,
    file_shm_barrier, file_shm_unmap, NULL, NULL};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags) {
    (void)vfs;
    File *file = (File *)f;
    file->real = (sqlite3_file *)(file + 1);
    file->kind = flags & SQLITE_OPEN_MAIN_DB ? SHIM_DATABASE : flags & SQLITE_OPEN_WAL ? SHIM_WAL : SHIM_OTHER;
    file->base.pMethods = &methods;
    return shim.real->xOpen(shim.real, name, file->real, flags, out_flags);
}

void shim_install(ShimHook *hook, void *ctx) {
    shim.real = sqlite3_vfs_find(NULL);
    shim.vfs = *shim.real;
    shim.vfs.zName = "shim";
    shim.vfs.pNext = NULL;
    shim.vfs.szOsFile = (int)sizeof(File) + shim.real->szOsFile;
    shim.vfs.xOpen = shim_open;
    shim.hook = hook;
    shim.ctx = ctx;
    sqlite3_vfs_register(&shim.vfs, 1);
}
