/* What an event stream still has to send: a ring of at most RING_EVENTS texts, shared between streams by count. A
 * client that reads too slowly fills its ring and is cut off; it costs nobody else anything. Loop thread. */
#ifndef TOCSIN_CONTROL_RING_H
#define TOCSIN_CONTROL_RING_H

#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { RING_EVENTS = 1000 };

typedef struct EventText EventText;
EventText *event_text_new(const char *kind, const char *data); /* `event: KIND`, `data: DATA`; data is one line */
EventText *event_text_comment(const char *comment); /* `: COMMENT`, which clients skip */
EventText *event_text_free(EventText *text); /* drops one reference */
OWN_DEFINE(EventText, event_text)

typedef struct Ring Ring;
Ring *ring_new(void);
Ring *ring_free(Ring *ring);
OWN_DEFINE(Ring, ring)

bool ring_push(Ring *ring, EventText *text); /* takes a reference of its own; false: full */
bool ring_is_empty(const Ring *ring);
size_t ring_read(Ring *ring, char *into, size_t room); /* the next bytes; 0: empty */

#endif
