/* The outbox: what is owed to people until they have it (I1 to I5). Rows come in after their commit, are leased (commit
 * 3), sent through a callback, finished (commit 4); a failed one waits, a refused one is parked, one that is too old
 * expires, and each of these is told. Messages of one group and channel leave in order; one dead receiver slows no
 * other. Loop thread. Owns its rows; has no timer: the owner calls outbox_run() at outbox_next_ms() and when it is
 * woken. */
#ifndef TOCSIN_NOTIFY_OUTBOX_H
#define TOCSIN_NOTIFY_OUTBOX_H

#include "base/clock.h"
#include "base/metrics.h"
#include "base/own.h"
#include "store/store.h"

#include <jansson.h>

enum {
    OUTBOX_ROOM_RETRY_MS = 1000, /* after a commit for which there was no room */
    OUTBOX_HANDOVERS_AT_ONCE = 16 /* asked for and not yet answered */
};

typedef struct Outbox Outbox;

typedef enum {
    SEND_DELIVERED,
    SEND_RETRY, /* may work later */
    SEND_REFUSED, /* will not, as it stands: parked */
    SEND_GONE /* no such receiver or channel any more: parked */
} SendOutcome;

typedef struct SendResult {
    SendOutcome outcome;
    const char *detail; /* the receiver's own words; "" or NULL for none */
    int64_t retry_after_ms; /* RETRY: its wish; 0 for none */
    bool went_on; /* RETRY: part of it was taken: no failure of the receiver, which goes on with the rest */
    const char *receipt_json; /* DELIVERED; NULL for none */
} SendResult;

/* What the outbox needs and does not own. `ctx` goes into each; store's two are store_lease() and store_finish(). */
typedef struct OutboxWorld {
    void *store;
    void (*lease)(void *store, const char *id, int64_t attempts, StoreMessage *done, void *ctx);
    void (*finish)(void *store, const OutboxResult *result, StoreDone *done, void *ctx);
    void *ctx;
    /* Sends; the row, with its message, is borrowed for the call. Its answer comes by outbox_sent() with the row's id
     * and attempts, once, on the loop, never inside this call, and always: what never answers is the sender's to give
     * up. */
    void (*send)(void *ctx, const OutboxRow *row);
    /* Is there such a channel in the configuration in force? */
    bool (*has_channel)(void *ctx, const char *receiver, const char *plugin, int64_t index);
    /* A receiver's plugin fails (5 times in a row, or a notification was parked or expired), or works. May be told
     * twice. */
    void (*health)(void *ctx, const char *receiver, const char *plugin, bool is_failing, const char *reason);
    /* After its commit: a delivery became delivered, pending again (failed), parked, expired or discarded. NULL: nobody
     * asks. */
    void (*event)(void *ctx, const OutboxRow *row);
    /* For how long a receiver may fail until another one gets what it owes; 0: there is none. NULL: as if always 0. */
    int64_t (*fallback_ms)(void *ctx, const char *receiver);
    /* That time has passed, and the receiver has failed to take this row, which is borrowed for the call and has no
     * message: that is in the file. Answered by outbox_handed(), once, whatever became of the row; at most
     * OUTBOX_HANDOVERS_AT_ONCE are under way. */
    void (*hand_over)(void *ctx, const OutboxRow *row);
    /* Something may be due earlier than outbox_next_ms() said: call outbox_run() soon. Not from inside outbox_run(). */
    void (*wake)(void *ctx);
} OutboxWorld;

Outbox *outbox_new(
    const OutboxWorld *world, const Clock *clock, Metrics *metrics); /* metrics may be NULL; caller frees */
Outbox *outbox_free(Outbox *outbox); /* after the store was closed: it still calls back until then */
OWN_DEFINE(Outbox, outbox)

/* Rows of commit 2 after it, or of the state file at the start; in the order of their making. Copied. An id that is
 * there already is left alone. */
void outbox_add(Outbox *outbox, const OutboxRow *rows, size_t count);
/* Sends what may go, expires what is too old, tries again what found no room. Cheap when nothing is due. */
void outbox_run(Outbox *outbox);
int64_t outbox_next_ms(const Outbox *outbox); /* wall time of the next outbox_run(); INT64_MAX: when woken */
/* The answer to a send. False: it was too late, or came twice, and nothing happened (I12). */
bool outbox_sent(Outbox *outbox, const char *id, int64_t attempts, const SendResult *result);

/* The answer to a hand-over: it is committed (`handed_ms`), or could not be (0) and is tried again. */
void outbox_handed(Outbox *outbox, const char *id, int64_t handed_ms);

/* By hand: a parked one. `done` runs once, after the commit (STORE_FULL: nothing has changed), only where this gives
 * CHANGE_BEGUN. */
typedef enum {
    CHANGE_BEGUN,
    CHANGE_UNKNOWN /* no such id is owed or parked */,
    CHANGE_UNFIT /* it is not parked */
} OutboxChange;
OutboxChange outbox_retry(Outbox *outbox, const char *id, StoreDone *done, void *ctx);
OutboxChange outbox_discard(Outbox *outbox, const char *id, StoreDone *done, void *ctx);
/* Once, when all that was there is added: what is parked gets another try, as after a reload, but what Tocsin crashed
 * over stays parked, and people are told (I5). */
void outbox_begin(Outbox *outbox);
/* After a reload: every parked one whose channel exists gets another try. */
void outbox_retry_parked(Outbox *outbox);
/* At the start and after a reload: what waits for a channel that does not exist any more is parked, saying so; and who
 * gets what another could not take is asked anew. */
void outbox_check_channels(Outbox *outbox);

/* Does an earlier message of this group wait for this channel? */
bool outbox_has_waiting(
    const Outbox *outbox, const char *group_key, const char *receiver, const char *plugin, int64_t index);

typedef struct OutboxCounts {
    size_t pending; /* with sending */
    size_t in_flight, parked;
    int64_t delivered, failed; /* since the start; failed counts attempts */
} OutboxCounts;
OutboxCounts outbox_counts(const Outbox *outbox);
/* For how long something that may be sent has not been: the watchdog's condition. 0: it moves, or there is nothing to
 * do. */
int64_t outbox_overdue_ms(const Outbox *outbox);
void outbox_refresh_metrics(Outbox *outbox); /* gauges */
void outbox_stop(Outbox *outbox); /* nothing more is leased; what is on its way may end */
void outbox_shift(Outbox *outbox, int64_t by_ms); /* the wall clock jumped: what waits, waits as long as before */

/* The object of /v1/notifications and of a `delivery` event, without the message; new reference. */
json_t *outbox_row_json(const OutboxRow *row);

#endif
