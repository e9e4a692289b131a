#include "sources/xray.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "sources/console.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { CONSOLE_BEFORE_MS = 15 * 60 * 1000, CONSOLE_AFTER_MS = 5 * 60 * 1000 };

char *graph_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms) {
    const char *group = labels_get(series, "xray_group");
    Buffer out = BUFFER(CONSOLE_URL_MAX);
    (void)selector;
    console_begin(&out, region);
    buffer_text(&out, "xray:service-map/map?~(query~(");
    if (*group) {
        buffer_text(&out, "group");
        console_string(&out, group);
    }
    buffer_text(&out, ")~context~(timeRange~(end");
    console_time(&out, at_ms + CONSOLE_AFTER_MS);
    buffer_text(&out, "~start");
    console_time(&out, at_ms - CONSOLE_BEFORE_MS);
    buffer_text(&out, ")))");
    return buffer_take(&out);
}

char *graph_describe(const void *selector, const ThresholdRule *rule) {
    const GraphSelector *graph = selector;
    const bool may_be_age = graph->edge_to && graph->parsed.kind == XRAY_PERCENTILE;
    return text_format("X-Ray %s%s%s %s %lld s%s", graph->service, graph->edge_to ? " -> " : "",
        graph->edge_to ? graph->edge_to : "", graph->statistic, (long long)rule->period_s,
        may_be_age ? ", event age where the edge is asynchronous" : "");
}

static void graph_kept_free(void *kept) { service_graph_free(kept); }

static const char *const graph_actions[] = {"xray:GetServiceGraph", NULL};
static const SourceProbe graph_probes[] = {
    {"xray:GetServiceGraph", AWS_XRAY, "/ServiceGraph", "{\"StartTime\":@start@,\"EndTime\":@end@}"}, {NULL}};

/* `checkout`, `checkout → payments` */
static char *graph_series_words(const Labels *series) {
    const char *to = labels_get(series, "edge_to");
    return text_format("%s%s%s", labels_get(series, "service"), *to ? " → " : "", to);
}

/* `AWS::Lambda::Function` is lambda.amazonaws.com. */
static void graph_service(const void *selector, const Labels *series, char *text, size_t room) {
    const char *type = labels_get(series, "service_type");
    (void)selector;
    text[0] = 0;
    if (strncmp(type, "AWS::", 5) != 0) return;
    const size_t length = strcspn(type + 5, ":");
    const int used = snprintf(text, room, "%.*s.amazonaws.com", (int)length, type + 5);
    for (int i = 0; i < used && (size_t)i < room; i++) text[i] = (char)tolower((unsigned char)text[i]);
}

const Source service_graph_source = {
    .name = "xray",
    .alarm_key = "service_graph",
    .selector_rows = graph_rows,
    .selector_size = sizeof(GraphSelector),
    .selector_decode = graph_selector_decode,
    .actions = graph_actions,
    .probes = graph_probes,
    .plan = graph_plan,
    .start = graph_poll_start,
    .cancel = graph_poll_cancel,
    .forget = graph_poll_forget,
    .kept_free = graph_kept_free,
    .console_url = graph_console_url,
    .describe = graph_describe,
    .service = graph_service,
    .series_words = graph_series_words,
};
