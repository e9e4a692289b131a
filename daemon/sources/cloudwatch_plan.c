#include "sources/cloudwatch.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "sources/plan.h"
#include "sources/poll_section.h"

#include <stdlib.h>
#include <string.h>

enum { STATISTICS_A_METRIC = 5, SPAN_SAMPLES_MIN = 32, METRIC_KEY_MAX = 1 << 20 };
#define USD_A_METRIC (0.01 / 1000) /* list price of GetMetricData, us-east-1 */

/* A watch on its way into a batch. Drafts are sorted by `batch_key`, then `metric_key`: what may share a call, and
 * within that what is billed as one metric, come to lie side by side. */
typedef struct Draft {
    const char *batch_key, *metric_key;
    const char *account, *region, *value_statistic;
    const char *count_statistic; /* NULL: none */
    int64_t every_s;
    size_t samples; /* the most that one query of the batch may ask for */
    MetricBatch batch;
    MetricReader reader;
} Draft;

static bool grows_only(const MetricSelector *metric, Comparison comparison) {
    const bool above = comparison == COMPARE_GT || comparison == COMPARE_GE;
    switch (metric->parsed.kind) {
    case STATISTIC_SAMPLE_COUNT:
    case STATISTIC_MAXIMUM: return above;
    case STATISTIC_MINIMUM: return !above;
    case STATISTIC_SUM:
        return above && strncmp(metric->namespace, "AWS/", 4) == 0; /* elsewhere a sample may be negative */
    case STATISTIC_AVERAGE:
    case STATISTIC_PERCENTILE:
    case STATISTIC_TRIMMED_MEAN:
    case STATISTIC_TRIMMED_COUNT:
    case STATISTIC_TRIMMED_SUM:
    case STATISTIC_WINSORIZED_MEAN:
    case STATISTIC_PERCENTILE_RANK: break;
    }
    return false;
}

int64_t metric_every_s(const Watch *watch, Snapshot *snapshot) {
    const PollSection *section = snapshot ? snapshot_section(snapshot, &poll_section) : NULL;
    if (watch->every_s > 0) return watch->every_s;
    if (section && section->cloudwatch.every_s > 0) return section->cloudwatch.every_s;
    if (watch->rule->period_s < 60) return 10;
    return watch->rule->period_s >= 3600 ? 300 : 60;
}

static Fold fold_of(StatisticKind kind) {
    switch (kind) {
    case STATISTIC_AVERAGE: return FOLD_AVERAGE;
    case STATISTIC_MINIMUM: return FOLD_MINIMUM;
    case STATISTIC_MAXIMUM: return FOLD_MAXIMUM;
    default: return FOLD_SUM;
    }
}

/* Rounded up to a few sizes: alarms of one size share a call, and pay once for a metric that several of them watch. */
static size_t span_samples(size_t needed) {
    size_t span = SPAN_SAMPLES_MIN;
    while (span < needed) span *= 2;
    return span;
}

/* Which statistics are read, at which step, and how they become the alarm's datapoints. */
static void draft_reading(Draft *draft, const Watch *watch) {
    const MetricSelector *metric = watch->selector;
    const ThresholdRule *rule = watch->rule;
    const int64_t shortest_s = rule->period_s < 60 ? 10 : 60;
    const int64_t window_samples = (int64_t)rule->range * rule->period_s / shortest_s;
    const bool folds =
        rule->period_s > shortest_s && statistic_folds(&metric->parsed) && window_samples <= METRIC_FOLD_SAMPLES;
    draft->value_statistic = metric->statistic;
    draft->batch.step_s = folds ? shortest_s : rule->period_s;
    draft->batch.phased = draft->batch.step_s > shortest_s;
    draft->reader.fold = folds ? fold_of(metric->parsed.kind) : FOLD_NONE;
    if (draft->reader.fold == FOLD_AVERAGE) {
        draft->value_statistic = "Sum";
        draft->count_statistic = "SampleCount";
    } else if (rule->ignore_low_samples && rule->percentile_e10 > 0) {
        draft->count_statistic = "SampleCount";
    }
}

/* How far the grid reaches, and thereby how many datapoints a query may ask for. */
size_t metric_reach(MetricBatch *batch, const Watch *watch, int64_t settle_s) {
    const int64_t window_s = (int64_t)watch->rule->range * watch->rule->period_s;
    if (batch->phased) {
        batch->settle_s = settle_s;
        batch->evaluation_step_s = evaluation_step_s(watch->rule);
        batch->span_s = window_s;
        return watch->rule->range + (size_t)((settle_s + batch->evaluation_step_s) / batch->step_s) + 1;
    }
    const int64_t rounding_s = evaluation_step_s(watch->rule);
    const size_t needed = (size_t)((window_s + settle_s + rounding_s) / batch->step_s) + 2; /* the running one too */
    batch->span_s = (int64_t)needed * batch->step_s;
    return span_samples(needed) + (size_t)(METRIC_REPLAY_S / batch->step_s);
}

static void add_part(Buffer *key, const char *part) {
    buffer_text(key, part);
    buffer_add(key, "\n", 1);
}

/* What stands in a batch's key. */
static bool same_batch(const Draft *x, const Draft *y) {
    const MetricBatch *a = &x->batch, *b = &y->batch;
    return strcmp(x->account, y->account) == 0 && strcmp(x->region, y->region) == 0 && a->step_s == b->step_s &&
        x->samples == y->samples && x->every_s == y->every_s && a->phased == b->phased && a->settle_s == b->settle_s &&
        a->evaluation_step_s == b->evaluation_step_s;
}

static const char *batch_key(const Draft *draft, Arena *arena) {
    const MetricBatch *b = &draft->batch;
    return arena_format(arena, "%s\n%s\n%lld\n%zu\n%lld\n%d\n%lld\n%lld", draft->account, draft->region,
        (long long)b->step_s, draft->samples, (long long)draft->every_s, b->phased, (long long)b->settle_s,
        (long long)b->evaluation_step_s);
}

/* `before`: the draft made before this one, whose batch it shares as a rule; NULL: none. */
static void draft_keys(Draft *draft, const MetricSelector *metric, const Draft *before, Arena *arena) {
    draft->batch_key = before && same_batch(before, draft) ? before->batch_key : batch_key(draft, arena);
    OWN(buffer) Buffer key = BUFFER(METRIC_KEY_MAX);
    add_part(&key, metric->namespace);
    add_part(&key, metric->metric_name);
    add_part(&key, metric->unit ? metric->unit : "");
    for (size_t i = 0; i < metric->dimensions.count; i++) {
        add_part(&key, metric->series[i].name);
        add_part(&key, metric->series[i].value);
    }
    draft->metric_key = arena_text(arena, buffer_string(&key));
}

static Draft draft_of(const Watch *watch, Snapshot *snapshot, const Draft *before, Arena *arena) {
    const MetricSelector *metric = watch->selector;
    Draft draft = {.account = watch->account, .region = watch->region, .every_s = metric_every_s(watch, snapshot)};
    draft.reader = (MetricReader){
        .watch = watch->index,
        .selector = metric,
        .rule = watch->rule,
        .settle_s = watch->settle_s > 0 ? watch->settle_s : metric_settle_s(metric->namespace, watch->rule->period_s),
        .grows_only = grows_only(metric, watch->rule->comparison),
    };
    draft_reading(&draft, watch);
    draft.samples = metric_reach(&draft.batch, watch, draft.reader.settle_s);
    draft_keys(&draft, metric, before, arena);
    return draft;
}

static int draft_order(const void *left, const void *right) {
    const Draft *a = left, *b = right;
    int order = a->batch_key == b->batch_key ? 0 : strcmp(a->batch_key, b->batch_key);
    if (order == 0) order = strcmp(a->metric_key, b->metric_key);
    if (order == 0) order = strcmp(a->value_statistic, b->value_statistic);
    if (order == 0) order = a->reader.watch < b->reader.watch ? -1 : 1;
    return order;
}

/* A batch while it is filled. */
typedef struct Filling {
    Plan *plan;
    const Draft *first; /* whose batch, account and region all share */
    MetricQuery *queries;
    MetricReader *readers;
    size_t query_count, reader_count, query_room; /* room: what one call may ask */
    size_t metric_first; /* first query of the metric in hand */
    size_t number; /* of the batch among those with the same key */
    int64_t span_s; /* the widest reader's */
    double billed_units;
} Filling;

static size_t query_find(const Filling *filling, const char *statistic) {
    for (size_t i = filling->metric_first; i < filling->query_count; i++)
        if (strcmp(filling->queries[i].statistic, statistic) == 0) return i;
    return METRIC_NO_QUERY;
}

static size_t query_of(Filling *filling, const MetricSelector *metric, const char *statistic) {
    size_t at = query_find(filling, statistic);
    if (at != METRIC_NO_QUERY) return at;
    at = filling->query_count++;
    filling->queries[at] = (MetricQuery){.selector = metric, .statistic = statistic};
    return at;
}

static void metric_close(Filling *filling) {
    const size_t statistics = filling->query_count - filling->metric_first;
    filling->billed_units += (double)((statistics + STATISTICS_A_METRIC - 1) / STATISTICS_A_METRIC);
    filling->metric_first = filling->query_count;
}

void metric_plan_add(Plan *plan, const MetricBatch *like, const char *account, const char *region, int64_t every_s,
    const char *identity) {
    Arena *arena = plan->arena;
    MetricBatch *batch = arena_alloc(arena, 1, sizeof *batch);
    MetricQuery *queries = arena_alloc(arena, like->query_count, sizeof *queries);
    MetricReader *readers = arena_alloc(arena, like->reader_count, sizeof *readers);
    size_t *watches = arena_alloc(arena, like->reader_count, sizeof *watches);
    memcpy(queries, like->queries, like->query_count * sizeof *queries);
    memcpy(readers, like->readers, like->reader_count * sizeof *readers);
    for (size_t i = 0; i < like->reader_count; i++) watches[i] = readers[i].watch;
    *batch = *like;
    batch->queries = queries;
    batch->readers = readers;
    batch->last_read_s = arena_alloc(arena, 1, sizeof *batch->last_read_s);
    batch->read_before_s = arena_alloc(arena, 1, sizeof *batch->read_before_s);
    batch->refused = arena_alloc(arena, like->reader_count, sizeof *batch->refused);
    plan_add(plan,
        &(Poll){.source = readers[0].math ? &math_source : &cloudwatch_source,
            .account = account,
            .region = region,
            .api = "GetMetricData",
            .every_s = every_s,
            .phase = stable_hash(identity),
            .watches = watches,
            .watch_count = like->reader_count,
            .batch = batch});
    plan_add_cost(plan, batch->billed_units, USD_A_METRIC, every_s);
}

static void batch_close(Filling *filling) {
    if (filling->reader_count == 0) return;
    metric_close(filling);
    MetricBatch batch = filling->first->batch;
    batch.queries = filling->queries;
    batch.query_count = filling->query_count;
    batch.readers = filling->readers;
    batch.reader_count = filling->reader_count;
    batch.billed_units = filling->billed_units;
    batch.span_s = filling->span_s;
    OWN(text) char *identity = text_format("%s\n%zu", filling->first->batch_key, filling->number);
    metric_plan_add(
        filling->plan, &batch, filling->first->account, filling->first->region, filling->first->every_s, identity);
}

static void batch_open(Filling *filling, const Draft *first) {
    const bool next = filling->first && strcmp(filling->first->batch_key, first->batch_key) == 0;
    const size_t by_datapoints = METRIC_DATAPOINTS_MAX / first->samples;
    batch_close(filling);
    filling->number = next ? filling->number + 1 : 0;
    filling->first = first;
    filling->query_count = filling->reader_count = filling->metric_first = 0;
    filling->billed_units = 0;
    filling->span_s = 0;
    filling->query_room = by_datapoints < METRIC_QUERIES_MAX ? by_datapoints : METRIC_QUERIES_MAX;
    if (filling->query_room < 2) filling->query_room = 2; /* a metric's value and its SampleCount go together */
}

static bool same_metric(const Draft *a, const Draft *b) {
    return strcmp(a->batch_key, b->batch_key) == 0 && strcmp(a->metric_key, b->metric_key) == 0;
}

/* The most queries that the metric at drafts[0] can need: what must go into one call to be billed as one. */
static size_t metric_queries(const Draft *drafts, size_t count) {
    size_t queries = 0;
    for (size_t i = 0; i < count && same_metric(&drafts[0], &drafts[i]); i++) {
        if (i == 0 || strcmp(drafts[i].value_statistic, drafts[i - 1].value_statistic) != 0) queries++;
        if (drafts[i].count_statistic) queries++;
    }
    return queries;
}

static void batch_add(Filling *filling, const Draft *draft) {
    MetricReader *reader = &filling->readers[filling->reader_count++];
    *reader = draft->reader;
    if (draft->batch.span_s > filling->span_s) filling->span_s = draft->batch.span_s;
    reader->values = query_of(filling, draft->reader.selector, draft->value_statistic);
    reader->counts =
        draft->count_statistic ? query_of(filling, draft->reader.selector, draft->count_statistic) : METRIC_NO_QUERY;
}

/* Does another reader fit into the batch? It brings two queries at most. */
static bool batch_has_room(const Filling *filling, size_t queries) {
    return filling->query_count + queries <= filling->query_room;
}

static size_t queries_new(const Filling *filling, const Draft *draft) {
    size_t count = query_find(filling, draft->value_statistic) == METRIC_NO_QUERY;
    if (draft->count_statistic && strcmp(draft->count_statistic, draft->value_statistic) != 0)
        count += query_find(filling, draft->count_statistic) == METRIC_NO_QUERY;
    return count;
}

static void fill_batches(Filling *filling, const Draft *drafts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const Draft *draft = &drafts[i];
        const bool other_batch = !filling->first || strcmp(filling->first->batch_key, draft->batch_key) != 0;
        const bool other_metric = other_batch || !same_metric(draft, &drafts[i - 1]);
        if (other_batch)
            batch_open(filling, draft);
        else if (other_metric)
            metric_close(filling);
        if (other_metric && !batch_has_room(filling, metric_queries(draft, count - i)) && filling->query_count > 0)
            batch_open(filling, draft);
        if (!batch_has_room(filling, queries_new(filling, draft))) batch_open(filling, draft);
        batch_add(filling, draft);
    }
    batch_close(filling);
}

Plan *metric_plan(Snapshot *snapshot, const Watch *watches, size_t count) {
    Plan *plan = plan_new(snapshot);
    if (count == 0) return plan;
    OWN(arena) Arena *keys = arena_new();
    Draft *drafts = alloc_zeroed(count, sizeof *drafts);
    for (size_t i = 0; i < count; i++) drafts[i] = draft_of(&watches[i], snapshot, i ? &drafts[i - 1] : NULL, keys);
    qsort(drafts, count, sizeof *drafts, draft_order);
    Filling filling = {
        .plan = plan,
        .queries = alloc_zeroed(METRIC_QUERIES_MAX, sizeof *filling.queries),
        .readers = alloc_zeroed(count, sizeof *filling.readers),
    };
    fill_batches(&filling, drafts, count);
    free(filling.queries);
    free(filling.readers);
    free(drafts);
    return plan;
}
