/* A notification that its receiver has failed to take for so long goes to the receiver's fallback, too: rows of their
 * own, and the mark that it was handed over, in one commit. Loop thread; the message is rewritten on the pool. */
#ifndef TOCSIN_ENGINE_HANDOVER_H
#define TOCSIN_ENGINE_HANDOVER_H

#include "engine/core.h"
#include "notify/outbox.h"

typedef struct Handovers {
    Core *core;
    Outbox *outbox;
    size_t on_pool; /* under way */
    bool is_closing;
} Handovers;

int64_t handover_after_ms(const Core *core, const char *receiver); /* 0: it has no fallback */
void handover_begin(Handovers *handovers, const OutboxRow *row);

#endif
