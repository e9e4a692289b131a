/* daemon/sources/math_rows.c: the keys of one entry of `metrics` */
#include "sources/cloudwatch.h"
#include "sources/math_expression.h"

#include <ctype.h>
#include <stddef.h>

static bool id_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const char *id = *(const char *const *)value;
    bool fine = islower((unsigned char)*id);
    for (const char *c = id; *c; c++) fine = fine && (isalnum((unsigned char)*c) || *c == '_');
    return fine || problem_add(in->problems, node->at, row->remedy, "`id` cannot be `%.80s`", id);
}

#define AT(member) offsetof(MathItem, member)
#define OF_METRIC(member) (offsetof(MathItem, metric) + offsetof(MetricSelector, member))
const SchemaRow math_rows[] = {
    {.key = "id",
        .type = SCHEMA_TEXT,
        .offset = AT(id),
        .min = 1,
        .max = MATH_ID_MAX,
        .required = true,
        .check = id_ok,
        .remedy = "a small letter, then letters, digits and `_`, such as errors",
        .doc = "By which name expressions speak of it; unique in the alarm."},
    {.key = "expression",
        .type = SCHEMA_TEXT,
        .offset = AT(expression),
        .min = 1,
        .max = EXPRESSION_MAX,
        .multiline = true,
        .remedy = "an expression of CloudWatch's metric math, or a Metrics Insights query",
        .doc = "In place of a metric: metric math over the other entries' ids, or a Metrics Insights query (SELECT). "
               "CloudWatch evaluates it. Where it gives several series (GROUP BY, SEARCH) each is an instance."},
    {.key = "label",
        .type = SCHEMA_TEXT,
        .offset = AT(label),
        .min = 1,
        .max = LABEL_VALUE_MAX,
        .remedy = "a text; ${PROP('Dim.NAME')} stands for a dimension's value",
        .doc = "What CloudWatch is to call it. Where there are several series it is what tells them apart, as the "
               "label `label`; without it their dimensions do."},
    {.key = "return_data",
        .type = SCHEMA_BOOL,
        .offset = AT(return_data),
        .fallback = "false",
        .remedy = "true or false",
        .doc = "True for the one entry that the alarm judges. An entry that stands alone needs no word of it."},
    {.key = "namespace",
        .type = SCHEMA_TEXT,
        .offset = OF_METRIC(namespace),
        .min = 1,
        .max = 255,
        .remedy = "a namespace as CloudWatch shows it, such as AWS/EC2",
        .doc = "The metric's namespace."},
    {.key = "metric_name",
        .type = SCHEMA_TEXT,
        .offset = OF_METRIC(metric_name),
        .min = 1,
        .max = 255,
        .remedy = "a name as CloudWatch shows it, such as CPUUtilization",
        .doc = "The metric's name."},
    {.key = "dimensions",
        .type = SCHEMA_MAP,
        .offset = OF_METRIC(dimensions),
        .check = metric_dimensions_ok,
        .remedy = "at most 30 names, each with its value",
        .doc = "Exactly the dimensions that the metric has."},
    {.key = "statistic",
        .type = SCHEMA_TEXT,
        .offset = OF_METRIC(statistic),
        .check = metric_statistic_ok,
        .remedy =
            "Average, Sum, Minimum, Maximum, SampleCount, p99, tm95, tc95, ts95, wm95, TM(10%:90%), PR(:300) or IQM",
        .doc = "What is taken from each period, in CloudWatch's words."},
    {.key = "period",
        .type = SCHEMA_DURATION,
        .offset = OF_METRIC(period_s),
        .min = 10,
        .max = 7 * 86400,
        .check = metric_period_ok,
        .remedy = "10, 20, 30 or a multiple of 60 seconds, at most 7d",
        .doc = "How long one datapoint is: the same for all metrics of the alarm. Without it: 1m."},
    {.key = "unit",
        .type = SCHEMA_CHOICE,
        .offset = OF_METRIC(unit_choice),
        .choices = metric_units + 1,
        .choice_values = metric_unit_numbers,
        .remedy = "one of CloudWatch's units, such as Seconds, Count or Percent",
        .doc = "Only datapoints published with this unit."},
    SCHEMA_END,
};
