#include "rules/pending.h"

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

static void take_true(const PendingRule *rule, PendingMemory *memory, int64_t now_s) {
    memory->is_kept = false;
    if (memory->phase == PENDING_INACTIVE) *memory = (PendingMemory){.phase = PENDING_PENDING, .active_s = now_s};
    memory->active_s = earlier(memory->active_s, now_s); /* the clock was set back: it has held since now at least */
    if (now_s - memory->active_s >= rule->for_s) memory->phase = PENDING_FIRING;
}

static void take_false(const PendingRule *rule, PendingMemory *memory, int64_t now_s) {
    if (!memory->is_kept) memory->ended_s = now_s;
    memory->ended_s = earlier(memory->ended_s, now_s);
    memory->is_kept = memory->phase == PENDING_FIRING && now_s - memory->ended_s < rule->keep_firing_s;
    if (!memory->is_kept) *memory = (PendingMemory){.phase = PENDING_INACTIVE};
}

PendingPhase pending_step(const PendingRule *rule, PendingMemory *memory, bool condition, int64_t now_s) {
    if (condition)
        take_true(rule, memory, now_s);
    else
        take_false(rule, memory, now_s);
    return memory->phase;
}

void pending_resume(const PendingRule *rule, PendingMemory *memory, int64_t down_s, int64_t now_s) {
    if (memory->phase != PENDING_PENDING || now_s <= down_s) return;
    const int64_t left_s = rule->for_s - (down_s - memory->active_s);
    if (left_s <= 0) return;
    if (rule->for_s >= PENDING_GRACE_S && left_s < PENDING_GRACE_S)
        memory->active_s = now_s + PENDING_GRACE_S - rule->for_s;
    else
        memory->active_s += now_s - down_s;
}
