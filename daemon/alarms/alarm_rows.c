#include "alarms/alarm_keys.h"

#include <stddef.h>
#include <string.h>

static const char *const severities[] = {"critical", "error", "warning", "info", NULL};
static const char *const no_data_words[] = {"hold", "notify", "resolve", NULL};
static const char *const missing_words[] = {"missing", "ignore", "breaching", "notBreaching", NULL};
static const char *const low_sample_words[] = {"evaluate", "ignore", NULL};
static const char *const comparisons[] = {"GreaterThanThreshold", ">", "GreaterThanOrEqualToThreshold",
    ">=", "LessThanThreshold", "<", "LessThanOrEqualToThreshold", "<=", NULL};
static const int comparison_values[] = {
    COMPARE_GT, COMPARE_GT, COMPARE_GE, COMPARE_GE, COMPARE_LT, COMPARE_LT, COMPARE_LE, COMPARE_LE};

const char *severity_word(Severity severity) { return severities[severity]; }

static bool is_reserved(const char *name) {
    static const char *const reserved[] = {"alertname", "severity", "source", "account", "region", "account_id"};
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (strcmp(name, reserved[i]) == 0) return true;
    return false;
}

static bool label_ok(const NodeEntry *entry, Decoding *in) {
    const char *name = entry->key->text, *value = entry->value->text;
    if (!label_name_ok(name))
        return problem_add(in->problems, entry->key->at, "letters, digits and `_`, no digit first, at most 128",
            "`%.80s` cannot be a label's name", name);
    if (is_reserved(name))
        return problem_add(
            in->problems, entry->key->at, "choose another name", "Tocsin sets the label `%s` itself", name);
    if (value && strlen(value) <= LABEL_VALUE_MAX) return true;
    return problem_add(in->problems, entry->value->at, "at most 1024 bytes", "the label `%s` is too long", name);
}

static bool labels_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    bool fine = true;
    (void)row, (void)value;
    for (size_t i = 0; i < node->count; i++)
        if (!label_ok(&node->entries[i], in)) fine = false;
    return fine;
}

static bool annotations_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    bool fine = true;
    (void)row, (void)value;
    for (size_t i = 0; i < node->count; i++) {
        if (label_name_ok(node->entries[i].key->text)) continue;
        fine =
            problem_add(in->problems, node->entries[i].key->at, "letters, digits and `_`, no digit first, at most 128",
                "`%.80s` cannot be an annotation's name", node->entries[i].key->text);
    }
    return fine;
}

static bool flap_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const double percent = *(const double *)value;
    if (percent > 0) return true;
    return problem_add(in->problems, node->at, row->remedy, "`%s` cannot be 0", row->key);
}

const SchemaRow flap_rows[] = {
    {.key = "low",
        .type = SCHEMA_NUMBER,
        .offset = offsetof(FlapRule, low_percent),
        .min = 0,
        .max = 100,
        .fallback = "20",
        .check = flap_ok,
        .remedy = "a percentage above 0, at most high",
        .doc = "The alarm is steady again when at most so many percent of its last 20 changes of state were changes; "
               "newer ones count more."},
    {.key = "high",
        .type = SCHEMA_NUMBER,
        .offset = offsetof(FlapRule, high_percent),
        .min = 0,
        .max = 100,
        .fallback = "30",
        .check = flap_ok,
        .remedy = "a percentage above 0, at least low",
        .doc = "It flaps when at least so many were."},
    SCHEMA_END,
};

#define AT(member) offsetof(AlarmKeys, member)
const SchemaRow alarm_rows[] = {
    {.key = "name",
        .type = SCHEMA_TEXT,
        .offset = AT(name),
        .min = 1,
        .max = 255,
        .required = true,
        .remedy = "1 to 255 characters, unique in all files",
        .doc = "The alarm's name, and its label alertname. Its state hangs on it: a renamed alarm begins anew."},
    {.key = "enabled",
        .type = SCHEMA_BOOL,
        .offset = AT(enabled),
        .fallback = "true",
        .remedy = "true or false",
        .doc = "False: checked, but neither polled nor evaluated."},
    {.key = "description",
        .type = SCHEMA_TEXT,
        .offset = AT(description),
        .multiline = true,
        .remedy = "a text of at most 4096 characters",
        .doc = "For the person who is woken by it."},
    {.key = "severity",
        .type = SCHEMA_CHOICE,
        .offset = AT(severity),
        .fallback = "warning",
        .choices = severities,
        .doc = "How bad it is; a label to route by."},
    {.key = "labels",
        .type = SCHEMA_MAP,
        .offset = AT(labels),
        .max = 64,
        .check = labels_ok,
        .remedy = "names and values, at most 64",
        .doc = "Further labels, to route and group by."},
    {.key = "annotations",
        .type = SCHEMA_MAP,
        .offset = AT(annotations),
        .max = 64,
        .multiline = true,
        .check = annotations_ok,
        .remedy = "names and texts, at most 64",
        .doc = "Texts that go with each message, such as runbook_url."},
    {.key = "accounts",
        .type = SCHEMA_TEXTS,
        .offset = AT(accounts),
        .min = 1,
        .remedy = "names from aws.accounts",
        .doc = "Where the alarm is evaluated: an instance in each account. Without it: all accounts."},
    {.key = "regions",
        .type = SCHEMA_TEXTS,
        .offset = AT(regions),
        .min = 1,
        .remedy = "regions of those accounts",
        .doc = "An instance in each of these regions. Without it: all regions of each account."},
    {.key = "metric", .type = SCHEMA_NODE, .offset = AT(metric), .doc = "What is watched: one CloudWatch metric."},
    {.key = "metrics",
        .type = SCHEMA_NODE,
        .offset = AT(metrics),
        .doc = "What is watched: metrics and an expression over them, or a Metrics Insights query."},
    {.key = "service_graph",
        .type = SCHEMA_NODE,
        .offset = AT(service_graph),
        .doc = "What is watched: services of the X-Ray service map, or the calls between them."},
    {.key = "traces",
        .type = SCHEMA_NODE,
        .offset = AT(traces),
        .doc = "What is watched: how many X-Ray traces match a filter."},
    {.key = "insights",
        .type = SCHEMA_NODE,
        .offset = AT(insights),
        .doc = "What is watched: the insights that X-Ray itself finds, an instance each; ALARM while one is active."},
    {.key = "events",
        .type = SCHEMA_NODE,
        .offset = AT(events),
        .doc = "What is watched: CloudTrail events that meet a Sigma detection."},
    {.key = "composite",
        .type = SCHEMA_NODE,
        .offset = AT(composite),
        .doc = "What is watched: the states of other alarms, by a rule."},
    {.key = "suppressor",
        .type = SCHEMA_NODE,
        .offset = AT(suppressor),
        .doc = "For a composite: an alarm that holds its messages."},
    {.key = "suppress_callers",
        .type = SCHEMA_BOOL,
        .offset = AT(suppress_callers),
        .fallback = "false",
        .remedy = "true or false",
        .doc =
            "Of a service_graph: while the alarm fires, hold what alarms on services that call its service would send, "
            "directly or through others, critical ones never. After 15 minutes they are told all the same."},
    {.key = "comparison_operator",
        .type = SCHEMA_CHOICE,
        .offset = AT(comparison),
        .choices = comparisons,
        .choice_values = comparison_values,
        .remedy = "> >= < <= in quotes, or CloudWatch's words for them",
        .doc = "A datapoint breaches when it stands in this relation to threshold. Needed wherever datapoints are "
               "judged."},
    {.key = "threshold",
        .type = SCHEMA_NUMBER,
        .offset = AT(threshold),
        .set_offset = AT(threshold_given),
        .remedy = "a number, in the metric's own unit",
        .doc = "What a datapoint is compared with. Needed wherever datapoints are judged."},
    {.key = "ok_threshold",
        .type = SCHEMA_NUMBER,
        .offset = AT(ok_threshold),
        .set_offset = AT(ok_threshold_given),
        .remedy = "a number on the good side of threshold",
        .doc = "Once in ALARM, a datapoint goes on breaching until it is back past this. For metrics that hover around "
               "the "
               "threshold; without it there is no such gap, as in CloudWatch."},
    {.key = "evaluation_periods",
        .type = SCHEMA_INTEGER,
        .offset = AT(n),
        .min = 1,
        .max = PERIODS_MAX,
        .remedy = "a whole number from 1 to 10080",
        .doc = "How many datapoints decide. Needed wherever datapoints are judged."},
    {.key = "datapoints_to_alarm",
        .type = SCHEMA_INTEGER,
        .offset = AT(m),
        .min = 1,
        .max = PERIODS_MAX,
        .remedy = "a whole number from 1 to evaluation_periods",
        .doc = "How many of them must breach. Without it: all."},
    {.key = "treat_missing_data",
        .type = SCHEMA_CHOICE,
        .offset = AT(missing),
        .set_offset = AT(missing_given),
        .choices = missing_words,
        .doc = "What a gap counts as where there are too few datapoints. Without it: missing, and ignore for "
               "AWS/DynamoDB."},
    {.key = "evaluation_range",
        .type = SCHEMA_INTEGER,
        .offset = AT(range),
        .min = 1,
        .max = 2 * PERIODS_MAX,
        .remedy = "a whole number, at least evaluation_periods",
        .doc = "How many datapoints are looked at, gaps included. Without it: evaluation_periods and two more, or as "
               "many as "
               "fill settle."},
    {.key = "evaluate_low_sample_count_percentiles",
        .type = SCHEMA_CHOICE,
        .offset = AT(low_samples),
        .fallback = "evaluate",
        .choices = low_sample_words,
        .doc = "With ignore the state stays while a percentile stands on too few samples to say anything (p99: 1000)."},
    {.key = "settle",
        .type = SCHEMA_DURATION,
        .offset = AT(settle_s),
        .min = 1,
        .max = 7 * 86400,
        .remedy = "a duration from 1s to 7d",
        .doc = "How long past its end a period may still fill before it is judged. Without it: by namespace, mostly "
               "120s."},
    {.key = "every",
        .type = SCHEMA_DURATION,
        .offset = AT(every_s),
        .min = 1,
        .max = 86400,
        .remedy = "a duration from 1s to 1d",
        .doc = "How often this alarm's metric is asked for, whatever poll says."},
    {.key = "early",
        .type = SCHEMA_BOOL,
        .offset = AT(early),
        .fallback = "true",
        .remedy = "true or false",
        .doc = "A period that still fills may trip the alarm where more data cannot undo that; it never clears one."},
    {.key = "insufficient_data",
        .type = SCHEMA_CHOICE,
        .offset = AT(no_data),
        .fallback = "hold",
        .choices = no_data_words,
        .doc = "When data stop while the alarm fires: hold goes on firing, notify tells people, resolve ends it."},
    {.key = "max_delay", .type = SCHEMA_LATER, .doc = "Far from the threshold, poll as seldom as this."},
    {.key = "flap",
        .type = SCHEMA_NODE,
        .offset = AT(flap),
        .doc = "Hold messages while the alarm changes its state again and again: one says that it flaps, one that it "
               "stopped. Without it nothing is held."},
    {.key = "for",
        .type = SCHEMA_DURATION,
        .offset = AT(for_s),
        .max = 7 * 86400,
        .fallback = "0s",
        .remedy = "a duration from 0s to 7d",
        .doc = "How long the alarm must breach, or a composite's rule be true, without a break before it fires, as in "
               "Prometheus: datapoints_to_alarm of evaluation_periods decides first. Until then it is pending: its "
               "state stays, and nobody is told."},
    {.key = "keep_firing_for",
        .type = SCHEMA_DURATION,
        .offset = AT(keep_firing_s),
        .max = 7 * 86400,
        .fallback = "0s",
        .remedy = "a duration from 0s to 7d",
        .doc = "How long it stays in ALARM when the breach has ended, as in Prometheus."},
    SCHEMA_END,
};
