/* daemon/engine/schedule.c: first within ten seconds, then each batch at its own phase */
#include "engine/schedule.h"

#include "base/alloc.h"

#include <stdlib.h>

struct Schedule {
    size_t count;
    Scheduled entries[];
};

static int64_t every_ms(const Scheduled *s) { return s->poll->every_s * 1000; }

static int64_t next_phase(const Scheduled *s, int64_t wall_ms) {
    const int64_t every = every_ms(s);
    const int64_t phase = (int64_t)(s->poll->phase % (uint64_t)every);
    int64_t wait = (phase - wall_ms % every) % every;
    if (wait <= 0) wait += every;
    return wait;
}

Schedule *schedule_new(const Plan *plan, int64_t boot_ms) {
    const size_t count = plan_count(plan);
    Schedule *schedule = alloc_zeroed(1, sizeof *schedule + count * sizeof *schedule->entries);
    schedule->count = count;
    for (size_t i = 0; i < count; i++) {
        Scheduled *s = &schedule->entries[i];
        s->poll = plan_poll(plan, i);
        const int64_t spread = every_ms(s) < SCHEDULE_FIRST_MS ? every_ms(s) : SCHEDULE_FIRST_MS;
        s->due_boot_ms = boot_ms + (int64_t)(s->poll->phase % (uint64_t)spread);
    }
    return schedule;
}

Schedule *schedule_free(Schedule *schedule) {
    free(schedule);
    return NULL;
}

size_t schedule_count(const Schedule *schedule) { return schedule->count; }
Scheduled *schedule_at(Schedule *schedule, size_t index) { return &schedule->entries[index]; }

Scheduled *schedule_due(Schedule *schedule, int64_t boot_ms) {
    for (size_t i = 0; i < schedule->count; i++) {
        Scheduled *s = &schedule->entries[i];
        if (!s->is_running && s->due_boot_ms <= boot_ms) return s;
    }
    return NULL;
}

int64_t schedule_next_boot_ms(const Schedule *schedule) {
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < schedule->count; i++) {
        const Scheduled *s = &schedule->entries[i];
        if (!s->is_running && s->due_boot_ms < next) next = s->due_boot_ms;
    }
    return next;
}

void schedule_begin(Scheduled *s, int64_t boot_ms) {
    s->is_running = true;
    s->started_boot_ms = boot_ms;
}

void schedule_end(Scheduled *s, int64_t wall_ms, int64_t boot_ms) {
    s->is_running = false;
    s->due_boot_ms = boot_ms + next_phase(s, wall_ms);
}

void schedule_realign(Schedule *schedule, int64_t wall_ms, int64_t boot_ms) {
    for (size_t i = 0; i < schedule->count; i++) {
        Scheduled *s = &schedule->entries[i];
        if (!s->is_running && s->due_boot_ms > boot_ms) s->due_boot_ms = boot_ms + next_phase(s, wall_ms);
    }
}

void schedule_rush(Schedule *schedule, int64_t boot_ms) {
    for (size_t i = 0; i < schedule->count; i++)
        if (!schedule->entries[i].is_running) schedule->entries[i].due_boot_ms = boot_ms;
}
