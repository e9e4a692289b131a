#include "sources/xray_callers.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static bool is_node(const GraphNode *node, const char *service, const char *type) {
    return !strcmp(node->name, service) && (!*type || !strcmp(node->type, type));
}

/* One call further from those that are marked; `up`: against the calls. True: somebody was. */
static bool spread(const ServiceGraph *graph, bool *marks, bool up) {
    bool has_grown = false;
    for (size_t i = 0; i < service_graph_edge_count(graph); i++) {
        const GraphEdge *edge = service_graph_edge(graph, i);
        const size_t from = up ? edge->to : edge->from, to = up ? edge->from : edge->to;
        if (!marks[from] || marks[to]) continue;
        marks[to] = has_grown = true;
    }
    return has_grown;
}

static bool *reach(const ServiceGraph *graph, const char *service, const char *type, bool up) {
    const size_t count = service_graph_node_count(graph);
    bool *marks = alloc_zeroed(count + 1, sizeof *marks);
    for (size_t i = 0; i < count; i++) marks[i] = is_node(service_graph_node(graph, i), service, type);
    for (int deep = 0; deep < CALLERS_DEEP && spread(graph, marks, up); deep++) continue;
    return marks;
}

void graph_callers(const ServiceGraph *graph, const char *service, const char *type, bool *ret_calls) {
    bool *before = reach(graph, service, type, true), *behind = reach(graph, service, type, false);
    for (size_t i = 0; i < service_graph_node_count(graph); i++) ret_calls[i] = before[i] && !behind[i];
    free(before);
    free(behind);
}

bool graph_is_marked(const ServiceGraph *graph, const bool *marks, const char *service, const char *type) {
    size_t low = 0, high = service_graph_node_count(graph);
    while (low < high) { /* the first that is not before it: nodes are sorted by name */
        const size_t middle = low + (high - low) / 2;
        if (strcmp(service_graph_node(graph, middle)->name, service) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < service_graph_node_count(graph) && !strcmp(service_graph_node(graph, low)->name, service); low++)
        if (marks[low] && is_node(service_graph_node(graph, low), service, type)) return true;
    return false;
}
