#include "sources/xray.h"

#include "base/alloc.h"

#include <stdlib.h>

static int64_t floor_to(int64_t value, int64_t step) { return value - ((value % step) + step) % step; }

static int64_t common_divisor(int64_t a, int64_t b) {
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void windows_init(
    Windows *windows, int64_t period_s, int64_t settle_s, int64_t step_s, size_t range, int64_t replayed_s) {
    const int64_t grain_s = common_divisor(period_s, step_s);
    const int64_t span_s = (int64_t)range * period_s + replayed_s + XRAY_AGAIN_S + step_s;
    *windows = (Windows){.period_s = period_s, .settle_s = settle_s, .step_s = step_s, .grain_s = grain_s};
    windows->slots = (size_t)(span_s / grain_s) + 2;
    windows->ring = alloc_zeroed(windows->slots, sizeof *windows->ring);
}

void windows_deinit(Windows *windows) { free(windows->ring); }

int64_t windows_end_s(const Windows *windows, int64_t now_s) {
    return floor_to(now_s - windows->settle_s, windows->step_s);
}

size_t windows_slot(const Windows *windows, int64_t end_s) {
    return (size_t)(end_s / windows->grain_s) % windows->slots;
}

bool windows_has(const Windows *windows, int64_t end_s) {
    return windows->ring[windows_slot(windows, end_s)].end_s == end_s;
}

bool windows_have_range(const Windows *windows, int64_t end_s, size_t range) {
    for (size_t i = 0; i < range; i++)
        if (!windows_has(windows, end_s - (int64_t)i * windows->period_s)) return false;
    return true;
}

static bool is_late_enough(const Windows *windows, int64_t end_s, int64_t now_s) {
    return now_s - windows->settle_s - end_s >= XRAY_AGAIN_S;
}

bool windows_take(Windows *windows, int64_t end_s, int64_t now_s) {
    struct WindowSlot *slot = &windows->ring[windows_slot(windows, end_s)];
    const bool is_other = slot->end_s != end_s;
    *slot = (struct WindowSlot){end_s, !windows->reads_again || is_late_enough(windows, end_s, now_s)};
    return is_other;
}

bool windows_forget(Windows *windows, int64_t now_s) {
    const int64_t newest_s = windows_end_s(windows, now_s);
    bool any = false;
    for (size_t i = 0; i < windows->slots; i++) {
        struct WindowSlot *slot = &windows->ring[i];
        if (slot->end_s > newest_s) {
            *slot = (struct WindowSlot){0};
            any = true;
        } else if (windows->reads_again && !is_late_enough(windows, slot->end_s, now_s)) {
            slot->is_final = false;
        }
    }
    return any;
}

static void add_end(int64_t *ends, size_t *used, size_t room, int64_t end_s) {
    for (size_t i = 0; i < *used; i++)
        if (ends[i] == end_s) return;
    if (*used < room) ends[(*used)++] = end_s;
}

size_t windows_lacking(
    const Windows *windows, int64_t end_s, int64_t now_s, size_t range, int64_t *ret_ends, size_t room) {
    size_t used = 0;
    if (!windows_has(windows, end_s)) add_end(ret_ends, &used, room, end_s);
    for (size_t i = 0; i < windows->slots; i++) { /* before the gaps: these are few, and newer */
        const struct WindowSlot *slot = &windows->ring[i];
        const bool is_young = end_s - slot->end_s < 2 * XRAY_AGAIN_S + windows->period_s; /* else not worth a call */
        if (slot->end_s && !slot->is_final && is_young && slot->end_s <= end_s &&
            is_late_enough(windows, slot->end_s, now_s))
            add_end(ret_ends, &used, room, slot->end_s);
    }
    for (size_t i = 1; i < range; i++) {
        const int64_t at_s = end_s - (int64_t)i * windows->period_s;
        if (!windows_has(windows, at_s)) add_end(ret_ends, &used, room, at_s);
    }
    return used;
}
