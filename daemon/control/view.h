/* The daemon's things as the objects that its socket answers with (contract section 4). Pure readers; each gives a new
 * reference. */
#ifndef TOCSIN_CONTROL_VIEW_H
#define TOCSIN_CONTROL_VIEW_H

#include "engine/engine.h"

enum { VIEW_MUTES_MAX = 100 }; /* silences, or inhibiting alerts, that are named */

json_t *view_status(Engine *engine);
json_t *view_sources(Engine *engine); /* an array */
json_t *view_instance(Engine *engine, const Instance *instance); /* as in /v1/alarms */
json_t *view_instance_detail(
    Engine *engine, const Instance *instance); /* the same with its datapoints, and what changed */
json_t *view_transition(const HistoryRow *row);

#endif
