/* Where a failure comes from, on graphs that a person can draw. */
#include "sources/xray_cause.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

enum { CHAIN = 40 };

/* Nodes as `name=faults of 100`, blanks between (`name` alone: a client); edges as `from>to`. */
static ServiceGraph *draw(const char *nodes, const char *edges) {
    char names[64][32] = {{0}};
    int faults[64], count = 0, used;
    Buffer body = BUFFER(1 << 20);
    buffer_text(&body, "{\"Services\":[");
    for (const char *p = nodes; sscanf(p, " %31[^= ]%n", names[count], &used) == 1; count++) {
        p += used;
        faults[count] = -1;
        if (*p == '=') p += sscanf(p, "=%d%n", &faults[count], &used) == 1 ? used : 1;
        buffer_format(&body, "%s{\"ReferenceId\":%d,\"Name\":\"%s\",\"Type\":\"%s\"", count ? "," : "", count,
            names[count], faults[count] < 0 ? "client" : "T");
        if (faults[count] >= 0)
            buffer_format(&body,
                ",\"SummaryStatistics\":{\"TotalCount\":100,\"FaultStatistics\":{\"TotalCount\":%d},"
                "\"TotalResponseTime\":%d},"
                "\"ResponseTimeHistogram\":[{\"Value\":%d.25,\"Count\":9}]",
                faults[count], faults[count] * 100, faults[count]);
        buffer_text(&body, ",\"Edges\":[");
        char from[32], to[32];
        bool first = true;
        for (const char *e = edges; sscanf(e, " %31[^> ]>%31[^ ]%n", from, to, &used) == 2; e += used) {
            if (strcmp(from, names[count]) != 0) continue;
            for (int n = 0; n < 64; n++) { /* nodes of edges are looked up by their place in `nodes` */
                char name[32];
                const char *q = nodes;
                int skip, length;
                for (skip = 0; sscanf(q, " %31[^= ]%n", name, &length) == 1; skip++) {
                    q += length;
                    q += strcspn(q, " ");
                    if (skip == n) break;
                }
                if (skip != n || strcmp(name, to) != 0) continue;
                buffer_format(&body, "%s{\"ReferenceId\":%d}", first ? "" : ",", n);
                first = false;
                break;
            }
        }
        buffer_text(&body, "]}");
    }
    buffer_text(&body, "]}");
    GraphPages *pages = graph_pages_new();
    Error err = {0};
    const char *token;
    ck_assert_msg(graph_pages_add(pages, body.bytes, body.used, &token, &err), "%s: %s", err.text, body.bytes);
    buffer_deinit(&body);
    return service_graph_new(pages, "a", "r", NULL, 0, 60);
}

static size_t number_of(const ServiceGraph *graph, const char *name) {
    for (size_t i = 0; i < service_graph_node_count(graph); i++)
        if (strcmp(service_graph_node(graph, i)->name, name) == 0 && !service_graph_node(graph, i)->is_client) return i;
    ck_abort_msg("no node %s", name);
}

static const struct Case {
    const char *nodes, *edges, *series, *statistic;
    double threshold;
    const char *root_cause, *path, *affected; /* root_cause NULL: alone */
} cases[] = {
    {"front=50 pay=38", "front>pay", "front", "fault_rate", 5, "pay faults 38 %", "front → pay: pay faults 38 %",
        "front"},
    {"front=50 pay=38", "front>pay", "pay", "fault_rate", 5, "pay faults 38 %", "front → pay: pay faults 38 %",
        "front"},
    {"front=50 pay=2", "front>pay", "front", "fault_rate", 5, NULL, NULL, NULL},
    {"front=2 pay=50", "front>pay", "pay", "fault_rate", 5, NULL, NULL, NULL},
    {"front=9 pay=9", "", "pay", "fault_rate", 5, NULL, NULL, NULL},
    /* the middle one does not breach: what is behind it is another failure */
    {"a=9 b=1 c=9", "a>b b>c", "a", "fault_rate", 5, NULL, NULL, NULL},
    {"web front=9 check=8 pay=38 db=1", "web>front front>check check>pay pay>db", "check", "fault_rate", 5,
        "pay faults 38 %", "front → check → pay: pay faults 38 %", "check, front, web (client)"},
    /* the longer way wins over the worse value, the worse value among equal ways */
    {"a=9 b=99 c=9 d=9", "a>b a>c c>d", "a", "fault_rate", 5, "d faults 9 %", "a → c → d: d faults 9 %", "c, a"},
    {"a=9 b=10 c=20", "a>b a>c", "a", "fault_rate", 5, "c faults 20 %", "a → c: c faults 20 %", "a"},
    /* cycles, a loop */
    {"a=9 b=10", "a>b b>a", "a", "fault_rate", 5, "b faults 10 %", "a → b: b faults 10 %", "a"},
    /* all in a cycle name one cause: the deepest from where it is entered, or from its first where nobody enters */
    {"a=9 b=10 c=11", "a>b b>c c>a", "b", "fault_rate", 5, "c faults 11 %", "a → b → c: c faults 11 %", "b, a"},
    {"a=9 b=10 c=11", "a>b b>c c>a", "a", "fault_rate", 5, "c faults 11 %", "a → b → c: c faults 11 %", "b, a"},
    {"web=9 a=9 b=10 c=11", "web>c a>b b>c c>a", "b", "fault_rate", 5, "b faults 10 %",
        "web → c → a → b: b faults 10 %", "a, c, web"},
    {"web=9 a=9 b=10 c=11", "web>c a>b b>c c>a", "c", "fault_rate", 5, "b faults 10 %",
        "web → c → a → b: b faults 10 %", "a, c, web"},
    {"web=0 a=9 b=10", "web>b a>b b>a", "a", "fault_rate", 5, "a faults 9 %", "b → a: a faults 9 %", "b"},
    /* a cycle through one that does not breach: each stands on the way once */
    {"a=1 b=9 c=10", "a>b b>c c>a", "a", "fault_rate", 5, "c faults 10 %", "a → b → c: c faults 10 %", "b"},
    {"a=9", "a>a", "a", "fault_rate", 5, NULL, NULL, NULL},
    {"front=9 pay=3", "front>pay", "front", "p99", 3, "pay p99 3.25 s", "front → pay: pay p99 3.25 s", "front"},
    {"front=9 pay=3", "front>pay", "front", "average_response_time", 2, "pay average 3 s",
        "front → pay: pay average 3 s", "front"},
    {"front=9 pay=7", "front>pay", "front", "fault_count", 5, "pay fault_count 7", "front → pay: pay fault_count 7",
        "front"},
};

START_TEST(causes) {
    const struct Case *c = &cases[_i];
    OWN(service_graph) ServiceGraph *graph = draw(c->nodes, c->edges);
    GraphMeasure measure = {.comparison = COMPARE_GT, .threshold = c->threshold, .samples_needed = 5};
    ck_assert(xray_statistic_parse(c->statistic, &measure.statistic));
    OWN(cause_map) CauseMap *map = cause_map_new(graph, &measure);
    OWN(arena) Arena *arena = arena_new();
    GraphCause got = {0};
    for (int turn = 0; turn < 2; turn++) { /* a search leaves nothing behind for the next */
        const bool found = cause_find(map, number_of(graph, c->series), arena, &got);
        ck_assert_msg(found == (c->root_cause != NULL), "%s %s: %s", c->nodes, c->edges, got.path);
        if (!found) continue;
        ck_assert_str_eq(got.root_cause, c->root_cause);
        ck_assert_str_eq(got.path, c->path);
        ck_assert_str_eq(got.affected, c->affected);
    }
}
END_TEST

/* Few requests are no evidence, whatever their share. */
START_TEST(neighbours_with_few_requests) {
    OWN(service_graph) ServiceGraph *graph = draw("front=50 pay=38", "front>pay");
    GraphMeasure measure = {.comparison = COMPARE_GT, .threshold = 5, .samples_needed = 101};
    OWN(cause_map) CauseMap *map = cause_map_new(graph, &measure);
    OWN(arena) Arena *arena = arena_new();
    GraphCause got;
    ck_assert(!cause_find(map, number_of(graph, "front"), arena, &got));
}
END_TEST

START_TEST(long_paths_are_cut_in_the_middle) {
    Buffer nodes = BUFFER(4096), edges = BUFFER(4096);
    for (int i = 0; i < CHAIN; i++) buffer_format(&nodes, "n%02d=9 ", i);
    for (int i = 0; i + 1 < CHAIN; i++) buffer_format(&edges, "n%02d>n%02d ", i, i + 1);
    OWN(service_graph) ServiceGraph *graph = draw(nodes.bytes, edges.bytes);
    GraphMeasure measure = {.comparison = COMPARE_GE, .threshold = 9};
    OWN(cause_map) CauseMap *map = cause_map_new(graph, &measure);
    OWN(arena) Arena *arena = arena_new();
    GraphCause got;
    ck_assert(cause_find(map, number_of(graph, "n20"), arena, &got));
    ck_assert_str_eq(got.path,
        "n00 → n01 → n02 → n03 → n04 → n05 → … → n34 → n35 → n36 → n37 → n38 → n39: "
        "n39 faults 9 %");
    ck_assert_str_eq(got.affected, "n38, n37, n36, n35, n34, n33, n32, n31, n30, n29 and 29 more");
    buffer_deinit(&nodes);
    buffer_deinit(&edges);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, causes, 0, (int)COUNT_OF(cases));
    tcase_add_test(tcase, neighbours_with_few_requests);
    tcase_add_test(tcase, long_paths_are_cut_in_the_middle);
}

int main(void) { return run_tests("xray_cause", fill); }
