/* Is each source of the present plan read? Records how its polls go, tells by Tocsin's own alarms when one cannot be
 * read, shows nothing of our own calls or was asked by a wrong clock, and shows the sources to people. Loop thread. */
#ifndef TOCSIN_ENGINE_HEALTH_H
#define TOCSIN_ENGINE_HEALTH_H

#include "engine/poll_state.h"
#include "engine/schedule.h"
#include "engine/watched.h"

enum { POLL_FAILURES = 3, POLL_STALE_PERIODS = 3, POLL_NAMED_ALARMS = 5 };

typedef struct Health Health;
/* Of one plan's polls: all is borrowed. Caller frees. */
Health *health_new(Core *core, Own *own, PollStates *states, const Watched *watched);
Health *health_free(Health *health);
OWN_DEFINE(Health, health)
void health_clear_others(Health *health); /* alarms of sources that are not read any more end */

/* A run came back. True: nothing of it failed. */
bool health_record(Health *health, size_t index, const PollOutcome *outcome);
/* A feed of events was read, all of it: does it show our own calls? */
void health_look_at_events(Health *health, size_t index, const PollOutcome *outcome, int64_t now_ms);
void health_look(Health *health, size_t index); /* a run is judged: tells how its source and the clock stand */
void health_look_at_clock(Health *health);
void health_look_for_stale(Health *health); /* sources that were not read for long, though no run failed */
void health_excuse(Health *health); /* time in which we were not there is no evidence against a source (I16) */

int64_t health_attempted_ms(const Health *health); /* as poller_attempted_ms() */
/* The sources as people see them; the schedule is of the same plan. Caller frees the array. */
size_t health_views(const Health *health, Schedule *schedule, SourceView **ret_views);

#endif
