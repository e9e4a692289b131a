#include "control/section.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define AT(member) offsetof(ControlSection, member)
enum { PATH_LENGTH = sizeof((struct sockaddr_un *)0)->sun_path - 1, GROUP_ROOM_MAX = 1 << 20 };

bool control_mode_parse(const char *text, mode_t *ret_mode) {
    const size_t length = strlen(text);
    if (length < 3 || length > 4 || strspn(text, "01234567") != length) return false;
    const unsigned long mode = strtoul(text, NULL, 8);
    if (mode > 0777) return false;
    *ret_mode = (mode_t)mode;
    return true;
}

/* The port behind the last colon, which must be all digits; 0 is no port that anybody could find. */
static bool port_parse(const char *text, in_port_t *ret_port) {
    const size_t length = strlen(text);
    if (length == 0 || length > 5 || strspn(text, "0123456789") != length) return false;
    const unsigned long port = strtoul(text, NULL, 10);
    if (port == 0 || port > 65535) return false;
    *ret_port = htons((in_port_t)port);
    return true;
}

bool control_listen_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_length) {
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host) return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    struct sockaddr_storage found = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&found;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&found;
    in_port_t port;
    if (!port_parse(colon + 1, &port)) return false;
    const size_t length = strlen(host);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = 0;
        if (inet_pton(AF_INET6, host + 1, &six->sin6_addr) != 1) return false;
        six->sin6_family = AF_INET6;
        six->sin6_port = port;
        *ret_length = sizeof *six;
    } else {
        if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &four->sin_addr) != 1) return false;
        four->sin_family = AF_INET;
        four->sin_port = port;
        *ret_length = sizeof *four;
    }
    *ret_address = found;
    return true;
}

char *control_socket_path(const ControlSection *section) {
    if (section->socket) return text_copy(section->socket);
    const char *runtime = getenv("RUNTIME_DIRECTORY");
    if (!runtime || !*runtime) return text_copy(CONTROL_SOCKET);
    return text_format("%.*s/tocsin.sock", (int)strcspn(runtime, ":"), runtime); /* systemd may name several */
}

static bool socket_fits(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const char *path = schema_path(*(const char *const *)value, in);
    if (strlen(path) <= PATH_LENGTH) return true;
    return problem_add(in->problems, node->at, row->remedy,
        "%s is longer than the %d bytes that a socket's path may have", row->key, PATH_LENGTH);
}

static bool mode_is_octal(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const char *text = *(const char *const *)value;
    mode_t mode;
    if (control_mode_parse(text, &mode)) return true;
    if (!node) return false;
    return problem_add(in->problems, node->at, row->remedy, "%s cannot be `%.80s`", row->key, text);
}

static bool listen_is_address(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const char *text = *(const char *const *)value;
    struct sockaddr_storage address;
    socklen_t length;
    if (control_listen_parse(text, &address, &length)) return true;
    return problem_add(in->problems, node->at, row->remedy, "%s cannot be `%.80s`", row->key, text);
}

const SchemaRow control_rows[] = {
    {.key = "socket",
        .type = SCHEMA_TEXT,
        .offset = AT(socket),
        .min = 1,
        .check = socket_fits,
        .remedy = "a path of at most 107 bytes",
        .doc =
            "The UNIX socket that tocsinctl and others ask. A socket handed over by systemd takes its place. Default: "
            "tocsin.sock in $RUNTIME_DIRECTORY, else /run/tocsin/tocsin.sock. A change needs a restart."},
    {.key = "mode",
        .type = SCHEMA_TEXT,
        .offset = AT(mode),
        .min = 1,
        .fallback = "0660",
        .check = mode_is_octal,
        .remedy = "three or four octal digits, \"0660\"",
        .doc = "The socket's permissions: whoever may open it may read everything but secrets."},
    {.key = "admin_group",
        .type = SCHEMA_TEXT,
        .offset = AT(admin_group),
        .min = 1,
        .fallback = "tocsin-admin",
        .set_offset = AT(admin_group_given),
        .remedy = "the name of a group of this machine",
        .doc = "Who besides root and the daemon's own user may change something through the socket: members of this "
               "group."},
    {.key = "listen",
        .type = SCHEMA_TEXT,
        .offset = AT(listen),
        .min = 1,
        .check = listen_is_address,
        .remedy = "an address and a port: 127.0.0.1:9464, [::1]:9464",
        .doc = "An address for read-only HTTP without a password: metrics, alarms, health; never notifications. Off "
               "unless "
               "given. A change needs a restart."},
    SCHEMA_END};

/* Fails closed: whatever goes wrong, there is no such group. */
static bool group_find(const char *name, gid_t *ret_gid) {
    struct group room, *found = NULL;
    size_t length = 4096;
    char *text = alloc_zeroed(length, 1);
    int failed;
    while ((failed = getgrnam_r(name, &room, text, length, &found)) == ERANGE && length < GROUP_ROOM_MAX) {
        length *= 2;
        text = alloc_again(text, length, 1);
    }
    if (!failed && found) *ret_gid = found->gr_gid;
    free(text);
    return !failed && found;
}

static bool decode(Decoding *in, const Node *node, void *into) {
    ControlSection *section = into;
    if (section->socket) section->socket = schema_path(section->socket, in);
    if (!section->mode || !control_mode_parse(section->mode, &section->mode_bits)) section->mode_bits = 0600;
    if (section->listen && !control_listen_parse(section->listen, &section->listen_address, &section->listen_length))
        section->listen = NULL;
    section->has_admin = section->admin_group && group_find(section->admin_group, &section->admin_gid);
    const Node *given = node_get(node, "admin_group");
    if (given && section->admin_group && !section->has_admin)
        problem_warn(in->problems, given->at, "make the group, or name another",
            "there is no group `%.80s` here: only root and the daemon's own user can change anything through the "
            "socket",
            section->admin_group);
    return true;
}

const SectionDescriptor control_section = {.key = "control",
    .doc = "The socket for tocsinctl, metrics and health, and who may change something there.",
    .size = sizeof(ControlSection),
    .rows = control_rows,
    .decode = decode};
