/* The `inhibit_rules` section, and which firing alerts mute another. */
#include "notify/inhibit_section.h"

#include "../config/printed.h"
#include "../run.h"
#include "base/buffer.h"

#include <string.h>

typedef struct Loaded {
    Arena *arena;
    Problems *all;
    InhibitSection section;
    char *text;
} Loaded;

static Loaded load(const char *yaml) {
    Loaded l = {.arena = arena_new(), .all = problems_new()};
    Decoding in = {.arena = l.arena, .nodes = l.arena, .problems = l.all, .directory = "."};
    const Node *node = node_parse(l.arena, l.arena, "f", yaml, strlen(yaml), l.all);
    const bool fine = inhibit_rules_section.decode(&in, node_get(node, "i"), &l.section);
    ck_assert_int_eq(fine, problems_errors(l.all) == 0);
    l.text = printed(l.all);
    return l;
}

static void unload(Loaded *l) {
    inhibit_rules_section.destroy(&l->section);
    free(l->text);
    problems_free(l->all);
    arena_free(l->arena);
}

static const struct Bad {
    const char *yaml, *want; /* all lines, or their start */
} bad[] = {
    {"i: 5", "f:1:4: error: `inhibit_rules` must be a list ("},
    {"i: {a: b}", "f:1:4: error: `inhibit_rules` must be a list ("},
    {"i: [5]", "f:1:5: error: an inhibition rule must be a section with keys ("},
    {"i: [{}]",
        "f:1:5: error: `source_matchers` is missing (a list such as ['severity=\"critical\"'])\n"
        "f:1:5: error: `target_matchers` is missing (a list such as ['severity=\"critical\"'])\n"},
    {"i:\n- target_matchers: [a=b]", "f:2:3: error: `source_matchers` is missing ("},
    {"i:\n- {source_matchers: [a=b], target_matchers: []}",
        "f:2:45: error: `target_matchers` has no matcher: it would take every alert ("},
    {"i:\n- {source_matchers: ['{}'], target_matchers: [a=b]}",
        "f:2:21: error: `source_matchers` has no matcher: it would take every alert ("},
    {"i:\n- {source_matchers: ~, target_matchers: [a=b]}", "f:2:21: error: `source_matchers` must be a list of texts"},
    {"i:\n- {source_matchers: [[a]], target_matchers: [a=b]}",
        "f:2:22: error: `source_matchers` must be a list of texts"},
    {"i:\n- {source_matchers: {a: b}, target_matchers: [a=b]}",
        "f:2:21: error: `source_matchers` must be a list of texts"},
    {"i:\n- {source_matchers: ['a'], target_matchers: [a=b]}",
        "f:2:22: error: `source_matchers`: an operator is expected here, at character 2 of `a` ("},
    {"i:\n- {source_matchers: [a=b], target_matchers: ['a=~\"(\"']}",
        "f:2:46: error: `target_matchers`: the regular expression cannot be read: missing closing parenthesis, at "
        "character 6 of `a=~\"(\"` ("},
    {"i:\n- {source_matchers: [a=b], target_matchers: [a=b], equal: [a-b]}",
        "f:2:60: error: `equal` has `a-b`, which is no label's name ("},
    {"i:\n- {source_matchers: [a=b], target_matchers: [a=b], equel: [a]}",
        "f:2:52: error: unknown key `equel` (did you mean `equal`?)"},
    {"i:\n- source_match: {a: b}\n  target_match_re: {a: b}\n  equal: [a]",
        "f:2:3: error: `source_match` is an old word of Alertmanager's (write source_matchers: ['name=\"value\"'])\n"
        "f:3:3: error: `target_match_re` is an old word of Alertmanager's (write target_matchers: "
        "['name=~\"expression\"'])\n"},
    {"i:\n- source_match_re: {a: b}\n  target_match: {a: b}",
        "f:2:3: error: `source_match_re` is an old word of Alertmanager's (write source_matchers: "
        "['name=~\"expression\"'])\n"
        "f:3:3: error: `target_match` is an old word of Alertmanager's (write target_matchers: ['name=\"value\"'])\n"},
};

START_TEST(refuses) {
    Loaded l = load(bad[_i].yaml);
    ck_assert_msg(strstr(l.text, bad[_i].want) == l.text, "`%s`, not `%s`", l.text, bad[_i].want);
    unload(&l);
}
END_TEST

START_TEST(absent_is_empty) {
    static const char *const yaml[] = {"x: y", "i:", "i: []"};
    for (size_t i = 0; i < COUNT_OF(yaml); i++) {
        Loaded l = load(yaml[i]);
        ck_assert_str_eq(l.text, "");
        ck_assert_uint_eq(l.section.count, 0);
        unload(&l);
    }
}
END_TEST

/* `a=b c=d` as labels. */
static Labels *labels_of(const char *text) {
    char copy[256], *save = NULL;
    Label pairs[8];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *pair = strtok_r(copy, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
        char *value = strchr(pair, '=');
        *value = '\0';
        pairs[count++] = (Label){pair, value + 1};
    }
    return labels_new(pairs, count);
}

#define RULE "{source_matchers: [sev=critical], target_matchers: [sev=~warning|critical], equal: [cluster, node]}"
#define NODES "{source_matchers: [alert=NodeDown], target_matchers: ['alert!=NodeDown'], equal: [node]}"
#define ALL "{source_matchers: [alert=Stop], target_matchers: ['alert=~\".+\"']}"

static const struct Case {
    const char *rules;
    const char *firing[4]; /* their fingerprints are 0, 1, 2, 3 */
    const char *alert, *want; /* the fingerprints that mute it */
} cases[] = {
    {RULE, {NULL}, "sev=warning cluster=a", ""},
    {RULE, {"sev=critical cluster=a"}, "sev=warning cluster=a", "0"},
    {RULE, {"sev=critical cluster=b"}, "sev=warning cluster=a", ""},
    {RULE, {"sev=critical cluster=a"}, "sev=info cluster=a", ""}, /* no target */
    {RULE, {"sev=warning cluster=a"}, "sev=warning cluster=a", ""}, /* no source */
    {RULE, {"sev=critical"}, "sev=warning", "0"}, /* both lack it: that agrees */
    {RULE, {"sev=critical cluster=a"}, "sev=warning", ""},
    {RULE, {"sev=critical"}, "sev=warning cluster=a", ""},
    {RULE, {"sev=critical cluster= node=x"}, "sev=warning node=x", "0"}, /* empty is absent */
    {RULE, {"sev=critical cluster=a node=b"}, "sev=warning cluster=ab", ""}, /* values do not run together */
    {RULE, {"sev=critical cluster=a"}, "sev=critical cluster=a", ""}, /* itself: both sides */
    {RULE, {"sev=critical cluster=a n=1", "sev=critical cluster=a n=2"}, "sev=critical cluster=a n=1", ""},
    {RULE, {"sev=critical cluster=a n=1", "sev=critical cluster=a n=2"}, "sev=warning cluster=a", "01"},
    {NODES, {"alert=NodeDown node=1"}, "alert=Slow node=1", "0"},
    {NODES, {"alert=NodeDown node=1"}, "alert=NodeDown node=1", ""}, /* no target */
    {ALL, {"alert=Stop"}, "alert=x", "0"}, /* without `equal` */
    {ALL, {"alert=Stop", "alert=Stop n=1"}, "alert=Stop", ""},
    {RULE ", " NODES, {"sev=critical node=1", "alert=NodeDown node=1"}, "sev=warning alert=Slow node=1", "01"},
    {NODES ", " RULE, {"sev=critical node=1", "alert=NodeDown node=1"}, "sev=warning alert=Slow node=1", "10"},
    {RULE ", " NODES, {"sev=critical alert=NodeDown node=1"}, "sev=warning alert=Slow node=1", "0"}, /* once */
    {NODES ", {source_matchers: [x=y], target_matchers: [t=z], equal: [node]}", {"x=y node=1"}, "alert=a node=1", ""},
    {RULE ", " RULE, {"sev=critical"}, "sev=warning", "0"},
};

static Loaded load_rules(const char *rules) {
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "i: [%s]", rules);
    Loaded l = load(yaml);
    ck_assert_str_eq(l.text, "");
    return l;
}

static void add(Inhibit *index, const char *fingerprint, const char *text) {
    OWN(labels) Labels *labels = labels_of(text);
    inhibit_add(index, fingerprint, labels);
}

static void check_found(const Inhibit *index, const char *text, const char *want) {
    const char *found[8];
    char got[64] = "";
    OWN(labels) Labels *labels = labels_of(text);
    const size_t count = inhibit_find(index, labels, found, COUNT_OF(found));
    for (size_t i = 0; i < count; i++) strcat(got, found[i]);
    ck_assert_str_eq(got, want);
    ck_assert_uint_eq(inhibit_find(index, labels, found, 1), *want ? 1 : 0);
    ck_assert_uint_eq(inhibit_find(index, labels, NULL, 0), 0);
}

START_TEST(mutes) {
    static const char *const fingerprints[] = {"0", "1", "2", "3"};
    Loaded l = load_rules(cases[_i].rules);
    OWN(inhibit) Inhibit *index = inhibit_new(l.section.rules, l.section.count);
    for (size_t i = 0; i < 4 && cases[_i].firing[i]; i++) add(index, fingerprints[i], cases[_i].firing[i]);
    check_found(index, cases[_i].alert, cases[_i].want);
    inhibit_free(GIVE(index));
    unload(&l);
}
END_TEST

START_TEST(follows_what_fires) {
    Loaded l = load_rules(RULE);
    Inhibit *index = inhibit_new(l.section.rules, l.section.count);
    inhibit_remove(index, "nobody");
    add(index, "0", "sev=critical cluster=a");
    add(index, "1", "sev=critical cluster=a");
    add(index, "2", "sev=critical cluster=b");
    check_found(index, "sev=warning cluster=a", "01");
    inhibit_remove(index, "0");
    check_found(index, "sev=warning cluster=a", "1");
    inhibit_remove(index, "0");
    add(index, "1", "sev=critical cluster=b"); /* its labels changed */
    check_found(index, "sev=warning cluster=a", "");
    check_found(index, "sev=warning cluster=b", "21");
    add(index, "2", "sev=info cluster=b");
    inhibit_remove(index, "1");
    check_found(index, "sev=warning cluster=b", "");
    inhibit_free(index);
    unload(&l);
}
END_TEST

START_TEST(counts_limits) {
    char text[600] = "x=";
    memset(text + 2, 'y', 500);
    Loaded l = load_rules("{source_matchers: ['x!~(y+y+)+[ab]'], target_matchers: [a=b]}");
    OWN(inhibit) Inhibit *index = inhibit_new(l.section.rules, l.section.count);
    OWN(labels) Labels *labels = labels_new(&(Label){"x", text + 2}, 1);
    inhibit_add(index, "0", labels);
    ck_assert_uint_eq(inhibit_limits(index), 1);
    check_found(index, "a=b", "");
    inhibit_free(GIVE(index));
    unload(&l);
}
END_TEST

/* As large as it may become: each question looks at the rules, not at what fires. */
START_TEST(stays_cheap) {
    enum { ALERTS = 10000, RULES = 50 };
    Buffer yaml = BUFFER(1 << 16);
    for (size_t i = 0; i < RULES; i++)
        buffer_format(&yaml,
            "%s{source_matchers: ['sev=critical', 'n=~\".*%zu\"'], target_matchers: [sev=warning], equal: [node]}",
            i ? ", " : "i: [", i);
    buffer_text(&yaml, "]");
    Loaded l = load(buffer_string(&yaml));
    ck_assert_str_eq(l.text, "");
    Inhibit *index = inhibit_new(l.section.rules, l.section.count);
    char fingerprint[32], text[64];
    size_t muted = 0;
    for (size_t i = 0; i < ALERTS; i++) {
        snprintf(fingerprint, sizeof fingerprint, "%zu", i);
        snprintf(text, sizeof text, "sev=%s n=%zu node=%zu", i % 2 ? "critical" : "warning", i % 50, i / 2);
        add(index, fingerprint, text);
    }
    for (size_t i = 0; i < ALERTS; i++) {
        const char *found[4];
        snprintf(text, sizeof text, "sev=%s n=%zu node=%zu", i % 2 ? "critical" : "warning", i % 50, i / 2);
        OWN(labels) Labels *labels = labels_of(text);
        muted += inhibit_find(index, labels, found, 4) > 0;
    }
    ck_assert_uint_eq(muted, ALERTS / 2);
    inhibit_free(index);
    unload(&l);
    buffer_deinit(&yaml);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(bad));
    tcase_add_test(tcase, absent_is_empty);
    tcase_add_loop_test(tcase, mutes, 0, COUNT_OF(cases));
    tcase_add_test(tcase, follows_what_fires);
    tcase_add_test(tcase, counts_limits);
    tcase_add_test(tcase, stays_cheap);
    tcase_set_timeout(tcase, 60);
}

int main(void) { return run_tests("inhibit", fill); }
