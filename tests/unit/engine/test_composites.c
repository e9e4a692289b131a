/* Composites at work: their place, their state at each change of a child, what a suppressor holds, restarts. */
#include "engine/composites.h"
#include "sources/sigma_section.h"

#include "../run.h"
#include "core.h"

#include <math.h>

static const SectionDescriptor *const sections[] = {
    &aws_section, &sigma_section, &packs_section, &alarms_section, NULL};
static const SnapshotSchema schema = {sections, NULL};
static const char *const by_name[] = {"alertname"};

#define METRIC(name) \
    "- name: " name "\n  metric: {namespace: N, metric_name: M, statistic: Sum}\n" \
    "  comparison_operator: '>'\n  threshold: 1\n  evaluation_periods: 1\n"
#define TWO_REGIONS "aws: {accounts: [{name: prod, regions: [eu-west-1, us-east-1]}]}\n"
#define CHILDREN \
    "aws: {accounts: [{name: prod, regions: [eu-west-1]}]}\nalarms:\n" METRIC("a") METRIC("b") METRIC("hold")

typedef struct World {
    Room room;
    Core core;
    Backlog *backlog;
    RouteSection routes;
    Snapshot *snapshot;
    Watch *watches;
    const Alarm *const *alarms;
    size_t watch_count;
    int64_t down_s; /* at the next restart: when evaluation had ended */
} World;

/* As poller_configure() does it. */
static void world_configure(World *w, const char *text) {
    Snapshot *before = w->snapshot;
    free(w->watches);
    free((void *)w->alarms);
    w->snapshot = core_load(&schema, text);
    w->watch_count = alarm_watches(w->snapshot, &w->watches, &w->alarms);
    Instances *table = w->core.instances;
    for (Instance *i = instances_next(table, NULL); i; i = instances_next(table, i)) i->alarm = NULL;
    for (size_t i = 0; i < w->watch_count; i++) {
        const Watch *watch = &w->watches[i];
        Instance *instance = instance_get(
            table, watch->alarm, watch->account, watch->region, "cloudwatch", NULL, clock_wall_ms(w->room.clock));
        instance_attach(instance, w->alarms[i], "");
    }
    composites_attach(w->core.composites, w->snapshot, w->watches, w->alarms, w->watch_count);
    composites_look(w->core.composites);
    room_run(&w->room);
    snapshot_free(before);
}

static void core_init(World *w) {
    w->core = core_make(&w->room, &w->routes);
    w->backlog = backlog_new(&w->core);
    w->core.composites = composites_new(&w->core, w->backlog);
}

static void core_deinit(World *w) {
    w->core.store = w->room.store = store_close(w->room.store);
    composites_free(w->core.composites);
    backlog_free(w->backlog);
    aws_free(w->core.aws);
    groups_free(w->core.groups);
    mutes_free(w->core.mutes);
    acks_free(w->core.acks);
    instances_free(w->core.instances);
    memory_free(w->core.memory);
}

static void world_init(World *w, const char *text) {
    *w = (World){0};
    room_init(&w->room);
    room_open(&w->room);
    w->routes = (RouteSection){.is_given = true,
        .root = {.receiver = "oncall", .group_by = {1, by_name, NULL}, .group_wait_s = 30, .group_interval_s = 300}};
    core_init(w);
    world_configure(w, text);
}

/* The daemon comes again, to what the state file holds. */
static void world_restart(World *w, const char *text) {
    core_deinit(w);
    room_open(&w->room);
    core_init(w);
    composites_resume(w->core.composites, w->down_s);
    OWN(store_load) StoreLoad *rows = room_load(&w->room);
    for (size_t i = 0; i < rows->instance_count; i++)
        ck_assert_ptr_nonnull(instance_restore(w->core.instances, &rows->instances[i], clock_wall_ms(w->room.clock)));
    world_configure(w, text);
}

static void world_deinit(World *w) {
    core_deinit(w);
    free(w->watches);
    free((void *)w->alarms);
    snapshot_free(w->snapshot);
    room_deinit(&w->room);
}

static Instance *named(const World *w, const char *name) {
    Instances *table = w->core.instances;
    for (Instance *i = instances_next(table, NULL); i; i = instances_next(table, i))
        if (!strcmp(i->name, name)) return i;
    ck_abort_msg("no instance of %s", name);
    return NULL;
}

/* Child by child, `a=ALARM b=OK`: one batch each, and all that follows from it. */
static void set(World *w, const char *name, AlarmState state) {
    Batch *batch = batch_new(w->backlog);
    InstanceChange *change = change_new(named(w, name));
    change_state(change, state, NAN, "test", clock_wall_ms(w->room.clock));
    batch_add(batch, change);
    batch_commit(batch, NULL, NULL);
    room_run(&w->room);
}

static void pass(World *w, int64_t seconds) {
    for (int64_t end_ms = clock_wall_ms(w->room.clock) + seconds * 1000; clock_wall_ms(w->room.clock) < end_ms;) {
        clock_advance(w->room.clock, 1000);
        composites_tick(w->core.composites);
        room_run(&w->room);
    }
}

/* `ALARM told`: the composite's state, and whether it fires for people. */
static const char *shown(const World *w, const char *name) {
    static char text[64];
    const Instance *i = named(w, name);
    snprintf(text, sizeof text, "%s%s%s", state_word(i->memory.state), instance_is_firing(i) ? " told" : "",
        hold_holds(&i->hold) ? " held" : "");
    return text;
}

START_TEST(follows_each_change_of_a_child) {
    World w;
    world_init(&w, CHILDREN "- name: c\n  composite: {rule: 'ALARM(a) AND NOT OK(b)'}\n");
    ck_assert_str_eq(shown(&w, "c"), "INSUFFICIENT_DATA"); /* nobody has looked at a and b yet */
    set(&w, "a", STATE_ALARM);
    ck_assert_str_eq(shown(&w, "c"), "INSUFFICIENT_DATA");
    set(&w, "b", STATE_OK);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    set(&w, "b", STATE_ALARM);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    ck_assert_str_eq(named(&w, "c")->facts.reason, "the rule is true: a is ALARM, b is ALARM");
    ck_assert_str_eq(named(&w, "c")->source, "composite");
    ck_assert_str_eq(labels_get(named(&w, "c")->labels, "source"), "composite");
    ck_assert(isnan(named(&w, "c")->facts.threshold));
    set(&w, "a", STATE_OK);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    world_deinit(&w);
}
END_TEST

START_TEST(composites_of_composites_settle_at_once) {
    World w;
    world_init(&w,
        CHILDREN "- name: top\n  composite: {rule: 'ALARM(middle)'}\n"
                 "- name: middle\n  composite: {rule: 'ALARM(low)'}\n- name: low\n  composite: {rule: 'ALARM(a)'}\n");
    set(&w, "a", STATE_ALARM);
    ck_assert_str_eq(shown(&w, "top"), "ALARM told");
    set(&w, "a", STATE_OK);
    ck_assert_str_eq(shown(&w, "top"), "OK");
    world_deinit(&w);
}
END_TEST

START_TEST(what_nobody_evaluates_is_waited_for_a_minute) {
    World w;
    world_init(&w, CHILDREN "- name: c\n  composite: {rule: 'ALARM(a) OR NOT OK(b)'}\n");
    set(&w, "a", STATE_OK);
    pass(&w, 58);
    ck_assert_str_eq(shown(&w, "c"), "INSUFFICIENT_DATA");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

/* Which (account, region) a composite has. */
static const struct Place_ {
    const char *config, *account, *region;
} places[] = {
    {CHILDREN "- name: c\n  composite: {rule: 'ALARM(a) AND ALARM(b)'}\n", "prod", "eu-west-1"},
    {CHILDREN "- name: c\n  composite: {rule: 'TRUE'}\n", "", ""},
    {TWO_REGIONS "alarms:\n" METRIC("a") "- name: c\n  composite: {rule: 'ALARM(a)'}\n", "prod", ""},
    {TWO_REGIONS "alarms:\n" METRIC("a") "  regions: [us-east-1]\n- name: c\n  composite: {rule: 'ALARM(a)'}\n", "prod",
        "us-east-1"},
    {CHILDREN "- name: c\n  composite: {rule: 'ALARM(d)'}\n- name: d\n  composite: {rule: 'ALARM(a)'}\n", "prod",
        "eu-west-1"},
    {CHILDREN "- name: c\n  composite: {rule: 'ALARM(d) OR OK(a)'}\n- name: d\n  composite: {rule: 'TRUE'}\n", "", ""},
};

START_TEST(has_the_place_that_its_children_share) {
    World w;
    world_init(&w, places[_i].config);
    ck_assert_str_eq(named(&w, "c")->account, places[_i].account);
    ck_assert_str_eq(named(&w, "c")->region, places[_i].region);
    world_deinit(&w);
}
END_TEST

START_TEST(any_instance_in_alarm_is_the_alarm_in_alarm) {
    static const struct Tally {
        StateTally tally;
        bool is_there;
        AlarmState state;
    } tallies[] = {
        {{{0, 0, 0}, 0}, false, STATE_OK},
        {{{1, 1, 1}, 0}, true, STATE_ALARM},
        {{{1, 0, 5}, 0}, true, STATE_OK},
        {{{0, 0, 5}, 0}, true, STATE_INSUFFICIENT_DATA},
        {{{0, 1, 5}, 0}, true, STATE_ALARM},
    };
    for (size_t i = 0; i < sizeof tallies / sizeof *tallies; i++) {
        AlarmState state = STATE_OK;
        ck_assert_int_eq(state_tally_state(&tallies[i].tally, &state), tallies[i].is_there);
        ck_assert_int_eq(state, tallies[i].state);
    }
}
END_TEST

START_TEST(a_start_makes_good_what_a_crash_left) {
    const char *config = CHILDREN "- name: c\n  composite: {rule: 'ALARM(a)'}\n";
    World w;
    world_init(&w, config);
    set(&w, "a", STATE_OK);
    struct Composites *gone = w.core.composites;
    w.core.composites = NULL; /* the crash: the child's commit is on disk, the composite's never came */
    set(&w, "a", STATE_ALARM);
    w.core.composites = gone;
    ck_assert_str_eq(shown(&w, "c"), "OK");
    world_restart(&w, config);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(a_child_that_is_removed_is_false_and_is_told) {
    World w;
    world_init(&w, CHILDREN "- name: c\n  composite: {rule: 'ALARM(a)'}\n");
    set(&w, "a", STATE_ALARM);
    Batch *batch = batch_new(w.backlog);
    batch_forget(batch, named(&w, "a")->fingerprint);
    batch_commit(batch, NULL, NULL);
    room_run(&w.room);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    ck_assert_str_eq(named(&w, "c")->evaluation_error, "not there to be watched, so what asks for it is false: a");
    world_deinit(&w);
}
END_TEST

#define SUPPRESSED \
    CHILDREN "- name: c\n  composite: {rule: 'ALARM(a)'}\n  suppressor: {alarm: hold, wait: 2m, extension: 3m}\n"

static void suppressed_init(World *w) {
    world_init(w, SUPPRESSED);
    set(w, "hold", STATE_OK);
    set(w, "a", STATE_OK);
    pass(w, 300); /* the first evaluation's own wait */
    ck_assert_str_eq(shown(w, "c"), "OK");
}

START_TEST(a_change_waits_for_its_suppressor) {
    World w;
    suppressed_init(&w);
    set(&w, "a", STATE_ALARM);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 119);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 2);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(a_suppressor_holds_and_its_end_tells_what_is_left) {
    World w;
    suppressed_init(&w);
    set(&w, "a", STATE_ALARM);
    set(&w, "hold", STATE_ALARM);
    pass(&w, 3600);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    set(&w, "hold", STATE_OK);
    pass(&w, 179);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 2);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(what_ended_while_it_was_held_is_never_told) {
    World w;
    suppressed_init(&w);
    set(&w, "hold", STATE_ALARM);
    set(&w, "a", STATE_ALARM);
    pass(&w, 60);
    set(&w, "a", STATE_OK);
    pass(&w, 60);
    set(&w, "hold", STATE_OK);
    pass(&w, 600);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    ck_assert_int_eq(named(&w, "c")->firing_since_ms, 0);
    world_deinit(&w);
}
END_TEST

START_TEST(a_suppression_outlives_a_restart) {
    World w;
    suppressed_init(&w);
    set(&w, "a", STATE_ALARM);
    pass(&w, 100);
    world_restart(&w, SUPPRESSED);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 18);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(a_suppressor_that_is_taken_away_holds_nothing) {
    World w;
    suppressed_init(&w);
    set(&w, "hold", STATE_ALARM);
    set(&w, "a", STATE_ALARM);
    pass(&w, 60);
    world_configure(&w, CHILDREN "- name: c\n  composite: {rule: 'ALARM(a)'}\n");
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(another_suppressor_takes_over_what_is_owed) {
    World w;
    suppressed_init(&w);
    set(&w, "b", STATE_OK);
    set(&w, "hold", STATE_ALARM);
    set(&w, "a", STATE_ALARM);
    pass(&w, 60);
    world_configure(&w, CHILDREN "- name: c\n  composite: {rule: 'ALARM(a)'}\n  suppressor: {alarm: b, wait: 2m}\n");
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 119);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 2);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(a_wait_is_as_long_when_the_clock_jumps) {
    World w;
    suppressed_init(&w);
    set(&w, "a", STATE_ALARM);
    clock_set_wall(w.room.clock, clock_wall_ms(w.room.clock) + 3600000);
    composites_shift(w.core.composites, 3600000);
    pass(&w, 118);
    ck_assert_str_eq(shown(&w, "c"), "ALARM held");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

/* --- for, keep_firing_for --- */

#define LASTING CHILDREN "- name: c\n  composite: {rule: 'ALARM(a)'}\n  for: 5m\n  keep_firing_for: 2m\n"

static void lasting_init(World *w) {
    world_init(w, LASTING);
    set(w, "a", STATE_OK);
    ck_assert_str_eq(shown(w, "c"), "OK");
    set(w, "a", STATE_ALARM);
    ck_assert_str_eq(shown(w, "c"), "OK");
    ck_assert_str_eq(named(w, "c")->facts.reason, "the rule is true: a is ALARM (pending until it has lasted 5m)");
}

START_TEST(fires_when_its_rule_has_been_true_for_so_long) {
    World w;
    lasting_init(&w);
    pass(&w, 298);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    ck_assert_str_eq(named(&w, "c")->facts.reason, "the rule is true: a is ALARM (it lasted 5m)");
    set(&w, "a", STATE_OK);
    ck_assert_str_eq(named(&w, "c")->facts.reason, "the rule is false: a is OK (kept in ALARM for 2m)");
    pass(&w, 118);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    world_deinit(&w);
}
END_TEST

START_TEST(a_break_begins_the_wait_anew) {
    World w;
    lasting_init(&w);
    pass(&w, 200);
    set(&w, "a", STATE_OK);
    set(&w, "a", STATE_ALARM);
    pass(&w, 298);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(a_new_one_waits_as_well) {
    World w;
    world_init(&w, LASTING);
    set(&w, "a", STATE_ALARM);
    ck_assert_str_eq(shown(&w, "c"), "INSUFFICIENT_DATA");
    ck_assert_int_gt(composites_next_wall_ms(w.core.composites), clock_wall_ms(w.room.clock));
    pass(&w, 298);
    ck_assert_str_eq(shown(&w, "c"), "INSUFFICIENT_DATA");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(time_that_nobody_looked_at_does_not_count) {
    World w;
    lasting_init(&w);
    pass(&w, 100);
    const int64_t down_s = clock_wall_ms(w.room.clock) / 1000;
    clock_advance(w.room.clock, 3600000);
    w.down_s = down_s;
    world_restart(&w, LASTING);
    pass(&w, 10);
    set(&w, "a", STATE_ALARM); /* the first look at it since the start */
    pass(&w, 198);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(for_goes_by_no_state_of_before_a_start) {
    World w;
    lasting_init(&w);
    pass(&w, 290);
    w.down_s = clock_wall_ms(w.room.clock) / 1000;
    clock_advance(w.room.clock, 3600000);
    world_restart(&w, LASTING);
    pass(&w, 30);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    ck_assert_int_gt(composites_next_wall_ms(w.core.composites), clock_wall_ms(w.room.clock));
    set(&w, "a", STATE_OK);
    pass(&w, 600);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    world_deinit(&w);
}
END_TEST

START_TEST(for_is_as_long_when_the_clock_jumps) {
    World w;
    lasting_init(&w);
    clock_set_wall(w.room.clock, clock_wall_ms(w.room.clock) + 3600000);
    composites_shift(w.core.composites, 3600000);
    pass(&w, 298);
    ck_assert_str_eq(shown(&w, "c"), "OK");
    pass(&w, 3);
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

START_TEST(for_that_is_taken_away_holds_nothing) {
    World w;
    lasting_init(&w);
    world_configure(&w, CHILDREN "- name: c\n  composite: {rule: 'ALARM(a)'}\n");
    ck_assert_str_eq(shown(&w, "c"), "ALARM told");
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, follows_each_change_of_a_child);
    tcase_add_test(tcase, composites_of_composites_settle_at_once);
    tcase_add_test(tcase, what_nobody_evaluates_is_waited_for_a_minute);
    tcase_add_loop_test(tcase, has_the_place_that_its_children_share, 0, sizeof places / sizeof *places);
    tcase_add_test(tcase, any_instance_in_alarm_is_the_alarm_in_alarm);
    tcase_add_test(tcase, a_start_makes_good_what_a_crash_left);
    tcase_add_test(tcase, a_child_that_is_removed_is_false_and_is_told);
    tcase_add_test(tcase, a_change_waits_for_its_suppressor);
    tcase_add_test(tcase, a_suppressor_holds_and_its_end_tells_what_is_left);
    tcase_add_test(tcase, what_ended_while_it_was_held_is_never_told);
    tcase_add_test(tcase, a_suppression_outlives_a_restart);
    tcase_add_test(tcase, a_suppressor_that_is_taken_away_holds_nothing);
    tcase_add_test(tcase, another_suppressor_takes_over_what_is_owed);
    tcase_add_test(tcase, a_wait_is_as_long_when_the_clock_jumps);
    tcase_add_test(tcase, fires_when_its_rule_has_been_true_for_so_long);
    tcase_add_test(tcase, a_break_begins_the_wait_anew);
    tcase_add_test(tcase, a_new_one_waits_as_well);
    tcase_add_test(tcase, time_that_nobody_looked_at_does_not_count);
    tcase_add_test(tcase, for_goes_by_no_state_of_before_a_start);
    tcase_add_test(tcase, for_is_as_long_when_the_clock_jumps);
    tcase_add_test(tcase, for_that_is_taken_away_holds_nothing);
}

int main(void) { return run_tests("composites", fill); }
