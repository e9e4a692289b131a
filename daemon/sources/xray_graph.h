/* What X-Ray's GetServiceGraph says of one window: services (nodes) and who calls whom (edges), with counts and
 * histograms. Pages are read one by one into a GraphPages, edges are resolved when all are there, and the ServiceGraph
 * that comes out is immutable. Pure, runs on the pool. Source: AWS X-Ray API Reference, GetServiceGraph. */
#ifndef TOCSIN_SOURCES_XRAY_GRAPH_H
#define TOCSIN_SOURCES_XRAY_GRAPH_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GRAPH_NODES_MAX = 100000,
    GRAPH_EDGES_MAX = 500000,
    GRAPH_NAMES_MAX = 32, /* alternative names of one node; more are left out */
    GRAPH_HISTOGRAM_MAX = 10000, /* entries of one histogram */
};
#define GRAPH_COUNT_MAX \
    ((int64_t)1000000000000) /* of one figure in an answer: what is above is no count of a window \
                              */
#define GRAPH_SECONDS_MAX 1e15
#define GRAPH_NONE SIZE_MAX

typedef struct HistogramEntry {
    double value; /* s */
    int64_t count; /* >= 1 */
} HistogramEntry;

/* Sorted by value, each once; empty where nothing was measured or what was said cannot be believed. */
typedef struct Histogram {
    const HistogramEntry *entries;
    size_t length;
    int64_t total;
} Histogram;

typedef struct GraphFigures {
    bool has_counts; /* false: no SummaryStatistics, so no data */
    int64_t total, ok, error, throttle, fault; /* requests; throttle is inside error; ok -1 where it was not said */
    double seconds; /* of all requests together; NAN where it was not said */
    Histogram response, age; /* age: how old events were when an asynchronous callee took them */
} GraphFigures;

typedef struct GraphNode {
    const char *name, *type, *account_id, *state; /* "" where absent; name never */
    const char *const *names; /* alternative names, without `name` */
    size_t name_count;
    bool is_root, is_client; /* is_client: who calls from outside; nothing is measured there */
    GraphFigures figures;
    size_t edge_first, edge_count; /* those that leave it, in the graph's edges */
} GraphNode;

typedef struct GraphEdge {
    size_t from, to; /* numbers of nodes */
    bool is_link; /* asynchronous */
    GraphFigures figures;
} GraphEdge;

/* Why something of an answer was left out; counted, never believed. */
typedef enum {
    GRAPH_SKIP_NAME, /* a service without a name, or no object */
    GRAPH_SKIP_REPEATED, /* a ReferenceId that was there already: its figures would count twice; edges likewise */
    GRAPH_SKIP_REFERENCE, /* an edge to a node that is in no page */
    GRAPH_SKIP_COUNTS, /* negative, huge, no whole number */
    GRAPH_SKIP_HISTOGRAM, /* likewise, or too long */
    GRAPH_SKIP_NODES, /* past GRAPH_NODES_MAX */
    GRAPH_SKIP_EDGES, /* past GRAPH_EDGES_MAX */
    GRAPH_SKIPS
} GraphSkip;
extern const char *const graph_skip_words[GRAPH_SKIPS];

typedef struct ServiceGraph ServiceGraph;
typedef struct GraphPages GraphPages;

GraphPages *graph_pages_new(void);
GraphPages *graph_pages_free(GraphPages *pages); /* NULL is fine; returns NULL */
OWN_DEFINE(GraphPages, graph_pages)
/* Adds one page's JSON. False: ERROR_REMOTE, no answer of GetServiceGraph; nothing of it was added. `*ret_token` is
 * the next page's, NULL on the last; it lives as long as the pages. */
bool graph_pages_add(GraphPages *pages, const char *body, size_t length, const char **ret_token, Error *err);
/* Did a page say that the group's filter changed within the window, so that only part of it is there? */
bool graph_pages_are_partial(const GraphPages *pages);

/* Joins the pages: nodes that are the same (account id, name, type) become one, and so do edges between the same two;
 * their counts and histograms add up. The pages are used up. Texts are copied; the window is [start_s, end_s). */
ServiceGraph *service_graph_new(
    GraphPages *take_pages, const char *account, const char *region, const char *group, int64_t start_s, int64_t end_s);
/* One more holder. References are counted on the loop; whoever holds one may read the graph on the pool. */
const ServiceGraph *service_graph_ref(const ServiceGraph *graph);
ServiceGraph *service_graph_free(ServiceGraph *graph); /* gives one reference back; NULL is fine; returns NULL */
OWN_DEFINE(ServiceGraph, service_graph)

size_t service_graph_node_count(const ServiceGraph *graph);
const GraphNode *service_graph_node(const ServiceGraph *graph, size_t index); /* sorted by name, type, account id */
size_t service_graph_edge_count(const ServiceGraph *graph);
const GraphEdge *service_graph_edge(const ServiceGraph *graph, size_t index); /* sorted by from, to */
size_t service_graph_skipped(const ServiceGraph *graph, GraphSkip why);
const char *service_graph_account(const ServiceGraph *graph); /* the name in the configuration */
const char *service_graph_region(const ServiceGraph *graph);
const char *service_graph_group(const ServiceGraph *graph); /* "" where none was asked for */
int64_t service_graph_start_s(const ServiceGraph *graph);
int64_t service_graph_end_s(const ServiceGraph *graph);

/* The sum of several nodes' or edges' figures; its histograms live in `arena`. */
GraphFigures graph_figures_sum(Arena *arena, const GraphFigures *const *parts, size_t count);

#endif
