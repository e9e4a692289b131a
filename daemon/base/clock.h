/* The one door for time (robustness: three clocks, one module). Everything that needs the time is handed a Clock; tests
 * and backtests hand in a virtual one. NULL stands for the machine's clocks: for what has nothing to simulate, as the
 * log. Times are milliseconds; wall time is UTC since 1970. */
#ifndef TOCSIN_BASE_CLOCK_H
#define TOCSIN_BASE_CLOCK_H

#include "base/own.h"

#include <stdint.h>

typedef struct Clock Clock;

Clock *clock_new(void); /* the machine's clocks; caller frees */
Clock *clock_new_virtual(int64_t wall_ms); /* stands still until advanced; caller frees */
Clock *clock_free(Clock *clock); /* NULL is fine; returns NULL */
OWN_DEFINE(Clock, clock)

int64_t clock_wall_ms(const Clock *clock); /* what people call now; may jump */
int64_t clock_mono_ms(const Clock *clock); /* deadlines and timers; stops in suspend */
int64_t clock_boot_ms(const Clock *clock); /* as mono, and goes on in suspend */
int64_t clock_mono_us(const Clock *clock); /* sd_notify's MONOTONIC_USEC, measured stalls */

void clock_advance(Clock *clock, int64_t ms); /* virtual only: all three go on */
void clock_suspend(Clock *clock, int64_t ms); /* virtual only: the machine sleeps; mono stands still meanwhile */
void clock_set_wall(Clock *clock, int64_t wall_ms); /* virtual only: the wall clock jumps, the others do not */

#endif
