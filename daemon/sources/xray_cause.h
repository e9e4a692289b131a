/* Where a failure comes from: callers and callees that breach together, by the same measure, in one window's graph.
 * The root cause is the deepest breaching callee (the longest way down, of equal ones the worse value); the path leads
 * from the topmost breaching caller through the series to it. Cycles end where they would begin again. Pure; pool. */
#ifndef TOCSIN_SOURCES_XRAY_CAUSE_H
#define TOCSIN_SOURCES_XRAY_CAUSE_H

#include "rules/judge.h"
#include "sources/xray_statistic.h"

enum {
    CAUSE_PATH_NAMES = 12, /* shown of a path; what lies between is left out */
    CAUSE_AFFECTED_NAMES = 10, /* shown of those who are affected */
    CAUSE_NAME_MAX = 100, /* bytes shown of a name */
};

typedef struct GraphMeasure {
    XrayStatistic statistic;
    Comparison comparison;
    double threshold;
    double samples_needed; /* a neighbour with fewer in the window is no evidence */
} GraphMeasure;

bool measure_breaches(const GraphMeasure *measure, double value);
bool measure_is_worse(const GraphMeasure *measure, double value, double than);

typedef struct CauseMap CauseMap; /* one measure over one graph, for several series */
/* `graph` and `measure` must outlive the map. Caller frees. */
CauseMap *cause_map_new(const ServiceGraph *graph, const GraphMeasure *measure);
CauseMap *cause_map_free(CauseMap *map);
OWN_DEFINE(CauseMap, cause_map)

typedef struct GraphCause {
    size_t root; /* number of the node */
    const char *root_cause; /* `payments faults 38 %` */
    const char *path; /* `front-end → checkout → payments: payments faults 38 %` */
    const char *affected; /* `checkout, front-end, front-end (client)`; NULL: nobody but itself */
} GraphCause;

/* The cause behind a breach of `node`. False: neither a caller nor a callee of it breaches too. Texts in `arena`. */
bool cause_find(CauseMap *map, size_t node, Arena *arena, GraphCause *ret_cause);

#endif
