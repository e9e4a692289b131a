#include "ctl/xray_tree.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Call {
    size_t to;
    const json_t *edge;
} Call;

typedef struct Spot {
    const json_t *node;
    int64_t id;
    Call *calls; /* in the edges' order */
    size_t call_count;
    bool is_called, is_shown, is_above;
} Spot;

typedef struct Walk {
    Tree *tree;
    Spot *spots; /* sorted by id */
    size_t count;
} Walk;

static int by_id(const void *a, const void *b) {
    const int64_t left = ((const Spot *)a)->id, right = ((const Spot *)b)->id;
    return (left > right) - (left < right);
}

static Spot *spot_of(const Walk *walk, const json_t *edge, const char *end) {
    Spot wanted = {0};
    if (!json_whole(edge, end, &wanted.id)) return NULL;
    return bsearch(&wanted, walk->spots, walk->count, sizeof wanted, by_id);
}

static void read_nodes(Walk *walk, const json_t *nodes) {
    walk->spots = alloc_zeroed(json_array_size(nodes) + 1, sizeof *walk->spots);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        Spot spot = {.node = json_array_get(nodes, i)};
        if (json_whole(spot.node, "id", &spot.id)) walk->spots[walk->count++] = spot;
    }
    qsort(walk->spots, walk->count, sizeof *walk->spots, by_id);
}

static void read_edges(Walk *walk, const json_t *edges) {
    for (size_t i = 0; i < json_array_size(edges); i++) {
        const json_t *edge = json_array_get(edges, i);
        Spot *from = spot_of(walk, edge, "from_id"), *to = spot_of(walk, edge, "to_id");
        if (!from || !to) continue;
        from->calls = alloc_again(from->calls, from->call_count + 1, sizeof *from->calls);
        from->calls[from->call_count++] = (Call){(size_t)(to - walk->spots), edge};
        if (to != from) to->is_called = true;
    }
}

static bool add_row(Walk *walk, const char *lead, const Spot *spot, const json_t *edge, TreeKind kind) {
    Tree *tree = walk->tree;
    if (tree->count >= TREE_ROWS_MAX) return tree->left_out++, false;
    tree->rows = alloc_again(tree->rows, tree->count + 1, sizeof *tree->rows);
    tree->rows[tree->count++] = (TreeRow){text_copy(lead), spot->node, edge, kind};
    return true;
}

static TreeKind kind_of(const Spot *spot, size_t depth) {
    if (spot->is_above) return TREE_CYCLE;
    if (spot->is_shown) return TREE_AGAIN;
    return depth >= TREE_DEPTH_MAX && spot->call_count ? TREE_DEEP : TREE_FULL;
}

/* `above` leads to the rows below this one: its depth is bounded by TREE_DEPTH_MAX. */
static void show(Walk *walk, size_t at, const json_t *edge, const char *lead, const char *above, size_t depth) {
    Spot *spot = &walk->spots[at];
    const TreeKind kind = kind_of(spot, depth);
    if (!add_row(walk, lead, spot, edge, kind) || kind == TREE_CYCLE || kind == TREE_AGAIN) return;
    if (kind == TREE_DEEP) return;
    spot->is_shown = spot->is_above = true;
    for (size_t i = 0; i < spot->call_count; i++) {
        const bool is_last = i + 1 == spot->call_count;
        OWN(text) char *next_lead = text_format("%s%s", above, is_last ? "\u2514\u2500 " : "\u251c\u2500 ");
        OWN(text) char *next_above = text_format("%s%s", above, is_last ? "   " : "\u2502  ");
        show(walk, spot->calls[i].to, spot->calls[i].edge, next_lead, next_above, depth + 1);
    }
    spot->is_above = false;
}

static bool is_top(const Spot *spot, int pass) {
    if (spot->is_shown) return false;
    if (pass == 0) return !spot->is_called && json_flag(spot->node, "client", false);
    if (pass == 1) return !spot->is_called;
    if (pass == 2) return json_flag(spot->node, "root", false); /* in a cycle, all are called */
    return true;
}

Tree *tree_new(const json_t *nodes, const json_t *edges) {
    Tree *tree = alloc_zeroed(1, sizeof *tree);
    Walk walk = {.tree = tree};
    read_nodes(&walk, nodes);
    read_edges(&walk, edges);
    for (int pass = 0; pass < 4; pass++)
        for (size_t i = 0; i < walk.count; i++)
            if (is_top(&walk.spots[i], pass)) show(&walk, i, NULL, "", "", 0);
    for (size_t i = 0; i < walk.count; i++) free(walk.spots[i].calls);
    free(walk.spots);
    return tree;
}

Tree *tree_free(Tree *tree) {
    if (!tree) return NULL;
    for (size_t i = 0; i < tree->count; i++) free(tree->rows[i].lead);
    free(tree->rows);
    free(tree);
    return NULL;
}
