#include "base/loglimit.h"

#include <stdio.h>
#include <string.h>

static bool is_over(const LogSlot *slot, int64_t mono_ms) { return mono_ms - slot->since_ms >= LOGLIMIT_MINUTE_MS; }

/* The slot of this line, or the one that it may take: a free one, else the oldest. */
static LogSlot *find(LogLimit *limit, const char *message, const char *field) {
    LogSlot *best = &limit->slots[0];
    for (LogSlot *slot = limit->slots; slot < limit->slots + LOGLIMIT_SLOTS; slot++) {
        if (slot->message && !strcmp(slot->message, message) && !strncmp(slot->field, field, LOGLIMIT_FIELD - 1))
            return slot;
        if (best->message && (!slot->message || slot->since_ms < best->since_ms)) best = slot;
    }
    *best = (LogSlot){0};
    return best;
}

bool loglimit_take(LogLimit *limit, const char *message, const char *field, int64_t mono_ms) {
    LogSlot *slot = find(limit, message, field);
    if (!slot->message || (is_over(slot, mono_ms) && !slot->held)) {
        *slot = (LogSlot){.message = message, .since_ms = mono_ms};
        snprintf(slot->field, sizeof slot->field, "%s", field);
    }
    if (slot->lines++ < LOGLIMIT_LINES) return true;
    slot->held++;
    return false;
}

bool loglimit_tell(LogLimit *limit, int64_t mono_ms, LogSlot *ret_slot) {
    for (LogSlot *slot = limit->slots; slot < limit->slots + LOGLIMIT_SLOTS; slot++) {
        if (!slot->message || !slot->held || !is_over(slot, mono_ms)) continue;
        *ret_slot = *slot;
        *slot = (LogSlot){0};
        return true;
    }
    return false;
}
