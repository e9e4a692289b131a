/* daemon/engine/once.c: one round, for `tocsind --once` */
#include "engine/parts.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { ONCE_MAX_MS = 60000 };

bool engine_once_done(Engine *engine) {
    if (!engine->is_started) return false;
    if (poller_is_idle(engine->poller) && !store_queued(engine->core.store) && notifier_is_idle(engine->notifier))
        return true;
    return clock_boot_ms(engine->core.clock) - engine->started_boot_ms > ONCE_MAX_MS;
}

bool engine_once_print(Engine *engine, FILE *out) {
    size_t count;
    Instance **all = instances_sorted(engine->core.instances, &count);
    for (size_t i = 0; i < count; i++) {
        char value[NUMBER_TEXT_MAX] = "-";
        if (!isnan(all[i]->facts.value)) number_format(all[i]->facts.value, value);
        const char *reason = all[i]->evaluation_error ? all[i]->evaluation_error : all[i]->facts.reason;
        fprintf(out, "%s %s %s %s %s\n", state_word(all[i]->memory.state), all[i]->name, all[i]->fingerprint, value,
            reason);
    }
    free(all);
    return !poller_has_failed(engine->poller) && poller_is_idle(engine->poller) &&
        !notifier_has_failed(engine->notifier) && notifier_is_idle(engine->notifier);
}
