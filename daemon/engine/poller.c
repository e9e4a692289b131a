/* daemon/engine/poller.c: from a due poll to a committed batch */
#include "engine/poller.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/judging.h"

#include <stdlib.h>

enum { HELD_LONG_MS = 5000 }; /* that polls wait for the disk is told from then on */
enum { CLOCK_MOVED_MS = 5000 }; /* more than Date headers jitter, less than any period settles */

static const Metric under_way_metric = {"tocsin_changes_under_way",
    "Evaluated instances that are not on disk yet; polls wait from POLLER_UNDER_WAY_MAX on.", METRIC_GAUGE, {NULL}};

typedef struct Task {
    Poller *poller;
    size_t index;
    uint64_t generation;
    int64_t aws_ahead_ms; /* as aws_ahead_ms() said when it was started */
    bool is_repeat;
    PollRun *run;
    PollOutcome *outcome; /* of one that is ready */
    struct Task *next;
} Task;

struct Poller {
    Core *core;
    Backlog *backlog;
    Own *own;
    PollWorld world;
    Judging *judging;

    /* The present configuration's; NULL before the first. */
    Watched *watched;
    Plan *plan;
    Schedule *schedule; /* parallel to the plan, as the states */
    PollStates *states;
    Health *health;

    Task *tasks; /* polls in flight */
    Task *ready, **last_ready; /* that came back and are not judged yet, oldest first */
    Task *judged; /* the one whose outcome is with `judging`; NULL: none */
    uint64_t generation;
    bool is_holding, is_hold_told; /* too much waits for the disk: no poll begins */
    int64_t held_boot_ms; /* since when */
};

static void known(void *ctx, size_t watch, KnownSeries *each, void *each_ctx) {
    const Poller *poller = ctx;
    series_each(watched_series(poller->watched), watch, each, each_ctx);
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
    poller->last_ready = &poller->ready;
    poller->judging = judging_new(core, backlog);
    poller->world = (PollWorld){core->loop, core->aws, core->clock, core->metrics, .known = known, .is_seen = is_seen,
        .cursor = cursor, .ctx = poller};
    return poller;
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
    if (poller->judged) {
        PollOutcome *outcome = judging_abandon(poller->judging);
        task_drop(poller, GIVE(poller->judged), outcome);
    }
    while (poller->tasks) { /* its callback takes it off the list */
        Task *task = poller->tasks;
        plan_poll(poller->plan, task->index)->source->cancel(task->run);
    }
    poller->health = health_free(poller->health);
    poller->states = poll_states_free(poller->states);
    poller->schedule = schedule_free(poller->schedule);
    poller->plan = plan_free(poller->plan);
    poller->watched = watched_free(poller->watched);
}

Poller *poller_free(Poller *poller) {
    if (!poller) return NULL;
    plan_drop_all(poller);
    judging_free(poller->judging);
    free(poller);
    return NULL;
}

void poller_resume(Poller *poller, const StoreLoad *load) { judging_resume(poller->judging, load); }
int64_t poller_resumed_s(const Poller *poller) { return judging_resumed_s(poller->judging); }

void poller_configure(Poller *poller, Snapshot *snapshot) {
    PollStates *before = GIVE(poller->states);
    if (poller->plan) plan_drop_all(poller);
    const int64_t boot_ms = clock_boot_ms(poller->core->clock);
    poller->watched = watched_new(poller->core, poller->backlog, poller->own, snapshot);
    size_t count;
    const Watch *watches = watched_all(poller->watched, &count);
    poller->plan = sources_plan(snapshot, watches, count);
    poller->schedule = schedule_new(poller->plan, boot_ms);
    poller->states = poll_states_new(poller->plan, before, boot_ms);
    poller->health = health_new(poller->core, poller->own, poller->states, poller->watched);
    judging_configure(poller->judging, poller->watched, poller->states, poller->health);
    watched_retire_others(poller->watched);
    health_clear_others(poller->health);
    poller->core->wake(poller->core->ctx);
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
        judging_committed(poller->judging, task->index);
        end_turn(poller, task->index);
    }
    free(task);
}

static void unlink_task(Poller *poller, Task *task) {
    Task **link = &poller->tasks;
    while (*link != task) link = &(*link)->next;
    *link = task->next;
}

/* AWS's time minus the boot clock, which nobody sets: it moves when we learn that we were wrong of AWS's time, not when
 * somebody sets our wall clock. */
static int64_t aws_ahead_ms(const Poller *poller) {
    return aws_now_ms(poller->core->aws) - clock_boot_ms(poller->core->clock);
}

static void start_run(Poller *poller, size_t index, bool is_repeat);

/* Was our clock corrected while AWS was asked? What was asked for then was of another time: a window that lies in AWS's
 * future is empty, and would be taken for missing data. It is asked for once more at once, then with the next turn. */
static bool asked_by_wrong_clock(Poller *poller, const Task *task, PollOutcome *take_outcome) {
    const int64_t moved_ms = aws_ahead_ms(poller) - task->aws_ahead_ms;
    if (moved_ms <= CLOCK_MOVED_MS && moved_ms >= -CLOCK_MOVED_MS) return false;
    const Poll *poll = plan_poll(poller->plan, task->index);
    LOG(INFO, "the clock was corrected by AWS's while it was asked: the answer does not count",
        KV("account", poll->account), KV("region", poll->region), KV("api", poll->api), KV("seconds", moved_ms / 1000));
    drop_outcome(poller, task->index, take_outcome);
    if (poll->source->forget) poll->source->forget(poll, aws_now_ms(poller->core->aws) / 1000);
    if (task->is_repeat)
        end_turn(poller, task->index);
    else
        start_run(poller, task->index, true);
    return true;
}

static void poll_done(void *ctx, PollOutcome *take_outcome) {
    Task *task = ctx;
    Poller *poller = task->poller;
    unlink_task(poller, task);
    if (task->generation != poller->generation) return task_drop(poller, task, take_outcome);
    if (asked_by_wrong_clock(poller, task, take_outcome)) {
        health_look_at_clock(poller->health);
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
    task->aws_ahead_ms = aws_ahead_ms(poller);
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

/* A part of it a turn of the loop. What is begun is finished, however much waits for the disk: it is of that itself. */
static void judge_on(Poller *poller) {
    Batch *batch = judging_go_on(poller->judging);
    if (batch) batch_commit(batch, batch_committed, GIVE(poller->judged));
}

static bool is_judging(const Poller *poller) { return poller->ready || poller->judged; }

void poller_tick(Poller *poller) {
    if (!poller->schedule) return;
    const int64_t boot_ms = clock_boot_ms(poller->core->clock);
    if (has_room(poller) && poller->ready && !poller->judged) {
        poller->judged = ready_pop(poller);
        judging_begin(poller->judging, poller->judged->index, GIVE(poller->judged->outcome));
    }
    if (poller->judged) judge_on(poller);
    for (Scheduled *due; !is_judging(poller) && has_room(poller) && (due = schedule_due(poller->schedule, boot_ms));)
        start_poll(poller, due, boot_ms);
    health_look_for_stale(poller->health);
}

int64_t poller_next_boot_ms(const Poller *poller) {
    if (poller->judged) return clock_boot_ms(poller->core->clock);
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
    health_excuse(poller->health);
    schedule_rush(poller->schedule, clock_boot_ms(poller->core->clock));
}

/* --- what is asked about it --- */

bool poller_is_idle(const Poller *poller) {
    for (size_t i = 0; poller->schedule && i < schedule_count(poller->schedule); i++)
        if (!poll_state(poller->states, i)->was_tried || schedule_at(poller->schedule, i)->is_running) return false;
    return true;
}

bool poller_has_failed(const Poller *poller) {
    for (size_t i = 0; poller->schedule && i < schedule_count(poller->schedule); i++)
        if (poll_state(poller->states, i)->failures) return true;
    return false;
}

PlanCost poller_cost(const Poller *poller) { return poller->plan ? plan_cost(poller->plan) : (PlanCost){0}; }

const void *poller_kept(const Poller *poller, size_t index, const Poll **ret_poll) {
    *ret_poll = poller->plan && index < plan_count(poller->plan) ? plan_poll(poller->plan, index) : NULL;
    return *ret_poll ? poll_state(poller->states, index)->kept : NULL;
}

int64_t poller_attempted_ms(const Poller *poller) { return poller->health ? health_attempted_ms(poller->health) : 0; }

size_t poller_sources(const Poller *poller, SourceView **ret_views) {
    if (poller->health) return health_views(poller->health, poller->schedule, ret_views);
    *ret_views = NULL;
    return 0;
}
