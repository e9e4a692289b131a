/* Keys of events that were never seen before (`first_seen` of an alarm), known across restarts: one memory an alarm and
 * account, written down as cursors with the batch that met them. Loop thread. */
#ifndef TOCSIN_ENGINE_NOVELTY_H
#define TOCSIN_ENGINE_NOVELTY_H

#include "engine/batch.h"

typedef struct Novelty Novelty;
Novelty *novelty_new(const Memory *memory); /* what is remembered is read from there, when it is first asked for */
Novelty *novelty_free(Novelty *novelty);
OWN_DEFINE(Novelty, novelty)

/* Is this key new for the watch's alarm in its account? What must be remembered of it goes into the batch. */
bool novelty_is_new(
    Novelty *novelty, const Watch *watch, const char *key, int64_t event_ms, int64_t now_ms, Batch *batch);
/* What was not met for so long that it is forgotten goes from the file, too. */
void novelty_prune(Novelty *novelty, int64_t now_ms, Batch *batch);
/* A new configuration: learning and forgetting may take other times. */
void novelty_reset(Novelty *novelty);

#endif
