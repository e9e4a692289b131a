/* daemon/engine/once.c: one round, for `tocsind --once` */
#include "engine/parts.h"

#include "base/escape.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { ONCE_MAX_MS = 60000, ONCE_LINE_MAX = 16384 };

bool engine_once_done(Engine *engine) {
    if (!engine->is_started) return false;
    if (poller_is_idle(engine->poller) && !store_queued(engine->core.store) && notifier_is_idle(engine->notifier))
        return true;
    return clock_boot_ms(engine->core.clock) - engine->started_boot_ms > ONCE_MAX_MS;
}

static void print_instance(const Instance *instance, FILE *out) {
    OWN(buffer) Buffer line = BUFFER((size_t)ONCE_LINE_MAX);
    char value[NUMBER_TEXT_MAX] = "-";
    if (!isnan(instance->facts.value)) number_format(instance->facts.value, value);
    buffer_format(&line, "%s ", state_word(instance->memory.state));
    escape_control(&line, instance->name);
    buffer_format(&line, " %s %s ", instance->fingerprint, value);
    escape_control(&line, instance->evaluation_error ? instance->evaluation_error : instance->facts.reason);
    fprintf(out, "%s\n", buffer_string(&line));
}

bool engine_once_print(Engine *engine, FILE *out) {
    size_t count;
    Instance **all = instances_sorted(engine->core.instances, &count);
    for (size_t i = 0; i < count; i++) print_instance(all[i], out);
    free(all);
    return !poller_has_failed(engine->poller) && poller_is_idle(engine->poller) &&
        !notifier_has_failed(engine->notifier) && notifier_is_idle(engine->notifier);
}
