/* The section of time intervals, as YAML. Holds: what is taken has spans that can be; the next change lies ahead, there
 * the answer turns and nowhere before, as far as samples show. */
#include "fuzz.h"

#include "notify/interval_section.h"

#include <stdlib.h>

enum { SAMPLES = 200, FIRST_S = 1743296400 /* the night in which European summer time began in 2025 */ };

static void check_spans(const SpanList *list, int least, int most) {
    for (size_t i = 0; i < list->count; i++)
        if (list->spans[i].first < least || list->spans[i].last > most) abort();
}

static void check_spec(const IntervalSpec *spec) {
    check_spans(&spec->times, 0, 1440);
    check_spans(&spec->weekdays, 0, 6);
    check_spans(&spec->days_of_month, -31, 31);
    check_spans(&spec->months, 1, 12);
    check_spans(&spec->years, 1, 9998);
    for (size_t i = 0; i < spec->times.count; i++)
        if (spec->times.spans[i].first >= spec->times.spans[i].last) abort();
}

static void check_change(const Interval *interval, int64_t from_s) {
    int64_t next_s = 0;
    const bool is_in = interval_contains(interval, from_s);
    const bool changes = interval_next_change(interval, from_s, &next_s);
    if (changes && (next_s <= from_s || interval_contains(interval, next_s) == is_in)) abort();
    const int64_t end_s = changes ? next_s : from_s + INT64_C(86400) * INTERVAL_SEARCH_DAYS;
    for (int i = 1; i < SAMPLES; i++)
        if (interval_contains(interval, from_s + (end_s - from_s) * i / SAMPLES) != is_in) abort();
    if (interval_contains(interval, end_s - 1) != is_in) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *problems = problems_new();
    const Node *list = node_parse(arena, arena, "f", (const char *)data, size, problems);
    if (!list) return 0;
    const size_t before = problems_errors(problems); /* a key that comes twice is told, and the first counts */
    Decoding in = {.arena = arena, .nodes = arena, .problems = problems, .directory = "."};
    IntervalsSection section = {0};
    const bool is_good = time_intervals_section.decode(&in, list, &section);
    if (is_good != (problems_errors(problems) == before)) abort();
    for (size_t i = 0; is_good && i < section.count; i++) {
        const Interval *interval = &section.intervals[i];
        if (!*interval->name || interval_find(&section, interval->name) != interval) abort();
        if (interval->count > INTERVAL_SPECS_MAX) abort();
        for (size_t j = 0; j < interval->count; j++) check_spec(&interval->specs[j]);
        if (i < 2) check_change(interval, FIRST_S + (int64_t)i * 86400 * 37);
    }
    time_intervals_section.destroy(&section);
    return 0;
}
