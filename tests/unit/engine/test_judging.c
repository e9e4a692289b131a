/* What one run of a poll brought back is judged in parts, and counts as one, or not at all. */
#include "engine/judging.h"
#include "sources/plan.h"
#include "sources/poll_section.h"
#include "sources/sigma_section.h"

#include "../run.h"
#include "core.h"

enum { SEEN = 2 * JUDGED_AT_ONCE + 50 };

static const SectionDescriptor *const sections[] = {
    &aws_section, &sigma_section, &packs_section, &alarms_section, &discovery_section, &poll_section, NULL};
static const SnapshotSchema schema = {sections, NULL};
static const char *const by_name[] = {"alertname"};
static const char config[] = "aws: {accounts: [{name: prod, regions: [eu-west-1]}]}\nalarms:\n- name: hosts\n"
                             "  metrics: [{id: q, expression: 'SELECT MAX(M) FROM N GROUP BY Host'}]\n"
                             "  comparison_operator: '>'\n  threshold: 1\n  evaluation_periods: 1\n";

typedef struct World {
    Room room;
    Core core;
    Backlog *backlog;
    Own *own;
    RouteSection routes;
    Snapshot *snapshot;
    Watched *watched;
    Plan *plan;
    PollStates *states;
    Health *health;
    Judging *judging;
} World;

static void core_init(World *w) {
    w->routes = (RouteSection){.is_given = true,
        .root = {.receiver = "oncall", .group_by = {1, by_name, NULL}, .group_wait_s = 30, .group_interval_s = 300}};
    w->core = core_make(&w->room, &w->routes);
}

static void world_init(World *w) {
    *w = (World){.snapshot = core_load(&schema, config)};
    room_init(&w->room);
    room_open(&w->room);
    core_init(w);
    w->backlog = backlog_new(&w->core);
    w->own = own_new(&w->core, w->backlog);
    w->watched = watched_new(&w->core, w->backlog, w->own, w->snapshot);
    size_t count;
    const Watch *watches = watched_all(w->watched, &count);
    w->plan = sources_plan(w->snapshot, watches, count);
    ck_assert_uint_eq(plan_count(w->plan), 1);
    w->states = poll_states_new(w->plan, NULL, 0);
    w->health = health_new(&w->core, w->own, w->states, w->watched);
    w->judging = judging_new(&w->core, w->backlog);
    judging_configure(w->judging, w->watched, w->states, w->health);
}

static void world_deinit(World *w) {
    w->core.store = w->room.store = store_close(w->room.store);
    judging_free(w->judging);
    health_free(w->health);
    poll_states_free(w->states);
    plan_free(w->plan);
    watched_free(w->watched);
    own_free(w->own);
    backlog_free(w->backlog);
    aws_free(w->core.aws);
    groups_free(w->core.groups);
    mutes_free(w->core.mutes);
    acks_free(w->core.acks);
    instances_free(w->core.instances);
    memory_free(w->core.memory);
    snapshot_free(w->snapshot);
    room_deinit(&w->room);
}

/* SEEN hosts, all of them above the threshold. */
static PollOutcome *outcome_of(const World *w) {
    static double value = 9;
    const int64_t now_ms = clock_wall_ms(w->room.clock), end_s = now_ms / 1000 / 60 * 60;
    PollOutcome *outcome = poll_outcome_new(SEEN);
    outcome->is_complete = true;
    outcome->now_ms = now_ms;
    for (size_t i = 0; i < SEEN; i++) {
        char host[8];
        snprintf(host, sizeof host, "h%zu", i);
        outcome->observations[outcome->count++] = (Observation){.labels = labels_new(&(Label){"Host", host}, 1),
            .settled_end_s = end_s,
            .samples = {FOLD_NONE, end_s - 60, 60, 1, &value, NULL}};
    }
    return outcome;
}

static size_t firing(const World *w) {
    size_t count = 0;
    Instances *table = w->core.instances;
    for (const Instance *i = instances_next(table, NULL); i; i = instances_next(table, i))
        count += i->memory.state == STATE_ALARM && instance_is_firing(i);
    return count;
}

/* Are they in the state file, and the cursor? */
static size_t written(World *w, size_t *ret_cursors) {
    w->core.store = w->room.store = store_close(w->room.store);
    room_run(&w->room);
    room_open(&w->room);
    w->core.store = w->room.store;
    OWN(store_load) StoreLoad *rows = room_load(&w->room);
    *ret_cursors = rows->cursor_count;
    return rows->instance_count;
}

static void judge_all(World *w) {
    judging_begin(w->judging, 0, outcome_of(w));
    ck_assert_ptr_null(judging_go_on(w->judging));
    ck_assert_uint_eq(w->core.changes_under_way, JUDGED_AT_ONCE);
    ck_assert_ptr_null(judging_go_on(w->judging));
    ck_assert_uint_eq(w->core.changes_under_way, 2 * JUDGED_AT_ONCE);
    room_run(&w->room);
    ck_assert_uint_eq(firing(w), 0); /* nothing counts before all of it does */
    Batch *batch = judging_go_on(w->judging);
    ck_assert_ptr_nonnull(batch);
    ck_assert_uint_eq(w->core.changes_under_way, SEEN);
    batch_commit(batch, NULL, NULL);
    room_run(&w->room);
    ck_assert_uint_eq(firing(w), SEEN);
    ck_assert_uint_eq(w->core.changes_under_way, 0);
}

START_TEST(parts_count_as_one) {
    World w;
    size_t cursors;
    world_init(&w);
    judge_all(&w);
    ck_assert_uint_eq(written(&w, &cursors), SEEN);
    ck_assert_uint_eq(cursors, 1);
    world_deinit(&w);
}
END_TEST

START_TEST(what_is_abandoned_counts_for_nothing) {
    World w;
    size_t cursors;
    world_init(&w);
    judging_begin(w.judging, 0, outcome_of(&w));
    ck_assert_ptr_null(judging_go_on(w.judging));
    ck_assert_uint_eq(w.core.touches_under_way, JUDGED_AT_ONCE);
    poll_outcome_free(judging_abandon(w.judging));
    ck_assert(!w.core.changes_under_way && !w.core.touches_under_way);
    room_run(&w.room);
    ck_assert_uint_eq(firing(&w), 0);
    ck_assert_uint_eq(written(&w, &cursors), 0);
    ck_assert_uint_eq(cursors, 0);
    judge_all(&w); /* the next run sees all of them anew */
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, parts_count_as_one);
    tcase_add_test(tcase, what_is_abandoned_counts_for_nothing);
}

int main(void) { return run_tests("judging", fill); }
