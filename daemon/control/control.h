/* The control socket (contract section 4): HTTP and JSON over a UNIX socket, and read-only over an optional address.
 * Made by the daemon's main once the engine runs. Loop thread. Who may change something is asked of the engine's
 * present configuration at each call, so a reload needs no word to control. */
#ifndef TOCSIN_CONTROL_CONTROL_H
#define TOCSIN_CONTROL_CONTROL_H

#include "control/section.h"
#include "engine/engine.h"

typedef struct Control Control;

/* Takes the socket that systemd handed over, else makes its own as `snapshot` says; takes engine_listen() for the event
 * stream. Blocks on the file system: before the loop runs. NULL: ERROR_INPUT, in use or a bad place, naming it;
 * ERROR_LOCAL. */
Control *control_new(Engine *engine, Snapshot *snapshot, Error *err);
/* Drops every connection and removes its own socket. To be called while the engine still is; handles close on the loop.
 */
Control *control_free(Control *control);
OWN_DEFINE(Control, control)

#endif
