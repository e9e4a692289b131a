/* What a rule is compiled to: a tree of and, or, not over tests, each of one field against its values. Plain data in
 * the set's arena, immutable once the set is finished; for the sigma_*.c files. */
#ifndef TOCSIN_RULES_SIGMA_EXPR_H
#define TOCSIN_RULES_SIGMA_EXPR_H

#include "base/problems.h"
#include "config/node.h"
#include "rules/sigma_glob.h"
#include "rules/sigma_network.h"
#include "rules/sigma_regex.h"
#include "rules/sigma_set.h"

#include <stdarg.h>

/* A field's name, cut at its dots. One entry a name and set. */
typedef struct SigmaField {
    const char *name;
    size_t count; /* segments */
    const uint32_t *ends; /* of each segment, in bytes from the name's start */
} SigmaField;

enum { FIELD_KEYWORDS = UINT32_MAX }; /* in place of a field: every text in the event */

typedef enum {
    VALUE_GLOB,
    VALUE_NULL, /* absent, or JSON null */
    VALUE_EXISTS, /* the key is there (`wanted`), whatever its value */
    VALUE_REGEX,
    VALUE_NETWORK,
    VALUE_LESS,
    VALUE_LESS_EQUAL,
    VALUE_GREATER,
    VALUE_GREATER_EQUAL,
    VALUE_FIELD /* another field's values */
} SigmaValueKind;

typedef struct SigmaValue {
    SigmaValueKind kind;
    bool wanted; /* VALUE_EXISTS */
    bool has_number; /* VALUE_GLOB: a text that is a number equals a JSON number of that size */
    double number; /* and the bound of LESS ... GREATER_EQUAL */
    SigmaGlob glob;
    const SigmaRegex *regex;
    SigmaNetwork network;
    uint32_t field; /* VALUE_FIELD */
    SigmaGlobKind relation; /* VALUE_FIELD: how the other one's text must lie in ours; never GLOB_MIXED */
    bool cased; /* VALUE_FIELD */
} SigmaValue;

typedef struct SigmaTest {
    uint32_t field;
    bool all; /* every value must be met, not any */
    bool negated; /* neq */
    size_t exact; /* unless `all`: the first so many values are GLOB_EXACT, sorted by glob_compare() */
    size_t count;
    SigmaValue *values;
} SigmaTest;

typedef enum { EXPR_AND, EXPR_OR, EXPR_NOT, EXPR_TEST } SigmaExprKind;

typedef struct SigmaExpr SigmaExpr;
struct SigmaExpr {
    SigmaExprKind kind;
    size_t count; /* AND, OR: at least 1; NOT: 1 */
    const SigmaExpr *const *kids;
    const SigmaTest *test;
};

/* What the compiling functions share: one rule being read into one set. */
typedef struct SigmaCompile {
    Arena *arena; /* the set's */
    SigmaBuilder *builder;
    Problems *problems;
    const SigmaOptions *options;
    const char *title; /* the rule's, for messages */
    size_t values; /* of the rule so far: at most SIGMA_VALUES_MAX */
} SigmaCompile;

/* Adds a problem that begins with the rule's title. Always false. */
bool sigma_problem(SigmaCompile *in, Place at, const char *remedy, const char *what, ...)
    __attribute__((format(printf, 4, 5)));
/* The number of the field in the set; a new name gets the next one. */
uint32_t sigma_field(SigmaBuilder *builder, const char *name);
/* Keeps a regex until the set is freed. NULL: the set has enough of them; it is freed. */
const SigmaRegex *sigma_keep_regex(SigmaBuilder *builder, SigmaRegex *take_regex);
/* Counts a value's bytes. False: the file has too many. */
bool sigma_count_bytes(SigmaBuilder *builder, size_t bytes);
SigmaExpr *expr_new(Arena *arena, SigmaExprKind kind, const SigmaExpr *const *kids, size_t count);

/* A named part of a detection. */
typedef struct SigmaSearch {
    const char *name;
    const SigmaExpr *expr; /* NULL: it had problems */
    Place at;
    bool used; /* by the condition */
} SigmaSearch;

/* The parts of a `detection` map but `condition` and `timeframe`. Problems go to the compile; NULL: `node` is no map.
 */
SigmaSearch *detection_read(SigmaCompile *in, const Node *node, size_t *ret_count);
/* `field|modifier: value(s)` as a test. NULL: problems. */
const SigmaExpr *item_read(SigmaCompile *in, const NodeEntry *entry);
/* Plain values of a list: searched in every text of the event. NULL: problems. */
const SigmaExpr *keywords_read(SigmaCompile *in, const Node *const *values, size_t count);

/* Behind a condition's `|`, Sigma's older way to count. */
typedef struct SigmaAggregation {
    bool given;
    const char *field; /* count(field): distinct values; NULL: count(): events */
    const char *const *by;
    size_t by_count;
    char comparison[3]; /* > >= < <= = */
    int64_t bound;
} SigmaAggregation;

/* A condition, or a list of them (any). `searches` get their `used`. NULL: problems. */
const SigmaExpr *condition_read(
    SigmaCompile *in, const Node *node, SigmaSearch *searches, size_t count, SigmaAggregation *ret_aggregation);

#endif
