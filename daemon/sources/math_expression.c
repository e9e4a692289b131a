#include "sources/math_expression.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <ctype.h>
#include <string.h>

bool math_token_is(const MathToken *token, const char *text) {
    return token->length == strlen(text) && strncmp(token->text, text, token->length) == 0;
}

static bool folds(const MathToken *token) {
    static const char *const functions[] = {"SUM", "AVG", "MIN", "MAX", "STDDEV", "FIRST", "LAST"};
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (math_token_is(token, functions[i])) return true;
    return false;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Keeps count of the brackets that are open, and of those that belong to a function that folds. */
static void scan_bracket(MathScan *scan, char c) {
    if (c == '(') {
        const bool opens = scan->is_call && scan->call_folds && scan->depth < MATH_DEPTH_MAX;
        if (scan->depth < MATH_DEPTH_MAX) scan->opens_fold[scan->depth] = opens;
        scan->folds += opens;
        scan->depth++;
    } else if (c == ')' && scan->depth > 0) {
        scan->depth--;
        if (scan->depth < MATH_DEPTH_MAX && scan->opens_fold[scan->depth]) scan->folds--;
    }
}

static void take_quoted(MathToken *token) {
    const char *end = strchr(token->text + 1, token->text[0]);
    token->kind = MATH_QUOTED;
    token->length = end ? (size_t)(end - token->text) + 1 : strlen(token->text);
}

static void take_word(MathToken *token) {
    token->length = 1;
    while (is_word(token->text[token->length])) token->length++;
    const char *behind = token->text + token->length + strspn(token->text + token->length, " \t\r\n");
    token->kind = *behind == '(' ? MATH_CALL : MATH_NAME;
}

static void take_number(MathToken *token) {
    token->kind = MATH_OTHER;
    token->length = 1;
    while (is_word(token->text[token->length]) || token->text[token->length] == '.') token->length++;
}

bool math_next(MathScan *scan, MathToken *ret) {
    scan->at += strspn(scan->at, " \t\r\n");
    if (!*scan->at) return false;
    *ret = (MathToken){.kind = MATH_OTHER, .text = scan->at, .length = 1, .is_folded = scan->folds > 0};
    if (*scan->at == '\'' || *scan->at == '"')
        take_quoted(ret);
    else if (isalpha((unsigned char)*scan->at) || *scan->at == '_')
        take_word(ret);
    else if (isdigit((unsigned char)*scan->at))
        take_number(ret);
    else
        scan_bracket(scan, *scan->at);
    scan->is_call = ret->kind == MATH_CALL;
    scan->call_folds = scan->is_call && folds(ret);
    scan->at += ret->length;
    return true;
}

static bool token_is_word(const MathToken *token, const char *word) {
    return token->kind != MATH_QUOTED && token->length == strlen(word) &&
        strncasecmp(token->text, word, token->length) == 0;
}

bool expression_is_query(const char *expression) {
    MathScan scan = {.at = expression};
    MathToken first;
    return math_next(&scan, &first) && token_is_word(&first, "SELECT");
}

bool expression_calls(const char *expression, const char *function) {
    MathScan scan = {.at = expression};
    for (MathToken token; math_next(&scan, &token);)
        if (token.kind == MATH_CALL && math_token_is(&token, function)) return true;
    return false;
}

/* Where the GROUP BY's list begins; NULL: the query has none. */
static const char *group_by(const char *query) {
    MathScan scan = {.at = query};
    bool was_group = false;
    for (MathToken token; math_next(&scan, &token);) {
        if (was_group && token_is_word(&token, "BY")) return scan.at;
        was_group = token_is_word(&token, "GROUP");
    }
    return NULL;
}

bool expression_is_many(const char *expression) {
    if (expression_is_query(expression)) return group_by(expression) != NULL;
    MathScan scan = {.at = expression};
    for (MathToken token; math_next(&scan, &token);) {
        const bool finds =
            token.kind == MATH_CALL && (math_token_is(&token, "SEARCH") || math_token_is(&token, "METRICS"));
        if (!token.is_folded && (finds || (token.kind == MATH_OTHER && *token.text == '['))) return true;
    }
    return false;
}

bool expression_passes(const char *expression, const char *id) {
    MathScan scan = {.at = expression};
    for (MathToken token; math_next(&scan, &token);)
        if (token.kind == MATH_NAME && !token.is_folded && math_token_is(&token, id)) return true;
    return false;
}

static const char *copy_part(Arena *arena, const char *text, size_t length) {
    return arena_format(arena, "%.*s", (int)length, text);
}

static size_t query_names(Arena *arena, const char *query, const char **ret_names) {
    MathScan scan = {.at = group_by(query)};
    size_t count = 0;
    if (!scan.at) return 0;
    for (MathToken token; math_next(&scan, &token);) {
        if (token_is_word(&token, "ORDER") || token_is_word(&token, "LIMIT")) break;
        if (token.kind == MATH_OTHER && *token.text != ',') return 0; /* AWS.AccountId is no dimension */
        if (token.kind == MATH_OTHER) continue;
        if (count == EXPRESSION_NAMES_MAX) return 0;
        const size_t quotes = token.kind == MATH_QUOTED && token.length > 1;
        ret_names[count++] = copy_part(arena, token.text + quotes, token.length - 2 * quotes);
    }
    return count;
}

/* `{AWS/EC2,InstanceId} MetricName="x"`: what stands in the braces behind the namespace. */
static size_t schema_names(Arena *arena, const char *search, const char **ret_names) {
    const char *at = strchr(search, '{'), *end = at ? strchr(at, '}') : NULL;
    size_t count = 0;
    if (!end) return 0;
    at += strcspn(at, ",}");
    while (at < end) {
        at += 1 + strspn(at + 1, " \"");
        const size_t length = strcspn(at, ",}\"");
        if (length == 0 || count == EXPRESSION_NAMES_MAX) return 0;
        ret_names[count++] = copy_part(arena, at, length);
        at += length + strcspn(at + length, ",}");
    }
    return count;
}

/* The text that is searched for, where the expression is one call of SEARCH and nothing around it. */
static const char *only_search(Arena *arena, const char *expression) {
    MathScan scan = {.at = expression};
    const char *search = NULL;
    bool is_first = true;
    for (MathToken token; math_next(&scan, &token); is_first = false) {
        if (is_first && !(token.kind == MATH_CALL && math_token_is(&token, "SEARCH"))) return NULL;
        if (!search && token.kind == MATH_QUOTED) search = copy_part(arena, token.text, token.length);
        if (scan.depth == 0 && *token.text == ')') break;
    }
    return *(scan.at + strspn(scan.at, " \t\r\n")) ? NULL : search;
}

size_t expression_names(Arena *arena, const char *expression, const char *ret_names[static EXPRESSION_NAMES_MAX]) {
    if (expression_is_query(expression)) return query_names(arena, expression, ret_names);
    const char *search = only_search(arena, expression);
    return search ? schema_names(arena, search, ret_names) : 0;
}

static const char *new_name(const MathToken *token, const char *const *ids, const char *const *to, size_t count) {
    for (size_t i = 0; token->kind == MATH_NAME && i < count; i++)
        if (math_token_is(token, ids[i])) return to[i];
    return NULL;
}

const char *expression_rename(
    Arena *arena, const char *expression, const char *const *ids, const char *const *to, size_t count) {
    if (expression_is_query(expression)) return expression; /* it names metrics, no ids */
    Buffer out = BUFFER(EXPRESSION_MAX * 8);
    MathScan scan = {.at = expression};
    const char *copied = expression;
    for (MathToken token; math_next(&scan, &token);) {
        const char *name = new_name(&token, ids, to, count);
        if (!name) continue;
        buffer_add(&out, copied, (size_t)(token.text - copied));
        buffer_text(&out, name);
        copied = token.text + token.length;
    }
    buffer_text(&out, copied);
    const char *text = arena_text(arena, buffer_string(&out));
    buffer_deinit(&out);
    return text;
}
