#include "rules/count_condition.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const char *const count_words[COUNT_WORDS + 1] = {"gt", "gte", "lt", "lte", "eq", "neq", NULL};

static bool holds(CountWord word, int64_t count, int64_t bound) {
    switch (word) {
    case COUNT_GT: return count > bound;
    case COUNT_GTE: return count >= bound;
    case COUNT_LT: return count < bound;
    case COUNT_LTE: return count <= bound;
    case COUNT_EQ: return count == bound;
    case COUNT_NEQ: return count != bound;
    case COUNT_WORDS: break;
    }
    return false;
}

bool count_meets(const CountCondition *condition, int64_t count) {
    for (CountWord word = 0; word < COUNT_WORDS; word++)
        if (condition->given[word] && !holds(word, count, condition->bound[word])) return false;
    return true;
}

enum { BOUND_DIGITS_MAX = 9 };

static bool unknown_word(const NodeEntry *entry, const char *whose, Problems *all) {
    const char *near = text_nearest(entry->key->text, count_words);
    OWN(text) char *remedy = near ? text_format("did you mean `%s`?", near) : NULL;
    return problem_add(all, entry->key->at, remedy ? remedy : "gt, gte, lt, lte, eq or neq",
        "%s: unknown comparison `%.80s`", whose, entry->key->text);
}

bool count_bound_read(const NodeEntry *entry, const char *whose, CountCondition *ret_condition, Problems *all) {
    const Node *value = entry->value;
    size_t word = 0;
    while (count_words[word] && strcmp(count_words[word], entry->key->text)) word++;
    if (!count_words[word]) return unknown_word(entry, whose, all);
    if (value->kind != NODE_SCALAR || !value->length || value->length > BOUND_DIGITS_MAX ||
        value->text[strspn(value->text, "0123456789")])
        return problem_add(all, value->at, "a whole number from 0 on", "%s: `%s` cannot be `%.40s`", whose,
            entry->key->text, value->kind == NODE_SCALAR ? value->text : "this");
    ret_condition->given[word] = true;
    ret_condition->bound[word] = atoll(value->text);
    return true;
}

bool count_is_absence(const CountCondition *condition) { return count_meets(condition, 0); }
