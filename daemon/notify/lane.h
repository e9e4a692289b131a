/* Who may be sent next. A lane is the way to one channel (receiver, plugin, index), with its circuit; a sequence is
 * what one group owes one channel, in order: only its first is ever sent, so that a resolution never overtakes its
 * alarm. Memory only; no clock, no commit. Loop thread; used by the outbox alone. */
#ifndef TOCSIN_NOTIFY_LANE_H
#define TOCSIN_NOTIFY_LANE_H

#include "notify/delivery.h"

#include "base/own.h"

enum {
    LANES_FLIGHT_MAX = 32, /* sends on their way, all */
    LANES_RECEIVER_MAX = 4, /* of one receiver (I11) */
    LANE_CIRCUIT_FAILURES = 5 /* in a row: from then on one probe at a time */
};

/* What a receiver's channels share. */
typedef struct Budget {
    char *receiver;
    size_t in_flight;
    UT_hash_handle hh;
} Budget;

typedef struct Lane {
    char *key;
    const char *receiver; /* the budget's */
    char *plugin;
    Budget *budget;
    DueHeap waiting; /* the firsts of its sequences */
    size_t in_flight;
    int64_t failures; /* in a row */
    int64_t probe_ms; /* while the circuit is open: not before */
    size_t parked;
    bool has_trouble; /* told so and not yet of its end */
    UT_hash_handle hh;
} Lane;

/* What one group owes one channel. By a hash of the group's key, of which very many may wait: should two ever share
 * one, the one follows the other. */
typedef struct SequenceKey {
    const Lane *lane;
    uint64_t group;
} SequenceKey;

typedef struct Sequence {
    SequenceKey key;
    Delivery *first;
    UT_hash_handle hh;
} Sequence;

typedef struct Lanes {
    Lane *table;
    Lane *turn; /* where the next look begins: no lane is favoured */
    Budget *budgets;
    Sequence *sequences;
    DueHeap
        suspects; /* what was in flight at DELIVERY_SUSPECT_CRASHES crashes in a row: alone, after all others (I5) */
    size_t in_flight;
    bool is_alone; /* a suspect is on its way */
} Lanes;

void lanes_deinit(Lanes *lanes); /* the deliveries are the caller's */

Lane *lane_get(Lanes *lanes, const OutboxRow *row); /* makes it where it is absent */
void lanes_join(Lanes *lanes, Delivery *delivery); /* at the end of its sequence */
void lanes_leave(
    Lanes *lanes, Delivery *delivery); /* out of its sequence; the next in it comes forward. In none: nothing */
void lanes_wait(Lanes *lanes, Delivery *delivery, int64_t due_ms); /* the first of its sequence waits until then */
bool lanes_have(const Lanes *lanes, const OutboxRow *row); /* does anything of this group and channel wait? */

Delivery *lanes_pick(Lanes *lanes, int64_t now_ms); /* NULL: nobody may go now */
int64_t lanes_next_ms(const Lanes *lanes); /* when somebody may; INT64_MAX: not before a send ends */
void lanes_depart(Lanes *lanes, Delivery *delivery); /* on its way: slots are taken */
void lanes_return(Lanes *lanes, const Delivery *delivery); /* slots are free again */
void lane_succeeded(Lane *lane);
void lane_failed(Lane *lane, int64_t retry_ms); /* once the circuit is open: the next probe is not before retry_ms */

#endif
