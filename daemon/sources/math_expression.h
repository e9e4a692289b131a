/* What Tocsin must know of a CloudWatch expression without evaluating it: which ids it names, whether it gives one
 * series or several, and by what its series are told apart. Pure. The language is in the CloudWatch guide, "Using math
 * expressions" and "CloudWatch Metrics Insights query components"; CloudWatch itself judges it. */
#ifndef TOCSIN_SOURCES_MATH_EXPRESSION_H
#define TOCSIN_SOURCES_MATH_EXPRESSION_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { EXPRESSION_MAX = 2048, EXPRESSION_NAMES_MAX = 16 };

typedef enum {
    MATH_NAME, /* an id, or a word such as AND */
    MATH_CALL, /* the name of a function: `(` follows */
    MATH_QUOTED, /* in quotes, which are part of it */
    MATH_OTHER /* a number, a sign */
} MathTokenKind;

typedef struct MathToken {
    MathTokenKind kind;
    const char *text; /* in the expression */
    size_t length;
    bool is_folded; /* inside a function that makes one series of many: SUM, AVG, MIN, MAX, STDDEV, FIRST, LAST */
} MathToken;

enum { MATH_DEPTH_MAX = 64 };
/* Where a reading of the tokens stands. Begin with {.at = expression}. */
typedef struct MathScan {
    const char *at;
    size_t depth, folds;
    bool is_call; /* the last token was a function's name */
    bool call_folds, opens_fold[MATH_DEPTH_MAX];
} MathScan;
bool math_next(MathScan *scan, MathToken *ret); /* false: the end */
bool math_token_is(const MathToken *token, const char *text);

bool expression_is_query(const char *expression); /* a Metrics Insights query: SELECT ... */
bool expression_calls(const char *expression, const char *function);
/* Does it give several series by itself: METRICS(), SEARCH(), a list or GROUP BY, not folded into one? */
bool expression_is_many(const char *expression);
/* Is `id` named outside of a function that folds? */
bool expression_passes(const char *expression, const char *id);
/* The dimensions by which a query's GROUP BY, or an expression that is one SEARCH and nothing else, tells its series
 * apart, at most EXPRESSION_NAMES_MAX; 0: not known. Texts live in the arena. */
size_t expression_names(Arena *arena, const char *expression, const char *ret_names[static EXPRESSION_NAMES_MAX]);
/* The expression with `to[i]` wherever `ids[i]` is named; in the arena. A query names no ids: it comes back as it is.
 */
const char *expression_rename(
    Arena *arena, const char *expression, const char *const *ids, const char *const *to, size_t count);

#endif
