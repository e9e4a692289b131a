/* When each poll of a plan runs. No timer of its own and no clock: pure decisions on the times it is told.
 * Waits are counted on the boot clock; the phase of a batch is on the wall clock, so that it is the same after a
 * restart. */
#ifndef TOCSIN_ENGINE_SCHEDULE_H
#define TOCSIN_ENGINE_SCHEDULE_H

#include "base/own.h"
#include "sources/source.h"

enum { SCHEDULE_FIRST_MS = 10000 }; /* the first poll comes within this */

typedef struct Scheduled {
    const Poll *poll;
    int64_t due_boot_ms, started_boot_ms;
    bool is_running;
} Scheduled;

typedef struct Schedule Schedule;

Schedule *schedule_new(const Plan *plan, int64_t boot_ms); /* the plan must outlive it; caller frees */
Schedule *schedule_free(Schedule *schedule);
OWN_DEFINE(Schedule, schedule)

size_t schedule_count(const Schedule *schedule);
Scheduled *schedule_at(Schedule *schedule, size_t index);
/* One that is due and does not run, or NULL. */
Scheduled *schedule_due(Schedule *schedule, int64_t boot_ms);
int64_t schedule_next_boot_ms(const Schedule *schedule); /* INT64_MAX: nothing waits */
void schedule_begin(Scheduled *scheduled, int64_t boot_ms);
/* It ended: the next turn is the first instant of its phase after now. */
void schedule_end(Scheduled *scheduled, int64_t wall_ms, int64_t boot_ms);
/* The wall clock jumped: phases are found anew. */
void schedule_realign(Schedule *schedule, int64_t wall_ms, int64_t boot_ms);
/* Everything at once: after a suspend, and for --once. */
void schedule_rush(Schedule *schedule, int64_t boot_ms);

#endif
