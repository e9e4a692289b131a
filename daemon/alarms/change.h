/* What one evaluation, a reload or a condition of our own does to an instance: computed from the instance, committed
 * with its history, and applied only then. Pure but for memory; loop thread. */
#ifndef TOCSIN_ALARMS_CHANGE_H
#define TOCSIN_ALARMS_CHANGE_H

#include "alarms/instance.h"

enum { CHANGE_REPLAY_S = 3600 }; /* how far back minutes are judged after down-time (alarm-semantics 3.6) */

typedef struct Transition {
    int64_t time_ms;
    AlarmState from, to;
    double value; /* NAN: none */
    char *reason;
} Transition;

typedef struct InstanceChange {
    Instance after; /* a copy that holds the new values; its name, labels and texts are its own */
    Transition *transitions; /* oldest first: history */
    size_t transition_count;
    bool persist; /* the row must be written: what a restart needs has changed */
    bool tell; /* a group must hear of it */
} InstanceChange;

InstanceChange *change_new(const Instance *instance);
InstanceChange *change_free(InstanceChange *change);
OWN_DEFINE(InstanceChange, change)

/* Takes over the state that the source says, or judges what the observation holds: every minute since the last judged
 * window where it allows that, at most CHANGE_REPLAY_S back, else the newest settled window alone; `resume_end_s` (0:
 * none) is the window end up to which this poll had judged before a restart. The rule is the instance's alarm's. */
void change_observe(InstanceChange *change, const Observation *seen, int64_t resume_end_s, int64_t now_ms);
/* Could not be judged: the state stays (semantics 3.3). NULL: it can again. */
void change_error(InstanceChange *change, const char *error);
/* What a poll of events means for an instance. */
typedef struct EventNews {
    size_t matches; /* new ones */
    bool is_met; /* with one of them the rule's condition held */
    double value; /* how many counted */
    int64_t hold_s; /* how long a match holds the alarm: the rule's timespan */
    const char *reason;
    Labels *notes; /* borrowed */
} EventNews;
/* Takes over new matches: the rule's condition fires, and what fires already is held longer and told of each. */
void change_events(InstanceChange *change, const EventNews *news, int64_t now_ms);
/* No match, and everything there is was read: the end of the hold resolves, and what was not known is good. */
void change_no_events(InstanceChange *change, const char *reason, int64_t now_ms);
/* A state by decree: Tocsin's own alarms, removal. `value` NAN: none. */
void change_state(InstanceChange *change, AlarmState to, double value, const char *reason, int64_t now_ms);
/* For what is judged outside of this module: takes in `judged`, and gives the state that `for` and `keep_firing_for`
 * make of it. change_show() shows that state, its reason with what they did; `reason` NULL: it stays. */
AlarmState change_judge(InstanceChange *change, AlarmState judged, int64_t now_ms);
void change_show(InstanceChange *change, AlarmState to, double value, const char *reason, int64_t now_ms);
/* What was held is held no more, or what is owed fell due: people hear of the state as it is, unless something else
 * holds it. */
void change_tell(InstanceChange *change, int64_t now_ms);
/* Removed: what fires is resolved with this reason; the instance stays until that was told. */
void change_gone(InstanceChange *change, const char *reason, int64_t now_ms);

/* The commit is done: memory becomes true. */
void instance_apply(Instance *instance, InstanceChange *change, bool durable);

#endif
