/* daemon/rules/composite.c: a composite rule's tree, and its value; composite_parse.c reads the text */
#include "rules/composite_tree.h"

#include <stdlib.h>

Composite *composite_free(Composite *rule) {
    if (!rule) return NULL;
    for (size_t i = 0; i < rule->child_count; i++) free(rule->children[i].name);
    free(rule->children);
    free(rule->refs);
    free(rule->terms);
    free(rule);
    return NULL;
}

size_t composite_children(const Composite *rule) { return rule->child_count; }
const char *composite_child(const Composite *rule, size_t index) { return rule->children[index].name; }
size_t composite_child_column(const Composite *rule, size_t index) { return rule->children[index].column; }
size_t composite_mixed_column(const Composite *rule) { return rule->mixed_column; }

/* The children's states while one evaluation runs. */
typedef struct States {
    AlarmState states[COMPOSITE_CHILDREN_MAX];
    bool known[COMPOSITE_CHILDREN_MAX];
} States;

static size_t count_holding(const Composite *rule, const Term *term, const States *now) {
    size_t count = 0;
    for (size_t i = 0; i < term->refs; i++) {
        const size_t child = rule->refs[term->first_ref + i];
        count += now->known[child] && (now->states[child] == term->state) != term->is_other;
    }
    return count;
}

/* Depth: at most one call an element, and the brackets. */
static bool value_of(const Composite *rule, const Term *term, const States *now) {
    const Term *left = &rule->terms[term->left], *right = &rule->terms[term->right];
    switch (term->kind) {
    case TERM_FALSE: return false;
    case TERM_TRUE: return true;
    case TERM_STATE: return count_holding(rule, term, now) > 0;
    case TERM_AT_LEAST:
        return term->is_percent ? count_holding(rule, term, now) * 100 >= term->least * term->refs
                                : count_holding(rule, term, now) >= term->least;
    case TERM_NOT: return !value_of(rule, left, now);
    case TERM_AND: return value_of(rule, left, now) && value_of(rule, right, now);
    case TERM_OR: return value_of(rule, left, now) || value_of(rule, right, now);
    }
    return false;
}

AlarmState composite_evaluate(const Composite *rule, CompositeStateOf *state_of, void *ctx, size_t *ret_missing) {
    States now = {0};
    size_t missing = 0;
    for (size_t i = 0; i < rule->child_count; i++) {
        now.known[i] = state_of(ctx, rule->children[i].name, &now.states[i]);
        missing += !now.known[i];
    }
    if (ret_missing) *ret_missing = missing;
    return value_of(rule, &rule->terms[rule->term_count - 1], &now) ? STATE_ALARM : STATE_OK;
}
