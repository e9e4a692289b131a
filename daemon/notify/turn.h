/* A due group's turn: what it has to say by now, as a decision that changes nothing yet, and what becomes of the group
 * when that is committed (commit 2). One turn a group at a time. Loop thread; group_reason() is pure. */
#ifndef TOCSIN_NOTIFY_TURN_H
#define TOCSIN_NOTIFY_TURN_H

#include "notify/acks.h"
#include "notify/groups.h"

enum {
    TURN_RETRY_MS = 5000, /* after a commit for which there was no room */
    TURN_SHOWN_MAX = 20 /* alerts that a message tells in full */
};

/* One way to reach a receiver, as its section says. */
typedef struct ReceiverChannel {
    const char *plugin;
    size_t index; /* which of several of one plugin in a receiver */
    bool send_resolved;
    bool has_waiting; /* an earlier message of this group waits there: a repeat would say nothing more */
    bool wants_rest; /* it keeps a state for each alert: those that a message does not show, by name, as they begin and
                        end */
    bool wants_again; /* and those that fire on, each time */
} ReceiverChannel;

/* What decides whether a group speaks. */
typedef struct GroupFigures {
    bool was_sent; /* it has spoken before */
    size_t firing; /* alerts that fire */
    size_t fresh; /* of those: the receiver does not know yet */
    size_t ended; /* the receiver believes that they fire, and they do not */
    size_t news; /* have more to tell than was told: further matches of events */
    size_t lost_data; /* fire on without data, and their alarm asks that this be told, and it was not */
    bool is_repeat_due;
    bool tells_resolved; /* one of the receiver's channels wants resolutions */
    size_t released; /* fire, the receiver knows, and they were muted since it was told */
    size_t held; /* are muted: nothing is said of them */
    size_t flaps, steady; /* fire, and began to flap or stopped since the receiver was told */
    bool is_escalation; /* the receiver hears of what others left alone */
} GroupFigures;

/* Alertmanager's notification_reason, and one of our own for insufficient_data: notify; NULL: nothing is said. Static
 * text. Source: Alertmanager, notify.DedupStage; alarm-semantics 7.3. */
const char *group_reason(const GroupFigures *figures);
bool reason_is_repeat(const char *reason);
bool reason_is_resolved(const char *reason); /* it tells of resolutions alone */

typedef enum {
    ALERT_FIRES,
    ALERT_ENDED, /* the receiver is owed its end */
    ALERT_WAITS, /* is not yet this receiver's: nothing is said of it */
    ALERT_HELD, /* one of the two, and muted or put off: nothing is said of it, and what the receiver knows stays */
    ALERT_PASSED /* fired and resolved between two turns, or is no more: nothing is said */
} AlertKind;

typedef struct GroupAlert {
    char fingerprint[FINGERPRINT_TEXT];
    AlertKind kind;
    const Instance *instance; /* borrowed until the loop goes on; NULL only where PASSED */
    int64_t starts_ms;
    bool no_data; /* told that its data is missing */
    bool flaps; /* told that it flaps */
    int64_t news, more; /* all that there was since it began; of it what is told here for the first time, beyond that it
                           fires */
    const Ack *ack; /* somebody is on it; NULL: nobody. Borrowed, as the instance */
    bool is_first; /* the receiver is told now that it fires since starts_ms */
    bool is_named; /* it fires, and all keepers (rest.h) know it by name; or it ended, and some may */
    bool is_shown; /* this turn's message may tell it in full */
    bool is_rest; /* ... and names it to each keeper to which it does not show it */
    bool is_put_off; /* held, since it ended and the message has no room for its name */
    int64_t told_at_ms; /* when the receiver was first told that it fires; 0: it does not know */
    bool was_held; /* the receiver knows, a silence held it since, and it is not told now */
} GroupAlert;

static inline bool alert_is_told(const GroupAlert *a) { return a->kind == ALERT_FIRES || a->kind == ALERT_ENDED; }

/* What a message shows, and what it names to keepers: rest_choose(). The alerts are the turn's. */
typedef struct TurnNames {
    const GroupAlert *fires[TURN_SHOWN_MAX], *ends[TURN_SHOWN_MAX]; /* in the order in which they are told */
    size_t fires_count, ends_count;
    const GroupAlert **rest; /* those named, shown ones too, what ended first; NULL: no keeper hears of this turn */
    size_t rest_count, rest_bytes, rest_firing,
        known; /* known: fire, and once this is told the keepers know them by name */
    uint32_t heard_by; /* the keepers that hear, as one number: all, or REST_SOME */
    bool was_counted, is_counted; /* some that fire were, and are then, only counted to a keeper */
} TurnNames;

typedef struct GroupTurn {
    char *key, *receiver;
    Labels *labels; /* what its alerts share by name */
    const char *reason; /* NULL: nothing is sent, the flush is committed all the same */
    GroupAlert *alerts; /* all members, in no order */
    size_t alert_count, firing, ended;
    char *escalated_from; /* the receiver that was told before; NULL: this is no escalation */
    int64_t escalated_after_s, now_ms, interval_ms; /* interval_ms: between its group's beats */
    int64_t shifted_ms; /* as a touch's: of its times and its flush's */
    size_t named, named_ended; /* of those that fire and that ended: the keepers know, before this turn */
    TurnNames names; /* of its message, if it has a reason */
    GroupFlush flush; /* for commit 2; its texts are the turn's */
} GroupTurn;

/* What a turn needs to know of the world; `ctx` is handed to its functions. */
typedef struct TurnWorld {
    const Route *route; /* by whose times the group speaks */
    bool tells_resolved; /* one of the receiver's channels wants resolutions */
    const ReceiverChannel *channels; /* of the receiver */
    size_t channel_count;
    int64_t now_ms; /* wall */
    const Instance *(*find)(void *ctx, const char *fingerprint); /* NULL: there is none */
    bool (*is_muted)(void *ctx, const Instance *instance); /* beyond the route's own times; NULL: nothing is */
    const Ack *(*ack_of)(void *ctx, const Instance *instance); /* that holds now; NULL: nothing is acknowledged */
    void *ctx;
} TurnWorld;

/* Begins the turn of a group that groups_due() named; it is not due again before turn_end(). Caller frees, by
 * turn_end(). */
GroupTurn *turn_begin(Groups *groups, const char *key, const TurnWorld *world);
/* Whom those alerts go on to that this turn tells for the first time: touches for its commit, and, when that is done,
 * for groups_apply_touch() with the fingerprint beside each. Arrays and texts are in the arena. */
size_t turn_escalates(Groups *groups, const GroupWorld *world, const GroupTurn *turn, Arena *arena,
    GroupTouch **ret_touches, const char ***ret_fingerprints);
/* The commit is done (memory follows the file), or there was no room: due again in TURN_RETRY_MS. Always NULL. */
GroupTurn *turn_end(Groups *groups, GroupTurn *take_turn, bool is_committed, int64_t now_ms);
/* `{}:{alertname="x"}`: the webhook body's groupKey. Borrowed. */
const char *turn_group_key(const GroupTurn *turn);

#endif
