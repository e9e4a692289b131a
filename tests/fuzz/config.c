/* YAML to nodes to typed values. Holds: no tree without or with a problem too few, every place inside of the file. */
#include "fuzz.h"

#include "config/schema.h"

#include <stdlib.h>

typedef struct Keys {
    const char *name;
    int64_t count, period_s;
    double threshold;
    bool enabled;
    int severity;
    TextList regions;
    TextMap labels;
    SectionList list;
} Keys;

static const char *const severities[] = {"critical", "warning", NULL};
static const SchemaRow item_rows[] = {{.key = "name", .type = SCHEMA_TEXT, .required = true}, SCHEMA_END};
#define AT(member) offsetof(Keys, member)
static const SchemaRow rows[] = {
    {.key = "name", .type = SCHEMA_TEXT, .offset = AT(name), .max = 8, .multiline = true},
    {.key = "count", .type = SCHEMA_INTEGER, .offset = AT(count), .min = 1, .max = 10080},
    {.key = "period", .type = SCHEMA_DURATION, .offset = AT(period_s), .min = 1, .max = 604800},
    {.key = "threshold", .type = SCHEMA_NUMBER, .offset = AT(threshold)},
    {.key = "enabled", .type = SCHEMA_BOOL, .offset = AT(enabled)},
    {.key = "severity", .type = SCHEMA_CHOICE, .offset = AT(severity), .choices = severities},
    {.key = "regions", .type = SCHEMA_TEXTS, .offset = AT(regions), .max = 100},
    {.key = "labels", .type = SCHEMA_MAP, .offset = AT(labels)},
    {.key = "list", .type = SCHEMA_SECTIONS, .offset = AT(list), .rows = item_rows, .size = sizeof(const char *)},
    {.key = "metrics", .type = SCHEMA_LATER},
    SCHEMA_END,
};

/* Nodes and places of a tree that node_parse() has bounded; aborts where a place cannot be. */
static size_t walk(const Node *node, size_t bytes) {
    if (!node->at.line || !node->at.column || node->at.line > bytes + 1 || node->at.column > bytes + 1) abort();
    size_t nodes = 1;
    for (size_t i = 0; i < node->count; i++) {
        nodes += walk(node->kind == NODE_MAP ? node->entries[i].value : node->items[i], bytes);
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    const Node *root = node_parse(arena, arena, "f", (const char *)data, size, all);
    if (!root && !problems_errors(all)) abort();
    if (root && walk(root, size) > YAML_EVENTS_MAX + YAML_EXPANDED_MAX) abort();
    Keys keys = {0};
    Decoding in = {.arena = arena, .nodes = arena, .problems = all, .directory = "."};
    const size_t before = problems_errors(all);
    if (root && schema_read(rows, root, root->at, &keys, &in) != (problems_errors(all) == before)) abort();
    json_decref(problems_json(all)); /* every line must be text */
    return 0;
}
