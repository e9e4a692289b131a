#include "sources/cloudwatch.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "base/timetext.h"

#include <ctype.h>
#include <string.h>

enum { CONSOLE_URL_MAX = 64 << 10, CONSOLE_BEFORE_MS = 3 * 3600 * 1000, CONSOLE_AFTER_MS = 3600 * 1000 };

/* A character as the console's links write it: `*2f`, or `**20ac` beyond Latin-1 (surrogate pairs beyond that). */
static void add_code(Buffer *out, unsigned code) {
    if (code < 0x100)
        buffer_format(out, "*%02x", code);
    else if (code < 0x10000)
        buffer_format(out, "**%04x", code);
    else
        buffer_format(out, "**%04x**%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
}

/* The character at `text`, which is valid UTF-8, and its length. */
static unsigned utf8_code(const unsigned char *text, size_t *ret_length) {
    const size_t length = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    unsigned code = length == 1 ? text[0] : text[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) code = code << 6 | (text[i] & 0x3f);
    *ret_length = length;
    return code;
}

/* A string of the console's link grammar: everything but letters, digits, `_`, `-`, `.` is escaped. */
static void add_string(Buffer *out, const char *text) {
    buffer_text(out, "~'");
    if (!utf8_ok(text, strlen(text))) return;
    for (size_t length; *text; text += length) {
        const unsigned code = utf8_code((const unsigned char *)text, &length);
        if (code < 0x80 && (isalnum((int)code) || strchr("_-.", (int)code)))
            buffer_add(out, text, 1);
        else if (code == '$')
            buffer_text(out, "!");
        else
            add_code(out, code);
    }
}

static const char *console_host(const char *region) {
    if (strncmp(region, "cn-", 3) == 0) return "console.amazonaws.cn";
    if (strncmp(region, "us-gov-", 7) == 0) return "console.amazonaws-us-gov.com";
    return "console.aws.amazon.com";
}

char *metric_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms) {
    const MetricSelector *metric = selector;
    Buffer out = BUFFER(CONSOLE_URL_MAX);
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    buffer_format(&out, "https://%s.%s/cloudwatch/home?region=%s#metricsV2:graph=~(metrics~(~(", region,
        console_host(region), region);
    add_string(&out, metric->namespace);
    add_string(&out, metric->metric_name);
    for (size_t i = 0; i < labels_count(series); i++) {
        add_string(&out, labels_at(series, i).name);
        add_string(&out, labels_at(series, i).value);
    }
    buffer_text(&out, "~(stat");
    add_string(&out, metric->statistic);
    buffer_format(&out, "~period~%lld)))~view~'timeSeries~stacked~false~region", (long long)metric->period_s);
    add_string(&out, region);
    buffer_text(&out, "~start");
    add_string(&out, time_format(at_ms - CONSOLE_BEFORE_MS, from));
    buffer_text(&out, "~end");
    add_string(&out, time_format(at_ms + CONSOLE_AFTER_MS, to));
    buffer_text(&out, ")");
    return buffer_take(&out);
}

char *metric_describe(const void *selector, const ThresholdRule *rule) {
    const MetricSelector *metric = selector;
    return text_format(
        "%s %s %s %lld s", metric->namespace, metric->metric_name, metric->statistic, (long long)rule->period_s);
}

static Labels *metric_series(const void *selector) {
    const MetricSelector *metric = selector;
    return labels_new(metric->series, metric->dimensions.count);
}

static const char *const actions[] = {"cloudwatch:GetMetricData", NULL};

const Source cloudwatch_source = {
    .name = "cloudwatch",
    .alarm_key = "metric",
    .selector_rows = metric_rows,
    .selector_size = sizeof(MetricSelector),
    .selector_decode = metric_selector_decode,
    .actions = actions,
    .plan = metric_plan,
    .start = metric_poll_start,
    .cancel = metric_poll_cancel,
    .series = metric_series,
    .console_url = metric_console_url,
    .describe = metric_describe,
};
