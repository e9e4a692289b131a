/* Answers of GetServiceGraph: what cannot be believed first, then pages, joins, and the real graphs where they are. */
#include "sources/xray_graph.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static ServiceGraph *graph_of(const char *const *bodies, size_t count) {
    GraphPages *pages = graph_pages_new();
    for (size_t i = 0; i < count; i++) {
        Error err = {0};
        const char *token = "unset";
        ck_assert_msg(graph_pages_add(pages, bodies[i], strlen(bodies[i]), &token, &err), "%s", err.text);
    }
    return service_graph_new(pages, "default", "eu-west-1", NULL, 60, 120);
}

#define SUMMARY(total, fault) \
    "\"SummaryStatistics\":{\"OkCount\":1,\"ErrorStatistics\":{\"ThrottleCount\":0,\"TotalCount\":0}," \
    "\"FaultStatistics\":{\"TotalCount\":" fault "},\"TotalCount\":" total ",\"TotalResponseTime\":0.5}"
#define NODE(reference, name, more) "{\"ReferenceId\":" reference ",\"Name\":\"" name "\",\"Type\":\"T\"," more "}"
#define PAGE(services) "{\"Services\":[" services "]}"
#define HISTOGRAM(entries) "\"ResponseTimeHistogram\":[" entries "]"

/* What is no answer at all. */
static const struct Malformed {
    const char *body, *says;
} malformed[] = {
    {"", "no JSON"},
    {"{", "no JSON"},
    {"[]", "no Services"},
    {"{}", "no Services"},
    {"{\"Services\":{}}", "no Services"},
    {"{\"Services\":null}", "no Services"},
    {"{\"Services\":[],\"Services\":[]}", "no JSON"},
    {"<html>", "no JSON"},
};

START_TEST(no_answer) {
    const struct Malformed *c = &malformed[_i];
    OWN(graph_pages) GraphPages *pages = graph_pages_new();
    Error err = {0};
    const char *token;
    ck_assert(!graph_pages_add(pages, c->body, strlen(c->body), &token, &err));
    ck_assert_int_eq(err.kind, ERROR_REMOTE);
    ck_assert_msg(strstr(err.text, c->says) != NULL, "%s: %s", c->body, err.text);
}
END_TEST

/* What is left out of an answer, and counted. */
static const struct Skipped {
    const char *body;
    GraphSkip why;
    size_t skipped, nodes, edges;
    bool has_counts; /* of the first node, where there is one */
} skipped[] = {
    {PAGE("1,null,\"x\",{}"), GRAPH_SKIP_NAME, 4, 0, 0, false},
    {PAGE(NODE("0", "", "\"Edges\":[]")), GRAPH_SKIP_NAME, 1, 0, 0, false},
    {PAGE("{\"Name\":5}"), GRAPH_SKIP_NAME, 1, 0, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("-1", "0"))), GRAPH_SKIP_COUNTS, 1, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("1.5", "0"))), GRAPH_SKIP_COUNTS, 1, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("\"4\"", "0"))), GRAPH_SKIP_COUNTS, 1, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("9223372036854775807", "0"))), GRAPH_SKIP_COUNTS, 1, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("1e300", "0"))), GRAPH_SKIP_COUNTS, 1, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("4", "-2"))), GRAPH_SKIP_COUNTS, 1, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("4", "null"))), GRAPH_SKIP_COUNTS, 1, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("4.0", "2"))), GRAPH_SKIP_COUNTS, 0, 1, 0, true},
    {PAGE(NODE("0", "a", SUMMARY("4", "2") "," HISTOGRAM("{\"Value\":1,\"Count\":-1}"))), GRAPH_SKIP_HISTOGRAM, 1, 1, 0,
        true},
    {PAGE(NODE("0", "a", SUMMARY("4", "2") "," HISTOGRAM("{\"Value\":\"NaN\",\"Count\":1}"))), GRAPH_SKIP_HISTOGRAM, 1,
        1, 0, true},
    {PAGE(NODE("0", "a", SUMMARY("4", "2") "," HISTOGRAM("{\"Value\":1}"))), GRAPH_SKIP_HISTOGRAM, 1, 1, 0, true},
    {PAGE(NODE("0", "a", SUMMARY("4", "2") "," HISTOGRAM("5,{}"))), GRAPH_SKIP_HISTOGRAM, 1, 1, 0, true},
    {PAGE(NODE("0", "a", "\"Edges\":[{\"ReferenceId\":7}]")), GRAPH_SKIP_REFERENCE, 1, 1, 0, false},
    {PAGE(NODE("0", "a", "\"Edges\":[{},3,{\"ReferenceId\":\"0\"}]")), GRAPH_SKIP_REFERENCE, 3, 1, 0, false},
    {PAGE(NODE("0", "a", SUMMARY("4", "2")) "," NODE("0", "a", SUMMARY("4", "2"))), GRAPH_SKIP_REPEATED, 1, 1, 0, true},
    {PAGE(NODE("0", "a", "\"Edges\":{}")), GRAPH_SKIP_EDGES, 0, 1, 0, false},
    {PAGE(NODE("0", "a", "\"Edges\":[{\"ReferenceId\":0}]")), GRAPH_SKIP_REFERENCE, 0, 1, 1, false}, /* a loop */
};

START_TEST(left_out_and_counted) {
    const struct Skipped *c = &skipped[_i];
    OWN(service_graph) ServiceGraph *graph = graph_of(&c->body, 1);
    ck_assert_msg(
        service_graph_skipped(graph, c->why) == c->skipped, "%s: %zu", c->body, service_graph_skipped(graph, c->why));
    ck_assert_uint_eq(service_graph_node_count(graph), c->nodes);
    ck_assert_uint_eq(service_graph_edge_count(graph), c->edges);
    if (c->nodes) ck_assert_msg(service_graph_node(graph, 0)->figures.has_counts == c->has_counts, "%s", c->body);
}
END_TEST

static const char two[] =
    PAGE(NODE("0", "front-end", SUMMARY("10", "1") ",\"Edges\":[{\"ReferenceId\":1," SUMMARY("9", "2") "}]") "," NODE(
        "1", "checkout", SUMMARY("8", "3") ",\"Edges\":[]"));

START_TEST(cut_at_each_byte) {
    for (size_t length = 0; length < strlen(two); length++) {
        OWN(graph_pages) GraphPages *pages = graph_pages_new();
        Error err = {0};
        const char *token;
        ck_assert(!graph_pages_add(pages, two, length, &token, &err));
    }
}
END_TEST

/* An edge may name a node of a later page, and 0 is a reference like any other. */
START_TEST(edges_are_resolved_behind_the_last_page) {
    static const char *const bodies[] = {
        PAGE(NODE("5", "z", "\"Edges\":[{\"ReferenceId\":0," SUMMARY("4", "1") "},{\"ReferenceId\":6}]")),
        PAGE(NODE("0", "a", "\"Edges\":[]") "," NODE("6", "b", "\"Root\":true,\"State\":\"active\"")),
    };
    OWN(service_graph) ServiceGraph *graph = graph_of(bodies, 2);
    ck_assert_uint_eq(service_graph_node_count(graph), 3);
    ck_assert_uint_eq(service_graph_edge_count(graph), 2);
    const GraphNode *z = service_graph_node(graph, 2);
    ck_assert_str_eq(z->name, "z");
    ck_assert_uint_eq(z->edge_count, 2);
    const GraphEdge *edge = service_graph_edge(graph, z->edge_first);
    ck_assert_str_eq(service_graph_node(graph, edge->to)->name, "a");
    ck_assert_int_eq(edge->figures.fault, 1);
    ck_assert(!service_graph_edge(graph, z->edge_first + 1)->figures.has_counts);
    ck_assert(service_graph_node(graph, 1)->is_root);
    ck_assert_str_eq(service_graph_node(graph, 1)->state, "active");
    ck_assert_str_eq(service_graph_group(graph), "");
    ck_assert_int_eq(service_graph_start_s(graph), 60);
    ck_assert_int_eq(service_graph_end_s(graph), 120);
}
END_TEST

/* The same (account id, name, type) twice is one node; another type of that name is another. */
START_TEST(the_same_node_is_one) {
    static const char *const bodies[] = {
        PAGE(NODE("0", "a",
            SUMMARY("10", "1") "," HISTOGRAM(
                "{\"Value\":2,\"Count\":1},{\"Value\":1,\"Count\":2}") ",\"Edges\":[{\"ReferenceId\":2," SUMMARY("1",
                "1") "}]")),
        PAGE(NODE("1", "a",
            SUMMARY("5", "4") "," HISTOGRAM(
                "{\"Value\":2,\"Count\":5},{\"Value\":2,\"Count\":0}") ",\"Edges\":[{\"ReferenceId\":2,\"EdgeType\":"
                                                                       "\"link\"," SUMMARY("2",
                                                                           "0") "}]") ",{\"ReferenceId\":2,\"Name\":"
                                                                                      "\"a\",\"Type\":\"client\","
                                                                                      "\"Names\":[\"a\",\"b\",5]}"),
    };
    OWN(service_graph) ServiceGraph *graph = graph_of(bodies, 2);
    ck_assert_uint_eq(service_graph_node_count(graph), 2);
    const GraphNode *node = service_graph_node(graph, 0), *client = service_graph_node(graph, 1);
    ck_assert_int_eq(node->figures.total, 15);
    ck_assert_int_eq(node->figures.fault, 5);
    ck_assert_int_eq(node->figures.ok, 2);
    ck_assert(node->figures.seconds == 1.0);
    ck_assert_uint_eq(node->figures.response.length, 2);
    ck_assert(node->figures.response.entries[0].value == 1 && node->figures.response.entries[0].count == 2);
    ck_assert(node->figures.response.entries[1].count == 6 && node->figures.response.total == 8);
    ck_assert(!node->is_client && client->is_client && !client->figures.has_counts);
    ck_assert(client->name_count == 1 && strcmp(client->names[0], "b") == 0);
    ck_assert_uint_eq(service_graph_edge_count(graph), 1);
    ck_assert_int_eq(service_graph_edge(graph, 0)->figures.total, 3);
    ck_assert(!service_graph_edge(graph, 0)->is_link);
}
END_TEST

/* A service's record on two pages: its figures count once, its edges are those of both. */
START_TEST(a_record_on_two_pages) {
    static const char *const bodies[] = {
        PAGE(NODE("0", "a", SUMMARY("10", "1") ",\"Edges\":[{\"ReferenceId\":1," SUMMARY("4", "1") "}]")),
        PAGE(NODE("0", "a",
            SUMMARY("10", "1") ",\"Edges\":[{\"ReferenceId\":1," SUMMARY("4", "1") "},{\"ReferenceId\":2," SUMMARY(
                "3", "1") "},{\"ReferenceId\":1,\"EdgeType\":\"link\"}]") "," NODE("1", "b",
            "\"Edges\":[]") "," NODE("2", "c", "\"Edges\":[]") "," NODE("1", "other", "\"Edges\":[]")),
    };
    OWN(service_graph) ServiceGraph *graph = graph_of(bodies, 2);
    ck_assert_uint_eq(service_graph_node_count(graph), 3);
    ck_assert_int_eq(service_graph_node(graph, 0)->figures.total, 10);
    ck_assert_uint_eq(service_graph_edge_count(graph), 2);
    ck_assert_int_eq(service_graph_edge(graph, 0)->figures.total, 4);
    ck_assert_int_eq(service_graph_edge(graph, 1)->figures.total, 3);
    ck_assert_uint_eq(service_graph_skipped(graph, GRAPH_SKIP_REPEATED), 3); /* two records, one edge */
}
END_TEST

START_TEST(token_and_partial) {
    static const char body[] = "{\"ContainsOldGroupVersions\":true,\"NextToken\":\"t\",\"Services\":[]}";
    OWN(graph_pages) GraphPages *pages = graph_pages_new();
    Error err = {0};
    const char *token = NULL;
    ck_assert(graph_pages_add(pages, body, strlen(body), &token, &err));
    ck_assert_str_eq(token, "t");
    ck_assert(graph_pages_add(pages, two, strlen(two), &token, &err));
    ck_assert_ptr_null(token);
    ck_assert(graph_pages_are_partial(pages)); /* one page of them is enough */
}
END_TEST

/* A graph of 100,000 nodes and more: bounded, and what is beyond is counted. */
START_TEST(nodes_are_bounded) {
    enum { A_PAGE = 20001, PAGES = 5 };
    GraphPages *pages = graph_pages_new();
    for (int page = 0; page < PAGES; page++) {
        Buffer body = BUFFER(8 << 20);
        buffer_text(&body, "{\"Services\":[");
        for (int i = 0; i < A_PAGE; i++)
            buffer_format(
                &body, "%s{\"ReferenceId\":%d,\"Name\":\"n%d\"}", i ? "," : "", page * A_PAGE + i, page * A_PAGE + i);
        buffer_text(&body, "]}");
        Error err = {0};
        const char *token;
        ck_assert_msg(graph_pages_add(pages, body.bytes, body.used, &token, &err), "%s", err.text);
        buffer_deinit(&body);
    }
    OWN(service_graph) ServiceGraph *graph = service_graph_new(pages, "a", "r", "g", 0, 60);
    ck_assert_uint_eq(service_graph_node_count(graph), GRAPH_NODES_MAX);
    ck_assert_uint_eq(service_graph_skipped(graph, GRAPH_SKIP_NODES), A_PAGE * PAGES - GRAPH_NODES_MAX);
}
END_TEST

/* The guide's own graph: a client and a service of one name, two callees without segments of their own. */
START_TEST(the_guides_graph) {
    json_t *answer = json_load_file(XRAY_DATA "/get-service-graph.json", 0, NULL);
    if (!answer) {
        printf("skipped: %s/get-service-graph.json is not there\n", XRAY_DATA);
        return;
    }
    char *body = json_dumps(answer, JSON_COMPACT);
    OWN(service_graph) ServiceGraph *graph = graph_of((const char *const *)&body, 1);
    ck_assert_uint_eq(service_graph_node_count(graph), 4);
    ck_assert_uint_eq(service_graph_edge_count(graph), 3);
    for (size_t why = 0; why < GRAPH_SKIPS; why++) ck_assert_uint_eq(service_graph_skipped(graph, (GraphSkip)why), 0);
    const GraphEdge *from_client = NULL;
    for (size_t i = 0; i < 3; i++)
        if (service_graph_node(graph, service_graph_edge(graph, i)->from)->is_client)
            from_client = service_graph_edge(graph, i);
    ck_assert_ptr_nonnull(from_client);
    ck_assert(from_client->figures.total == 4 && from_client->figures.error == 1);
    ck_assert(fabs(from_client->figures.seconds - 0.273) < 1e-12);
    ck_assert_uint_eq(from_client->figures.response.length, 4);
    ck_assert(from_client->figures.response.entries[0].value == 0.005);
    free(body);
    json_decref(answer);
}
END_TEST

/* What the AWS CLI's manual prints; its times are texts, which nobody here reads. */
START_TEST(the_manuals_graph) {
    FILE *file = fopen(XRAY_DATA "/aws-cli-examples.jsonl", "r");
    char line[64 << 10];
    size_t graphs = 0;
    if (!file) {
        printf("skipped: %s/aws-cli-examples.jsonl is not there\n", XRAY_DATA);
        return;
    }
    while (fgets(line, sizeof line, file)) {
        json_t *example = json_loads(line, 0, NULL), *response = json_object_get(example, "response");
        if (json_object_get(response, "Services")) {
            char *body = json_dumps(response, JSON_COMPACT);
            OWN(service_graph) ServiceGraph *graph = graph_of((const char *const *)&body, 1);
            ck_assert_uint_eq(service_graph_node_count(graph), json_array_size(json_object_get(response, "Services")));
            ck_assert_uint_eq(service_graph_skipped(graph, GRAPH_SKIP_COUNTS), 0);
            ck_assert_uint_eq(service_graph_skipped(graph, GRAPH_SKIP_HISTOGRAM), 0);
            free(body);
            graphs++;
        }
        json_decref(example);
    }
    fclose(file);
    ck_assert_uint_eq(graphs, 1);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, no_answer, 0, (int)COUNT_OF(malformed));
    tcase_add_loop_test(tcase, left_out_and_counted, 0, (int)COUNT_OF(skipped));
    tcase_add_test(tcase, cut_at_each_byte);
    tcase_add_test(tcase, edges_are_resolved_behind_the_last_page);
    tcase_add_test(tcase, the_same_node_is_one);
    tcase_add_test(tcase, a_record_on_two_pages);
    tcase_add_test(tcase, token_and_partial);
    tcase_add_test(tcase, nodes_are_bounded);
    tcase_add_test(tcase, the_guides_graph);
    tcase_add_test(tcase, the_manuals_graph);
}

int main(void) { return run_tests("xray_graph", fill); }
