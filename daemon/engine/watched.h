/* What a configuration watches, and the instances that stand for it: attached to their alarms, found for what a poll
 * observed, marked where a poll was blind, retired where they are not watched any more. Loop thread. */
#ifndef TOCSIN_ENGINE_WATCHED_H
#define TOCSIN_ENGINE_WATCHED_H

#include "engine/series.h"

typedef struct Watched Watched;

/* Attaches every instance to its alarm, and makes those that are missing. Caller frees. */
Watched *watched_new(Core *core, Backlog *backlog, Own *own, Snapshot *snapshot);
Watched *watched_free(Watched *watched);
OWN_DEFINE(Watched, watched)
/* Removed by the reload: what fires is resolved with that reason, the rest is forgotten (contract 3). */
void watched_retire_others(Watched *watched);

const Watch *watched_all(const Watched *watched, size_t *ret_count); /* by Watch.index; borrowed */
Series *watched_series(const Watched *watched); /* of the watches whose polls find their series; borrowed */

/* Whom a poll saw, attached to its alarm. NULL: gone, or one more than may be watched: told of. */
Instance *watched_instance(Watched *watched, const Observation *seen, int64_t now_ms);
/* A run could not read everything. Blind is not a state: what could not be read keeps it, and says why. */
void watched_blind(Watched *watched, const Poll *poll, const PollOutcome *outcome);
/* A run read everything: what was not seen of the series that polls find is missing, or gone. */
void watched_close(Watched *watched, const Poll *poll, const PollOutcome *outcome, int64_t now_ms, Batch *batch);

#endif
