/* From a group's turn to the messages that go into the outbox, one a channel: rendered once, stored, sent as they are
 * (I2). The input is copied on the loop, rendering is pure and runs on the pool, the result goes back to the loop.
 *
 * A message, canonical: {"id", "created_at", "receiver", "subject", "test", "webhook": Alertmanager's body, version 4},
 * and for a keeper (rest.h) "rest": {"alerts": those that the body does not show, brief, "counted": how many fire that
 * no message has named, "was_counted": true if there were some before}. */
#ifndef TOCSIN_NOTIFY_RENDER_H
#define TOCSIN_NOTIFY_RENDER_H

#include "base/digest.h"
#include "notify/rest.h"

enum {
    RENDER_ALERTS_MAX = TURN_SHOWN_MAX, /* told in full; truncatedAlerts counts the rest */
    RENDER_ENDS_MIN = 10 /* of them for what ended, where more fire than have room: it is told this once */
};

typedef struct RenderInput RenderInput;
/* Copies what the turn says; on the loop, before it goes on. Ids are drawn here. Caller frees. */
typedef char *RenderChanged(void *ctx, const Instance *instance); /* what changed just before; NULL: nothing. Owned by
                                                                     the caller */
RenderInput *render_input_new(const GroupTurn *turn, const ReceiverChannel *channels, size_t channel_count,
    const char *external_url, int64_t now_ms, RenderChanged *changed, void *ctx);
RenderInput *render_input_free(RenderInput *input);
OWN_DEFINE(RenderInput, render_input)

typedef struct Rendered Rendered;
/* Any thread. A channel that does not want what happened gets no message, so the count may be 0. Caller frees. */
Rendered *render(const RenderInput *input);
Rendered *rendered_free(Rendered *rendered);
OWN_DEFINE(Rendered, rendered)
size_t rendered_count(const Rendered *rendered);
OutboxRow rendered_row(const Rendered *rendered, size_t index); /* for commit 2; texts are borrowed from `rendered` */

typedef struct RenderHandover {
    const char *id, *from, *to; /* the new message's id; receivers */
    int64_t failed_s, now_ms;
    bool wants_resolved; /* else a message that tells of ends alone is not handed over */
} RenderHandover;
/* A message that `from` has failed to take for so long, as `to` gets it: with an id and time of its own, saying so. Any
 * thread. NULL: it is not wanted, or cannot be read. Caller frees. */
char *render_handover(const char *message_json, const RenderHandover *how);
char *render_handover_why(const char *from, int64_t failed_s); /* `ops could not be reached for 10m`; caller frees */

/* The message of a receiver's test, with one made-up alert; caller frees. */
char *render_test(const char *id, const char *receiver, const char *external_url, int64_t now_ms);

#endif
