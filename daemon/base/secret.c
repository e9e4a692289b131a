#include "base/secret.h"

#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct Secret {
    size_t length;
    char bytes[]; /* and a zero byte */
};

static Secret *secret_room(size_t length) {
    Secret *secret = guard_calloc(1, sizeof *secret + length + 1);
    if (!secret) abort();
    secret->length = length;
    return secret;
}

Secret *secret_new(const char *bytes, size_t length) {
    Secret *secret = secret_room(length);
    if (length) memcpy(secret->bytes, bytes, length);
    return secret;
}

Secret *secret_copy(const Secret *secret) { return secret ? secret_new(secret->bytes, secret->length) : NULL; }

Secret *secret_free(Secret *secret) {
    guard_free(secret);
    return NULL;
}

const char *secret_reveal(const Secret *secret, size_t *ret_length) {
    if (ret_length) *ret_length = secret->length;
    return secret->bytes;
}

static bool secret_fill(int fd, Secret *into, Error *err) {
    struct stat about;
    if (fstat(fd, &about)) return error_set(err, ERROR_LOCAL, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(about.st_mode)) return error_set(err, ERROR_LOCAL, "is no regular file");
    size_t used = 0;
    while (used <= SECRET_MAX) {
        const ssize_t got = read(fd, into->bytes + used, SECRET_MAX + 1 - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set(err, ERROR_LOCAL, "cannot be read: %s", strerror(errno));
        if (got == 0) break;
        used += (size_t)got;
    }
    if (used > SECRET_MAX) return error_set(err, ERROR_INPUT, "is longer than %d bytes", SECRET_MAX);
    if (used && into->bytes[used - 1] == '\n') into->bytes[--used] = '\0';
    if (!used) return error_set(err, ERROR_INPUT, "is empty");
    into->length = used;
    return true;
}

Secret *secret_read(const char *path, bool *ret_absent, Error *err) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not hold us up */
    if (ret_absent) *ret_absent = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (fd < 0) return error_set(err, ERROR_LOCAL, "cannot be opened: %s", strerror(errno)), NULL;
    OWN(secret) Secret *room = secret_room(SECRET_MAX + 1);
    const bool filled = secret_fill(fd, room, err);
    close(fd);
    return filled ? secret_copy(room) : NULL; /* a copy of its own size: 64 KiB each would add up */
}

void secret_guard_libraries(void) { json_set_alloc_funcs(guard_malloc, guard_free); }
