/* The CloudWatch source, cut by noun: the selector (what an alarm watches), the plan (which calls, shared by whom), the
 * poll (one batch read, page by page), the decoding of an answer. Only these files and their tests include this header.
 */
#ifndef TOCSIN_SOURCES_CLOUDWATCH_H
#define TOCSIN_SOURCES_CLOUDWATCH_H

#include "base/arena.h"
#include "rules/evaluate.h"
#include "sources/metric_selector.h"

/* --- selector --- */
enum {
    METRIC_DIMENSIONS_MAX = 30,
    METRIC_SHORT_KEPT_S = 3 * 3600 - 120, /* periods below a minute are kept 3 hours; a little for the call itself */
    METRIC_MINUTES_KEPT_S = 15 * 86400 - 3600, /* start times further back are rounded to 5 minutes, then to the hour */
};

extern const SchemaRow metric_rows[];
bool metric_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s);
/* How long past its end a period of this metric may fill. */
int64_t metric_settle_s(const char *namespace, int64_t period_s);

/* --- plan --- */
enum { METRIC_QUERIES_MAX = 500, METRIC_DATAPOINTS_MAX = 100800, METRIC_REPLAY_S = 3600, METRIC_FOLD_SAMPLES = 1440 };
#define METRIC_NO_QUERY SIZE_MAX

typedef struct MetricQuery {
    const MetricSelector *selector;
    const char *statistic;
} MetricQuery;

/* One watch, and where in the batch its samples come from. */
typedef struct MetricReader {
    size_t watch;
    const MetricSelector *selector;
    const ThresholdRule *rule;
    int64_t settle_s;
    Fold fold;
    size_t values, counts; /* numbers of queries; counts may be METRIC_NO_QUERY */
    bool grows_only;
} MetricReader;

typedef struct MetricBatch {
    int64_t step_s; /* the period that is asked for */
    int64_t span_s; /* how far the grid reaches back before its end (phased: before the settled end) */
    bool phased; /* the grid hangs on the settled end: one phase of the sliding window is seen */
    int64_t settle_s, evaluation_step_s; /* phased: alike for all readers */
    const MetricQuery *queries;
    const MetricReader *readers;
    size_t query_count, reader_count;
    double billed_units; /* metrics: up to five statistics of one count once */
    int64_t *last_read_s; /* AWS's time at the last complete reading; 0: none. The loop's, the only thing here that
                             changes */
} MetricBatch;

Plan *metric_plan(Snapshot *snapshot, const Watch *watches, size_t count);

/* --- poll --- */
typedef struct MetricGrid {
    int64_t start_s, step_s; /* slot i is the datapoint that starts at start_s + i * step_s */
    size_t count;
} MetricGrid;

/* The datapoints to ask for at AWS's time `now_s`: settled ones, those that may still fill, and what was missed since
 * the last complete reading, at most METRIC_REPLAY_S. */
MetricGrid metric_grid(const MetricBatch *batch, int64_t now_s);
/* The body of a GetMetricData call; token NULL on the first page. Caller frees. */
char *metric_request(const MetricBatch *batch, const MetricGrid *grid, const char *token);
PollRun *metric_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx);
void metric_poll_cancel(PollRun *run);

/* --- decode --- */
typedef enum { SERIES_UNKNOWN, SERIES_COMPLETE, SERIES_PARTIAL, SERIES_FAILED } SeriesStatus;

/* One entry of MetricDataResults: what this page says about one query. */
typedef struct MetricSeries {
    size_t query;
    SeriesStatus status;
    const char *error; /* FAILED: a person's words */
    size_t count;
    const size_t *slots; /* on the grid, in the answer's order */
    const double *values;
} MetricSeries;

typedef struct MetricPage {
    Arena *arena; /* everything here, this struct too */
    MetricSeries *series;
    size_t count;
    const char *next_token; /* NULL: the last page */
    const char *message; /* of the whole answer: something was left out; NULL: nothing */
} MetricPage;

/* Reads one answer's JSON. Pure, runs on the pool. NULL: ERROR_REMOTE, no answer of GetMetricData. */
MetricPage *metric_page_decode(const char *body, size_t length, const MetricGrid *grid, size_t queries, Error *err);
MetricPage *metric_page_free(MetricPage *page);
OWN_DEFINE(MetricPage, metric_page)

/* All pages of a reading, joined by query. Values are NAN where nothing came. */
typedef struct MetricReading {
    Arena *arena; /* borrowed: the outcome's */
    MetricGrid grid;
    size_t queries;
    double **values; /* [query][slot] */
    SeriesStatus *status; /* the last page's */
    const char **errors;
} MetricReading;

void metric_reading_init(MetricReading *reading, Arena *arena, const MetricGrid *grid, size_t queries);
void metric_reading_join(MetricReading *reading, const MetricPage *page);
/* Why this query's samples cannot be believed; NULL: they can. */
const char *metric_reading_error(const MetricReading *reading, size_t query);

/* --- words --- */
char *metric_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms);
char *metric_describe(const void *selector, const ThresholdRule *rule);

#endif
