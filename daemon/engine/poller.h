/* The schedule at work: starts each poll at its time, has judged what came back, and commits the batch. Holds the plan
 * of the present configuration. Loop thread. */
#ifndef TOCSIN_ENGINE_POLLER_H
#define TOCSIN_ENGINE_POLLER_H

#include "base/own.h"
#include "engine/own.h"
#include "store/store.h"

enum { POLLER_UNDER_WAY_MAX = 2000 }; /* instances in batches whose commit is not done; from there on no poll begins */

typedef struct Poller Poller;
Poller *poller_new(Core *core, Backlog *backlog, Own *own); /* caller frees */
Poller *poller_free(Poller *poller); /* cancels what runs */
OWN_DEFINE(Poller, poller)

/* How far each poll had come before the restart, and which events count. Before poller_configure(). */
void poller_resume(Poller *poller, const StoreLoad *load);
int64_t poller_resumed_s(const Poller *poller); /* when the last of the restored polls went well; 0: none did */
/* A new configuration: instances are attached to their alarms, what is not configured any more is resolved, the plan is
 * made anew and its polls begin within ten seconds. Polls in flight are cancelled: what they asked is asked again at
 * once. */
void poller_configure(Poller *poller, Snapshot *snapshot);

void poller_tick(Poller *poller);
int64_t poller_next_boot_ms(const Poller *poller);
void poller_realign(Poller *poller); /* the wall clock jumped */
void poller_rush(Poller *poller); /* everything at once: after a suspend, and for --once */
bool poller_is_idle(const Poller *poller); /* nothing runs and nothing has yet to run for the first time */
bool poller_has_failed(const Poller *poller); /* has any poll's last run failed? */
PlanCost poller_cost(const Poller *poller);
size_t poller_sources(const Poller *poller, SourceView **ret_views); /* caller frees the array */
/* What the poll at `index` kept for people to look at; NULL: nothing. `*ret_poll` NULL: there are no more polls. */
const void *poller_kept(const Poller *poller, size_t index, const Poll **ret_poll);
/* Wall time of the newest poll since every one of the present plan had been tried once; 0: not yet. */
int64_t poller_attempted_ms(const Poller *poller);

#endif
