#include "notify/interval.h"

enum { DAY_S = 86400, MINUTE_S = 60 };

static const int64_t last_from_s = 253000000000; /* in the year 9987: the search ends before the calendar does */

static bool holds(const SpanList *list, int value) {
    for (size_t i = 0; i < list->count; i++)
        if (value >= list->spans[i].first && value <= list->spans[i].last) return true;
    return !list->count;
}

static bool holds_time(const SpanList *list, int minute) {
    for (size_t i = 0; i < list->count; i++)
        if (minute >= list->spans[i].first && minute < list->spans[i].last) return true;
    return !list->count;
}

/* Days counted from the end are counted from the start; a span that begins behind the month's end is in no day of it.
 */
static bool holds_day(const SpanList *list, const CivilTime *t) {
    for (size_t i = 0; i < list->count; i++) {
        const Span span = list->spans[i];
        const int first = span.first < 0 ? t->days_in_month + span.first + 1 : span.first;
        const int last = span.last < 0 ? t->days_in_month + span.last + 1 : span.last;
        if (t->day >= first && t->day <= last) return true;
    }
    return !list->count;
}

static bool spec_contains(const IntervalSpec *spec, int64_t utc_s) {
    const CivilTime t = zone_civil(spec->zone, utc_s);
    return holds_time(&spec->times, t.second_of_day / MINUTE_S) && holds(&spec->weekdays, t.weekday) &&
        holds_day(&spec->days_of_month, &t) && holds(&spec->months, t.month) && holds(&spec->years, t.year);
}

bool interval_contains(const Interval *interval, int64_t utc_s) {
    for (size_t i = 0; i < interval->count; i++)
        if (spec_contains(&interval->specs[i], utc_s)) return true;
    return false;
}

/* Up to there nothing that the spec looks at changes: the next edge of its times, midnight, or the clock set anew. */
static int64_t next_edge(const IntervalSpec *spec, int64_t utc_s) {
    const int now = zone_civil(spec->zone, utc_s).second_of_day;
    int edge = DAY_S;
    for (size_t i = 0; i < spec->times.count; i++) {
        const int edges[] = {spec->times.spans[i].first * MINUTE_S, spec->times.spans[i].last * MINUTE_S};
        for (size_t j = 0; j < COUNT_OF(edges); j++)
            if (edges[j] > now && edges[j] < edge) edge = edges[j];
    }
    return zone_next_shift(spec->zone, utc_s, utc_s + edge - now);
}

bool interval_next_change(const Interval *interval, int64_t from_s, int64_t *ret_utc_s) {
    if (from_s < 0 || from_s > last_from_s) return false;
    const bool before = interval_contains(interval, from_s);
    const int64_t until_s = from_s + (int64_t)INTERVAL_SEARCH_DAYS * DAY_S;
    for (int64_t at_s = from_s; interval->count;) {
        int64_t edge_s = INT64_MAX;
        for (size_t i = 0; i < interval->count; i++) {
            const int64_t next_s = next_edge(&interval->specs[i], at_s);
            if (next_s < edge_s) edge_s = next_s;
        }
        at_s = edge_s;
        if (at_s > until_s) return false;
        if (interval_contains(interval, at_s) == before) continue;
        *ret_utc_s = at_s;
        return true;
    }
    return false;
}
