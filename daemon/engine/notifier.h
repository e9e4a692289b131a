/* From a due group to a receipt: asks the groups what is owed, has it rendered on the pool, commits the messages
 * (commit 2), and owns the outbox that leases, sends and finishes them (commits 3 and 4). Loop thread. */
#ifndef TOCSIN_ENGINE_NOTIFIER_H
#define TOCSIN_ENGINE_NOTIFIER_H

#include "base/own.h"
#include "engine/own.h"
#include "notify/outbox.h"
#include "plugin/host.h"

typedef struct Notifier Notifier;
Notifier *notifier_new(Core *core, Own *own, PluginHost *host); /* caller frees */
Notifier *notifier_free(Notifier *notifier);
OWN_DEFINE(Notifier, notifier)

void notifier_load(Notifier *notifier, const StoreLoad *load);
/* A new configuration, in two steps: what is touched from now on goes by its routes; then, when the instances have
 * their new labels, what is open is routed anew, parked messages get another try (at a start not those that Tocsin
 * crashed over), and those whose receiver is gone are parked. */
void notifier_route_by(Notifier *notifier, Snapshot *snapshot);
void notifier_configure(Notifier *notifier, bool is_start);
/* What is open goes where the present routes lead; what people were told stays true. */
void notifier_reroute(Notifier *notifier);
void notifier_tick(Notifier *notifier);
int64_t notifier_next_wall_ms(const Notifier *notifier); /* INT64_MAX: nothing waits */
void notifier_shift(Notifier *notifier, int64_t by_ms); /* the wall clock jumped */
void notifier_stop(Notifier *notifier); /* nothing more is begun; what is on its way may end */
bool notifier_is_stopped(const Notifier *notifier);
bool notifier_is_rendering(const Notifier *notifier); /* a turn is on the pool */
bool notifier_is_idle(const Notifier *notifier); /* no group is due, nothing pends or is on its way */
bool notifier_has_failed(const Notifier *notifier); /* has any delivery failed since the start? */
Outbox *notifier_outbox(Notifier *notifier);

#endif
