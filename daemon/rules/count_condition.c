#include "rules/count_condition.h"

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

bool count_is_absence(const CountCondition *condition) { return count_meets(condition, 0); }
