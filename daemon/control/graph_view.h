/* X-Ray's service graphs as `GET /v1/service-graph` answers them: the newest window of each (account, region, group)
 * that is read, its nodes and edges with their figures and the states of their alarms. Loop thread; the answer is
 * written on the pool. */
#ifndef TOCSIN_CONTROL_GRAPH_VIEW_H
#define TOCSIN_CONTROL_GRAPH_VIEW_H

#include "control/answer.h"
#include "engine/engine.h"

/* What is asked for; NULL: any. */
typedef struct GraphChoice {
    const char *account, *region, *group;
} GraphChoice;

/* `{"windows":[...],"nodes":[...],"edges":[...]}`; nodes are numbered through, edges name their ends by number and by
 * name. A graph with which nodes and edges together would pass GRAPH_VIEW_PARTS is left out, and its
 * window says so. */
void view_graphs(Engine *engine, const GraphChoice *choice, Answer *take_answer);

enum { GRAPH_VIEW_PARTS = 15000 }; /* in one answer, about 10 MB */

#endif
