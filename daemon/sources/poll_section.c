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

static const char *const read_events_words[] = {"auto", "true", "false", NULL};
static const SchemaRow cloudtrail_rows[] = {
    {.key = "every",
        .type = SCHEMA_DURATION,
        .offset = offsetof(PollSection, cloudtrail.every_s),
        .min = 1,
        .max = 86400,
        .fallback = "1m",
        .remedy = "a duration from 1s to 1d",
        .doc =
            "How often each account and region is asked for new events; an alarm's own every wins where it is less."},
    {.key = "overlap",
        .type = SCHEMA_DURATION,
        .offset = offsetof(PollSection, cloudtrail.overlap_s),
        .min = 300,
        .max = 86400,
        .fallback = "30m",
        .remedy = "a duration from 5m to 1d",
        .doc = "How much later than others an event may appear and still be found: every ten minutes all from so long "
               "before the newest one is read again. No event is counted twice."},
    {.key = "lookback",
        .type = SCHEMA_DURATION,
        .offset = offsetof(PollSection, cloudtrail.lookback_s),
        .min = 60,
        .max = 7 * 86400,
        .fallback = "1h",
        .remedy = "a duration from 1m to 7d",
        .doc = "How far back the very first reading of an account and region goes."},
    {.key = "read_events",
        .type = SCHEMA_CHOICE,
        .offset = offsetof(PollSection, cloudtrail.read_events),
        .fallback = "auto",
        .choices = read_events_words,
        .remedy = "auto, true or false",
        .doc =
            "Whether events that only read are asked for, too. There may be a hundred of them for each that writes, "
            "and CloudTrail gives out no more than a hundred a second: with auto they are read only where a rule can "
            "match one."},
    SCHEMA_END,
};

const SchemaRow poll_rows[] = {
    {.key = "cloudwatch",
        .type = SCHEMA_SECTION,
        .rows = cloudwatch_rows,
        .doc = "The schedule of CloudWatch metrics."},
    {.key = "xray", .type = SCHEMA_SECTION, .rows = xray_rows, .doc = "The schedule of X-Ray."},
    {.key = "cloudtrail", .type = SCHEMA_SECTION, .rows = cloudtrail_rows, .doc = "The schedule of CloudTrail events."},
    SCHEMA_END,
};

const SectionDescriptor poll_section = {
    .key = "poll",
    .doc = "How often AWS is asked.",
    .size = sizeof(PollSection),
    .rows = poll_rows,
};
