#include "config/syntax.h"

#include "base/alloc.h"
#include "base/text.h"
#include "config/node.h"

#include <string.h>

/* Line and column of a byte. */
static Place place_at(const Source *source, size_t offset) {
    Place at = {source->file, 1, 1};
    size_t line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (source->text[i] != '\n') continue;
        at.line++;
        line_start = i + 1;
    }
    at.column = (uint32_t)utf8_count(source->text + line_start, offset - line_start) + 1;
    return at;
}

Place source_place(const Source *source, size_t line, size_t column) {
    return line < source->last.line ? (Place){source->file, (uint32_t)line + 1, (uint32_t)column + 1} : source->last;
}

/* Characters that YAML forbids, and line ends that an editor does not count: libyaml would number lines differently. */
static bool is_forbidden(uint32_t code) {
    if (code < 0x20) return code != '\t' && code != '\n' && code != '\r';
    return (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029 || code == 0xfeff || code == 0xfffe ||
        code == 0xffff;
}

static bool check_characters(const Source *source, Problems *all) {
    uint32_t code = 0;
    for (size_t i = 0, step; i < source->length; i += step) {
        const char plain = source->text[i];
        step = 1;
        if ((plain >= ' ' && plain <= '~') || plain == '\n') continue; /* nearly all of it */
        step = utf8_step(source->text + i, source->length - i, &code);
        const bool alone = code == '\r' && (i + 1 == source->length || source->text[i + 1] != '\n');
        if (step && !is_forbidden(code) && !alone) continue;
        const Place at = place_at(source, i);
        if (step) return problem_add(all, at, "remove it", "the invisible character U+%04X", code);
        if (!source->text[i]) return problem_add(all, at, "is this a text file?", "a NUL byte");
        return problem_add(
            all, at, "save the file as UTF-8", "the byte 0x%02x is no UTF-8", (unsigned char)source->text[i]);
    }
    return true;
}

bool source_open(Source *source, const char *file, const char *text, size_t length, Problems *all) {
    const size_t mark = length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    *source = (Source){file, text + mark, length - mark, {file, 1, 1}};
    if (length > YAML_FILE_MAX) {
        return problem_add(
            all, (Place){file, 1, 1}, "split it with `include`", "the file is longer than %d bytes", YAML_FILE_MAX);
    }
    if (!check_characters(source, all)) return false;
    if (source->length) source->last = place_at(source, source->length - 1);
    return true;
}

/* libyaml's words, where they are met in practice; `at_context` places it where the thing began. */
static const struct Wording {
    const char *context, *problem; /* NULL: any; beginnings */
    bool at_context;
    const char *what, *remedy;
} wordings[] = {
    {"while scanning a quoted scalar", "found unexpected end of stream", true, "this quote is never closed",
        "close it; inside, write \\\" in double quotes and '' in single quotes"},
    {"while scanning a quoted scalar", "found unexpected document indicator", true, "this quote is never closed",
        "close it"},
    {"while scanning a simple key", NULL, true, "a key without its `: `",
        "write `key: value`; begin an item of a list with `- `, and indent the lines of a long text"},
    {"while parsing a flow sequence", NULL, true, "this `[` is not closed, or a comma is missing",
        "separate items with `, `, close with `]`"},
    {"while parsing a flow mapping", NULL, true, "this `{` is not closed, or a comma is missing",
        "separate entries with `, `, close with `}`"},
    {NULL, "did not find expected node content", false, "a value is missing here, or a bracket is not closed",
        "close what was opened above; quote a text that begins with a bracket or a comma"},
    {NULL, "mapping values are not allowed", false, "`: ` is not allowed here",
        "quote the text if the colon belongs to it, or indent the line as its neighbours"},
    {"while parsing a block mapping", NULL, false, "neither a key of the lines above nor inside of one",
        "indent the keys of one section alike"},
    {"while parsing a block collection", NULL, false, "an item is expected here",
        "begin it with `- `, indented as the others"},
    {"while parsing a block sequence", NULL, false, "an item is expected here",
        "begin it with `- `, indented as the others"},
    {NULL, "block sequence entries are not allowed", false, "a list cannot begin here",
        "put the `- ` on a line of its own"},
    {NULL, "found unknown escape character", false, "an unknown escape in double quotes",
        "write \\\\ for a backslash, or use single quotes"},
    {NULL, "did not find expected hexdecimal number", false, "an escape needs hexadecimal digits",
        "write \\\\ for a backslash, or use single quotes"},
    {"while scanning an anchor", NULL, true, "a `&` that names no anchor", "quote the text if it begins with `&`"},
    {"while scanning a block scalar", NULL, false, "a block of text cannot begin so",
        "put nothing behind `|` or `>`, and indent its lines with spaces"},
    {NULL, "did not find expected <document start>", false, "nothing may stand here", "indent it as the lines above"},
    {NULL, "found undefined tag handle", true, "a tag that means nothing here", "quote the text if it begins with `!`"},
};

static bool begins(const char *text, const char *beginning) {
    return !beginning || (text && !strncmp(text, beginning, strlen(beginning)));
}

/* The byte at libyaml's line and column. */
static size_t offset_of(const Source *source, yaml_mark_t mark) {
    size_t at = 0;
    for (size_t line = 0; line < mark.line && at < source->length; at++) line += source->text[at] == '\n';
    for (size_t column = 0; column < mark.column && at < source->length; column++) {
        uint32_t code;
        at += utf8_step(source->text + at, source->length - at, &code);
    }
    return at;
}

/* What stands at a mark, to be quoted in a remedy: up to the next blank or bracket; caller frees. */
static char *word_at(const Source *source, yaml_mark_t mark) {
    const size_t at = offset_of(source, mark);
    OWN(text) char *rest = text_copy_length(source->text + at, utf8_cut(source->text + at, source->length - at, 80));
    return text_copy_length(rest, strcspn(rest, " \t\r\n,]}"));
}

/* A star where a text was meant: `LoadBalancer: *`, `- *.example.org`. */
static bool star_problem(const Source *source, yaml_mark_t mark, Problems *all) {
    OWN(text) char *word = word_at(source, mark);
    OWN(text) char *remedy = text_format("quote it: \"%s\"", word);
    return problem_add(
        all, source_place(source, mark.line, mark.column), remedy, "a star without quotes means an alias");
}

static bool start_problem(const Source *source, yaml_mark_t mark, Problems *all) {
    const Place at = source_place(source, mark.line, mark.column);
    const size_t offset = offset_of(source, mark);
    const char first = offset < source->length ? source->text[offset] : ' ';
    if (first == '\t') return problem_add(all, at, "indent with spaces", "a tab where YAML wants spaces");
    OWN(text) char *word = word_at(source, mark);
    OWN(text) char *remedy = text_format("quote it: \"%s\"", word);
    return problem_add(all, at, remedy, "a text cannot begin with `%c` unless it is quoted", first);
}

bool syntax_problem(const yaml_parser_t *parser, const Source *source, Problems *all) {
    const char *context = parser->context, *problem = parser->problem ? parser->problem : "out of memory";
    const Place here = source_place(source, parser->problem_mark.line, parser->problem_mark.column);
    if (begins(context, "while scanning an alias")) return star_problem(source, parser->context_mark, all);
    if (begins(problem, "found character that cannot start any token"))
        return start_problem(source, parser->problem_mark, all);
    if (strstr(problem, "tab character"))
        return problem_add(all, here, "indent with spaces", "a tab where YAML wants spaces");
    for (size_t i = 0; i < COUNT_OF(wordings); i++) {
        const struct Wording *wording = &wordings[i];
        if (!begins(context, wording->context) || !begins(problem, wording->problem)) continue;
        const yaml_mark_t began = parser->context_mark;
        const Place at = wording->at_context ? source_place(source, began.line, began.column) : here;
        return problem_add(all, at, wording->remedy, "%s", wording->what);
    }
    return problem_add(all, here, "check quotes, brackets and indentation here and above", "this is no YAML: %s%s%s",
        context ? context : "", context ? ", " : "", problem);
}
