/* How far AWS's clock is from ours, from the Date headers of its answers: exact to a second, late by the way back.
 * Kept against the boot clock, which nobody sets: when the wall clock jumps, AWS's does not. Pure. */
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
    int64_t offset_ms; /* AWS's clock minus the boot clock, smoothed */
    bool known;
} Skew;

/* Our two clocks at one moment. */
typedef struct SkewMoment {
    int64_t wall_ms, boot_ms;
} SkewMoment;

/* `date_ms` as the header has it (0: none), `arrived`: when it came. */
void skew_see(Skew *skew, int64_t date_ms, SkewMoment arrived);
/* The answer complained of our clock: believe this one at once. False: it is not believable. */
bool skew_correct(Skew *skew, int64_t date_ms, SkewMoment arrived);
int64_t skew_ms(const Skew *skew, SkewMoment now); /* AWS's clock minus our wall clock; 0 until known */
int64_t skew_applied_ms(const Skew *skew, SkewMoment now); /* 0 while within SKEW_IGNORED_MS */

#endif
