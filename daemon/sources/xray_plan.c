#include "sources/xray.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "sources/plan.h"
#include "sources/poll_section.h"

#include <stdlib.h>
#include <string.h>

int64_t xray_every_s(const Watch *watch, Snapshot *snapshot) {
    const PollSection *section = snapshot ? snapshot_section(snapshot, &poll_section) : NULL;
    if (watch->every_s > 0) return watch->every_s;
    return section && section->xray.every_s > 0 ? section->xray.every_s : XRAY_EVERY_S;
}

/* A watch on its way into a query; sorted by `key`, those that share one come to lie side by side. */
typedef struct Draft {
    char *key;
    const Watch *watch;
    int64_t every_s, settle_s, step_s;
} Draft;

static Draft draft_of(const Watch *watch, Snapshot *snapshot) {
    const GraphSelector *selector = watch->selector;
    Draft draft = {.watch = watch,
        .every_s = xray_every_s(watch, snapshot),
        .settle_s = watch->settle_s > 0 ? watch->settle_s : XRAY_SETTLE_S,
        .step_s = evaluation_step_s(watch->rule)};
    draft.key = text_format("%s\n%s\n%s\n%lld\n%lld\n%lld\n%lld", watch->account, watch->region,
        selector->group ? selector->group : "\n", (long long)selector->period_s, (long long)draft.settle_s,
        (long long)draft.every_s, (long long)draft.step_s);
    return draft;
}

static int draft_order(const void *left, const void *right) {
    const Draft *a = left, *b = right;
    const int order = strcmp(a->key, b->key);
    if (order) return order;
    return a->watch->index < b->watch->index ? -1 : 1;
}

static GraphReader reader_of(Arena *arena, const Watch *watch) {
    const GraphSelector *selector = watch->selector;
    const ThresholdRule *rule = watch->rule;
    GraphReader reader = {.watch = watch->index,
        .range = rule->range,
        .period_s = rule->period_s,
        .service = arena_text(arena, selector->service),
        .type = arena_text(arena, selector->type),
        .edge_to = arena_text(arena, selector->edge_to),
        .measure = {.statistic = selector->parsed,
            .comparison = rule->comparison,
            .threshold = rule->threshold,
            .samples_needed = rule->samples_min / (double)rule->n}};
    reader.measure.statistic.wants_upper = rule->comparison == COMPARE_LT || rule->comparison == COMPARE_LE;
    return reader;
}

static GraphQuery *query_new(const Draft *drafts, size_t count) {
    Arena *arena = arena_new();
    GraphQuery *query = arena_alloc(arena, 1, sizeof *query);
    GraphReader *readers = arena_alloc(arena, count, sizeof *readers);
    const Watch *first = drafts[0].watch;
    const GraphSelector *selector = first->selector;
    for (size_t i = 0; i < count; i++) readers[i] = reader_of(arena, drafts[i].watch);
    *query = (GraphQuery){.arena = arena,
        .refs = 1,
        .account = arena_text(arena, first->account),
        .region = arena_text(arena, first->region),
        .group = arena_text(arena, selector->group),
        .period_s = selector->period_s,
        .settle_s = drafts[0].settle_s,
        .step_s = drafts[0].step_s,
        .readers = readers,
        .reader_count = count};
    return query;
}

GraphQuery *graph_query_ref(GraphQuery *query) {
    query->refs++;
    return query;
}

void graph_query_unref(GraphQuery *query) {
    if (query && --query->refs == 0) arena_free(query->arena); /* the query itself lives there */
}

static void batch_free(void *memory) {
    GraphBatch *batch = memory;
    graph_memory_free(batch->memory);
    graph_query_unref(batch->query);
}

static void poll_add(Plan *plan, const Draft *drafts, size_t count) {
    GraphBatch *batch = arena_alloc(plan->arena, 1, sizeof *batch);
    size_t *watches = arena_alloc(plan->arena, count, sizeof *watches);
    for (size_t i = 0; i < count; i++) watches[i] = drafts[i].watch->index;
    batch->query = query_new(drafts, count);
    batch->memory = graph_memory_new(batch->query);
    plan_own(plan, batch, batch_free);
    plan_add(plan,
        &(Poll){.source = &service_graph_source,
            .account = drafts[0].watch->account,
            .region = drafts[0].watch->region,
            .api = "GetServiceGraph",
            .every_s = drafts[0].every_s,
            .phase = stable_hash(drafts[0].key),
            .watches = watches,
            .watch_count = count,
            .batch = batch});
}

Plan *graph_plan(Snapshot *snapshot, const Watch *watches, size_t count) {
    Plan *plan = plan_new(snapshot);
    if (count == 0) return plan;
    Draft *drafts = alloc_zeroed(count, sizeof *drafts);
    for (size_t i = 0; i < count; i++) drafts[i] = draft_of(&watches[i], snapshot);
    qsort(drafts, count, sizeof *drafts, draft_order);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && strcmp(drafts[first].key, drafts[end].key) == 0;) end++;
        poll_add(plan, drafts + first, end - first);
    }
    for (size_t i = 0; i < count; i++) free(drafts[i].key);
    free(drafts);
    return plan;
}
