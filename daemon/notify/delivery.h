/* One owed notification: its row, its states and what leads from one to the next, and how long a failed one waits. The
 * table and the figures are pure; the acts and their commits are the outbox's. */
#ifndef TOCSIN_NOTIFY_DELIVERY_H
#define TOCSIN_NOTIFY_DELIVERY_H

#include "notify/due.h"
#include "store/rows.h"

#include "base/table.h"

#define DELIVERY_LIFE_MS ((int64_t)72 * 3600 * 1000) /* then it expires */
#define DELIVERY_GRACE_MS ((int64_t)10 * 60 * 1000) /* a row that expired while we were down is tried for so long */
#define DELIVERY_BACKOFF_MS ((int64_t)2000) /* doubling */
#define DELIVERY_BACKOFF_MAX_MS ((int64_t)600 * 1000)
#define DELIVERY_WISH_MAX_MS ((int64_t)3600 * 1000) /* a receiver's Retry-After is believed so far */
enum { DELIVERY_SUSPECT_CRASHES = 3, DELIVERY_ERROR_MAX = 4096 };

typedef enum {
    DELIVERY_PENDING,
    DELIVERY_SENDING,
    DELIVERY_DELIVERED,
    DELIVERY_PARKED,
    DELIVERY_EXPIRED,
    DELIVERY_DISCARDED,
    DELIVERY_STATES
} DeliveryState;

typedef enum {
    ON_DUE, /* its time has come: it is leased */
    ON_UNLEASED, /* there was no room for the lease: nothing was sent */
    ON_ACCEPTED, /* the receiver has it */
    ON_FAILED, /* it may work later */
    ON_REFUSED, /* it will not, as it stands */
    ON_GONE, /* its receiver or plugin is not configured any more */
    ON_EXPIRED,
    ON_RETRY, /* by hand, or by a reload */
    ON_DISCARD, /* by hand */
    DELIVERY_EVENTS
} DeliveryEvent;

const char *delivery_state_word(DeliveryState state);
bool delivery_state_parse(const char *word, DeliveryState *ret_state);

/* What an event makes of a state. False: nothing, it came too late or twice. */
bool delivery_next(DeliveryState state, DeliveryEvent event, DeliveryState *ret_next);

/* How long to wait after the `attempts`th try has failed: full jitter by `random`, and never less than the receiver
 * wished. */
int64_t delivery_backoff_ms(int64_t attempts, int64_t wish_ms, uint64_t random);

typedef struct Delivery {
    DueItem due; /* first: a lane's heap holds it */
    DueItem expiry; /* while it is pending */
    DueItem handover; /* when another receiver gets it, too */
    struct Outbox *outbox;
    /* As it is on disk, or as the commit on its way will have it, without the message; texts are owned. */
    OutboxRow row;
    DeliveryState state;
    int64_t went_on; /* the attempt at which part of it was last taken; 0: none */
    bool is_committing; /* a commit of its is on its way: it is not freed and nobody else changes it */
    int64_t expires_ms;
    struct Lane *lane;
    struct Sequence *sequence; /* NULL: in none (parked) */
    struct Delivery *prev, *next;
    UT_hash_handle hh; /* by id */
} Delivery;

static inline Delivery *delivery_of_expiry(DueItem *item) {
    return (Delivery *)((char *)item - offsetof(Delivery, expiry));
}
static inline Delivery *delivery_of_handover(DueItem *item) {
    return (Delivery *)((char *)item - offsetof(Delivery, handover));
}
static inline bool delivery_is_suspect(const Delivery *delivery) {
    return delivery->row.crashes >= DELIVERY_SUSPECT_CRASHES;
}

/* Copies the texts but the message; caller frees. */
Delivery *delivery_new(struct Outbox *outbox, const OutboxRow *row);
Delivery *delivery_free(Delivery *delivery);
void delivery_set_state(Delivery *delivery, DeliveryState state); /* the row's word with it */
void delivery_set_error(Delivery *delivery, const char *text); /* NULL: none; cut to DELIVERY_ERROR_MAX */
void delivery_set_receipt(Delivery *delivery, const char *json);

#endif
