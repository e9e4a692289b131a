/* A service graph as a tree to look at: from those whom nobody calls down to the deepest callees. Each service stands
 * once in full; where it comes up again it is only named, and a call back to a caller further up is marked as a cycle.
 * Pure. */
#ifndef TOCSIN_CTL_XRAY_TREE_H
#define TOCSIN_CTL_XRAY_TREE_H

#include "base/own.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { TREE_DEPTH_MAX = 64, TREE_ROWS_MAX = 20000 };

typedef enum { TREE_FULL, TREE_AGAIN, TREE_CYCLE, TREE_DEEP /* its callees are left out: TREE_DEPTH_MAX */ } TreeKind;

typedef struct TreeRow {
    char *lead; /* the lines that lead to it */
    const json_t *node;
    const json_t *edge; /* that it hangs on; NULL at the top */
    TreeKind kind;
} TreeRow;

typedef struct Tree {
    TreeRow *rows;
    size_t count;
    size_t left_out; /* rows past TREE_ROWS_MAX */
} Tree;

/* `nodes` and `edges` as GET /v1/service-graph gives them, of one window; borrowed, and must outlive the tree. Edges to
 * nodes that are not there are passed over. Caller frees. */
Tree *tree_new(const json_t *nodes, const json_t *edges);
Tree *tree_free(Tree *tree);
OWN_DEFINE(Tree, tree)

#endif
