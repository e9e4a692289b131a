#include "store/store_lock.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PID_BYTES = 24 };

static bool make_directory(const char *directory, Error *err) {
    if (mkdir(directory, 0700) == 0 || errno == EEXIST) return true;
    return error_set(
        err, ERROR_INPUT, "state directory %s cannot be made: %s (check state.directory)", directory, strerror(errno));
}

static bool name_the_holder(int fd, const char *directory, Error *err) {
    char text[PID_BYTES] = "";
    const ssize_t got = pread(fd, text, sizeof text - 1, 0);
    const long pid = got > 0 ? strtol(text, NULL, 10) : 0;
    if (pid <= 0) return error_set(err, ERROR_INPUT, "another tocsind uses the state directory %s", directory);
    return error_set(err, ERROR_INPUT,
        "another tocsind (pid %ld) uses the state directory %s (stop it, or give each its own state.directory)", pid,
        directory);
}

/* The pid is for people: the lock holds without it, so a full disk does not keep the daemon from starting. */
static void write_pid(int fd) {
    OWN(text) char *text = text_format("%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) < 0)
        LOG(WARNING, "the pid could not be written into tocsin.lock", KV("error", strerror(errno)));
}

int store_lock(const char *directory, Error *err) {
    if (!make_directory(directory, err)) return -1;
    OWN(text) char *path = text_format("%s/tocsin.lock", directory);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set(err, ERROR_INPUT, "state directory %s cannot be used: %s (the daemon must own it)", directory,
            strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        write_pid(fd);
        return fd;
    }
    name_the_holder(fd, directory, err);
    close(fd);
    return -1;
}
