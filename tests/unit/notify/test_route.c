/* The `route` section: Alertmanager's words, defaults and refusals. */
#include "notify/route.h"

#include "../config/printed.h"
#include "../run.h"
#include "base/buffer.h"

#include <string.h>

typedef struct Loaded {
    Arena *arena;
    Problems *all;
    RouteSection routes;
    char *text;
} Loaded;

static Loaded load(const char *yaml) {
    Loaded l = {.arena = arena_new(), .all = problems_new()};
    Decoding in = {.arena = l.arena, .nodes = l.arena, .problems = l.all, .directory = "."};
    const Node *node = yaml ? node_parse(l.arena, l.arena, "f", yaml, strlen(yaml), l.all) : NULL;
    if (node_get(node, "route")) node = node_get(node, "route");
    route_section.decode(&in, node, &l.routes);
    l.text = printed(l.all);
    return l;
}

static void unload(Loaded *l) {
    route_section.destroy(&l->routes);
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
    {"receiver: a\ngroup_by: ['é']", "f:2:12: error: "},
    {"receiver: a\nroutes: x", "f:2:9: error: `routes` must be a list"},
    {"receiver: a\nroutes: {receiver: b}", "f:2:9: error: `routes` must be a list"},
    {"receiver: a\nroutes: [x]", "f:2:10: error: a route must be a section with keys"},
    {"receiver: a\nroutes: [~]", "f:2:10: error: a route must be a section with keys"},
    {"receiver: a\nroutes:\n- {reciever: b}", "f:3:4: error: unknown key `reciever` (did you mean `receiver`?)"},
    {"receiver: a\nroutes:\n- {match: {a: b}}", "f:3:4: error: unknown key `match` (did you mean `matchers`?)"},
    {"receiver: a\nroutes:\n- {matchers: ['a~b']}", "f:3:15: error: `matchers`: "},
    {"receiver: a\nroutes:\n- routes:\n  - {matchers: ['a=~\"(\"']}", "f:4:17: error: `matchers`: "},
    {"receiver: a\nroutes:\n- {matchers: [[a]]}", "f:3:15: error: `matchers` must be a list of texts"},
    {"receiver: a\nroutes:\n- {continue: perhaps}", "f:3:14: error: "},
    {"receiver: a\nroutes:\n- {mute_time_intervals: [n]}",
        "f:3:26: error: the time interval `n` does not exist (name one of `time_intervals`)"},
    {"receiver: a\nroutes:\n- {active_time_intervals: n}", "f:3:27: error: the time interval `n` does not exist"},
    {"receiver: a\nroutes:\n- {group_by: ['...', a]}", "f:3:15: error: `group_by` has `...` beside other labels"},
    {"receiver: a\nmatchers: [a=b]", "f:2:1: error: `matchers` cannot stand in the first route"},
    {"receiver: a\ncontinue: true", "f:2:1: error: `continue` cannot stand in the first route"},
    {"receiver: a\nmute_time_intervals: []", "f:2:1: error: `mute_time_intervals` cannot stand in the first route"},
    {"receiver: a\nactive_time_intervals: []", "f:2:1: error: `active_time_intervals` cannot stand in the first"},
    {"receiver: a\nescalate: x", "f:2:11: error: "},
    {"receiver: a\nescalate: [{after: 1m}]", "f:2:13: error: `receiver` is missing"},
    {"receiver: a\nescalate: [{receiver: b}]", "f:2:13: error: `after` is missing"},
    {"receiver: a\nescalate: [{receiver: b, after: 0s}]", "f:2:33: error: "},
    {"receiver: a\nroutes:\n- {escalate: [{receiver: b, aftr: 1m, after: 1m}]}", "f:3:29: error: unknown key `aftr`"},
    {"[a]", "f:1:1: error: `route` must be a section with keys of its own"},
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
    const Route *matched[1];
    ck_assert_uint_eq(route_match(&l.routes, NULL, matched), 1);
    ck_assert_ptr_eq(matched[0], &l.routes.root);
    unload(&l);
}
END_TEST

static const char *const nothing[] = {NULL, "route:", "route: ~"};

START_TEST(without_a_section_there_is_no_route) {
    Loaded l = load(nothing[_i]);
    ck_assert_str_eq(l.text, "");
    ck_assert_int_eq(l.routes.root.group_interval_s, 300); /* what is open is still timed by it */
    const Route *matched[1];
    ck_assert_uint_eq(route_match(&l.routes, NULL, matched), 0);
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

/* Alertmanager's own example of a tree, shortened, and the ways through it. */
static const char tree[] = "receiver: all\n"
                           "group_by: [alertname, region]\n"
                           "group_wait: 10s\n"
                           "routes:\n"
                           "- {matchers: ['service=~\"db.*|mq\"'], receiver: data, group_interval: 1m, routes: [\n"
                           "    {matchers: [severity=critical], receiver: data-pager, continue: true},\n"
                           "    {matchers: [region=eu], group_by: [], repeat_interval: 1h}]}\n"
                           "- {matchers: ['team=\"a b\"', severity!=info], receiver: team, continue: true}\n"
                           "- {matchers: [team!=\"\"], receiver: teams, group_by: ['...']}\n"
                           "- {matchers: [alertname=never], receiver: never, continue: true}\n";
static const struct {
    Label labels[3];
    const char *want; /* `receiver id; ` each */
} ways[] = {
    {{{"x", "y"}}, "all {}; "},
    {{{"service", "db1"}}, "data {}/{service=~\"db.*|mq\"}; "},
    {{{"service", "xdb"}}, "all {}; "}, /* anchored at both ends */
    {{{"service", "mqx"}}, "all {}; "},
    {{{"service", "mq"}, {"severity", "critical"}}, "data-pager {}/{service=~\"db.*|mq\"}/{severity=\"critical\"}; "},
    {{{"service", "mq"}, {"severity", "critical"}, {"region", "eu"}},
        "data-pager {}/{service=~\"db.*|mq\"}/{severity=\"critical\"}; data "
        "{}/{service=~\"db.*|mq\"}/{region=\"eu\"}; "},
    {{{"service", "mq"}, {"team", "a b"}}, "data {}/{service=~\"db.*|mq\"}; "}, /* the first that takes it has it */
    {{{"team", "a b"}}, "team {}/{team=\"a b\",severity!=\"info\"}; teams {}/{team!=\"\"}; "},
    {{{"team", "a b"}, {"severity", "info"}}, "teams {}/{team!=\"\"}; "},
    {{{"team", "c"}}, "teams {}/{team!=\"\"}; "},
    {{{"alertname", "never"}}, "never {}/{alertname=\"never\"}; "},
};

START_TEST(finds_the_way) {
    char got[512] = "";
    Loaded l = load(tree);
    ck_assert_str_eq(l.text, "");
    ck_assert_uint_eq(l.routes.count, 7);
    size_t count = 0;
    while (count < 3 && ways[_i].labels[count].name) count++;
    OWN(labels) Labels *labels = labels_new(ways[_i].labels, count);
    const Route **matched = arena_alloc(l.arena, route_room(&l.routes), sizeof *matched);
    count = route_match(&l.routes, labels, matched);
    for (size_t i = 0; i < count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s %s; ", matched[i]->receiver, matched[i]->id);
    ck_assert_str_eq(got, ways[_i].want);
    for (size_t i = 0; i < count; i++) { /* and a group's key leads back to its route */
        const char *key = route_group_key(matched[i], matched[i]->receiver, labels, l.arena);
        ck_assert_ptr_eq(route_of_key(&l.routes, matched[i]->receiver, key), matched[i]);
        ck_assert_ptr_eq(route_of_key(&l.routes, "other", key), &l.routes.root);
    }
    unload(&l);
}
END_TEST

static const struct {
    const char *receiver;
    int64_t wait_s, interval_s, repeat_s;
    size_t group_by;
    bool by_every_label;
} inherited[] = {
    /* in file order */
    {"all", 10, 300, 14400, 2, false},
    {"data", 10, 60, 14400, 2, false},
    {"data-pager", 10, 60, 14400, 2, false},
    {"data", 10, 60, 3600, 0, false},
    {"team", 10, 300, 14400, 2, false},
    {"teams", 10, 300, 14400, 0, true},
    {"never", 10, 300, 14400, 2, false},
};

START_TEST(children_have_what_their_parent_has) {
    Loaded l = load(tree);
    size_t i = 0;
    for (const Route *route = &l.routes.root; route; route = route->next, i++) {
        ck_assert_uint_lt(i, COUNT_OF(inherited));
        ck_assert_str_eq(route->receiver, inherited[i].receiver);
        ck_assert_int_eq(route->group_wait_s, inherited[i].wait_s);
        ck_assert_int_eq(route->group_interval_s, inherited[i].interval_s);
        ck_assert_int_eq(route->repeat_interval_s, inherited[i].repeat_s);
        ck_assert_uint_eq(route->group_by.count, inherited[i].group_by);
        ck_assert_int_eq(route->by_every_label, inherited[i].by_every_label);
        ck_assert_int_eq(route->names_receiver, i != 3);
    }
    ck_assert_uint_eq(i, COUNT_OF(inherited));
    unload(&l);
}
END_TEST

START_TEST(there_may_be_so_many_routes_and_no_more) {
    OWN(buffer) Buffer yaml = BUFFER((size_t)1 << 18);
    buffer_text(&yaml, "receiver: a\nroutes:\n");
    for (size_t i = 1; i < (size_t)ROUTES_MAX + (size_t)_i * 2; i++) buffer_text(&yaml, "- {receiver: b}\n");
    Loaded l = load(buffer_string(&yaml));
    ck_assert_uint_eq(problems_errors(l.all), (size_t)_i); /* told once */
    if (_i) ck_assert_msg(strstr(l.text, "there are more than 1000 routes"), "%s", l.text);
    unload(&l);
}
END_TEST

START_TEST(escalations_are_inherited_and_named) {
    Loaded l = load("receiver: a\nescalate: [{after: 15m, receiver: lead}, {after: 1h, receiver: boss}]\n"
                    "routes:\n- {matchers: [x=y], group_interval: 7s}\n- {matchers: [x=z], escalate: []}");
    ck_assert_str_eq(l.text, "");
    ck_assert_uint_eq(l.routes.count, 3);
    char got[512] = "";
    for (const Route *route = &l.routes.root; route; route = route->next)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s %s%s; ", route->receiver, route->id,
            route->base ? route->names_receiver ? " +" : " -" : "");
    ck_assert_str_eq(got,
        "a {}; lead {}/!900s +; boss {}/!3600s +; a {}/{x=\"y\"}; lead {}/{x=\"y\"}/!900s -; "
        "boss {}/{x=\"y\"}/!3600s -; a {}/{x=\"z\"}; ");
    const Route *child = l.routes.root.child;
    ck_assert_ptr_eq(child->escalation->base, child);
    ck_assert_int_eq(child->escalation->sibling->group_interval_s, 7);
    ck_assert_int_eq(child->escalation->sibling->after_s, 3600);
    ck_assert_ptr_null(child->sibling->escalation);
    OWN(labels) Labels *labels = labels_new(&(Label){"x", "y"}, 1);
    const Route *matched[4];
    ck_assert_uint_eq(route_match(&l.routes, labels, matched), 1); /* nobody comes there by labels */
    const char *key = route_group_key(child->escalation, "lead", labels, l.arena);
    ck_assert_ptr_eq(route_of_key(&l.routes, "lead", key), child->escalation);
    unload(&l);
}
END_TEST

static void set_times(IntervalSpec *spec, Span *span, int first, int last) {
    *span = (Span){first * 60, last * 60};
    *spec = (IntervalSpec){.times = {1, span}};
}

static const struct {
    int hour;
    bool has_mute, has_active;
    const char *want; /* NULL: it speaks */
} times[] = {
    {3, false, false, NULL},
    {3, true, false, "night"},
    {5, true, false, "night"},
    {6, true, false, NULL},
    {9, true, true, NULL},
    {8, true, true, "office"},
    {3, true, true, "night"},
    {3, false, true, "office"},
    {9, false, true, NULL},
    {17, false, true, "office"},
};

START_TEST(is_silent_at_its_times) {
    IntervalSpec night_times, office_times;
    Span night_span, office_span;
    set_times(&night_times, &night_span, 0, 6);
    set_times(&office_times, &office_span, 9, 17);
    const Interval night = {.name = "night", .count = 1, .specs = &night_times};
    const Interval office = {.name = "office", .count = 1, .specs = &office_times};
    const Interval *const mute[] = {&night}, *const active[] = {&office};
    const Route route = {
        .mute = mute, .active = active, .mute_count = times[_i].has_mute, .active_count = times[_i].has_active};
    const Interval *by = route_muted_by(&route, 1700006400 + times[_i].hour * 3600); /* a midnight */
    ck_assert_str_eq(by ? by->name : "", times[_i].want ? times[_i].want : "");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, finds_the_way, 0, COUNT_OF(ways));
    tcase_add_test(tcase, children_have_what_their_parent_has);
    tcase_add_test(tcase, escalations_are_inherited_and_named);
    tcase_add_loop_test(tcase, there_may_be_so_many_routes_and_no_more, 0, 2);
    tcase_add_loop_test(tcase, is_silent_at_its_times, 0, COUNT_OF(times));
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(bad));
    tcase_add_test(tcase, has_the_defaults_of_alertmanager);
    tcase_add_loop_test(tcase, without_a_section_there_is_no_route, 0, COUNT_OF(nothing));
    tcase_add_loop_test(tcase, groups_by_labels, 0, COUNT_OF(groups));
}

int main(void) { return run_tests("route", fill); }
