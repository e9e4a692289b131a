/* The tree of routes, and where an alert would go, as the objects of /v1/routes. Pure readers; each gives a new
 * reference. */
#ifndef TOCSIN_CONTROL_ROUTE_VIEW_H
#define TOCSIN_CONTROL_ROUTE_VIEW_H

#include "engine/engine.h"
#include "notify/route.h"

json_t *view_route(const Route *route); /* with all that is below it */
/* An array: each way that an alert with these labels goes, and what would hold it back at `at_ms`. */
json_t *view_ways(Engine *engine, const Labels *labels, int64_t at_ms);

#endif
