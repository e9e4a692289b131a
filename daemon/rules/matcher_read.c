/* daemon/rules/matcher_read.c: the grammar of matchers */
#include "rules/matcher_read.h"

#include "base/buffer.h"
#include "base/text.h"

#include <string.h>

#define BLANKS " \t\r\n"
#define FORM "write it as name=\"value\", with =, !=, =~ or !~"

typedef struct Reading {
    const char *text;
    size_t at, end; /* end: behind the last byte of the list */
    Fault *fault;
} Reading;

static bool is_in(const char *set, char c) { return c && strchr(set, c); }

static void skip_blanks(Reading *r) {
    while (r->at < r->end && is_in(BLANKS, r->text[r->at])) r->at++;
}

static bool refuse(const Reading *r, const char *what) { return fault_set(r->fault, r->text, r->at, FORM, "%s", what); }

/* One character of a value, its escape undone. Any backslash but those of \" \\ \n stands for itself. */
static void add_character(Reading *r, Buffer *out) {
    const char c = r->text[r->at++];
    if (c == '\\' && r->at < r->end && is_in("\"\\n", r->text[r->at])) {
        const char next = r->text[r->at++];
        buffer_add(out, next == 'n' ? "\n" : &next, 1);
        return;
    }
    buffer_add(out, &c, 1);
    if (c == '\\' && r->at < r->end) buffer_add(out, &r->text[r->at++], 1); /* what it escapes ends nothing */
}

static bool read_quoted(Reading *r, Buffer *out) {
    const size_t open = r->at++;
    while (r->at < r->end && r->text[r->at] != '"') add_character(r, out);
    if (r->at >= r->end)
        return fault_set(r->fault, r->text, open, "end it with `\"`; inside, write \\\"", "a quote is not closed");
    r->at++;
    return true;
}

static bool read_name(Reading *r, Buffer *out) {
    if (r->at < r->end && r->text[r->at] == '"') {
        const size_t open = r->at;
        if (!read_quoted(r, out)) return false;
        return out->used || fault_set(r->fault, r->text, open, FORM, "a label's name is empty");
    }
    while (r->at < r->end && !is_in(BLANKS "{}!=~,\"'`\\", r->text[r->at])) buffer_add(out, &r->text[r->at++], 1);
    return out->used || refuse(r, r->at < r->end ? "a label's name is expected here" : "a matcher is missing here");
}

static bool read_operator(Reading *r, Matcher *matcher) {
    static const struct {
        const char *sign;
        bool is_regex, is_equal;
    } signs[] = {{"=~", true, true}, {"!=", false, false}, {"!~", true, false}, {"=", false, true}};
    skip_blanks(r);
    if (r->end - r->at >= 2 && !strncmp(r->text + r->at, "==", 2)) return refuse(r, "`==` is no operator");
    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        const size_t length = strlen(signs[i].sign);
        if (r->end - r->at < length || strncmp(r->text + r->at, signs[i].sign, length) != 0) continue;
        matcher->is_regex = signs[i].is_regex;
        matcher->is_equal = signs[i].is_equal;
        r->at += length;
        return true;
    }
    return fault_set(r->fault, r->text, r->at, FORM "; a value with a comma stands in double quotes",
        "an operator is expected here");
}

static bool read_bare_value(Reading *r, Buffer *out) {
    static const char *const remedy = "put the value into double quotes; inside, write \\\"";
    if (r->at < r->end && is_in("'`", r->text[r->at]))
        return fault_set(r->fault, r->text, r->at, remedy, "a value is quoted with `%c`", r->text[r->at]);
    while (r->at < r->end && r->text[r->at] != ',') {
        if (r->text[r->at] == '"')
            return fault_set(r->fault, r->text, r->at, remedy, "a double quote inside a bare value");
        add_character(r, out);
    }
    while (out->used && is_in(BLANKS, out->bytes[out->used - 1])) out->bytes[--out->used] = '\0';
    return true;
}

static bool read_value(Reading *r, Buffer *out) {
    skip_blanks(r);
    return r->at < r->end && r->text[r->at] == '"' ? read_quoted(r, out) : read_bare_value(r, out);
}

/* A fault of matchers_add() counts from the value's start: moved to where that stands. Escapes before it may shift it.
 */
static bool add_read(Reading *r, Matchers *matchers, const Matcher *matcher, size_t value_at) {
    Fault inner = {0};
    if (matchers_add(matchers, matcher, &inner)) return true;
    size_t at = value_at;
    uint32_t code;
    for (size_t i = 1; i < inner.column && at < r->end; i++) at += utf8_step(r->text + at, r->end - at, &code);
    return fault_set(r->fault, r->text, at, inner.remedy, "%s", inner.what);
}

static bool read_matcher(Reading *r, Matchers *matchers) {
    OWN(buffer) Buffer name = BUFFER(MATCHER_TEXT_MAX);
    OWN(buffer) Buffer value = BUFFER(MATCHER_TEXT_MAX);
    Matcher matcher = {0};
    if (!read_name(r, &name) || !read_operator(r, &matcher)) return false;
    skip_blanks(r);
    const size_t value_at = r->at + (r->at < r->end && r->text[r->at] == '"');
    if (!read_value(r, &value)) return false;
    matcher.name = buffer_string(&name);
    matcher.value = buffer_string(&value);
    return add_read(r, matchers, &matcher, value_at);
}

/* Behind a matcher: the end, or a comma (one at the end is allowed, as in Alertmanager). */
static bool read_list(Reading *r, Matchers *matchers) {
    for (skip_blanks(r); r->at < r->end; skip_blanks(r)) {
        if (!read_matcher(r, matchers)) return false;
        skip_blanks(r);
        if (r->at < r->end && r->text[r->at] != ',')
            return fault_set(r->fault, r->text, r->at, "put a comma between matchers", "a comma is expected here");
        if (r->at < r->end) r->at++;
    }
    return true;
}

static bool open_braces(Reading *r) {
    skip_blanks(r);
    while (r->end > r->at && is_in(BLANKS, r->text[r->end - 1])) r->end--;
    if (r->at == r->end)
        return fault_set(r->fault, r->text, r->at, FORM "; `{}` is the list of none", "there is no matcher");
    if (r->text[r->at] != '{') return true;
    if (r->end - r->at < 2 || r->text[r->end - 1] != '}')
        return fault_set(r->fault, r->text, r->end, "end it with `}`", "a brace is not closed");
    r->at++;
    r->end--;
    return true;
}

bool matcher_read(Matchers *matchers, const char *text, Fault *fault) {
    if (!fault_check_text(fault, text, MATCHER_TEXT_MAX)) return false;
    Reading reading = {text, 0, strlen(text), fault};
    return open_braces(&reading) && read_list(&reading, matchers);
}
