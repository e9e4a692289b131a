/* CloudTrail events as `GET /v1/cloudtrail/events` answers them: the newest that were read of each account and region,
 * and which rules they met. Loop thread. */
#ifndef TOCSIN_CONTROL_EVENT_VIEW_H
#define TOCSIN_CONTROL_EVENT_VIEW_H

#include "engine/engine.h"

typedef struct EventChoice {
    int64_t since_ms; /* of the events' own time; 0: any */
    const char *rule; /* only those that met the rule of this title; NULL: any */
    int64_t limit;
} EventChoice;

/* `{"events":[...newest first],"as_of":...}`; as_of is the time up to which the slowest place was read, null where one
 * was not read yet. New reference. */
json_t *view_events(Engine *engine, const EventChoice *choice);

#endif
