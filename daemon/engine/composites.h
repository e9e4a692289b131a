/* Composite alarms at work: an instance each, whose state follows the states of other alarms, and whose suppressor
 * holds what people would be told. Looked at whenever a committed batch changed a state; a composite's own change is a
 * commit of its own right behind it, and a start looks at all of them anew, so that a crash between the two loses
 * nothing. Loop thread. */
#ifndef TOCSIN_ENGINE_COMPOSITES_H
#define TOCSIN_ENGINE_COMPOSITES_H

#include "alarms/composite_alarm.h"
#include "engine/batch.h"

/* How long a new composite waits for the first evaluation of what it watches: what nobody has looked at yet has no
 * state to judge by. */
enum { COMPOSITE_FIRST_MS = 60000, COMPOSITE_NAMED = 5 /* children in a reason */ };

typedef struct Composites Composites;
Composites *composites_new(Core *core, Backlog *backlog); /* caller frees */
Composites *composites_free(Composites *composites);
OWN_DEFINE(Composites, composites)

/* A new configuration: each enabled composite's instance is attached to its alarm. `watches` and `alarms` run parallel
 * and say where the other alarms watch: an instance has the account and the region that all its children share, or
 * none. The snapshot must outlive the next call. NULL composites: nothing, as in the next two. */
void composites_attach(
    Composites *composites, Snapshot *snapshot, const Watch *watches, const Alarm *const *alarms, size_t count);
/* Of the state that was restored: nobody looked from then on until now, which is no part of a `for`. 0: not known. */
void composites_resume(Composites *composites, int64_t down_s);
/* States changed: evaluates every composite, and commits what changes. */
void composites_look(Composites *composites);
/* Instances were evaluated, and no state changed: what waits for a first evaluation may have it now. */
void composites_evaluated(Composites *composites);
void composites_tick(
    Composites *composites); /* a wait, an extension, `for` or the time of flap detection may be over */
int64_t composites_next_wall_ms(const Composites *composites); /* INT64_MAX: none */
void composites_shift(Composites *composites, int64_t by_ms); /* the wall clock jumped */

/* The state of all instances that bear an alarm's name: ALARM if one is in ALARM, INSUFFICIENT_DATA if all are, else
 * OK. False: there is none. */
typedef struct StateTally {
    size_t states[STATE_INSUFFICIENT_DATA + 1];
    size_t unlooked; /* of them never evaluated since the start */
} StateTally;
bool state_tally_state(const StateTally *tally, AlarmState *ret_state);

#endif
