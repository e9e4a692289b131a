#include "notify/inhibit_section.h"

#include "notify/matcher_list.h"

#include <string.h>

#define MATCHERS_REMEDY "a list such as ['severity=\"critical\"']"

typedef struct InhibitKeys {
    const Node *source, *target;
    TextList equal;
} InhibitKeys;

/* Alertmanager's old words, and the key that took their place. */
static const struct Old {
    const char *word, *key, *remedy;
} old_words[] = {
    {"source_match", "source_matchers", "write source_matchers: ['name=\"value\"']"},
    {"source_match_re", "source_matchers", "write source_matchers: ['name=~\"expression\"']"},
    {"target_match", "target_matchers", "write target_matchers: ['name=\"value\"']"},
    {"target_match_re", "target_matchers", "write target_matchers: ['name=~\"expression\"']"},
};

static bool equal_check(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const TextList *names = value;
    bool is_good = true;
    for (size_t i = 0; i < names->count; i++) {
        const Place at = names->places ? names->places[i] : node->at;
        if (!label_name_ok(names->texts[i]))
            is_good = problem_add(in->problems, at, "letters, digits and `_`, not beginning with a digit",
                "`%s` has `%.80s`, which is no label's name", row->key, names->texts[i]);
    }
    return is_good;
}

#define AT(member) offsetof(InhibitKeys, member)
const SchemaRow inhibit_rows[] = {
    {.key = "source_matchers",
        .type = SCHEMA_NODE,
        .offset = AT(source),
        .remedy = MATCHERS_REMEDY,
        .doc = "Which firing alerts mute others. Required."},
    {.key = "target_matchers",
        .type = SCHEMA_NODE,
        .offset = AT(target),
        .remedy = MATCHERS_REMEDY,
        .doc = "Which alerts are muted. Required. One that matches both sides is not muted by others that do."},
    {.key = "equal",
        .type = SCHEMA_TEXTS,
        .offset = AT(equal),
        .max = INHIBIT_EQUAL_MAX,
        .check = equal_check,
        .remedy = "a list of label names",
        .doc = "Labels in which both must agree; one that both lack agrees, too."},
    SCHEMA_END,
};

static const struct Old *find_old(const char *word) {
    for (size_t i = 0; i < COUNT_OF(old_words); i++)
        if (strcmp(word, old_words[i].word) == 0) return &old_words[i];
    return NULL;
}

/* The section without old words, of which it tells: the rows would call them unknown. */
static const Node *refuse_old(const Node *node, Decoding *in) {
    NodeEntry *entries = arena_alloc(in->nodes, node->count, sizeof *entries);
    Node *kept = arena_alloc(in->nodes, 1, sizeof *kept);
    *kept = *node;
    kept->count = 0;
    kept->entries = entries;
    for (size_t i = 0; i < node->count; i++) {
        const Node *key = node->entries[i].key;
        const struct Old *old = find_old(key->text);
        if (old)
            problem_add(in->problems, key->at, old->remedy, "`%s` is an old word of Alertmanager's", old->word);
        else
            entries[kept->count++] = node->entries[i];
    }
    return kept;
}

static bool has_old(const Node *node, const char *key) {
    for (size_t i = 0; i < COUNT_OF(old_words); i++)
        if (strcmp(old_words[i].key, key) == 0 && node_entry(node, old_words[i].word)) return true;
    return false;
}

/* An empty list would take every alert. */
static Matchers *read_side(const char *key, const Node *node, const Node *rule, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    if (!node) {
        const Place at = rule->count ? rule->entries[0].key->at : rule->at;
        if (!has_old(rule, key)) problem_add(in->problems, at, MATCHERS_REMEDY, "`%s` is missing", key);
        return matchers_new();
    }
    Matchers *matchers = matcher_list_read(key, node, in);
    if (problems_errors(in->problems) == errors && !matchers_count(matchers))
        problem_add(in->problems, node->at, MATCHERS_REMEDY, "`%s` has no matcher: it would take every alert", key);
    return matchers;
}

static InhibitRule read_rule(const Node *node, Decoding *in) {
    InhibitKeys keys = {0};
    schema_read(inhibit_rows, refuse_old(node, in), node->at, &keys, in);
    return (InhibitRule){
        .source = read_side("source_matchers", keys.source, node, in),
        .target = read_side("target_matchers", keys.target, node, in),
        .equal_count = keys.equal.count,
        .equal = keys.equal.texts,
    };
}

static bool inhibit_decode(Decoding *in, const Node *node, void *section_) {
    static const char *const remedy = "a list of sections, each with source_matchers, target_matchers and equal";
    InhibitSection *section = section_;
    const size_t errors = problems_errors(in->problems);
    if (node_is_null(node)) return true;
    if (node->kind != NODE_LIST) return problem_add(in->problems, node->at, remedy, "`inhibit_rules` must be a list");
    if (node->count > INHIBIT_RULES_MAX)
        return problem_add(in->problems, node->at, remedy, "`inhibit_rules` has more than %d items", INHIBIT_RULES_MAX);
    section->rules = arena_alloc(in->arena, node->count, sizeof *section->rules);
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->kind == NODE_MAP)
            section->rules[section->count++] = read_rule(node->items[i], in);
        else
            problem_add(in->problems, node->items[i]->at, remedy, "an inhibition rule must be a section with keys");
    }
    return problems_errors(in->problems) == errors;
}

static void inhibit_destroy(void *section_) {
    InhibitSection *section = section_;
    for (size_t i = 0; i < section->count; i++) {
        matchers_free(section->rules[i].source);
        matchers_free(section->rules[i].target);
    }
}

const SectionDescriptor inhibit_rules_section = {
    .key = "inhibit_rules",
    .doc = "Firing alerts that mute others.",
    .size = sizeof(InhibitSection),
    .decode = inhibit_decode,
    .destroy = inhibit_destroy,
};
