#include "sources/xray_cause.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CAUSE_TEXT_MAX = 8 << 10 };

typedef struct Step {
    size_t node, next; /* next: of its neighbours, the one to look at */
} Step;

struct CauseMap {
    const ServiceGraph *graph;
    const GraphMeasure *measure;
    size_t count;
    double *values; /* of the nodes; NAN: no evidence */
    bool *breaching;
    size_t *caller_first, *callers; /* edges turned around: those to n are callers[caller_first[n] .. [n + 1]) */
    bool *back; /* of the edges: leads back to where the way into a cycle came from; not followed */
    /* of one search */
    size_t *depth; /* nodes on the longest way from here, this one included; 0: not looked at */
    size_t *next, *end; /* the way's next node, its last one */
    bool *on_way;
    Step *steps;
};

bool measure_breaches(const GraphMeasure *measure, double value) {
    const ThresholdRule rule = {.comparison = measure->comparison, .threshold = measure->threshold};
    return isfinite(value) && judge_breaches(&rule, value, STATE_OK);
}

bool measure_is_worse(const GraphMeasure *measure, double value, double than) {
    if (isnan(value) || isnan(than)) return !isnan(value);
    return measure->comparison == COMPARE_GT || measure->comparison == COMPARE_GE ? value > than : value < than;
}

/* --- the map --- */

static void turn_edges(CauseMap *map) {
    const size_t edges = service_graph_edge_count(map->graph);
    map->caller_first = alloc_zeroed(map->count + 2, sizeof *map->caller_first);
    map->callers = alloc_zeroed(edges + 1, sizeof *map->callers);
    size_t *filled = alloc_zeroed(map->count + 1, sizeof *filled);
    for (size_t i = 0; i < edges; i++) map->caller_first[service_graph_edge(map->graph, i)->to + 1]++;
    for (size_t n = 0; n < map->count; n++) map->caller_first[n + 1] += map->caller_first[n];
    for (size_t i = 0; i < edges; i++) {
        const GraphEdge *edge = service_graph_edge(map->graph, i);
        map->callers[map->caller_first[edge->to] + filled[edge->to]++] = i;
    }
    free(filled);
}

/* The `index`th edge that leaves a node, or that leads to it; GRAPH_NONE: there are no more. */
static size_t edge_at(const CauseMap *map, size_t node, bool down, size_t index) {
    if (!down) {
        const size_t at = map->caller_first[node] + index;
        return at < map->caller_first[node + 1] ? map->callers[at] : GRAPH_NONE;
    }
    const GraphNode *from = service_graph_node(map->graph, node);
    return index < from->edge_count ? from->edge_first + index : GRAPH_NONE;
}

static size_t end_of(const CauseMap *map, size_t edge, bool down) {
    return down ? service_graph_edge(map->graph, edge)->to : service_graph_edge(map->graph, edge)->from;
}

/* --- cycles --- */

/* Where do breaching nodes begin? 0: nobody who breaches calls it; 1: somebody else calls it, too; 2: anywhere. */
static bool begins(const CauseMap *map, size_t node, int pass) {
    bool is_called = false, is_entered = service_graph_node(map->graph, node)->is_root;
    for (size_t k = 0, edge; (edge = edge_at(map, node, false, k)) != GRAPH_NONE; k++) {
        const size_t from = end_of(map, edge, false);
        is_called = is_called || (from != node && map->breaching[from]);
        is_entered = is_entered || !map->breaching[from];
    }
    return pass == 2 || (pass == 1 ? is_entered : !is_called);
}

/* Follows breaching nodes from `start`; an edge onto the way itself leads back. `depth` marks what was looked at. */
static void mark_back_from(CauseMap *map, size_t start) {
    size_t used = 0;
    map->steps[used++] = (Step){start, 0};
    map->on_way[start] = true;
    map->depth[start] = 1;
    while (used) {
        Step *step = &map->steps[used - 1];
        const size_t edge = edge_at(map, step->node, true, step->next++);
        if (edge == GRAPH_NONE) {
            map->on_way[step->node] = false;
            used--;
            continue;
        }
        const size_t to = end_of(map, edge, true);
        map->back[edge] = map->on_way[to];
        if (map->depth[to] || !map->breaching[to]) continue;
        map->steps[used++] = (Step){to, 0};
        map->on_way[to] = true;
        map->depth[to] = 1;
    }
}

/* Without the edges that lead back all who breach in a cycle name one cause: the deepest from where it is entered. */
static void mark_back(CauseMap *map) {
    map->back = alloc_zeroed(service_graph_edge_count(map->graph) + 1, sizeof *map->back);
    for (int pass = 0; pass < 3; pass++)
        for (size_t n = 0; n < map->count; n++)
            if (map->breaching[n] && !map->depth[n] && begins(map, n, pass)) mark_back_from(map, n);
}

CauseMap *cause_map_new(const ServiceGraph *graph, const GraphMeasure *measure) {
    CauseMap *map = alloc_zeroed(1, sizeof *map);
    const size_t count = service_graph_node_count(graph);
    *map = (CauseMap){.graph = graph, .measure = measure, .count = count};
    map->values = alloc_zeroed(count + 1, sizeof *map->values);
    map->breaching = alloc_zeroed(count + 1, sizeof *map->breaching);
    map->depth = alloc_zeroed(count + 1, sizeof *map->depth);
    map->next = alloc_zeroed(count + 1, sizeof *map->next);
    map->end = alloc_zeroed(count + 1, sizeof *map->end);
    map->on_way = alloc_zeroed(count + 1, sizeof *map->on_way);
    map->steps = alloc_zeroed(count + 1, sizeof *map->steps);
    for (size_t n = 0; n < count; n++) {
        double samples;
        map->values[n] = xray_statistic_value(&measure->statistic, &service_graph_node(graph, n)->figures, &samples);
        map->breaching[n] = samples >= measure->samples_needed && measure_breaches(measure, map->values[n]);
    }
    turn_edges(map);
    mark_back(map);
    return map;
}

CauseMap *cause_map_free(CauseMap *map) {
    if (!map) return NULL;
    free(map->values);
    free(map->breaching);
    free(map->caller_first);
    free(map->callers);
    free(map->back);
    free(map->depth);
    free(map->next);
    free(map->end);
    free(map->on_way);
    free(map->steps);
    free(map);
    return NULL;
}

/* --- the longest way --- */

/* Is the way over `node` better than the best so far from `from`? */
static bool is_better(const CauseMap *map, size_t from, size_t node) {
    if (map->depth[node] + 1 != map->depth[from]) return map->depth[node] + 1 > map->depth[from];
    return measure_is_worse(map->measure, map->values[map->end[node]], map->values[map->end[from]]);
}

static void take_way(CauseMap *map, size_t from, size_t node) {
    if (map->next[from] != GRAPH_NONE && !is_better(map, from, node)) return;
    map->depth[from] = map->depth[node] + 1;
    map->next[from] = node;
    map->end[from] = map->end[node];
}

static void step_onto(CauseMap *map, size_t *used, size_t node) {
    map->steps[(*used)++] = (Step){node, 0};
    map->on_way[node] = true;
    map->depth[node] = 1;
    map->next[node] = GRAPH_NONE;
    map->end[node] = node;
}

/* Fills depth, next and end for `start` and what it reaches through breaching nodes. Each node is entered once, and no
 * edge that leads back is followed: linear in the edges. */
static void find_ways(CauseMap *map, size_t start, bool down) {
    size_t used = 0;
    memset(map->depth, 0, map->count * sizeof *map->depth);
    step_onto(map, &used, start);
    while (used) {
        Step *step = &map->steps[used - 1];
        const size_t node = step->node, edge = edge_at(map, node, down, step->next++);
        if (edge == GRAPH_NONE) {
            map->on_way[node] = false;
            if (--used) take_way(map, map->steps[used - 1].node, node);
            continue;
        }
        const size_t to = end_of(map, edge, down);
        if (map->back[edge] || !map->breaching[to] || map->on_way[to]) continue;
        if (map->depth[to])
            take_way(map, node, to);
        else
            step_onto(map, &used, to);
    }
}

/* --- words --- */

static void add_name(Buffer *out, const GraphNode *node) {
    const size_t length = strlen(node->name), shown = utf8_cut(node->name, length, CAUSE_NAME_MAX);
    buffer_format(out, "%.*s%s", (int)shown, node->name, shown < length ? "…" : "");
}

static void add_value(Buffer *out, const XrayStatistic *statistic, double value) {
    static const char *const rates[] = {"faults", "errors", "throttles", "ok"};
    if (xray_statistic_is_rate(statistic->kind))
        buffer_format(out, " %s %.3g %%", rates[statistic->kind], value);
    else if (xray_statistic_is_count(statistic->kind))
        buffer_format(out, " %s %.0f", xray_statistic_words[statistic->kind], value);
    else if (statistic->kind == XRAY_AVERAGE_RESPONSE_TIME)
        buffer_format(out, " average %.3g s", value);
    else
        buffer_format(out, " p%.10g %.3g s", (double)statistic->percentile_e10 / 1e10, value);
}

static const char *cause_words(const CauseMap *map, size_t root, Arena *arena) {
    Buffer out = BUFFER(CAUSE_TEXT_MAX);
    XrayStatistic plain = map->measure->statistic;
    double samples;
    plain.z = 0; /* people read the rate itself, not its bound */
    add_name(&out, service_graph_node(map->graph, root));
    add_value(&out, &plain, xray_statistic_value(&plain, &service_graph_node(map->graph, root)->figures, &samples));
    const char *text = arena_text(arena, buffer_string(&out));
    buffer_deinit(&out);
    return text;
}

static bool same_name(const CauseMap *map, size_t a, size_t b) {
    return strcmp(service_graph_node(map->graph, a)->name, service_graph_node(map->graph, b)->name) == 0;
}

/* The names on the way, neighbours of one name told once (a function and its service); the middle is left out of a long
 * one. NULL: one name alone is no path. */
static const char *path_words(const CauseMap *map, size_t *way, size_t length, const char *cause, Arena *arena) {
    size_t names = 0;
    for (size_t i = 0; i < length; i++)
        if (names == 0 || !same_name(map, way[names - 1], way[i])) way[names++] = way[i];
    if (names < 2) return NULL;
    Buffer out = BUFFER(CAUSE_TEXT_MAX);
    for (size_t i = 0; i < names; i++) {
        const bool hidden = names > CAUSE_PATH_NAMES && i >= CAUSE_PATH_NAMES / 2 && i < names - CAUSE_PATH_NAMES / 2;
        if (hidden && i > CAUSE_PATH_NAMES / 2) continue;
        if (i) buffer_text(&out, " → ");
        if (hidden)
            buffer_text(&out, "…");
        else
            add_name(&out, service_graph_node(map->graph, way[i]));
    }
    buffer_format(&out, ": %s", cause);
    const char *text = arena_text(arena, buffer_string(&out));
    buffer_deinit(&out);
    return text;
}

/* Everybody who breaches because of the root, the nearest first, and the clients who call them. */
static const char *affected_words(CauseMap *map, size_t root, Arena *arena) {
    size_t *queue = alloc_zeroed(map->count + 1, sizeof *queue), used = 0, shown = 0;
    Buffer out = BUFFER(CAUSE_TEXT_MAX);
    memset(map->on_way, 0, map->count * sizeof *map->on_way);
    map->on_way[root] = true;
    queue[used++] = root;
    for (size_t i = 0; i < used; i++) {
        const GraphNode *node = service_graph_node(map->graph, queue[i]);
        if (i && ++shown <= CAUSE_AFFECTED_NAMES) {
            if (shown > 1) buffer_text(&out, ", ");
            add_name(&out, node);
            if (node->is_client) buffer_text(&out, " (client)");
        }
        if (node->is_client) continue;
        for (size_t k = 0, edge; (edge = edge_at(map, queue[i], false, k)) != GRAPH_NONE; k++) {
            const size_t from = end_of(map, edge, false);
            if (map->on_way[from] || (!map->breaching[from] && !service_graph_node(map->graph, from)->is_client))
                continue;
            map->on_way[from] = true;
            queue[used++] = from;
        }
    }
    if (shown > CAUSE_AFFECTED_NAMES) buffer_format(&out, " and %zu more", shown - CAUSE_AFFECTED_NAMES);
    const char *text = shown ? arena_text(arena, buffer_string(&out)) : NULL;
    buffer_deinit(&out);
    memset(map->on_way, 0, map->count * sizeof *map->on_way);
    free(queue);
    return text;
}

/* The way through `node`, from the top to the root; `way` holds count + 1. A node that does not breach itself may stand
 * in a cycle of those that do: who is below it already is not above it as well. */
static size_t whole_way(CauseMap *map, size_t node, size_t *way) {
    size_t down = 0, above = 0, up = 0;
    size_t *below = alloc_zeroed(map->count + 1, sizeof *below);
    find_ways(map, node, true);
    for (size_t n = map->next[node]; n != GRAPH_NONE; n = map->next[n]) below[down++] = n;
    find_ways(map, node, false);
    for (size_t i = 0; i < down; i++) map->on_way[below[i]] = true;
    for (size_t n = node; n != GRAPH_NONE && !map->on_way[n]; n = map->next[n]) above++;
    for (size_t n = node; up < above; n = map->next[n]) way[above - 1 - up++] = n;
    for (size_t i = 0; i < down; i++) map->on_way[below[i]] = false;
    memcpy(way + above, below, down * sizeof *below);
    free(below);
    return above + down;
}

bool cause_find(CauseMap *map, size_t node, Arena *arena, GraphCause *ret_cause) {
    size_t *way = alloc_zeroed(map->count + 1, sizeof *way);
    const size_t length = whole_way(map, node, way), root = way[length - 1];
    GraphCause cause = {.root = root, .root_cause = cause_words(map, root, arena)};
    cause.path = path_words(map, way, length, cause.root_cause, arena);
    free(way);
    if (!cause.path) return false;
    cause.affected = affected_words(map, root, arena);
    *ret_cause = cause;
    return true;
}
