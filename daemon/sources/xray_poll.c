#include "sources/xray.h"

#include "base/alloc.h"
#include "base/log.h"
#include "sources/paged.h"
#include "sources/plan.h"

#include <stdlib.h>

static const Metric windows_read = {
    "tocsin_xray_windows_total", "Windows of the service graph that were read.", METRIC_COUNTER, {"account", "region"}};
static const Metric skipped_total = {"tocsin_xray_skipped_total",
    "What was left out of service graphs because it could not be believed or was too much.", METRIC_COUNTER,
    {"account", "region", "reason"}};

/* One window on its way: pages, then a graph and its datapoints. */
typedef struct GraphJob {
    GraphQuery *query;
    int64_t end_s;
    bool is_newest;
    GraphPages *pages; /* NULL: taken by the graph */
    ServiceGraph *graph; /* NULL: partial */
    GraphTally *tally;
} GraphJob;

struct PollRun {
    const Poll *poll;
    const GraphBatch *batch;
    const PollWorld *world;
    PollDone *done;
    void *ctx;
    PollOutcome *outcome; /* while windows are read; its observations are made at the end */
    int64_t now_s, end_s;
    int64_t ends[XRAY_WINDOWS_A_RUN];
    size_t end_count, at;
    const char *partial; /* words; NULL: no window was */
    Paged *paged;
};

/* --- on the pool --- */

static bool job_page(void *ctx, const char *body, size_t length, const char **ret_token, Error *err) {
    GraphJob *job = ctx;
    return graph_pages_add(job->pages, body, length, ret_token, err);
}

static void job_finish(void *ctx) {
    GraphJob *job = ctx;
    if (graph_pages_are_partial(job->pages)) return;
    const GraphQuery *query = job->query;
    job->graph = service_graph_new(
        job->pages, query->account, query->region, query->group, job->end_s - query->period_s, job->end_s);
    job->pages = NULL;
    job->tally = graph_tally(query, job->graph, job->is_newest);
}

static void job_free(void *ctx) {
    GraphJob *job = ctx;
    graph_pages_free(job->pages);
    service_graph_free(job->graph);
    graph_tally_free(job->tally);
    graph_query_unref(job->query);
    free(job);
}

static const PagedKind job_kind = {job_page, job_finish, job_free};

/* --- the way out --- */

static void observe_all(PollRun *run) {
    GraphMemory *memory = run->batch->memory;
    PollOutcome *outcome = run->outcome;
    outcome->observations = arena_alloc(outcome->arena, graph_memory_series(memory) + 1, sizeof *outcome->observations);
    const bool all = graph_memory_observe(memory, run->end_s, outcome);
    outcome->is_complete = all && !outcome->failed; /* else a window that is still to be read may hold a series */
    if (outcome->is_complete) outcome->settled_end_s = run->end_s;
}

/* Passed once. `lost`: why the reading ended before its last window. */
static void run_finish(PollRun *run, const char *lost, AwsClass class) {
    PollOutcome *outcome = run->outcome;
    poll_outcome_fail(outcome, lost ? lost : run->partial, class);
    observe_all(run);
    PollDone *done = run->done;
    void *ctx = run->ctx;
    free(run);
    done(ctx, outcome);
}

/* --- windows --- */

static void window_ask(PollRun *run);

static void count_skipped(const PollRun *run, const ServiceGraph *graph) {
    for (size_t why = 0; why < GRAPH_SKIPS; why++) {
        const size_t count = service_graph_skipped(graph, (GraphSkip)why);
        if (count)
            metric_add(run->world->metrics, &skipped_total, (double)count,
                METRIC_VALUES(run->poll->account, run->poll->region, graph_skip_words[why]));
    }
}

static void window_take(PollRun *run, GraphJob *job) {
    const char *const where[METRIC_LABELS] = {run->poll->account, run->poll->region, "series"};
    const size_t beyond = graph_memory_take(run->batch->memory, job->end_s, run->now_s, job->tally);
    metric_add(run->world->metrics, &windows_read, 1, METRIC_VALUES(run->poll->account, run->poll->region));
    count_skipped(run, job->graph);
    if (beyond) {
        metric_add(run->world->metrics, &skipped_total, (double)beyond, where);
        LOG(WARNING, "a service graph has more series than an alarm can have (XRAY_SERIES_MAX)",
            KV("account", run->poll->account), KV("region", run->poll->region), KV("left_out", beyond),
            KV("bound", (int)XRAY_SERIES_MAX));
    }
    if (!job->is_newest) return;
    run->outcome->kept = job->graph;
    job->graph = NULL;
}

static void window_done(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    GraphJob *job = end->take_job;
    run->paged = NULL;
    run->outcome->calls += end->pages;
    if (!job) {
        run_finish(run, end->error, end->class);
        return;
    }
    if (job->graph)
        window_take(run, job);
    else
        run->partial = "GetServiceGraph: the filter of the X-Ray group was changed, so that what X-Ray has of the "
                       "newest windows is only part of it; they are asked for again";
    job_free(job);
    run->at++;
    window_ask(run);
}

static json_t *window_body(const GraphQuery *query, int64_t end_s) {
    json_t *body =
        json_pack("{s:I, s:I}", "StartTime", (json_int_t)(end_s - query->period_s), "EndTime", (json_int_t)end_s);
    if (query->group) json_object_set_new(body, "GroupName", json_string(query->group));
    return body;
}

static void window_ask(PollRun *run) {
    if (run->at == run->end_count) {
        run_finish(run, NULL, run->partial ? AWS_OTHER : AWS_FINE);
        return;
    }
    GraphQuery *query = run->batch->query;
    GraphJob *job = alloc_zeroed(1, sizeof *job);
    const int64_t end_s = run->ends[run->at];
    *job = (GraphJob){.query = graph_query_ref(query), .end_s = end_s, .is_newest = end_s == run->end_s};
    job->pages = graph_pages_new();
    run->paged = paged_start(run->world,
        &(PagedAsk){.account = run->poll->account,
            .region = run->poll->region,
            .operation = "GetServiceGraph",
            .action = "xray:GetServiceGraph",
            .path = "/ServiceGraph",
            .service = AWS_XRAY,
            .take_body = window_body(query, end_s),
            .kind = &job_kind,
            .take_job = job},
        window_done, run);
}

/* --- start and end --- */

static void nothing_read(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    run->paged = NULL;
    run_finish(run, end->error, end->class);
}

PollRun *graph_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx) {
    const GraphBatch *batch = poll->batch;
    PollRun *run = alloc_zeroed(1, sizeof *run);
    *run = (PollRun){.poll = poll, .batch = batch, .world = world, .done = done, .ctx = ctx};
    run->outcome = poll_outcome_new(0);
    run->outcome->now_ms = aws_now_ms(world->aws);
    run->now_s = run->outcome->now_ms / 1000;
    graph_memory_begin(batch->memory);
    run->end_s = graph_memory_end_s(batch->memory, run->now_s);
    run->end_count = graph_memory_lacking(batch->memory, run->end_s, run->now_s, run->ends, XRAY_WINDOWS_A_RUN);
    if (run->end_count) {
        window_ask(run);
    } else {
        run->paged = paged_nothing(world, nothing_read, run);
    }
    return run;
}

void graph_poll_cancel(PollRun *run) {
    run->paged = paged_cancel(run->paged);
    run_finish(run, "cancelled", AWS_CANCELLED);
}

void graph_poll_forget(const Poll *poll, int64_t now_s) {
    const GraphBatch *batch = poll->batch;
    graph_memory_forget(batch->memory, now_s);
}
