#include "sources/cloudwatch.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS_MAX = 6, MESSAGE_MAX = 300 };
#define STAMP_MAX 1e11 /* s; year 5138: what lies beyond is no time */

/* `m17` -> 17; METRIC_NO_QUERY where it is none of ours. */
static size_t query_of_id(const char *id, size_t queries) {
    if (!id || id[0] != 'm' || !isdigit((unsigned char)id[1]) || strlen(id) > 1 + ID_DIGITS_MAX) return METRIC_NO_QUERY;
    char *end;
    const unsigned long number = strtoul(id + 1, &end, 10);
    return *end == '\0' && number < queries ? number : METRIC_NO_QUERY;
}

/* `Code: Value` of the first message; the fallback where there is none. Bounded: AWS's text is data. */
static const char *message_text(Arena *arena, const json_t *messages, const char *fallback) {
    const json_t *first = json_array_get(messages, 0);
    const char *code = json_text(first, "Code"), *value = json_text(first, "Value");
    if (!code && !value) return fallback;
    return arena_format(
        arena, "%.*s%s%.*s", MESSAGE_MAX, code ? code : "", code && value ? ": " : "", MESSAGE_MAX, value ? value : "");
}

static SeriesStatus status_of(Arena *arena, const json_t *result, const char **ret_error) {
    const char *word = json_text(result, "StatusCode");
    if (word && strcmp(word, "Complete") == 0) return SERIES_COMPLETE;
    if (word && strcmp(word, "PartialData") == 0) return SERIES_PARTIAL;
    const char *said = word ? arena_format(arena, "CloudWatch answered %.40s for this metric", word)
                            : "CloudWatch's answer has no status for this metric";
    *ret_error = message_text(arena, json_list(result, "Messages"), NULL);
    *ret_error = *ret_error ? arena_format(arena, "%s (%s)", said, *ret_error) : said;
    return SERIES_FAILED;
}

/* Where a datapoint belongs. False: it lies off the grid that was asked for, so it is of another phase. */
static bool slot_of(const MetricGrid *grid, const json_t *stamp, size_t *ret_slot) {
    const double seconds = json_is_number(stamp) ? json_number_value(stamp) : NAN;
    if (!(seconds >= 0 && seconds <= STAMP_MAX) || seconds != floor(seconds)) return false;
    const int64_t distance = (int64_t)seconds - grid->start_s;
    if (distance % grid->step_s != 0) return false;
    /* before the start or past the end: AWS widens a range to its own rounding; nobody asked for these */
    *ret_slot =
        distance >= 0 && distance / grid->step_s < (int64_t)grid->count ? (size_t)(distance / grid->step_s) : SIZE_MAX;
    return true;
}

/* A value, NAN for what is no figure (NaN and infinities come as strings). False: no value at all. */
static bool value_of(const json_t *value, double *ret_value) {
    if (!json_is_number(value) && !json_is_string(value)) return false;
    const double figure = json_is_number(value) ? json_number_value(value) : NAN;
    *ret_value = isfinite(figure) ? figure : NAN;
    return true;
}

static void series_fail(MetricSeries *series, const char *error) {
    series->status = SERIES_FAILED;
    series->error = error;
    series->count = 0;
}

static void series_decode(Arena *arena, const json_t *result, const MetricGrid *grid, MetricSeries *series) {
    const json_t *stamps = json_list(result, "Timestamps"), *values = json_list(result, "Values");
    const size_t count = json_array_size(stamps);
    series->status = status_of(arena, result, &series->error);
    if (series->status == SERIES_FAILED) return;
    if (!stamps || !values || json_array_size(values) != count)
        return series_fail(series, "CloudWatch's answer has not as many values as times for this metric");
    size_t *slots = arena_alloc(arena, count + 1, sizeof *slots);
    double *figures = arena_alloc(arena, count + 1, sizeof *figures);
    for (size_t i = 0; i < count; i++) {
        size_t slot;
        if (!slot_of(grid, json_array_get(stamps, i), &slot))
            return series_fail(series, "CloudWatch answered with datapoints of other periods than were asked for");
        if (!value_of(json_array_get(values, i), &figures[series->count]))
            return series_fail(series, "CloudWatch's answer has a value that is no number for this metric");
        if (slot != SIZE_MAX) slots[series->count++] = slot;
    }
    series->slots = slots;
    series->values = figures;
}

static bool page_fill(MetricPage *page, const json_t *answer, const MetricGrid *grid, size_t queries, Error *err) {
    const json_t *results = json_list(answer, "MetricDataResults");
    if (!results) return error_set(err, ERROR_REMOTE, "the answer of GetMetricData has no MetricDataResults");
    const size_t count = json_array_size(results);
    page->series = arena_alloc(page->arena, count + 1, sizeof *page->series);
    for (size_t i = 0; i < count; i++) {
        const json_t *result = json_array_get(results, i);
        const size_t query = query_of_id(json_text(result, "Id"), queries);
        if (query == METRIC_NO_QUERY)
            return error_set(err, ERROR_REMOTE, "the answer of GetMetricData names a query that was not asked");
        MetricSeries *series = &page->series[page->count++];
        const char *label = json_text(result, "Label");
        series->query = query;
        series->label =
            label ? arena_text_length(page->arena, label, utf8_cut(label, strlen(label), LABEL_VALUE_MAX)) : "";
        series_decode(page->arena, result, grid, series);
    }
    const char *token = json_text(answer, "NextToken");
    page->next_token = token && *token ? arena_text(page->arena, token) : NULL;
    const json_t *messages = json_list(answer, "Messages");
    if (json_array_size(messages) > 0)
        page->message = message_text(page->arena, messages, "CloudWatch left something out of its answer");
    return true;
}

MetricPage *metric_page_decode(const char *body, size_t length, const MetricGrid *grid, size_t queries, Error *err) {
    Error why = {0};
    OWN(json) json_t *answer = json_read(body, length, &why);
    if (!answer) return error_set(err, ERROR_REMOTE, "the answer of GetMetricData is no JSON: %.300s", why.text), NULL;
    Arena *arena = arena_new();
    OWN(metric_page) MetricPage *page = arena_alloc(arena, 1, sizeof *page);
    page->arena = arena;
    return page_fill(page, answer, grid, queries, err) ? GIVE(page) : NULL;
}

MetricPage *metric_page_free(MetricPage *page) {
    if (page) arena_free(page->arena); /* the page itself lives there */
    return NULL;
}
