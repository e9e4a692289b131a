/* Who calls a service, directly or through others, in one window's graph. Pure. */
#ifndef TOCSIN_SOURCES_XRAY_CALLERS_H
#define TOCSIN_SOURCES_XRAY_CALLERS_H

#include "sources/xray_graph.h"

enum { CALLERS_DEEP = 64 }; /* calls between: who stands further away is none */

/* Sets `ret_calls`, one a node: it reaches a node of this name (and type, "" any) by calls, and is not reached by one
 * itself: in a cycle nobody stands before the others, so that no two hold each other. */
void graph_callers(const ServiceGraph *graph, const char *service, const char *type, bool *ret_calls);
/* Is a node of this name (and type, "" any) marked? */
bool graph_is_marked(const ServiceGraph *graph, const bool *marks, const char *service, const char *type);

#endif
