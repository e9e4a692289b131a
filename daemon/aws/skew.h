/* How far AWS's clock is from ours, from the Date headers of its answers: exact to a second, late by the way back.
 * Pure. */
#ifndef TOCSIN_AWS_SKEW_H
#define TOCSIN_AWS_SKEW_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SKEW_IGNORED_MS = 2000, /* smaller is jitter of the header */
    SKEW_ALARMING_MS = 4 * 60 * 1000, /* a 403 with a Date this far off is taken for a clock error */
    SKEW_MAX_MS = 24 * 3600 * 1000 /* nobody's clock: not believed */
};

typedef struct Skew {
    int64_t offset_ms; /* AWS's clock minus ours, smoothed */
    bool known;
} Skew;

/* `date_ms` as the header has it (0: none), `arrived_ms` our wall clock when it came. */
void skew_see(Skew *skew, int64_t date_ms, int64_t arrived_ms);
/* The answer complained of our clock: believe this one at once. False: it is not believable. */
bool skew_correct(Skew *skew, int64_t date_ms, int64_t arrived_ms);
int64_t skew_applied_ms(const Skew *skew); /* 0 while within SKEW_IGNORED_MS */

#endif
