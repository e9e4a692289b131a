#include "store/store_reserve.h"

#include "base/alloc.h"
#include "base/own.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char *reserve_path(const char *directory) { return text_format("%s/tocsin.reserve", directory); }

static bool is_there(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && status.st_size >= RESERVE_BYTES &&
        status.st_blocks * 512 >= RESERVE_BYTES; /* st_blocks counts 512 bytes, whatever the filesystem's own */
}

static bool has_room_twice(const char *directory) {
    struct statvfs room;
    return statvfs(directory, &room) == 0 && room.f_bavail > 2 * RESERVE_BYTES / room.f_frsize;
}

bool reserve_make(const char *directory) {
    OWN(text) char *path = reserve_path(directory);
    if (is_there(path)) return true;
    if (!has_room_twice(directory)) return false;
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    const bool made = posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
    close(fd);
    if (!made) unlink(path);
    return made;
}

bool reserve_release(const char *directory) {
    OWN(text) char *path = reserve_path(directory);
    return unlink(path) == 0;
}
