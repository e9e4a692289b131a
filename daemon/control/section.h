/* The `control` section: where the socket is, who may change something, and the optional read-only address. */
#ifndef TOCSIN_CONTROL_SECTION_H
#define TOCSIN_CONTROL_SECTION_H

#include "config/snapshot.h"

#include <netinet/in.h>
#include <sys/types.h>

#define CONTROL_SOCKET "/run/tocsin/tocsin.sock" /* without a section and $RUNTIME_DIRECTORY */

typedef struct ControlSection {
    const char *socket; /* as configured, absolute or relative to the working directory; NULL: not given */
    const char *mode, *admin_group, *listen;
    bool admin_group_given;
    mode_t mode_bits;
    bool has_admin; /* is there such a group? Its number was looked up when the file was read */
    gid_t admin_gid;
    struct sockaddr_storage listen_address; /* where `listen` is not NULL */
    socklen_t listen_length;
} ControlSection;

extern const SectionDescriptor control_section;
extern const SchemaRow control_rows[];

/* The daemon's socket: control.socket, else $RUNTIME_DIRECTORY/tocsin.sock, else CONTROL_SOCKET; caller frees. */
char *control_socket_path(const ControlSection *section);
/* `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`: no other names, so nothing is looked up. */
bool control_listen_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_length);
/* `0660`: three or four octal digits, 0777 at most. */
bool control_mode_parse(const char *text, mode_t *ret_mode);

#endif
