#include "sources/poll_section.h"

#include <stddef.h>

static const SchemaRow cloudwatch_rows[] = {
    {.key = "every",
        .type = SCHEMA_DURATION,
        .offset = offsetof(PollSection, cloudwatch.every_s),
        .min = 1,
        .max = 86400,
        .remedy = "a duration from 1s to 1d",
        .doc = "How often each metric is asked for; an alarm's own every wins. Without it: 1m, 10s for alarms with a "
               "period "
               "below a minute, 5m for periods of an hour and more."},
    {.key = "max_delay", .type = SCHEMA_LATER, .doc = "Far from the threshold, poll as seldom as this."},
    SCHEMA_END,
};

static const SchemaRow xray_rows[] = {
    {.key = "every",
        .type = SCHEMA_DURATION,
        .offset = offsetof(PollSection, xray.every_s),
        .min = 1,
        .max = 86400,
        .fallback = "1m",
        .remedy = "a duration from 1s to 1d",
        .doc = "How often X-Ray is asked; an alarm's own every wins."},
    SCHEMA_END,
};

const SchemaRow poll_rows[] = {
    {.key = "cloudwatch",
        .type = SCHEMA_SECTION,
        .rows = cloudwatch_rows,
        .doc = "The schedule of CloudWatch metrics."},
    {.key = "xray", .type = SCHEMA_SECTION, .rows = xray_rows, .doc = "The schedule of X-Ray."},
    {.key = "cloudtrail", .type = SCHEMA_LATER, .doc = "The schedule of CloudTrail."},
    SCHEMA_END,
};

const SectionDescriptor poll_section = {
    .key = "poll",
    .doc = "How often AWS is asked.",
    .size = sizeof(PollSection),
    .rows = poll_rows,
};
