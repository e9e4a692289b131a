/* Action suppression of a composite alarm: while a suppressor is in ALARM nobody is told of the composite's changes.
 * Pure: time is passed in, the memory is a plain struct that can be stored.
 *
 * A change of the composite while the suppressor is not in ALARM starts the wait, anew each time, so that a suppressor
 * that goes off a little later still holds it back. The suppressor's end starts the extension, so that a composite that
 * recovers a little later is not told as burning; a change meanwhile starts the wait instead. When either runs out,
 * what the composite is at that time is told, if it has changed since something was told last. Source: CloudWatch User
 * Guide, "Composite alarm action suppression". */
#ifndef TOCSIN_RULES_SUPPRESSION_H
#define TOCSIN_RULES_SUPPRESSION_H

#include "rules/judge.h"

typedef struct SuppressionRule {
    int64_t wait_ms, extension_ms; /* from 0 on */
    bool pair_ok; /* OK is told only where ALARM was told last */
} SuppressionRule;

typedef enum {
    SUPPRESSION_IDLE, /* nothing runs: all is told, or the suppressor is in ALARM */
    SUPPRESSION_WAITING,
    SUPPRESSION_EXTENDING
} SuppressionPhase;

typedef struct SuppressionMemory {
    AlarmState composite, suppressor; /* as they were last seen */
    AlarmState told; /* what was told last; at first what the composite was */
    bool is_owed; /* the composite has changed since */
    SuppressionPhase phase;
    int64_t due_ms; /* when the wait or the extension ends */
} SuppressionMemory;

/* What to tell now, in this order. Two where a wait of 0 follows an end that was due before. */
typedef struct SuppressionActions {
    size_t count;
    AlarmState states[2];
} SuppressionActions;

/* The memory of a composite that is in this state, of which nothing is owed. A new one: INSUFFICIENT_DATA. */
SuppressionMemory suppression_begin(AlarmState composite, AlarmState suppressor);
/* Call it when either state has changed, and at suppression_due_ms(). What was due before `now_ms` is told as it was
 * then, even if the suppressor is in ALARM by now: a late call loses nothing. */
SuppressionActions suppression_step(const SuppressionRule *rule, SuppressionMemory *memory, AlarmState composite,
    AlarmState suppressor, int64_t now_ms);
/* Another suppressor takes over: what runs is dropped; what is owed waits again, or is held by the new one. */
void suppression_replace(const SuppressionRule *rule, SuppressionMemory *memory, AlarmState suppressor, int64_t now_ms);
int64_t suppression_due_ms(const SuppressionMemory *memory); /* INT64_MAX: nothing runs */
/* Is the suppressor holding something back? For people who ask why they were not told. */
bool suppression_holds(const SuppressionMemory *memory);

#endif
