/* daemon/sources/math_plan.c: which alarms on expressions share a call. Each expression brings its own metrics along,
 * under ids that are unique in the call. */
#include "sources/cloudwatch.h"

#include "base/alloc.h"
#include "sources/math_expression.h"
#include "sources/plan.h"

#include <stdlib.h>
#include <string.h>

typedef struct MathDraft {
    const Watch *watch;
    MetricBatch batch;
    int64_t every_s, settle_s;
    size_t samples; /* that one query may ask for */
    char *key; /* what may share a call has the same */
} MathDraft;

static MathDraft draft_of(const Watch *watch, Snapshot *snapshot) {
    const MathSelector *math = watch->selector;
    MathDraft draft = {.watch = watch, .every_s = metric_every_s(watch, snapshot), .settle_s = watch->settle_s};
    const int64_t shortest_s = math->period_s < 60 ? 10 : 60;
    draft.batch.step_s = math->period_s;
    draft.batch.phased = math->period_s > shortest_s;
    draft.samples = metric_reach(&draft.batch, watch, draft.settle_s);
    if (math->is_query && !draft.batch.phased && (int64_t)draft.samples * math->period_s > MATH_QUERY_KEPT_S) {
        draft.batch.phased = true; /* a query's reach has no room for a replay then */
        draft.samples = metric_reach(&draft.batch, watch, draft.settle_s);
    }
    const MetricBatch *b = &draft.batch;
    draft.key = text_format("metrics\n%s\n%s\n%lld\n%zu\n%lld\n%d\n%lld\n%lld\n%s", watch->account, watch->region,
        (long long)b->step_s, draft.samples, (long long)draft.every_s, b->phased, (long long)b->settle_s,
        (long long)b->evaluation_step_s, math->is_alone ? watch->alarm : "");
    return draft;
}

static int draft_order(const void *left, const void *right) {
    const MathDraft *a = left, *b = right;
    const int order = strcmp(a->key, b->key);
    return order ? order : (a->watch->index > b->watch->index) - (a->watch->index < b->watch->index);
}

typedef struct MathFilling {
    Plan *plan;
    const MathDraft *first;
    MetricQuery *queries;
    MetricReader *readers;
    size_t query_count, reader_count, number;
    int64_t span_s; /* the widest reader's */
    double billed_units;
} MathFilling;

static void close_batch(MathFilling *filling) {
    if (!filling->reader_count) return;
    MetricBatch batch = filling->first->batch;
    batch.queries = filling->queries;
    batch.query_count = filling->query_count;
    batch.readers = filling->readers;
    batch.reader_count = filling->reader_count;
    batch.billed_units = filling->billed_units;
    batch.span_s = filling->span_s;
    const Watch *watch = filling->first->watch;
    OWN(text) char *identity = text_format("%s\n%zu", filling->first->key, filling->number);
    metric_plan_add(filling->plan, &batch, watch->account, watch->region, filling->first->every_s, identity);
    filling->query_count = filling->reader_count = 0;
    filling->span_s = 0;
    filling->billed_units = 0;
}

/* METRICS("text") looks for a text in the ids: there a user's id must stay in sight. Elsewhere a short one will do. */
static void name_ids(MathFilling *filling, const MathSelector *math, const char **ids, const char **to) {
    Arena *arena = filling->plan->arena;
    for (size_t i = 0; i < math->items.count; i++) {
        ids[i] = math_item(math, i)->id;
        const size_t number = filling->query_count + i;
        to[i] = i == math->returned ? arena_format(arena, "m%zu", number)
            : math->is_alone        ? arena_format(arena, "z_%.*s", MATH_ID_MAX - 2, ids[i])
                                    : arena_format(arena, "z%zu", number);
    }
}

static MetricQuery query_of(Arena *arena, const MathSelector *math, size_t index, const char **ids, const char **to) {
    const MathItem *item = math_item(math, index);
    const bool is_returned = index == math->returned;
    MetricQuery query = {.label = is_returned ? math->label : NULL,
        .id = is_returned ? NULL : to[index],
        .is_many = is_returned && math->is_many};
    if (item->expression) {
        query.expression = expression_rename(arena, item->expression, ids, to, math->items.count);
    } else {
        query.selector = &item->metric;
        query.statistic = item->metric.statistic;
    }
    return query;
}

static void add(MathFilling *filling, const MathDraft *draft) {
    const MathSelector *math = draft->watch->selector;
    const char *ids[MATH_ITEMS_MAX], *to[MATH_ITEMS_MAX];
    name_ids(filling, math, ids, to);
    filling->readers[filling->reader_count++] = (MetricReader){.watch = draft->watch->index,
        .math = math,
        .rule = draft->watch->rule,
        .settle_s = draft->settle_s,
        .fold = FOLD_NONE,
        .values = filling->query_count + math->returned,
        .counts = METRIC_NO_QUERY,
        .first = filling->query_count,
        .count = math->items.count};
    for (size_t i = 0; i < math->items.count; i++)
        filling->queries[filling->query_count + i] = query_of(filling->plan->arena, math, i, ids, to);
    filling->query_count += math->items.count;
    if (draft->batch.span_s > filling->span_s) filling->span_s = draft->batch.span_s;
    filling->billed_units += math->billed_units;
}

static bool fits(const MathFilling *filling, const MathDraft *draft) {
    const size_t items = filling->query_count + ((const MathSelector *)draft->watch->selector)->items.count;
    return items <= METRIC_QUERIES_MAX && items * draft->samples <= METRIC_DATAPOINTS_MAX;
}

static void fill(MathFilling *filling, const MathDraft *drafts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const bool is_other = !filling->first || strcmp(filling->first->key, drafts[i].key) != 0;
        if (is_other || !fits(filling, &drafts[i])) {
            close_batch(filling);
            filling->number = is_other ? 0 : filling->number + 1;
            filling->first = &drafts[i];
        }
        add(filling, &drafts[i]);
    }
    close_batch(filling);
}

Plan *math_plan(Snapshot *snapshot, const Watch *watches, size_t count) {
    Plan *plan = plan_new(snapshot);
    MathDraft *drafts = alloc_zeroed(count + 1, sizeof *drafts);
    for (size_t i = 0; i < count; i++) drafts[i] = draft_of(&watches[i], snapshot);
    qsort(drafts, count, sizeof *drafts, draft_order);
    MathFilling filling = {.plan = plan,
        .queries = alloc_zeroed(METRIC_QUERIES_MAX + MATH_ITEMS_MAX, sizeof *filling.queries),
        .readers = alloc_zeroed(count + 1, sizeof *filling.readers)};
    fill(&filling, drafts, count);
    free(filling.queries);
    free(filling.readers);
    for (size_t i = 0; i < count; i++) free(drafts[i].key);
    free(drafts);
    return plan;
}
