/* Composite rules: every composite entry of alarm-cases.json, the grammar's edges, and cycles. */
#include "rules/composite_cycle.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "cases.h"

#include <string.h>

static bool state_in(void *ctx, const char *child, AlarmState *ret_state) {
    const json_t *state = json_object_get(ctx, child);
    return json_is_string(state) && state_parse(json_string_value(state), ret_state);
}

static void check_case(const json_t *c) {
    Fault fault = {0};
    OWN(composite) Composite *rule = composite_parse(word(c, "rule"), &fault);
    if (strcmp(word(c, "expected"), "INVALID") == 0) {
        ck_assert_msg(!rule, "%s was taken", word(c, "name"));
        ck_assert(fault.column && fault.what[0] && fault.remedy);
        return;
    }
    ck_assert_msg(rule != NULL, "%s: %zu: %s", word(c, "name"), fault.column, fault.what);
    json_t *states = json_object_get(c, "states");
    size_t missing = 9;
    const AlarmState got = composite_evaluate(rule, state_in, states, &missing);
    ck_assert_msg(got == state_of(word(c, "expected")), "%s: %s", word(c, "name"), state_word(got));
    ck_assert_msg(missing == 0, "%s: %zu missing", word(c, "name"), missing);
    ck_assert_uint_eq(composite_children(rule), json_object_size(states));
}

START_TEST(published_and_derived) {
    json_t *list = cases_of("composite_cases");
    for (size_t i = 0; i < json_array_size(list); i++) check_case(json_array_get(list, i));
    json_decref(list);
}
END_TEST

static const struct Bad {
    const char *rule;
    size_t column;
    const char *what;
} bad[] = {
    {"", 1, "the rule is empty"},
    {" \n\t", 4, "the rule is empty"},
    {"ALARM(cpu", 10, "`)` is expected here"},
    {"ALARM()", 7, "an alarm's name is expected here"},
    {"ALARM(\"\")", 7, "an alarm's name is expected here"},
    {"ALARM", 6, "`(` is expected here"},
    {"ALARM cpu", 7, "`(` is expected here"},
    {"ALARM(\"cpu", 7, "a quote is not closed"},
    {"ALARM(\"cpu\\\")", 7, "a quote is not closed"},
    {"ALARM(high cpu)", 12, "`)` is expected here"},
    {"ALARM(a,b)", 8, "`)` is expected here"},
    {"ALARM(a\"b\")", 8, "`)` is expected here"},
    {"cpu AND disk", 1, "`cpu` is no function"},
    {"ALARMS(a)", 1, "`ALARMS` is no function"},
    {"TRUE1", 1, "`TRUE1` is no function"},
    {"\"a\"", 1, "a function is expected here"},
    {")", 1, "a function is expected here"},
    {"()", 2, "a function is expected here"},
    {"AND ALARM(a)", 1, "`AND` is no function"},
    {"ALARM(a) AND", 13, "the rule ends where a function is expected"},
    {"ALARM(a) OR OR ALARM(b)", 13, "`OR` is no function"},
    {"NOT", 4, "the rule ends where a function is expected"},
    {"ALARM(a) ALARM(b)", 10, "AND or OR is expected here"},
    {"ALARM(a) NOT ALARM(b)", 10, "AND or OR is expected here"},
    {"ALARM(a))", 9, "AND or OR is expected here"},
    {"(ALARM(a)", 1, "a bracket is not closed"},
    {"(ALARM(a) ALARM(b))", 11, "AND, OR or `)` is expected here"},
    {"TRUE && FALSE", 6, "AND or OR is expected here"},
    {"AT_LEAST", 9, "`(` is expected here"},
    {"AT_LEAST()", 10, "a number from 1 on, or a percentage, is expected here"},
    {"AT_LEAST(-1, ALARM, (a))", 10, "a number from 1 on, or a percentage, is expected here"},
    {"AT_LEAST(0, ALARM, (a))", 10, "AT_LEAST cannot ask for 0"},
    {"AT_LEAST(0%, ALARM, (a))", 10, "AT_LEAST cannot ask for 0%"},
    {"AT_LEAST(101%, ALARM, (a))", 10, "AT_LEAST cannot ask for 101%"},
    {"AT_LEAST(99999999999999999999, ALARM, (a))", 10, "a number from 1 on, or a percentage, is expected here"},
    {"AT_LEAST(1.5, ALARM, (a))", 11, "`,` is expected here"},
    {"AT_LEAST(3, ALARM, (a, b))", 10, "AT_LEAST asks for 3 of 2 alarms, which can never be"},
    {"AT_LEAST(1, BROKEN, (a))", 13, "a state is expected here"},
    {"AT_LEAST(1, NOT, (a))", 16, "a state is expected here"},
    {"AT_LEAST(1, ALARM, a, b)", 20, "`(` is expected here"},
    {"AT_LEAST(1, ALARM, ())", 21, "an alarm's name is expected here"},
    {"AT_LEAST(1, ALARM, (a,))", 23, "an alarm's name is expected here"},
    {"AT_LEAST(1, ALARM, (a)", 23, "`)` is expected here"},
    {"ALARM(\xc3\xa4) \xff", 10, "a byte that is no UTF-8"},
    {"ALARM(\xc3\xa4) x", 10, "AND or OR is expected here"}, /* columns count characters */
    {"ALARM(\x01)", 7, "a control character"},
};

START_TEST(refuses) {
    Fault fault = {0};
    ck_assert_msg(!composite_parse(bad[_i].rule, &fault), "`%s` was taken", bad[_i].rule);
    ck_assert_msg(fault.column == bad[_i].column, "`%s`: column %zu: %s", bad[_i].rule, fault.column, fault.what);
    ck_assert_str_eq(fault.what, bad[_i].what);
    ck_assert_ptr_nonnull(fault.remedy);
    ck_assert(!composite_parse(bad[_i].rule, NULL));
}
END_TEST

/* `start`, `count` times `middle` with its number, `end`; `join` between. Caller frees. */
static char *chain(const char *start, const char *middle, const char *join, const char *end, size_t count) {
    Buffer text = BUFFER(1 << 20);
    buffer_text(&text, start);
    for (size_t i = 0; i < count; i++) {
        if (i) buffer_text(&text, join);
        buffer_text(&text, middle);
        if (middle[strlen(middle) - 1] == 'a') buffer_format(&text, "%zu)", i);
    }
    buffer_text(&text, end);
    return buffer_take(&text);
}

static char *brackets(size_t depth) {
    OWN(text) char *open = chain("", "(", "", "", depth);
    OWN(text) char *close = chain("", ")", "", "", depth);
    return text_format("%sTRUE%s", open, close);
}

static void check_bound(char *take_good, char *take_bad, const char *what) {
    OWN(text) char *good = take_good, *large = take_bad;
    Fault fault = {0};
    OWN(composite) Composite *rule = composite_parse(good, &fault);
    ck_assert_msg(rule != NULL, "%s", fault.what);
    ck_assert(!composite_parse(large, &fault));
    ck_assert_str_eq(fault.what, what);
}

START_TEST(has_bounds) {
    check_bound(chain("", "ALARM(a", " OR ", "", 100), chain("", "ALARM(a", " OR ", "", 101),
        "a rule names more than 100 alarms");
    check_bound(
        chain("", "TRUE", " AND ", "", 500), chain("", "TRUE", " AND ", "", 501), "a rule has more than 500 elements");
    check_bound(brackets(64), brackets(65), "brackets are nested deeper than 64");
    check_bound(chain("", "(TRUE)", " OR ", "", 250), chain("", "(TRUE)", " OR ", "", 251),
        "a rule has more than 500 elements"); /* side by side is not deep */
    check_bound(chain("", "NOT", " ", " TRUE", 2000), chain("", "NOT", " ", " TRUE", 3000), "longer than 10240 bytes");
    check_bound(
        chain("ALARM(", "x", "", ")", 2048), chain("ALARM(", "x", "", ")", 2049), "a name is longer than 2048 bytes");
}
END_TEST

/* a is in ALARM, o is OK, i has no data, g is gone. */
static bool state_by_letter(void *ctx, const char *child, AlarmState *ret_state) {
    ++*(size_t *)ctx;
    *ret_state = *child == 'a' ? STATE_ALARM : *child == 'o' ? STATE_OK : STATE_INSUFFICIENT_DATA;
    return *child != 'g';
}

static const struct Value {
    const char *rule;
    bool want;
    size_t missing, mixed_column;
} values[] = {
    {"TRUE OR TRUE AND FALSE", true, 0, 14}, /* AND goes first */
    {"FALSE AND TRUE OR TRUE", true, 0, 16},
    {"(TRUE OR TRUE) AND FALSE", false, 0, 0},
    {"TRUE OR (TRUE AND FALSE)", true, 0, 0},
    {"(TRUE OR TRUE AND FALSE)", true, 0, 15},
    {"TRUE AND (FALSE OR FALSE AND TRUE)", false, 0, 26},
    {"(TRUE AND TRUE) OR (TRUE AND TRUE)", true, 0, 0},
    {"NOT TRUE OR TRUE", true, 0, 0}, /* NOT goes before both */
    {"NOT FALSE AND FALSE", false, 0, 0},
    {"NOT NOT TRUE", true, 0, 0},
    {"NOT NOT NOT TRUE", false, 0, 0},
    {"NOT(TRUE)", false, 0, 0},
    {"alarm(a) and not ok(a) or false", true, 0, 24},
    {"At_Least(1, not Ok, (a))", true, 0, 0},
    {"  ALARM ( a )AND(OK( \"o\" ))  ", true, 0, 0},
    {"insufficient_data(i)", true, 0, 0},
    {"ALARM(g)", false, 1, 0},
    {"OK(g)", false, 1, 0},
    {"INSUFFICIENT_DATA(g)", false, 1, 0},
    {"NOT ALARM(g)", true, 1, 0}, /* the function is false */
    {"AT_LEAST(1, NOT ALARM, (g))", false, 1, 0},
    {"AT_LEAST(1, NOT ALARM, (g, o))", true, 1, 0},
    {"AT_LEAST(50%, ALARM, (g, a))", true, 1, 0},
    {"AT_LEAST(100%, ALARM, (g, a))", false, 1, 0},
    {"AT_LEAST(100%, ALARM, (a, a2))", true, 0, 0},
    {"AT_LEAST(1%, ALARM, (o, o2, o3))", false, 0, 0},
    {"ALARM(g) OR OK(g2) OR ALARM(a)", true, 2, 0},
    {"TRUE OR ALARM(g)", true, 1, 0}, /* all children are looked at */
    {"ALARM(a) AND ALARM(a) AND NOT OK(a)", true, 0, 0},
};

START_TEST(has_the_value) {
    Fault fault = {0};
    OWN(composite) Composite *rule = composite_parse(values[_i].rule, &fault);
    ck_assert_msg(rule != NULL, "%s: %s", values[_i].rule, fault.what);
    size_t missing = 0, calls = 0;
    const AlarmState got = composite_evaluate(rule, state_by_letter, &calls, &missing);
    ck_assert_msg(got == (values[_i].want ? STATE_ALARM : STATE_OK), "%s", values[_i].rule);
    ck_assert_uint_eq(missing, values[_i].missing);
    ck_assert_uint_eq(calls, composite_children(rule)); /* each once, however often it is named */
    ck_assert_uint_eq(composite_mixed_column(rule), values[_i].mixed_column);
    ck_assert_int_eq(composite_evaluate(rule, state_by_letter, &calls, NULL), got);
}
END_TEST

START_TEST(lists_its_children) {
    OWN(composite) Composite *rule = composite_parse("OK(b) OR ALARM(\"a \\\"x\\\" \\y\") AND ALARM(b)", NULL);
    ck_assert_uint_eq(composite_children(rule), 2);
    ck_assert_str_eq(composite_child(rule, 0), "b");
    ck_assert_uint_eq(composite_child_column(rule, 0), 4);
    ck_assert_str_eq(composite_child(rule, 1), "a \"x\" \\y");
    ck_assert_uint_eq(composite_child_column(rule, 1), 16);
}
END_TEST

/* --- cycles: `name: rule` a line --- */

static const struct Cycle {
    const char *composites[6][2];
    const char *want; /* each as `index path;` */
} cycles[] = {
    {{{"a", "ALARM(x)"}, {"b", "ALARM(a)"}, {"c", "ALARM(a) AND ALARM(b)"}}, ""},
    {{{"a", "ALARM(a)"}}, "0 a -> a;"},
    {{{"a", "NOT OK(b)"}, {"b", "AT_LEAST(1, OK, (x, a))"}}, "0 a -> b -> a;"},
    {{{"z", "ALARM(a)"}, {"a", "ALARM(b)"}, {"b", "ALARM(c)"}, {"c", "ALARM(a)"}}, "1 a -> b -> c -> a;"},
    {{{"a", "ALARM(b)"}, {"b", "ALARM(a)"}, {"c", "ALARM(d)"}, {"d", "ALARM(c)"}}, "0 a -> b -> a;2 c -> d -> c;"},
    {{{"a", "ALARM(b) OR ALARM(c)"}, {"b", "ALARM(a)"}, {"c", "ALARM(a)"}}, "0 a -> b -> a;0 a -> c -> a;"},
    {{{"a", "ALARM(b)"}, {"b", NULL}}, ""},
    {{{"a", "ALARM(b) OR ALARM(c)"}, {"b", "ALARM(d)"}, {"c", "ALARM(d)"}, {"d", "ALARM(x)"}}, ""}, /* a diamond */
    {{{NULL, NULL}}, ""},
};

static void note(void *ctx, size_t index, const char *path) { buffer_format(ctx, "%zu %s;", index, path); }

START_TEST(finds_cycles) {
    NamedComposite named[6];
    Composite *rules[6] = {NULL};
    size_t count = 0;
    for (; count < 6 && cycles[_i].composites[count][0]; count++) {
        const char *text = cycles[_i].composites[count][1];
        rules[count] = text ? composite_parse(text, NULL) : NULL;
        named[count] = (NamedComposite){cycles[_i].composites[count][0], rules[count]};
    }
    OWN(buffer) Buffer found = BUFFER(4096);
    const size_t told = composite_cycles(named, count, note, &found);
    ck_assert_str_eq(buffer_string(&found), cycles[_i].want);
    size_t semicolons = 0;
    for (const char *p = buffer_string(&found); *p; p++) semicolons += *p == ';';
    ck_assert_uint_eq(told, semicolons);
    for (size_t i = 0; i < count; i++) composite_free(rules[i]);
}
END_TEST

/* As many as a configuration may hold, in one ring: no recursion, a path that is cut short. */
START_TEST(finds_a_long_cycle) {
    enum { COUNT = 10000 };
    NamedComposite *named = alloc_zeroed(COUNT, sizeof *named);
    char(*names)[8] = alloc_zeroed(COUNT, sizeof *names);
    for (size_t i = 0; i < COUNT; i++) snprintf(names[i], sizeof names[i], "n%zu", i);
    for (size_t i = 0; i < COUNT; i++) {
        OWN(text) char *text = text_format("ALARM(%s)", names[(i + 1) % COUNT]);
        named[i] = (NamedComposite){names[i], composite_parse(text, NULL)};
    }
    OWN(buffer) Buffer found = BUFFER(4096);
    ck_assert_uint_eq(composite_cycles(named, COUNT, note, &found), 1);
    ck_assert_str_eq(buffer_string(&found), "0 more alarms than can be named;");
    for (size_t i = 0; i < COUNT; i++) composite_free((Composite *)(uintptr_t)named[i].rule);
    free(names);
    free(named);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, published_and_derived);
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(bad));
    tcase_add_test(tcase, has_bounds);
    tcase_add_loop_test(tcase, has_the_value, 0, COUNT_OF(values));
    tcase_add_test(tcase, lists_its_children);
    tcase_add_loop_test(tcase, finds_cycles, 0, COUNT_OF(cycles));
    tcase_add_test(tcase, finds_a_long_cycle);
}

int main(void) { return run_tests("composite", fill); }
