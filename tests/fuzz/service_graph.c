/* Answers of GetServiceGraph, as two pages of one graph. Holds: nodes and edges are sorted, each once, within the graph
 * and its bounds; histograms are sorted and add up; no rate lies outside 0 to 100 percent; a cause ends. */
#include "fuzz.h"

#include "sources/xray.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_histogram(const Histogram *histogram) {
    int64_t total = 0;
    for (size_t i = 0; i < histogram->length; i++) {
        const HistogramEntry *entry = &histogram->entries[i];
        if (entry->count < 1 || !isfinite(entry->value) || (i && entry->value <= entry[-1].value)) abort();
        if (__builtin_add_overflow(total, entry->count, &total)) total = INT64_MAX;
    }
    if (total != histogram->total) abort();
}

static void check_figures(const GraphFigures *figures) {
    check_histogram(&figures->response);
    check_histogram(&figures->age);
    for (size_t i = 0; xray_statistic_words[i]; i++) {
        XrayStatistic statistic;
        double samples;
        if (!xray_statistic_parse(xray_statistic_words[i], &statistic)) abort();
        for (int bound = 0; bound < 3; bound++) {
            statistic.z = bound ? 1.6 : 0;
            statistic.wants_upper = bound == 2;
            const double value = xray_statistic_value(&statistic, figures, &samples);
            if (value < 0 || isinf(value) || (xray_statistic_is_rate(statistic.kind) && value > 100)) abort();
            if (!isnan(value) && !(samples >= 1)) abort();
        }
    }
}

static void check_graph(const ServiceGraph *graph) {
    const size_t nodes = service_graph_node_count(graph), edges = service_graph_edge_count(graph);
    size_t leaving = 0;
    for (size_t i = 0; i < nodes; i++) {
        const GraphNode *node = service_graph_node(graph, i);
        if (!*node->name || (i && strcmp(node[-1].name, node->name) > 0)) abort();
        for (size_t k = 0; k < node->edge_count; k++)
            if (service_graph_edge(graph, node->edge_first + k)->from != i) abort();
        leaving += node->edge_count;
        check_figures(&node->figures);
    }
    if (leaving != edges) abort();
    for (size_t i = 0; i < edges; i++) {
        const GraphEdge *edge = service_graph_edge(graph, i);
        if (edge->from >= nodes || edge->to >= nodes) abort();
        if (i && (edge->from < edge[-1].from || (edge->from == edge[-1].from && edge->to <= edge[-1].to))) abort();
        check_figures(&edge->figures);
    }
}

static void tally(const ServiceGraph *graph) {
    static const GraphReader readers[] = {
        {.service = "*", .measure = {.comparison = COMPARE_GE}},
        {.service = "*", .type = "*", .edge_to = "*", .measure = {.comparison = COMPARE_GT}},
        {.service = "c*",
            .measure = {.statistic = {XRAY_PERCENTILE, 990000000000, 0, false},
                .comparison = COMPARE_LT,
                .threshold = 1}},
    };
    const GraphQuery query = {.readers = readers, .reader_count = 3};
    GraphTally *all = graph_tally(&query, graph, true);
    for (size_t i = 0; i < all->count; i++)
        if (isinf(all->series[i].value) || (all->series[i].edge_to != NULL) != (all->series[i].reader == 1)) abort();
    graph_tally_free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    GraphPages *pages = graph_pages_new();
    const char *token = NULL;
    for (int part = 0; part < 2; part++) { /* the second page is cut short */
        Error err = {0};
        if (graph_pages_add(pages, (const char *)data, part ? size / 2 : size, &token, &err) !=
            (err.kind == ERROR_NONE))
            abort();
    }
    OWN(service_graph) ServiceGraph *graph = service_graph_new(pages, "a", "r", NULL, 0, 60);
    check_graph(graph);
    tally(graph);
    return 0;
}
