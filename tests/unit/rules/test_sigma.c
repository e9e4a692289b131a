/* Sigma rules: what is wrong with one, and which events it meets. */
#include "sigma_world.h"

/* --- malformed first: the whole list of problems --- */

#define HEAD "title: T\ndetection:\n"

static const struct Wrong {
    const char *rule, *lines;
} wrong[] = {
    {"", "r.yml:1:1: error: there is no rule in the file (is this a Sigma rule?)\n"},
    {"- a\n", "r.yml:1:1: error: a rule without a title: a rule must be a map (is this a Sigma rule?)\n"},
    {"title: [",
        "r.yml:1:8: error: a value is missing here, or a bracket is not closed (close what was opened above; quote "
        "a text that begins with a bracket or a comma)\n"},
    {"title: T\ndetections:\n  s: {a: b}\n  condition: s\n",
        "r.yml:2:1: error: T: unknown key `detections` (did you mean `detection`?)\n"},
    {"title: T\n", "r.yml:1:1: error: T: there is neither `detection` nor `correlation` (is this a Sigma rule?)\n"},
    {"detection: {s: {a: b}, condition: s}\n",
        "r.yml:1:1: error: a rule without a title: the rule needs a title (a line `title: ...` of at most 1024 "
        "bytes)\n"},
    {"title: T\nlevel: hihg\nstatus: [a]\ntags: [{a: b}]\nlogsource: aws\ndetection: []\n",
        "r.yml:2:8: error: T: `level` cannot be `hihg` (did you mean `high`?)\n"
        "r.yml:3:9: error: T: `status` must be a text (one text)\n"
        "r.yml:4:8: error: T: `tags` must be a list of texts (quote it if it holds `: `)\n"
        "r.yml:5:12: error: T: `logsource` must be a map (such as {product: aws, service: cloudtrail})\n"
        "r.yml:6:12: error: T: `detection` must be a map (such as `selection: {eventName: StopLogging}` and "
        "`condition: "
        "selection`)\n"},
    {"action: global\ntitle: T\n",
        "r.yml:1:1: error: T: a rule collection with `action` is not supported (write the rules out)\n"},
    {"title: T\nfilter: {}\n",
        "r.yml:2:1: error: T: a Sigma filter is not supported (put the exclusion into the rule: "
        "`selection and not filter`)\n"},
    {HEAD "  s: {a: b}\n", "r.yml:3:3: error: T: the detection has no `condition` (such as `condition: selection`)\n"},
    {HEAD "  condition: s\n",
        "r.yml:3:3: error: T: `detection` has no part to look for (such as `selection: {eventName: "
        "StopLogging}` and `condition: selection`)\n"
        "r.yml:3:14: error: T: the condition names `s`, which the detection does not have (such as "
        "`selection and not 1 of filter_*`)\n"},
    /* conditions */
    {HEAD "  selection: {a: b}\n  condition: selektion\n",
        "r.yml:4:14: error: T: the condition names `selektion`, which the detection does not have (did you mean "
        "`selection`?)\n"},
    {HEAD "  s: {a: b}\n  condition: s and\n",
        "r.yml:4:14: error: T: the condition ends where a name is expected (such as "
        "`selection and not 1 of filter_*`)\n"},
    {HEAD "  s: {a: b}\n  condition: (s\n",
        "r.yml:4:14: error: T: a `(` in the condition is not closed (close it with `)`)\n"},
    {HEAD "  s: {a: b}\n  condition: s )\n",
        "r.yml:4:14: error: T: `)` in the condition stands where `and`, `or` or the end is expected (such as "
        "`selection and "
        "not 1 of filter_*`)\n"},
    {HEAD "  s: {a: b}\n  condition: s s\n",
        "r.yml:4:14: error: T: `s` in the condition stands where `and`, `or` or the end is expected (such as "
        "`selection and "
        "not 1 of filter_*`)\n"},
    {HEAD "  s: {a: b}\n  condition: 1 of f*\n",
        "r.yml:4:14: error: T: `f*` in the condition fits no part of the detection "
        "(such as `selection and not 1 of filter_*`)\n"},
    {HEAD "  s: {a: b}\n  condition: all of\n",
        "r.yml:4:14: error: T: `of` in the condition needs a name (such as `selection and not 1 of filter_*`)\n"},
    {HEAD "  _s: {a: b}\n  condition: 1 of them\n",
        "r.yml:4:14: error: T: `them` in the condition fits no part of the detection (such as `selection and not 1 of "
        "filter_*`)\n"},
    {HEAD "  s: {a: b}\n  condition: {s: s}\n",
        "r.yml:4:14: error: T: a condition must be a text (such as `selection and not 1 of filter_*`)\n"},
    {HEAD "  s: {a: b}\n  condition: []\n",
        "r.yml:4:14: error: T: the condition is empty (such as `selection and not 1 of filter_*`)\n"},
    {HEAD "  s: {a: b}\n  condition: s | near x\n",
        "r.yml:4:14: error: T: only a count may stand behind `|` in a condition (such as `selection | count(eventName) "
        "by "
        "userIdentity.arn > 5`, or a correlation rule)\n"},
    {HEAD "  s: {a: b}\n  condition: s | count() by x > 5\n",
        "r.yml:3:3: error: T: a condition that counts needs a `timeframe` beside it (such as `timeframe: 5m`)\n"},
    {HEAD "  s: {a: b}\n  timeframe: soon\n  condition: s | count() by x > 5\n",
        "r.yml:4:14: error: T: `soon` is no time span (from 1s to 90d, such as 30s, 5m, 1h, 1d)\n"},
    {HEAD "  s: {a: b}\n  t: {a: c}\n  condition: s\n",
        "r.yml:4:3: warning: T: the condition does not use `t` (name it in the condition, or take it out)\n"},
    /* fields, modifiers, values: all of them are told */
    {HEAD "  s:\n    a|conatins: b\n    c|hour: 3\n    d|lt: x\n    e|re: '('\n    f|cidr: 10.0.0.0/40\n    g: {h: i}\n"
          "    j|exists: maybe\n    k: []\n    l|expand: '%nobody%'\n  condition: s\n",
        "r.yml:4:5: error: T: unknown modifier `conatins` (did you mean `contains`?)\n"
        "r.yml:5:5: error: T: the modifier `hour` is not supported (compare the text: `eventTime|contains: 'T03:'`)\n"
        "r.yml:6:11: error: T: `x` cannot be compared by size (a number)\n"
        "r.yml:7:11: error: T: the pattern `(`: missing closing parenthesis, at character 2 (mend the pattern; it is "
        "PCRE2's)\n"
        "r.yml:8:13: error: T: `10.0.0.0/40` is no block of addresses (such as 10.0.0.0/8 or fc00::/7)\n"
        "r.yml:9:8: error: T: a field's value must be a text, a number, true, false, null, or a list of them (join the "
        "names "
        "with dots: `userIdentity.type: Root`)\n"
        "r.yml:10:15: error: T: `exists` cannot be `maybe` (true or false)\n"
        "r.yml:11:8: error: T: a list without a value (give one, or take the field away)\n"
        "r.yml:12:15: error: T: the placeholder `%nobody%` is not known (say what it stands for in "
        "`sigma.placeholders`: "
        "nobody: [...])\n"},
    {HEAD "  s:\n    a|re|contains: b\n    b|i|re: x\n    c|wide: x\n    d|base64: 'x*'\n    e|contains: null\n    "
          "'|exists': "
          "true\n    f|fieldref: g|h\n    i|exists|cased: true\n  condition: s\n",
        "r.yml:4:5: error: T: the modifiers `re` and `contains` do not go together (write two parts, and join them in "
        "the "
        "condition)\n"
        "r.yml:5:5: error: T: `i` goes behind `re` (such as `field|re|i`)\n"
        "r.yml:6:5: error: T: UTF-16 needs `base64` or `base64offset` behind it: no text of an event has zero bytes "
        "(such as "
        "`field|wide|base64offset|contains`)\n"
        "r.yml:7:15: error: T: a value with a wildcard cannot be encoded (write `\\*` and `\\?` for the characters "
        "themselves)\n"
        "r.yml:8:17: error: T: null has no text for a modifier to work on (quote it if the word itself is meant)\n"
        "r.yml:9:5: error: T: this modifier needs a field before it (name a field)\n"
        "r.yml:10:17: error: T: `g|h` names no field (the name alone, its modifiers at the key)\n"
        "r.yml:11:5: error: T: the modifiers `exists` and `cased` do not go together (write two parts, and join them "
        "in the "
        "condition)\n"},
    {HEAD "  s: {}\n  t: []\n  condition: 1 of them\n",
        "r.yml:3:6: error: T: an empty part (name a field and its value)\n"
        "r.yml:4:6: error: T: an empty part (name a field and its value)\n"},
    {"title: A\nid: x\ndetection: {s: {a: b}, condition: s}\n---\ntitle: B\nid: x\ndetection: {s: {a: b}, condition: "
     "s}\n",
        "r.yml:5:1: error: B: `x` is a rule's already, at r.yml:1 (load each rule once, under an id and a name of its "
        "own)\n"},
};

START_TEST(problems_are_all_told) {
    char *lines;
    sigma_set_free(set_of(wrong[_i].rule, NULL, &lines));
    ck_assert_str_eq(lines, wrong[_i].lines);
    free(lines);
}
END_TEST

START_TEST(every_prefix_ends) { /* cut at each byte: a rule, or a problem inside of the file */
    static const char text[] = "title: T\nid: a\nlogsource: {product: aws}\ndetection:\n  s:\n    - a|re|i: '(x)'\n    "
                               "  b|windash|contains|all: [' -c ', 1]\n"
                               "    - kw\n  condition: 1 of s* and not (s or s)\nlevel: low\n---\ntitle: "
                               "C\ncorrelation: {type: temporal, rules: [a, T], timespan: 5m}\n";
    for (size_t length = 0; length < sizeof text; length++) {
        OWN(text) char *cut = text_copy_length(text, length);
        char *lines;
        OWN(sigma_set) SigmaSet *set = set_of(cut, NULL, &lines);
        ck_assert(sigma_set_count(set) > 0 || *lines);
        free(lines);
    }
}
END_TEST

static char *many(const char *before, const char *piece, size_t count, const char *after) {
    const size_t size = strlen(piece);
    char *text = alloc_zeroed(strlen(before) + count * size + strlen(after) + 1, 1), *p = stpcpy(text, before);
    for (size_t i = 0; i < count; i++) p = stpcpy(p, piece);
    strcpy(p, after);
    return text;
}

static const struct Bomb {
    const char *before, *piece;
    size_t count;
    const char *after, *line;
} bombs[] = {
    {HEAD "  s: {a: b}\n  condition: ", "(", 65, "s\n", "nested deeper than 64 levels"},
    {HEAD "  s: {a: b}\n  condition: ", "not ", 65, "s\n", "nested deeper than 64 levels"},
    {HEAD "  s: {a: b}\n  condition: s", " or s", 1000, "\n", "longer than 4096 bytes"},
    {HEAD "  s: {a: [", "x,", 10001, "y]}\n  condition: s\n", "more than 10000 values"},
    {HEAD "  s: {a: ", "x", 8193, "}\n  condition: s\n", "a value is longer than 8192 bytes"},
    {HEAD "  s: {", "x", 513, ": b}\n  condition: s\n", "longer than 512 bytes"},
    {HEAD "  s: {a", "|all", 9, ": b}\n  condition: s\n", "more than 8 modifiers"},
    {HEAD "  s: {a|re: '", "(", 300, "'}\n  condition: s\n", "deeply nested"},
    {HEAD "  s: {a|re: 'x", "{1000}", 3, "'}\n  condition: s\n", "the pattern"},
    {"title: T\ndescription: '", "x", 1 << 20, "'\n", "longer than 1048576 bytes"},
};

START_TEST(bombs_are_refused) {
    const struct Bomb *b = &bombs[_i];
    OWN(text) char *rule = many(b->before, b->piece, b->count, b->after);
    char *lines;
    OWN(sigma_set) SigmaSet *set = set_of(rule, NULL, &lines);
    ck_assert_msg(strstr(lines, b->line) != NULL, "%s: %s", b->line, lines);
    ck_assert_uint_eq(sigma_set_count(set), 0);
    free(lines);
}
END_TEST

START_TEST(aliases_and_patterns_do_not_multiply) {
    char *lines;
    OWN(text) char *value = many("  s: &v '", "x", 8000, "'\n  t: {a: ["), *head = text_format(HEAD "%s", value);
    OWN(text) char *rule = many(head, "*v,", 600, "*v]}\n  condition: s or t\n");
    sigma_set_free(set_of(rule, NULL, &lines));
    ck_assert_msg(strstr(lines, "longer than 4194304 bytes together") != NULL, "%s", lines);
    free(lines);
    OWN(text) char *patterns = many(HEAD "  s: {a|re: [", "'((ab){60}){40}',", 3000, "y]}\n  condition: s\n");
    sigma_set_free(set_of(patterns, NULL, &lines));
    ck_assert_msg(strstr(lines, "take more than 67108864 bytes") != NULL, "%.200s", lines);
    free(lines);
}
END_TEST

START_TEST(too_many_parts) {
    OWN(buffer) Buffer rule = BUFFER(1 << 20);
    buffer_text(&rule, HEAD);
    for (int i = 0; i < 1001; i++) buffer_format(&rule, "  s%d: {a: b}\n", i);
    buffer_text(&rule, "  condition: 1 of s*\n");
    char *lines;
    sigma_set_free(set_of(buffer_string(&rule), NULL, &lines));
    ck_assert_msg(strstr(lines, "more than 1000 parts") != NULL, "%s", lines);
    free(lines);
}
END_TEST

/* --- one detection, one event --- */

static const char *const admins[] = {"alice", "b*"};
static const char *const nobody[] = {NULL};
static const SigmaPlaceholder placeholders[] = {{"admins", admins, 2}, {"nobody", nobody, 0}};
static const SigmaOptions options = {.placeholders = placeholders, .placeholder_count = 2};

/* A backslash is doubled once for C. */
static const struct Case {
    const char *part, *event;
    bool met;
} cases[] = {
    /* texts */
    {"{a: Foo}", "{\"a\": \"fOO\"}", true},
    {"{a: Foo}", "{\"a\": \"Foo \"}", false},
    {"{a: Foo}", "{\"A\": \"Foo\"}", false},
    {"{a: Foo}", "{}", false},
    {"{a: Foo}", "{\"a\": null}", false},
    {"{a: \xc3\x84}", "{\"a\": \"\xc3\xa4\"}", false}, /* ASCII alone is folded */
    {"{a|cased: Foo}", "{\"a\": \"Foo\"}", true},
    {"{a|cased: Foo}", "{\"a\": \"foo\"}", false},
    {"{a: [x, y, z]}", "{\"a\": \"Y\"}", true},
    {"{a: [x, y, z]}", "{\"a\": \"w\"}", false},
    {"{a|cased: [x, Y, z]}", "{\"a\": \"y\"}", false},
    {"{a: x, b: y}", "{\"a\": \"x\", \"b\": \"y\"}", true},
    {"{a: x, b: y}", "{\"a\": \"x\", \"b\": \"x\"}", false},
    {"[{a: x}, {b: y}]", "{\"a\": \"w\", \"b\": \"y\"}", true},
    {"[{a: x}, {b: y}]", "{\"a\": \"y\", \"b\": \"x\"}", false},
    {"[[{a: x}]]", "{\"a\": \"x\"}", true},
    /* wildcards and escapes */
    {"{a: 'f*o'}", "{\"a\": \"FXXO\"}", true},
    {"{a: 'f*o'}", "{\"a\": \"fxxox\"}", false},
    {"{a: 'f?o'}", "{\"a\": \"f\xc3\xa4o\"}", true},
    {"{a: 'f?o'}", "{\"a\": \"fo\"}", false},
    {"{a: '*'}", "{\"a\": \"\"}", true},
    {"{a: '*'}", "{\"a\": null}", false},
    {"{a: '*'}", "{\"a\": 5}", true},
    {"{a: '**b*?'}", "{\"a\": \"aabx\"}", true},
    {"{a: '*a*b*a*c*'}", "{\"a\": \"xaxbxaxbxac\"}", true},
    {"{a: '*a*b*a*d*'}", "{\"a\": \"xaxbxaxbxac\"}", false},
    {"{a: 'f\\*o'}", "{\"a\": \"f*o\"}", true},
    {"{a: 'f\\*o'}", "{\"a\": \"fxo\"}", false},
    {"{a: 'f\\?o'}", "{\"a\": \"f?o\"}", true},
    {"{a: 'c:\\d'}", "{\"a\": \"C:\\\\D\"}", true},
    {"{a: 'c:\\\\d'}", "{\"a\": \"c:\\\\d\"}", true},
    {"{a: 'c\\\\*'}", "{\"a\": \"c\\\\x\"}", true},
    {"{a: 'c\\\\*'}", "{\"a\": \"c*\"}", false},
    {"{a: 'c\\\\\\*'}", "{\"a\": \"c\\\\*\"}", true},
    {"{a: 'c\\\\\\*'}", "{\"a\": \"c\\\\x\"}", false},
    {"{a: 'c\\\\\\d'}", "{\"a\": \"c\\\\\\\\d\"}", true},
    {"{a: 'c\\\\\\\\d'}", "{\"a\": \"c\\\\\\\\d\"}", true},
    /* null, empty, exists */
    {"{a: null}", "{}", true},
    {"{a: null}", "{\"a\": null}", true},
    {"{a: null}", "{\"a\": \"\"}", false},
    {"{a: 'null'}", "{}", false},
    {"{a.b: null}", "{\"a\": null}", true},
    {"{a: ''}", "{\"a\": \"\"}", true},
    {"{a: ''}", "{}", false},
    {"{a: ''}", "{\"a\": \"x\"}", false},
    {"{a: [null, '']}", "{\"a\": \"\"}", true},
    {"{a|exists: true}", "{\"a\": null}", true},
    {"{a|exists: true}", "{\"a\": []}", true},
    {"{a|exists: true}", "{\"b\": 1}", false},
    {"{a.b|exists: false}", "{\"a\": {}}", true},
    {"{a.b|exists: false}", "{\"a\": {\"b\": 0}}", false},
    /* numbers, booleans */
    {"{a: 517}", "{\"a\": 517}", true},
    {"{a: 517}", "{\"a\": \"517\"}", true},
    {"{a: '517'}", "{\"a\": 517}", true},
    {"{a: 517}", "{\"a\": 517.0}", true},
    {"{a: 1.50}", "{\"a\": 1.5}", true},
    {"{a: 1}", "{\"a\": true}", false},
    {"{a: [1, 2, 3]}", "{\"a\": 2.0}", true},
    {"{a: '51*'}", "{\"a\": 517}", true},
    {"{a: true}", "{\"a\": true}", true},
    {"{a: true}", "{\"a\": \"True\"}", true},
    {"{a: 'true'}", "{\"a\": true}", true},
    {"{a: false}", "{\"a\": true}", false},
    {"{a: 111122223333}", "{\"a\": \"111122223333\"}", true},
    {"{a|lt: 5}", "{\"a\": 4}", true},
    {"{a|lt: 5}", "{\"a\": 5}", false},
    {"{a|lte: 5}", "{\"a\": 5}", true},
    {"{a|gt: 5}", "{\"a\": \"5.5\"}", true},
    {"{a|gt: 5}", "{\"a\": \"many\"}", false},
    {"{a|gte: -1.5}", "{\"a\": -1.5}", true},
    {"{a|gte: 5}", "{\"a\": null}", false},
    /* shapes */
    {"{a|contains: oo}", "{\"a\": \"fOOl\"}", true},
    {"{a|contains: oo}", "{\"a\": \"fol\"}", false},
    {"{a|startswith: fo}", "{\"a\": \"FOOL\"}", true},
    {"{a|startswith: oo}", "{\"a\": \"fool\"}", false},
    {"{a|endswith: ol}", "{\"a\": \"fOOL\"}", true},
    {"{a|endswith: oo}", "{\"a\": \"fool\"}", false},
    {"{a|endswith|cased: OL}", "{\"a\": \"fool\"}", false},
    {"{a|contains: 'o*l'}", "{\"a\": \"xoxlx\"}", true},
    {"{a|contains|all: [x, y]}", "{\"a\": \"yax\"}", true},
    {"{a|contains|all: [x, y]}", "{\"a\": \"xa\"}", false},
    {"{a|all: ['*x*', '*y*']}", "{\"a\": [\"x\", \"y\"]}", true},
    {"{a|startswith: 51}", "{\"a\": 517}", true},
    {"{a|contains: '\"k\":\"v\"'}", "{\"a\": {\"j\": 1, \"k\": \"v\"}}", true}, /* an object as compact JSON */
    {"{a|contains: '\"s3:*\"'}", "{\"a\": {\"policy\": [\"x\", \"{\\\"Action\\\": \\\"s3:Get\\\"}\"]}}",
        true}, /* or a text in it */
    {"{a|re: '^b'}", "{\"a\": {\"k\": \"bc\"}}", true},
    {"{a|startswith: b}", "{\"a\": {\"k\": \"bc\"}}", false},
    {"{a: '{}'}", "{\"a\": {}}", false},
    /* neq */
    {"{a|neq: x}", "{\"a\": \"y\"}", true},
    {"{a|neq: x}", "{\"a\": \"X\"}", false},
    {"{a|neq: [x, y]}", "{\"a\": \"y\"}", false},
    {"{a|neq: x}", "{}", true},
    {"{a|contains|neq: x}", "{\"a\": \"yxy\"}", false},
    {"{a|neq: 5}", "{\"a\": 5}", false},
    /* paths */
    {"{a.b: x}", "{\"a\": {\"b\": \"x\"}}", true},
    {"{a.b: x}", "{\"a.b\": \"x\"}", true},
    {"{a.b.c: x}", "{\"a\": {\"b.c\": \"x\"}}", true},
    {"{a.b.c: x}", "{\"a.b\": {\"c\": \"x\"}}", true},
    {"{a.b: x}", "{\"a\": {\"c\": 1}, \"a.b\": \"x\"}", true},
    {"{a.b: x}", "{\"a\": [{\"b\": \"w\"}, {\"b\": \"x\"}]}", true},
    {"{a.b: x}", "{\"a\": [[{\"b\": [\"w\", [\"x\"]]}]]}", true},
    {"{a.b: x}", "{\"a\": [{\"c\": \"x\"}]}", false},
    {"{a: x}", "{\"a\": [\"w\", \"x\"]}", true},
    {"{a: null}", "{\"a\": [1, null]}", true},
    {"{a.b: x}", "{\"a\": \"x\"}", false},
    /* re */
    {"{a|re: '^f.o$'}", "{\"a\": \"foo\"}", true},
    {"{a|re: 'O'}", "{\"a\": \"foo\"}", false},
    {"{a|re|i: 'O'}", "{\"a\": \"foo\"}", true},
    {"{a|re: '^b'}", "{\"a\": \"a\\nb\"}", false},
    {"{a|re|m: '^b'}", "{\"a\": \"a\\nb\"}", true},
    {"{a|re: 'a.b'}", "{\"a\": \"a\\nb\"}", false},
    {"{a|re|s: 'a.b'}", "{\"a\": \"a\\nb\"}", true},
    {"{a|re|all: [x, y]}", "{\"a\": \"xy\"}", true},
    {"{a|re|neq: x}", "{\"a\": \"xy\"}", false},
    {"{a|re: '^51'}", "{\"a\": 517}", true},
    /* cidr */
    {"{a|cidr: 10.0.0.0/8}", "{\"a\": \"10.255.0.1\"}", true},
    {"{a|cidr: 10.0.0.0/8}", "{\"a\": \"11.0.0.1\"}", false},
    {"{a|cidr: 10.0.0.0/8}", "{\"a\": \"10.example.org\"}", false},
    {"{a|cidr: [172.16.0.0/12, 192.168.1.1]}", "{\"a\": \"192.168.1.1\"}", true},
    {"{a|cidr: 172.16.0.0/12}", "{\"a\": \"172.32.0.0\"}", false},
    {"{a|cidr: 0.0.0.0/0}", "{\"a\": \"::1\"}", false},
    {"{a|cidr: 'fc00::/7'}", "{\"a\": \"FD00::1\"}", true},
    {"{a|cidr: 'fc00::/7'}", "{\"a\": \"fe80::1\"}", false},
    {"{a|cidr: 10.0.0.0/8}", "{\"a\": \"::ffff:10.1.2.3\"}", true},
    {"{a|cidr: '::ffff:10.0.0.0/104'}", "{\"a\": \"10.1.2.3\"}", true},
    /* fieldref */
    {"{a|fieldref: b}", "{\"a\": \"X\", \"b\": \"x\"}", true},
    {"{a|fieldref|cased: b}", "{\"a\": \"X\", \"b\": \"x\"}", false},
    {"{a|fieldref: b}", "{\"a\": \"x\", \"b\": \"y\"}", false},
    {"{a|fieldref: b}", "{\"a\": \"x\"}", false},
    {"{a|fieldref: b}", "{}", false},
    {"{a|fieldref: b.c}", "{\"a\": \"x\", \"b\": [{\"c\": \"w\"}, {\"c\": \"x\"}]}", true},
    {"{a|fieldref: b}", "{\"a\": 5, \"b\": \"5\"}", true},
    {"{a|fieldref|startswith: b}", "{\"a\": \"xyz\", \"b\": \"XY\"}", true},
    {"{a|fieldref|endswith: b}", "{\"a\": \"xyz\", \"b\": \"yz\"}", true},
    {"{a|fieldref|contains: b}", "{\"a\": \"xyz\", \"b\": \"y\"}", true},
    {"{a|fieldref|contains: b}", "{\"a\": \"xyz\", \"b\": \"w\"}", false},
    {"{a|fieldref|neq: b}", "{\"a\": \"x\", \"b\": \"y\"}", true},
    /* encodings */
    {"{a|base64: foo}", "{\"a\": \"Zm9v\"}", true},
    {"{a|base64offset|contains: 'http://'}", "{\"a\": \"aHR0cDovL3g=\"}", true}, /* http://x */
    {"{a|base64offset|contains: 'http://'}", "{\"a\": \"eGh0dHA6Ly94\"}", true}, /* xhttp://x */
    {"{a|base64offset|contains: 'http://'}", "{\"a\": \"eHhodHRwOi8veA==\"}", true}, /* xxhttp://x */
    {"{a|base64offset|contains: 'http://'}", "{\"a\": \"eWh0dHA6Ly94\"}", true}, /* yhttp://x: another neighbour */
    {"{a|base64offset|contains: 'http://'}", "{\"a\": \"f39odHRwOi8veA==\"}", true},
    {"{a|base64offset|contains: 'http://'}", "{\"a\": \"ZnRwOi8veA==\"}", false},
    {"{a|wide|base64: cmd}", "{\"a\": \"YwBtAGQA\"}", true},
    {"{a|utf16le|base64: cmd}", "{\"a\": \"YwBtAGQA\"}", true},
    {"{a|utf16be|base64: cmd}", "{\"a\": \"AGMAbQBk\"}", true},
    {"{a|utf16|base64: cmd}", "{\"a\": \"//5jAG0AZAA=\"}", true},
    {"{a|utf16be|base64: \"\xf0\x9f\x98\x80\"}", "{\"a\": \"2D3eAA==\"}", true},
    {"{a|windash|contains: ' -f '}", "{\"a\": \"x /f y\"}", true},
    {"{a|windash|contains: ' /f '}", "{\"a\": \"x -f y\"}", true},
    {"{a|windash|contains: ' -f '}",
        "{\"a\": \"x \xe2\x80\x93"
        "f y\"}",
        true},
    {"{a|windash|contains: ' -f '}", "{\"a\": \"x +f y\"}", false},
    {"{a|windash|contains: 'a-b'}", "{\"a\": \"a/b\"}", false}, /* inside of a word it stays */
    /* expand */
    {"{a|expand: '%admins%'}", "{\"a\": \"Alice\"}", true},
    {"{a|expand: '%admins%'}", "{\"a\": \"bob\"}", true},
    {"{a|expand: '%admins%'}", "{\"a\": \"carol\"}", false},
    {"{a|expand: 'x-%admins%-%admins%'}", "{\"a\": \"x-alice-bob\"}", true},
    {"{a|expand: '\\%admins%'}", "{\"a\": \"%admins%\"}", true},
    {"{a|expand: '100%'}", "{\"a\": \"100%\"}", true},
    {"{a|expand: '%nobody%'}", "{\"a\": \"\"}", false},
    {"{a|contains|expand: '%admins%'}", "{\"a\": \"x alice\"}", true},
    {"{a: '%admins%'}", "{\"a\": \"alice\"}", false},
    /* keywords */
    {"[needle]", "{\"a\": {\"b\": [\"hay NEEDLE hay\"]}}", true},
    {"[needle]", "{\"needle\": 1}", false},
    {"[nail, needle]", "{\"a\": \"needle\"}", true},
    {"needle", "{\"a\": \"needles\"}", true},
    {"{'|all': [hay, needle]}", "{\"a\": \"needle\", \"b\": \"hay\"}", true},
    {"{'|all': [hay, needle]}", "{\"a\": \"needle\"}", false},
    {"{'|re': '^n.*e$'}", "{\"a\": \"needle\"}", true},
    {"['n*e']", "{\"a\": \"x needle\"}", true},
    {"{'|cased': Needle}", "{\"a\": \"needle\"}", false},
    {"[needle, {a: x}]", "{\"a\": \"x\"}", true},
    /* what no rule may trip over */
    {"{a: x}", "[]", false},
    {"{a: null}", "\"x\"", false},
};

static size_t match(const SigmaSet *set, SigmaScratch *scratch, const char *text) {
    const uint32_t *numbers;
    OWN(json) json_t *event = event_of(text);
    return sigma_set_match(set, event, scratch, &numbers);
}

START_TEST(events_meet_rules) {
    const struct Case *c = &cases[_i];
    OWN(text) char *rule = text_format(HEAD "  s: %s\n  condition: s\n", c->part);
    OWN(sigma_set) SigmaSet *set = good_set(rule, &options);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    for (int twice = 0; twice < 2; twice++)
        ck_assert_msg(match(set, scratch, c->event) == c->met, "%s over %s", c->part, c->event);
    OWN(text) char *negated = text_format(HEAD "  s: %s\n  condition: not s\n", c->part);
    OWN(sigma_set) SigmaSet *others = good_set(negated, &options);
    OWN(sigma_scratch) SigmaScratch *room = sigma_scratch_new(others);
    const bool object = c->event[0] == '{';
    ck_assert_msg(match(others, room, c->event) == (object && !c->met), "not %s over %s", c->part, c->event);
}
END_TEST

/* --- conditions, over parts a, b, c1, c2, _d; the event names those that hold --- */

static const struct Logic {
    const char *condition, *holds;
    bool met;
} logics[] = {
    {"a", "a", true},
    {"a", "b", false},
    {"a or b and c1", "a", true}, /* `and` binds tighter */
    {"a or b and c1", "b", false},
    {"(a or b) and c1", "a", false},
    {"not a and b", "b", true}, /* `not` binds tighter still */
    {"not a and b", "", false},
    {"not (a and b)", "a", true},
    {"not not a", "a", true},
    {"NOT a OR b", "", true},
    {"1 of c*", "c2", true},
    {"1 of c*", "a", false},
    {"any of c*", "c2", true},
    {"all of c*", "c1", false},
    {"all of c*", "c1 c2", true},
    {"not 1 of c* and a", "a", true},
    {"not all of c* and a", "a c1", true},
    {"1 of them", "_d", false},
    {"1 of them", "b", true},
    {"all of them", "a b c1 c2", true},
    {"all of them", "a b c1", false},
    {"1 of _*", "_d", true},
    {"1 of *1", "c1", true},
    {"1 of c1", "c1", true},
    {"[a and b, c1]", "c1", true},
    {"[a and b, c1]", "a", false},
    {"((((a))))", "a", true},
};

START_TEST(conditions_decide) {
    static const char *const names[] = {"a", "b", "c1", "c2", "_d"};
    const struct Logic *l = &logics[_i];
    OWN(buffer) Buffer rule = BUFFER(4096), event = BUFFER(4096);
    buffer_text(&rule, HEAD);
    buffer_text(&event, "{\"x\": 1");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        buffer_format(&rule, "  %s: {%s: here}\n", names[i], names[i]);
        if (strstr(l->holds, names[i])) buffer_format(&event, ", \"%s\": \"here\"", names[i]);
    }
    buffer_format(&rule, "  condition: %s\n", l->condition);
    buffer_text(&event, "}");
    OWN(sigma_set) SigmaSet *set = good_set(buffer_string(&rule), NULL);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    ck_assert_msg(match(set, scratch, buffer_string(&event)) == l->met, "%s with %s", l->condition, l->holds);
}
END_TEST

/* --- the set: numbers, order, the index --- */

START_TEST(numbers_ascend_whatever_the_index_does) {
    OWN(sigma_set)
    SigmaSet *set = good_set("title: A\ndetection: {s: {eventName: [X, Y]}, condition: s}\n---\n"
                             "title: B\ndetection: {s: {eventSource: q}, t: {eventName: X}, condition: s or t}\n---\n"
                             "title: C\ndetection: {s: {errorCode: 'z*'}, condition: not s}\n---\n"
                             "title: D\ndetection: {s: {eventName|cased: X, eventSource: q}, condition: s}\n---\n"
                             "title: E\ndetection: {s: {n: 5}, t: {eventName: X}, condition: s and t}\n---\n"
                             "title: F\ndetection: {s: [{eventName: W}, {errorCode: z1}], condition: s}\n",
        NULL);
    static const struct {
        const char *event, *titles;
    } want[] = {
        {"{\"eventName\": \"x\", \"eventSource\": \"Q\"}", "ABC"},
        {"{\"eventName\": \"X\", \"eventSource\": \"Q\", \"n\": 5.0}", "ABCDE"},
        {"{\"eventName\": [\"W\", \"Y\", \"X\"], \"errorCode\": \"z1\"}", "ABF"},
        {"{\"eventName\": null, \"errorCode\": \"Z2\"}", ""},
        {"{\"eventName\": {\"x\": 1}, \"eventSource\": [\"q\", \"q\"]}", "BC"},
    };
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        OWN(json) json_t *event = event_of(want[i].event);
        const uint32_t *numbers;
        char titles[8] = "";
        const size_t count = sigma_set_match(set, event, scratch, &numbers);
        for (size_t n = 0; n < count; n++) strcat(titles, sigma_set_rule(set, numbers[n])->title);
        ck_assert_msg(!strcmp(titles, want[i].titles), "%s: %s, not %s", want[i].event, titles, want[i].titles);
    }
}
END_TEST

START_TEST(a_rule_says_what_it_is) {
    OWN(sigma_set)
    SigmaSet *set =
        good_set("title: T\nid: 1-2\nname: n\nstatus: test\ndescription: d\nauthor: A, B\ndate: 2026-01-02\nmodified: "
                 "2026/01/03\nlicense: MIT\nlevel: high\ntags: [attack.t1078, attack.persistence]\nreferences:\n  - "
                 "https://example.org/x\nfalsepositives: none\nfields: "
                 "[eventName, 'a.b']\nlogsource: {product: aws, service: cloudtrail, category: c, definition: e, "
                 "other: x}\ncustom: {any: thing}\ndetection: {s: {a: b}, condition: s}\n",
            NULL);
    const SigmaRule *rule = sigma_set_rule(set, 0);
    ck_assert_str_eq(rule->id, "1-2");
    ck_assert_str_eq(rule->name, "n");
    ck_assert_str_eq(rule->status, "test");
    ck_assert_str_eq(rule->description, "d");
    ck_assert_str_eq(rule->author, "A, B");
    ck_assert_str_eq(rule->date, "2026-01-02");
    ck_assert_str_eq(rule->modified, "2026/01/03");
    ck_assert_str_eq(rule->license, "MIT");
    ck_assert_str_eq(sigma_severity(rule->level), "error");
    ck_assert_str_eq(sigma_level_word(rule->level), "high");
    ck_assert_uint_eq(rule->tags.count, 2);
    ck_assert_str_eq(rule->tags.texts[1], "attack.persistence");
    ck_assert_str_eq(rule->references.texts[0], "https://example.org/x");
    ck_assert_str_eq(rule->falsepositives.texts[0], "none");
    ck_assert_str_eq(rule->fields.texts[1], "a.b");
    ck_assert_str_eq(rule->product, "aws");
    ck_assert_str_eq(rule->service, "cloudtrail");
    ck_assert_str_eq(rule->category, "c");
    ck_assert_str_eq(rule->definition, "e");
    ck_assert(!rule->silent && !rule->correlation);
}
END_TEST

START_TEST(levels_are_severities) {
    static const char *const want[][2] = {
        {"informational", "info"}, {"low", "info"}, {"medium", "warning"}, {"high", "error"}, {"critical", "critical"}};
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        OWN(text) char *rule = text_format("title: T\nlevel: %s\ndetection: {s: {a: b}, condition: s}\n", want[i][0]);
        OWN(sigma_set) SigmaSet *set = good_set(rule, NULL);
        ck_assert_str_eq(sigma_severity(sigma_set_rule(set, 0)->level), want[i][1]);
    }
}
END_TEST

START_TEST(other_services_are_left_out_and_counted) {
    const SigmaOptions of_trail = {.product = "aws", .service = "cloudtrail"};
    static const char text[] =
        "title: W\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n---\n"
        "title: G\nname: g\nlogsource: {product: aws, service: guardduty}\ndetection: {s: {a: b}, condition: s}\n---\n"
        "title: C\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {a: b}, condition: s}\n---\n"
        "title: N\nlogsource: {product: aws}\ndetection: {s: {a: b}, condition: s}\n---\n"
        "title: R\ncorrelation: {type: event_count, rules: [g], timespan: 5m, condition: {gte: 2}}\n";
    OWN(problems) Problems *all = problems_new();
    SigmaBuilder *builder = sigma_builder_new(&of_trail, all);
    ck_assert(sigma_builder_text(builder, "r.yml", text, strlen(text)));
    ck_assert_uint_eq(sigma_builder_left_out(builder), 2);
    OWN(sigma_set) SigmaSet *set = sigma_builder_finish(builder);
    ck_assert_uint_eq(sigma_set_count(set), 3);
    ck_assert_str_eq(sigma_set_rule(set, 0)->title, "C");
    ck_assert(sigma_rule_lives(set, 0) && sigma_rule_lives(set, 1) && !sigma_rule_lives(set, 2));
}
END_TEST

START_TEST(other_products_are_left_out) {
    const SigmaOptions aws = {.product = "aws"};
    OWN(sigma_set)
    SigmaSet *set = good_set("title: W\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n---\n"
                             "title: A\nlogsource: {product: aws}\ndetection: {s: {a: b}, condition: s}\n---\ntitle: "
                             "N\ndetection: {s: {a: b}, condition: s}\n",
        &aws);
    ck_assert_uint_eq(sigma_set_count(set), 2);
    ck_assert_str_eq(sigma_set_rule(set, 0)->title, "A");
}
END_TEST

START_TEST(a_regex_that_explodes_is_counted) {
    OWN(sigma_set)
    SigmaSet *set = good_set("title: A\ndetection: {s: {a|re: '^(([a-z])+.)+[A-Z]([a-z])+$'}, condition: s}\n---\n"
                             "title: B\ndetection: {s: {a|startswith: aaa}, condition: s}\n",
        NULL);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    OWN(text) char *event = many("{\"a\": \"", "a", 5000, "\"}");
    ck_assert_uint_eq(match(set, scratch, event), 1); /* the other rule is judged all the same */
    ck_assert_uint_eq(sigma_scratch_limits(scratch).regex, 1);
    ck_assert_uint_eq(sigma_scratch_limits(scratch).rule, 0);
}
END_TEST

START_TEST(an_event_of_many_explosions_ends) {
    OWN(sigma_set)
    SigmaSet *set = good_set(HEAD "  s: {a|re: '^(([a-z])+.)+[A-Z]([a-z])+$'}\n  condition: s\n", NULL);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    OWN(text) char *one = many("\"", "a", 1000, "\","), *event = many("{\"a\": [", one, 200, "\"aaAa\"]}");
    ck_assert_uint_eq(match(set, scratch, event), 0); /* the good one stands behind too many bad ones */
    ck_assert_uint_eq(sigma_scratch_limits(scratch).regex, 201);
    ck_assert_uint_eq(match(set, scratch, "{\"a\": \"aaAa\"}"), 1); /* the next event begins anew */
}
END_TEST

START_TEST(values_of_one_event_are_bounded) {
    OWN(sigma_set) SigmaSet *set = good_set(HEAD "  s: {a: y}\n  t: {b: x}\n  condition: 1 of them\n", NULL);
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    OWN(text) char *event = many("{\"a\": [1", ",1", SIGMA_FIELD_VALUES_MAX, "]}");
    ck_assert_uint_eq(match(set, scratch, event), 0);
    ck_assert_uint_eq(sigma_scratch_limits(scratch).values, 1);
    ck_assert_uint_eq(match(set, scratch, "{\"b\": \"x\"}"), 1);
}
END_TEST

START_TEST(an_alarm_brings_its_detection) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *all = problems_new();
    const SigmaOptions plain = {0};
    SigmaBuilder *builder = sigma_builder_new(&plain, all);
    const char good[] = "s: {a: b}\ncondition: s\n",
               counted[] = "s: {a: b}\ntimeframe: 5m\ncondition: s | count() > 5\n",
               bad[] = "s: {a|x: b}\ncondition: s\n";
    uint32_t number = 7;
    ck_assert(
        sigma_builder_detection(builder, "alarm", node_parse(arena, arena, "f", good, sizeof good - 1, all), &number));
    ck_assert_uint_eq(number, 0);
    ck_assert(!sigma_builder_detection(
        builder, "alarm", node_parse(arena, arena, "f", counted, sizeof counted - 1, all), &number));
    ck_assert(
        !sigma_builder_detection(builder, "alarm", node_parse(arena, arena, "f", bad, sizeof bad - 1, all), &number));
    OWN(sigma_set) SigmaSet *set = sigma_builder_finish(builder);
    ck_assert_uint_eq(sigma_set_count(set), 1);
    char *lines = problem_lines(all);
    ck_assert_str_eq(lines,
        "f:1:5: error: alarm: unknown modifier `x` (such as contains, startswith, endswith, re, cidr, cased, all)\n"
        "f:3:12: error: alarm: `|` has no place in an alarm's condition (use the alarm's `count` and `group-by`)\n");
    free(lines);
}
END_TEST

/* --- read-only events --- */

static const struct Reads {
    const char *parts, *condition;
    bool reads;
} reads[] = {
    {"s: {eventName: StopLogging}", "s", false},
    {"s: {eventName: [DeleteTrail, GetTrail]}", "s", true},
    {"s: {eventName|startswith: Delete}", "s", false},
    {"s: {eventName|startswith: Create}", "s", true}, /* CreateSession reads */
    {"s: {eventName|startswith: AddPermission}", "s", false},
    {"s: {eventName|endswith: Trail}", "s", true},
    {"s: {eventName: AssumeRole}", "s", true},
    {"s: {eventName: ConsoleLogin}", "s", false},
    {"s: {eventName: CreateSession}", "s", true},
    {"s: {eventName|neq: StopLogging}", "s", true},
    {"s: {readOnly: false}", "s", false},
    {"s: {readOnly: 'false'}", "s", false},
    {"s: {readOnly: true}", "s", true},
    {"s: {readOnly: true}", "not s", false},
    {"s: {readOnly|exists: false}", "s", false},
    {"s: {readOnly|fieldref: x}", "s", true},
    {"s: {userIdentity.type: Root}", "s", true},
    {"s: {userIdentity.type: Root, eventName: PutObject}", "s", false},
    {"s: {eventName: StopLogging}", "not s", true},
    {"s: {eventName: StopLogging}\n  t: {errorCode: x}", "s or t", true},
    {"s: {eventName: StopLogging}\n  t: {errorCode: x}", "s and not t", false},
    {"s: [needle]", "s", true},
};

START_TEST(reads_are_asked_for_only_where_a_rule_can_match_one) {
    const struct Reads *r = &reads[_i];
    OWN(text) char *rule = text_format(HEAD "  %s\n  condition: %s\n", r->parts, r->condition);
    OWN(sigma_set) SigmaSet *set = good_set(rule, NULL);
    ck_assert_msg(sigma_set_reads(set) == r->reads, "%s: %s", r->parts, r->condition);
    ck_assert(sigma_rule_reads(set, 0) == r->reads);
}
END_TEST

START_TEST(event_texts) {
    static const struct {
        const char *event, *field, *text;
    } want[] = {{"{\"a\": {\"b\": \"x\"}}", "a.b", "x"}, {"{\"a\": [null, {}, 5]}", "a", "5"},
        {"{\"a\": 1.5}", "a", "1.5"}, {"{\"a\": false}", "a", "false"}, {"{\"a\": {\"b\": 1}}", "a", ""},
        {"{}", "a", ""}, {"{\"a\": \"1234567\xc3\xa4\"}", "a", "1234567"}};
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        OWN(json) json_t *event = event_of(want[i].event);
        char text[9];
        ck_assert_str_eq(sigma_event_text(event, want[i].field, text, sizeof text), want[i].text);
    }
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, problems_are_all_told, 0, (int)COUNT_OF(wrong));
    tcase_add_test(tcase, every_prefix_ends);
    tcase_add_loop_test(tcase, bombs_are_refused, 0, (int)COUNT_OF(bombs));
    tcase_add_test(tcase, aliases_and_patterns_do_not_multiply);
    tcase_add_test(tcase, too_many_parts);
    tcase_add_loop_test(tcase, events_meet_rules, 0, (int)COUNT_OF(cases));
    tcase_add_loop_test(tcase, conditions_decide, 0, (int)COUNT_OF(logics));
    tcase_add_test(tcase, numbers_ascend_whatever_the_index_does);
    tcase_add_test(tcase, a_rule_says_what_it_is);
    tcase_add_test(tcase, levels_are_severities);
    tcase_add_test(tcase, other_products_are_left_out);
    tcase_add_test(tcase, other_services_are_left_out_and_counted);
    tcase_add_test(tcase, a_regex_that_explodes_is_counted);
    tcase_add_test(tcase, an_event_of_many_explosions_ends);
    tcase_add_test(tcase, values_of_one_event_are_bounded);
    tcase_add_test(tcase, an_alarm_brings_its_detection);
    tcase_add_loop_test(tcase, reads_are_asked_for_only_where_a_rule_can_match_one, 0, (int)COUNT_OF(reads));
    tcase_add_test(tcase, event_texts);
}

int main(void) { return run_tests("sigma", fill); }
