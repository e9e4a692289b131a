#include "sources/cloudwatch.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/json.h"
#include "sources/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 100, QUERY_ID_MAX = 24, REQUEST_MAX = 64 << 20 /* 500 queries of 30 dimensions */ };

static const Metric unknown_series = {"tocsin_cloudwatch_unknown_series_total",
    "Metrics of alarms that a poll could not read: failed, forbidden or half-read.", METRIC_COUNTER,
    {"account", "region"}};
static const Metric datapoints_read = {
    "tocsin_cloudwatch_datapoints_total", "Datapoints read from CloudWatch.", METRIC_COUNTER, {"account", "region"}};

static int64_t floor_to(int64_t value, int64_t step) { return value - ((value % step) + step) % step; }

/* The grid of a batch that sees one phase of the sliding window: it hangs on the settled end. */
static MetricGrid grid_phased(const MetricBatch *batch, int64_t now_s) {
    const int64_t settled_s = floor_to(now_s - batch->settle_s, batch->evaluation_step_s);
    const int64_t unsettled = (now_s - settled_s) / batch->step_s + 1; /* the running one too */
    return (MetricGrid){settled_s - batch->span_s, batch->step_s, (size_t)(batch->span_s / batch->step_s + unsettled)};
}

MetricGrid metric_grid(const MetricBatch *batch, int64_t now_s) {
    if (batch->phased) return grid_phased(batch, now_s);
    const int64_t last_s = *batch->last_read_s;
    int64_t replay_s = last_s > 0 ? now_s - last_s : METRIC_REPLAY_S;
    if (replay_s < 0) replay_s = 0;
    if (replay_s > METRIC_REPLAY_S) replay_s = METRIC_REPLAY_S;
    const int64_t end_s = floor_to(now_s, batch->step_s) + batch->step_s;
    const int64_t oldest_s = end_s - METRIC_SHORT_KEPT_S; /* from there on a step below a minute gives nothing at all */
    int64_t start_s = end_s - batch->span_s - (replay_s - replay_s % batch->step_s);
    if (batch->step_s < 60 && start_s < oldest_s) start_s = oldest_s;
    return (MetricGrid){start_s, batch->step_s, (size_t)((end_s - start_s) / batch->step_s)};
}

static void add_key(Buffer *out, const char *key, const char *text) {
    buffer_text(out, key);
    json_add_text(out, text);
}

static void add_stat(Buffer *out, const MetricQuery *query, int64_t period_s) {
    const MetricSelector *metric = query->selector;
    buffer_text(out, ",\"MetricStat\":{\"Metric\":{\"Dimensions\":[");
    for (size_t i = 0; i < metric->dimensions.count; i++) {
        add_key(out, i ? ",{\"Name\":" : "{\"Name\":", metric->series[i].name);
        add_key(out, ",\"Value\":", metric->series[i].value);
        buffer_text(out, "}");
    }
    add_key(out, "],\"MetricName\":", metric->metric_name);
    add_key(out, ",\"Namespace\":", metric->namespace);
    buffer_format(out, "},\"Period\":%lld,\"Stat\":", (long long)period_s);
    json_add_text(out, query->statistic);
    if (metric->unit) add_key(out, ",\"Unit\":", metric->unit);
    buffer_text(out, "}");
}

static void add_query(Buffer *out, const MetricBatch *batch, size_t index, int64_t period_s) {
    const MetricQuery *query = &batch->queries[index];
    char id[QUERY_ID_MAX];
    snprintf(id, sizeof id, "m%zu", index);
    add_key(out, "{\"Id\":", query->id ? query->id : id);
    if (query->expression) {
        add_key(out, ",\"Expression\":", query->expression);
        buffer_format(out, ",\"Period\":%lld", (long long)period_s);
    } else {
        add_stat(out, query, period_s);
    }
    if (query->label) add_key(out, ",\"Label\":", query->label);
    buffer_text(out, query->id ? ",\"ReturnData\":false}" : "}");
}

/* Written as text: a tree of 500 queries, made and sorted on the loop, took a third of a cycle's CPU. */
char *metric_request(const MetricBatch *batch, const MetricGrid *grid, const bool *asked, const char *token) {
    Buffer out = BUFFER(REQUEST_MAX);
    const char *before = "";
    buffer_format(&out, "{\"EndTime\":%lld,\"MetricDataQueries\":[",
        (long long)(grid->start_s + (int64_t)grid->count * grid->step_s));
    for (size_t i = 0; i < batch->query_count; i++) {
        if (asked && !asked[i]) continue;
        buffer_text(&out, before);
        add_query(&out, batch, i, grid->step_s);
        before = ",";
    }
    buffer_text(&out, "]");
    if (token) add_key(&out, ",\"NextToken\":", token);
    buffer_format(&out, ",\"ScanBy\":\"TimestampAscending\",\"StartTime\":%lld}", (long long)grid->start_s);
    return buffer_take(&out);
}

/* One answer on its way through the pool: bytes copied in, a page out. */
typedef struct Decode {
    uv_work_t work;
    PollRun *run; /* NULL once the run has ended: the result is thrown away */
    char *body;
    size_t length, queries;
    MetricGrid grid;
    MetricPage *page;
    Error error;
} Decode;

struct PollRun {
    const Poll *poll;
    const MetricBatch *batch;
    const PollWorld *world;
    PollDone *done;
    void *ctx;
    PollOutcome *outcome;
    MetricReading reading;
    MetricParts parts;
    AwsTicket *ticket;
    Decode *decode;
    uint64_t tokens[PAGES_MAX]; /* hashes of those that were followed */
    size_t pages; /* of the part in hand */
    int64_t now_s;
    bool is_past; /* a part of the past was asked for: nothing is remembered of it */
};

static Samples reader_samples(const MetricReader *reader, const MetricReading *reading, double *values) {
    return (Samples){
        .fold = reader->fold,
        .start_s = reading->grid.start_s,
        .step_s = reading->grid.step_s,
        .count = reading->grid.count,
        .values = values,
        .counts = reader->counts == METRIC_NO_QUERY ? NULL : reading->values[reader->counts],
    };
}

static const char *reader_error(const PollRun *run, const MetricReader *reader) {
    const MetricReading *reading = &run->reading;
    const char *refusal = run->parts.refusals[reader - run->batch->readers];
    const char *error = refusal ? refusal : metric_reading_error(reading, reader->values);
    if (error || reader->counts == METRIC_NO_QUERY) return error;
    return metric_reading_error(reading, reader->counts);
}

static void note_unknown(PollRun *run, const char *error) {
    metric_add(run->world->metrics, &unknown_series, 1, METRIC_VALUES(run->poll->account, run->poll->region));
    if (run->outcome->failed) return;
    run->outcome->failed = true;
    run->outcome->error = error;
    run->outcome->error_class = AWS_OTHER;
}

static void observe_series(
    PollRun *run, const MetricReader *reader, Labels *take_labels, double *values, const char *error) {
    run->outcome->observations[run->outcome->count++] = (Observation){
        .watch = reader->watch,
        .labels = take_labels,
        .error = error,
        .samples = reader_samples(reader, &run->reading, values),
        .settled_end_s = evaluation_end_s(reader->rule, run->now_s, reader->settle_s),
        .grows_only = reader->grows_only,
        .every_minute = !run->batch->phased,
    };
    if (error) note_unknown(run, error);
}

/* Several series of one alarm, which has the call for itself. What could not be read whole is blind, not gone. */
static void observe_found(PollRun *run, const MetricReader *reader, const char *lost) {
    const MetricReading *reading = &run->reading;
    const char *error = reader_error(run, reader);
    if (lost || error) return note_unknown(run, lost ? lost : error);
    run->outcome->observations =
        arena_alloc(run->outcome->arena, reading->found_count + 1, sizeof *run->outcome->observations);
    for (size_t i = 0; i < reading->found_count; i++)
        observe_series(run, reader, math_labels(reader->math, reading->found[i].label), reading->found[i].values,
            metric_found_error(&reading->found[i]));
    run->outcome->settled_end_s = evaluation_end_s(reader->rule, run->now_s, reader->settle_s);
    run->outcome->is_complete = true;
}

/* `lost`: why the reading ended before its last page; what was not complete by then is unknown for that reason. */
static void observe(PollRun *run, const MetricReader *reader, const char *lost) {
    const MetricSelector *metric = reader->selector;
    if (reader->math && reader->math->is_many) return observe_found(run, reader, lost);
    const char *refusal = run->parts.refusals[reader - run->batch->readers];
    const char *error = reader_error(run, reader);
    observe_series(run, reader, metric ? labels_new(metric->series, metric->dimensions.count) : labels_new(NULL, 0),
        run->reading.values[reader->values], error && lost && !refusal ? lost : error);
}

/* Was all read? What is refused today has its last hour read again on the day when it is not. */
static bool is_whole(const PollRun *run) {
    for (size_t i = 0; i < run->batch->reader_count; i++)
        if (reader_error(run, &run->batch->readers[i])) return false;
    return true;
}

static void count_datapoints(const PollRun *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->reading.queries; i++)
        for (size_t k = 0; k < run->reading.grid.count; k++) count += isnan(run->reading.values[i][k]) ? 0 : 1;
    metric_add(
        run->world->metrics, &datapoints_read, (double)count, METRIC_VALUES(run->poll->account, run->poll->region));
}

/* The one way out; passed once. */
static void run_finish(PollRun *run, const char *lost, AwsClass class) {
    PollOutcome *outcome = run->outcome;
    poll_outcome_fail(outcome, lost, class);
    lost = outcome->error; /* as long as the outcome */
    for (size_t i = 0; i < run->batch->reader_count; i++) observe(run, &run->batch->readers[i], lost);
    count_datapoints(run);
    if (!run->is_past && !lost && is_whole(run)) *run->batch->last_read_s = run->now_s;
    metric_parts_end(&run->parts);
    if (run->decode) run->decode->run = NULL;
    PollDone *done = run->done;
    void *ctx = run->ctx;
    free(run);
    done(ctx, outcome);
}

static void page_ask(PollRun *run, const char *token);

/* The next part, or the end. */
static void part_ask(PollRun *run) {
    run->pages = 0;
    if (!metric_parts_next(&run->parts)) return run_finish(run, NULL, AWS_FINE);
    page_ask(run, NULL);
}

/* A token that comes twice would be followed for ever. */
static bool token_is_new(PollRun *run, const char *token) {
    const uint64_t hash = stable_hash(token);
    for (size_t i = 0; i < run->pages; i++)
        if (run->tokens[i] == hash) return false;
    run->tokens[run->pages] = hash;
    return true;
}

static void page_take(PollRun *run, const MetricPage *page) {
    metric_reading_join(&run->reading, page);
    if (page->message) {
        const char *words = metric_words(run->outcome->arena, run->batch, run->parts.asked, page->message);
        for (size_t i = 0; i < run->reading.queries; i++) /* which metric it concerns is not said */
            run->reading.errors[i] = words;
        return run_finish(run, words, AWS_OTHER);
    }
    if (!page->next_token) {
        metric_parts_read(&run->parts);
        return part_ask(run);
    }
    if (!token_is_new(run, page->next_token))
        return run_finish(run, "GetMetricData gave the same page token twice", AWS_PAGING);
    if (++run->pages >= PAGES_MAX)
        return run_finish(run, "GetMetricData's answer has more than 100 pages (PAGES_MAX)", AWS_PAGING);
    page_ask(run, page->next_token);
}

static void decode_work(uv_work_t *work) {
    Decode *decode = work->data;
    decode->page = metric_page_decode(decode->body, decode->length, &decode->grid, decode->queries, &decode->error);
}

static void decode_done(uv_work_t *work, int status) {
    Decode *decode = work->data;
    PollRun *run = decode->run;
    if (run) {
        run->decode = NULL;
        if (decode->page)
            page_take(run, decode->page);
        else
            run_finish(run, status == 0 ? decode->error.text : "the answer was not decoded", AWS_OTHER);
    }
    metric_page_free(decode->page);
    free(decode->body);
    free(decode);
}

static const char *refusal_words(const AwsAnswer *answer) {
    const char *words = *answer->message ? answer->message : answer->explanation;
    return *words ? words : "it gave no reason";
}

static void page_answered(void *ctx, const AwsAnswer *answer) {
    PollRun *run = ctx;
    run->ticket = NULL;
    if (answer->class == AWS_VALIDATION && run->pages == 0) {
        metric_parts_refused(&run->parts, refusal_words(answer));
        return part_ask(run);
    }
    if (answer->class != AWS_FINE)
        return run_finish(run, *answer->explanation ? answer->explanation : "GetMetricData failed", answer->class);
    Decode *decode = alloc_zeroed(1, sizeof *decode);
    *decode = (Decode){
        .run = run, .length = answer->body_length, .queries = run->batch->query_count, .grid = run->reading.grid};
    decode->body = text_copy_length(answer->body ? answer->body : "", answer->body_length);
    decode->work.data = decode;
    run->decode = decode;
    uv_queue_work(run->world->loop, &decode->work, decode_work, decode_done);
}

static void page_ask(PollRun *run, const char *token) {
    char *body = metric_request(run->batch, &run->reading.grid, run->parts.asked, token);
    run->outcome->calls++;
    run->ticket = aws_call(run->world->aws,
        &(AwsCall){
            .account = run->poll->account,
            .region = run->poll->region,
            .service = AWS_MONITORING,
            .operation = "GetMetricData",
            .action = "cloudwatch:GetMetricData",
            .body = body,
            .body_length = strlen(body),
            .billed_units = run->parts.billed_units,
        },
        page_answered, run);
    free(body);
}

static PollRun *run_start(const Poll *poll, const PollWorld *world, const MetricGrid *past, PollDone *done, void *ctx) {
    const MetricBatch *batch = poll->batch;
    PollRun *run = alloc_zeroed(1, sizeof *run);
    *run = (PollRun){.poll = poll, .batch = batch, .world = world, .done = done, .ctx = ctx};
    run->outcome = poll_outcome_new(batch->reader_count);
    run->outcome->now_ms = aws_now_ms(world->aws);
    run->now_s = run->outcome->now_ms / 1000;
    const MetricGrid grid = past ? *past : metric_grid(batch, run->now_s);
    run->is_past = past != NULL;
    metric_reading_init(&run->reading, run->outcome->arena, &grid, batch);
    metric_parts_init(&run->parts, batch, run->outcome->arena, run->now_s);
    part_ask(run);
    return run;
}

PollRun *metric_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx) {
    const MetricBatch *batch = poll->batch;
    *batch->read_before_s = *batch->last_read_s;
    return run_start(poll, world, NULL, done, ctx);
}

PollRun *metric_poll_past(const Poll *poll, const PollWorld *world, const MetricGrid *grid, PollDone *done, void *ctx) {
    return run_start(poll, world, grid, done, ctx);
}

void metric_poll_forget(const Poll *poll, int64_t now_s) {
    const MetricBatch *batch = poll->batch;
    const int64_t before_s = *batch->read_before_s;
    *batch->last_read_s = before_s <= now_s ? before_s : 0; /* read in a future that there is not: as good as never */
}

void metric_poll_cancel(PollRun *run) {
    if (run->ticket)
        aws_cancel(run->ticket); /* page_answered() ends the run */
    else
        run_finish(run, "cancelled", AWS_CANCELLED);
}
