#include "base/file.h"

#include "base/buffer.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A FIFO, a terminal or a device could hold us up or never end. */
static bool check_regular(int fd, Error *err) {
    struct stat about;
    if (fstat(fd, &about)) return error_set(err, ERROR_LOCAL, "cannot be read: %s", strerror(errno));
    return S_ISREG(about.st_mode) || error_set(err, ERROR_LOCAL, "is no regular file");
}

/* Reads on until the end, an error, or one byte more than the buffer may hold. */
static bool read_all(int fd, Buffer *into, Error *err) {
    char chunk[16384];
    for (;;) {
        const ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0) return true;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set(err, ERROR_LOCAL, "cannot be read: %s", strerror(errno));
        if (!buffer_add(into, chunk, (size_t)got)) {
            return error_set(err, ERROR_INPUT, "is longer than %zu bytes", into->max);
        }
    }
}

char *file_read(const char *path, size_t max_bytes, size_t *ret_length, bool *ret_absent, Error *err) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (ret_absent) *ret_absent = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (fd < 0) return error_set(err, ERROR_LOCAL, "cannot be opened: %s", strerror(errno)), NULL;
    OWN(buffer) Buffer all = BUFFER(max_bytes);
    const bool whole = check_regular(fd, err) && read_all(fd, &all, err);
    close(fd);
    if (!whole) return NULL;
    *ret_length = all.used;
    return buffer_take(&all);
}
