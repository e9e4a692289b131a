/* What each call of the socket does: reading ones (calls_read.c), what people do about alerts
 * (calls_people.c) and other changing ones (calls_change.c). Loop thread; none
 * blocks. */
#ifndef TOCSIN_CONTROL_CALLS_H
#define TOCSIN_CONTROL_CALLS_H

#include "control/answer.h"
#include "control/request.h"
#include "engine/engine.h"

/* A call that passed the table of routes. Borrowed for the run; the answer is the callee's to give. */
typedef struct Call {
    Engine *engine;
    const Target *target;
    const char *name; /* the part of the path that `*` stands for, or NULL */
    Answer *answer;
    const char *body; /* what was sent; NULL: nothing */
    size_t body_length;
    uid_t uid; /* of the caller; (uid_t)-1: unknown */
} Call;
typedef void CallRun(const Call *call);

enum { DETAIL_DATAPOINTS = 100000 }; /* in one answer: past it the page ends, with `next` */

CallRun call_status, call_alarms, call_alarm, call_history, call_sources, call_notifications, call_events, call_metrics,
    call_health, call_ready, call_service_graph, call_cloudtrail_events;
CallRun call_routes, call_silences, call_silence_post, call_silence_expire, call_acknowledge, call_unacknowledge;
CallRun call_am_status, call_am_receivers, call_am_alerts, call_am_groups, call_am_silences,
    call_am_silence; /* Alertmanager's (calls_alertmanager.c) */
CallRun call_explain;
CallRun call_reload, call_retry, call_discard, call_test;

#endif
