#include "rules/flap.h"

#include <string.h>

/* The weight of change i, of 1 to 20, is 0.75 + (i - 1) x 0.5 / 19: in whole 76ths, so that all of them make 100. */
double flap_percent(const FlapMemory *memory) {
    int sum = 0;
    for (int i = 1; i < FLAP_STATES; i++)
        if (memory->states[i] != memory->states[i - 1]) sum += 57 + 2 * (i - 1);
    return 5.0 * sum / 76; /* sum / 76 x 100 / 20 */
}

static void push(FlapMemory *memory, AlarmState state) {
    const unsigned char newest = (unsigned char)state;
    if (!memory->has_begun) memset(memory->states, newest, sizeof memory->states);
    memory->has_begun = true;
    memmove(memory->states, memory->states + 1, sizeof memory->states - 1);
    memory->states[FLAP_STATES - 1] = newest;
}

FlapChange flap_step(const FlapRule *rule, FlapMemory *memory, AlarmState state) {
    push(memory, state);
    const double percent = flap_percent(memory);
    const bool was = memory->is_flapping;
    memory->is_flapping = was ? percent > rule->low_percent : percent >= rule->high_percent;
    if (memory->is_flapping == was) return FLAP_SAME;
    return was ? FLAP_STOPPED : FLAP_STARTED;
}
