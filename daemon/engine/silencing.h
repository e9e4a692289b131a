/* Silences as people make and end them: planned from what is committed, written, applied in the commit's callback and
 * only then answered (I6); one change at a time, the others wait. What a silence that begins holds is told to the
 * groups. Loop thread. */
#ifndef TOCSIN_ENGINE_SILENCING_H
#define TOCSIN_ENGINE_SILENCING_H

#include "engine/core.h"

enum { SILENCING_WAITING_MAX = 1000 }; /* changes that wait for their turn */

typedef struct Silencing Silencing;
Silencing *silencing_new(Core *core); /* caller frees, when the store is closed */
Silencing *silencing_free(Silencing *silencing);
OWN_DEFINE(Silencing, silencing)

void silencing_load(Silencing *silencing, const StoreLoad *load);
void silencing_begin(Silencing *silencing); /* once, when all that is open has found its groups */
void silencing_tick(Silencing *silencing);
void silencing_shift(Silencing *silencing, int64_t by_ms); /* the wall clock jumped: what is silenced stays so */
int64_t silencing_next_wall_ms(const Silencing *silencing); /* INT64_MAX: none begins or ends any more */

void silencing_post(Silencing *silencing, Silence *take_posted, EngineSilenced *done, void *ctx);
void silencing_expire(Silencing *silencing, const char *id, EngineSilenced *done, void *ctx);

#endif
