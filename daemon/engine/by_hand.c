/* daemon/engine/by_hand.c: what a person does to a parked notification, a silence, an alert; answered after the commit
 * (I6) */
#include "engine/parts.h"

#include "base/alloc.h"

#include <stdlib.h>

typedef struct ByHand {
    EngineChanged *done;
    void *ctx;
} ByHand;

static void committed(void *ctx, StoreOutcome outcome) {
    ByHand *hand = ctx;
    hand->done(hand->ctx, outcome == STORE_OK ? ENGINE_DONE : ENGINE_STORE_FULL);
    free(hand);
}

typedef OutboxChange OutboxCall(Outbox *outbox, const char *id, StoreDone *done, void *ctx);

static void change(Engine *engine, OutboxCall *call, const char *id, EngineChanged *done, void *ctx) {
    ByHand *hand = alloc_zeroed(1, sizeof *hand);
    *hand = (ByHand){done, ctx};
    const OutboxChange change = call(notifier_outbox(engine->notifier), id, committed, hand);
    if (change == CHANGE_BEGUN) return;
    free(hand);
    done(ctx, change == CHANGE_UNKNOWN ? ENGINE_NOT_FOUND : ENGINE_WRONG_STATE);
}

void engine_notification_retry(Engine *engine, const char *id, EngineChanged *done, void *ctx) {
    change(engine, outbox_retry, id, done, ctx);
}

void engine_notification_discard(Engine *engine, const char *id, EngineChanged *done, void *ctx) {
    change(engine, outbox_discard, id, done, ctx);
}

void engine_silence_post(Engine *engine, Silence *take_posted, EngineSilenced *done, void *ctx) {
    silencing_post(engine->silencing, take_posted, done, ctx);
}

void engine_silence_expire(Engine *engine, const char *id, EngineSilenced *done, void *ctx) {
    silencing_expire(engine->silencing, id, done, ctx);
}

void engine_acknowledge(Engine *engine, Ack *take_ack, EngineChanged *done, void *ctx) {
    acking_put(&engine->core, take_ack, done, ctx);
}

void engine_unacknowledge(Engine *engine, const char *fingerprint, EngineChanged *done, void *ctx) {
    acking_remove(&engine->core, fingerprint, done, ctx);
}
