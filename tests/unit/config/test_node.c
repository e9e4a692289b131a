#include "config/node.h"

#include "../run.h"
#include "printed.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <string.h>

/* The tree on one line: `{key: value, list: ["quoted"]}`. */
static void dump(const Node *node, Buffer *out) {
    if (node->kind == NODE_SCALAR) {
        buffer_format(out, node->quoted ? "\"%s\"" : "%s", node->text);
        return;
    }
    const bool is_map = node->kind == NODE_MAP;
    buffer_text(out, is_map ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        if (i) buffer_text(out, ", ");
        if (is_map) buffer_format(out, "%s: ", node->entries[i].key->text);
        dump(is_map ? node->entries[i].value : node->items[i], out);
    }
    buffer_text(out, is_map ? "}" : "]");
}

static const struct {
    const char *text, *want; /* the tree, then the problems; a problem as `LINE:COLUMN: error: …` */
} cases[] = {
    /* no text at all */
    {"", "{}"},
    {"\n# only a comment\n", "{}"},
    {"---\n", "{}"},
    {"\xef\xbb\xbf"
     "a: 1",
        "{a: 1}"},
    {"a: 1\nb: \xff", "2:4: error: the byte 0xff is no UTF-8 (save the file as UTF-8)\n"},
    {"\xff\xfe"
     "a",
        "1:1: error: the byte 0xff is no UTF-8 (save the file as UTF-8)\n"},
    {"a: \x01", "1:4: error: the invisible character U+0001 (remove it)\n"},
    {"a: \xc3\xa4\xe2\x80\xa8", "1:5: error: the invisible character U+2028 (remove it)\n"},
    {"a: 1\rb: 2", "1:5: error: the invisible character U+000D (remove it)\n"},
    {"a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"},
    {"a: \"\\0\"", "1:4: error: a NUL character in a text (remove it)\n"},
    /* syntax */
    {"a:\n\tb: 1", "2:1: error: a tab where YAML wants spaces (indent with spaces)\n"},
    {"a:\n  b: 1\n\tc: 1", "3:1: error: a tab where YAML wants spaces (indent with spaces)\n"},
    {"a: *", "1:4: error: a star without quotes means an alias (quote it: \"*\")\n"},
    {"\xc3\xa4: {b: *}", "1:8: error: a star without quotes means an alias (quote it: \"*\")\n"},
    {"a:\n- *.example.org", "2:3: error: a star without quotes means an alias (quote it: \"*.example.org\")\n"},
    {"a: *b",
        "1:4: error: `*b` refers to an anchor that is not there (quote it if the star belongs to the text: \"*b\")\n"},
    {"a: @b c", "1:4: error: a text cannot begin with `@` unless it is quoted (quote it: \"@b\")\n"},
    {"a: `", "1:4: error: a text cannot begin with `\x60` unless it is quoted (quote it: \"`\")\n"},
    {"a: \"b\nc: 1\n",
        "1:4: error: this quote is never closed (close it; inside, write \\\" in double quotes and '' in single "
        "quotes)\n"},
    {"a: [1, 2\nb: 3\n",
        "1:4: error: this `[` is not closed, or a comma is missing (separate items with `, `, close with `]`)\n"},
    {"a: {b: 1\n",
        "1:4: error: this `{` is not closed, or a comma is missing (separate entries with `, `, close with `}`)\n"},
    {"a: b: c",
        "1:5: error: `: ` is not allowed here (quote the text if the colon belongs to it, or indent the line as its "
        "neighbours)\n"},
    {"a: 1\n b: 2",
        "2:3: error: `: ` is not allowed here (quote the text if the colon belongs to it, or indent the line as its "
        "neighbours)\n"},
    {"a:\n    b: 1\n  c: 2",
        "3:3: error: neither a key of the lines above nor inside of one (indent the keys of one section alike)\n"},
    {"a: 1\nword\nb: 2",
        "2:1: error: a key without its `: ` (write `key: value`; begin an item of a list with `- `, and indent the "
        "lines of a long text)\n"},
    {"a: \"\\d\"",
        "1:5: error: an unknown escape in double quotes (write \\\\ for a backslash, or use single quotes)\n"},
    {"a: !env X", "1:4: error: the tag `!env` means nothing here (remove it)\n"},
    {"a: 1\n---\nb: 2", "2:1: error: a second YAML document begins here (one a file; use `include`)\n"},
    {"? [a]\n: 1", "1:3: error: a key must be a plain word (quote it if the brackets belong to the text)\n"},
    {"subject: {{ .x }}", "1:11: error: a key must be a plain word (quote it if the brackets belong to the text)\n"},
    {"a: &a [*a]", "1:8: error: `*a` stands inside of what it refers to (write it out)\n"},
    {"a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\na: 3",
        "{a: 1, b: {c: 1, d: 2}}"
        "2:17: error: `c` is given twice, first at line 2 (keep one of them)\n"
        "3:1: error: `a` is given twice, first at line 1 (keep one of them)\n"
        "4:1: error: `a` is given twice, first at line 1 (keep one of them)\n"},
    {"a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1\nk: 1\nl: 1\nm: 1\nn: 1\no: 1\np: 1\nq: 1\nb: 2",
        "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, k: 1, l: 1, m: 1, n: 1, o: 1, p: 1, q: 1}"
        "18:1: error: `b` is given twice, first at line 2 (keep one of them)\n"}, /* so many are sorted */
    /* what is good */
    {"a: x # c\nb: 'y'\nc: |\n  l1\n  l2\nd:\n", "{a: x, b: \"y\", c: \"l1\nl2\n\", d: }"},
    {"a: !!str 5\nb: !!int 5", "{a: \"5\", b: 5}"},
    {"x: &p {a: 1}\ny: [*p, *p]\nz: *p", "{x: {a: 1}, y: [{a: 1}, {a: 1}], z: {a: 1}}"},
    {"x: &p 1\ny: &p 2\nz: *p", "{x: 1, y: 2, z: 2}"},
    {"- a\n- b", "[a, b]"},
    {"text", "text"},
};

START_TEST(texts_become_trees_or_problems) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    OWN(buffer) Buffer got = BUFFER(100000), want = BUFFER(100000);
    const size_t length = strlen(cases[_i].text);
    OWN(text) char *exact = alloc_zeroed(length, 1); /* no zero behind it: a sanitizer sees who reads on */
    memcpy(exact, cases[_i].text, length);
    const Node *root = node_parse(arena, arena, "f", exact, length, all);
    if (root) dump(root, &got);
    OWN(text) char *lines = printed(all);
    buffer_text(&got, lines);
    for (const char *p = cases[_i].want; *p;) { /* `f:` in front of each line that is a problem */
        const char *end = strchrnul(p, '\n');
        const char *error = memmem(p, (size_t)(end - p), ": error: ", 9);
        const char *place = error;
        while (place && place > p && strchr("0123456789:", place[-1])) place--;
        if (place) {
            buffer_add(&want, p, (size_t)(place - p));
            buffer_text(&want, "f:");
            p = place;
        }
        buffer_add(&want, p, (size_t)(end - p) + (*end == '\n'));
        p = end + (*end == '\n');
    }
    ck_assert_str_eq(buffer_string(&got), buffer_string(&want));
}
END_TEST

static char *repeat(const char *before, const char *piece, size_t count, const char *after) {
    Buffer text = BUFFER(64 << 20);
    buffer_text(&text, before);
    for (size_t i = 0; i < count; i++) buffer_text(&text, piece);
    buffer_text(&text, after);
    return buffer_take(&text);
}

static void refused(const char *text, const char *want) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    ck_assert_ptr_null(node_parse(arena, arena, "f", text, strlen(text), all));
    OWN(text) char *lines = printed(all);
    ck_assert_str_eq(lines, want);
    ck_assert_uint_lt(arena_bytes(arena), 128 << 20);
}

START_TEST(bombs_are_refused) {
    OWN(text) char *deep = repeat("a: ", "[", 100000, "");
    refused(deep, "f:1:67: error: nested deeper than 64 levels (flatten it)\n");
    OWN(text) char *deeper = repeat("", "{a: ", 65, "");
    refused(deeper, "f:1:257: error: nested deeper than 64 levels (flatten it)\n");
    OWN(text) char *blocks = repeat("", "- ", 100000, "");
    refused(blocks, "f:1:129: error: nested deeper than 64 levels (flatten it)\n");
    OWN(text) char *many = repeat("[", "1,", 200000, "]");
    refused(many, "f:1:399996: error: more than 200000 values and brackets in one file (split the file)\n");
    OWN(text) char *big = repeat("", "# 345678\n", YAML_FILE_MAX / 9 + 1, "");
    refused(big, "f:1:1: error: the file is longer than 1048576 bytes (split it with `include`)\n");
    Buffer laughs = BUFFER(10000);
    buffer_text(&laughs, "a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (char c = 'b'; c <= 'i'; c++) {
        const char p = (char)(c - 1);
        buffer_format(&laughs, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, p, p, p, p, p, p, p, p, p);
    }
    refused(laughs.bytes, "f:6:8: error: aliases stand for more than 100000 values (use fewer aliases)\n");
    buffer_deinit(&laughs);
    Buffer nest = BUFFER(100000); /* no file nests deep, what the aliases make of it does */
    buffer_text(&nest, "a0: &a0 [x]\n");
    for (int i = 1; i < 70; i++) buffer_format(&nest, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    refused(nest.bytes, "f:63:12: error: nested deeper than 64 levels (flatten it)\n");
    buffer_deinit(&nest);
}
END_TEST

START_TEST(every_prefix_ends) { /* cut at each byte: a tree or a problem inside the file, never both missing */
    const char text[] = "x: &p {a: 'b', \"c\": [1, *p2]}\n# \xc3\xa4\ny:\n  - >-\n    z\n  - |+\n\n  - ? q\n    : r\n";
    for (size_t length = 0; length < sizeof text; length++) {
        OWN(arena) Arena *arena = arena_new();
        OWN(problems) Problems *all = problems_new();
        OWN(text) char *exact = alloc_zeroed(length, 1);
        memcpy(exact, text, length);
        const Node *root = node_parse(arena, arena, "f", exact, length, all);
        ck_assert(root || problems_errors(all));
    }
}
END_TEST

START_TEST(places_and_lookups) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    const char text[] = "\xef\xbb\xbf# \xc3\xa4\n\xc3\xa4\xc3\xb6: {k: ~, l: 'null', m: }\n";
    const Node *root = node_parse(arena, arena, "f", text, sizeof text - 1, all);
    const NodeEntry *entry = node_entry(root, "\xc3\xa4\xc3\xb6");
    ck_assert(entry->key->at.line == 2 && entry->key->at.column == 1);
    ck_assert(entry->value->at.line == 2 && entry->value->at.column == 5);
    ck_assert(node_get(entry->value, "l")->at.column == 15);
    ck_assert(node_is_null(node_get(entry->value, "k")) && !node_is_null(node_get(entry->value, "l")));
    ck_assert(node_is_null(node_get(entry->value, "m")) && node_is_null(NULL) && !node_is_null(root));
    ck_assert(!node_get(root, "none") && !node_get(NULL, "k") && !node_get(node_get(entry->value, "k"), "k"));
}
END_TEST

START_TEST(documents_of_one_file) {
    static const struct {
        const char *text, *want;
    } files[] = {
        {"", ""},
        {"---\n---\n# nothing\n", ""},
        {"a: 1\n---\nb: 2\n", "{a: 1}{b: 2}"},
        {"---\na: 1\n...\n---\n- 2\n---\n", "{a: 1}[2]"},
        {"a: &x 1\n---\nb: &x 2\nc: *x\n", "{a: 1}{b: 2, c: 2}"},
        {"a: &x 1\n---\nb: *x\n",
            "3:4: error: `*x` refers to an anchor that is not there (quote it if the star belongs to "
            "the text: \"*x\")\n"},
        {"a: 1\n---\nb: [\n",
            "3:5: error: a value is missing here, or a bracket is not closed (close what was opened above; "
            "quote a text that begins with a bracket or a comma)\n"},
    };
    for (size_t f = 0; f < COUNT_OF(files); f++) {
        OWN(arena) Arena *arena = arena_new();
        OWN(problems) Problems *all = problems_new();
        OWN(buffer) Buffer got = BUFFER(10000), want = BUFFER(10000);
        size_t count = 0;
        const Node *const *roots = node_parse_all(arena, arena, "f", files[f].text, strlen(files[f].text), &count, all);
        for (size_t i = 0; roots && i < count; i++) dump(roots[i], &got);
        char *lines = printed(all);
        buffer_text(&got, lines);
        free(lines);
        if (strstr(files[f].want, "error")) buffer_text(&want, "f:");
        buffer_text(&want, files[f].want);
        ck_assert_str_eq(buffer_string(&got), buffer_string(&want));
        ck_assert(!roots == (problems_errors(all) > 0));
    }
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, documents_of_one_file);
    tcase_add_loop_test(tcase, texts_become_trees_or_problems, 0, COUNT_OF(cases));
    tcase_add_test(tcase, bombs_are_refused);
    tcase_add_test(tcase, every_prefix_ends);
    tcase_add_test(tcase, places_and_lookups);
}
int main(void) { return run_tests("node", fill); }
