/* One listening socket with libmicrohttpd behind it, on the loop: its epoll descriptor in a uv_poll, its next deadline
 * in a uv_timer. Turns connections into calls of routes_dispatch(), and keeps each connection's peer. Loop thread. */
#ifndef TOCSIN_CONTROL_PORT_H
#define TOCSIN_CONTROL_PORT_H

#include "control/ring.h"
#include "engine/engine.h"

enum {
    PORT_CONNECTIONS = 64,
    PORT_HEADER_BYTES = 32 << 10, /* a request's line and headers; also what is written at once */
    PORT_BODY_BYTES = 1 << 20,
    PORT_IDLE_S = 30, /* without a byte */
    PORT_REQUEST_MS = 30000, /* from its first byte, or the connection's begin, to the last: a slow writer is cut off */
    PORT_SHED_MS = 1000, /* the same while all connections are taken, so that whoever asks at once is let in */
    PORT_STREAMS = 32, /* event streams at once, so that others still get a word in */
    PORT_SWEEP_MS = 15000, /* keep-alive comments, and the cutting off */
    PORT_STALL_MS = 60000 /* an event stream whose client has taken nothing for so long */
};

typedef struct Port Port;

/* Serves the listening socket `take_fd`. `remote`: read-only, from the network. NULL: ERROR_LOCAL; the socket is
 * closed. */
Port *port_new(Engine *engine, int take_fd, bool remote, Error *err);
/* Drops every connection; calls that still wait for a commit go unanswered. No callback of ours runs afterwards; the
 * memory goes when the loop has closed the handles. */
Port *port_free(Port *port);
OWN_DEFINE(Port, port)

/* An event for every stream of this port. */
void port_publish(Port *port, EventText *text);

#endif
