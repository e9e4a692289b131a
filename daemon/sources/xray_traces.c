#include "sources/xray.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "sources/console.h"
#include "sources/paged.h"
#include "sources/plan.h"
#include "sources/xray_summaries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DESTINATION_EVERY_S = 3600, FILTER_SHOWN = 120, NOTES_MAX = 2048 };
enum { CONSOLE_BEFORE_MS = 15 * 60 * 1000, CONSOLE_AFTER_MS = 5 * 60 * 1000 };

static const char hidden_words[] =
    "traces go to CloudWatch Logs (Transaction Search), where GetTraceSummaries does not find them: this alarm cannot "
    "be read (watch a metric of the service, or set the trace segment destination back to X-Ray)";

static const Metric skipped_total = {"tocsin_xray_traces_skipped_total",
    "Trace summaries left out because they had no id that can be one.", METRIC_COUNTER, {"account", "region"}};

/* What is remembered between runs; the loop's. */
typedef struct TracesMemory {
    Windows windows;
    double *values; /* by slot; NAN: no data */
    Labels *notes; /* of the window that ended at notes_end_s; NULL: none */
    int64_t notes_end_s;
    int64_t destination_s; /* AWS's time when it was asked last and answered; 0: never */
    bool is_hidden; /* traces go to CloudWatch Logs */
} TracesMemory;

typedef struct TracesBatch {
    size_t watch;
    const TracesSelector *selector; /* the snapshot's, which the plan keeps */
    const ThresholdRule *rule;
    TracesMemory *memory;
} TracesBatch;

struct PollRun {
    const Poll *poll;
    const TracesBatch *batch;
    const PollWorld *world;
    PollDone *done;
    void *ctx;
    PollOutcome *outcome;
    int64_t now_s, end_s;
    int64_t ends[XRAY_WINDOWS_A_RUN];
    size_t end_count, at;
    TraceCount *matched; /* of the window in hand, while `of` is counted */
    Paged *paged;
};

/* --- plan --- */

static void memory_free(void *ctx) {
    TracesMemory *memory = ctx;
    windows_deinit(&memory->windows);
    labels_free(memory->notes);
    free(memory->values);
    free(memory);
}

static TracesMemory *memory_new(const Watch *watch) {
    const int64_t settle_s = watch->settle_s > 0 ? watch->settle_s : XRAY_SETTLE_S;
    TracesMemory *memory = alloc_zeroed(1, sizeof *memory);
    windows_init(
        &memory->windows, watch->rule->period_s, settle_s, evaluation_step_s(watch->rule), watch->rule->range, 0);
    memory->values = alloc_zeroed(memory->windows.slots, sizeof *memory->values);
    return memory;
}

static void poll_add(Plan *plan, Snapshot *snapshot, const Watch *watch) {
    const TracesSelector *selector = watch->selector;
    TracesBatch *batch = arena_alloc(plan->arena, 1, sizeof *batch);
    size_t *watches = arena_alloc(plan->arena, 1, sizeof *watches);
    OWN(text)
    char *identity = text_format("%s\n%s\n%s\n%s\n%s", watch->account, watch->region, watch->alarm, selector->filter,
        selector->of ? selector->of : "");
    watches[0] = watch->index;
    *batch = (TracesBatch){watch->index, selector, watch->rule, memory_new(watch)};
    plan_own(plan, batch->memory, memory_free);
    plan_add(plan,
        &(Poll){.source = &traces_source,
            .account = watch->account,
            .region = watch->region,
            .api = "GetTraceSummaries",
            .every_s = xray_every_s(watch, snapshot),
            .phase = stable_hash(identity),
            .watches = watches,
            .watch_count = 1,
            .batch = batch});
}

Plan *traces_plan(Snapshot *snapshot, const Watch *watches, size_t count) {
    Plan *plan = plan_new(snapshot);
    for (size_t i = 0; i < count; i++) poll_add(plan, snapshot, &watches[i]);
    return plan;
}

/* --- the way out --- */

static void observe(PollRun *run, const char *error) {
    const TracesMemory *memory = run->batch->memory;
    const size_t range = run->batch->rule->range;
    const bool all_there = windows_have_range(&memory->windows, run->end_s, range);
    Arena *arena = run->outcome->arena;
    Observation *seen = &run->outcome->observations[0];
    if (!all_there && !error) return; /* the rest is read by the next run: till then unknown, not missing */
    const int64_t period_s = memory->windows.period_s;
    Samples samples = {.fold = FOLD_NONE, .start_s = run->end_s - (int64_t)range * period_s, .step_s = period_s};
    samples.values = arena_alloc(arena, range, sizeof *samples.values);
    samples.count = range;
    for (size_t i = 0; i < range && all_there; i++) {
        const int64_t at_s = samples.start_s + (int64_t)(i + 1) * period_s;
        samples.values[i] = memory->values[windows_slot(&memory->windows, at_s)];
    }
    const bool has_notes = memory->notes && memory->notes_end_s == run->end_s;
    *seen = (Observation){.watch = run->batch->watch,
        .labels = labels_new(NULL, 0),
        .notes = has_notes ? labels_ref(memory->notes) : NULL,
        .error = all_there && !memory->is_hidden ? NULL : error,
        .samples = samples,
        .settled_end_s = run->end_s};
    run->outcome->count = 1;
}

/* Passed once. `lost`: why the reading ended before its last window. */
static void run_finish(PollRun *run, const char *lost, AwsClass class) {
    PollOutcome *outcome = run->outcome;
    poll_outcome_fail(outcome, lost, class);
    observe(run, outcome->error);
    trace_count_free(run->matched);
    PollDone *done = run->done;
    void *ctx = run->ctx;
    free(run);
    done(ctx, outcome);
}

/* --- counting --- */

static bool count_page(void *job, const char *body, size_t length, const char **ret_token, Error *err) {
    return trace_count_add(job, body, length, ret_token, err);
}
static void count_free(void *job) { trace_count_free(job); }
static const PagedKind count_kind = {count_page, NULL, count_free};

static void window_ask(PollRun *run);

static void count_ask(PollRun *run, const char *filter, PagedDone *done) {
    const int64_t end_s = run->ends[run->at];
    run->paged = paged_start(run->world,
        &(PagedAsk){.account = run->poll->account,
            .region = run->poll->region,
            .operation = "GetTraceSummaries",
            .action = "xray:GetTraceSummaries",
            .path = "/TraceSummaries",
            .service = AWS_XRAY,
            .take_body =
                json_pack("{s:I, s:I, s:s, s:o}", "StartTime", (json_int_t)(end_s - run->batch->rule->period_s),
                    "EndTime", (json_int_t)end_s, "TimeRangeType", "Event", "FilterExpression", json_safe(filter)),
            .kind = &count_kind,
            .take_job = trace_count_new()},
        done, run);
}

/* Up to five traces to look at. */
static Labels *example_notes(const PollRun *run, const TraceCount *matched) {
    Buffer ids = BUFFER(NOTES_MAX), links = BUFFER(NOTES_MAX);
    const char *id;
    for (size_t i = 0; (id = trace_count_example(matched, i)); i++) {
        buffer_format(&ids, "%s%s", i ? ", " : "", id);
        if (i) buffer_text(&links, " ");
        console_begin(&links, run->poll->region);
        buffer_format(&links, "xray:traces/%s", id);
    }
    Labels *notes = NULL;
    if (ids.used)
        notes = labels_new((const Label[]){{"traces", buffer_string(&ids)}, {"trace_links", buffer_string(&links)}}, 2);
    buffer_deinit(&ids);
    buffer_deinit(&links);
    return notes;
}

/* A window is counted; `of` NULL: the traces themselves are what is compared. */
static void window_take(PollRun *run, const TraceCount *matched, const TraceCount *of) {
    TracesMemory *memory = run->batch->memory;
    const ThresholdRule *rule = run->batch->rule;
    const int64_t end_s = run->ends[run->at];
    double value = (double)trace_count_traces(matched);
    if (of) value = trace_count_traces(of) ? 100 * value / (double)trace_count_traces(of) : NAN;
    windows_take(&memory->windows, end_s, run->now_s);
    memory->values[windows_slot(&memory->windows, end_s)] = value;
    if (end_s == run->end_s) {
        labels_free(memory->notes);
        memory->notes = isfinite(value) && judge_breaches(rule, value, STATE_OK) ? example_notes(run, matched) : NULL;
        memory->notes_end_s = end_s;
    }
    run->at++;
    window_ask(run);
}

/* Counts what the call cost, and what it did not count. NULL: it failed, and the run is over. */
static TraceCount *count_take(PollRun *run, const PagedEnd *end) {
    TraceCount *count = end->take_job;
    run->paged = NULL;
    run->outcome->calls += end->pages;
    if (!count) {
        run_finish(run, end->error, end->class);
        return NULL;
    }
    aws_ledger_add_traces(run->world->aws, run->poll->account, run->poll->region, trace_count_scanned(count));
    if (trace_count_skipped(count))
        metric_add(run->world->metrics, &skipped_total, (double)trace_count_skipped(count),
            METRIC_VALUES(run->poll->account, run->poll->region));
    return count;
}

static void of_counted(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    OWN(trace_count) TraceCount *of = count_take(run, end);
    if (!of) return;
    OWN(trace_count) TraceCount *matched = GIVE(run->matched);
    window_take(run, matched, of);
}

static void matches_counted(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    OWN(trace_count) TraceCount *matched = count_take(run, end);
    if (!matched) return;
    if (run->batch->selector->statistic == TRACES_RATIO) {
        run->matched = GIVE(matched);
        count_ask(run, run->batch->selector->of, of_counted);
    } else {
        window_take(run, matched, NULL);
    }
}

static void window_ask(PollRun *run) {
    if (run->at == run->end_count)
        run_finish(run, NULL, AWS_FINE);
    else
        count_ask(run, run->batch->selector->filter, matches_counted);
}

/* --- are the traces there at all? --- */

static bool destination_page(void *job, const char *body, size_t length, const char **ret_token, Error *err) {
    OWN(json) json_t *answer = json_read_foreign(body, length, err);
    const char *word = json_text(answer, "Destination");
    bool *is_hidden = job;
    *is_hidden = word && strcmp(word, "CloudWatchLogs") == 0;
    *ret_token = NULL;
    return answer != NULL;
}
static const PagedKind destination_kind = {destination_page, NULL, free};

/* A refusal is not fatal: then the count itself must tell. What passes is asked again by the next run. */
static void destination_known(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    TracesMemory *memory = run->batch->memory;
    bool *is_hidden = end->take_job;
    run->paged = NULL;
    run->outcome->calls += end->pages;
    const bool passes = end->class == AWS_THROTTLED || end->class == AWS_TRANSIENT || end->class == AWS_UNREACHABLE;
    if (is_hidden) memory->is_hidden = *is_hidden;
    if (!passes) memory->destination_s = run->now_s;
    free(is_hidden);
    if (memory->is_hidden)
        run_finish(run, hidden_words, AWS_OTHER);
    else
        window_ask(run);
}

static void destination_ask(PollRun *run) {
    run->paged = paged_start(run->world,
        &(PagedAsk){.account = run->poll->account,
            .region = run->poll->region,
            .operation = "GetTraceSegmentDestination",
            .action = "xray:GetTraceSegmentDestination",
            .path = "/GetTraceSegmentDestination",
            .service = AWS_XRAY,
            .take_body = json_object(),
            .kind = &destination_kind,
            .take_job = alloc_zeroed(1, sizeof(bool))},
        destination_known, run);
}

/* --- start and end --- */

static void nothing_read(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    run->paged = NULL;
    run_finish(run, end->error, end->class);
}

PollRun *traces_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx) {
    const TracesBatch *batch = poll->batch;
    const TracesMemory *memory = batch->memory;
    PollRun *run = alloc_zeroed(1, sizeof *run);
    *run = (PollRun){.poll = poll, .batch = batch, .world = world, .done = done, .ctx = ctx};
    run->outcome = poll_outcome_new(1);
    run->outcome->now_ms = aws_now_ms(world->aws);
    run->now_s = run->outcome->now_ms / 1000;
    run->end_s = windows_end_s(&memory->windows, run->now_s);
    run->end_count =
        windows_lacking(&memory->windows, run->end_s, run->now_s, batch->rule->range, run->ends, XRAY_WINDOWS_A_RUN);
    if (memory->is_hidden || memory->destination_s == 0 || run->now_s - memory->destination_s >= DESTINATION_EVERY_S) {
        destination_ask(run);
    } else if (run->end_count) {
        window_ask(run);
    } else {
        run->paged = paged_nothing(world, nothing_read, run);
    }
    return run;
}

void traces_poll_cancel(PollRun *run) {
    run->paged = paged_cancel(run->paged);
    run_finish(run, "cancelled", AWS_CANCELLED);
}

void traces_poll_forget(const Poll *poll, int64_t now_s) {
    const TracesBatch *batch = poll->batch;
    TracesMemory *memory = batch->memory;
    windows_forget(&memory->windows, now_s);
    if (memory->destination_s > now_s) memory->destination_s = 0;
}

/* --- words --- */

char *traces_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms) {
    const TracesSelector *traces = selector;
    Buffer out = BUFFER(CONSOLE_URL_MAX);
    (void)series;
    console_begin(&out, region);
    buffer_text(&out, "xray:traces/query?~(query~(expression");
    console_string(&out, traces->filter);
    buffer_text(&out, ")~context~(timeRange~(end");
    console_time(&out, at_ms + CONSOLE_AFTER_MS);
    buffer_text(&out, "~start");
    console_time(&out, at_ms - CONSOLE_BEFORE_MS);
    buffer_text(&out, ")))");
    return buffer_take(&out);
}

char *traces_describe(const void *selector, const ThresholdRule *rule) {
    const TracesSelector *traces = selector;
    const size_t length = strlen(traces->filter), shown = utf8_cut(traces->filter, length, FILTER_SHOWN);
    return text_format("X-Ray traces %s of `%.*s%s` %lld s", traces->statistic == TRACES_RATIO ? "percentage" : "count",
        (int)shown, traces->filter, shown < length ? "…" : "", (long long)rule->period_s);
}

static Labels *traces_series(const void *selector) {
    (void)selector;
    return labels_new(NULL, 0); /* one series, named by its alarm alone */
}

static const char *traces_price_note(const void *selector) {
    (void)selector;
    return "$0.50 a million traces scanned";
}

static const char *const actions[] = {"xray:GetTraceSummaries", "xray:GetTraceSegmentDestination", NULL};

static const SourceProbe probes[] = {
    {"xray:GetTraceSummaries", AWS_XRAY, "/TraceSummaries", "{\"StartTime\":@start@,\"EndTime\":@end@}"},
    {"xray:GetTraceSegmentDestination", AWS_XRAY, "/GetTraceSegmentDestination", "{}"}, {NULL}};

const Source traces_source = {
    .name = "xray",
    .alarm_key = "traces",
    .selector_rows = traces_rows,
    .selector_size = sizeof(TracesSelector),
    .selector_decode = traces_selector_decode,
    .price_note = traces_price_note,
    .actions = actions,
    .probes = probes,
    .plan = traces_plan,
    .start = traces_poll_start,
    .cancel = traces_poll_cancel,
    .forget = traces_poll_forget,
    .series = traces_series,
    .console_url = traces_console_url,
    .describe = traces_describe,
};
