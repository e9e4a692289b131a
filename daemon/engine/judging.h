/* From what one run of a poll brought back to a batch: observations and events are judged, what was not seen is
 * missing or blind, and the cursor says how far the poll came. Keeps the cursors and what events count. Loop thread. */
#ifndef TOCSIN_ENGINE_JUDGING_H
#define TOCSIN_ENGINE_JUDGING_H

#include "engine/health.h"

typedef struct Judging Judging;
Judging *judging_new(Core *core, Backlog *backlog); /* caller frees */
Judging *judging_free(Judging *judging);
OWN_DEFINE(Judging, judging)

void judging_resume(Judging *judging, const StoreLoad *load); /* as poller_resume() */
int64_t judging_resumed_s(const Judging *judging); /* as poller_resumed_s() */
/* A new configuration, once its instances are attached; all are borrowed until the next. */
void judging_configure(Judging *judging, Watched *watched, PollStates *states, Health *health);

/* Everything that one run means; caller commits. Tells how the source stands, too. */
Batch *judging_judge(Judging *judging, size_t index, PollOutcome *take_outcome);
void judging_committed(Judging *judging, size_t index); /* that batch is on disk */

#endif
