/* Answers of GetMetricData, as two pages of one reading. Holds: every datapoint lies on the grid, every query has a
 * value or a reason, and no value is infinite. */
#include "fuzz.h"

#include "sources/cloudwatch.h"

#include <math.h>
#include <stdlib.h>

enum { QUERIES = 3 };
static const MetricGrid grid = {1767322800, 60, 5};

static void join(MetricReading *reading, const char *body, size_t length) {
    Error err = {0};
    OWN(metric_page) MetricPage *page = metric_page_decode(body, length, &grid, QUERIES, &err);
    if (!page != (err.kind == ERROR_REMOTE)) abort();
    if (!page) return;
    for (size_t i = 0; i < page->count; i++) {
        const MetricSeries *series = &page->series[i];
        if (series->query >= QUERIES || series->count > length) abort();
        for (size_t k = 0; k < series->count; k++)
            if (series->slots[k] >= grid.count || isinf(series->values[k])) abort();
    }
    metric_reading_join(reading, page);
}

/* One metric, one expression, and one that may give several series. */
static const MetricQuery queries[QUERIES] = {{0}, {.expression = "a"}, {.expression = "SEARCH", .is_many = true}};
static const MetricBatch batch = {.queries = queries, .query_count = QUERIES};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(arena) Arena *arena = arena_new();
    MetricReading reading;
    metric_reading_init(&reading, arena, &grid, &batch);
    join(&reading, (const char *)data, size);
    join(&reading, (const char *)data, size / 2); /* a page cut short leaves what was there */
    if (reading.found_count > METRIC_FOUND_MAX) abort();
    for (size_t i = 0; i < QUERIES; i++)
        if (!queries[i].is_many && !metric_reading_error(&reading, i) && reading.status[i] != SERIES_COMPLETE) abort();
    return 0;
}
