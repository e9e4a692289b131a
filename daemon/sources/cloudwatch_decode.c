#include "sources/cloudwatch.h"

#include "base/alloc.h"
#include "base/json_pull.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS_MAX = 6, MESSAGE_MAX = 300, FIGURES_FIRST = 64 };
#define STAMP_MAX 1e11 /* s; year 5138: what lies beyond is no time */

/* A list of numbers on its way in; its room is used again for the next. */
typedef struct Figures {
    double *all; /* NAN where there is another type */
    size_t count, room;
    size_t wrong; /* the first that is neither a number nor a string; SIZE_MAX: none */
    bool is_list; /* false: the member is missing, or is none */
} Figures;

/* One answer on its way in. */
typedef struct Reading {
    JsonPull in;
    MetricPage *page;
    const MetricGrid *grid;
    size_t queries, room; /* room: of page->series */
    Figures stamps, values;
} Reading;

/* One result as it stands in the answer. */
typedef struct Result {
    size_t query;
    const char *label, *status, *message; /* NULL: none. In the page's arena */
} Result;

/* `m17` -> 17; METRIC_NO_QUERY where it is none of ours. */
static size_t query_of_id(JsonText id, size_t queries) {
    size_t number = 0;
    if (id.length < 2 || id.length > 1 + ID_DIGITS_MAX || id.bytes[0] != 'm') return METRIC_NO_QUERY;
    for (size_t i = 1; i < id.length; i++) {
        if (!isdigit((unsigned char)id.bytes[i])) return METRIC_NO_QUERY;
        number = number * 10 + (size_t)(id.bytes[i] - '0');
    }
    return number < queries ? number : METRIC_NO_QUERY;
}

/* The string at hand, `max` bytes of it at most; NULL where it is none, which is skipped. */
static const char *take_text(Reading *r, size_t max) {
    JsonText text;
    if (json_pull_text(&r->in, &text))
        return arena_text_length(r->page->arena, text.bytes, utf8_cut(text.bytes, text.length, max));
    json_pull_skip(&r->in);
    return NULL;
}

static void figures_add(Figures *figures, double figure) {
    if (figures->count == figures->room) {
        figures->room = figures->room ? 2 * figures->room : FIGURES_FIRST;
        figures->all = alloc_again(figures->all, figures->room, sizeof *figures->all);
    }
    figures->all[figures->count++] = figure;
}

/* NaN and infinities come as strings. */
static void take_figures(Reading *r, Figures *figures) {
    figures->is_list = json_pull_open(&r->in, '[');
    if (!figures->is_list) return json_pull_skip(&r->in);
    while (json_pull_item(&r->in)) {
        double figure = NAN;
        if (!json_pull_number(&r->in, &figure)) {
            if (json_pull_peek(&r->in) != '"' && figures->wrong == SIZE_MAX) figures->wrong = figures->count;
            json_pull_skip(&r->in);
        }
        figures_add(figures, figure);
    }
}

static void figures_begin(Figures *figures) {
    figures->count = 0;
    figures->wrong = SIZE_MAX;
    figures->is_list = false;
}

/* The first message of the list at hand as `Code: Value`; the fallback where it says nothing, NULL where there is none.
 * Bounded: AWS's text is data. */
static const char *take_message(Reading *r, const char *fallback) {
    static const char *const keys[] = {"Code", "Value", NULL};
    const char *code = NULL, *value = NULL;
    size_t count = 0;
    uint32_t seen = 0;
    if (!json_pull_open(&r->in, '[')) return json_pull_skip(&r->in), NULL;
    for (; json_pull_item(&r->in); count++) {
        if (count || !json_pull_open(&r->in, '{')) {
            json_pull_skip(&r->in);
            continue;
        }
        for (int key; (key = json_pull_member(&r->in, keys, &seen)) >= 0;)
            *(key == 0 ? &code : &value) = take_text(r, MESSAGE_MAX);
    }
    if (!code && !value) return count ? fallback : NULL;
    return arena_format(r->page->arena, "%s%s%s", code ? code : "", code && value ? ": " : "", value ? value : "");
}

static SeriesStatus status_of(Arena *arena, const Result *result, const char **ret_error) {
    const char *word = result->status;
    if (word && strcmp(word, "Complete") == 0) return SERIES_COMPLETE;
    if (word && strcmp(word, "PartialData") == 0) return SERIES_PARTIAL;
    const char *said = word ? arena_format(arena, "CloudWatch answered %.40s for this metric", word)
                            : "CloudWatch's answer has no status for this metric";
    *ret_error = result->message ? arena_format(arena, "%s (%s)", said, result->message) : said;
    return SERIES_FAILED;
}

/* Where a datapoint belongs. False: it lies off the grid that was asked for, so it is of another phase. */
static bool slot_of(const MetricGrid *grid, double seconds, size_t *ret_slot) {
    if (!(seconds >= 0 && seconds <= STAMP_MAX) || seconds != floor(seconds)) return false;
    const int64_t distance = (int64_t)seconds - grid->start_s;
    if (distance % grid->step_s != 0) return false;
    /* before the start or past the end: AWS widens a range to its own rounding; nobody asked for these */
    *ret_slot =
        distance >= 0 && distance / grid->step_s < (int64_t)grid->count ? (size_t)(distance / grid->step_s) : SIZE_MAX;
    return true;
}

static void series_fail(MetricSeries *series, const char *error) {
    series->status = SERIES_FAILED;
    series->error = error;
    series->count = 0;
}

static void series_fill(Reading *r, const Result *result, MetricSeries *series) {
    const Figures *stamps = &r->stamps, *values = &r->values;
    Arena *arena = r->page->arena;
    series->status = status_of(arena, result, &series->error);
    if (series->status == SERIES_FAILED) return;
    if (!stamps->is_list || !values->is_list || values->count != stamps->count)
        return series_fail(series, "CloudWatch's answer has not as many values as times for this metric");
    size_t *slots = arena_alloc(arena, stamps->count + 1, sizeof *slots);
    double *figures = arena_alloc(arena, stamps->count + 1, sizeof *figures);
    for (size_t i = 0; i < stamps->count; i++) {
        size_t slot;
        if (!slot_of(r->grid, stamps->all[i], &slot))
            return series_fail(series, "CloudWatch answered with datapoints of other periods than were asked for");
        if (i == values->wrong)
            return series_fail(series, "CloudWatch's answer has a value that is no number for this metric");
        figures[series->count] = values->all[i];
        if (slot != SIZE_MAX) slots[series->count++] = slot;
    }
    series->slots = slots;
    series->values = figures;
}

static MetricSeries *series_add(Reading *r) {
    MetricPage *page = r->page;
    if (page->count == r->room) {
        r->room = 2 * r->room + 16;
        MetricSeries *more = arena_alloc(page->arena, r->room, sizeof *more);
        if (page->count) memcpy(more, page->series, page->count * sizeof *more);
        page->series = more;
    }
    return &page->series[page->count++];
}

static void take_id(Reading *r, Result *result) {
    JsonText id;
    if (json_pull_text(&r->in, &id))
        result->query = query_of_id(id, r->queries);
    else
        json_pull_skip(&r->in);
}

/* One result. False: it names a query that was not asked. */
static bool take_result(Reading *r) {
    enum { ID, LABEL, STATUS, MESSAGES, TIMES, VALUES };
    static const char *const keys[] = {"Id", "Label", "StatusCode", "Messages", "Timestamps", "Values", NULL};
    Result result = {.query = METRIC_NO_QUERY};
    uint32_t seen = 0;
    figures_begin(&r->stamps);
    figures_begin(&r->values);
    if (!json_pull_open(&r->in, '{')) return json_pull_skip(&r->in), false;
    for (int key; (key = json_pull_member(&r->in, keys, &seen)) >= 0;) {
        switch (key) {
        case ID: take_id(r, &result); break;
        case LABEL: result.label = take_text(r, LABEL_VALUE_MAX); break;
        case STATUS: result.status = take_text(r, MESSAGE_MAX); break;
        case MESSAGES: result.message = take_message(r, NULL); break;
        case TIMES: take_figures(r, &r->stamps); break;
        case VALUES: take_figures(r, &r->values); break;
        }
    }
    if (result.query == METRIC_NO_QUERY) return false;
    MetricSeries *series = series_add(r);
    series->query = result.query;
    series->label = result.label ? result.label : "";
    series_fill(r, &result, series);
    return true;
}

/* What stands in the answer beside its results. */
typedef struct Answer {
    bool has_results;
    bool are_ours; /* every result is that of a query which was asked */
} Answer;

static void take_results(Reading *r, Answer *answer) {
    answer->has_results = json_pull_open(&r->in, '[');
    if (!answer->has_results) return json_pull_skip(&r->in);
    while (json_pull_item(&r->in)) answer->are_ours = take_result(r) && answer->are_ours;
}

static void take_members(Reading *r, Answer *answer) {
    enum { RESULTS, TOKEN, MESSAGES };
    static const char *const keys[] = {"MetricDataResults", "NextToken", "Messages", NULL};
    uint32_t seen = 0;
    if (!json_pull_open(&r->in, '{')) return json_pull_skip(&r->in);
    for (int key; (key = json_pull_member(&r->in, keys, &seen)) >= 0;) {
        switch (key) {
        case RESULTS: take_results(r, answer); break;
        case TOKEN: r->page->next_token = take_text(r, SIZE_MAX); break;
        case MESSAGES: r->page->message = take_message(r, "CloudWatch left something out of its answer"); break;
        }
    }
}

static bool take_answer(Reading *r, const char *body, size_t length, Error *err) {
    Error why = {0};
    Answer answer = {.are_ours = true};
    json_pull_init(&r->in, body, length, &why);
    take_members(r, &answer);
    const bool is_json = json_pull_end(&r->in);
    json_pull_deinit(&r->in);
    if (!is_json) return error_set(err, ERROR_REMOTE, "the answer of GetMetricData is no JSON: %.200s", why.text);
    if (!answer.has_results)
        return error_set(err, ERROR_REMOTE, "the answer of GetMetricData has no MetricDataResults");
    if (!answer.are_ours)
        return error_set(err, ERROR_REMOTE, "the answer of GetMetricData names a query that was not asked");
    if (r->page->next_token && !*r->page->next_token) r->page->next_token = NULL;
    return true;
}

MetricPage *metric_page_decode(const char *body, size_t length, const MetricGrid *grid, size_t queries, Error *err) {
    Arena *arena = arena_new();
    OWN(metric_page) MetricPage *page = arena_alloc(arena, 1, sizeof *page);
    page->arena = arena;
    Reading reading = {.page = page, .grid = grid, .queries = queries};
    const bool is_good = take_answer(&reading, body, length, err);
    free(reading.stamps.all);
    free(reading.values.all);
    return is_good ? GIVE(page) : NULL;
}

MetricPage *metric_page_free(MetricPage *page) {
    if (page) arena_free(page->arena); /* the page itself lives there */
    return NULL;
}
