#include "sources/xray.h"

#include "base/text.h"

#include <stddef.h>
#include <string.h>

enum { DAY_S = 86400, HOUR_S = 3600, FILTER_MAX = 2000 };

static bool minutes_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const int64_t length_s = *(const int64_t *)value;
    return length_s % 60 == 0 ||
        problem_add(in->problems, node->at, row->remedy, "`%s` cannot be %lld seconds", row->key, (long long)length_s);
}

static bool statistic_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const char *text = *(const char *const *)value;
    XrayStatistic statistic;
    if (xray_statistic_parse(text, &statistic)) return true;
    const char *near = text_nearest(text, xray_statistic_words);
    return problem_add(in->problems, node->at, row->remedy, "`statistic` cannot be `%.80s`%s%s%s", text,
        near ? ", did you mean `" : "", near ? near : "", near ? "`" : "");
}

static bool confidence_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    const double confidence = *(const double *)value;
    if (confidence == 0 || (confidence > 0.5 && confidence < 1)) return true;
    return problem_add(in->problems, node->at, row->remedy, "`confidence` cannot be `%.40s`", node->text);
}

#define GROUP_DOC "The X-Ray group whose traces are looked at; its name is case-sensitive."

#define AT(member) offsetof(GraphSelector, member)
const SchemaRow graph_rows[] = {
    {.key = "group",
        .type = SCHEMA_TEXT,
        .offset = AT(group),
        .min = 1,
        .max = XRAY_GROUP_MAX,
        .remedy = "the name of an X-Ray group, at most 32 characters",
        .doc = GROUP_DOC " Without it: all traces, and no label xray_group."},
    {.key = "service",
        .type = SCHEMA_TEXT,
        .offset = AT(service),
        .min = 1,
        .max = LABEL_VALUE_MAX,
        .required = true,
        .remedy = "a service's name as X-Ray shows it, or a glob such as checkout-*",
        .doc = "Which services, by name; * stands for any text, ? for one character. Each is an instance of its own. "
               "A service's alternative names count as well."},
    {.key = "type",
        .type = SCHEMA_TEXT,
        .offset = AT(type),
        .min = 1,
        .max = LABEL_VALUE_MAX,
        .remedy = "a type as X-Ray shows it, such as AWS::Lambda::Function",
        .doc = "Only services of this type, a glob as well. Without it: all but client, which stands for callers "
               "outside "
               "and has no figures of its own."},
    {.key = "edge_to",
        .type = SCHEMA_TEXT,
        .offset = AT(edge_to),
        .min = 1,
        .max = LABEL_VALUE_MAX,
        .remedy = "the name of a service that is called, or a glob",
        .doc = "Not the service itself, but its calls to this one, as the caller sees them: the network's failures "
               "count, too."},
    {.key = "statistic",
        .type = SCHEMA_TEXT,
        .offset = AT(statistic),
        .required = true,
        .check = statistic_ok,
        .remedy = "fault_rate, error_rate, throttle_rate, ok_rate, request_count, fault_count, error_count, "
                  "throttle_count, average_response_time, or a percentile such as p99",
        .doc = "What is taken from each window. Rates are in percent of the requests: faults are 5xx, errors 4xx, "
               "throttles (429) are errors as well. Times are in seconds, percentiles by nearest rank; where an edge "
               "is asynchronous they tell how old the events were. Counts are of sampled traces, not of the traffic."},
    {.key = "period",
        .type = SCHEMA_DURATION,
        .offset = AT(period_s),
        .min = 60,
        .max = XRAY_WINDOW_MAX_S,
        .fallback = "1m",
        .check = minutes_ok,
        .remedy = "a multiple of 60 seconds, at most 6h",
        .doc = "How long one window is."},
    {.key = "minimum_requests",
        .type = SCHEMA_INTEGER,
        .offset = AT(minimum_requests),
        .max = 1e9,
        .fallback = "5",
        .remedy = "a whole number from 0",
        .doc = "Rates and times: with fewer requests than this in all that is judged, its datapoints count as "
               "missing. Has no meaning for counts."},
    {.key = "confidence",
        .type = SCHEMA_NUMBER,
        .offset = AT(confidence),
        .max = 1,
        .fallback = "0",
        .check = confidence_ok,
        .remedy = "0, or above 0.5 and below 1, such as 0.95",
        .doc = "Rates: compare, in place of the rate, the bound that it passes with this confidence (Wilson's, "
               "one-sided): the lower one for > and >=, the upper one for < and <=. A few failures among few requests "
               "then do not trip the alarm. 0: the plain rate."},
    SCHEMA_END,
};
#undef AT

#define AT(member) offsetof(TracesSelector, member)
static const char *const trace_statistics[] = {[TRACES_COUNT] = "count", [TRACES_RATIO] = "ratio", NULL};
const SchemaRow traces_rows[] = {
    {.key = "filter",
        .type = SCHEMA_TEXT,
        .offset = AT(filter),
        .min = 1,
        .max = FILTER_MAX,
        .multiline = true,
        .required = true,
        .remedy = "a filter expression of X-Ray's, at most 2000 characters",
        .doc = "Which traces are counted, in X-Ray's own language; X-Ray itself judges it."},
    {.key = "of",
        .type = SCHEMA_TEXT,
        .offset = AT(of),
        .min = 1,
        .max = FILTER_MAX,
        .multiline = true,
        .remedy = "a filter expression of X-Ray's, at most 2000 characters",
        .doc = "With ratio: the traces that are 100 percent. Where there are none there is no data."},
    {.key = "statistic",
        .type = SCHEMA_CHOICE,
        .offset = AT(statistic),
        .choices = trace_statistics,
        .fallback = "count",
        .doc = "The number of traces, or their percentage of those that of selects."},
    {.key = "window",
        .type = SCHEMA_DURATION,
        .offset = AT(window_s),
        .min = 60,
        .max = XRAY_WINDOW_MAX_S,
        .fallback = "5m",
        .check = minutes_ok,
        .remedy = "a multiple of 60 seconds, at most 6h",
        .doc = "How long one window is."},
    SCHEMA_END,
};
#undef AT

const SchemaRow insights_rows[] = {
    {.key = "group",
        .type = SCHEMA_TEXT,
        .offset = offsetof(InsightsSelector, group),
        .min = 1,
        .max = XRAY_GROUP_MAX,
        .fallback = "Default",
        .remedy = "the name of an X-Ray group with insights enabled, at most 32 characters",
        .doc = GROUP_DOC " Insights must be enabled for it."},
    SCHEMA_END,
};

static Place place_of(const Node *node, const char *key) {
    const Node *value = node_get(node, key);
    return value ? value->at : node->at;
}

/* What both kinds of windows have in common. */
static bool windows_decode(Decoding *in, const Node *node, int64_t period_s, ThresholdRule *rule, int64_t *settle_s) {
    rule->period_s = period_s;
    if (*settle_s == 0) *settle_s = XRAY_SETTLE_S;
    const int64_t settling = (*settle_s + period_s - 1) / period_s;
    if (rule->range == 0) rule->range = rule->n + (size_t)(settling > 2 ? settling : 2);
    const int64_t most_s = evaluation_step_s(rule) >= HOUR_S ? 14 * DAY_S : 2 * DAY_S;
    if ((int64_t)rule->range * period_s > most_s)
        return problem_add(in->problems, node->at, "a smaller evaluation_range",
            "the alarm looks back more than %lldd, which is more than X-Ray is asked for", (long long)(most_s / DAY_S));
    return true;
}

bool graph_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s) {
    GraphSelector *graph = selector;
    (void)every_s, (void)missing_given;
    if (!xray_statistic_parse(graph->statistic, &graph->parsed)) return false;
    const bool is_rate = xray_statistic_is_rate(graph->parsed.kind),
               is_count = xray_statistic_is_count(graph->parsed.kind);
    if (graph->confidence > 0 && !is_rate)
        return problem_add(in->problems, place_of(node, "confidence"), "remove it, or take a rate",
            "`confidence` has no meaning for `%s`", graph->statistic);
    if (is_count)
        problem_warn(in->problems, place_of(node, "statistic"), "a rate is steadier",
            "`%s` counts the traces that X-Ray sampled, not the requests", graph->statistic);
    graph->parsed.z = wilson_z(graph->confidence);
    rule->percentile_e10 = graph->parsed.percentile_e10;
    rule->samples_min = is_count ? 0 : (double)graph->minimum_requests;
    return windows_decode(in, node, graph->period_s, rule, settle_s);
}

bool traces_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s) {
    const TracesSelector *traces = selector;
    (void)every_s, (void)missing_given;
    if (traces->statistic == TRACES_RATIO && !traces->of)
        return problem_add(in->problems, place_of(node, "statistic"), "add it, or take count",
            "`ratio` needs `of`, the filter of all traces that it is a share of");
    if (traces->statistic == TRACES_COUNT && traces->of)
        return problem_add(in->problems, place_of(node, "of"), "remove it, or write `statistic: ratio`",
            "`of` has no meaning for `count`");
    return windows_decode(in, node, traces->window_s, rule, settle_s);
}

bool insights_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s) {
    (void)in, (void)node, (void)selector, (void)missing_given, (void)every_s, (void)settle_s;
    rule->n = rule->m = rule->range = 1; /* nothing is judged: an insight says its state */
    rule->comparison = COMPARE_GT;
    rule->period_s = 60;
    return true;
}
