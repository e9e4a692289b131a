/* daemon/sources/math.c: the source of alarms on metric math and Metrics Insights queries. Its polls are CloudWatch's
 * (cloudwatch_poll.c); what is its own is the selector, the plan and the words. */
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "sources/cloudwatch.h"
#include "sources/console.h"

#include <string.h>

enum { DESCRIBED_MAX = 160 };

static Labels *math_series(const void *selector) {
    const MathSelector *math = selector;
    return math->is_many ? NULL : labels_new(NULL, 0);
}

static const char *said_of(const MathItem *item) {
    if (item->expression) return item->expression;
    return item->metric.metric_name;
}

static char *math_describe(const void *selector, const ThresholdRule *rule) {
    const MathSelector *math = selector;
    const char *said = said_of(math_item(math, math->returned));
    const size_t length = utf8_cut(said, strlen(said), DESCRIBED_MAX);
    return text_format("%.*s%s %lld s", (int)length, said, said[length] ? "…" : "", (long long)rule->period_s);
}

static void console_item(Buffer *out, const MathSelector *math, size_t index) {
    const MathItem *item = math_item(math, index);
    buffer_text(out, index ? "~(" : "(");
    if (item->expression) {
        buffer_text(out, "~(expression");
        console_string(out, item->expression);
        buffer_text(out, "~id");
    } else {
        console_string(out, item->metric.namespace);
        console_string(out, item->metric.metric_name);
        for (size_t i = 0; i < item->metric.dimensions.count; i++) {
            console_string(out, item->metric.series[i].name);
            console_string(out, item->metric.series[i].value);
        }
        buffer_text(out, "~(stat");
        console_string(out, item->metric.statistic);
        buffer_text(out, "~id");
    }
    console_string(out, item->id);
    buffer_format(out, "~period~%lld%s))", (long long)math->period_s, index == math->returned ? "" : "~visible~false");
}

static char *math_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms) {
    const MathSelector *math = selector;
    Buffer out = BUFFER(CONSOLE_URL_MAX);
    (void)series; /* the console tells the series of an expression apart by itself */
    console_begin(&out, region);
    buffer_text(&out, "metricsV2:graph=~(metrics~(~");
    for (size_t i = 0; i < math->items.count; i++) console_item(&out, math, i);
    buffer_text(&out, ")");
    console_graph_end(&out, region, at_ms);
    return buffer_take(&out);
}

/* The service of the first metric that belongs to one. */
static void math_service(const void *selector, const Labels *series, char *text, size_t room) {
    const MathSelector *math = selector;
    text[0] = 0;
    for (size_t i = 0; i < math->items.count && !text[0]; i++)
        if (!math_item(math, i)->expression) cloudwatch_source.service(&math_item(math, i)->metric, series, text, room);
}

static const char *math_price_note(const void *selector) {
    const MathSelector *math = selector;
    return math->is_query || math->is_many ? "each metric that the expression looks at beyond one" : NULL;
}

static const char *const actions[] = {"cloudwatch:GetMetricData", NULL};

const Source math_source = {
    .name = "cloudwatch",
    .alarm_key = "metrics",
    .selector_rows = math_rows,
    .selector_size = sizeof(MathSelector),
    .item_size = sizeof(MathItem),
    .items_max = MATH_ITEMS_MAX,
    .selector_decode = math_selector_decode,
    .price_note = math_price_note,
    .actions = actions,
    .probes = metric_probes,
    .plan = math_plan,
    .start = metric_poll_start,
    .cancel = metric_poll_cancel,
    .forget = metric_poll_forget,
    .series = math_series,
    .console_url = math_console_url,
    .service = math_service,
    .describe = math_describe,
};
