/* Acknowledgements: somebody is on it. They stop repeats and escalation of one alert for everybody, until its end or
 * theirs. One hangs on a fingerprint and on when it began to fire: what fires anew is nobody's. Loop thread. */
#ifndef TOCSIN_NOTIFY_ACKS_H
#define TOCSIN_NOTIFY_ACKS_H

#include "alarms/instance.h"
#include "base/error.h"

enum { ACK_COMMENT_MAX = 1024, ACK_BY_MAX = 255 }; /* bytes */

typedef struct Ack {
    char fingerprint[FINGERPRINT_TEXT];
    char *by, *comment; /* never NULL */
    int64_t starts_ms; /* firing_since_ms of what it speaks of */
    int64_t at_ms, until_ms; /* until_ms 0: until it resolves */
} Ack;

/* What a person posted of a firing instance: `by`, `comment`, `until`, of which the last two may be absent or null.
 * NULL: ERROR_INPUT, a wrong form or bound, or `until` is not to come. Caller frees. */
Ack *ack_read(const json_t *object, const Instance *instance, int64_t now_ms, Error *err);
Ack *ack_free(Ack *ack);
OWN_DEFINE(Ack, ack)
AckRow ack_row(const Ack *ack); /* its texts are the ack's */
Ack *ack_restore(const AckRow *row); /* NULL: it makes no sense. Caller frees */
json_t *ack_json(const Ack *ack); /* `by, comment, at, until`; new reference */

typedef struct Acks Acks;
Acks *acks_new(void);
Acks *acks_free(Acks *acks);
OWN_DEFINE(Acks, acks)
void acks_put(Acks *acks, Ack *take_ack); /* one of the same fingerprint is replaced */
void acks_remove(Acks *acks, const char *fingerprint);
/* The one that holds now; NULL: none. Borrowed until a change. */
const Ack *acks_find(const Acks *acks, const Instance *instance, int64_t now_ms);
/* Some that speak of nothing that fires, to be deleted: at most `room` fingerprints, borrowed until they are removed.
 * `find` gives an instance by its fingerprint, or NULL. */
size_t acks_stale(const Acks *acks, Instance *(*find)(void *ctx, const char *fingerprint), void *ctx, int64_t now_ms,
    const char **ret_fingerprints, size_t room);

#endif
