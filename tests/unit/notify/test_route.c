/* The `route` section: Alertmanager's words, defaults and refusals. */
#include "notify/route.h"

#include "../config/printed.h"
#include "../run.h"

#include <string.h>

typedef struct Loaded {
    Arena *arena;
    Problems *all;
    RouteSection routes;
    char *text;
} Loaded;

/* As a snapshot does it: the rows, then what rows cannot say. */
static Loaded load(const char *yaml) {
    Loaded l = {.arena = arena_new(), .all = problems_new()};
    Decoding in = {.arena = l.arena, .problems = l.all, .directory = "."};
    const Node *node = yaml ? node_parse(l.arena, "f", yaml, strlen(yaml), l.all) : NULL;
    if (node_get(node, "route")) node = node_get(node, "route");
    schema_read(route_rows, node, (Place){"f", 1, 1}, &l.routes, &in);
    route_section.decode(&in, node, &l.routes);
    l.text = printed(l.all);
    return l;
}

static void unload(Loaded *l) {
    free(l->text);
    problems_free(l->all);
    arena_free(l->arena);
}

static const struct {
    const char *yaml, *want; /* the first line, or what is in it */
} bad[] = {
    {"group_wait: 30s", "f:1:1: error: `receiver` is missing (the name of a receiver)"},
    {"receiver: ''", "f:1:11: error: "},
    {"receiver: [a]", "f:1:11: error: "},
    {"receiver: a\ngroup_interval: 0", "f:2:17: error: "},
    {"receiver: a\nrepeat_interval: 0s", "f:2:18: error: "},
    {"receiver: a\ngroup_wait: -1s", "f:2:13: error: "},
    {"receiver: a\ngroup_wait: 367d", "f:2:13: error: "},
    {"receiver: a\ngroup_wait: soon", "f:2:13: error: "},
    {"receiver: a\ngroup_by: [a, a]", "f:2:15: error: `group_by` has `a` twice"},
    {"receiver: a\ngroup_by: [a, '...']", "f:2:15: error: `group_by` has `...` beside other labels"},
    {"receiver: a\ngroup_by: ['a-b']", "f:2:12: error: `group_by` has `a-b`, which is no label's name"},
    {"receiver: a\ngroup_by: ['']", "f:2:12: error: "},
    {"receiver: a\ngroup_by: [1a]", "f:2:12: error: "},
    {"receiver: a\nroutes: []", "f:2:1: error: `routes` does not exist in this version of Tocsin"},
    {"receiver: a\nmatchers: [a=b]", "f:2:1: error: `matchers` does not exist"},
    {"receiver: a\ncontinue: true", "f:2:1: error: `continue` does not exist"},
    {"receiver: a\nescalate: []", "f:2:1: error: `escalate` does not exist"},
    {"receiver: a\nmute_time_intervals: []", "f:2:1: error: `mute_time_intervals` does not exist"},
    {"receiver: a\nactive_time_intervals: []", "f:2:1: error: `active_time_intervals` does not exist"},
    {"receiver: a\ngroup_wiat: 1s", "f:2:1: error: unknown key `group_wiat` (did you mean `group_wait`?)"},
};

START_TEST(refuses) {
    Loaded l = load(bad[_i].yaml);
    ck_assert_uint_eq(problems_errors(l.all), 1);
    ck_assert_msg(strstr(l.text, bad[_i].want) == l.text, "`%s`, not `%s`", l.text, bad[_i].want);
    unload(&l);
}
END_TEST

START_TEST(has_the_defaults_of_alertmanager) {
    Loaded l = load("receiver: oncall");
    ck_assert_str_eq(l.text, "");
    ck_assert(l.routes.is_given);
    ck_assert_str_eq(l.routes.root.receiver, "oncall");
    ck_assert_uint_eq(l.routes.root.receiver_at.column, 11);
    ck_assert_uint_eq(l.routes.root.group_by.count, 1);
    ck_assert_str_eq(l.routes.root.group_by.texts[0], "alertname");
    ck_assert_int_eq(l.routes.root.group_wait_s, 30);
    ck_assert_int_eq(l.routes.root.group_interval_s, 300);
    ck_assert_int_eq(l.routes.root.repeat_interval_s, 14400);
    ck_assert_ptr_eq(route_resolve(&l.routes, NULL), &l.routes.root);
    unload(&l);
}
END_TEST

static const char *const nothing[] = {NULL, "route:", "route: ~"};

START_TEST(without_a_section_there_is_no_route) {
    Loaded l = load(nothing[_i]);
    ck_assert_str_eq(l.text, "");
    ck_assert_int_eq(l.routes.root.group_interval_s, 300); /* what is open is still timed by it */
    ck_assert_ptr_null(route_resolve(&l.routes, NULL));
    unload(&l);
}
END_TEST

static const struct {
    const char *group_by, *want; /* `name=value ` of the group */
} groups[] = {
    {"[alertname]", "alertname=x "},
    {"alertname", "alertname=x "},
    {"[region, alertname, nobody]", "alertname=x region=eu "},
    {"[]", ""},
    {"['...']", "alertname=x region=eu zone=1 "},
};

START_TEST(groups_by_labels) {
    char yaml[128], got[128] = "";
    snprintf(yaml, sizeof yaml, "receiver: a\ngroup_by: %s", groups[_i].group_by);
    Loaded l = load(yaml);
    ck_assert_str_eq(l.text, "");
    const Label pairs[] = {{"zone", "1"}, {"region", "eu"}, {"alertname", "x"}};
    OWN(labels) Labels *labels = labels_new(pairs, 3);
    OWN(labels) Labels *group = route_group_labels(&l.routes.root, labels);
    for (size_t i = 0; i < labels_count(group); i++) {
        const Label label = labels_at(group, i);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s=%s ", label.name, label.value);
    }
    ck_assert_str_eq(got, groups[_i].want);
    unload(&l);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(bad));
    tcase_add_test(tcase, has_the_defaults_of_alertmanager);
    tcase_add_loop_test(tcase, without_a_section_there_is_no_route, 0, COUNT_OF(nothing));
    tcase_add_loop_test(tcase, groups_by_labels, 0, COUNT_OF(groups));
}

int main(void) { return run_tests("route", fill); }
