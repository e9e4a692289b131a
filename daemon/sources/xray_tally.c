#include "sources/xray.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A node or an edge that a reader watches. */
typedef struct Match {
    const GraphNode *node; /* of an edge: who calls */
    const GraphNode *to; /* NULL: the node itself */
    size_t cause_node; /* where the search for a cause begins */
    const GraphFigures *figures;
} Match;

typedef struct Tallying {
    const GraphQuery *query;
    const ServiceGraph *graph;
    GraphTally *tally;
    Match *matches;
    size_t match_count, room; /* room: of the tally's series */
    bool with_causes;
    CauseMap *causes; /* of the reader in hand; NULL: nothing breached yet */
    size_t cause_count;
} Tallying;

static bool node_matches(const char *glob, const GraphNode *node) {
    if (glob_matches(glob, node->name, false)) return true;
    for (size_t i = 0; i < node->name_count; i++)
        if (glob_matches(glob, node->names[i], false)) return true;
    return false;
}

/* Clients have no figures of their own, and often the name of what they call: only who asks for them gets them. */
static bool is_watched(const GraphReader *reader, const GraphNode *node) {
    if (reader->type ? !glob_matches(reader->type, node->type, false) : node->is_client) return false;
    return node_matches(reader->service, node);
}

static void match_node(Tallying *tallying, const GraphReader *reader, size_t number) {
    const GraphNode *node = service_graph_node(tallying->graph, number);
    if (!is_watched(reader, node)) return;
    if (!reader->edge_to) {
        tallying->matches[tallying->match_count++] = (Match){node, NULL, number, &node->figures};
        return;
    }
    for (size_t i = 0; i < node->edge_count; i++) {
        const GraphEdge *edge = service_graph_edge(tallying->graph, node->edge_first + i);
        const GraphNode *to = service_graph_node(tallying->graph, edge->to);
        if (node_matches(reader->edge_to, to))
            tallying->matches[tallying->match_count++] = (Match){node, to, edge->to, &edge->figures};
    }
}

static int match_order(const void *left, const void *right) {
    const Match *a = left, *b = right;
    int order = strcmp(a->node->name, b->node->name);
    if (order == 0) order = strcmp(a->node->type, b->node->type);
    if (order == 0 && a->to && b->to) order = strcmp(a->to->name, b->to->name);
    return order;
}

static void add_cause(Tallying *tallying, const GraphReader *reader, const Match *match, TallySeries *series) {
    GraphCause cause;
    if (tallying->cause_count++ >= XRAY_CAUSES_MAX) return;
    if (!tallying->causes) tallying->causes = cause_map_new(tallying->graph, &reader->measure);
    if (!cause_find(tallying->causes, match->cause_node, tallying->tally->arena, &cause)) return;
    series->root_cause = cause.root_cause;
    series->path = cause.path;
    series->affected = cause.affected;
}

/* Matches with the same labels (other accounts' nodes of one name, callees of two types) are one series. */
static void tally_series(Tallying *tallying, size_t reader_number, const Match *matches, size_t count) {
    Arena *arena = tallying->tally->arena;
    const GraphReader *reader = &tallying->query->readers[reader_number];
    GraphFigures figures = *matches[0].figures;
    if (count > 1) {
        const GraphFigures **parts = alloc_zeroed(count, sizeof *parts);
        for (size_t i = 0; i < count; i++) parts[i] = matches[i].figures;
        figures = graph_figures_sum(arena, parts, count);
        free(parts);
    }
    TallySeries *series = &tallying->tally->series[tallying->tally->count++];
    *series = (TallySeries){.reader = reader_number,
        .service = arena_text(arena, matches[0].node->name),
        .type = arena_text(arena, matches[0].node->type),
        .edge_to = matches[0].to ? arena_text(arena, matches[0].to->name) : NULL};
    series->value = xray_statistic_value(&reader->measure.statistic, &figures, &series->samples);
    if (!tallying->with_causes || !measure_breaches(&reader->measure, series->value)) return;
    if (xray_statistic_is_age(&reader->measure.statistic, &figures))
        series->measured = "event age: the edge is asynchronous and has no response times";
    add_cause(tallying, reader, &matches[0], series);
}

static void make_room(Tallying *tallying, size_t needed) {
    GraphTally *tally = tallying->tally;
    if (tally->count + needed <= tallying->room) return;
    const size_t room = 2 * (tally->count + needed);
    TallySeries *series = arena_alloc(tally->arena, room, sizeof *series);
    if (tally->count) memcpy(series, tally->series, tally->count * sizeof *series);
    tally->series = series;
    tallying->room = room;
}

static void tally_reader(Tallying *tallying, size_t number) {
    const GraphReader *reader = &tallying->query->readers[number];
    tallying->match_count = tallying->cause_count = 0;
    for (size_t n = 0; n < service_graph_node_count(tallying->graph); n++) match_node(tallying, reader, n);
    if (tallying->match_count) qsort(tallying->matches, tallying->match_count, sizeof(Match), match_order);
    size_t series = 0;
    for (size_t first = 0, end; first < tallying->match_count; first = end) {
        for (end = first + 1; end < tallying->match_count; end++)
            if (match_order(&tallying->matches[first], &tallying->matches[end]) != 0) break;
        if (series++ >= XRAY_SERIES_MAX) {
            tallying->tally->beyond++;
            continue;
        }
        make_room(tallying, 1);
        tally_series(tallying, number, tallying->matches + first, end - first);
    }
    tallying->causes = cause_map_free(tallying->causes);
}

GraphTally *graph_tally(const GraphQuery *query, const ServiceGraph *graph, bool with_causes) {
    const size_t nodes = service_graph_node_count(graph), edges = service_graph_edge_count(graph);
    Arena *arena = arena_new();
    GraphTally *tally = arena_alloc(arena, 1, sizeof *tally);
    tally->arena = arena;
    Tallying tallying = {.query = query, .graph = graph, .tally = tally, .with_causes = with_causes};
    tallying.matches = alloc_zeroed((nodes > edges ? nodes : edges) + 1, sizeof *tallying.matches);
    for (size_t i = 0; i < query->reader_count; i++) tally_reader(&tallying, i);
    free(tallying.matches);
    return tally;
}

GraphTally *graph_tally_free(GraphTally *tally) {
    if (tally) arena_free(tally->arena); /* the tally itself lives there */
    return NULL;
}
