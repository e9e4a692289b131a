/* What is seen of an expression without evaluating it. */
#include "sources/math_expression.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <string.h>

static const struct Case {
    const char *expression;
    bool is_query, is_many;
    const char *names; /* joined by blanks */
    const char *renamed; /* a, rate and m1 become z0, z1 and z2; NULL: unchanged */
} cases[] = {
    {"", false, false, "", NULL},
    {"100 * a / rate", false, false, "", "100 * z0 / z1"},
    {"a+rate", false, false, "", "z0+z1"},
    {"1e3 * a1 + m1", false, false, "", "1e3 * a1 + z2"}, /* neither a number's tail nor a longer id */
    {"IF(a > 1 AND rate, m1, 'a')", false, false, "", "IF(z0 > 1 AND z1, z2, 'a')"},
    {"a(1)", false, false, "", NULL}, /* a function is no id */
    {"'a", false, false, "", NULL}, /* a quote that never ends */
    {")))(((", false, false, "", NULL},
    {"SUM(METRICS())", false, false, "", NULL},
    {"SUM(METRICS()) + METRICS(\"a\")", false, true, "", NULL},
    {"SUM(FILL(METRICS(), 0))", false, false, "", NULL},
    {"METRICS() / 2", false, true, "", NULL},
    {"[a, rate]", false, true, "", "[z0, z1]"},
    {"AVG([a, rate])", false, false, "", "AVG([z0, z1])"},
    {"SUM (SEARCH('{AWS/EC2,InstanceId} CPU', 'Sum', 60))", false, false, "", NULL},
    {"SEARCH('{AWS/EC2,InstanceId} CPU', 'Sum', 60)", false, true, "InstanceId", NULL},
    {"SEARCH('{\"My App\",\"Dim A\", B} x', 'Sum')", false, true, "Dim A B", NULL},
    {"SEARCH('{AWS/EC2,InstanceId} CPU', 'Sum', 60) / 2", false, true, "", NULL},
    {"SEARCH('{AWS/EC2} CPU', 'Sum')", false, true, "", NULL},
    {"SEARCH('CPU', 'Sum')", false, true, "", NULL},
    {"SELECT AVG(a) FROM SCHEMA(\"AWS/EC2\", InstanceId)", true, false, "", NULL},
    {" select SUM(a) FROM \"X\" GROUP BY InstanceId", true, true, "InstanceId", NULL},
    {"SELECT SUM(a) FROM \"X\" WHERE Y = 'GROUP BY Z' GROUP BY InstanceId, \"Load Balancer\" ORDER BY SUM() DESC LIMIT "
     "9",
        true, true, "InstanceId Load Balancer", NULL},
    {"SELECTED + a", false, false, "", "SELECTED + z0"},
    {"SELECT SUM(a) FROM X GROUP BY", true, true, "", NULL},
};

START_TEST(is_seen_without_evaluating) {
    const struct Case *c = &cases[_i];
    static const char *const ids[] = {"a", "rate", "m1"}, *const to[] = {"z0", "z1", "z2"};
    OWN(arena) Arena *arena = arena_new();
    const char *found[EXPRESSION_NAMES_MAX];
    ck_assert_msg(expression_is_query(c->expression) == c->is_query, "%s: a query", c->expression);
    ck_assert_msg(expression_is_many(c->expression) == c->is_many, "%s: many", c->expression);
    OWN(buffer) Buffer names = BUFFER(1000);
    const size_t count = expression_names(arena, c->expression, found);
    for (size_t i = 0; i < count; i++) buffer_format(&names, "%s%s", i ? " " : "", found[i]);
    ck_assert_str_eq(buffer_string(&names), c->names);
    ck_assert_str_eq(
        expression_rename(arena, c->expression, ids, to, COUNT_OF(ids)), c->renamed ? c->renamed : c->expression);
}
END_TEST

START_TEST(deep_nesting_ends) {
    OWN(buffer) Buffer deep = BUFFER(10000);
    for (int i = 0; i < 1000; i++) buffer_text(&deep, "SUM(");
    buffer_text(&deep, "METRICS()");
    ck_assert(!expression_is_many(buffer_string(&deep)));
    buffer_drop(&deep);
    for (int i = 0; i < 1000; i++) buffer_text(&deep, "(");
    buffer_text(&deep, "METRICS()");
    for (int i = 0; i < 1000; i++) buffer_text(&deep, ")");
    ck_assert(expression_is_many(buffer_string(&deep)));
}
END_TEST

START_TEST(what_is_folded_is_not_passed_on) {
    ck_assert(expression_passes("a / 2", "a"));
    ck_assert(expression_passes("SUM(b) + FILL(a, 0)", "a"));
    ck_assert(!expression_passes("SUM(a) + 'a'", "a"));
    ck_assert(expression_calls("1 + METRICS ()", "METRICS"));
    ck_assert(!expression_calls("'METRICS()' + METRICS", "METRICS"));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, is_seen_without_evaluating, 0, (int)COUNT_OF(cases));
    tcase_add_test(tcase, deep_nesting_ends);
    tcase_add_test(tcase, what_is_folded_is_not_passed_on);
}

int main(void) { return run_tests("math_expression", fill); }
