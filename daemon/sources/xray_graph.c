#include "sources/xray_graph.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/labels.h"
#include "base/table.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_TEXT_MAX = 64 };

const char *const graph_skip_words[GRAPH_SKIPS] = {
    [GRAPH_SKIP_NAME] = "name",
    [GRAPH_SKIP_REPEATED] = "repeated",
    [GRAPH_SKIP_REFERENCE] = "reference",
    [GRAPH_SKIP_COUNTS] = "counts",
    [GRAPH_SKIP_HISTOGRAM] = "histogram",
    [GRAPH_SKIP_NODES] = "nodes",
    [GRAPH_SKIP_EDGES] = "edges",
};

/* A service as an answer has it: its edges still name ReferenceIds. */
typedef struct RawNode {
    UT_hash_handle hh; /* by reference */
    int64_t reference;
    GraphNode node;
    size_t order; /* in the answer */
    size_t number; /* once the nodes are sorted and joined */
} RawNode;

typedef struct RawEdge {
    RawNode *from;
    int64_t to;
    bool is_link;
    GraphFigures figures;
} RawEdge;

struct GraphPages {
    Arena *arena;
    RawNode **nodes;
    RawNode *by_reference;
    RawEdge *edges;
    size_t node_count, node_room, edge_count, edge_room;
    size_t skipped[GRAPH_SKIPS];
    bool partial;
};

struct ServiceGraph {
    Arena *arena; /* the pages'; everything here, this struct too */
    unsigned refs;
    GraphNode *nodes;
    GraphEdge *edges;
    size_t node_count, edge_count;
    size_t skipped[GRAPH_SKIPS];
    const char *account, *region, *group;
    int64_t start_s, end_s;
};

/* --- figures --- */

/* A count under `key`: absent is `absent`. False: it is there and cannot be one. */
static bool count_read(const json_t *object, const char *key, int64_t absent, int64_t *ret_count) {
    int64_t count;
    if (!json_object_get(object, key)) {
        *ret_count = absent;
        return true;
    }
    if (!json_whole(object, key, &count) || count < 0 || count > GRAPH_COUNT_MAX) return false;
    *ret_count = count;
    return true;
}

static bool seconds_read(const json_t *object, const char *key, double *ret_seconds) {
    *ret_seconds = NAN;
    if (!json_object_get(object, key)) return true;
    return json_double(object, key, ret_seconds) && *ret_seconds >= 0 && *ret_seconds <= GRAPH_SECONDS_MAX;
}

static bool counts_read(const json_t *summary, GraphFigures *figures) {
    const json_t *errors = json_map(summary, "ErrorStatistics"), *faults = json_map(summary, "FaultStatistics");
    GraphFigures got = *figures;
    if (!json_object_get(summary, "TotalCount")) return true; /* nothing was measured */
    if (!count_read(summary, "TotalCount", 0, &got.total) || !count_read(summary, "OkCount", -1, &got.ok) ||
        !count_read(errors, "TotalCount", 0, &got.error) || !count_read(errors, "ThrottleCount", 0, &got.throttle) ||
        !count_read(faults, "TotalCount", 0, &got.fault) || !seconds_read(summary, "TotalResponseTime", &got.seconds))
        return false;
    got.has_counts = true;
    *figures = got;
    return true;
}

static int by_value(const void *left, const void *right) {
    const HistogramEntry *a = left, *b = right;
    return (a->value > b->value) - (a->value < b->value);
}

static int64_t count_sum(int64_t a, int64_t b) {
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* Sorts and joins `count` entries in place. */
static Histogram histogram_of(HistogramEntry *entries, size_t count) {
    Histogram histogram = {.entries = entries};
    if (count > 1) qsort(entries, count, sizeof *entries, by_value);
    for (size_t i = 0; i < count; i++) {
        histogram.total = count_sum(histogram.total, entries[i].count);
        if (histogram.length && entries[histogram.length - 1].value == entries[i].value)
            entries[histogram.length - 1].count = count_sum(entries[histogram.length - 1].count, entries[i].count);
        else
            entries[histogram.length++] = entries[i];
    }
    return histogram;
}

/* False: it cannot be believed, as a whole: a percentile over half of it would be wrong. */
static bool histogram_read(Arena *arena, const json_t *list, Histogram *ret_histogram) {
    const size_t length = json_array_size(list);
    if (!list || length == 0) return true;
    if (length > GRAPH_HISTOGRAM_MAX) return false;
    HistogramEntry *entries = arena_alloc(arena, length, sizeof *entries);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        const json_t *item = json_array_get(list, i);
        double value;
        int64_t count;
        if (!json_double(item, "Value", &value) || !(value >= 0 && value <= GRAPH_SECONDS_MAX)) return false;
        if (!json_object_get(item, "Count") || !count_read(item, "Count", 0, &count)) return false;
        if (count > 0) entries[used++] = (HistogramEntry){value, count};
    }
    *ret_histogram = histogram_of(entries, used);
    return true;
}

static GraphFigures figures_read(GraphPages *pages, const json_t *object) {
    GraphFigures figures = {.ok = -1, .seconds = NAN};
    if (!counts_read(json_map(object, "SummaryStatistics"), &figures)) pages->skipped[GRAPH_SKIP_COUNTS]++;
    if (!histogram_read(pages->arena, json_list(object, "ResponseTimeHistogram"), &figures.response))
        pages->skipped[GRAPH_SKIP_HISTOGRAM]++;
    if (!histogram_read(pages->arena, json_list(object, "ReceivedEventAgeHistogram"), &figures.age))
        pages->skipped[GRAPH_SKIP_HISTOGRAM]++;
    return figures;
}

static Histogram histogram_sum(
    Arena *arena, const GraphFigures *const *parts, size_t count, const Histogram *(*of)(const GraphFigures *)) {
    size_t length = 0, used = 0;
    for (size_t i = 0; i < count; i++) length += of(parts[i])->length;
    if (length == 0) return (Histogram){0};
    HistogramEntry *entries = arena_alloc(arena, length, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        const Histogram *part = of(parts[i]);
        if (part->length) memcpy(entries + used, part->entries, part->length * sizeof *entries);
        used += part->length;
    }
    return histogram_of(entries, used);
}

static const Histogram *response_of(const GraphFigures *figures) { return &figures->response; }
static const Histogram *age_of(const GraphFigures *figures) { return &figures->age; }

GraphFigures graph_figures_sum(Arena *arena, const GraphFigures *const *parts, size_t count) {
    GraphFigures sum = {.seconds = 0};
    for (size_t i = 0; i < count; i++) {
        const GraphFigures *part = parts[i];
        if (!part->has_counts) continue;
        sum.has_counts = true;
        sum.total = count_sum(sum.total, part->total);
        sum.ok = sum.ok < 0 || part->ok < 0 ? -1 : count_sum(sum.ok, part->ok);
        sum.error = count_sum(sum.error, part->error);
        sum.throttle = count_sum(sum.throttle, part->throttle);
        sum.fault = count_sum(sum.fault, part->fault);
        sum.seconds += part->seconds; /* NAN stays: what one did not say makes the sum unknown */
    }
    if (!sum.has_counts) sum.ok = -1, sum.seconds = NAN;
    sum.response = histogram_sum(arena, parts, count, response_of);
    sum.age = histogram_sum(arena, parts, count, age_of);
    return sum;
}

/* --- pages --- */

GraphPages *graph_pages_new(void) {
    GraphPages *pages = alloc_zeroed(1, sizeof *pages);
    pages->arena = arena_new();
    return pages;
}

GraphPages *graph_pages_free(GraphPages *pages) {
    if (!pages) return NULL;
    HASH_CLEAR(hh, pages->by_reference); /* the entries lie in the arena */
    free(pages->nodes);
    free(pages->edges);
    arena_free(pages->arena);
    free(pages);
    return NULL;
}

bool graph_pages_are_partial(const GraphPages *pages) { return pages->partial; }

/* A text of the answer, cut to a bound; "" where there is none. */
static const char *text_read(Arena *arena, const json_t *object, const char *key, size_t max) {
    const char *text = json_text(object, key);
    return text ? arena_text_length(arena, text, utf8_cut(text, strlen(text), max)) : "";
}

static void names_read(Arena *arena, const json_t *service, GraphNode *node) {
    const json_t *list = json_list(service, "Names");
    const size_t count = json_array_size(list) < GRAPH_NAMES_MAX ? json_array_size(list) : GRAPH_NAMES_MAX;
    if (count == 0) return;
    const char **names = arena_alloc(arena, count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name || !*name || strcmp(name, node->name) == 0) continue;
        names[node->name_count++] = arena_text_length(arena, name, utf8_cut(name, strlen(name), LABEL_VALUE_MAX));
    }
    node->names = names;
}

static RawNode *node_add(GraphPages *pages, const json_t *service) {
    const char *name = json_text(service, "Name");
    int64_t reference;
    const bool has_reference = json_whole(service, "ReferenceId", &reference);
    RawNode *raw = NULL;
    if (!name || !*name) return pages->skipped[GRAPH_SKIP_NAME]++, NULL;
    if (has_reference) HASH_FIND(hh, pages->by_reference, &reference, sizeof reference, raw);
    if (raw) { /* once more: its figures would count twice, and its edges are new or told apart later */
        pages->skipped[GRAPH_SKIP_REPEATED]++;
        return strcmp(raw->node.name, name) == 0 ? raw : NULL;
    }
    if (pages->node_count == GRAPH_NODES_MAX) return pages->skipped[GRAPH_SKIP_NODES]++, NULL;
    if (pages->node_count == pages->node_room) {
        pages->node_room = pages->node_room ? 2 * pages->node_room : 64;
        pages->nodes = alloc_again(pages->nodes, pages->node_room, sizeof(RawNode *));
    }
    raw = arena_alloc(pages->arena, 1, sizeof *raw);
    raw->order = pages->node_count;
    pages->nodes[pages->node_count++] = raw;
    raw->node.name = text_read(pages->arena, service, "Name", LABEL_VALUE_MAX);
    raw->node.type = text_read(pages->arena, service, "Type", LABEL_VALUE_MAX);
    raw->node.account_id = text_read(pages->arena, service, "AccountId", STATE_TEXT_MAX);
    raw->node.state = text_read(pages->arena, service, "State", STATE_TEXT_MAX);
    raw->node.is_root = json_flag(service, "Root", false);
    raw->node.is_client = strcmp(raw->node.type, "client") == 0;
    names_read(pages->arena, service, &raw->node);
    raw->node.figures = figures_read(pages, service);
    if (!has_reference) return raw; /* nobody can name it */
    raw->reference = reference;
    HASH_ADD(hh, pages->by_reference, reference, sizeof raw->reference, raw);
    return raw;
}

static void edge_add(GraphPages *pages, RawNode *from, const json_t *edge) {
    int64_t to;
    if (pages->edge_count == GRAPH_EDGES_MAX) {
        pages->skipped[GRAPH_SKIP_EDGES]++;
        return;
    }
    if (!json_whole(edge, "ReferenceId", &to)) {
        pages->skipped[GRAPH_SKIP_REFERENCE]++;
        return;
    }
    if (pages->edge_count == pages->edge_room) {
        pages->edge_room = pages->edge_room ? 2 * pages->edge_room : 128;
        pages->edges = alloc_again(pages->edges, pages->edge_room, sizeof *pages->edges);
    }
    const char *type = json_text(edge, "EdgeType");
    pages->edges[pages->edge_count++] = (RawEdge){
        .from = from, .to = to, .is_link = type && strcmp(type, "link") == 0, .figures = figures_read(pages, edge)};
}

bool graph_pages_add(GraphPages *pages, const char *body, size_t length, const char **ret_token, Error *err) {
    Error why = {0};
    OWN(json) json_t *answer = json_read_foreign(body, length, &why);
    if (!answer) return error_set(err, ERROR_REMOTE, "the answer of GetServiceGraph is no JSON: %.300s", why.text);
    const json_t *services = json_list(answer, "Services");
    if (!services) return error_set(err, ERROR_REMOTE, "the answer of GetServiceGraph has no Services");
    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        RawNode *node = node_add(pages, service);
        const json_t *edges = node ? json_list(service, "Edges") : NULL;
        for (size_t k = 0; k < json_array_size(edges); k++) edge_add(pages, node, json_array_get(edges, k));
    }
    if (json_flag(answer, "ContainsOldGroupVersions", false)) pages->partial = true;
    const char *token = json_text(answer, "NextToken");
    *ret_token = token && *token ? arena_text(pages->arena, token) : NULL;
    return true;
}

/* --- joining --- */

static int node_order(const GraphNode *a, const GraphNode *b) {
    int order = strcmp(a->name, b->name);
    if (order == 0) order = strcmp(a->type, b->type);
    return order ? order : strcmp(a->account_id, b->account_id);
}

static int raw_node_order(const void *left, const void *right) {
    return node_order(&(*(RawNode *const *)left)->node, &(*(RawNode *const *)right)->node);
}

/* Nodes [first, end) of the sorted ones are the same: one, with the figures of all. */
static void node_join(ServiceGraph *graph, RawNode **nodes, size_t first, size_t end) {
    GraphNode *node = &graph->nodes[graph->node_count];
    *node = nodes[first]->node;
    if (end - first > 1) {
        const GraphFigures **parts = alloc_zeroed(end - first, sizeof *parts);
        for (size_t i = first; i < end; i++) {
            parts[i - first] = &nodes[i]->node.figures;
            node->is_root = node->is_root || nodes[i]->node.is_root;
        }
        node->figures = graph_figures_sum(graph->arena, parts, end - first);
        free(parts);
    }
    for (size_t i = first; i < end; i++) nodes[i]->number = graph->node_count;
    graph->node_count++;
}

static void nodes_join(ServiceGraph *graph, GraphPages *pages) {
    graph->nodes = arena_alloc(graph->arena, pages->node_count + 1, sizeof *graph->nodes);
    if (pages->node_count) qsort(pages->nodes, pages->node_count, sizeof(RawNode *), raw_node_order);
    for (size_t first = 0, end; first < pages->node_count; first = end) {
        for (end = first + 1; end < pages->node_count; end++)
            if (node_order(&pages->nodes[first]->node, &pages->nodes[end]->node) != 0) break;
        node_join(graph, pages->nodes, first, end);
    }
}

static int edge_order(const void *left, const void *right) {
    const GraphEdge *a = left, *b = right;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    return (a->to > b->to) - (a->to < b->to);
}

static int raw_edge_order(const void *left, const void *right) {
    const RawEdge *a = left, *b = right;
    if (a->from != b->from) return a->from->order < b->from->order ? -1 : 1;
    if (a->to != b->to) return a->to < b->to ? -1 : 1;
    return a->is_link - b->is_link;
}

/* An edge that a record of the same service names again is the same one, not more traffic. */
static void edges_once(GraphPages *pages) {
    size_t kept = 0;
    if (pages->edge_count == 0) return;
    qsort(pages->edges, pages->edge_count, sizeof *pages->edges, raw_edge_order);
    for (size_t i = 1; i < pages->edge_count; i++) {
        if (raw_edge_order(&pages->edges[kept], &pages->edges[i]) == 0)
            pages->skipped[GRAPH_SKIP_REPEATED]++;
        else
            pages->edges[++kept] = pages->edges[i];
    }
    pages->edge_count = kept + 1;
}

static size_t edges_resolve(GraphPages *pages, GraphEdge *edges) {
    size_t count = 0;
    edges_once(pages);
    for (size_t i = 0; i < pages->edge_count; i++) {
        const RawEdge *raw = &pages->edges[i];
        RawNode *to = NULL;
        HASH_FIND(hh, pages->by_reference, &raw->to, sizeof raw->to, to);
        if (to)
            edges[count++] = (GraphEdge){raw->from->number, to->number, raw->is_link, raw->figures};
        else
            pages->skipped[GRAPH_SKIP_REFERENCE]++;
    }
    if (count) qsort(edges, count, sizeof *edges, edge_order);
    return count;
}

static void edge_join(ServiceGraph *graph, const GraphEdge *edges, size_t count) {
    GraphEdge *edge = &graph->edges[graph->edge_count++];
    *edge = edges[0];
    if (count == 1) return;
    const GraphFigures **parts = alloc_zeroed(count, sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        parts[i] = &edges[i].figures;
        edge->is_link = edge->is_link && edges[i].is_link;
    }
    edge->figures = graph_figures_sum(graph->arena, parts, count);
    free(parts);
}

static void edges_join(ServiceGraph *graph, GraphPages *pages) {
    GraphEdge *edges = alloc_zeroed(pages->edge_count + 1, sizeof *edges);
    const size_t count = edges_resolve(pages, edges);
    graph->edges = arena_alloc(graph->arena, count + 1, sizeof *graph->edges);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count; end++)
            if (edge_order(&edges[first], &edges[end]) != 0) break;
        GraphNode *from = &graph->nodes[edges[first].from];
        if (from->edge_count++ == 0) from->edge_first = graph->edge_count;
        edge_join(graph, &edges[first], end - first);
    }
    free(edges);
}

ServiceGraph *service_graph_new(GraphPages *take_pages, const char *account, const char *region, const char *group,
    int64_t start_s, int64_t end_s) {
    Arena *arena = take_pages->arena;
    ServiceGraph *graph = arena_alloc(arena, 1, sizeof *graph);
    *graph = (ServiceGraph){.arena = arena,
        .refs = 1,
        .account = arena_text(arena, account),
        .region = arena_text(arena, region),
        .group = arena_text(arena, group ? group : ""),
        .start_s = start_s,
        .end_s = end_s};
    nodes_join(graph, take_pages);
    edges_join(graph, take_pages);
    memcpy(graph->skipped, take_pages->skipped, sizeof graph->skipped);
    take_pages->arena = NULL; /* the graph's now */
    graph_pages_free(take_pages);
    return graph;
}

const ServiceGraph *service_graph_ref(const ServiceGraph *graph) {
    ((ServiceGraph *)(uintptr_t)graph)->refs++;
    return graph;
}

ServiceGraph *service_graph_free(ServiceGraph *graph) {
    if (graph && --graph->refs == 0) arena_free(graph->arena); /* the graph itself lives there */
    return NULL;
}

size_t service_graph_node_count(const ServiceGraph *graph) { return graph->node_count; }
const GraphNode *service_graph_node(const ServiceGraph *graph, size_t index) { return &graph->nodes[index]; }
size_t service_graph_edge_count(const ServiceGraph *graph) { return graph->edge_count; }
const GraphEdge *service_graph_edge(const ServiceGraph *graph, size_t index) { return &graph->edges[index]; }
size_t service_graph_skipped(const ServiceGraph *graph, GraphSkip why) { return graph->skipped[why]; }
const char *service_graph_account(const ServiceGraph *graph) { return graph->account; }
const char *service_graph_region(const ServiceGraph *graph) { return graph->region; }
const char *service_graph_group(const ServiceGraph *graph) { return graph->group; }
int64_t service_graph_start_s(const ServiceGraph *graph) { return graph->start_s; }
int64_t service_graph_end_s(const ServiceGraph *graph) { return graph->end_s; }
