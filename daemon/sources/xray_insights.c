#include "sources/xray.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/timetext.h"
#include "sources/console.h"
#include "sources/paged.h"
#include "sources/plan.h"
#include "sources/xray_summaries.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    INSIGHTS_BACK_S = 6 * 3600,
    INSIGHTS_GRACE_S = 30 * 60, /* how long an insight may be in no answer before it is over */
    INSIGHTS_A_PAGE = 100,
    INSIGHTS_FOLLOWED = 50, /* known ones asked for by id in one run */
    TEXT_MAX = 2000
};

static const Metric skipped_total = {"tocsin_xray_insights_skipped_total",
    "Insights left out because they had no id or state, were repeated, or were too many.", METRIC_COUNTER,
    {"account", "region"}};

typedef struct InsightsBatch {
    const char *group;
} InsightsBatch;

struct PollRun {
    const Poll *poll;
    const InsightsBatch *batch;
    const PollWorld *world;
    PollDone *done;
    void *ctx;
    PollOutcome *outcome;
    int64_t now_s;
    InsightList *list; /* what X-Ray says; grows by those that are followed */
    const char *follow[INSIGHTS_FOLLOWED]; /* ids that are ALARM here and in no list; in the outcome's arena */
    size_t follow_count, at;
    Paged *paged;
};

/* --- plan: a poll for each (account, region, group, interval) --- */

typedef struct Draft {
    char *key;
    const Watch *watch;
} Draft;

static int draft_order(const void *left, const void *right) {
    const Draft *a = left, *b = right;
    const int order = strcmp(a->key, b->key);
    if (order) return order;
    return a->watch->index < b->watch->index ? -1 : 1;
}

static void poll_add(Plan *plan, Snapshot *snapshot, const Draft *drafts, size_t count) {
    const InsightsSelector *selector = drafts[0].watch->selector;
    InsightsBatch *batch = arena_alloc(plan->arena, 1, sizeof *batch);
    size_t *watches = arena_alloc(plan->arena, count, sizeof *watches);
    for (size_t i = 0; i < count; i++) watches[i] = drafts[i].watch->index;
    batch->group = selector->group;
    plan_add(plan,
        &(Poll){.source = &insights_source,
            .account = drafts[0].watch->account,
            .region = drafts[0].watch->region,
            .api = "GetInsightSummaries",
            .every_s = xray_every_s(drafts[0].watch, snapshot),
            .phase = stable_hash(drafts[0].key),
            .watches = watches,
            .watch_count = count,
            .batch = batch});
}

Plan *insights_plan(Snapshot *snapshot, const Watch *watches, size_t count) {
    Plan *plan = plan_new(snapshot);
    Draft *drafts = alloc_zeroed(count + 1, sizeof *drafts);
    for (size_t i = 0; i < count; i++) {
        const InsightsSelector *selector = watches[i].selector;
        drafts[i].watch = &watches[i];
        drafts[i].key = text_format("insights\n%s\n%s\n%s\n%lld", watches[i].account, watches[i].region,
            selector->group, (long long)xray_every_s(&watches[i], snapshot));
    }
    qsort(drafts, count, sizeof *drafts, draft_order);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && strcmp(drafts[first].key, drafts[end].key) == 0;) end++;
        poll_add(plan, snapshot, drafts + first, end - first);
    }
    for (size_t i = 0; i < count; i++) free(drafts[i].key);
    free(drafts);
    return plan;
}

/* --- which are known here --- */

typedef struct Asking {
    PollRun *run;
    const char *id; /* is this one known? */
    bool found;
} Asking;

static void look_for(void *ctx, const Labels *series, AlarmState state) {
    Asking *asking = ctx;
    (void)state;
    if (strcmp(labels_get(series, "insight"), asking->id) == 0) asking->found = true;
}

static bool is_known(PollRun *run, size_t watch, const char *id) {
    Asking asking = {run, id, false};
    if (!run->world->known) return true;
    run->world->known(run->world->ctx, watch, look_for, &asking);
    return asking.found;
}

static void follow_one(void *ctx, const Labels *series, AlarmState state) {
    Asking *asking = ctx;
    PollRun *run = asking->run;
    const char *id = labels_get(series, "insight");
    if (state != STATE_ALARM || !*id || insight_list_find(run->list, id)) return;
    for (size_t i = 0; i < run->follow_count; i++)
        if (strcmp(run->follow[i], id) == 0) return;
    if (run->follow_count < INSIGHTS_FOLLOWED) run->follow[run->follow_count++] = arena_text(run->outcome->arena, id);
}

/* --- words --- */

static const char *stamp(double seconds, char text[static TIME_TEXT_MAX]) {
    return isnan(seconds) ? "an unknown time" : time_format((int64_t)(seconds * 1000), text);
}

/* `insight ACTIVE since 2026-01-02T03:00:00.000Z: payments faults, 38 of 120 requests` */
static const char *reason_of(const Insight *insight, Arena *arena) {
    char since[TIME_TEXT_MAX];
    Buffer out = BUFFER(TEXT_MAX);
    if (insight->is_active)
        buffer_format(&out, "insight ACTIVE since %s", stamp(insight->start_s, since));
    else
        buffer_format(&out, "insight CLOSED at %s", stamp(insight->end_s, since));
    if (*insight->root_service) buffer_format(&out, ": %s faults", insight->root_service);
    if (insight->client_faults >= 0 && insight->client_total >= 0)
        buffer_format(&out, "%s%" PRId64 " of %" PRId64 " requests", *insight->root_service ? ", " : ": ",
            insight->client_faults, insight->client_total);
    const char *text = arena_text(arena, buffer_string(&out));
    buffer_deinit(&out);
    return text;
}

static Labels *notes_of(const Insight *insight) {
    char since[TIME_TEXT_MAX];
    Buffer root = BUFFER(TEXT_MAX), impact = BUFFER(TEXT_MAX);
    if (*insight->root_service)
        buffer_format(&root, "%s%s%s%s", insight->root_service, *insight->root_type ? " (" : "", insight->root_type,
            *insight->root_type ? ")" : "");
    if (insight->client_faults >= 0 && insight->client_total >= 0)
        buffer_format(&impact, "%" PRId64 " of %" PRId64 " client requests failed", insight->client_faults,
            insight->client_total);
    if (insight->root_faults >= 0 && insight->root_total >= 0)
        buffer_format(&impact, "%s%" PRId64 " of %" PRId64 " at the root cause", impact.used ? ", " : "",
            insight->root_faults, insight->root_total);
    Labels *notes = labels_new((const Label[]){{"root_cause", buffer_string(&root)}, {"impact", buffer_string(&impact)},
                                   {"insight_summary", insight->summary}, {"categories", insight->categories},
                                   {"affected", insight->anomalous}, {"started", stamp(insight->start_s, since)}},
        6);
    buffer_deinit(&root);
    buffer_deinit(&impact);
    return notes;
}

/* --- the way out --- */

static void observe(PollRun *run, size_t watch, const Insight *insight) {
    PollOutcome *outcome = run->outcome;
    SaidState *said = arena_alloc(outcome->arena, 1, sizeof *said);
    const bool has_share = insight->client_faults >= 0 && insight->client_total > 0;
    *said = (SaidState){.state = insight->is_active ? STATE_ALARM : STATE_OK,
        .reason = reason_of(insight, outcome->arena),
        .value = has_share ? 100 * (double)insight->client_faults / (double)insight->client_total : NAN};
    outcome->observations[outcome->count++] = (Observation){.watch = watch,
        .labels = labels_new((const Label[]){{"xray_group", run->batch->group}, {"insight", insight->id}}, 2),
        .notes = notes_of(insight),
        .said = said,
        .settled_end_s = run->now_s};
}

/* A closed one that nobody here has seen open is no news. */
static void observe_all(PollRun *run) {
    PollOutcome *outcome = run->outcome;
    const size_t most = run->poll->watch_count * run->list->count;
    outcome->observations = arena_alloc(outcome->arena, most + 1, sizeof *outcome->observations);
    for (size_t w = 0; w < run->poll->watch_count; w++)
        for (size_t i = 0; i < run->list->count; i++) {
            const Insight *insight = &run->list->insights[i];
            if (insight->is_active || is_known(run, run->poll->watches[w], insight->id))
                observe(run, run->poll->watches[w], insight);
        }
    if (run->list->skipped)
        metric_add(run->world->metrics, &skipped_total, (double)run->list->skipped,
            METRIC_VALUES(run->poll->account, run->poll->region));
}

/* Passed once. */
static void run_finish(PollRun *run, const char *lost, AwsClass class) {
    PollOutcome *outcome = run->outcome;
    poll_outcome_fail(outcome, lost, class);
    outcome->is_complete = !outcome->failed;
    if (run->list) observe_all(run);
    insight_list_free(run->list);
    PollDone *done = run->done;
    void *ctx = run->ctx;
    free(run);
    done(ctx, outcome);
}

/* --- asking --- */

static bool list_page(void *job, const char *body, size_t length, const char **ret_token, Error *err) {
    return insight_list_add(job, body, length, ret_token, err);
}
static bool one_page(void *job, const char *body, size_t length, const char **ret_token, Error *err) {
    *ret_token = NULL;
    return insight_list_add_one(job, body, length, err);
}
static void list_free(void *job) { insight_list_free(job); }
static const PagedKind list_kind = {list_page, NULL, list_free}, one_kind = {one_page, NULL, list_free};

static void follow_ask(PollRun *run);

static void followed(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    const bool is_gone = end->class == AWS_VALIDATION || end->class == AWS_NOT_FOUND; /* X-Ray does not know it */
    run->paged = NULL;
    run->outcome->calls += end->pages;
    if (end->take_job)
        insight_list_join(run->list, end->take_job);
    else if (!is_gone) {
        run_finish(run, end->error, end->class);
        return;
    }
    run->at++;
    follow_ask(run);
}

static void follow_ask(PollRun *run) {
    if (run->at == run->follow_count) {
        run_finish(run, NULL, AWS_FINE);
        return;
    }
    run->paged = paged_start(run->world,
        &(PagedAsk){.account = run->poll->account,
            .region = run->poll->region,
            .operation = "GetInsight",
            .action = "xray:GetInsight",
            .path = "/Insight",
            .service = AWS_XRAY,
            .take_body = json_pack("{s:s}", "InsightId", run->follow[run->at]),
            .kind = &one_kind,
            .take_job = insight_list_new()},
        followed, run);
}

static void listed(void *ctx, const PagedEnd *end) {
    PollRun *run = ctx;
    run->paged = NULL;
    run->outcome->calls += end->pages;
    run->list = end->take_job;
    if (!run->list) {
        OWN(text)
        char *words = end->class == AWS_VALIDATION
            ? text_format("%s (does the X-Ray group `%s` exist, and are insights enabled for it?)", end->error,
                  run->batch->group)
            : text_copy(end->error);
        run_finish(run, words, end->class);
        return;
    }
    Asking asking = {.run = run};
    for (size_t i = 0; i < run->poll->watch_count && run->world->known; i++)
        run->world->known(run->world->ctx, run->poll->watches[i], follow_one, &asking);
    follow_ask(run);
}

PollRun *insights_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx) {
    PollRun *run = alloc_zeroed(1, sizeof *run);
    *run = (PollRun){.poll = poll, .batch = poll->batch, .world = world, .done = done, .ctx = ctx};
    run->outcome = poll_outcome_new(0);
    run->outcome->now_ms = aws_now_ms(world->aws);
    run->now_s = run->outcome->now_ms / 1000;
    run->paged = paged_start(world,
        &(PagedAsk){.account = poll->account,
            .region = poll->region,
            .operation = "GetInsightSummaries",
            .action = "xray:GetInsightSummaries",
            .path = "/InsightSummaries",
            .service = AWS_XRAY,
            .take_body = json_pack("{s:s, s:I, s:I, s:i}", "GroupName", run->batch->group, "StartTime",
                (json_int_t)(run->now_s - INSIGHTS_BACK_S), "EndTime", (json_int_t)run->now_s, "MaxResults",
                (int)INSIGHTS_A_PAGE),
            .kind = &list_kind,
            .take_job = insight_list_new()},
        listed, run);
    return run;
}

void insights_poll_cancel(PollRun *run) {
    run->paged = paged_cancel(run->paged);
    run_finish(run, "cancelled", AWS_CANCELLED);
}

char *insights_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms) {
    Buffer out = BUFFER(CONSOLE_URL_MAX);
    (void)selector, (void)at_ms;
    console_begin(&out, region);
    buffer_format(&out, "xray:insights/%s", labels_get(series, "insight"));
    return buffer_take(&out);
}

char *insights_describe(const void *selector, const ThresholdRule *rule) {
    (void)rule;
    return text_format("X-Ray insights of group %s", ((const InsightsSelector *)selector)->group);
}

static const char *const actions[] = {"xray:GetInsightSummaries", "xray:GetInsight", NULL};

static const SourceProbe probes[] = {{"xray:GetInsightSummaries", AWS_XRAY, "/InsightSummaries",
                                         "{\"GroupName\":\"Default\",\"StartTime\":@start@,\"EndTime\":@end@}"},
    {NULL}};

const Source insights_source = {
    .name = "xray",
    .alarm_key = "insights",
    .has_no_threshold = true,
    .grace_s = INSIGHTS_GRACE_S,
    .selector_rows = insights_rows,
    .selector_size = sizeof(InsightsSelector),
    .selector_decode = insights_selector_decode,
    .actions = actions,
    .probes = probes,
    .plan = insights_plan,
    .start = insights_poll_start,
    .cancel = insights_poll_cancel,
    .console_url = insights_console_url,
    .describe = insights_describe,
};
