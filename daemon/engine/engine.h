/* The daemon's middle: schedule -> source -> evaluation -> transitions -> routing -> commit -> notification; reload;
 * Tocsin's own alarms. Owns every object that lives as long as the daemon. Loop thread. control reads through the
 * getters below and changes through the calls that take a callback. */
#ifndef TOCSIN_ENGINE_ENGINE_H
#define TOCSIN_ENGINE_ENGINE_H

#include "alarms/instance.h"
#include "aws/aws.h"
#include "base/metrics.h"
#include "config/snapshot.h"
#include "notify/acks.h"
#include "notify/groups.h"
#include "notify/mutes.h"
#include "notify/route.h"
#include "sources/plan.h"
#include "store/store.h"

typedef struct Engine Engine;

/* One row of /v1/sources: a (source, account, region). */
typedef struct SourceView {
    const char *name, *account, *region;
    int64_t every_s, last_success_ms, next_poll_ms, lag_s, calls;
    const char *last_error; /* NULL: none */
} SourceView;

typedef struct EngineStatus {
    int64_t started_ms, loaded_ms;
    bool ready;
    const char *config_file;
    int64_t reload_ms; /* 0: none yet */
    bool reload_ok;
    const char *reload_error; /* NULL where ok */
    size_t ok, alarm, insufficient;
    size_t pending, parked; /* outbox rows now; pending with sending */
    int64_t delivered, failed; /* since the start; failed counts attempts */
    AwsLedger ledger;
    double usd_month;
    bool healthy; /* the watchdog's condition */
} EngineStatus;

void engine_status(Engine *engine, EngineStatus *ret);
Snapshot *engine_snapshot(Engine *engine); /* borrowed */
Instances *engine_instances(Engine *engine); /* borrowed */
const RouteSection *engine_routes(Engine *engine); /* of the present snapshot */
const Mutes *engine_mutes(Engine *engine); /* borrowed */
const Acks *engine_acks(Engine *engine); /* borrowed */
Store *engine_store(Engine *engine);
Metrics *engine_metrics(Engine *engine);
const Clock *engine_clock(Engine *engine);
uv_loop_t *engine_loop(Engine *engine);
/* All rows; caller frees the array; texts are borrowed until the loop goes on. */
PlanCost engine_cost(const Engine *engine); /* of the configuration in force */
size_t engine_sources(Engine *engine, SourceView **ret_views);
/* What the newest poll at `index` keeps for people to look at, as its source knows it; NULL: nothing. `*ret_poll` NULL:
 * there are no more polls. Borrowed until the loop goes on. */
const void *engine_kept(Engine *engine, size_t index, const Poll **ret_poll);
/* Write events that may be why this alarm fires, in words; NULL: none. Caller frees. */
char *engine_what_changed(Engine *engine, const Instance *instance);
/* Gauges that are made when somebody asks: ages, counts, process figures. */
/* The groups that know of an alert; what holds it back on a route now: NULL: nothing. Caller frees the text. */
void engine_groups_of(Engine *engine, const char *fingerprint, GroupSeen *seen, void *ctx);
char *engine_held_words(Engine *engine, const Route *route, const Instance *instance);
void engine_refresh_metrics(Engine *engine);

/* Reload: `problems` is borrowed for the callback; ok false: nothing was changed. */
typedef void EngineReloaded(void *ctx, bool ok, const Problems *problems);
void engine_reload(Engine *engine, EngineReloaded *done, void *ctx);

typedef enum { ENGINE_DONE, ENGINE_NOT_FOUND, ENGINE_WRONG_STATE, ENGINE_STORE_FULL } EngineOutcome;
typedef void EngineChanged(void *ctx, EngineOutcome outcome);
/* A parked notification, by hand; answered after the commit. */
void engine_notification_retry(Engine *engine, const char *id, EngineChanged *done, void *ctx);
void engine_notification_discard(Engine *engine, const char *id, EngineChanged *done, void *ctx);

/* Silences: answered after the commit; `said` is the id of the one that was made, updated or ended, or where it was
 * refused (not found, wrong state) why. */
typedef void EngineSilenced(void *ctx, EngineOutcome outcome, const char *said);
void engine_silence_post(Engine *engine, Silence *take_posted, EngineSilenced *done, void *ctx);
void engine_silence_expire(Engine *engine, const char *id, EngineSilenced *done, void *ctx);

/* Acknowledgements; taking one back: not found, there is no such instance; wrong state, it is not acknowledged. */
void engine_acknowledge(Engine *engine, Ack *take_ack, EngineChanged *done, void *ctx);
void engine_unacknowledge(Engine *engine, const char *fingerprint, EngineChanged *done, void *ctx);

/* A test notification to each plugin of a receiver, one try each. */
typedef struct ReceiverTestResult {
    const char *plugin;
    size_t index;
    const char *outcome; /* delivered retry refused timeout */
    const char *detail; /* the receiver's own words */
} ReceiverTestResult;
typedef void EngineTested(void *ctx, EngineOutcome outcome, const ReceiverTestResult *results, size_t count);
void engine_receiver_test(Engine *engine, const char *receiver, EngineTested *done, void *ctx);

/* What /v1/events carries: called on the loop after the commit. `kind`: transition, delivery. json is borrowed. */
typedef void EngineEvent(void *ctx, const char *kind, json_t *json);
void engine_listen(Engine *engine, EngineEvent *event, void *ctx);

#endif
