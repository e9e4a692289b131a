/* A service graph as a tree: what hangs on what, what comes up again, cycles, and what cannot be. */
#include "ctl/xray_tree.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"

#include <string.h>

/* Nodes are letters, `*` behind one: a client, `!`: a root; edges are pairs. What the tree looks like, a row a line. */
static const struct Case {
    const char *nodes, *edges, *want;
} cases[] = {
    {"", "", ""},
    {"a", "", "a\n"},
    {"b a*", "ab", "a\n\u2514\u2500 b\n"}, /* from the client down */
    {"a* b c d", "ab bc bd", "a\n\u2514\u2500 b\n   \u251c\u2500 c\n   \u2514\u2500 d\n"},
    {"a b c d", "ab ac bd cd", "a\n\u251c\u2500 b\n\u2502  \u2514\u2500 d\n\u2514\u2500 c\n   \u2514\u2500 d again\n"},
    {"a b", "ab ba", "a\n\u2514\u2500 b\n   \u2514\u2500 a cycle\n"},
    {"a b!", "ab ba", "b\n\u2514\u2500 a\n   \u2514\u2500 b cycle\n"}, /* the root begins where all are called */
    {"a", "aa", "a\n\u2514\u2500 a cycle\n"},
    {"a b", "ax xb yz", "a\nb\n"}, /* edges to nobody */
    {"a b c", "ab", "a\n\u2514\u2500 b\nc\n"},
};

static json_t *nodes_of(const char *text) {
    json_t *nodes = json_array();
    for (; *text; text++) {
        if (*text == ' ') continue;
        const char name[] = {*text, 0};
        json_array_append_new(nodes,
            json_pack(
                "{s:i, s:s, s:b, s:b}", "id", *text, "name", name, "client", text[1] == '*', "root", text[1] == '!'));
        if (text[1] == '*' || text[1] == '!') text++;
    }
    return nodes;
}

static json_t *edges_of(const char *text) {
    json_t *edges = json_array();
    for (; *text; text += text[2] ? 3 : 2)
        json_array_append_new(edges, json_pack("{s:i, s:i}", "from_id", text[0], "to_id", text[1]));
    return edges;
}

static char *drawing_of(const Tree *tree) {
    static const char *const marks[] = {
        [TREE_FULL] = "", [TREE_AGAIN] = " again", [TREE_CYCLE] = " cycle", [TREE_DEEP] = " deep"};
    Buffer out = BUFFER((size_t)1 << 20);
    for (size_t i = 0; i < tree->count; i++)
        buffer_format(
            &out, "%s%s%s\n", tree->rows[i].lead, json_text(tree->rows[i].node, "name"), marks[tree->rows[i].kind]);
    return buffer_take(&out);
}

START_TEST(drawn_as_it_hangs_together) {
    const struct Case *c = &cases[_i];
    OWN(json) json_t *nodes = nodes_of(c->nodes);
    OWN(json) json_t *edges = edges_of(c->edges);
    OWN(tree) Tree *tree = tree_new(nodes, edges);
    OWN(text) char *got = drawing_of(tree);
    ck_assert_str_eq(got, c->want);
}
END_TEST

START_TEST(a_long_chain_is_cut_and_goes_on) {
    OWN(json) json_t *nodes = json_array();
    OWN(json) json_t *edges = json_array();
    for (int i = 0; i < 3 * TREE_DEPTH_MAX; i++) {
        json_array_append_new(nodes, json_pack("{s:i, s:s}", "id", i, "name", "n"));
        if (i) json_array_append_new(edges, json_pack("{s:i, s:i}", "from_id", i - 1, "to_id", i));
    }
    OWN(tree) Tree *tree = tree_new(nodes, edges);
    ck_assert_int_eq(tree->rows[TREE_DEPTH_MAX].kind, TREE_DEEP);
    ck_assert_uint_ge(tree->count, 3 * TREE_DEPTH_MAX); /* every node stands somewhere */
}
END_TEST

START_TEST(what_is_no_graph_draws_nothing) {
    OWN(json) json_t *odd = json_pack("[{s:s}, n, i, {s:i}]", "id", "x", 7, "name", 1);
    OWN(tree) Tree *tree = tree_new(odd, odd);
    ck_assert_uint_eq(tree->count, 0);
    OWN(tree) Tree *none = tree_new(NULL, NULL);
    ck_assert_uint_eq(none->count, 0);
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_loop_test(tests, drawn_as_it_hangs_together, 0, (int)COUNT_OF(cases));
    tcase_add_test(tests, a_long_chain_is_cut_and_goes_on);
    tcase_add_test(tests, what_is_no_graph_draws_nothing);
}

int main(void) { return run_tests("xray tree", fill); }
