#include "sources/cloudtrail.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/timetext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CONSOLE_URL_MAX = 2048, CONSOLE_BEFORE_MS = 30 * 60 * 1000, CONSOLE_AFTER_MS = 5 * 60 * 1000 };

static const char *console_host(const char *region) {
    if (strncmp(region, "cn-", 3) == 0) return "console.amazonaws.cn";
    if (strncmp(region, "us-gov-", 7) == 0) return "console.amazonaws-us-gov.com";
    return "console.aws.amazon.com";
}

static Buffer console_page(const char *region) {
    Buffer out = BUFFER(CONSOLE_URL_MAX);
    buffer_format(&out, "https://%s.%s/cloudtrailv2/home?region=%s#/events", region, console_host(region), region);
    return out;
}

char *cloudtrail_event_url(const char *region, const char *event_id) {
    Buffer out = console_page(region);
    buffer_text(&out, "/");
    for (; *event_id; event_id++) {
        if (isalnum((unsigned char)*event_id) || *event_id == '-')
            buffer_add(&out, event_id, 1);
        else
            buffer_format(&out, "%%%02X", (unsigned char)*event_id);
    }
    return buffer_take(&out);
}

/* The event history around the time: which event it was, the selector does not know. */
static char *console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms) {
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    Buffer out = console_page(region);
    (void)selector, (void)series;
    buffer_format(&out, "?StartTime=%s&EndTime=%s", time_format(at_ms - CONSOLE_BEFORE_MS, from),
        time_format(at_ms + CONSOLE_AFTER_MS, to));
    return buffer_take(&out);
}

static const char *const kinds[] = {[CORRELATE_EVENT_COUNT] = "CloudTrail events of",
    [CORRELATE_VALUE_COUNT] = "different values in CloudTrail events of",
    [CORRELATE_TEMPORAL] = "CloudTrail events of each rule in",
    [CORRELATE_ORDERED] = "CloudTrail events in the order of"};

/* `CloudTrail events of root used >= 3 within 10m, by sourceIPAddress` */
static char *describe(const void *selector_, const ThresholdRule *rule) {
    static const char *const signs[COUNT_WORDS] = {">", ">=", "<", "<=", "=", "!="};
    const EventSelector *selector = selector_;
    char timespan[TIME_TEXT_MAX];
    Buffer out = BUFFER(4096);
    (void)rule;
    buffer_format(&out, "%s %s", kinds[selector->correlation ? selector->correlation->kind : CORRELATE_EVENT_COUNT],
        selector->rule ? selector->rule->title : "");
    for (size_t i = 0; i < COUNT_WORDS; i++)
        if (selector->count.given[i]) buffer_format(&out, " %s %lld", signs[i], (long long)selector->count.bound[i]);
    buffer_format(&out, " within %s", duration_format(selector->timespan_s, timespan));
    for (size_t i = 0; i < selector->group_count; i++)
        buffer_format(&out, "%s%s", i ? ", " : ", by ", selector->group_names[i]);
    if (selector->first_seen.key.count) buffer_text(&out, ", never seen before");
    return buffer_take(&out);
}

/* Values of the fields to group by are found by polls; without them there is one series, which has no labels. */
static Labels *series(const void *selector) {
    return ((const EventSelector *)selector)->group_count ? NULL : labels_new(NULL, 0);
}

static void kept_free(void *kept) { event_log_free(kept); }

static const char *const actions[] = {"cloudtrail:LookupEvents", NULL};

static const SourceProbe probes[] = {
    {"cloudtrail:LookupEvents", AWS_CLOUDTRAIL, NULL, "{\"StartTime\":@start@,\"EndTime\":@end@,\"MaxResults\":1}"},
    {NULL}};

const Source cloudtrail_source = {
    .name = "cloudtrail",
    .alarm_key = "events",
    .has_no_threshold = true,
    .has_events = true,
    .reads_home_region = true,
    .grace_s = 3600,
    .selector_rows = event_rows,
    .selector_size = sizeof(EventSelector),
    .selector_decode = event_selector_decode,
    .alarms = event_alarms,
    .actions = actions,
    .probes = probes,
    .plan = event_plan,
    .start = event_poll_start,
    .cancel = event_poll_cancel,
    .forget = event_poll_forget,
    .series = series,
    .kept_free = kept_free,
    .console_url = console_url,
    .describe = describe,
};
