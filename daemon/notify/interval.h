/* Alertmanager's time intervals: named times in which routes are silent, or speak alone. Pure; an Interval is immutable
 * and lives in the snapshot (interval_section.h reads it).
 * Source: Alertmanager documentation, "Configuration", section "time_interval". */
#ifndef TOCSIN_NOTIFY_INTERVAL_H
#define TOCSIN_NOTIFY_INTERVAL_H

#include "base/problems.h"
#include "base/zone.h"

enum { INTERVAL_SEARCH_DAYS = 400 };

typedef struct Span {
    int first, last; /* both included; of times: minutes of the day, `last` excluded and at most 1440 */
} Span;
typedef struct SpanList {
    size_t count; /* 0: the field was not given, and everything is in it */
    Span *spans;
} SpanList;

/* All fields that are given hold at once; of each, any span. */
typedef struct IntervalSpec {
    SpanList times; /* civil time, as all the others */
    SpanList weekdays; /* 0 is Sunday */
    SpanList days_of_month; /* 1 to 31; -1 is the month's last; what lies outside a month is cut to it */
    SpanList months; /* 1 to 12 */
    SpanList years;
    Zone *zone; /* NULL: UTC */
} IntervalSpec;

typedef struct Interval {
    const char *name;
    Place at;
    size_t count;
    IntervalSpec *specs; /* a time in any of them is in the interval */
} Interval;

/* Is this second in it? */
bool interval_contains(const Interval *interval, int64_t utc_s);
/* The first second behind `from_s` at which interval_contains() changes its answer. False: none within
 * INTERVAL_SEARCH_DAYS, or `from_s` is before 1970 or too far ahead for a calendar; *ret_utc_s stays. */
bool interval_next_change(const Interval *interval, int64_t from_s, int64_t *ret_utc_s);

#endif
