/* The sockets that the daemon is asked through: systemd's, or its own. Before the loop runs. */
#ifndef TOCSIN_CONTROL_SOCKET_H
#define TOCSIN_CONTROL_SOCKET_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { SOCKET_BACKLOG = 64 };

/* A listening UNIX socket at `path`, made with `mode` from its first moment on. What a dead daemon left there is
 * removed; a socket that somebody answers at, or a file of another kind, stays. -1: ERROR_INPUT, naming the path and
 * what to do; ERROR_LOCAL, anything else. `*ret_made` is what stands at path now. */
int socket_listen_unix(const char *path, mode_t mode, struct stat *ret_made, Error *err);
/* Removes the socket at `path` if it is still the one that `made` describes. */
void socket_remove(const char *path, const struct stat *made);
int socket_listen_tcp(
    const struct sockaddr *address, socklen_t length, const char *name, Error *err); /* -1: as above */
bool socket_make_nonblocking(int fd);

#endif
