/* Tocsin's alerts as the objects of Alertmanager's API v2, as 0.25 answers them, so that its clients can read: amtool,
 * karma, Grafana. Only what fires is an alert there. Loop thread; all JSON is a new reference.
 * Source: Alertmanager, api/v2/openapi.yaml. */
#ifndef TOCSIN_CONTROL_ALERTMANAGER_VIEW_H
#define TOCSIN_CONTROL_ALERTMANAGER_VIEW_H

#include "engine/engine.h"
#include "notify/route.h"
#include "plugin/receivers.h"

enum { AM_ALERT_LIFE_MS = 300000 /* endsAt of what fires, seen from now: Alertmanager's resolve_timeout */ };

/* Which alerts are wanted; `filter` and `receiver` may be empty lists. */
typedef struct AmChoice {
    Matchers *filter; /* on the alert's labels */
    Matchers *receiver; /* on a label `receiver`: one of those to whom it goes */
    bool active, silenced, inhibited, unprocessed; /* Tocsin has none that are unprocessed */
} AmChoice;

json_t *am_alerts(Engine *engine, const RouteSection *routes, const AmChoice *choice); /* by fingerprint */
/* One a group of each route, with its alerts; by labels, then receiver. */
json_t *am_groups(Engine *engine, const RouteSection *routes, const AmChoice *choice);
/* Those of which each matcher of `filter` is one. Active, then pending, then expired. */
json_t *am_silences(Engine *engine, const Matchers *filter);
json_t *am_receivers(const ReceiversSection *receivers);
/* `original`: the routing tree as Alertmanager's configuration, without what its receivers are made of. */
json_t *am_status(Engine *engine, const RouteSection *routes, const ReceiversSection *receivers);

#endif
