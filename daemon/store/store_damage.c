#include "store/store_damage.h"

#include "base/alloc.h"
#include "base/own.h"
#include "store/store_reserve.h"
#include "store/store_sql.h"

#include <fcntl.h>
#include <unistd.h>

static char *mark_path(const char *directory) { return text_format("%s/tocsin.damaged", directory); }

/* No constraint of ours can refuse a row that the daemon writes (store_schema.c): one that does is damage, too. */
bool damage_is_told(sqlite3 *db, int code) {
    return sql_fault(db, code) == SQL_UNREADABLE || (code & 0xff) == SQLITE_CONSTRAINT;
}

static bool mark(const char *path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

void damage_mark(const char *directory) {
    OWN(text) char *path = mark_path(directory);
    if (!mark(path) && reserve_release(directory)) mark(path);
}

bool damage_is_marked(const char *directory) {
    OWN(text) char *path = mark_path(directory);
    return access(path, F_OK) == 0;
}

void damage_clear(const char *directory) {
    OWN(text) char *path = mark_path(directory);
    unlink(path);
}
