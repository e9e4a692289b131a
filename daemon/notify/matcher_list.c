#include "notify/matcher_list.h"

#include "base/text.h"

#include <string.h>

#define REMEDY "a list such as ['severity=\"critical\"', 'alertname=~\"api-.*\"']"

static void read_text(const char *key, const Node *node, Matchers *into, Decoding *in) {
    Fault fault = {0};
    if (node->kind != NODE_SCALAR || node_is_null(node)) {
        problem_add(in->problems, node->at, REMEDY, "`%s` must be a list of texts", key);
    } else if (!matchers_add_text(into, node->text, &fault)) {
        problem_add(in->problems, node->at, fault.remedy, "`%s`: %s, at character %zu of `%.*s`", key, fault.what,
            fault.column, fault_shown(node->text, node->length), node->text);
    }
}

Matchers *matcher_list_read(const char *key, const Node *node, Decoding *in) {
    Matchers *matchers = matchers_new();
    if (node->kind != NODE_LIST) read_text(key, node, matchers, in);
    for (size_t i = 0; node->kind == NODE_LIST && i < node->count; i++) read_text(key, node->items[i], matchers, in);
    return matchers;
}
