/* From what one run of a poll brought back to a batch: observations and events are judged, what was not seen is
 * missing or blind, and the cursor says how far the poll came. Keeps the cursors and what events count. Loop thread. */
#ifndef TOCSIN_ENGINE_JUDGING_H
#define TOCSIN_ENGINE_JUDGING_H

#include "engine/health.h"

enum { JUDGED_AT_ONCE = 100 }; /* some 10 ms */

typedef struct Judging Judging;
Judging *judging_new(Core *core, Backlog *backlog); /* caller frees */
Judging *judging_free(Judging *judging);
OWN_DEFINE(Judging, judging)

void judging_resume(Judging *judging, const StoreLoad *load); /* as poller_resume() */
int64_t judging_resumed_s(const Judging *judging); /* as poller_resumed_s() */
/* A new configuration, once its instances are attached; all are borrowed until the next. */
void judging_configure(Judging *judging, Watched *watched, PollStates *states, Health *health);

/* What one run brought back, judged in parts, one run at a time: some thousands of series would be much for one turn of
 * the loop. It counts when all of it is in one batch, and not before. */
void judging_begin(Judging *judging, size_t index, PollOutcome *take_outcome);
/* The next JUDGED_AT_ONCE series. Everything that the run means, for the caller to commit; NULL: there is more of it.
 * Tells how the source stands, too. */
Batch *judging_go_on(Judging *judging);
PollOutcome *judging_abandon(Judging *judging); /* the plan is on its way out: nothing of it counts. Caller frees it */
void judging_committed(Judging *judging, size_t index); /* that batch is on disk */

#endif
