/* A CloudWatch expression. Holds: tokens lie in the text, one behind the other, with nothing but blanks between them;
 * an id that is renamed is named wherever it was named before and nowhere else; renamed back it is the same text. */
#include "fuzz.h"

#include "base/alloc.h"
#include "sources/math_expression.h"

#include <stdlib.h>
#include <string.h>

#define FRESH "fresh_id_of_the_test"

static size_t check_tokens(const char *text, size_t *ret_named) {
    MathScan scan = {.at = text};
    MathToken token;
    const char *end = text;
    size_t count = 0;
    while (math_next(&scan, &token)) {
        if (token.text < end || !token.length || strlen(token.text) < token.length) abort();
        for (const char *p = end; p < token.text; p++)
            if (!strchr(" \t\r\n", *p)) abort();
        end = token.text + token.length;
        *ret_named += token.kind == MATH_NAME && math_token_is(&token, "m1");
        count++;
    }
    if (end[strspn(end, " \t\r\n")]) abort();
    return count;
}

static size_t count_of(MathTokenKind kind, const char *text, const char *id) {
    MathScan scan = {.at = text};
    MathToken token;
    size_t count = 0;
    while (math_next(&scan, &token)) count += token.kind == kind && math_token_is(&token, id);
    return count;
}

static void check_rename(Arena *arena, const char *text, size_t tokens, size_t named) {
    static const char *const ids[] = {"m1"}, *const fresh[] = {FRESH};
    const char *renamed = expression_rename(arena, text, ids, fresh, 1);
    if (expression_is_query(text)) {
        if (strcmp(renamed, text) != 0) abort();
        return;
    }
    if (count_of(MATH_NAME, text, FRESH)) return; /* not fresh */
    size_t none = 0;
    if (check_tokens(renamed, &none) != tokens || none || count_of(MATH_NAME, renamed, FRESH) != named) abort();
    if (count_of(MATH_CALL, renamed, "m1") != count_of(MATH_CALL, text, "m1")) abort(); /* a function is no id */
    if (expression_passes(renamed, FRESH) != expression_passes(text, "m1")) abort();
    if (expression_is_many(renamed) != expression_is_many(text)) abort();
    if (strcmp(expression_rename(arena, renamed, fresh, ids, 1), text) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > EXPRESSION_MAX) return 0; /* its reader lets none in */
    OWN(arena) Arena *arena = arena_new();
    OWN(text) char *text = text_copy_length((const char *)data, size);
    size_t named = 0;
    const size_t tokens = check_tokens(text, &named);
    check_rename(arena, text, tokens, named);
    const char *names[EXPRESSION_NAMES_MAX];
    const size_t count = expression_names(arena, text, names);
    if (count > EXPRESSION_NAMES_MAX) abort();
    for (size_t i = 0; i < count; i++)
        if (!names[i] || strlen(names[i]) > size) abort();
    expression_calls(text, "ANOMALY_DETECTION_BAND");
    return 0;
}
