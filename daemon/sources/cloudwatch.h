/* The CloudWatch source, cut by noun: the selector (what an alarm watches), the plan (which calls, shared by whom), the
 * poll (one batch read, page by page), the decoding of an answer. Only these files and their tests include this header.
 */
#ifndef TOCSIN_SOURCES_CLOUDWATCH_H
#define TOCSIN_SOURCES_CLOUDWATCH_H

#include "base/arena.h"
#include "rules/evaluate.h"
#include "sources/math_selector.h"

/* --- selector --- */
enum {
    METRIC_DIMENSIONS_MAX = 30,
    METRIC_SHORT_KEPT_S = 3 * 3600 - 120, /* periods below a minute are kept 3 hours; a little for the call itself */
    METRIC_MINUTES_KEPT_S = 15 * 86400 - 3600, /* start times further back are rounded to 5 minutes, then to the hour */
};

extern const SchemaRow metric_rows[];
bool metric_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s);
/* What both keys, `metric` and `metrics`, say of a metric. */
extern const char *const metric_units[]; /* index 0 is "none given" */
extern const int metric_unit_numbers[];
bool metric_period_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in);
bool metric_statistic_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in);
bool metric_dimensions_ok(const SchemaRow *row, const void *value, const Node *node, Decoding *in);
bool metric_selector_finish(Arena *arena, MetricSelector *metric); /* false: the statistic is none, which was told */
void metric_range_default(ThresholdRule *rule, int64_t settle_s);
/* What CloudWatch has forgotten, or stamps on a coarser grid, would be a gap for ever. */
bool metric_reach_ok(Decoding *in, const Node *node, const ThresholdRule *rule, int64_t settle_s);

extern const SchemaRow math_rows[];
bool math_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s);
/* How long past its end a period of this metric may fill. */
int64_t metric_settle_s(const char *namespace, int64_t period_s);

/* --- plan --- */
enum { METRIC_QUERIES_MAX = 500, METRIC_DATAPOINTS_MAX = 100800, METRIC_REPLAY_S = 3600, METRIC_FOLD_SAMPLES = 1440 };
#define METRIC_NO_QUERY SIZE_MAX

typedef struct MetricQuery {
    const MetricSelector *selector; /* a metric and a statistic of it; NULL: an expression */
    const char *statistic, *expression;
    const char *label; /* that CloudWatch is to give it; NULL: its own */
    const char *id; /* of what only expressions read, so that no data come for it; NULL: `m` and its number */
    bool is_many; /* several series may come for it, told apart by their labels */
} MetricQuery;

/* One watch, and where in the batch its samples come from. */
typedef struct MetricReader {
    size_t watch;
    const MetricSelector *selector; /* NULL: `math` */
    const MathSelector *math;
    const ThresholdRule *rule;
    int64_t settle_s;
    Fold fold;
    bool grows_only;
    size_t values, counts; /* numbers of queries; counts may be METRIC_NO_QUERY */
    size_t first, count; /* math: its queries, the hidden ones too */
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
    /* The loop's, the only things here that change: */
    int64_t *last_read_s; /* AWS's time at the last complete reading; 0: none */
    int64_t *read_before_s; /* likewise as it was when the newest run began */
    bool *refused; /* [reader] CloudWatch refused a call for this one's sake: it is asked for alone */
} MetricBatch;

Plan *metric_plan(Snapshot *snapshot, const Watch *watches, size_t count);
Plan *math_plan(Snapshot *snapshot, const Watch *watches, size_t count);
int64_t metric_every_s(const Watch *watch, Snapshot *snapshot);
/* Sets how far the batch's grid must reach for this watch, from `step_s` and `phased`. Returns how many datapoints a
 * query may ask for. */
size_t metric_reach(MetricBatch *batch, const Watch *watch, int64_t settle_s);
/* Puts a filled batch on the plan: `like` with these queries and readers, copied. */
void metric_plan_add(Plan *plan, const MetricBatch *like, const char *account, const char *region, int64_t every_s,
    const char *identity);

/* --- poll --- */
typedef struct MetricGrid {
    int64_t start_s, step_s; /* slot i is the datapoint that starts at start_s + i * step_s */
    size_t count;
} MetricGrid;

/* The datapoints to ask for at AWS's time `now_s`: settled ones, those that may still fill, and what was missed since
 * the last complete reading, at most METRIC_REPLAY_S. */
MetricGrid metric_grid(const MetricBatch *batch, int64_t now_s);
/* The body of a GetMetricData call; token NULL on the first page. `asked` (a query each; NULL: all) leaves some out.
 * Caller frees. */
char *metric_request(const MetricBatch *batch, const MetricGrid *grid, const bool *asked, const char *token);
void metric_poll_forget(const Poll *poll, int64_t now_s); /* Source.forget */
/* As metric_poll_start(), for this part of the past in place of the newest. */
PollRun *metric_poll_past(const Poll *poll, const PollWorld *world, const MetricGrid *grid, PollDone *done, void *ctx);
PollRun *metric_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx);
void metric_poll_cancel(PollRun *run);

/* --- parts: which readers are asked for together --- */
enum { METRIC_CALLS_MAX = 64, METRIC_REFUSED_TRIES = 16 };

/* One query that CloudWatch refuses spoils the whole call: the call is halved until the culprit stands alone, and from
 * then on it is asked for by itself. Readers are taken in an order of their own, so that a part is a run of them. */
typedef struct MetricParts {
    const MetricBatch *batch;
    Arena *arena; /* borrowed */
    size_t *order; /* readers, those not refused before first */
    size_t (*parts)[2]; /* [first, end) in `order`; the last is the next */
    size_t count, calls, whole; /* parts that wait; asked; that came whole */
    const char **refusals; /* [reader] for people; NULL: not refused */
    bool *asked; /* [query] of the part in hand */
    double billed_units; /* of the part in hand */
    size_t first, end; /* of the part in hand */
} MetricParts;

void metric_parts_init(MetricParts *parts, const MetricBatch *batch, Arena *arena, int64_t now_s);
bool metric_parts_next(MetricParts *parts); /* false: all were asked for */
void metric_parts_refused(MetricParts *parts, const char *words); /* CloudWatch's own, of the part in hand */
void metric_parts_read(MetricParts *parts); /* the part in hand came whole */
/* Where nothing came whole no single reader is the culprit: all are asked together again. */
void metric_parts_end(const MetricParts *parts);

/* --- decode --- */
typedef enum { SERIES_UNKNOWN, SERIES_COMPLETE, SERIES_PARTIAL, SERIES_FAILED } SeriesStatus;

/* One entry of MetricDataResults: what this page says about one query. */
typedef struct MetricSeries {
    size_t query;
    const char *label; /* what CloudWatch calls it; "" where it says nothing */
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

/* One of several series of a query. */
typedef struct MetricFound {
    size_t query;
    const char *label;
    double *values;
    SeriesStatus status;
    const char *error;
} MetricFound;
enum { METRIC_FOUND_MAX = 2000 }; /* a query; CloudWatch itself gives 500 at most */

/* All pages of a reading, joined by query. Values are NAN where nothing came. */
typedef struct MetricReading {
    Arena *arena; /* borrowed: the outcome's */
    MetricGrid grid;
    const MetricBatch *batch;
    size_t queries;
    double **values; /* [query][slot] */
    SeriesStatus *status; /* the last page's */
    const char **errors, **labels;
    MetricFound *found; /* of queries that may give several */
    size_t found_count, found_room;
} MetricReading;

void metric_reading_init(MetricReading *reading, Arena *arena, const MetricGrid *grid, const MetricBatch *batch);
void metric_reading_join(MetricReading *reading, const MetricPage *page);
/* Why this query's samples cannot be believed; NULL: they can. */
const char *metric_reading_error(const MetricReading *reading, size_t query);
const char *metric_found_error(const MetricFound *found);

extern const SourceProbe metric_probes[];

/* --- words --- */
/* CloudWatch's words, 600 bytes of them, with the ids of a call (`m6`, `z5`) as the user's file says them: an entry's
 * `id`; of a `metric`, the metric's name. Only of queries that stood in the call: `asked`, a query each (NULL: all);
 * a like word that CloudWatch says of its own stays. All in the arena. */
const char *metric_words(Arena *arena, const MetricBatch *batch, const bool *asked, const char *said);
/* Why CloudWatch refused a call for this reader's sake: FILE:LINE:COLUMN of the entry that its words name, the entry's
 * id, and the words, which are NULL where it was not asked this time. */
const char *metric_refusal(
    Arena *arena, const MetricBatch *batch, const bool *asked, const MetricReader *reader, const char *words);
/* The same for one of several readers of a call: whose fault it is was not found out. */
const char *metric_refusal_shared(Arena *arena, const MetricBatch *batch, const bool *asked, const char *words);
char *metric_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms);
char *metric_describe(const void *selector, const ThresholdRule *rule);

#endif
