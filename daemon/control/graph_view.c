#include "control/graph_view.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/table.h"
#include "sources/xray_statistic.h"

#include <stdlib.h>
#include <string.h>

/* --- alarms by what they watch --- */

/* An instance on a node or an edge, copied: the pool must not look at the loop's. */
typedef struct Watched {
    char *key; /* `account region group service edge_to` */
    const char *name, *fingerprint, *type;
    AlarmState state;
    Severity severity;
    double value;
    struct Watched *next; /* on the same node or edge */
    UT_hash_handle hh; /* of the first there */
} Watched;

/* One answer on its way. */
typedef struct Viewing {
    uv_work_t work;
    Arena *arena; /* everything here, this struct too */
    Answer *answer;
    const ServiceGraph **graphs;
    size_t count;
    Watched *alarms, *by_key;
    size_t alarm_count;
    char *text;
} Viewing;

static char *watched_key(
    const char *account, const char *region, const char *group, const char *service, const char *edge_to) {
    return text_format("%s\n%s\n%s\n%s\n%s", account, region, group, service, edge_to);
}

static bool is_on(const ServiceGraph *graph, const Instance *instance) {
    return !strcmp(instance->account, service_graph_account(graph)) &&
        !strcmp(instance->region, service_graph_region(graph)) &&
        !strcmp(labels_get(instance->series, "xray_group"), service_graph_group(graph));
}

static void watched_add(Viewing *viewing, const Instance *instance) {
    const char *service = labels_get(instance->series, "service");
    size_t g = 0;
    if (strcmp(instance->source, "xray") != 0 || instance->gone || !*service) return;
    while (g < viewing->count && !is_on(viewing->graphs[g], instance)) g++;
    if (g == viewing->count) return;
    OWN(text)
    char *key = watched_key(instance->account, instance->region, labels_get(instance->series, "xray_group"), service,
        labels_get(instance->series, "edge_to"));
    viewing->alarms[viewing->alarm_count++] = (Watched){.key = arena_text(viewing->arena, key),
        .name = arena_text(viewing->arena, instance->name),
        .fingerprint = arena_text(viewing->arena, instance->fingerprint),
        .type = arena_text(viewing->arena, labels_get(instance->series, "service_type")),
        .state = instance->memory.state,
        .severity = instance->severity,
        .value = instance->facts.value};
}

static void watched_copy(Viewing *viewing, Instances *instances) {
    size_t count;
    Instance **all = instances_sorted(instances, &count);
    viewing->alarms = arena_alloc(viewing->arena, count + 1, sizeof *viewing->alarms);
    for (size_t i = 0; i < count; i++) watched_add(viewing, all[i]);
    free(all);
}

static void watched_index(Viewing *viewing) {
    for (size_t i = viewing->alarm_count; i-- > 0;) { /* backwards: each is put before those that are there */
        Watched *watched = &viewing->alarms[i];
        HASH_FIND_STR(viewing->by_key, watched->key, watched->next);
        if (watched->next) HASH_DEL(viewing->by_key, watched->next);
        HASH_ADD_KEYPTR(hh, viewing->by_key, watched->key, strlen(watched->key), watched);
    }
}

static json_t *alarm_json(const Watched *watched) {
    return json_pack("{s:o, s:s, s:s, s:o, s:s, s:o}", "name", json_safe(watched->name), "fingerprint",
        watched->fingerprint, "state", state_word(watched->state), "value", json_number(watched->value), "severity",
        severity_word(watched->severity), "service_type", json_safe(watched->type));
}

static int state_rank(AlarmState state) { return state == STATE_ALARM ? 2 : state == STATE_OK ? 1 : 0; }

/* Adds `alarms`, and as `alarm_state` the worst of them (null: nobody watches this). */
static void add_alarms(json_t *to, const Watched *all, const char *key, const char *type) {
    Watched *watched;
    HASH_FIND_STR(all, key, watched);
    json_t *alarms = json_array();
    const Watched *worst = NULL;
    for (; watched; watched = watched->next) {
        if (*watched->type && strcmp(watched->type, type) != 0) continue;
        json_array_append_new(alarms, alarm_json(watched));
        if (!worst || state_rank(watched->state) > state_rank(worst->state)) worst = watched;
    }
    json_object_set_new(to, "alarms", alarms);
    json_object_set_new(to, "alarm_state", worst ? json_string(state_word(worst->state)) : json_null());
}

/* --- nodes and edges --- */

static json_t *statistic_json(XrayStatisticKind kind, int64_t percent, const GraphFigures *figures) {
    const XrayStatistic statistic = {.kind = kind, .percentile_e10 = percent * 10000000000};
    double samples;
    return json_number(xray_statistic_value(&statistic, figures, &samples)); /* NAN is null */
}

static json_t *latency_json(const GraphFigures *figures) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "mean", statistic_json(XRAY_AVERAGE_RESPONSE_TIME, 0, figures), "p50",
        statistic_json(XRAY_PERCENTILE, 50, figures), "p90", statistic_json(XRAY_PERCENTILE, 90, figures), "p95",
        statistic_json(XRAY_PERCENTILE, 95, figures), "p99", statistic_json(XRAY_PERCENTILE, 99, figures));
}

static void add_figures(json_t *to, const GraphFigures *figures, int64_t window_s) {
    const bool measured = figures->has_counts && window_s > 0;
    json_object_set_new(to, "requests", measured ? json_integer(figures->total) : json_null());
    json_object_set_new(to, "requests_per_minute",
        measured ? json_number((double)figures->total * 60 / (double)window_s) : json_null());
    json_object_set_new(to, "ok_rate", statistic_json(XRAY_OK_RATE, 0, figures));
    json_object_set_new(to, "fault_rate", statistic_json(XRAY_FAULT_RATE, 0, figures));
    json_object_set_new(to, "error_rate", statistic_json(XRAY_ERROR_RATE, 0, figures));
    json_object_set_new(to, "throttle_rate", statistic_json(XRAY_THROTTLE_RATE, 0, figures));
    json_object_set_new(to, "latency", latency_json(figures)); /* seconds; of an asynchronous edge the events' age */
}

static json_t *names_json(const GraphNode *node) {
    json_t *names = json_array();
    for (size_t i = 0; i < node->name_count; i++) json_array_append_new(names, json_safe(node->names[i]));
    return names;
}

/* One graph on its way into the answer. */
typedef struct GraphOut {
    const ServiceGraph *graph;
    const Watched *watched;
    size_t first_id;
    json_t *nodes, *edges;
} GraphOut;

static void add_place(json_t *to, const GraphOut *out) {
    json_object_set_new(to, "account", json_safe(service_graph_account(out->graph)));
    json_object_set_new(to, "region", json_safe(service_graph_region(out->graph)));
    json_object_set_new(to, "group", json_safe(service_graph_group(out->graph)));
}

static void add_watched(json_t *to, const GraphOut *out, const GraphNode *node, const char *edge_to) {
    OWN(text)
    char *key = watched_key(service_graph_account(out->graph), service_graph_region(out->graph),
        service_graph_group(out->graph), node->name, edge_to);
    add_alarms(to, out->watched, key, node->type);
}

static int64_t window_s(const ServiceGraph *graph) { return service_graph_end_s(graph) - service_graph_start_s(graph); }

static void add_node(const GraphOut *out, size_t index) {
    const GraphNode *node = service_graph_node(out->graph, index);
    json_t *json = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "id", (json_int_t)(out->first_id + index),
        "name", json_safe(node->name), "names", names_json(node), "type", json_safe(node->type), "account_id",
        json_safe(node->account_id), "state", json_safe(node->state), "root", node->is_root, "client", node->is_client);
    add_place(json, out);
    add_figures(json, &node->figures, window_s(out->graph));
    add_watched(json, out, node, "");
    json_array_append_new(out->nodes, json);
}

static void add_edge(const GraphOut *out, size_t index) {
    const GraphEdge *edge = service_graph_edge(out->graph, index);
    const GraphNode *from = service_graph_node(out->graph, edge->from), *to = service_graph_node(out->graph, edge->to);
    json_t *json = json_pack("{s:o, s:o, s:I, s:I, s:b}", "from", json_safe(from->name), "to", json_safe(to->name),
        "from_id", (json_int_t)(out->first_id + edge->from), "to_id", (json_int_t)(out->first_id + edge->to),
        "asynchronous", edge->is_link);
    add_place(json, out);
    add_figures(json, &edge->figures, window_s(out->graph));
    add_watched(json, out, from, to->name);
    json_array_append_new(out->edges, json);
}

static json_t *window_json(const ServiceGraph *graph, bool is_shown) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b}", "account", json_safe(service_graph_account(graph)),
        "region", json_safe(service_graph_region(graph)), "group", json_safe(service_graph_group(graph)), "start",
        json_time(service_graph_start_s(graph) * 1000), "end", json_time(service_graph_end_s(graph) * 1000), "nodes",
        (json_int_t)service_graph_node_count(graph), "edges", (json_int_t)service_graph_edge_count(graph), "shown",
        is_shown);
}

/* --- which graphs --- */

static bool fits(const char *wanted, const char *is) { return !wanted || !strcmp(wanted, is); }

static bool is_chosen(const ServiceGraph *graph, const GraphChoice *choice) {
    return fits(choice->account, service_graph_account(graph)) && fits(choice->region, service_graph_region(graph)) &&
        fits(choice->group, service_graph_group(graph));
}

static bool same_place(const ServiceGraph *a, const ServiceGraph *b) {
    return !strcmp(service_graph_account(a), service_graph_account(b)) &&
        !strcmp(service_graph_region(a), service_graph_region(b)) &&
        !strcmp(service_graph_group(a), service_graph_group(b));
}

/* Of several polls of one group the newest window, then the shortest. */
static bool is_better(const ServiceGraph *graph, const ServiceGraph *than) {
    if (service_graph_end_s(graph) != service_graph_end_s(than))
        return service_graph_end_s(graph) > service_graph_end_s(than);
    return window_s(graph) < window_s(than);
}

static size_t choose(Engine *engine, const GraphChoice *choice, const ServiceGraph ***ret_graphs) {
    const ServiceGraph **graphs = NULL;
    size_t count = 0;
    const Poll *poll;
    for (size_t i = 0;; i++) {
        const ServiceGraph *graph = engine_kept(engine, i, &poll);
        if (!poll) break;
        if (!graph || strcmp(poll->api, "GetServiceGraph") != 0 || !is_chosen(graph, choice)) continue;
        size_t at = 0;
        while (at < count && !same_place(graphs[at], graph)) at++;
        if (at < count && !is_better(graph, graphs[at])) continue;
        if (at == count) graphs = alloc_again(graphs, ++count, sizeof *graphs);
        graphs[at] = graph;
    }
    *ret_graphs = graphs;
    return count;
}

/* --- the answer --- */

static json_t *graphs_json(const Viewing *viewing) {
    json_t *windows = json_array(), *nodes = json_array(), *edges = json_array();
    for (size_t g = 0; g < viewing->count; g++) {
        const ServiceGraph *graph = viewing->graphs[g];
        const GraphOut out = {graph, viewing->by_key, json_array_size(nodes), nodes, edges};
        const size_t node_count = service_graph_node_count(graph), edge_count = service_graph_edge_count(graph);
        const bool is_shown = out.first_id + json_array_size(edges) + node_count + edge_count <= GRAPH_VIEW_PARTS;
        json_array_append_new(windows, window_json(graph, is_shown));
        for (size_t i = 0; is_shown && i < node_count; i++) add_node(&out, i);
        for (size_t i = 0; is_shown && i < edge_count; i++) add_edge(&out, i);
    }
    return json_pack("{s:o, s:o, s:o}", "windows", windows, "nodes", nodes, "edges", edges);
}

static void view_work(uv_work_t *work) {
    Viewing *viewing = work->data;
    watched_index(viewing);
    OWN(json) json_t *graphs = graphs_json(viewing);
    viewing->text = json_write(graphs);
    HASH_CLEAR(hh, viewing->by_key); /* the entries lie in the arena */
}

static void view_done(uv_work_t *work, int status) {
    Viewing *viewing = work->data;
    (void)status;
    if (viewing->text)
        answer_text(viewing->answer, 200, "application/json", viewing->text);
    else
        answer_error(viewing->answer, 500, "internal", "the answer could not be written");
    for (size_t g = 0; g < viewing->count; g++) service_graph_free((ServiceGraph *)(uintptr_t)viewing->graphs[g]);
    free(viewing->graphs);
    arena_free(viewing->arena); /* the viewing itself lives there */
}

void view_graphs(Engine *engine, const GraphChoice *choice, Answer *take_answer) {
    Arena *arena = arena_new();
    Viewing *viewing = arena_alloc(arena, 1, sizeof *viewing);
    *viewing = (Viewing){.arena = arena, .answer = take_answer, .work.data = viewing};
    viewing->count = choose(engine, choice, &viewing->graphs);
    for (size_t g = 0; g < viewing->count; g++) service_graph_ref(viewing->graphs[g]);
    if (viewing->count == 0) { /* next to no work */
        view_work(&viewing->work);
        view_done(&viewing->work, 0);
        return;
    }
    watched_copy(viewing, engine_instances(engine));
    uv_queue_work(engine_loop(engine), &viewing->work, view_work, view_done);
}
