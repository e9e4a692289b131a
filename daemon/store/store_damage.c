#include "store/store_damage.h"

#include "base/alloc.h"
#include "base/own.h"
#include "store/store_reserve.h"
#include "store/store_sql.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_TEXT_MAX = 128 };

static char *mark_path(const char *directory) { return text_format("%s/tocsin.damaged", directory); }

/* No constraint of ours can refuse a row that the daemon writes (store_schema.c): one that does is damage, too. */
bool damage_is_told(sqlite3 *db, int code) {
    return sql_fault(db, code) == SQL_UNREADABLE || (code & 0xff) == SQLITE_CONSTRAINT;
}

/* Which file that is, and as of when: a copy over it keeps the inode, another one in its place may keep the times. */
static char *file_text(const char *path) {
    struct stat s;
    if (stat(path, &s) != 0) return text_copy("");
    return text_format("%llu %lld %lld.%09ld", (unsigned long long)s.st_ino, (long long)s.st_size,
        (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}

static bool mark(const char *mark_file, const char *text) {
    const int fd = open(mark_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    const bool is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return is_written;
}

void damage_mark(const char *directory, const char *path) {
    OWN(text) char *mark_file = mark_path(directory);
    OWN(text) char *text = file_text(path);
    if (!mark(mark_file, text) && reserve_release(directory)) mark(mark_file, text);
}

bool damage_is_marked(const char *directory, const char *path) {
    OWN(text) char *mark_file = mark_path(directory);
    OWN(text) char *present = file_text(path);
    char marked[FILE_TEXT_MAX] = "";
    if (access(mark_file, F_OK) != 0) return false;
    const int fd = open(mark_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const ssize_t length = fd < 0 ? -1 : read(fd, marked, sizeof marked - 1);
    if (fd >= 0) close(fd);
    return length <= 0 || !strcmp(marked, present);
}

void damage_clear(const char *directory) {
    OWN(text) char *path = mark_path(directory);
    unlink(path);
}
