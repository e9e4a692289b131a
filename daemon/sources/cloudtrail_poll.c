/* daemon/sources/cloudtrail_poll.c: one run: the main interval, the probe of the feed, the gaps, page by page */
#include "sources/cloudtrail_run.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/log.h"
#include "sources/plan.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKUP_BODY_MAX = 16 << 20 };

static const Metric limits_total = {"tocsin_sigma_limits_total",
    "Tests of rules that ran into a limit and count as not met.", METRIC_COUNTER, {"account", "region", "limit"}};

/* What a run has on the pool, one thing at a time: an answer to be decoded, then its events to be matched. */
struct Job {
    uv_work_t work;
    PollRun *run; /* NULL once the run has ended: what comes is thrown away */
    EventRules *rules;
    SigmaScratch *scratch;
    PollOutcome *outcome; /* whose arena findings are made in; owned once the run has ended */
    bool is_busy;
    char *body;
    size_t length;
    LookupPage *page;
    Error error;
    struct Pick {
        size_t event; /* in the page */
        bool seen;
        EventFinding *finding;
    } * picks;
    size_t pick_count;
};

static Job *job_new(PollRun *run) {
    Job *job = alloc_zeroed(1, sizeof *job);
    job->run = run;
    job->rules = event_rules_ref(run->batch->rules);
    job->scratch = sigma_scratch_new(event_rules_set(job->rules));
    job->outcome = run->outcome;
    job->work.data = job;
    return job;
}

static void job_end_page(Job *job) {
    job->page = lookup_page_free(job->page);
    free(job->picks);
    job->picks = NULL;
    job->pick_count = 0;
}

static void job_free(Job *job) {
    job_end_page(job);
    free(job->body);
    sigma_scratch_free(job->scratch);
    event_rules_free(job->rules);
    free(job);
}

/* Behind a run that ended while the pool was at work. */
static void job_abandon(Job *job) {
    for (size_t i = 0; i < job->pick_count; i++)
        if (job->picks[i].finding) event_finding_drop(job->picks[i].finding);
    poll_outcome_free(job->outcome);
    job_free(job);
}

/* --- ends --- */

static void note_limits(PollRun *run) {
    const SigmaLimits limits = sigma_scratch_limits(run->job->scratch);
    if (limits.regex)
        metric_add(run->world->metrics, &limits_total, (double)limits.regex,
            METRIC_VALUES(run->poll->account, run->poll->region, "regex"));
    if (limits.values)
        metric_add(run->world->metrics, &limits_total, (double)limits.values,
            METRIC_VALUES(run->poll->account, run->poll->region, "values"));
}

static void run_leave(PollRun *run, PollOutcome *outcome) {
    PollDone *done = run->done;
    void *ctx = run->ctx;
    gathered_deinit(&run->gathered);
    free(run);
    done(ctx, outcome);
}

/* The one way out of a run that was not cancelled on the pool; passed once. */
static void run_finish(PollRun *run, const char *lost, AwsClass class) {
    PollOutcome *outcome = run->outcome;
    poll_outcome_fail(outcome, lost, class);
    gather_hand_on(run);
    gather_conclude(run);
    note_limits(run);
    job_free(run->job);
    run_leave(run, outcome);
}

/* The pool has the outcome's memory: it is left to the job. */
static void run_abandon(PollRun *run) {
    PollOutcome *outcome = poll_outcome_new(0);
    outcome->failed = true;
    outcome->error = "cancelled";
    outcome->error_class = AWS_CANCELLED;
    outcome->now_ms = run->outcome->now_ms;
    outcome->calls = run->outcome->calls;
    outcome->lag_s = -1;
    run->job->run = NULL;
    run_leave(run, outcome);
}

static void page_ask(PollRun *run, const char *token);
static void next_reading(PollRun *run);

static void reading_begin(PollRun *run, LookupKind kind, Interval interval, bool is_gap) {
    run->reading = (Reading){.kind = kind,
        .is_gap = is_gap,
        .whole = interval,
        .asked = interval,
        .oldest_s = INT64_MAX,
        .most = LOOKUP_EVENTS_MAX};
    page_ask(run, NULL);
}

/* Read to its end. */
static void reading_done(PollRun *run) {
    EventMemory *memory = run->batch->memory;
    const Reading *reading = &run->reading;
    if (reading->kind == LOOKUP_FEED)
        memory->probe_s = run->now_s;
    else if (reading->is_gap)
        cursor_gap_read(&run->cursor, reading->whole, reading->whole.from_s - 1);
    if (reading->is_gap ? !run->cursor.gap_count : run->rereads) memory->overlap_s = run->now_s;
    next_reading(run);
}

/* Not read to its end: what is left becomes a gap, or stays one. Where nothing was read at all, nothing has changed,
 * and the next run asks the same. */
static void reading_stop(PollRun *run, const char *lost, AwsClass class) {
    const Reading *reading = &run->reading;
    const int64_t rest_to_s = reading->oldest_s < reading->whole.to_s ? reading->oldest_s : reading->whole.to_s;
    run->is_partial = true;
    if (reading->kind != LOOKUP_FEED && reading->oldest_s != INT64_MAX) {
        if (reading->is_gap)
            cursor_gap_read(&run->cursor, reading->whole, rest_to_s);
        else
            cursor_add_gap(&run->cursor, (Interval){reading->whole.from_s, rest_to_s});
        if (!reading->is_gap && run->rereads) run->batch->memory->overlap_s = run->now_s;
    }
    run_finish(run, lost, class);
}

/* --- pages --- */

/* A token that comes twice would be followed for ever. */
static bool token_is_new(Reading *reading, const char *token) {
    const uint64_t hash = stable_hash(token);
    for (size_t i = 0; i < reading->token_count; i++)
        if (reading->tokens[i] == hash) return false;
    reading->tokens[reading->token_count++] = hash;
    return true;
}

static void page_done(PollRun *run) {
    OWN(lookup_page) LookupPage *page = GIVE(run->job->page);
    job_end_page(run->job);
    if (!page->next_token || run->reading.kind == LOOKUP_FEED) return reading_done(run);
    if (!token_is_new(&run->reading, page->next_token))
        return reading_stop(run, "LookupEvents gave the same page token twice", AWS_PAGING);
    page_ask(run, page->next_token);
}

static void match_work(uv_work_t *work) {
    Job *job = work->data;
    for (size_t i = 0; i < job->pick_count; i++) {
        EventFinding *finding = arena_alloc(job->outcome->arena, 1, sizeof *finding);
        finding_make(job->outcome->arena, job->rules, job->scratch, &job->page->events[job->picks[i].event], finding);
        job->picks[i].finding = finding;
    }
}

static void match_done(uv_work_t *work, int status) {
    Job *job = work->data;
    PollRun *run = job->run;
    job->is_busy = false;
    if (!run) return job_abandon(job);
    if (status != 0) return reading_stop(run, "the events were not matched", AWS_OTHER);
    for (size_t i = 0; i < job->pick_count; i++) {
        struct Pick *pick = &job->picks[i];
        gather_take(run, pick->finding, &job->page->events[pick->event], pick->seen);
    }
    page_done(run);
}

/* Times of what stands on the page: how far back it goes, how far forward, and whether the feed shows our calls. */
static void note_times(PollRun *run, const LookupEvent *event) {
    EventMemory *memory = run->batch->memory;
    Reading *reading = &run->reading;
    if (!event->time_s) return;
    if (strcmp(event->name, "LookupEvents") == 0 && event->time_s * 1000 > memory->feed_ms)
        memory->feed_ms = event->time_s * 1000;
    if (event->time_s < reading->oldest_s) reading->oldest_s = event->time_s;
    if (reading->kind != LOOKUP_FEED && event->time_s > run->newest_s) run->newest_s = event->time_s;
}

static void page_take(PollRun *run) {
    Job *job = run->job;
    const LookupPage *page = job->page;
    job->picks = alloc_zeroed(page->count + 1, sizeof *job->picks);
    for (size_t i = 0; i < page->count; i++) {
        struct Pick pick = {.event = i};
        note_times(run, &page->events[i]);
        if (run->reading.kind == LOOKUP_FEED) continue;
        if (gather_wants(run, &page->events[i], &pick.seen)) job->picks[job->pick_count++] = pick;
    }
    gather_count_read(run, page->count);
    if (!job->pick_count) return page_done(run);
    job->is_busy = true;
    uv_queue_work(run->world->loop, &job->work, match_work, match_done);
}

static void decode_work(uv_work_t *work) {
    Job *job = work->data;
    job->page = lookup_page_decode(job->body, job->length, &job->error);
}

static void decode_done(uv_work_t *work, int status) {
    Job *job = work->data;
    PollRun *run = job->run;
    job->is_busy = false;
    free(job->body);
    job->body = NULL;
    if (!run) return job_abandon(job);
    if (job->page) return page_take(run);
    reading_stop(run, status == 0 ? job->error.text : "the answer was not decoded", AWS_OTHER);
}

/* Half as many events a page, from where the reading stands: a token goes with the parameters that it came for. */
static void ask_for_less(PollRun *run) {
    Reading *reading = &run->reading;
    reading->most /= 2;
    if (reading->oldest_s < reading->asked.to_s) reading->asked.to_s = reading->oldest_s;
    reading->token_count = 0;
    page_ask(run, NULL);
}

static void page_answered(void *ctx, const AwsAnswer *answer) {
    PollRun *run = ctx;
    Job *job = run->job;
    run->ticket = NULL;
    if (answer->class == AWS_TOO_LONG && run->reading.most > 1) return ask_for_less(run);
    if (answer->class != AWS_FINE)
        return reading_stop(run, *answer->explanation ? answer->explanation : "LookupEvents failed", answer->class);
    job->length = answer->body_length;
    job->body = text_copy_length(answer->body ? answer->body : "", answer->body_length);
    job->error = (Error){0};
    job->is_busy = true;
    uv_queue_work(run->world->loop, &job->work, decode_work, decode_done);
}

/* Calls keep their distance behind aws_call(): what a poll takes is bounded here. */
static bool has_calls_left(const PollRun *run) {
    return run->pages < CLOUDTRAIL_PAGES_MAX && aws_now_ms(run->world->aws) / 1000 - run->now_s < CLOUDTRAIL_RUN_MAX_S;
}

static void page_ask(PollRun *run, const char *token) {
    const Reading *reading = &run->reading;
    if (!has_calls_left(run)) return reading_stop(run, NULL, AWS_FINE);
    char *body = lookup_request(reading->kind, reading->asked, reading->most, token);
    run->pages++;
    run->outcome->calls++;
    run->ticket = aws_call(run->world->aws,
        &(AwsCall){
            .account = run->poll->account,
            .region = run->poll->region,
            .service = AWS_CLOUDTRAIL,
            .operation = "LookupEvents",
            .action = "cloudtrail:LookupEvents",
            .body = body,
            .body_length = strlen(body),
            .body_max = LOOKUP_BODY_MAX,
        },
        page_answered, run);
    free(body);
}

/* --- what is read, in its order --- */

static bool is_due(int64_t last_s, int64_t every_s, int64_t now_s) {
    return !last_s || now_s - last_s >= every_s || now_s < last_s;
}

static LookupKind kind_of(const PollRun *run) { return run->batch->writes_only ? LOOKUP_WRITES : LOOKUP_ALL; }

/* Where events that only read are not asked for, our own calls are not among them: does the feed live at all? */
static bool probe_is_due(const PollRun *run) {
    return run->batch->writes_only && run->reading.kind != LOOKUP_FEED && !run->reading.is_gap &&
        is_due(run->batch->memory->probe_s, CLOUDTRAIL_PROBE_EVERY_S, run->now_s);
}

static void next_reading(PollRun *run) {
    if (probe_is_due(run))
        return reading_begin(run, LOOKUP_FEED, (Interval){run->now_s - CLOUDTRAIL_PROBE_BACK_S, run->now_s}, false);
    if (run->cursor.gap_count) return reading_begin(run, kind_of(run), run->cursor.gaps[0], true);
    run_finish(run, NULL, AWS_FINE);
}

static void first_reading(PollRun *run) {
    run->cursor = (CloudtrailCursor){.exists = true, .high_water_s = run->now_s - run->batch->lookback_s};
    run->cursor.known_from_s = run->cursor.high_water_s;
    LOG(INFO, "CloudTrail is read here for the first time: no event from before poll.cloudtrail.lookback counts",
        KV("account", run->poll->account), KV("region", run->poll->region), KV("lookback_s", run->batch->lookback_s));
}

static void take_cursor(PollRun *run) {
    const char *row = run->world->cursor ? run->world->cursor(run->world->ctx, run->batch->cursor) : NULL;
    run->cursor = cursor_parse(row, run->now_s);
    if (!run->cursor.exists) return first_reading(run);
    const int64_t lost_s = cursor_drop_old(&run->cursor, run->now_s);
    if (lost_s)
        LOG(WARNING, "events are lost: CloudTrail keeps them 90 days, and they could not be read before",
            KV("account", run->poll->account), KV("region", run->poll->region), KV("seconds", lost_s));
}

/* How far before the newest event. While there is a gap nothing is read twice: where all calls went to what was read
 * before, the gap would never be. */
static int64_t back_s(const PollRun *run) {
    if (run->rereads) return run->batch->overlap_s;
    return run->cursor.gap_count ? 0 : CLOUDTRAIL_REREAD_S;
}

static Interval main_interval(PollRun *run) {
    const int64_t last_s = run->batch->memory->overlap_s;
    run->rereads = !last_s || (!run->cursor.gap_count && is_due(last_s, CLOUDTRAIL_OVERLAP_EVERY_S, run->now_s));
    int64_t from_s = run->cursor.high_water_s - back_s(run);
    if (from_s < run->cursor.known_from_s) from_s = run->cursor.known_from_s;
    if (from_s < run->now_s - CLOUDTRAIL_KEPT_S) from_s = run->now_s - CLOUDTRAIL_KEPT_S;
    return (Interval){from_s, run->now_s};
}

PollRun *event_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx) {
    PollRun *run = alloc_zeroed(1, sizeof *run);
    *run = (PollRun){.poll = poll, .batch = poll->batch, .world = world, .done = done, .ctx = ctx};
    run->outcome = poll_outcome_new(0);
    run->outcome->now_ms = aws_now_ms(world->aws);
    run->now_s = run->outcome->now_ms / 1000;
    run->job = job_new(run);
    gathered_init(&run->gathered);
    take_cursor(run);
    reading_begin(run, kind_of(run), main_interval(run), false);
    return run;
}

void event_poll_cancel(PollRun *run) {
    if (run->ticket)
        aws_cancel(run->ticket); /* page_answered() ends the run */
    else
        run_abandon(run);
}

/* Its cursor was not committed either: the next run reads the whole overlap again, as after a restart. */
void event_poll_forget(const Poll *poll, int64_t now_s) {
    const EventBatch *batch = poll->batch;
    EventMemory *memory = batch->memory;
    (void)now_s;
    memory->overlap_s = memory->probe_s = memory->complete_s = 0;
}
