/* tests/unit/model/spec.c: a configuration by chance, and as YAML */
#include "spec.h"

#include "base/own.h"

#include <string.h>

const char *const spec_label_names[SPEC_LABELS] = {
    "account", "alertname", "region", "severity", "source", "stage", "team"};
const char *const spec_op_words[OPS] = {"=", "!=", "=~", "!~"};

static const char *const regions[SPEC_REGIONS] = {"eu-west-1", "us-east-1"};
static const char *const alarms[SPEC_ALARMS] = {"api-errors", "api-latency", "disk", "dns", "queue", "region-down"};
static const char *const severities[] = {"critical", "error", "warning", "info"};
static const char *const stages[] = {"", "prod", "test"};
static const char *const teams[] = {"", "payments", "search"};
static const char *const weekdays[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

/* --- matchers --- */

typedef struct Texts {
    const char *list[8];
    size_t count;
} Texts;

/* What matchers of a label compare it with, and which expressions. */
static const Texts plain[SPEC_LABELS] = {
    [LABEL_ACCOUNT] = {{"prod", "lab"}, 2},
    [LABEL_ALERTNAME] = {{"api-errors", "disk", "queue", "region-down"}, 4},
    [LABEL_REGION] = {{"eu-west-1", "us-east-1"}, 2},
    [LABEL_SEVERITY] = {{"critical", "error", "warning", "info"}, 4},
    [LABEL_SOURCE] = {{"cloudwatch", "xray"}, 2},
    [LABEL_STAGE] = {{"prod", "test", ""}, 3},
    [LABEL_TEAM] = {{"payments", "search", ""}, 3},
};
static const Texts expressions[SPEC_LABELS] = {
    [LABEL_ACCOUNT] = {{"pro", "p.*"}, 2},
    [LABEL_ALERTNAME] = {{"api-.*", "d(isk|ns)", "[a-q].*", "api"}, 4},
    [LABEL_REGION] = {{"eu-.+", "us-.+-[0-9]", ".*west.*"}, 3},
    [LABEL_SEVERITY] = {{"critical|error", "warn.*", "info|warning", "error"}, 4},
    [LABEL_SOURCE] = {{"cloud.*"}, 1},
    [LABEL_STAGE] = {{".+", "prod|", "test", ".*"}, 4},
    [LABEL_TEAM] = {{"pay.*|search", ".+", "search|", ".*"}, 4},
};

static SpecMatcher draw_matcher(Draw *draw) {
    const SpecLabel label = (SpecLabel)draw_below(draw, SPEC_LABELS);
    const SpecOp op = (SpecOp)draw_below(draw, OPS);
    const Texts *texts = op == OP_LIKE || op == OP_UNLIKE ? &expressions[label] : &plain[label];
    return (SpecMatcher){label, op, texts->list[draw_below(draw, texts->count)]};
}

static void draw_matchers(Draw *draw, SpecMatchers *matchers) {
    matchers->count = 1 + draw_below(draw, 2);
    for (size_t i = 0; i < matchers->count; i++) matchers->list[i] = draw_matcher(draw);
}

static bool same_matchers(const SpecMatchers *a, const SpecMatchers *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].label != b->list[i].label || a->list[i].op != b->list[i].op ||
            strcmp(a->list[i].value, b->list[i].value) != 0)
            return false;
    return true;
}

void spec_draw_silence(Draw *draw, SpecMatchers *matchers) {
    static const SpecLabel always[] = {LABEL_ALERTNAME, LABEL_REGION, LABEL_SEVERITY};
    draw_matchers(draw, matchers);
    const SpecLabel label = always[draw_below(draw, COUNT_OF(always))];
    const Texts *texts = &expressions[label];
    matchers->list[0] = (SpecMatcher){label, OP_LIKE, texts->list[draw_below(draw, texts->count)]};
}

/* --- alerts --- */

static void draw_alerts(Spec *spec, Draw *draw) {
    for (size_t alarm = 0; alarm < SPEC_ALARMS; alarm++) {
        const char *severity = severities[draw_below(draw, COUNT_OF(severities))];
        const char *stage = stages[draw_below(draw, COUNT_OF(stages))];
        const char *team = teams[draw_below(draw, COUNT_OF(teams))];
        for (size_t region = 0; region < SPEC_REGIONS; region++)
            spec->alerts[alarm * SPEC_REGIONS + region] = (SpecAlert){{
                [LABEL_ACCOUNT] = "prod",
                [LABEL_ALERTNAME] = alarms[alarm],
                [LABEL_REGION] = regions[region],
                [LABEL_SEVERITY] = severity,
                [LABEL_SOURCE] = "cloudwatch",
                [LABEL_STAGE] = stage,
                [LABEL_TEAM] = team,
            }};
    }
}

/* --- routes --- */

static void draw_escalations(SpecRoute *route, Draw *draw) {
    route->escalation_count = draw_below(draw, SPEC_ESCALATIONS + 1);
    int64_t after_s = 0;
    for (size_t i = 0; i < route->escalation_count; i++) {
        after_s += draw_between(draw, 60, 1200);
        route->escalations[i] = (SpecEscalation){after_s, draw_below(draw, SPEC_RECEIVERS)};
    }
}

static void draw_grouping(SpecRoute *route, Draw *draw) {
    static const int64_t waits_s[] = {0, 1, 10, 30, 47}, intervals_s[] = {1, 30, 61, 120, 300};
    route->receiver = draw_below(draw, SPEC_RECEIVERS);
    route->by_every_label = draw_one_in(draw, 5);
    route->group_by = (unsigned)draw_below(draw, 1u << SPEC_LABELS);
    route->wait_s = waits_s[draw_below(draw, COUNT_OF(waits_s))];
    route->interval_s = intervals_s[draw_below(draw, COUNT_OF(intervals_s))];
    route->repeat_s = draw_between(draw, 100, 4000);
    draw_escalations(route, draw);
}

static bool has_twin(const Spec *spec, const SpecRoute *route) {
    for (size_t i = 1; i < spec->route_count; i++)
        if (spec->routes[i].parent == route->parent && same_matchers(&spec->routes[i].matchers, &route->matchers))
            return true;
    return false;
}

static void draw_child(Spec *spec, Draw *draw) {
    SpecRoute route = {.parent = draw_below(draw, spec->route_count), .goes_on = draw_one_in(draw, 2)};
    draw_grouping(&route, draw);
    draw_matchers(draw, &route.matchers);
    route.gives_receiver = !draw_one_in(draw, 4);
    route.gives_group_by = draw_one_in(draw, 2);
    route.gives_wait = draw_one_in(draw, 2);
    route.gives_interval = draw_one_in(draw, 2);
    route.gives_repeat = draw_one_in(draw, 2);
    route.gives_escalations = draw_one_in(draw, 2);
    if (draw_one_in(draw, 3)) route.mute = 1u << draw_below(draw, SPEC_INTERVALS);
    if (draw_one_in(draw, 5)) route.active = 1 + (unsigned)draw_below(draw, (1u << SPEC_INTERVALS) - 1);
    if (!has_twin(spec, &route)) spec->routes[spec->route_count++] = route;
}

static void draw_routes(Spec *spec, Draw *draw) {
    SpecRoute *root = &spec->routes[0];
    *root = (SpecRoute){.gives_receiver = true,
        .gives_group_by = true,
        .gives_wait = true,
        .gives_interval = true,
        .gives_repeat = true,
        .gives_escalations = true};
    draw_grouping(root, draw);
    spec->route_count = 1;
    for (size_t left = 2 + draw_below(draw, SPEC_ROUTES - 2); left > 0; left--) draw_child(spec, draw);
}

/* --- the rest --- */

static void draw_rules(Spec *spec, Draw *draw) {
    spec->rule_count = draw_below(draw, SPEC_RULES + 1);
    for (size_t i = 0; i < spec->rule_count; i++) {
        SpecRule *rule = &spec->rules[i];
        draw_matchers(draw, &rule->source);
        draw_matchers(draw, &rule->target);
        /* Tocsin's own alarms, of which the model knows nothing, hold nobody. */
        rule->source.list[rule->source.count++] = (SpecMatcher){LABEL_SOURCE, OP_DIFFERS, "tocsin"};
        rule->equal = (unsigned)(draw_below(draw, 1u << SPEC_LABELS) & draw_below(draw, 1u << SPEC_LABELS));
    }
}

static void draw_intervals(Spec *spec, Draw *draw) {
    for (size_t i = 0; i < SPEC_INTERVALS; i++) {
        const int first = (int)draw_below(draw, 1440);
        const int end = first + 1 + (int)draw_below(draw, draw_one_in(draw, 2) ? 20 : 400);
        spec->intervals[i] = (SpecInterval){first, end < 1440 ? end : 1440,
            draw_one_in(draw, 3) ? 1 + (unsigned)draw_below(draw, (1u << COUNT_OF(weekdays)) - 1) : 0};
    }
}

static void draw_receivers(Spec *spec, Draw *draw) {
    for (size_t i = 0; i < SPEC_RECEIVERS; i++) {
        spec->receivers[i].channel_count = 1 + (i == 0);
        for (size_t channel = 0; channel < SPEC_CHANNELS; channel++)
            spec->receivers[i].send_resolved[channel] = !draw_one_in(draw, 3);
    }
}

void spec_draw(Spec *spec, Draw *draw) {
    *spec = (Spec){0};
    draw_alerts(spec, draw);
    draw_receivers(spec, draw);
    draw_routes(spec, draw);
    draw_rules(spec, draw);
    draw_intervals(spec, draw);
}

void spec_vary(Spec *spec, Draw *draw) {
    switch (draw_below(draw, 5)) {
    case 0: draw_rules(spec, draw); break;
    case 1: draw_intervals(spec, draw); break;
    case 2: draw_receivers(spec, draw); break;
    case 3: spec->routes[draw_below(draw, spec->route_count)].repeat_s = draw_between(draw, 100, 4000); break;
    default: break; /* the same again */
    }
}

/* --- YAML --- */

static void print_matchers(const char *key, const SpecMatchers *matchers, FILE *out) {
    fprintf(out, "%s: [", key);
    for (size_t i = 0; i < matchers->count; i++) {
        const SpecMatcher *matcher = &matchers->list[i];
        fprintf(out, "%s'%s%s\"%s\"'", i ? ", " : "", spec_label_names[matcher->label], spec_op_words[matcher->op],
            matcher->value);
    }
    fprintf(out, "]\n");
}

static void print_alarms(const Spec *spec, FILE *out) {
    fprintf(out, "alarms:\n");
    for (size_t i = 0; i < SPEC_ALARMS; i++) {
        const SpecAlert *alert = &spec->alerts[i * SPEC_REGIONS];
        fprintf(out, "- name: %s\n  severity: %s\n", alarms[i], alert->values[LABEL_SEVERITY]);
        if (*alert->values[LABEL_STAGE] || *alert->values[LABEL_TEAM]) fprintf(out, "  labels:\n");
        if (*alert->values[LABEL_STAGE]) fprintf(out, "    stage: %s\n", alert->values[LABEL_STAGE]);
        if (*alert->values[LABEL_TEAM]) fprintf(out, "    team: %s\n", alert->values[LABEL_TEAM]);
        fprintf(out,
            "  metric: {namespace: N, metric_name: M, statistic: Sum}\n  comparison_operator: '>'\n"
            "  threshold: 1\n  evaluation_periods: 1\n");
    }
}

static void print_receivers(const Spec *spec, FILE *out) {
    fprintf(out, "receivers:\n- name: nobody\n");
    for (size_t i = 0; i < SPEC_RECEIVERS; i++) {
        fprintf(out, "- name: r%zu\n  webhook:\n", i);
        for (size_t channel = 0; channel < spec->receivers[i].channel_count; channel++)
            fprintf(out, "  - {url: 'http://127.0.0.1/%zu/%zu', send_resolved: %s}\n", i, channel,
                spec->receivers[i].send_resolved[channel] ? "true" : "false");
    }
}

static void print_names(const char *indent, const char *key, unsigned bits, FILE *out) {
    const char *between = "";
    if (!bits) return;
    fprintf(out, "%s%s: [", indent, key);
    for (size_t i = 0; i < SPEC_INTERVALS; i++) {
        if (!(bits & 1u << i)) continue;
        fprintf(out, "%stimes%zu", between, i);
        between = ", ";
    }
    fprintf(out, "]\n");
}

static void print_labels(const char *key, unsigned bits, FILE *out) {
    const char *between = "";
    fprintf(out, "%s: [", key);
    for (size_t i = 0; i < SPEC_LABELS; i++) {
        if (!(bits & 1u << i)) continue;
        fprintf(out, "%s%s", between, spec_label_names[i]);
        between = ", ";
    }
    fprintf(out, "]\n");
}

static void print_seconds(const char *indent, const char *key, int64_t seconds, FILE *out) {
    fprintf(out, "%s%s: %llds\n", indent, key, (long long)seconds);
}

static void print_grouping(const SpecRoute *route, const char *indent, FILE *out) {
    if (route->gives_receiver) fprintf(out, "%sreceiver: r%zu\n", indent, route->receiver);
    if (route->gives_group_by && route->by_every_label) fprintf(out, "%sgroup_by: ['...']\n", indent);
    if (route->gives_group_by && !route->by_every_label) {
        fputs(indent, out);
        print_labels("group_by", route->group_by, out);
    }
    if (route->gives_wait) print_seconds(indent, "group_wait", route->wait_s, out);
    if (route->gives_interval) print_seconds(indent, "group_interval", route->interval_s, out);
    if (route->gives_repeat) print_seconds(indent, "repeat_interval", route->repeat_s, out);
    if (!route->gives_escalations) return;
    fprintf(out, "%sescalate: [", indent);
    for (size_t i = 0; i < route->escalation_count; i++)
        fprintf(out, "%s{after: %llds, receiver: r%zu}", i ? ", " : "", (long long)route->escalations[i].after_s,
            route->escalations[i].receiver);
    fprintf(out, "]\n");
}

enum { INDENT_MAX = 2 * SPEC_ROUTES + 8 };

static void print_children(const Spec *spec, size_t parent, size_t depth, FILE *out) {
    char indent[INDENT_MAX];
    snprintf(indent, sizeof indent, "%*s", (int)(2 * depth + 2), "");
    fprintf(out, "%.*sroutes:\n", (int)(2 * depth), indent);
    /* What Tocsin says of itself is none of the model's business. */
    if (!parent)
        fprintf(
            out, "%.*s- {matchers: ['source=\"tocsin\"'], receiver: nobody, escalate: []}\n", (int)(2 * depth), indent);
    for (size_t i = 1; i < spec->route_count; i++) {
        const SpecRoute *route = &spec->routes[i];
        if (route->parent != parent) continue;
        fprintf(out, "%.*s- ", (int)(2 * depth), indent);
        print_matchers("matchers", &route->matchers, out);
        fprintf(out, "%scontinue: %s\n", indent, route->goes_on ? "true" : "false");
        print_grouping(route, indent, out);
        print_names(indent, "mute_time_intervals", route->mute, out);
        print_names(indent, "active_time_intervals", route->active, out);
        print_children(spec, i, depth + 1, out);
    }
}

static void print_intervals(const Spec *spec, FILE *out) {
    fprintf(out, "time_intervals:\n");
    for (size_t i = 0; i < SPEC_INTERVALS; i++) {
        const SpecInterval *interval = &spec->intervals[i];
        const char *between = "";
        fprintf(out,
            "- name: times%zu\n  time_intervals:\n  - times: [{start_time: '%02d:%02d', end_time: '%02d:%02d'}]\n", i,
            interval->first_minute / 60, interval->first_minute % 60, interval->end_minute / 60,
            interval->end_minute % 60);
        if (!interval->weekdays) continue;
        fprintf(out, "    weekdays: [");
        for (size_t day = 0; day < COUNT_OF(weekdays); day++) {
            if (!(interval->weekdays & 1u << day)) continue;
            fprintf(out, "%s%s", between, weekdays[day]);
            between = ", ";
        }
        fprintf(out, "]\n");
    }
}

static void print_rules(const Spec *spec, FILE *out) {
    if (spec->rule_count) fprintf(out, "inhibit_rules:\n");
    for (size_t i = 0; i < spec->rule_count; i++) {
        print_matchers("- source_matchers", &spec->rules[i].source, out);
        print_matchers("  target_matchers", &spec->rules[i].target, out);
        print_labels("  equal", spec->rules[i].equal, out);
    }
}

void spec_print(const Spec *spec, const char *directory, FILE *out) {
    fprintf(out, "state: {directory: %s}\nlog: {level: error}\nplugins: {directory: %s}\n", directory, BUILT_PLUGINS);
    fprintf(out, "aws: {accounts: [{name: prod, regions: [%s, %s]}]}\n", regions[0], regions[1]);
    print_alarms(spec, out);
    print_receivers(spec, out);
    print_intervals(spec, out);
    fprintf(out, "route:\n");
    print_grouping(&spec->routes[0], "  ", out);
    print_children(spec, 0, 1, out);
    print_rules(spec, out);
}
