/* The named parts of a detection: a map is all of its fields, a list any of its items, a plain value a keyword. */
#include "base/alloc.h"
#include "rules/sigma_expr.h"

#include <stdlib.h>
#include <string.h>

static const SigmaExpr *part_read(SigmaCompile *in, const Node *node);

static const SigmaExpr *map_read(SigmaCompile *in, const Node *map) {
    const SigmaExpr **kids = arena_alloc(in->arena, map->count, sizeof *kids);
    bool good = true;
    for (size_t i = 0; i < map->count; i++) good = (kids[i] = item_read(in, &map->entries[i])) && good;
    if (!map->count) return sigma_problem(in, map->at, "name a field and its value", "an empty part"), NULL;
    return good ? expr_new(in->arena, EXPR_AND, kids, map->count) : NULL;
}

/* Maps of a list each for itself; its plain values together, as keywords. */
static const SigmaExpr *list_read(SigmaCompile *in, const Node *list) {
    const SigmaExpr **kids = arena_alloc(in->arena, list->count + 1, sizeof *kids);
    const Node **plain = arena_alloc(in->arena, list->count, sizeof *plain);
    size_t count = 0, plain_count = 0;
    bool good = true;
    if (!list->count) return sigma_problem(in, list->at, "name a field and its value", "an empty part"), NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind == NODE_SCALAR)
            plain[plain_count++] = list->items[i];
        else
            good = (kids[count++] = part_read(in, list->items[i])) && good;
    }
    if (plain_count) good = (kids[count++] = keywords_read(in, plain, plain_count)) && good;
    return good ? expr_new(in->arena, EXPR_OR, kids, count) : NULL;
}

static const SigmaExpr *part_read(SigmaCompile *in, const Node *node) {
    switch (node->kind) {
    case NODE_MAP: return map_read(in, node);
    case NODE_LIST: return list_read(in, node);
    case NODE_SCALAR: return keywords_read(in, &node, 1);
    }
    return NULL;
}

SigmaSearch *detection_read(SigmaCompile *in, const Node *node, size_t *ret_count) {
    static const char remedy[] = "such as `selection: {eventName: StopLogging}` and `condition: selection`";
    if (node->kind != NODE_MAP) return sigma_problem(in, node->at, remedy, "`detection` must be a map"), NULL;
    if (node->count > SIGMA_DETECTIONS_MAX)
        return sigma_problem(in, node->at, "split the rule", "more than %d parts", SIGMA_DETECTIONS_MAX), NULL;
    SigmaSearch *searches = arena_alloc(in->arena, node->count, sizeof *searches);
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        const NodeEntry *entry = &node->entries[i];
        if (!strcmp(entry->key->text, "condition") || !strcmp(entry->key->text, "timeframe")) continue;
        searches[count++] = (SigmaSearch){
            .name = arena_text(in->arena, entry->key->text), .expr = part_read(in, entry->value), .at = entry->key->at};
    }
    *ret_count = count;
    if (!count) sigma_problem(in, node->at, remedy, "`detection` has no part to look for");
    return searches;
}
