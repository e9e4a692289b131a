#include "config/schema.h"

#include "../run.h"
#include "printed.h"

#include "base/alloc.h"
#include "config/snapshot.h"

#include <string.h>

typedef struct Inner {
    int64_t port;
    const char *host;
} Inner;
typedef struct Keys {
    const char *name, *description;
    int64_t count, period_s;
    double threshold;
    bool threshold_set, enabled;
    int severity;
    TextList regions;
    TextMap labels;
    Inner inner;
    SectionList list;
    const Node *raw;
} Keys;

static bool period_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const int64_t s = *(const int64_t *)value;
    return s == 10 || s % 60 == 0 || problem_add(in->problems, node->at, row->remedy, "`%s` is no period", row->key);
}

static const char *const severities[] = {"critical", "warning", "warn", NULL};
static const int severity_values[] = {7, 3, 3};
static const SchemaRow inner_rows[] = {
    {.key = "port",
        .type = SCHEMA_INTEGER,
        .offset = offsetof(Inner, port),
        .min = 1,
        .max = 65535,
        .fallback = "25",
        .remedy = "a port"},
    {.key = "host", .type = SCHEMA_TEXT, .offset = offsetof(Inner, host), .required = true, .remedy = "a name"},
    SCHEMA_END,
};
static const SchemaRow section_rows[] = {
    {.key = "port",
        .type = SCHEMA_INTEGER,
        .offset = offsetof(Inner, port),
        .min = 1,
        .max = 65535,
        .fallback = "25",
        .remedy = "a port"},
    SCHEMA_END,
};
#define AT(member) offsetof(Keys, member)
static const SchemaRow rows[] = {
    {.key = "name",
        .type = SCHEMA_TEXT,
        .offset = AT(name),
        .min = 1,
        .max = 8,
        .required = true,
        .remedy = "1 to 8 characters",
        .doc = "What it is called."},
    {.key = "description", .type = SCHEMA_TEXT, .offset = AT(description), .multiline = true, .fallback = "none"},
    {.key = "count",
        .type = SCHEMA_INTEGER,
        .offset = AT(count),
        .min = 1,
        .max = 10080,
        .fallback = "5",
        .remedy = "a whole number from 1 to 10080"},
    {.key = "period",
        .type = SCHEMA_DURATION,
        .offset = AT(period_s),
        .min = 1,
        .max = 604800,
        .fallback = "1m",
        .check = period_ok,
        .remedy = "10 or a multiple of 60"},
    {.key = "threshold",
        .type = SCHEMA_NUMBER,
        .offset = AT(threshold),
        .set_offset = AT(threshold_set),
        .remedy = "a number"},
    {.key = "enabled", .type = SCHEMA_BOOL, .offset = AT(enabled), .fallback = "true"},
    {.key = "severity",
        .type = SCHEMA_CHOICE,
        .offset = AT(severity),
        .choices = severities,
        .choice_values = severity_values,
        .fallback = "warning"},
    {.key = "regions",
        .type = SCHEMA_TEXTS,
        .offset = AT(regions),
        .max = 3,
        .fallback = "[x, y]",
        .remedy = "a list of regions"},
    {.key = "labels", .type = SCHEMA_MAP, .offset = AT(labels), .remedy = "name: value"},
    {.key = "inner", .type = SCHEMA_SECTION, .offset = AT(inner), .rows = section_rows},
    {.key = "list", .type = SCHEMA_SECTIONS, .offset = AT(list), .rows = inner_rows, .size = sizeof(Inner), .max = 2},
    {.key = "raw", .type = SCHEMA_NODE, .offset = AT(raw)},
    {.key = "metrics", .type = SCHEMA_LATER},
    SCHEMA_END,
};

static bool read_keys(const char *text, Keys *keys, Arena *arena, Problems *all) {
    Decoding in = {.arena = arena, .nodes = arena, .problems = all, .directory = "."};
    const Node *root = node_parse(arena, arena, "f", text, strlen(text), all);
    ck_assert_ptr_nonnull(root);
    return schema_read(rows, root, (Place){"f", 9, 9}, keys, &in);
}

static const struct {
    const char *text, *want;
} wrong[] = {
    {"", "f:9:9: error: `name` is missing (1 to 8 characters)\n"},
    {"count: 1\nperiod: 10", "f:1:1: error: `name` is missing (1 to 8 characters)\n"},
    {"- a", "f:1:1: error: keys are expected here, not a list (write `key: value` lines)\n"},
    {"name: a\nnmae: b", "f:2:1: error: unknown key `nmae` (did you mean `name`?)\n"},
    {"name: a\nxyzxyzxyz: b",
        "f:2:1: error: unknown key `xyzxyzxyz` (known: name, description, count, period, threshold, enabled, "
        "severity, regions, labels, inner, list, raw)\n"},
    {"name: a\nmetrics: 5",
        "f:2:1: error: `metrics` does not exist in this version of Tocsin (remove it, or wait for a later "
        "version)\n"},
    {"name:", "f:1:6: error: `name` has no value (1 to 8 characters)\n"},
    {"name: [a]", "f:1:7: error: `name` must be one value, not a list (1 to 8 characters)\n"},
    {"name: {a: b}", "f:1:7: error: `name` must be one value, not a section of its own (1 to 8 characters)\n"},
    {"name: ''", "f:1:7: error: `name` is too short (1 to 8 characters)\n"},
    {"name: abcdefghi", "f:1:7: error: `name` is too long (1 to 8 characters)\n"},
    {"name: \"a\\eb\"", "f:1:7: error: `name` holds a control character (one line of plain text)\n"},
    {"name: |\n  a\n", "f:1:7: error: `name` holds a line break (one line of plain text)\n"},
    {"name: a\ncount: 0", "f:2:8: error: `count` is out of range: `0` (a whole number from 1 to 10080)\n"},
    {"name: a\ncount: 1.5", "f:2:8: error: `count` cannot be `1.5` (a whole number from 1 to 10080)\n"},
    {"name: a\ncount: 1_000", "f:2:8: error: `count` cannot be `1_000` (a whole number from 1 to 10080)\n"},
    {"name: a\ncount: 010", "f:2:8: error: `count` cannot be `010` (a whole number from 1 to 10080)\n"},
    {"name: a\ncount: 0x1f", "f:2:8: error: `count` cannot be `0x1f` (a whole number from 1 to 10080)\n"},
    {"name: a\ncount: 99999999999999999999",
        "f:2:8: error: `count` cannot be `99999999999999999999` (a whole number from 1 to 10080)\n"},
    {"name: a\nperiod: 7s", "f:2:9: error: `period` is no period (10 or a multiple of 60)\n"},
    {"name: a\nperiod: 8d", "f:2:9: error: `period` is out of range: `8d` (10 or a multiple of 60)\n"},
    {"name: a\nperiod: 500ms", "f:2:9: error: `period` cannot be `500ms` (10 or a multiple of 60)\n"},
    {"name: a\nthreshold: .nan", "f:2:12: error: `threshold` cannot be `.nan` (a number)\n"},
    {"name: a\nthreshold: high", "f:2:12: error: `threshold` cannot be `high` (a number)\n"},
    {"name: a\nenabled: yes", "f:2:10: error: `enabled` cannot be `yes` (true or false)\n"},
    {"name: a\nseverity: critcal", "f:2:11: error: `severity` cannot be `critcal` (did you mean `critical`?)\n"},
    {"name: a\nseverity: 5", "f:2:11: error: `severity` cannot be `5` (one of: critical, warning, warn)\n"},
    {"name: a\nregions: {a: b}",
        "f:2:10: error: `regions` must be a list of texts, not a section (a list of regions)\n"},
    {"name: a\nregions: [a, [b], ~]",
        "f:2:14: error: `regions` must be one value, not a list (a list of regions)\n"
        "f:2:19: error: `regions` has no value (a list of regions)\n"},
    {"name: a\nregions: [a, b, c, d]", "f:2:10: error: `regions` has more than 3 items (a list of regions)\n"},
    {"name: a\nlabels: [a]", "f:2:9: error: `labels` must be a section with keys of its own (name: value)\n"},
    {"name: a\nlabels: {a: [b], c: }",
        "f:2:13: error: `a` must be one value, not a list (a text)\nf:2:21: error: `c` has no value (a "
        "text)\n"},
    {"name: a\ninner: {prot: 1}", "f:2:9: error: unknown key `prot` (did you mean `port`?)\n"},
    {"name: a\ninner: 5", "f:2:8: error: `inner` must be a section with keys of its own\n"},
    {"name: a\nlist: {host: b}", "f:2:7: error: `list` must be a list (begin each item with `- `)\n"},
    {"name: a\nlist:\n- port: 1\n- b\n",
        "f:3:3: error: `host` is missing (a name)\nf:4:3: error: an item of `list` must be a section "
        "with keys\n"},
    {"name: \"%s%n\"\nthreshold: '%s%n'", "f:2:12: error: `threshold` cannot be `%s%n` (a number)\n"},
    /* all at once */
    {"count: x\ncuont: 1\nenabled: 1\n",
        "f:1:1: error: `name` is missing (1 to 8 characters)\n"
        "f:1:8: error: `count` cannot be `x` (a whole number from 1 to 10080)\n"
        "f:2:1: error: unknown key `cuont` (did you mean `count`?)\n"
        "f:3:10: error: `enabled` cannot be `1` (true or false)\n"},
};

START_TEST(mistakes_are_all_told) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    Keys keys = {0};
    ck_assert(!read_keys(wrong[_i].text, &keys, arena, all));
    OWN(text) char *lines = printed(all);
    ck_assert_str_eq(lines, wrong[_i].want);
}
END_TEST

START_TEST(values_arrive) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    Keys keys = {0};
    ck_assert(read_keys(
        "name: a\ndescription: |\n  b\n  \tc\ncount: 3\nperiod: 1h\nthreshold: -1e3\nenabled: false\nseverity: warn\n"
        "regions: one\nlabels: {team: yes, n: 007}\ninner: {port: 1}\nlist: [{host: h}, {host: i, port: 2}]\nraw: "
        "[x]\n",
        &keys, arena, all));
    ck_assert_str_eq(keys.description, "b\n\tc\n");
    ck_assert(
        keys.count == 3 && keys.period_s == 3600 && keys.threshold == -1000 && keys.threshold_set && !keys.enabled);
    ck_assert(keys.severity == 3 && keys.regions.count == 1 && keys.regions.places[0].line == 10);
    ck_assert_str_eq(keys.labels.texts[0], "yes");
    ck_assert_str_eq(keys.labels.texts[1], "007");
    const Inner *items = keys.list.items;
    ck_assert(keys.inner.port == 1 && keys.list.count == 2 && items[0].port == 25 && items[1].port == 2);
    ck_assert(keys.raw->kind == NODE_LIST && !problems_errors(all));
}
END_TEST

START_TEST(fallbacks_apply) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    Keys keys = {0};
    ck_assert(read_keys("name: a\nlabels:\nlist: ~\ninner:\n", &keys, arena, all));
    ck_assert(keys.count == 5 && keys.period_s == 60 && !keys.threshold_set && keys.enabled && keys.severity == 3);
    ck_assert(keys.inner.port == 25 && keys.list.count == 0 && keys.labels.count == 0 && keys.regions.count == 2);
    ck_assert_str_eq(keys.regions.texts[1], "y");
}
END_TEST

START_TEST(paths_are_beside_the_file) {
    OWN(arena) Arena *arena = arena_new();
    Decoding in = {.arena = arena, .nodes = arena, .directory = "/etc/tocsin"};
    ck_assert_str_eq(schema_path("a/b", &in), "/etc/tocsin/a/b");
    ck_assert_str_eq(schema_path("/a", &in), "/a");
    in.directory = ".";
    ck_assert_str_eq(schema_path("a", &in), "a");
    in.directory = "/";
    ck_assert_str_eq(schema_path("a", &in), "/a");
}
END_TEST

START_TEST(manual_is_mdoc) {
    static const SchemaRow few[] = {
        {.key = "a",
            .type = SCHEMA_TEXT,
            .required = true,
            .remedy = ".x \\ y",
            .doc = ".dot\n'quote. A line a sentence."},
        {.key = "b", .type = SCHEMA_SECTION, .rows = section_rows, .doc = "Inner."},
        {.key = "c", .type = SCHEMA_CHOICE, .choices = severities, .fallback = "warning", .doc = "How bad."},
        {.key = "d", .type = SCHEMA_LATER},
        SCHEMA_END,
    };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    schema_man(few, out);
    fclose(out);
    ck_assert_str_eq(text,
        ".It Cm a\n\\&.dot 'quote.\nA line a sentence.\nAllowed: .x \\e y.\nRequired.\n"
        ".It Cm b\nInner.\n.Bl -tag -width Ds\n.It Cm port\nAllowed: a port.\nDefault: 25.\n.El\n"
        ".It Cm c\nHow bad.\nOne of: critical, warning, warn.\nDefault: warning.\n");
    free(text);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, mistakes_are_all_told, 0, COUNT_OF(wrong));
    tcase_add_test(tcase, values_arrive);
    tcase_add_test(tcase, fallbacks_apply);
    tcase_add_test(tcase, paths_are_beside_the_file);
    tcase_add_test(tcase, manual_is_mdoc);
}
int main(void) { return run_tests("schema", fill); }
