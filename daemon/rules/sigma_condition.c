/* The condition of a rule: words, `and or not`, parentheses, `1 of x*`, and the older `| count()`. Precedence from
 * loose to tight: or, and, not, `x of`, parentheses (Sigma Rules Specification 2.0, "Condition"). */
#include "rules/sigma_expr.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct Words {
    SigmaCompile *in;
    Place at;
    const char *p; /* what is left */
    char word[SIGMA_CONDITION_BYTES_MAX + 1]; /* the present word, "" at the end */
    SigmaSearch *searches;
    size_t count, depth;
    bool failed; /* one problem a condition */
} Words;

#define REMEDY "such as `selection and not 1 of filter_*`"

__attribute__((format(printf, 3, 4))) static const SigmaExpr *complain(
    Words *w, const char *remedy, const char *what, ...) {
    va_list args;
    va_start(args, what);
    OWN(text) char *said = text_format_v(what, args);
    va_end(args);
    if (!w->failed) sigma_problem(w->in, w->at, remedy, "%s", said);
    w->failed = true;
    return NULL;
}

/* To the next word: a parenthesis, a pipe, a comparison, or a run of anything else. */
static void next(Words *w) {
    while (*w->p && strchr(" \t\r\n", *w->p)) w->p++;
    size_t length = 0;
    if (*w->p && strchr("()|,", *w->p))
        length = 1;
    else if (*w->p && strchr("<>=!", *w->p))
        length = strspn(w->p, "<>=!");
    else
        length = strcspn(w->p, " \t\r\n()|,<>=!");
    memcpy(w->word, w->p, length);
    w->word[length] = '\0';
    w->p += length;
}

static bool is(const Words *w, const char *word) { return !strcasecmp(w->word, word); }

static SigmaSearch *search_find(Words *w, const char *name) {
    for (size_t i = 0; i < w->count; i++)
        if (!strcmp(w->searches[i].name, name)) return &w->searches[i];
    return NULL;
}

static const SigmaExpr *unknown_search(Words *w, const char *name) {
    const char **names = alloc_zeroed(w->count + 1, sizeof *names);
    for (size_t i = 0; i < w->count; i++) names[i] = w->searches[i].name;
    const char *near = text_nearest(name, names);
    OWN(text) char *remedy = near ? text_format("did you mean `%s`?", near) : NULL;
    free((void *)names);
    return complain(
        w, remedy ? remedy : REMEDY, "the condition names `%.80s`, which the detection does not have", name);
}

static const SigmaExpr *named(Words *w) {
    SigmaSearch *search = search_find(w, w->word);
    if (!search) return unknown_search(w, w->word);
    search->used = true;
    next(w);
    if (!search->expr) w->failed = true; /* its own problem was told */
    return search->expr;
}

static bool is_meant(const char *pattern, bool them, const char *name) {
    return them ? name[0] != '_' : glob_matches(pattern, name, false);
}

/* Behind `1 of` or `all of`. */
static const SigmaExpr *several(Words *w, bool all) {
    const bool them = is(w, "them");
    const SigmaExpr **kids = arena_alloc(w->in->arena, w->count, sizeof *kids);
    size_t found = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (!is_meant(w->word, them, w->searches[i].name)) continue;
        w->searches[i].used = true;
        if (!w->searches[i].expr) w->failed = true;
        kids[found++] = w->searches[i].expr;
    }
    if (!*w->word || strchr("()|", *w->word)) return complain(w, REMEDY, "`of` in the condition needs a name");
    if (!found) return complain(w, REMEDY, "`%.80s` in the condition fits no part of the detection", w->word);
    next(w);
    return w->failed ? NULL : expr_new(w->in->arena, all ? EXPR_AND : EXPR_OR, kids, found);
}

/* `1 of`, `any of`, `all of`: is it one, and which? A part of the detection may be called `all`. */
static bool quantifier(Words *w, bool *ret_all) {
    const bool all = is(w, "all");
    if (!all && !is(w, "1") && !is(w, "any")) return false;
    Words ahead = {.p = w->p};
    next(&ahead);
    if (!is(&ahead, "of")) return false;
    w->p = ahead.p;
    next(w);
    *ret_all = all;
    return true;
}

static const SigmaExpr *any_of(Words *w);

static const SigmaExpr *bracket(Words *w) {
    next(w);
    const SigmaExpr *inner = any_of(w);
    if (!inner) return NULL;
    if (!is(w, ")")) return complain(w, "close it with `)`", "a `(` in the condition is not closed");
    next(w);
    return inner;
}

static const SigmaExpr *no_operand(Words *w) {
    if (!*w->word) return complain(w, REMEDY, "the condition ends where a name is expected");
    return complain(w, REMEDY, "`%.80s` in the condition stands where a name is expected", w->word);
}

static const SigmaExpr *operand(Words *w);

static const SigmaExpr *negation(Words *w) {
    next(w);
    const SigmaExpr *kid = operand(w);
    return kid ? expr_new(w->in->arena, EXPR_NOT, &kid, 1) : NULL;
}

/* One operand, its `not`s before it. */
static const SigmaExpr *operand(Words *w) {
    if (w->depth == SIGMA_CONDITION_DEPTH_MAX)
        return complain(
            w, "write it in fewer levels", "the condition is nested deeper than %d levels", SIGMA_CONDITION_DEPTH_MAX);
    const SigmaExpr *expr;
    bool all;
    w->depth++;
    if (is(w, "not"))
        expr = negation(w);
    else if (is(w, "("))
        expr = bracket(w);
    else if (quantifier(w, &all))
        expr = several(w, all);
    else if (!*w->word || strchr(")|,<>=!", *w->word) || is(w, "and") || is(w, "or"))
        expr = no_operand(w);
    else
        expr = named(w);
    w->depth--;
    return expr;
}

/* `kid WORD kid WORD …` */
static const SigmaExpr *chain(Words *w, const char *word, SigmaExprKind kind, const SigmaExpr *(*kid_of)(Words *)) {
    const SigmaExpr **kids = NULL, *whole = NULL;
    size_t count = 0;
    for (;; next(w)) {
        const SigmaExpr *kid = kid_of(w);
        if (!kid) break;
        kids = alloc_again((void *)kids, count + 1, sizeof *kids);
        kids[count++] = kid;
        if (is(w, word)) continue;
        whole = count == 1 ? kid : expr_new(w->in->arena, kind, kids, count);
        break;
    }
    free((void *)kids);
    return whole;
}

static const SigmaExpr *all_of(Words *w) { return chain(w, "and", EXPR_AND, operand); }
static const SigmaExpr *any_of(Words *w) { return chain(w, "or", EXPR_OR, all_of); }

/* `by a, b` */
static void read_by(Words *w, SigmaAggregation *ret) {
    const char **by = arena_alloc(w->in->arena, CORRELATION_GROUP_BY_MAX, sizeof *by);
    do {
        next(w);
        if (!*w->word || ret->by_count == CORRELATION_GROUP_BY_MAX) {
            complain(w, "name a few fields", "`by` in the condition needs 1 to %d fields", CORRELATION_GROUP_BY_MAX);
            return;
        }
        by[ret->by_count++] = arena_text(w->in->arena, w->word);
        next(w);
    } while (is(w, ","));
    ret->by = by;
}

static bool read_bound(Words *w, SigmaAggregation *ret) {
    static const char *const comparisons[] = {">", ">=", "<", "<=", "=", "==", NULL};
    for (size_t i = 0; comparisons[i] && !ret->comparison[0]; i++)
        if (is(w, comparisons[i])) memcpy(ret->comparison, comparisons[i], strlen(comparisons[i]));
    next(w);
    const bool number = *w->word && strlen(w->word) <= 9 && !w->word[strspn(w->word, "0123456789")];
    ret->bound = number ? atoll(w->word) : 0;
    next(w);
    return ret->comparison[0] && number && !*w->word;
}

/* Behind the pipe: `count() by user > 5`, `count(eventName) by user >= 5`. */
static void read_aggregation(Words *w, SigmaAggregation *ret) {
    static const char remedy[] =
        "such as `selection | count(eventName) by userIdentity.arn > 5`, or a correlation rule";
    next(w);
    ret->given = is(w, "count");
    next(w);
    bool good = ret->given && is(w, "(");
    next(w);
    if (good && !is(w, ")")) {
        ret->field = arena_text(w->in->arena, w->word);
        next(w);
    }
    good = good && is(w, ")");
    next(w);
    if (good && is(w, "by")) read_by(w, ret);
    if (!good || !read_bound(w, ret)) complain(w, remedy, "only a count may stand behind `|` in a condition");
}

static const SigmaExpr *read_one(
    SigmaCompile *in, const Node *node, SigmaSearch *searches, size_t count, SigmaAggregation *ret) {
    if (node->kind != NODE_SCALAR || !node->length)
        return sigma_problem(in, node->at, REMEDY, "a condition must be a text"), NULL;
    if (node->length > SIGMA_CONDITION_BYTES_MAX)
        return sigma_problem(in, node->at, "make it shorter: `1 of x*` names many at once",
                   "the condition is longer than %d bytes", SIGMA_CONDITION_BYTES_MAX),
               NULL;
    Words *w = alloc_zeroed(1, sizeof *w);
    *w = (Words){.in = in, .at = node->at, .p = node->text, .searches = searches, .count = count};
    next(w);
    const SigmaExpr *expr = any_of(w);
    if (expr && is(w, "|"))
        read_aggregation(w, ret);
    else if (expr && *w->word)
        complain(w, REMEDY, "`%.80s` in the condition stands where `and`, `or` or the end is expected", w->word);
    if (w->failed) expr = NULL;
    free(w);
    return expr;
}

const SigmaExpr *condition_read(
    SigmaCompile *in, const Node *node, SigmaSearch *searches, size_t count, SigmaAggregation *ret_aggregation) {
    if (node->kind != NODE_LIST) return read_one(in, node, searches, count, ret_aggregation);
    const SigmaExpr **kids = arena_alloc(in->arena, node->count, sizeof *kids);
    bool whole = node->count > 0;
    for (size_t i = 0; i < node->count; i++)
        whole = (kids[i] = read_one(in, node->items[i], searches, count, ret_aggregation)) && whole;
    if (!node->count) sigma_problem(in, node->at, REMEDY, "the condition is empty");
    if (whole && ret_aggregation->given && node->count > 1)
        return sigma_problem(in, node->at, "write a rule each", "`|` cannot stand in one of several conditions"), NULL;
    return whole ? expr_new(in->arena, EXPR_OR, kids, node->count) : NULL;
}
