#include "control/control.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/systemd.h"
#include "control/port.h"
#include "control/socket.h"

#include <stdlib.h>
#include <string.h>

struct Control {
    Engine *engine;
    Port *local, *remote; /* remote: NULL unless configured */
    char *path; /* of the socket that we made; NULL: it is systemd's */
    struct stat made;
};

/* Lists of notifications are not for the network, and neither are their deliveries. */
static void on_event(void *ctx, const char *kind, json_t *json) {
    Control *control = ctx;
    OWN(text) char *data = json_write(json); /* control characters are escaped: one line */
    OWN(event_text) EventText *text = event_text_new(kind, data);
    port_publish(control->local, text);
    if (control->remote && strcmp(kind, "delivery")) port_publish(control->remote, text);
}

static bool open_local(Control *control, const ControlSection *section, Error *err) {
    int extra = 0;
    int fd = systemd_socket(&extra);
    if (extra > 0)
        LOG(WARNING, "systemd handed over more sockets than one UNIX stream socket: the others are unused",
            KV("sockets", extra));
    if (fd < 0) {
        control->path = control_socket_path(section);
        fd = socket_listen_unix(control->path, section->mode_bits, &control->made, err);
        if (fd < 0) {
            text_drop(&control->path);
            return false;
        }
    }
    control->local = port_new(control->engine, fd, false, err);
    return control->local != NULL;
}

static bool open_remote(Control *control, const ControlSection *section, Error *err) {
    if (!section->listen) return true;
    const int fd = socket_listen_tcp(
        (const struct sockaddr *)&section->listen_address, section->listen_length, section->listen, err);
    if (fd < 0) return false;
    control->remote = port_new(control->engine, fd, true, err);
    return control->remote != NULL;
}

Control *control_new(Engine *engine, Snapshot *snapshot, Error *err) {
    OWN(control) Control *control = alloc_zeroed(1, sizeof *control);
    control->engine = engine;
    const ControlSection *section = snapshot_section(snapshot, &control_section);
    if (!open_local(control, section, err) || !open_remote(control, section, err)) return NULL;
    engine_listen(engine, on_event, control);
    LOG(INFO, "control socket open", KV("socket", control->path ? control->path : "systemd's"),
        KV("listen", section->listen ? section->listen : ""));
    return GIVE(control);
}

Control *control_free(Control *control) {
    if (!control) return NULL;
    engine_listen(control->engine, NULL, NULL);
    if (control->path) socket_remove(control->path, &control->made);
    port_free(control->remote);
    port_free(control->local);
    free(control->path);
    free(control);
    return NULL;
}
