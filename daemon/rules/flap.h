/* Flap detection: an alarm that changes its state again and again is told of once, as flapping, until it is steady.
 * Pure; the memory is a plain struct that can be stored. Feed it one state an evaluation that changed data, not one a
 * minute: an alarm of long periods would never flap.
 * Source: Nagios Core, "Detection and Handling of State Flapping", with the weights of its code: of the 20 changes that
 * 21 states can make, the newest counts 1.25 and the oldest 0.75. */
#ifndef TOCSIN_RULES_FLAP_H
#define TOCSIN_RULES_FLAP_H

#include "rules/judge.h"

enum { FLAP_STATES = 21 };

typedef struct FlapRule {
    double low_percent, high_percent; /* 0 < low <= high <= 100 */
} FlapRule;

/* Zero is an alarm of which nothing was seen yet. */
typedef struct FlapMemory {
    unsigned char states[FLAP_STATES]; /* of AlarmState, oldest first; before the first one was seen: that one */
    bool has_begun;
    bool is_flapping;
} FlapMemory;

typedef enum { FLAP_SAME, FLAP_STARTED, FLAP_STOPPED } FlapChange;

/* Takes in one state more. It starts at `high` or above and stops at `low` or below; in between nothing changes. */
FlapChange flap_step(const FlapRule *rule, FlapMemory *memory, AlarmState state);
/* How much of what could change has changed, weighted: 0 to 100. */
double flap_percent(const FlapMemory *memory);

#endif
