/* One CloudTrail event in a person's words: who did what to what, from where, and with which result. Pure, for the
 * pool. What the event says was chosen by whoever made the call (user agents, names, error texts): all of it is bounded
 * here, and control characters are escaped where texts are joined to sentences. Source: CloudTrail User Guide,
 * "CloudTrail record contents" and "userIdentity element". */
#ifndef TOCSIN_SOURCES_CLOUDTRAIL_EVENT_H
#define TOCSIN_SOURCES_CLOUDTRAIL_EVENT_H

#include "base/arena.h"
#include "sources/source.h"

enum {
    EVENT_WHO_MAX = 120,
    EVENT_WHERE_MAX = 160,
    EVENT_ERROR_MAX = 120,
    EVENT_NAME_MAX = 128, /* eventName, eventSource, awsRegion, ids */
    EVENT_RESOURCE_MAX = 512, /* bytes of a name or an ARN; a longer one is none */
    EVENT_WALK_DEPTH = 6, /* how deep in requestParameters names are looked for */
    EVENT_WALK_VALUES = 2000 /* and in how many values */
};

/* Fills everything but is_new from the event's own record; texts live in the arena. What is absent, null or of another
 * type than it should be is "" (times 0). `event` may be anything. */
void cloudtrail_event_read(Arena *arena, const json_t *event, ReadEvent *ret_event);

/* Does the record correct another (addendum UPDATED_DATA)? Its id, borrowed from the event; NULL: no. */
const char *cloudtrail_event_corrects(const json_t *event);
/* Does the record itself say that it comes late (addendum DELIVERY_DELAY, SERVICE_OUTAGE)? */
bool cloudtrail_event_is_late(const json_t *event);

/* Parses a record's text, healed. New reference; NULL: no JSON object within the bounds. */
json_t *cloudtrail_event_parse(const char *text);

#endif
