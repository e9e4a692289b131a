/* What events mean for alarms: matches are counted over the events' own time, an instance a group; a match holds its
 * alarm, silence is looked for where that is the rule, and what was seen before is known across restarts. Computes
 * changes for a poll's batch; what it remembers of events is written with that batch. Loop thread. */
#ifndef TOCSIN_ENGINE_EVENTS_H
#define TOCSIN_ENGINE_EVENTS_H

#include "engine/series.h"

enum {
    EVENTS_LATE_S = 7200, /* how much later than others an event may come and still be counted with them */
    EVENTS_SILENCE_LATE_S = 900, /* silence is believed when events had so long to arrive, or the rule's timespan */
    EVENTS_SHOWN = 5 /* in a message */
};

typedef struct Events Events;
Events *events_new(Core *core);
Events *events_free(Events *events);
OWN_DEFINE(Events, events)

/* What was counted before a restart. Before events_configure(). */
void events_load(Events *events, const StoreLoad *load);
/* A new configuration, once instances are attached to their alarms; all are borrowed until the next. */
void events_configure(Events *events, Series *series, const Watch *watches, size_t count);
/* Counts a poll's new matches, ends holds where everything was read, and remembers all events that are new. */
void events_judge(Events *events, const Poll *poll, const PollOutcome *outcome, int64_t now_ms, Batch *batch);

#endif
