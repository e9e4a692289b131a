#include "rules/sigma_set.h"

#include "base/alloc.h"
#include "rules/sigma_builder.h"

#include <stdlib.h>
#include <string.h>

struct SigmaFieldName {
    UT_hash_handle hh;
    uint32_t number;
    char text[];
};

bool sigma_problem(SigmaCompile *in, Place at, const char *remedy, const char *what, ...) {
    va_list args;
    va_start(args, what);
    OWN(text) char *said = text_format_v(what, args);
    va_end(args);
    return problem_add(in->problems, at, remedy, "%s: %s", in->title, said);
}

SigmaExpr *expr_new(Arena *arena, SigmaExprKind kind, const SigmaExpr *const *kids, size_t count) {
    SigmaExpr *expr = arena_alloc(arena, 1, sizeof *expr);
    const SigmaExpr **kept = arena_alloc(arena, count, sizeof *kept);
    for (size_t i = 0; i < count; i++) kept[i] = kids[i];
    *expr = (SigmaExpr){.kind = kind, .count = count, .kids = kept};
    return expr;
}

uint32_t sigma_field(SigmaBuilder *builder, const char *name) {
    SigmaSet *set = builder->set;
    SigmaFieldName *found = NULL;
    HASH_FIND_STR(builder->field_names, name, found);
    if (found) return found->number;
    const size_t length = strlen(name);
    found = arena_alloc(set->arena, 1, sizeof *found + length + 1);
    memcpy(found->text, name, length);
    found->number = (uint32_t)set->field_count;
    HASH_ADD_STR(builder->field_names, text, found);
    set->fields = alloc_again(set->fields, set->field_count + 1, sizeof *set->fields);
    set->fields[set->field_count++] = field_make(set->arena, name);
    return found->number;
}

bool sigma_count_bytes(SigmaBuilder *builder, size_t bytes) {
    builder->value_bytes += bytes;
    return builder->value_bytes <= SIGMA_FILE_VALUES_BYTES_MAX;
}

const SigmaRegex *sigma_keep_regex(SigmaBuilder *builder, SigmaRegex *take_regex) {
    SigmaSet *set = builder->set;
    builder->regex_bytes += regex_bytes(take_regex);
    if (builder->regex_bytes > SIGMA_REGEX_BYTES_MAX) return regex_free(take_regex);
    set->regexes = alloc_again(set->regexes, set->regex_count + 1, sizeof *set->regexes);
    return set->regexes[set->regex_count++] = take_regex;
}

uint32_t builder_add(SigmaCompile *in, const SigmaRule *rule, const SigmaExpr *expr) {
    SigmaSet *set = in->builder->set;
    if (set->count == SIGMA_RULES_MAX) {
        sigma_problem(in, rule->at, "load fewer", "more than %d rules", SIGMA_RULES_MAX);
        return UINT32_MAX;
    }
    if ((set->count & (set->count - 1)) == 0)
        set->entries = alloc_again(set->entries, set->count ? 2 * set->count : 1, sizeof *set->entries);
    set->entries[set->count] = (SigmaEntry){*rule, expr};
    return (uint32_t)set->count++;
}

bool builder_name(SigmaCompile *in, const char *text, Place at, uint32_t number) {
    SigmaName *found = NULL;
    if (!text) return true;
    HASH_FIND_STR(in->builder->names, text, found);
    if (found)
        return sigma_problem(in, at, "load each rule once, under an id and a name of its own",
            "`%.80s` is a rule's already, at %s:%u", text, found->at.file, found->at.line);
    const size_t length = strlen(text);
    found = arena_alloc(in->arena, 1, sizeof *found + length + 1);
    memcpy(found->text, text, length);
    found->number = number;
    found->at = at;
    HASH_ADD_STR(in->builder->names, text, found);
    return true;
}

void builder_pend(SigmaBuilder *builder, SigmaPending pending) {
    builder->pending = alloc_again(builder->pending, builder->pending_count + 1, sizeof *builder->pending);
    builder->pending[builder->pending_count++] = pending;
}

SigmaBuilder *sigma_builder_new(const SigmaOptions *options, Problems *problems) {
    SigmaBuilder *builder = alloc_zeroed(1, sizeof *builder);
    *builder = (SigmaBuilder){.options = options, .problems = problems, .set = alloc_zeroed(1, sizeof(SigmaSet))};
    builder->set->arena = arena_new();
    return builder;
}

SigmaBuilder *sigma_builder_free(SigmaBuilder *builder) {
    if (!builder) return NULL;
    for (size_t i = 0; i < builder->pending_count; i++) free(builder->pending[i].aliases);
    free(builder->pending);
    HASH_CLEAR(hh, builder->names);
    HASH_CLEAR(hh, builder->field_names);
    sigma_set_free(builder->set);
    free(builder);
    return NULL;
}

bool sigma_builder_text(SigmaBuilder *builder, const char *file, const char *text, size_t length) {
    OWN(arena) Arena *nodes = arena_new(); /* what is kept of them is copied */
    size_t count = 0;
    const size_t before = problems_errors(builder->problems);
    builder->value_bytes = 0;
    const Node *const *documents = node_parse_all(nodes, nodes, file, text, length, &count, builder->problems);
    if (!documents) return false;
    for (size_t i = 0; i < count; i++) document_read(builder, documents[i]);
    if (!count)
        return problem_add(
            builder->problems, (Place){file, 1, 1}, "is this a Sigma rule?", "there is no rule in the file");
    return problems_errors(builder->problems) == before;
}

SigmaSet *sigma_builder_finish(SigmaBuilder *take_builder) {
    correlations_resolve(take_builder);
    SigmaSet *set = GIVE(take_builder->set);
    index_build(set);
    sigma_builder_free(take_builder);
    return set;
}

SigmaSet *sigma_set_free(SigmaSet *set) {
    if (!set) return NULL;
    index_free(&set->index);
    for (size_t i = 0; i < set->regex_count; i++) regex_free(set->regexes[i]);
    free(set->regexes);
    free(set->fields);
    free(set->entries);
    arena_free(set->arena);
    free(set);
    return NULL;
}

size_t sigma_builder_left_out(const SigmaBuilder *builder) { return builder->left_out; }

bool sigma_rule_lives(const SigmaSet *set, uint32_t number) {
    return set->entries[number].expr || set->entries[number].rule.correlation;
}

size_t sigma_set_count(const SigmaSet *set) { return set->count; }
const SigmaRule *sigma_set_rule(const SigmaSet *set, uint32_t number) { return &set->entries[number].rule; }
