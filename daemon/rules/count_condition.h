/* `{gte: 3, lt: 10}`: what a count must be. Pure. */
#ifndef TOCSIN_RULES_COUNT_CONDITION_H
#define TOCSIN_RULES_COUNT_CONDITION_H

#include "config/node.h"

#include <stdint.h>

typedef enum { COUNT_GT, COUNT_GTE, COUNT_LT, COUNT_LTE, COUNT_EQ, COUNT_NEQ, COUNT_WORDS } CountWord;

/* Ends at NULL; `gt gte lt lte eq neq`, in the order of CountWord. */
extern const char *const count_words[COUNT_WORDS + 1];

typedef struct CountCondition {
    bool given[COUNT_WORDS];
    int64_t bound[COUNT_WORDS];
} CountCondition;

bool count_meets(const CountCondition *condition, int64_t count); /* all that are given */
/* Reads one entry, `gte: 3`, into the condition. False: a problem that begins with `whose` (a rule's title, an alarm's
 * name). */
bool count_bound_read(const NodeEntry *entry, const char *whose, CountCondition *ret_condition, Problems *all);
/* Can it hold with no event at all, as `{lt: 1}` does? Then silence is what is looked for. */
bool count_is_absence(const CountCondition *condition);

#endif
