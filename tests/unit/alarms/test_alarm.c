/* The `alarms` section: every problem with its place, defaults by namespace, watches. */
#include "alarms/alarm.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/own.h"
#include "sources/cloudwatch.h"
#include "sources/poll_section.h"
#include "sources/sigma_section.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const SectionDescriptor *const sections[] = {
    &aws_section, &poll_section, &sigma_section, &packs_section, &alarms_section, NULL};
static const SnapshotSchema schema = {sections, NULL};

#define HEAD \
    "aws: {region: eu-west-1, accounts: [{name: prod, regions: [eu-west-1, us-east-1]}, {name: dev}]}\n" \
    "alarms:\n"
#define METRIC \
    "  metric: {namespace: AWS/EC2, metric_name: CPUUtilization, statistic: Average, dimensions: {InstanceId: i-1}}\n"
#define RULE "  comparison_operator: '>'\n  threshold: 10\n  evaluation_periods: 3\n"

/* Loads a text as if it lay in a file; the problems' lines without the file's name. Caller frees. */
static Snapshot *load(const char *text, char **ret_lines) {
    char path[] = "/tmp/tocsin-test-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    OWN(problems) Problems *problems = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, path, true, problems);
    unlink(path);
    size_t length;
    FILE *out = open_memstream(ret_lines, &length);
    problems_print(problems, out);
    fclose(out);
    return snapshot;
}

/* One alarm's text, and a line that must be among the problems; NULL: none at all. */
static const struct Case {
    const char *alarm, *line;
} cases[] = {
    {"- name: a\n" METRIC RULE, NULL},
    {"- 7\n", ":3:3: error: an alarm must be a section"},
    {"- {}\n", "`name` is missing"},
    {"- name: a\n" RULE, ":3:3: error: the alarm does not say what it watches (add `metric`"},
    {"- name: a\n  events: {}\n", ":4:11: error: `detection` is missing"},
    {"- name: a\n  for: 5m\n  keep_firing_for: 1h\n" METRIC RULE, NULL},
    {"- name: a\n  for: 8d\n" METRIC RULE, ":4:8: error: `for` is out of range"},
    {"- name: a\n  flap: {}\n" METRIC RULE, NULL},
    {"- name: a\n  flap: {low: 5, high: 5}\n" METRIC RULE, NULL},
    {"- name: a\n  flap: {low: 40}\n" METRIC RULE, ":4:15: error: `low` is more than `high` (at most high)"},
    {"- name: a\n  flap: {low: 0, high: 101}\n" METRIC RULE, ":4:15: error: `low` cannot be 0"},
    {"- name: a\n  flap: {low: 0, high: 101}\n" METRIC RULE, ":4:24: error: `high` is out of range"},
    {"- name: a\n  flap: 7\n" METRIC RULE, ":4:9: error: keys are expected here"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n", NULL},
    {"- name: a\n  composite: {}\n", ":4:14: error: `rule` is missing"},
    {"- name: a\n  composite: 'ALARM(b)'\n", ":4:14: error: keys are expected here"},
    {"- name: a\n  composite: {rule: [x]}\n", ":4:21: error: `rule` must be a text"},
    {"- name: a\n  composite: {rule: ''}\n", ":4:21: error: `rule`: the rule is empty, at character 1"},
    {"- name: a\n  composite: {rule: 'ALARM(x'}\n", ":4:21: error: `rule`: `)` is expected here, at character 8"},
    {"- name: a\n  composite: {rule: 'OK(x) OR ALARM(x)', rules: 1}\n", "did you mean `rule`?"},
    {"- name: a\n  composite: {rule: 'OK(x) OR ALARM(\"y z\")'}\n",
        ":4:21: error: there is no alarm `x`, at character 4 (the name of an alarm in `alarms`)"},
    {"- name: a\n  composite: {rule: 'OK(x) OR ALARM(\"y z\")'}\n", "there is no alarm `y z`, at character 16"},
    {"- name: a\n  composite: {rule: 'ALARM(b)'}\n- name: b\n  composite: {rule: 'NOT OK(c)'}\n- name: c\n"
     "  composite: {rule: 'ALARM(a)'}\n",
        ":4:21: error: these alarms wait for each other: a -> b -> c -> a (let one of them not ask for the next)"},
    {"- name: a\n  composite: {rule: 'ALARM(a)'}\n", ":4:21: error: these alarms wait for each other: a -> a"},
    {"- name: a\n  composite: {rule: 'TRUE OR FALSE AND TRUE'}\n",
        ":4:21: warning: `rule` has AND beside OR without brackets"},
    {"- name: a\n  composite: {rule: 'ALARM(b)'}\n- name: b\n  enabled: false\n" METRIC RULE,
        ":4:21: warning: the alarm `b` is disabled: what asks for it is false"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  threshold: 1\n  for: 1m\n",
        ":5:3: error: `threshold` has no meaning for `composite`"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  for: 8d\n", ":5:8: error: `for` is out of range"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  regions: [eu-west-1]\n", ":5:3: error: `regions` has no meaning"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n" METRIC RULE,
        ":4:3: error: `composite` stands beside `metric` (one alarm watches one thing)"},
    {"- name: a\n  suppressor: {alarm: b}\n" METRIC RULE, ":4:3: error: only a composite has a `suppressor`"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  suppressor: {alarm: b}\n- name: b\n" METRIC RULE, NULL},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  suppressor: {alarm: b, wait: 0s, extension: 1d}\n- name: b\n" METRIC
            RULE,
        NULL},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  suppressor: {wait: 2d}\n", ":5:22: error: `wait` is out of range"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  suppressor: {wait: 2m}\n", ":5:16: error: `alarm` is missing"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  suppressor: {alarm: b}\n", ":5:23: error: there is no alarm `b`"},
    {"- name: a\n  composite: {rule: 'TRUE'}\n  suppressor: {alarm: a}\n",
        ":5:23: error: the alarm `a` would suppress itself (name another alarm)"},
    {"- name: a\n" METRIC "  threshold: 1\n  evaluation_periods: 1\n", ":3:3: error: `comparison_operator` is missing"},
    {"- name: a\n" METRIC "  comparison_operator: '>'\n  evaluation_periods: 1\n",
        ":3:3: error: `threshold` is missing"},
    {"- name: a\n" METRIC "  comparison_operator: '>'\n  threshold: 1\n",
        ":3:3: error: `evaluation_periods` is missing"},
    {"- name: a\n" METRIC "  comparison_operator: '=>'\n  threshold: 1\n  evaluation_periods: 1\n",
        ":5:24: error: `comparison_operator` cannot be `=>`"},
    {"- name: a\n" METRIC RULE "  datapoints_to_alarm: 4\n", ":8:24: error: `datapoints_to_alarm` is more than"},
    {"- name: a\n" METRIC RULE "  evaluation_range: 2\n", ":8:21: error: `evaluation_range` is less than"},
    {"- name: a\n" METRIC RULE "  ok_threshold: 11\n", ":8:17: error: `ok_threshold` lies on the breaching side"},
    {"- name: a\n" METRIC RULE "  ok_threshold: 10\n", NULL},
    {"- name: a\n" METRIC RULE "  tresholds: 1\n", "did you mean `threshold`?"},
    {"- name: a\n" METRIC RULE "  labels: {severity: x}\n", ":8:12: error: Tocsin sets the label `severity` itself"},
    {"- name: a\n" METRIC RULE "  labels: {1a: x}\n", ":8:12: error: `1a` cannot be a label's name"},
    {"- name: a\n" METRIC RULE "  annotations: {run-book: x}\n",
        ":8:17: error: `run-book` cannot be an annotation's name"},
    {"- name: a\n" METRIC RULE "  accounts: [prod, stage]\n", ":8:20: error: there is no account `stage`"},
    {"- name: a\n" METRIC RULE "  regions: [us-east-1]\n", NULL},
    {"- name: a\n" METRIC RULE "  accounts: [dev]\n  regions: [us-east-1]\n",
        ":9:13: error: none of the alarm's accounts has"},
    {"- name: a\n" METRIC RULE "- name: a\n" METRIC RULE, ":8:9: error: the alarm `a` exists already, at "},
    {"- name: a\n" METRIC "  comparison_operator: '>'\n  threshold: 1\n  evaluation_periods: 1441\n",
        ":7:23: error: `evaluation_periods` times the period is too long"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: Sum, period: 1d}\n  comparison_operator: '>'\n"
     "  threshold: 1\n  evaluation_periods: 7\n",
        NULL},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: Sum, period: 10}\n  comparison_operator: '>'\n"
     "  threshold: 1\n  evaluation_periods: 1100\n",
        "as long as CloudWatch keeps periods below a minute"},
    {"- name: a\n" METRIC RULE "  evaluation_range: 30000\n", "`evaluation_range` is out of range"},
    {"- name: a\n" METRIC RULE "  evaluation_range: 20160\n", NULL},
    {"- name: a\n" METRIC RULE "  settle: 10m\n  evaluation_range: 3\n",
        ":8:11: warning: what the alarm looks at is shorter"},
    {"- name: a\n" METRIC RULE "  evaluate_low_sample_count_percentiles: ignore\n",
        "warning: `evaluate_low_sample_count_percentiles`"},
    {"- name: a\n  metric: 7\n" RULE, ":4:11: error: keys are expected here"},
    {"- name: a\n  metric:\n" RULE, "`namespace` is missing"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: average}\n" RULE,
        ":4:53: error: `statistic` cannot be `average`"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: Sum, period: 45}\n" RULE,
        ":4:66: error: `period` cannot be 45 seconds"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: Sum, tags: {a: b}}\n" RULE,
        "`tags` does not exist"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: Sum, unit: seconds}\n" RULE,
        "did you mean `Seconds`?"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: Sum, dimensions: {Q: 'a*'}}\n" RULE,
        ":4:74: error: a pattern in dimension `Q` does not exist in this version"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: Sum, dimensions: {Q: ''}}\n" RULE,
        "no fitting value"},
    {"- name: a\n  metric: {namespace: N, metric_name: M, statistic: p101, period: 45, dimension: {}}\n  threshold: "
     "x\n",
        "unknown key `dimension`"},
};

START_TEST(problems_have_places) {
    const struct Case *c = &cases[_i];
    OWN(text) char *text = text_format("%s%s", HEAD, c->alarm);
    OWN(text) char *lines = NULL;
    OWN(snapshot) Snapshot *snapshot = load(text, &lines);
    ck_assert_ptr_nonnull(snapshot); /* what could be read is given back, whatever is wrong */
    if (!c->line)
        ck_assert_msg(*lines == '\0', "%s\n%s", text, lines);
    else
        ck_assert_msg(strstr(lines, c->line) != NULL, "%s\nnot `%s` but\n%s", text, c->line, lines);
}
END_TEST

START_TEST(everything_wrong_is_told_at_once) {
    OWN(text) char *lines = NULL;
    OWN(snapshot)
    Snapshot *snapshot = load(HEAD "- name: a\n  metric: {namespace: N, metric_name: M, statistic: p101, period: 45}\n"
                                   "  threshold: x\n  datapoints_to_alarm: 0\n- metric: {}\n  severity: bad\n",
        &lines);
    ck_assert_ptr_nonnull(snapshot);
    static const char *const wanted[] = {"`statistic` cannot be", "`period` cannot be", "`threshold` cannot be",
        "`datapoints_to_alarm`", "`evaluation_periods` is missing", "`comparison_operator` is missing",
        "`name` is missing", "`namespace` is missing", "`severity` cannot be"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        ck_assert_msg(strstr(lines, wanted[i]) != NULL, "%s not in\n%s", wanted[i], lines);
}
END_TEST

static const struct Defaults {
    const char *metric;
    int64_t settle_s;
    size_t range;
    MissingData missing;
} defaults[] = {
    {"namespace: AWS/EC2, metric_name: M, statistic: Average", 120, 5, MISSING_MISSING},
    {"namespace: AWS/EC2, metric_name: M, statistic: Average, period: 5m", 300, 5, MISSING_MISSING},
    {"namespace: AWS/DynamoDB, metric_name: M, statistic: Sum", 180, 6, MISSING_IGNORE},
    {"namespace: AWS/EBS, metric_name: M, statistic: Sum", 300, 8, MISSING_MISSING},
    {"namespace: AWS/S3, metric_name: M, statistic: Average, period: 1d", 36 * 3600, 5, MISSING_MISSING},
    {"namespace: AWS/S3, metric_name: M, statistic: Average", 300, 8, MISSING_MISSING},
    {"namespace: Mine, metric_name: M, statistic: Sum, period: 10", 10, 5, MISSING_MISSING},
    {"namespace: AWS/Billing, metric_name: M, statistic: Maximum, period: 6h", 6 * 3600, 5, MISSING_MISSING},
};

START_TEST(defaults_follow_the_namespace) {
    const struct Defaults *c = &defaults[_i];
    OWN(text) char *text = text_format("%s- name: a\n  metric: {%s}\n%s", HEAD, c->metric, RULE);
    OWN(text) char *lines = NULL;
    OWN(snapshot) Snapshot *snapshot = load(text, &lines);
    ck_assert_msg(*lines == '\0', "%s", lines);
    const Alarm *alarm = alarm_find(snapshot, "a");
    ck_assert_ptr_nonnull(alarm);
    ck_assert_int_eq(alarm->settle_s, c->settle_s);
    ck_assert_uint_eq(alarm->rule.range, c->range);
    ck_assert_int_eq(alarm->rule.missing, c->missing);
    ck_assert_uint_eq(alarm->rule.m, 3);
    ck_assert(
        alarm->rule.early && alarm->enabled && alarm->severity == SEVERITY_WARNING && alarm->no_data == NODATA_HOLD);
}
END_TEST

START_TEST(watches_are_accounts_times_regions) {
    OWN(text) char *lines = NULL;
    OWN(snapshot)
    Snapshot *snapshot =
        load(HEAD "- name: everywhere\n" METRIC RULE "- name: one\n" METRIC RULE "  accounts: [prod]\n"
                  "  regions: [us-east-1]\n  every: 5m\n  settle: 1m\n- name: off\n  enabled: false\n" METRIC RULE,
            &lines);
    ck_assert_msg(*lines == '\0', "%s", lines);
    Watch *watches;
    const Alarm *const *alarms;
    const size_t count = alarm_watches(snapshot, &watches, &alarms);
    ck_assert_uint_eq(count, 4); /* prod has two regions, dev one; and the second alarm's */
    for (size_t i = 0; i < count; i++) ck_assert(watches[i].index == i && watches[i].rule == &alarms[i]->rule);
    ck_assert_str_eq(watches[3].alarm, "one");
    ck_assert_str_eq(watches[3].account, "prod");
    ck_assert_str_eq(watches[3].region, "us-east-1");
    ck_assert_int_eq(watches[3].every_s, 300);
    ck_assert_int_eq(watches[3].settle_s, 60);
    OWN(plan) Plan *plan = sources[0]->plan(snapshot, watches, count);
    ck_assert_uint_eq(plan_count(plan), 4); /* two of them in one region differ in their schedule */
    ck_assert_ptr_null(alarm_find(snapshot, "nothing"));
    free(watches);
    free((void *)alarms);
}
END_TEST

START_TEST(rule_keeps_its_types) {
    OWN(text) char *lines = NULL;
    OWN(snapshot)
    Snapshot *snapshot =
        load(HEAD "- name: 'a'\n  enabled: true\n  description: '7'\n  threshold: 0.8\n  evaluation_periods: 3\n"
                  "  comparison_operator: '>'\n  labels: {team: 007, b: yes}\n" METRIC,
            &lines);
    ck_assert_msg(*lines == '\0', "%s", lines);
    OWN(json) json_t *rule = alarm_rule_json(alarm_find(snapshot, "a"));
    OWN(text) char *text = json_write(rule);
    ck_assert_str_eq(text,
        "{\"comparison_operator\":\">\",\"description\":\"7\",\"enabled\":true,\"evaluation_periods\":3,"
        "\"labels\":{\"b\":\"yes\",\"team\":\"007\"},\"metric\":{\"dimensions\":{\"InstanceId\":\"i-1\"},\"metric_"
        "name\":"
        "\"CPUUtilization\","
        "\"namespace\":\"AWS/EC2\",\"statistic\":\"Average\"},\"name\":\"a\",\"threshold\":0.8}");
}
END_TEST

/* Alarms that are written alike share what they are made of but their values; a quote or a bracket makes another. */
START_TEST(each_rule_is_its_own) {
    static const char *const alarms[] = {"- {name: a, threshold: 1, for: [x], labels: {kk: v, k: w}}\n",
        "- {name: b, threshold: 2, for: [y], labels: {kk: u, k: t}}\n",
        "- {name: c, threshold: 1, for: [x], labels: {k: v, kk: w}}\n",
        "- {name: d, threshold: '1', for: [x], labels: {k: v, kk: w}}\n",
        "- {name: e, threshold: 1, for: x, labels: {'\"': v}}\n",
        "- {name: f, threshold: 1, for: [[], x, ~], labels: {}}\n",
        "- {name: g, threshold: 3, for: [z], labels: {kk: s, k: r}}\n"};
    static const char *const rules[][2] = {
        {"a", "{\"for\":[\"x\"],\"labels\":{\"k\":\"w\",\"kk\":\"v\"},\"name\":\"a\",\"threshold\":1}"},
        {"b", "{\"for\":[\"y\"],\"labels\":{\"k\":\"t\",\"kk\":\"u\"},\"name\":\"b\",\"threshold\":2}"},
        {"c", "{\"for\":[\"x\"],\"labels\":{\"k\":\"v\",\"kk\":\"w\"},\"name\":\"c\",\"threshold\":1}"},
        {"d", "{\"for\":[\"x\"],\"labels\":{\"k\":\"v\",\"kk\":\"w\"},\"name\":\"d\",\"threshold\":\"1\"}"},
        {"e", "{\"for\":\"x\",\"labels\":{\"\\\"\":\"v\"},\"name\":\"e\",\"threshold\":1}"},
        {"f", "{\"for\":[[],\"x\",null],\"labels\":{},\"name\":\"f\",\"threshold\":1}"},
        {"g", "{\"for\":[\"z\"],\"labels\":{\"k\":\"r\",\"kk\":\"s\"},\"name\":\"g\",\"threshold\":3}"},
    };
    Buffer yaml = BUFFER(4096);
    buffer_text(&yaml, HEAD);
    for (size_t i = 0; i < COUNT_OF(alarms); i++) buffer_text(&yaml, alarms[i]);
    OWN(text) char *file = buffer_take(&yaml), *lines = NULL;
    OWN(snapshot) Snapshot *snapshot = load(file, &lines); /* none of them is a whole alarm */
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        OWN(json) json_t *rule = alarm_rule_json(alarm_find(snapshot, rules[i][0]));
        OWN(text) char *text = json_write(rule);
        ck_assert_str_eq(text, rules[i][1]);
    }
}
END_TEST

static const struct {
    const char *poll;
    int64_t every_s;
    const char *line;
} polls[] = {
    {"", 60, NULL},
    {"poll: {cloudwatch: {every: 2m}}\n", 120, NULL},
    {"poll: {cloudwatch: {every: 0}}\n", 0, "out of range"},
    {"poll: {cloudwatch: {max_delay: 5m}}\n", 0, "`max_delay` does not exist"},
    {"poll: {cloudtrail: {every: 0}}\n", 0, "out of range"},
};

START_TEST(poll_section_sets_the_schedule) {
    OWN(text) char *text = text_format("%s%s- name: a\n%s%s  accounts: [dev]\n", polls[_i].poll, HEAD, METRIC, RULE);
    OWN(text) char *lines = NULL;
    OWN(snapshot) Snapshot *snapshot = load(text, &lines);
    if (polls[_i].line) {
        ck_assert_msg(strstr(lines, polls[_i].line) != NULL, "%s", lines);
        return;
    }
    Watch *watches;
    const Alarm *const *alarms;
    const size_t count = alarm_watches(snapshot, &watches, &alarms);
    OWN(plan) Plan *plan = sources[0]->plan(snapshot, watches, count);
    ck_assert_int_eq(plan_poll(plan, 0)->every_s, polls[_i].every_s);
    free(watches);
    free((void *)alarms);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, problems_have_places, 0, (int)COUNT_OF(cases));
    tcase_add_test(tcase, everything_wrong_is_told_at_once);
    tcase_add_loop_test(tcase, defaults_follow_the_namespace, 0, (int)COUNT_OF(defaults));
    tcase_add_test(tcase, watches_are_accounts_times_regions);
    tcase_add_test(tcase, rule_keeps_its_types);
    tcase_add_test(tcase, each_rule_is_its_own);
    tcase_add_loop_test(tcase, poll_section_sets_the_schedule, 0, (int)COUNT_OF(polls));
}

int main(void) { return run_tests("alarm", fill); }
