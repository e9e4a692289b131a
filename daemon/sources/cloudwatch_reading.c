/* daemon/sources/cloudwatch_reading.c: pages joined into one reading, by query and, where a query gives several series,
 * by their labels */
#include "sources/cloudwatch.h"

#include <math.h>
#include <string.h>

static double *values_new(MetricReading *reading, size_t series) {
    double *all = arena_alloc(reading->arena, series * reading->grid.count + 1, sizeof *all);
    for (size_t i = 0; i < series * reading->grid.count; i++) all[i] = NAN;
    return all;
}

void metric_reading_init(MetricReading *reading, Arena *arena, const MetricGrid *grid, const MetricBatch *batch) {
    const size_t queries = batch->query_count;
    *reading = (MetricReading){.arena = arena, .grid = *grid, .batch = batch, .queries = queries};
    reading->values = arena_alloc(arena, queries, sizeof *reading->values);
    reading->status = arena_alloc(arena, queries, sizeof *reading->status);
    reading->errors = arena_alloc(arena, queries, sizeof *reading->errors);
    reading->labels = arena_alloc(arena, queries, sizeof *reading->labels);
    double *all = values_new(reading, queries);
    for (size_t i = 0; i < queries; i++) reading->values[i] = all + i * grid->count;
}

static void note_error(MetricReading *reading, size_t query, const char *error) {
    if (error && !reading->errors[query])
        reading->errors[query] = metric_words(reading->arena, reading->batch, NULL, error);
}

static MetricFound *found_add(MetricReading *reading, const MetricSeries *series) {
    if (reading->found_count == reading->found_room) {
        reading->found_room = reading->found_room ? 2 * reading->found_room : 16;
        MetricFound *more = arena_alloc(reading->arena, reading->found_room, sizeof *more);
        if (reading->found_count) memcpy(more, reading->found, reading->found_count * sizeof *more);
        reading->found = more;
    }
    MetricFound *found = &reading->found[reading->found_count++];
    *found = (MetricFound){
        .query = series->query, .label = arena_text(reading->arena, series->label), .values = values_new(reading, 1)};
    return found;
}

static MetricFound *found_of(MetricReading *reading, const MetricSeries *series) {
    for (size_t i = 0; i < reading->found_count; i++) {
        MetricFound *found = &reading->found[i];
        if (found->query == series->query && strcmp(found->label, series->label) == 0) return found;
    }
    if (reading->found_count < METRIC_FOUND_MAX) return found_add(reading, series);
    note_error(reading, series->query, "the expression gives more than 2000 series (METRIC_FOUND_MAX)");
    return NULL;
}

static void put_values(double *values, const MetricSeries *series) {
    for (size_t k = 0; k < series->count; k++) values[series->slots[k]] = series->values[k];
}

/* A series is cut by pages, so its label may come again, but not when it was complete: then two bear one label. */
static void join_found(MetricReading *reading, const MetricSeries *series) {
    MetricFound *found = found_of(reading, series);
    reading->status[series->query] = SERIES_COMPLETE; /* of the query: each series has a status of its own */
    if (!found) return;
    if (found->status == SERIES_COMPLETE && series->status == SERIES_COMPLETE)
        note_error(reading, series->query,
            "two series of the expression have one label (give it a `label` with ${PROP('Dim.NAME')})");
    found->status = series->status;
    if (series->error && !found->error)
        found->error = metric_words(reading->arena, reading->batch, NULL, series->error);
    put_values(found->values, series);
}

static void join_one(MetricReading *reading, const MetricSeries *series) {
    const char **label = &reading->labels[series->query];
    if (reading->batch->queries[series->query].expression && *label && strcmp(*label, series->label) != 0)
        note_error(reading, series->query, "the expression gives several series where one was expected");
    if (!*label) *label = arena_text(reading->arena, series->label);
    reading->status[series->query] = series->status;
    note_error(reading, series->query, series->error);
    put_values(reading->values[series->query], series);
}

void metric_reading_join(MetricReading *reading, const MetricPage *page) {
    for (size_t i = 0; i < page->count; i++) {
        if (reading->batch->queries[page->series[i].query].is_many)
            join_found(reading, &page->series[i]);
        else
            join_one(reading, &page->series[i]);
    }
}

static const char *status_error(SeriesStatus status) {
    if (status == SERIES_COMPLETE) return NULL;
    return status == SERIES_PARTIAL ? "CloudWatch's answer for this metric ended half-way"
                                    : "CloudWatch's answer does not hold this metric";
}

const char *metric_reading_error(const MetricReading *reading, size_t query) {
    if (reading->errors[query]) return reading->errors[query];
    if (reading->batch->queries[query].is_many) return NULL; /* no series is an answer, too */
    return status_error(reading->status[query]);
}

const char *metric_found_error(const MetricFound *found) {
    return found->error ? found->error : status_error(found->status);
}
