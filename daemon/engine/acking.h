/* Acknowledging, by hand: written, then true, then answered (I6). Loop thread. */
#ifndef TOCSIN_ENGINE_ACKING_H
#define TOCSIN_ENGINE_ACKING_H

#include "engine/core.h"

void acking_load(Core *core, const StoreLoad *load);
/* An instance that fires; `done` may run inside where there is none such. */
void acking_put(Core *core, Ack *take_ack, EngineChanged *done, void *ctx);
void acking_remove(Core *core, const char *fingerprint, EngineChanged *done, void *ctx);
void acking_prune(Core *core); /* those of what is over, some at a time */

#endif
