#include "rules/suppression.h"

SuppressionMemory suppression_begin(AlarmState composite, AlarmState suppressor) {
    return (SuppressionMemory){.composite = composite, .suppressor = suppressor, .told = composite};
}

static void start(SuppressionMemory *memory, SuppressionPhase phase, int64_t now_ms, int64_t length_ms) {
    memory->phase = phase;
    memory->due_ms = now_ms + length_ms;
}

static void stop(SuppressionMemory *memory) {
    memory->phase = SUPPRESSION_IDLE;
    memory->due_ms = 0;
}

/* The wait or the extension is over: tells what is owed. */
static void finish(const SuppressionRule *rule, SuppressionMemory *memory, SuppressionActions *actions) {
    const bool is_unpaired = rule->pair_ok && memory->composite == STATE_OK && memory->told != STATE_ALARM;
    if (memory->is_owed && !is_unpaired) {
        memory->told = memory->composite;
        actions->states[actions->count++] = memory->composite;
    }
    memory->is_owed = false;
    stop(memory);
}

static void take_suppressor(
    const SuppressionRule *rule, SuppressionMemory *memory, AlarmState suppressor, int64_t now_ms) {
    const bool was_on = memory->suppressor == STATE_ALARM, is_on = suppressor == STATE_ALARM;
    memory->suppressor = suppressor;
    if (is_on && !was_on) stop(memory);
    if (was_on && !is_on) start(memory, SUPPRESSION_EXTENDING, now_ms, rule->extension_ms);
}

static void take_composite(
    const SuppressionRule *rule, SuppressionMemory *memory, AlarmState composite, int64_t now_ms) {
    if (composite == memory->composite) return;
    memory->composite = composite;
    memory->is_owed = true;
    if (memory->suppressor != STATE_ALARM) start(memory, SUPPRESSION_WAITING, now_ms, rule->wait_ms);
}

SuppressionActions suppression_step(const SuppressionRule *rule, SuppressionMemory *memory, AlarmState composite,
    AlarmState suppressor, int64_t now_ms) {
    SuppressionActions actions = {0};
    const int64_t due_ms = suppression_due_ms(memory);
    if (due_ms < now_ms) finish(rule, memory, &actions);
    take_suppressor(rule, memory, suppressor, now_ms); /* at the very end of a wait it still holds */
    take_composite(rule, memory, composite, now_ms);
    if (suppression_due_ms(memory) <= now_ms) finish(rule, memory, &actions);
    return actions;
}

void suppression_replace(
    const SuppressionRule *rule, SuppressionMemory *memory, AlarmState suppressor, int64_t now_ms) {
    stop(memory);
    memory->suppressor = suppressor;
    if (memory->is_owed && suppressor != STATE_ALARM) start(memory, SUPPRESSION_WAITING, now_ms, rule->wait_ms);
}

int64_t suppression_due_ms(const SuppressionMemory *memory) {
    return memory->phase == SUPPRESSION_IDLE ? INT64_MAX : memory->due_ms;
}

bool suppression_holds(const SuppressionMemory *memory) { return memory->is_owed && memory->suppressor == STATE_ALARM; }
