#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

bool socket_make_nonblocking(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* Does somebody listen there? A full backlog (EAGAIN) is somebody; only a refusal proves that nobody does. */
static bool is_dead(const struct sockaddr_un *address) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const bool dead = connect(fd, (const struct sockaddr *)address, sizeof *address) && errno == ECONNREFUSED;
    close(fd);
    return dead;
}

static bool make_room(const struct sockaddr_un *address, Error *err) {
    const char *path = address->sun_path;
    struct stat there;
    if (lstat(path, &there)) {
        if (errno == ENOENT) return true;
        return error_set(err, ERROR_INPUT, "control.socket: %s: %s", path, strerror(errno));
    }
    if (!S_ISSOCK(there.st_mode))
        return error_set(err, ERROR_INPUT, "control.socket: %s is a file of another kind: name another path", path);
    if (!is_dead(address))
        return error_set(err, ERROR_INPUT,
            "control.socket: %s is in use: somebody answers there (does another tocsind run? stop it, or name another "
            "path)",
            path);
    if (unlink(path))
        return error_set(err, ERROR_INPUT, "control.socket: %s cannot be removed: %s", path, strerror(errno));
    return true;
}

static bool bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode) {
    const mode_t before = umask(0777 & ~mode); /* chmod afterwards would leave a moment for everybody */
    const int failed = bind(fd, (const struct sockaddr *)address, sizeof *address);
    const int why = errno;
    umask(before);
    errno = why;
    return !failed;
}

int socket_listen_unix(const char *path, mode_t mode, struct stat *ret_made, Error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(err, ERROR_INPUT, "control.socket: %.200s is longer than a socket's path may be", path), -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!make_room(&address, err)) return -1;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind_with_mode(fd, &address, mode) && !listen(fd, SOCKET_BACKLOG) && !lstat(path, ret_made))
        return fd;
    error_set(err, errno == EACCES || errno == ENOENT || errno == EROFS ? ERROR_INPUT : ERROR_LOCAL,
        "control.socket: %s cannot be made: %s (its folder must exist and be writable)", path, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

void socket_remove(const char *path, const struct stat *made) {
    struct stat there;
    if (lstat(path, &there) || there.st_ino != made->st_ino || there.st_dev != made->st_dev) return;
    unlink(path);
}

int socket_listen_tcp(const struct sockaddr *address, socklen_t length, const char *name, Error *err) {
    const int yes = 1;
    const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) && !bind(fd, address, length) &&
        !listen(fd, SOCKET_BACKLOG))
        return fd;
    error_set(err, ERROR_INPUT, "control.listen: %.80s: %s (name another address or port)", name, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}
