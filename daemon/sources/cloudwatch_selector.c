#include "sources/cloudwatch.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_CHARACTERS = 255,
    DIMENSION_VALUE_MAX = 1024,
    HIGH_RESOLUTION_KEPT_S = 3 * 3600,
    MINUTE_S = 60,
    DAY_S = 86400
};

const char *const metric_units[] = {"", "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes",
    "Gigabytes", "Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count",
    "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second",
    "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second", "None", NULL};
const int metric_unit_numbers[] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};

bool metric_period_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const int64_t period_s = *(const int64_t *)value;
    if (period_s % MINUTE_S == 0 || period_s == 10 || period_s == 20 || period_s == 30) return true;
    return problem_add(in->problems, node->at, row->remedy, "`period` cannot be %lld seconds", (long long)period_s);
}

bool metric_statistic_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const char *text = *(const char *const *)value;
    Statistic statistic;
    if (statistic_parse(text, &statistic)) return true;
    return problem_add(in->problems, node->at, row->remedy, "`statistic` cannot be `%.80s`", text);
}

static bool dimension_ok(const NodeEntry *entry, Decoding *in) {
    const char *name = entry->key->text, *value = entry->value->text;
    if (!*name || strlen(name) > NAME_MAX_CHARACTERS)
        return problem_add(
            in->problems, entry->key->at, "1 to 255 characters", "dimension `%.80s` has no fitting name", name);
    if (!value || !*value || strlen(value) > DIMENSION_VALUE_MAX)
        return problem_add(
            in->problems, entry->value->at, "1 to 1024 characters", "dimension `%.80s` has no fitting value", name);
    if (strpbrk(value, "*?"))
        return problem_add(in->problems, entry->value->at, "write out one value",
            "a pattern in dimension `%.80s` does not exist in this version of Tocsin", name);
    return true;
}

bool metric_dimensions_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)value;
    if (node->count > METRIC_DIMENSIONS_MAX)
        return problem_add(in->problems, node->at, row->remedy, "%u dimensions are too many", node->count);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        if (!dimension_ok(&node->entries[i], in)) fine = false;
    return fine;
}

#define AT(member) offsetof(MetricSelector, member)
const SchemaRow metric_rows[] = {
    {.key = "namespace",
        .type = SCHEMA_TEXT,
        .offset = AT(namespace),
        .min = 1,
        .max = NAME_MAX_CHARACTERS,
        .required = true,
        .remedy = "a namespace as CloudWatch shows it, such as AWS/EC2",
        .doc = "The metric's namespace."},
    {.key = "metric_name",
        .type = SCHEMA_TEXT,
        .offset = AT(metric_name),
        .min = 1,
        .max = NAME_MAX_CHARACTERS,
        .required = true,
        .remedy = "a name as CloudWatch shows it, such as CPUUtilization",
        .doc = "The metric's name."},
    {.key = "dimensions",
        .type = SCHEMA_MAP,
        .offset = AT(dimensions),
        .check = metric_dimensions_ok,
        .remedy = "at most 30 names, each with its value",
        .doc = "Exactly the dimensions that the metric has: with one more or one less it is another metric."},
    {.key = "tags", .type = SCHEMA_LATER, .doc = "Only resources with these tags."},
    {.key = "statistic",
        .type = SCHEMA_TEXT,
        .offset = AT(statistic),
        .required = true,
        .check = metric_statistic_ok,
        .remedy =
            "Average, Sum, Minimum, Maximum, SampleCount, p99, tm95, tc95, ts95, wm95, TM(10%:90%), PR(:300) or IQM",
        .doc = "What is taken from each period, in CloudWatch's words."},
    {.key = "period",
        .type = SCHEMA_DURATION,
        .offset = AT(period_s),
        .min = 10,
        .max = 7 * DAY_S,
        .fallback = "1m",
        .check = metric_period_ok,
        .remedy = "10, 20, 30 or a multiple of 60 seconds, at most 7d",
        .doc = "How long one datapoint is."},
    {.key = "unit",
        .type = SCHEMA_CHOICE,
        .offset = AT(unit_choice),
        .choices = metric_units + 1,
        .choice_values = metric_unit_numbers,
        .remedy = "one of CloudWatch's units, such as Seconds, Count or Percent",
        .doc = "Only datapoints published with this unit. Leave it out unless a metric is published with several."},
    SCHEMA_END,
};

int64_t metric_settle_s(const char *namespace, int64_t period_s) {
    static const struct {
        const char *namespace;
        int64_t settle_s;
    } known[] = {
        {"AWS/EBS", 300}, {"AWS/ApplicationELB", 180}, {"AWS/ELB", 180}, {"AWS/NetworkELB", 180}, {"AWS/DynamoDB", 180},
        {"AWS/CloudFront", 600}, {"AWS/Billing", 6 * 3600},
        {"LogMetrics", 600}, /* where metric filters on logs publish unless told otherwise */
    };
    if (strcmp(namespace, "AWS/EC2") == 0) return period_s < 300 ? 120 : 300;
    if (strcmp(namespace, "AWS/S3") == 0) return period_s < DAY_S ? 300 : 36 * 3600; /* storage comes once a day */
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(namespace, known[i].namespace) == 0) return known[i].settle_s;
    return period_s < MINUTE_S ? 10 : 120;
}

static int by_name(const void *a, const void *b) { return strcmp(((const Label *)a)->name, ((const Label *)b)->name); }

bool metric_selector_finish(Arena *arena, MetricSelector *metric) {
    Label *series = arena_alloc(arena, metric->dimensions.count + 1, sizeof *series);
    for (size_t i = 0; i < metric->dimensions.count; i++)
        series[i] = (Label){metric->dimensions.names[i], metric->dimensions.texts[i]};
    qsort(series, metric->dimensions.count, sizeof *series, by_name);
    metric->series = series;
    metric->unit = metric->unit_choice > 0 ? metric_units[metric->unit_choice] : NULL;
    return statistic_parse(metric->statistic, &metric->parsed);
}

bool metric_reach_ok(Decoding *in, const Node *node, const ThresholdRule *rule, int64_t settle_s) {
    const int64_t reach_s = (int64_t)rule->range * rule->period_s + settle_s;
    const bool by_the_hour = evaluation_step_s(rule) >= 3600;
    const Node *period = node_get(node, "period");
    const Place at = period ? period->at : node->at;
    if (rule->period_s < MINUTE_S && reach_s > METRIC_SHORT_KEPT_S)
        return problem_add(in->problems, at, "fewer evaluation_periods, or a period of 60",
            "the alarm looks back almost 3h or more, which is as long as CloudWatch keeps periods below a minute");
    if (!by_the_hour && reach_s > METRIC_MINUTES_KEPT_S)
        return problem_add(in->problems, at, "a smaller evaluation_range",
            "the alarm looks back 15d or more, where CloudWatch does not keep single minutes any more");
    return true;
}

void metric_range_default(ThresholdRule *rule, int64_t settle_s) {
    const int64_t settling = (settle_s + rule->period_s - 1) / rule->period_s;
    if (rule->range == 0) rule->range = rule->n + (size_t)(settling > 2 ? settling : 2);
}

bool metric_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s) {
    MetricSelector *metric = selector;
    (void)every_s; /* its default depends on the poll section too: the plan knows both */
    if (!metric_selector_finish(in->arena, metric)) return false;
    metric->at = node->at;
    rule->period_s = metric->period_s;
    rule->percentile_e10 = metric->parsed.kind == STATISTIC_PERCENTILE ? metric->parsed.percentile_e10 : 0;
    if (!missing_given)
        rule->missing = strcmp(metric->namespace, "AWS/DynamoDB") == 0 ? MISSING_IGNORE : MISSING_MISSING;
    if (*settle_s == 0) *settle_s = metric_settle_s(metric->namespace, metric->period_s);
    metric_range_default(rule, *settle_s);
    return metric_reach_ok(in, node, rule, *settle_s);
}
