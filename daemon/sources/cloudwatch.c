#include "sources/cloudwatch.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "sources/console.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

char *metric_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms) {
    const MetricSelector *metric = selector;
    Buffer out = BUFFER(CONSOLE_URL_MAX);
    console_begin(&out, region);
    buffer_text(&out, "metricsV2:graph=~(metrics~(~(");
    console_string(&out, metric->namespace);
    console_string(&out, metric->metric_name);
    for (size_t i = 0; i < labels_count(series); i++) {
        console_string(&out, labels_at(series, i).name);
        console_string(&out, labels_at(series, i).value);
    }
    buffer_text(&out, "~(stat");
    console_string(&out, metric->statistic);
    buffer_format(&out, "~period~%lld)))", (long long)metric->period_s);
    console_graph_end(&out, region, at_ms);
    return buffer_take(&out);
}

char *metric_describe(const void *selector, const ThresholdRule *rule) {
    const MetricSelector *metric = selector;
    return text_format(
        "%s %s %s %lld s", metric->namespace, metric->metric_name, metric->statistic, (long long)rule->period_s);
}

/* `AWS/ApplicationELB` is elasticloadbalancing.amazonaws.com: what is not in the table is called alike. */
static void metric_service(const void *selector, const Labels *series, char *text, size_t room) {
    static const struct {
        const char *namespace, *service;
    } others[] = {{"ApplicationELB", "elasticloadbalancing"}, {"NetworkELB", "elasticloadbalancing"},
        {"GatewayELB", "elasticloadbalancing"}, {"ELB", "elasticloadbalancing"}, {"EBS", "ec2"}, {"NATGateway", "ec2"},
        {"EC2Spot", "ec2"}, {"Logs", "logs"}, {"States", "states"}, {"Events", "events"}, {"ES", "es"},
        {"EFS", "elasticfilesystem"}, {"ElasticMapReduce", "elasticmapreduce"}, {"DocDB", "rds"}, {"Neptune", "rds"},
        {"CertificateManager", "acm"}, {"ContainerInsights", "ecs"}};
    const MetricSelector *metric = selector;
    (void)series;
    text[0] = 0;
    if (strncmp(metric->namespace, "AWS/", 4) != 0 && strncmp(metric->namespace, "ECS/", 4) != 0) return;
    const char *name = metric->namespace + 4;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (!strcmp(name, others[i].namespace)) name = others[i].service;
    const int used = snprintf(text, room, "%s.amazonaws.com", name);
    for (int i = 0; i < used && (size_t)i < room; i++) text[i] = (char)tolower((unsigned char)text[i]);
}

static Labels *metric_series(const void *selector) {
    const MetricSelector *metric = selector;
    return labels_new(metric->series, metric->dimensions.count);
}

static const char *const actions[] = {"cloudwatch:GetMetricData", NULL};

const SourceProbe metric_probes[] = {
    {"cloudwatch:GetMetricData", AWS_MONITORING, NULL,
        "{\"StartTime\":@start@,\"EndTime\":@end@,\"MetricDataQueries\":[{\"Id\":\"m0\",\"MetricStat\":{"
        "\"Metric\":{\"Namespace\":\"Tocsin\",\"MetricName\":\"Doctor\"},\"Period\":60,\"Stat\":\"Sum\"}}]}"},
    {NULL}};

const Source cloudwatch_source = {
    .name = "cloudwatch",
    .alarm_key = "metric",
    .selector_rows = metric_rows,
    .selector_size = sizeof(MetricSelector),
    .selector_decode = metric_selector_decode,
    .actions = actions,
    .probes = metric_probes,
    .plan = metric_plan,
    .start = metric_poll_start,
    .cancel = metric_poll_cancel,
    .forget = metric_poll_forget,
    .series = metric_series,
    .console_url = metric_console_url,
    .service = metric_service,
    .describe = metric_describe,
};
