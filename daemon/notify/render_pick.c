/* daemon/notify/render_pick.c: the first few of many, kept in a heap whose root is the last of them */
#include "notify/render_pick.h"

#include <string.h>

static int by_number(int64_t a, int64_t b) { return (a > b) - (a < b); }

int pick_severe_first(const GroupAlert *a, const GroupAlert *b) {
    if (a->instance->severity != b->instance->severity) return a->instance->severity < b->instance->severity ? -1 : 1;
    const int newer = by_number(b->instance->firing_since_ms, a->instance->firing_since_ms);
    return newer ? newer : strcmp(a->fingerprint, b->fingerprint);
}

static int64_t known_since_ms(const GroupAlert *alert) { return alert->is_first ? INT64_MAX : alert->told_at_ms; }

int pick_named_first(const GroupAlert *a, const GroupAlert *b) {
    if (a->is_named != b->is_named) return a->is_named ? -1 : 1;
    const int longer = by_number(known_since_ms(a), known_since_ms(b));
    return longer ? longer : pick_severe_first(a, b);
}

static void sink(const GroupAlert **heap, size_t count, size_t at, PickOrder *order) {
    const GroupAlert *alert = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && order(heap[child + 1], heap[child]) > 0) child++;
        if (order(heap[child], alert) <= 0) break;
        heap[at] = heap[child];
    }
    heap[at] = alert;
}

static void heap_make(const GroupAlert **heap, size_t count, PickOrder *order) {
    for (size_t at = count / 2; at-- > 0;) sink(heap, count, at, order);
}

size_t pick_first(const GroupTurn *turn, AlertKind kind, PickOrder *order, size_t max, const GroupAlert **into) {
    size_t count = 0;
    for (size_t i = 0; i < turn->alert_count; i++) {
        const GroupAlert *alert = &turn->alerts[i];
        if (alert->kind != kind) continue;
        if (count < max) {
            into[count++] = alert;
            if (count == max) heap_make(into, count, order);
        } else if (order(alert, into[0]) < 0) {
            into[0] = alert;
            sink(into, count, 0, order);
        }
    }
    if (count < max) heap_make(into, count, order);
    for (size_t end = count; end > 1;) { /* the last goes behind, and the next becomes the root */
        const GroupAlert *last = into[0];
        into[0] = into[--end];
        into[end] = last;
        sink(into, end, 0, order);
    }
    return count;
}
