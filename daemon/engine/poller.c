/* daemon/engine/poller.c: from a due poll to a committed batch */
#include "engine/poller.h"

#include "alarms/instance_link.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/batch.h"
#include "engine/composites.h"
#include "engine/events.h"
#include "engine/feed.h"
#include "engine/schedule.h"
#include "engine/series.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_LONG_MS = 5000 }; /* that polls wait for the disk is told from then on */

static const Metric polls_metric = {
    "tocsin_polls_total", "Polls by their outcome.", METRIC_COUNTER, {"source", "account", "region", "result"}};
static const Metric under_way_metric = {"tocsin_changes_under_way",
    "Evaluated instances that are not on disk yet; polls wait from POLLER_UNDER_WAY_MAX on.", METRIC_GAUGE, {NULL}};
static const Metric success_metric = {"tocsin_source_last_success_timestamp_seconds",
    "When a source was last read without a failure.", METRIC_GAUGE, {"source", "account", "region"}};

/* What is remembered of a poll between its runs. */
typedef struct PollState {
    unsigned failures; /* in a row */
    bool was_tried, was_resumed;
    int64_t ok_boot_ms, ok_wall_ms, calls, end_s;
    char *error, *blind; /* of the last run: NULL, it went well; the alarms that it could not read */
    void *kept; /* of the newest run that kept something */
    Feed feed; /* of events */
} PollState;

typedef struct Task {
    Poller *poller;
    size_t index;
    uint64_t generation;
    int64_t skew_ms; /* AWS's clock minus ours, as applied when it was started */
    bool is_repeat;
    PollRun *run;
    PollOutcome *outcome; /* of one that is ready */
    struct Task *next;
} Task;

enum { CLOCK_MOVED_MS = 5000 }; /* more than Date headers jitter, less than any period settles */

struct Poller {
    Core *core;
    Backlog *backlog;
    Own *own;
    PollWorld world;
    Snapshot *snapshot;
    Watch *watches;
    const Alarm *const *alarms; /* parallel to watches */
    size_t watch_count;
    char (*fingerprints)[FINGERPRINT_TEXT]; /* parallel to watches; "" where polls find the series */
    Series *series; /* those */
    Events *events;
    Plan *plan;
    Schedule *schedule;
    PollState *states; /* parallel to the schedule */
    Task *tasks; /* polls in flight */
    Task *ready, **last_ready; /* that came back and are not judged yet, oldest first */
    uint64_t generation;
    bool is_holding, is_hold_told; /* too much waits for the disk: no poll begins */
    int64_t held_boot_ms; /* since when */
    json_t *resume; /* cursor name -> UTC seconds of its last success */
    int64_t attempted_ms;
};

static void known(void *ctx, size_t watch, KnownSeries *each, void *each_ctx) {
    const Poller *poller = ctx;
    series_each(poller->series, watch, each, each_ctx);
}

static bool is_seen(void *ctx, const char *scope, const char *id) {
    const Poller *poller = ctx;
    return memory_is_seen(poller->core->memory, scope, id);
}

static const char *cursor(void *ctx, const char *name) {
    const Poller *poller = ctx;
    return memory_cursor(poller->core->memory, name);
}

Poller *poller_new(Core *core, Backlog *backlog, Own *own) {
    Poller *poller = alloc_zeroed(1, sizeof *poller);
    poller->core = core;
    poller->backlog = backlog;
    poller->own = own;
    poller->resume = json_object();
    poller->last_ready = &poller->ready;
    poller->events = events_new(core);
    poller->world = (PollWorld){core->loop, core->aws, core->clock, core->metrics, .known = known, .is_seen = is_seen,
        .cursor = cursor, .ctx = poller};
    return poller;
}

static void keep(Poller *poller, size_t index, void *take_kept) {
    void **kept = &poller->states[index].kept;
    if (*kept) plan_poll(poller->plan, index)->source->kept_free(*kept);
    *kept = take_kept;
}

static void drop_outcome(Poller *poller, size_t index, PollOutcome *take_outcome) {
    if (take_outcome->kept) plan_poll(poller->plan, index)->source->kept_free(take_outcome->kept);
    poll_outcome_free(take_outcome);
}

/* The plan is on its way out: nobody judges this any more. */
static void task_drop(Poller *poller, Task *task, PollOutcome *take_outcome) {
    drop_outcome(poller, task->index, take_outcome);
    free(task);
}

static Task *ready_pop(Poller *poller) {
    Task *task = poller->ready;
    poller->ready = task->next;
    if (!poller->ready) poller->last_ready = &poller->ready;
    return task;
}

static void plan_drop_all(Poller *poller) {
    poller->generation++;
    while (poller->ready) {
        Task *task = ready_pop(poller);
        task_drop(poller, task, task->outcome);
    }
    while (poller->tasks) { /* its callback takes it off the list */
        Task *task = poller->tasks;
        plan_poll(poller->plan, task->index)->source->cancel(task->run);
    }
    for (size_t i = 0; poller->schedule && i < schedule_count(poller->schedule); i++) {
        keep(poller, i, NULL);
        free(poller->states[i].error);
        free(poller->states[i].blind);
    }
    free(poller->states);
    poller->schedule = schedule_free(poller->schedule);
    poller->plan = plan_free(poller->plan);
    free(poller->watches);
    free((void *)poller->alarms);
    free(poller->fingerprints);
    poller->series = series_free(poller->series);
    poller->snapshot = snapshot_free(poller->snapshot);
}

Poller *poller_free(Poller *poller) {
    if (!poller) return NULL;
    plan_drop_all(poller);
    json_decref(poller->resume);
    events_free(poller->events);
    free(poller);
    return NULL;
}

/* --- cursors --- */

static void cursor_name(const Poll *poll, char *text, size_t room) {
    snprintf(text, room, "poll/%s/%s/%s/%016" PRIx64, poll->source->name, poll->account, poll->region, poll->phase);
}

void poller_resume(Poller *poller, const StoreLoad *load) {
    for (size_t i = 0; i < load->cursor_count; i++) {
        const CursorRow *row = &load->cursors[i];
        if (strncmp(row->name, "poll/", 5) || !row->value_json) continue;
        OWN(json) json_t *value = json_read(row->value_json, strlen(row->value_json), NULL);
        int64_t at_s;
        if (json_whole(value, "at_s", &at_s)) json_object_set_new(poller->resume, row->name, json_integer(at_s));
    }
    events_load(poller->events, load);
}

int64_t poller_resumed_s(const Poller *poller) {
    int64_t newest_s = 0;
    const char *name;
    json_t *at_s;
    json_object_foreach(poller->resume, name, at_s)
        if (json_integer_value(at_s) > newest_s) newest_s = json_integer_value(at_s);
    return newest_s;
}

/* The settled window end that this poll had judged when it last went well: as far behind its time as today's is. */
static int64_t resume_end_s(
    const Poller *poller, size_t index, const Observation *seen, const ThresholdRule *rule, int64_t now_s) {
    if (poller->states[index].was_resumed) return 0;
    char name[512];
    cursor_name(plan_poll(poller->plan, index), name, sizeof name);
    int64_t at_s;
    if (!json_whole(poller->resume, name, &at_s)) return 0;
    return evaluation_end_s(rule, at_s, now_s - seen->settled_end_s);
}

/* --- what came back --- */

static Instance *observed_instance(Poller *poller, const Observation *seen, int64_t now_ms) {
    const Watch *watch = &poller->watches[seen->watch];
    const Alarm *alarm = poller->alarms[seen->watch];
    if (series_is_found(poller->series, seen->watch))
        return series_seen(poller->series, seen->watch, seen->labels, seen->absent_s, now_ms);
    Instance *instance = instance_find(poller->core->instances, poller->fingerprints[seen->watch]);
    if (!instance)
        instance = instance_get(poller->core->instances, alarm->name, watch->account, watch->region,
            alarm->source->name, seen->labels, now_ms);
    const char *id = aws_account_id(poller->core->aws, watch->account);
    if (instance->alarm != alarm || (*id && strcmp(id, labels_get(instance->labels, "account_id"))))
        instance_attach(instance, alarm, id);
    return instance;
}

static void add_links(InstanceChange *change) {
    Instance *after = &change->after;
    const Alarm *alarm = after->alarm;
    free(after->facts.console_url);
    after->facts.console_url = NULL; /* instance_link() makes it */
    free(after->facts.what);
    after->facts.what = alarm->source->describe(alarm->selector, &alarm->rule);
}

static void judge_observation(Poller *poller, size_t index, const Observation *seen, int64_t now_ms, Batch *batch) {
    Instance *instance = observed_instance(poller, seen, now_ms);
    if (!instance) return; /* gone, or one more than may be watched: told of */
    InstanceChange *change = change_new(instance);
    if (seen->error) {
        change_error(change, seen->error);
    } else {
        change_observe(change, seen, resume_end_s(poller, index, seen, &instance->alarm->rule, now_ms / 1000), now_ms);
        if (seen->settled_end_s > poller->states[index].end_s) poller->states[index].end_s = seen->settled_end_s;
    }
    if (change->transition_count) add_links(change);
    batch_add(batch, change);
}

/* Blind is not a state: what could not be read keeps it, and says why. */
static void mark_blind(Poller *poller, const Poll *poll, const PollOutcome *outcome) {
    for (size_t i = 0; i < poll->watch_count; i++) {
        const size_t watch = poll->watches[i];
        if (series_is_found(poller->series, watch))
            series_blind(poller->series, watch, outcome->error ? outcome->error : "not read");
        bool was_seen = false;
        for (size_t o = 0; o < outcome->count && !was_seen; o++) was_seen = outcome->observations[o].watch == watch;
        if (was_seen || !*poller->fingerprints[watch]) continue;
        Instance *instance = instance_find(poller->core->instances, poller->fingerprints[watch]);
        if (!instance) continue;
        free(instance->evaluation_error);
        instance->evaluation_error = text_copy(outcome->error ? outcome->error : "not read");
    }
}

/* Everything was read: what was not seen of the series that polls find is missing, or gone. */
static void close_series(Poller *poller, const Poll *poll, const PollOutcome *outcome, int64_t now_ms, Batch *batch) {
    for (size_t i = 0; i < poll->watch_count; i++)
        if (series_is_found(poller->series, poll->watches[i]))
            series_close(poller->series, poll->watches[i], outcome->settled_end_s, now_ms, batch);
}

static const char *first_error(const PollOutcome *outcome) {
    if (outcome->failed) return outcome->error ? outcome->error : "failed";
    for (size_t i = 0; i < outcome->count; i++)
        if (outcome->observations[i].error) return outcome->observations[i].error;
    return NULL;
}

/* --- is the source alive? --- */

/* Could this run read what the watch asks for? What finds its series and found none says nothing of it. */
static bool is_blind(const Poller *poller, const PollOutcome *outcome, size_t watch) {
    bool was_seen = false;
    for (size_t i = 0; i < outcome->count; i++) {
        if (outcome->observations[i].watch != watch) continue;
        if (outcome->observations[i].error) return true;
        was_seen = true;
    }
    return outcome->failed && (!was_seen || series_is_found(poller->series, watch));
}

/* The alarms of a poll that are blind; all of them where there was no run. Caller frees. */
static char *name_alarms(const Poller *poller, const Poll *poll, const PollOutcome *outcome) {
    size_t named = 0, more = 0;
    Buffer text = BUFFER(REASON_MAX);
    for (size_t i = 0; i < poll->watch_count; i++) {
        if (outcome && !is_blind(poller, outcome, poll->watches[i])) continue;
        if (named == POLL_NAMED_ALARMS) {
            more++;
            continue;
        }
        buffer_format(&text, "%s%s", named++ ? ", " : "", poller->watches[poll->watches[i]].alarm);
    }
    if (more) buffer_format(&text, " and %zu more", more);
    return buffer_take(&text);
}

static bool is_failing(const Poller *poller, size_t index, int64_t boot_ms) {
    const PollState *state = &poller->states[index];
    const int64_t every_ms = plan_poll(poller->plan, index)->every_s * 1000;
    return state->failures >= POLL_FAILURES ||
        boot_ms - state->ok_boot_ms > POLL_STALE_PERIODS * every_ms + SCHEDULE_FIRST_MS;
}

static bool same_feed(const Poll *a, const Poll *b) {
    return !strcmp(a->account, b->account) && !strcmp(a->region, b->region) && !strcmp(a->api, b->api);
}

static void tell_failing(Poller *poller, const Poll *poll, size_t worst) {
    const PollState *state = &poller->states[worst];
    Buffer reason = BUFFER(REASON_MAX);
    if (state->failures)
        buffer_format(&reason, "%s in %s %s failed %u times in a row: %s; blind: ", poll->api, poll->account,
            poll->region, state->failures, state->error ? state->error : "");
    else
        buffer_format(&reason, "%s in %s %s had no success for %d periods; blind: ", poll->api, poll->account,
            poll->region, POLL_STALE_PERIODS);
    OWN(text) char *all = state->blind ? NULL : name_alarms(poller, plan_poll(poller->plan, worst), NULL);
    buffer_text(&reason, state->blind ? state->blind : all);
    OWN(labels)
    Labels *series =
        labels_new((const Label[]){{"account", poll->account}, {"region", poll->region}, {"api", poll->api}}, 3);
    own_set(poller->own, &own_source_failing, series, true, buffer_string(&reason));
    buffer_deinit(&reason);
}

static void tell_alive(Poller *poller, const Poll *poll) {
    OWN(labels)
    Labels *series =
        labels_new((const Label[]){{"account", poll->account}, {"region", poll->region}, {"api", poll->api}}, 3);
    own_set(poller->own, &own_source_failing, series, false, "every batch was read again");
}

/* One alarm an (account, region, api): any failing batch keeps it up; only when each has been read does it clear. */
static void look_at_feed(Poller *poller, size_t index) {
    const Poll *poll = plan_poll(poller->plan, index);
    const int64_t boot_ms = clock_boot_ms(poller->core->clock);
    size_t worst = SIZE_MAX;
    bool all_well = true;
    for (size_t i = 0; i < plan_count(poller->plan); i++) {
        if (!same_feed(poll, plan_poll(poller->plan, i))) continue;
        const PollState *state = &poller->states[i];
        if (is_failing(poller, i, boot_ms) && (worst == SIZE_MAX || state->failures > poller->states[worst].failures))
            worst = i;
        all_well = all_well && state->was_tried && !state->failures;
    }
    if (worst != SIZE_MAX)
        tell_failing(poller, poll, worst);
    else if (all_well)
        tell_alive(poller, poll);
}

static void look_at_clock(Poller *poller) {
    enum { SKEW_WARNING_MS = 60000, SKEW_ERROR_MS = 300000 };
    const int64_t skew_ms = aws_skew_ms(poller->core->aws), off_ms = skew_ms < 0 ? -skew_ms : skew_ms;
    char reason[160];
    snprintf(reason, sizeof reason,
        "this machine's clock is %" PRId64 " s %s AWS's (let NTP set it; Tocsin corrects for it meanwhile)",
        off_ms / 1000, skew_ms > 0 ? "behind" : "ahead of");
    own_set_severity(poller->own, &own_clock_skew, off_ms > SKEW_ERROR_MS ? SEVERITY_ERROR : SEVERITY_WARNING, NULL,
        off_ms > SKEW_WARNING_MS, off_ms > SKEW_WARNING_MS ? reason : "the clocks agree again");
}

static void record_outcome(Poller *poller, size_t index, const PollOutcome *outcome) {
    const Poll *poll = plan_poll(poller->plan, index);
    PollState *state = &poller->states[index];
    const char *error = first_error(outcome);
    state->was_tried = true;
    state->calls += (int64_t)outcome->calls;
    const char *const feed[METRIC_LABELS] = {
        poll->source->name, poll->account, poll->region, error ? "failure" : "success"};
    metric_add(poller->core->metrics, &polls_metric, 1, feed);
    if (error) {
        state->failures++;
        if (state->failures == 1)
            LOG(WARNING, "poll failed", KV("account", poll->account), KV("region", poll->region), KV("api", poll->api),
                KV("error", error));
    } else {
        if (state->failures)
            LOG(INFO, "poll succeeds again", KV("account", poll->account), KV("region", poll->region),
                KV("api", poll->api));
        state->failures = 0;
        state->ok_boot_ms = clock_boot_ms(poller->core->clock);
        state->ok_wall_ms = clock_wall_ms(poller->core->clock);
        metric_set(poller->core->metrics, &success_metric, (double)state->ok_wall_ms / 1000, feed);
    }
    char *kept = error ? text_copy(error) : NULL;
    free(state->error);
    state->error = kept;
    free(state->blind);
    state->blind = error ? name_alarms(poller, poll, outcome) : NULL;
}

/* --- a run, from start to commit --- */

static void end_turn(Poller *poller, size_t index) {
    schedule_end(
        schedule_at(poller->schedule, index), clock_wall_ms(poller->core->clock), clock_boot_ms(poller->core->clock));
    poller->core->wake(poller->core->ctx);
}

static void batch_committed(void *ctx) {
    Task *task = ctx;
    Poller *poller = task->poller;
    if (task->generation == poller->generation) {
        poller->states[task->index].was_resumed =
            poller->states[task->index].was_resumed || !poller->states[task->index].failures;
        end_turn(poller, task->index);
    }
    free(task);
}

static void look_at_quiet_feed(Poller *poller, size_t index, const PollOutcome *outcome, int64_t now_ms) {
    const Poll *poll = plan_poll(poller->plan, index);
    const bool is_quiet = feed_is_quiet(&poller->states[index].feed, outcome->feed_seen_ms, now_ms);
    OWN(labels) Labels *series = labels_new((const Label[]){{"account", poll->account}, {"region", poll->region}}, 2);
    OWN(text)
    char *reason = text_format("CloudTrail in %s %s shows none of our own LookupEvents calls of the last hour: what "
                               "happens there may not be told (is its event history on, and who filters it?)",
        poll->account, poll->region);
    own_set(poller->own, &own_feed_quiet, series, is_quiet, is_quiet ? reason : "our own calls are shown again");
}

static void judge_events(Poller *poller, size_t index, const PollOutcome *outcome, int64_t now_ms, Batch *batch) {
    events_judge(poller->events, plan_poll(poller->plan, index), outcome, now_ms, batch);
    if (!outcome->failed) look_at_quiet_feed(poller, index, outcome, now_ms);
    if (outcome->lag_s >= 0) poller->states[index].end_s = now_ms / 1000 - outcome->lag_s;
}

static void unlink_task(Poller *poller, Task *task) {
    Task **link = &poller->tasks;
    while (*link != task) link = &(*link)->next;
    *link = task->next;
}

static void note_attempted(Poller *poller) {
    for (size_t i = 0; i < plan_count(poller->plan); i++)
        if (!poller->states[i].was_tried) return;
    poller->attempted_ms = clock_wall_ms(poller->core->clock);
}

static int64_t applied_skew_ms(const Poller *poller) {
    return aws_now_ms(poller->core->aws) - clock_wall_ms(poller->core->clock);
}

static void start_run(Poller *poller, size_t index, bool is_repeat);

/* Was our clock corrected while AWS was asked? What was asked for then was of another time: a window that lies in AWS's
 * future is empty, and would be taken for missing data. It is asked for once more at once, then with the next turn. */
static bool asked_by_wrong_clock(Poller *poller, const Task *task, PollOutcome *take_outcome) {
    const int64_t moved_ms = applied_skew_ms(poller) - task->skew_ms;
    if (moved_ms <= CLOCK_MOVED_MS && moved_ms >= -CLOCK_MOVED_MS) return false;
    const Poll *poll = plan_poll(poller->plan, task->index);
    LOG(INFO, "the clock was corrected by AWS's while it was asked: the answer does not count",
        KV("account", poll->account), KV("region", poll->region), KV("api", poll->api), KV("seconds", moved_ms / 1000));
    drop_outcome(poller, task->index, take_outcome);
    if (task->is_repeat)
        end_turn(poller, task->index);
    else
        start_run(poller, task->index, true);
    return true;
}

static void judge_outcome(Task *task, PollOutcome *take_outcome) {
    Poller *poller = task->poller;
    const Poll *poll = plan_poll(poller->plan, task->index);
    const int64_t now_ms = take_outcome->now_ms ? take_outcome->now_ms : aws_now_ms(poller->core->aws);
    Batch *batch = batch_new(poller->backlog);
    if (take_outcome->scope) judge_events(poller, task->index, take_outcome, now_ms, batch);
    for (size_t i = 0; i < take_outcome->count; i++)
        judge_observation(poller, task->index, &take_outcome->observations[i], now_ms, batch);
    record_outcome(poller, task->index, take_outcome);
    if (take_outcome->kept) keep(poller, task->index, take_outcome->kept);
    if (take_outcome->failed)
        mark_blind(poller, poll, take_outcome);
    else if (take_outcome->is_complete)
        close_series(poller, poll, take_outcome, now_ms, batch);
    if (!first_error(take_outcome)) {
        char name[512], value[64];
        cursor_name(poll, name, sizeof name);
        snprintf(value, sizeof value, "{\"at_s\":%" PRId64 "}", now_ms / 1000);
        batch_cursor(batch, name, value);
    }
    poll_outcome_free(take_outcome);
    look_at_feed(poller, task->index);
    look_at_clock(poller);
    note_attempted(poller);
    batch_commit(batch, batch_committed, task);
}

/* One a turn of the loop: what some hundreds of series need is much for it. */
static void poll_done(void *ctx, PollOutcome *take_outcome) {
    Task *task = ctx;
    Poller *poller = task->poller;
    unlink_task(poller, task);
    if (task->generation != poller->generation) return task_drop(poller, task, take_outcome);
    if (asked_by_wrong_clock(poller, task, take_outcome)) {
        look_at_clock(poller);
        free(task);
        return;
    }
    task->outcome = take_outcome;
    task->next = NULL;
    *poller->last_ready = task;
    poller->last_ready = &task->next;
    poller->core->wake(poller->core->ctx);
}

static void start_run(Poller *poller, size_t index, bool is_repeat) {
    Task *task = alloc_zeroed(1, sizeof *task);
    task->poller = poller;
    task->generation = poller->generation;
    task->index = index;
    task->skew_ms = applied_skew_ms(poller);
    task->is_repeat = is_repeat;
    task->next = poller->tasks;
    poller->tasks = task;
    const Poll *poll = plan_poll(poller->plan, index);
    task->run = poll->source->start(poll, &poller->world, poll_done, task);
}

static void start_poll(Poller *poller, Scheduled *due, int64_t boot_ms) {
    schedule_begin(due, boot_ms);
    start_run(poller, (size_t)(due - schedule_at(poller->schedule, 0)), false);
}

/* What was evaluated and is not on disk is held in memory twice over: polls wait for the disk, not memory for them. */
static bool has_room(Poller *poller) {
    const size_t under_way = poller->core->changes_under_way;
    const bool is_holding = under_way >= POLLER_UNDER_WAY_MAX;
    metric_set(poller->core->metrics, &under_way_metric, (double)under_way, METRIC_VALUES(NULL));
    const int64_t boot_ms = clock_boot_ms(poller->core->clock);
    if (is_holding && !poller->is_holding) poller->held_boot_ms = boot_ms;
    poller->is_holding = is_holding;
    if (is_holding && !poller->is_hold_told && boot_ms - poller->held_boot_ms >= HELD_LONG_MS) {
        LOG(WARNING, "the disk is behind what polls find: the next polls wait for it", KV("instances", under_way),
            KV("POLLER_UNDER_WAY_MAX", POLLER_UNDER_WAY_MAX));
        poller->is_hold_told = true;
    }
    if (!is_holding && poller->is_hold_told) {
        LOG(INFO, "polls do not wait for the disk any more");
        poller->is_hold_told = false;
    }
    return !is_holding;
}

void poller_tick(Poller *poller) {
    if (!poller->schedule) return;
    const int64_t boot_ms = clock_boot_ms(poller->core->clock);
    if (has_room(poller) && poller->ready) {
        Task *task = ready_pop(poller);
        judge_outcome(task, task->outcome);
        poller->core->wake(poller->core->ctx);
    }
    for (Scheduled *due; !poller->ready && has_room(poller) && (due = schedule_due(poller->schedule, boot_ms));)
        start_poll(poller, due, boot_ms);
    for (size_t i = 0; i < plan_count(poller->plan); i++)
        if (!poller->states[i].failures && is_failing(poller, i, boot_ms)) look_at_feed(poller, i);
}

int64_t poller_next_boot_ms(const Poller *poller) {
    if (poller->is_holding) return INT64_MAX; /* woken when a commit is done */
    if (poller->ready) return clock_boot_ms(poller->core->clock);
    return poller->schedule ? schedule_next_boot_ms(poller->schedule) : INT64_MAX;
}

void poller_realign(Poller *poller) {
    if (poller->schedule)
        schedule_realign(poller->schedule, clock_wall_ms(poller->core->clock), clock_boot_ms(poller->core->clock));
}

void poller_rush(Poller *poller) {
    if (!poller->schedule) return;
    const int64_t boot_ms = clock_boot_ms(poller->core->clock);
    /* Time in which we were not there is no evidence against a source (I16). */
    for (size_t i = 0; i < plan_count(poller->plan); i++) poller->states[i].ok_boot_ms = boot_ms;
    schedule_rush(poller->schedule, boot_ms);
}

bool poller_is_idle(const Poller *poller) {
    for (size_t i = 0; poller->schedule && i < schedule_count(poller->schedule); i++)
        if (!poller->states[i].was_tried || schedule_at(poller->schedule, i)->is_running) return false;
    return true;
}

bool poller_has_failed(const Poller *poller) {
    for (size_t i = 0; poller->schedule && i < schedule_count(poller->schedule); i++)
        if (poller->states[i].failures) return true;
    return false;
}

PlanCost poller_cost(const Poller *poller) { return poller->plan ? plan_cost(poller->plan) : (PlanCost){0}; }

const void *poller_kept(const Poller *poller, size_t index, const Poll **ret_poll) {
    *ret_poll = poller->plan && index < plan_count(poller->plan) ? plan_poll(poller->plan, index) : NULL;
    return *ret_poll ? poller->states[index].kept : NULL;
}

int64_t poller_attempted_ms(const Poller *poller) { return poller->attempted_ms; }

/* --- a new configuration --- */

static void attach_watches(Poller *poller) {
    Core *core = poller->core;
    for (Instance *i = instances_next(core->instances, NULL); i; i = instances_next(core->instances, i)) {
        instance_keep_link(i);
        i->alarm = NULL;
    }
    poller->series = series_new(core, poller->backlog, poller->own,
        snapshot_section(poller->snapshot, &discovery_section), poller->watches, poller->alarms, poller->watch_count);
    for (size_t w = 0; w < poller->watch_count; w++) {
        const Watch *watch = &poller->watches[w];
        const Alarm *alarm = poller->alarms[w];
        if (series_is_found(poller->series, w)) continue;
        OWN(labels) Labels *series = alarm->source->series(alarm->selector);
        Instance *instance = instance_get(core->instances, alarm->name, watch->account, watch->region,
            alarm->source->name, series, clock_wall_ms(core->clock));
        instance_attach(instance, alarm, aws_account_id(core->aws, watch->account));
        memcpy(poller->fingerprints[w], instance->fingerprint, FINGERPRINT_TEXT);
    }
    events_configure(poller->events, poller->series, poller->watches, poller->watch_count);
    composites_attach(core->composites, poller->snapshot, poller->watches, poller->alarms, poller->watch_count);
}

static const char *why_gone(const Poller *poller, const Instance *instance) {
    const Alarm *alarm = alarm_find(poller->snapshot, instance->name);
    if (!alarm) return "the alarm was removed from the configuration";
    if (!alarm->enabled) return "the alarm was disabled";
    return "the alarm does not watch this series any more";
}

/* Removed by the reload: what fires is resolved with that reason, the rest is forgotten (contract 3). */
static void retire_others(Poller *poller) {
    const int64_t now_ms = clock_wall_ms(poller->core->clock);
    Batch *batch = batch_new(poller->backlog);
    for (Instance *i = instances_next(poller->core->instances, NULL); i;
         i = instances_next(poller->core->instances, i)) {
        if (i->alarm || i->gone || !strcmp(i->source, SOURCE_TOCSIN)) continue;
        if (i->firing_since_ms) {
            InstanceChange *change = change_new(i);
            change_gone(change, why_gone(poller, i), now_ms);
            batch_add(batch, change);
        } else {
            batch_forget(batch, i->fingerprint);
        }
    }
    batch_commit(batch, NULL, NULL);
}

static bool is_still_polled(void *ctx, const Labels *series) {
    const Poller *poller = ctx;
    for (size_t i = 0; i < plan_count(poller->plan); i++) {
        const Poll *poll = plan_poll(poller->plan, i);
        if (!strcmp(poll->account, labels_get(series, "account")) &&
            !strcmp(poll->region, labels_get(series, "region")) && !strcmp(poll->api, labels_get(series, "api")))
            return true;
    }
    return false;
}

static bool is_feed(void *ctx, const Labels *series) {
    const Poller *poller = ctx;
    for (size_t i = 0; i < plan_count(poller->plan); i++) {
        const Poll *poll = plan_poll(poller->plan, i);
        if (poll->source->has_events && !strcmp(poll->account, labels_get(series, "account")) &&
            !strcmp(poll->region, labels_get(series, "region")))
            return true;
    }
    return false;
}

/* What a reload must not forget of a poll: a source that was blind before it is as blind behind it. */
typedef struct Remembered {
    char name[512];
    const Source *source;
    PollState state;
} Remembered;

static Remembered *remember_polls(Poller *poller, size_t *ret_count) {
    *ret_count = poller->plan ? plan_count(poller->plan) : 0;
    Remembered *all = alloc_zeroed(*ret_count + 1, sizeof *all);
    for (size_t i = 0; i < *ret_count; i++) {
        cursor_name(plan_poll(poller->plan, i), all[i].name, sizeof all[i].name);
        all[i].source = plan_poll(poller->plan, i)->source;
        all[i].state = poller->states[i];
        poller->states[i].error = poller->states[i].blind = NULL;
        poller->states[i].kept = NULL;
    }
    return all;
}

static void recall_polls(Poller *poller, Remembered *take_all, size_t count) {
    for (size_t i = 0; i < plan_count(poller->plan); i++) {
        char name[sizeof take_all->name];
        cursor_name(plan_poll(poller->plan, i), name, sizeof name);
        for (size_t r = 0; r < count; r++) {
            if (strcmp(take_all[r].name, name)) continue;
            poller->states[i] = take_all[r].state;
            take_all[r] = (Remembered){0};
        }
    }
    for (size_t r = 0; r < count; r++) {
        free(take_all[r].state.error);
        free(take_all[r].state.blind);
        if (take_all[r].state.kept) take_all[r].source->kept_free(take_all[r].state.kept);
    }
    free(take_all);
}

void poller_configure(Poller *poller, Snapshot *snapshot) {
    size_t count;
    Remembered *before = remember_polls(poller, &count);
    if (poller->plan) plan_drop_all(poller);
    const int64_t boot_ms = clock_boot_ms(poller->core->clock);
    poller->snapshot = snapshot_ref(snapshot);
    poller->watch_count = alarm_watches(snapshot, &poller->watches, &poller->alarms);
    poller->fingerprints = alloc_zeroed(poller->watch_count + 1, sizeof *poller->fingerprints);
    poller->plan = sources_plan(snapshot, poller->watches, poller->watch_count);
    poller->schedule = schedule_new(poller->plan, boot_ms);
    poller->states = alloc_zeroed(plan_count(poller->plan) + 1, sizeof *poller->states);
    for (size_t i = 0; i < plan_count(poller->plan); i++) poller->states[i].ok_boot_ms = boot_ms;
    recall_polls(poller, before, count);
    attach_watches(poller);
    retire_others(poller);
    own_clear_others(poller->own, &own_source_failing, is_still_polled, poller, "it is not read any more");
    own_clear_others(poller->own, &own_feed_quiet, is_feed, poller, "it is not read any more");
    poller->attempted_ms = 0; /* what is new has yet to be tried */
    note_attempted(poller);
    poller->core->wake(poller->core->ctx);
}

/* --- the sources as people see them --- */

static SourceView *view_of(SourceView *views, size_t *count, const Poll *poll) {
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(views[i].name, poll->source->name) && !strcmp(views[i].account, poll->account) &&
            !strcmp(views[i].region, poll->region))
            return &views[i];
    SourceView *view = &views[(*count)++];
    *view = (SourceView){.name = poll->source->name,
        .account = poll->account,
        .region = poll->region,
        .every_s = poll->every_s,
        .last_success_ms = INT64_MAX,
        .next_poll_ms = INT64_MAX};
    return view;
}

size_t poller_sources(const Poller *poller, SourceView **ret_views) {
    const size_t polls = poller->plan ? plan_count(poller->plan) : 0;
    const int64_t boot_ms = clock_boot_ms(poller->core->clock), wall_ms = clock_wall_ms(poller->core->clock);
    SourceView *views = alloc_zeroed(polls + 1, sizeof *views);
    size_t count = 0;
    for (size_t i = 0; i < polls; i++) {
        const PollState *state = &poller->states[i];
        SourceView *view = view_of(views, &count, plan_poll(poller->plan, i));
        const Scheduled *scheduled = schedule_at(poller->schedule, i);
        const int64_t next_ms = scheduled->is_running ? wall_ms : wall_ms + scheduled->due_boot_ms - boot_ms;
        const int64_t lag_s = state->end_s ? aws_now_ms(poller->core->aws) / 1000 - state->end_s : 0;
        if (plan_poll(poller->plan, i)->every_s < view->every_s) view->every_s = plan_poll(poller->plan, i)->every_s;
        if (state->ok_wall_ms < view->last_success_ms)
            view->last_success_ms = state->ok_wall_ms; /* the worst batch speaks */
        if (next_ms < view->next_poll_ms) view->next_poll_ms = next_ms;
        if (lag_s > view->lag_s) view->lag_s = lag_s;
        if (state->error) view->last_error = state->error;
        view->calls += state->calls;
    }
    *ret_views = views;
    return count;
}
