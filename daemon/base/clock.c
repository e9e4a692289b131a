#include "base/clock.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct Clock {
    bool is_virtual;
    int64_t wall_ms, mono_ms, boot_ms; /* virtual only */
};

enum { VIRTUAL_START_MS = 1000000 }; /* not 0: a time that was never set must not look like now */

Clock *clock_new(void) { return alloc_zeroed(1, sizeof(Clock)); }

Clock *clock_new_virtual(int64_t wall_ms) {
    Clock *clock = clock_new();
    *clock = (Clock){true, wall_ms, VIRTUAL_START_MS, VIRTUAL_START_MS};
    return clock;
}

Clock *clock_free(Clock *clock) {
    free(clock);
    return NULL;
}

static int64_t machine_us(clockid_t id) {
    struct timespec now;
    if (clock_gettime(id, &now)) abort(); /* cannot be for these clocks */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool stands_still(const Clock *clock) { return clock && clock->is_virtual; }

int64_t clock_wall_ms(const Clock *clock) {
    return stands_still(clock) ? clock->wall_ms : machine_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(const Clock *clock) {
    return stands_still(clock) ? clock->mono_ms : machine_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_boot_ms(const Clock *clock) {
    return stands_still(clock) ? clock->boot_ms : machine_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_mono_us(const Clock *clock) {
    return stands_still(clock) ? clock->mono_ms * 1000 : machine_us(CLOCK_MONOTONIC);
}

void clock_advance(Clock *clock, int64_t ms) {
    assert(clock->is_virtual && ms >= 0);
    clock->wall_ms += ms;
    clock->mono_ms += ms;
    clock->boot_ms += ms;
}

void clock_suspend(Clock *clock, int64_t ms) {
    assert(clock->is_virtual && ms >= 0);
    clock->wall_ms += ms;
    clock->boot_ms += ms;
}

void clock_set_wall(Clock *clock, int64_t wall_ms) {
    assert(clock->is_virtual);
    clock->wall_ms = wall_ms;
}
