/* An engine, a table of instances and a store that hold what a test put there: all that control asks for. Its symbols
 * take the place of the real ones at link time. */
#ifndef TOCSIN_TESTS_FAKE_ENGINE_H
#define TOCSIN_TESTS_FAKE_ENGINE_H

#include "base/json.h"
#include "control/answer.h"
#include "engine/engine.h"

enum { FAKE_ALARMS = 3 };

struct Engine {
    uv_loop_t *loop; /* NULL: callbacks run inside the call; else on the loop, later */
    Clock *clock;
    Metrics *metrics;
    Mutes *mutes;
    RouteSection routes; /* the root, one child, and its escalation */
    Route child, escalation;
    Acks *acks;
    Snapshot *snapshot;
    Instance alarms[FAKE_ALARMS];
    double datapoints[3];
    const void *kept; /* by the one poll that there is */
    const char *kept_api; /* that poll's; NULL: GetServiceGraph */
    Poll poll;
    bool healthy, ready, reload_fails, store_fails, rows_empty;
    EngineOutcome outcome;
    char asked[256]; /* what was changed last: `retry ID` */
    HistoryQuery history; /* what was asked last; its texts are gone */
    OutboxQuery outbox;
    EngineEvent *event;
    void *event_ctx;
};

void fake_engine_init(Engine *engine, uv_loop_t *loop);
void fake_engine_deinit(Engine *engine);

/* Where an answer went. */
typedef struct FakeReply {
    int count;
    Reply reply;
    json_t *json;
} FakeReply;
void fake_reply_sent(void *ctx, Reply *take_reply); /* an AnswerSent */
void fake_reply_deinit(FakeReply *got);

#endif
