/* What an evaluation, a reload and a condition of our own make of an instance, and what of it people are owed. */
#include "alarms/change.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/json.h"

#include "../run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS 1767323100000 /* 2026-01-02T03:05:00Z */

typedef struct World {
    Instances *table;
    Instance *instance;
    Alarm alarm;
    Labels *series;
} World;

static void world_init(World *w, NoData no_data) {
    *w = (World){.table = instances_new(), .series = labels_new(&(Label){"QueueName", "q"}, 1)};
    w->alarm = (Alarm){.name = "backlog",
        .description = "",
        .enabled = true,
        .severity = SEVERITY_CRITICAL,
        .no_data = (int)no_data,
        .rule = {
            .comparison = COMPARE_GT, .threshold = 10, .n = 1, .m = 1, .range = 3, .period_s = 60, .early = false}};
    w->instance = instance_get(w->table, "backlog", "prod", "eu-west-1", "cloudwatch", w->series, NOW_MS);
    instance_attach(w->instance, &w->alarm, "111122223333");
}

static void world_deinit(World *w) {
    instances_free(w->table);
    labels_free(w->series);
}

/* Values end at NOW; oldest first. */
static Observation observe(double *values, size_t count) {
    return (Observation){.samples = {.fold = FOLD_NONE,
                             .start_s = NOW_MS / 1000 - (int64_t)count * 60,
                             .step_s = 60,
                             .count = count,
                             .values = values},
        .settled_end_s = NOW_MS / 1000,
        .every_minute = true};
}

static InstanceChange *see(World *w, double *values, size_t count, int64_t resume_end_s) {
    const Observation seen = observe(values, count);
    InstanceChange *change = change_new(w->instance);
    change_observe(change, &seen, resume_end_s, NOW_MS);
    return change;
}

static void step(World *w, AlarmState to) {
    OWN(change) InstanceChange *change = change_new(w->instance);
    change_state(change, to, 42, "because", NOW_MS);
    instance_apply(w->instance, change, true);
}

START_TEST(memory_is_untouched_until_the_commit) {
    World w;
    world_init(&w, NODATA_HOLD);
    OWN(change) InstanceChange *change = see(&w, (double[]){1, 2, 30}, 3, 0);
    ck_assert_int_eq(change->after.memory.state, STATE_ALARM);
    ck_assert(change->persist && change->tell);
    ck_assert_int_eq(w.instance->memory.state, STATE_INSUFFICIENT_DATA);
    instance_apply(w.instance, change, true);
    ck_assert_int_eq(w.instance->memory.state, STATE_ALARM);
    ck_assert_int_eq(w.instance->firing_since_ms, NOW_MS);
    ck_assert_double_eq(w.instance->facts.worst, 30);
    ck_assert_uint_eq(w.instance->datapoints.count, 3);
    world_deinit(&w);
}
END_TEST

START_TEST(missed_minutes_are_judged_in_order) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.instance->memory = (EvaluationMemory){.state = STATE_OK, .window_end_s = NOW_MS / 1000 - 180};
    OWN(change) InstanceChange *change = see(&w, (double[]){1, 1, 1, 30, 1, 1}, 6, 0);
    ck_assert_uint_eq(change->transition_count, 2);
    ck_assert_int_eq(change->transitions[0].to, STATE_ALARM);
    ck_assert_int_eq(change->transitions[0].time_ms, NOW_MS - 120000);
    ck_assert_int_eq(change->transitions[1].to, STATE_OK);
    ck_assert(!instance_is_firing(&change->after));
    world_deinit(&w);
}
END_TEST

START_TEST(what_was_judged_before_a_restart_is_not_judged_again) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.instance->memory = (EvaluationMemory){.state = STATE_OK, .window_end_s = NOW_MS / 1000 - 1800};
    OWN(change) InstanceChange *change = see(&w, (double[]){1, 1, 1, 30, 1, 1}, 6, NOW_MS / 1000 - 60);
    ck_assert_uint_eq(change->transition_count, 0);
    world_deinit(&w);
}
END_TEST

START_TEST(a_clock_that_went_back_judges_nothing) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.instance->memory = (EvaluationMemory){.state = STATE_OK, .window_end_s = NOW_MS / 1000 + 60};
    OWN(change) InstanceChange *change = see(&w, (double[]){30, 30, 30}, 3, 0);
    ck_assert_uint_eq(change->transition_count, 0);
    ck_assert_int_eq(change->after.memory.state, STATE_OK);
    world_deinit(&w);
}
END_TEST

START_TEST(a_clock_that_was_far_ahead_blinds_nobody) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.instance->memory = (EvaluationMemory){.state = STATE_OK, .window_end_s = NOW_MS / 1000 + 86400};
    OWN(change) InstanceChange *change = see(&w, (double[]){30, 30, 30}, 3, 0);
    ck_assert_int_eq(change->after.memory.state, STATE_ALARM);
    ck_assert_int_eq(change->after.memory.window_end_s, NOW_MS / 1000);
    world_deinit(&w);
}
END_TEST

/* Contract 3, "Firing and resolved": from, to, what the alarm says about missing data; then what is so. */
static const struct Firing {
    const char *name;
    NoData no_data;
    AlarmState path[3];
    size_t length;
    bool firing, resolved, missing, told_last;
} firings[] = {
    {"alarm fires", NODATA_HOLD, {STATE_ALARM}, 1, true, false, false, true},
    {"ok resolves", NODATA_HOLD, {STATE_ALARM, STATE_OK}, 2, false, true, false, true},
    {"hold fires on", NODATA_HOLD, {STATE_ALARM, STATE_INSUFFICIENT_DATA}, 2, true, false, true, false},
    {"notify says so", NODATA_NOTIFY, {STATE_ALARM, STATE_INSUFFICIENT_DATA}, 2, true, false, true, true},
    {"resolve resolves", NODATA_RESOLVE, {STATE_ALARM, STATE_INSUFFICIENT_DATA}, 2, false, true, false, true},
    {"ok to nothing is silent", NODATA_HOLD, {STATE_OK, STATE_INSUFFICIENT_DATA}, 2, false, false, false, false},
    {"ok to nothing is told on wish", NODATA_NOTIFY, {STATE_OK, STATE_INSUFFICIENT_DATA}, 2, true, false, true, true},
    {"nothing to ok is silent", NODATA_HOLD, {STATE_OK}, 1, false, false, false, false},
    {"back to ok resolves what was held", NODATA_HOLD, {STATE_ALARM, STATE_INSUFFICIENT_DATA, STATE_OK}, 3, false, true,
        false, true},
    {"data comes back", NODATA_HOLD, {STATE_ALARM, STATE_INSUFFICIENT_DATA, STATE_ALARM}, 3, true, false, false, true},
};

START_TEST(firing_and_resolved) {
    const struct Firing *c = &firings[_i];
    World w;
    world_init(&w, c->no_data);
    for (size_t i = 0; i + 1 < c->length; i++) step(&w, c->path[i]);
    OWN(change) InstanceChange *change = change_new(w.instance);
    change_state(change, c->path[c->length - 1], NAN, "because", NOW_MS + 1000);
    ck_assert_msg(instance_is_firing(&change->after) == c->firing, "%s: firing", c->name);
    ck_assert_msg(instance_is_resolved(&change->after) == c->resolved, "%s: resolved", c->name);
    ck_assert_msg(change->after.data_missing == c->missing, "%s: missing", c->name);
    ck_assert_msg(change->tell == c->told_last, "%s: told", c->name);
    world_deinit(&w);
}
END_TEST

START_TEST(an_instance_survives_the_state_file) {
    World w;
    world_init(&w, NODATA_NOTIFY);
    step(&w, STATE_ALARM);
    w.instance->facts.notes = labels_new(&(Label){"path", "a \xe2\x86\x92 b"}, 1);
    w.instance->memory.window_end_s = NOW_MS / 1000;
    w.instance->memory.early_until_s = NOW_MS / 1000 + 60;
    OWN(arena) Arena *arena = arena_new();
    const InstanceRow row = instance_row(w.instance, arena);
    OWN(instances) Instances *other = instances_new();
    const Instance *back = instance_restore(other, &row, NOW_MS);
    ck_assert_ptr_nonnull(back);
    ck_assert_str_eq(back->fingerprint, w.instance->fingerprint);
    ck_assert_int_eq(back->memory.state, STATE_ALARM);
    ck_assert_int_eq(back->memory.early_until_s, NOW_MS / 1000 + 60);
    ck_assert_int_eq(back->firing_since_ms, NOW_MS);
    ck_assert_int_eq(back->no_data, NODATA_NOTIFY);
    ck_assert_int_eq(back->severity, SEVERITY_CRITICAL);
    ck_assert(labels_equal(back->labels, w.instance->labels));
    ck_assert_double_eq(back->facts.value, 42);
    ck_assert(labels_equal(back->facts.notes, w.instance->facts.notes));
    world_deinit(&w);
}
END_TEST

START_TEST(a_state_that_is_said_is_taken_over) {
    World w;
    world_init(&w, NODATA_HOLD);
    OWN(labels) Labels *notes = labels_new(&(Label){"root_cause", "payments faults 38 %"}, 1);
    const SaidState said = {STATE_ALARM, "insight ACTIVE", 38};
    const Observation seen = {.said = &said, .notes = notes};
    OWN(change) InstanceChange *change = change_new(w.instance);
    change_observe(change, &seen, 0, NOW_MS);
    ck_assert_int_eq(change->after.memory.state, STATE_ALARM);
    ck_assert_str_eq(change->transitions[0].reason, "insight ACTIVE");
    ck_assert_str_eq(labels_get(change->after.facts.notes, "root_cause"), "payments faults 38 %");
    world_deinit(&w);
}
END_TEST

START_TEST(notes_stay_until_it_fires_anew) {
    World w;
    world_init(&w, NODATA_HOLD);
    OWN(labels) Labels *notes = labels_new(&(Label){"path", "a"}, 1);
    double bad = 30, good = 1;
    for (int turn = 0; turn < 3; turn++) {
        Observation seen = observe(turn == 1 ? &good : &bad, 1);
        seen.settled_end_s += 60 * turn;
        seen.samples.start_s += 60 * turn;
        if (turn == 0) seen.notes = notes;
        OWN(change) InstanceChange *change = change_new(w.instance);
        change_observe(change, &seen, 0, NOW_MS + 60000 * turn);
        instance_apply(w.instance, change, true);
        ck_assert_str_eq(labels_get(w.instance->facts.notes, "path"), turn == 2 ? "" : "a");
    }
    world_deinit(&w);
}
END_TEST

START_TEST(a_row_under_a_strange_key_is_left_out) {
    OWN(instances) Instances *table = instances_new();
    const InstanceRow row = {.fingerprint = "0000000000000000",
        .alarm = "a",
        .source = "cloudwatch",
        .account = "",
        .region = "",
        .series_json = "{}",
        .labels_json = "{}",
        .state = "OK",
        .reason = ""};
    ck_assert_ptr_null(instance_restore(table, &row, NOW_MS));
    ck_assert_uint_eq(instances_count(table), 0);
}
END_TEST

static const InstanceRow *row_of(World *w, Arena *arena) {
    InstanceRow *row = arena_alloc(arena, 1, sizeof *row);
    *row = instance_row(w->instance, arena);
    return row;
}

/* Damage that gives one row another's parts, or its key as well, does not touch the other. */
START_TEST(a_row_that_looks_like_another_leaves_it_alone) {
    World w;
    world_init(&w, NODATA_HOLD);
    step(&w, STATE_ALARM);
    OWN(arena) Arena *arena = arena_new();
    OWN(instances) Instances *table = instances_new();
    const InstanceRow *good = row_of(&w, arena);
    const Instance *back = instance_restore(table, good, NOW_MS);
    ck_assert_ptr_nonnull(back);
    InstanceRow other = *good;
    other.state = "OK";
    ck_assert_ptr_null(instance_restore(table, &other, NOW_MS));
    other.fingerprint = "0000000000000000";
    ck_assert_ptr_null(instance_restore(table, &other, NOW_MS));
    ck_assert_ptr_eq(instance_find(table, good->fingerprint), back);
    ck_assert_int_eq(back->memory.state, STATE_ALARM);
    world_deinit(&w);
}
END_TEST

/* Each for itself: what is of a wrong type, or out of range, is as if it were not there. */
START_TEST(extras_that_make_no_sense_are_left_out) {
    static const struct {
        const char *before, *behind;
    } wrong[] = {{"{\"annotations\":7,", "}"}, {"{\"annotations\":[\"a\"],", "}"}, {"{\"console_url\":{},", "}"},
        {"{\"data_missing\":\"yes\",", "}"}, {"{\"early_until_s\":1.5,", "}"}, {"{\"hold\":[],", "}"},
        {"{\"hold_until_ms\":-1,", "}"}, {"{\"news\":-1,", "}"}, {"{\"news\":9e15,", "}"}, {"{\"no_data\":99,", "}"},
        {"{\"notes\":\"x\",", "}"}, {"{\"severity\":\"loud\",", "}"}, {"{\"severity\":null,", "}"},
        {"{\"threshold\":null,", "}"}, {"{\"what\":false,", "}"}, {"{\"worst\":\"1\",", "}"},
        {"{\"unknown\":[{}],", "}"}, {"{", ",\"what\""}, {"{", ",\"value_s\":8}"}};
    World w;
    world_init(&w, NODATA_HOLD);
    OWN(arena) Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char extras[200];
        snprintf(extras, sizeof extras, "%s\"value_s\":7%s", wrong[i].before, wrong[i].behind); /* this one is taken */
        OWN(instances) Instances *table = instances_new();
        InstanceRow row = *row_of(&w, arena);
        row.reason_data_json = extras;
        const Instance *back = instance_restore(table, &row, NOW_MS);
        ck_assert_ptr_nonnull(back);
        ck_assert_msg(back->facts.value_s == 7, "%s", extras);
        ck_assert_ptr_null(back->annotations);
        ck_assert(!back->facts.console_url && !back->facts.notes && !back->facts.what);
        ck_assert(!back->data_missing && !back->memory.early_until_s && !back->hold_until_ms && !back->news);
        ck_assert(isnan(back->facts.threshold) && isnan(back->facts.worst));
        ck_assert(hold_equal(&back->hold, &(Hold){.judged = back->memory.state}));
        ck_assert_int_eq(back->no_data, NODATA_HOLD);
        ck_assert_int_eq(back->severity, SEVERITY_WARNING);
    }
    world_deinit(&w);
}
END_TEST

START_TEST(labels_name_the_alarm_and_nothing_hides_them) {
    World w;
    world_init(&w, NODATA_HOLD);
    OWN(labels)
    Labels *series = labels_new((const Label[]){{"alertname", "mine"}, {"a-b", "1"},
                                    {"Gr\xc3\xb6\xc3\x9f"
                                     "e",
                                        "2"}},
        3);
    Instance *i = instance_get(w.table, "backlog", "prod", "eu-west-1", "cloudwatch", series, NOW_MS);
    instance_attach(i, &w.alarm, "");
    ck_assert_str_eq(labels_get(i->labels, "alertname"), "backlog");
    ck_assert_str_eq(labels_get(i->labels, "dim_alertname"), "mine");
    ck_assert_str_eq(labels_get(i->labels, "a_b"), "1");
    ck_assert_str_eq(labels_get(i->labels, "Gr__e"), "2");
    ck_assert_str_eq(labels_get(w.instance->labels, "account_id"), "111122223333");
    world_deinit(&w);
}
END_TEST

START_TEST(a_fingerprint_is_of_its_parts_alone) {
    char a[FINGERPRINT_TEXT], b[FINGERPRINT_TEXT];
    fingerprint_make("ab", "c", "r", "s", NULL, a);
    fingerprint_make("a", "bc", "r", "s", NULL, b);
    ck_assert_str_ne(a, b);
    OWN(labels) Labels *one = labels_new((const Label[]){{"x", "1"}, {"y", "2"}}, 2);
    OWN(labels) Labels *two = labels_new((const Label[]){{"y", "2"}, {"x", "1"}}, 2);
    fingerprint_make("a", "b", "c", "d", one, a);
    fingerprint_make("a", "b", "c", "d", two, b);
    ck_assert_str_eq(a, b);
}
END_TEST

START_TEST(what_is_removed_while_firing_is_resolved_with_the_reason) {
    World w;
    world_init(&w, NODATA_HOLD);
    step(&w, STATE_ALARM);
    OWN(change) InstanceChange *change = change_new(w.instance);
    change_gone(change, "the alarm was removed", NOW_MS + 5000);
    ck_assert(change->after.gone && change->tell && instance_is_resolved(&change->after));
    ck_assert_str_eq(change->transitions[0].reason, "the alarm was removed");
    world_deinit(&w);
}
END_TEST

/* --- for, keep_firing_for --- */

/* A minute's value, judged at the minute's end; the world's clock is the minute's number. */
static void minute(World *w, int number, double value) {
    Observation seen = observe(&value, 1);
    seen.settled_end_s = NOW_MS / 1000 + number * 60;
    seen.samples.start_s = seen.settled_end_s - 60;
    OWN(change) InstanceChange *change = change_new(w->instance);
    change_observe(change, &seen, 0, NOW_MS + number * 60000);
    instance_apply(w->instance, change, true);
}

/* Values by the minute, and the states that are shown: `-` a missing value, 9 breaches; O A I, lower case while
 * pending. */
static const struct Holding {
    PendingRule rule;
    const char *values, *states;
} holdings[] = {
    {{0, 0}, "1991", "OAAO"},
    {{60, 0}, "19991", "OoAAO"},
    {{120, 0}, "199199991", "OooOooAAO"}, /* one good minute forgets everything */
    {{120, 0}, "199-9991", "OooIiiAO"}, /* and so does one without data */
    {{0, 120}, "19111", "OAAAO"},
    {{0, 120}, "1911911111", "OAAAAAAOOO"}, /* a breach meanwhile begins the keeping anew */
    {{60, 60}, "1991199111", "OoAAOoAAOO"},
};

START_TEST(a_breach_must_last_before_it_fires_and_is_kept_after) {
    const struct Holding *c = &holdings[_i];
    World w;
    world_init(&w, NODATA_RESOLVE);
    w.alarm.hold.pending = c->rule;
    w.alarm.rule.range = 1;
    for (int i = 0; c->values[i]; i++) {
        minute(&w, i, c->values[i] == '-' ? NAN : c->values[i] == '9' ? 90 : 1);
        const char shown = *state_word(w.instance->memory.state);
        const char want = c->states[i];
        const bool is_pending = want >= 'a';
        ck_assert_msg(shown == (is_pending ? want - 'a' + 'A' : want), "minute %d of %s: %c", i, c->values, shown);
        ck_assert_int_eq(w.instance->hold.pending.phase == PENDING_PENDING, is_pending);
        ck_assert_int_eq(instance_is_firing(w.instance), want == 'A');
    }
    world_deinit(&w);
}
END_TEST

START_TEST(pending_is_told_in_the_reason_alone) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.alarm.hold.pending.for_s = 120;
    minute(&w, 0, 1);
    minute(&w, 1, 90);
    ck_assert_ptr_nonnull(strstr(w.instance->facts.reason, " (pending until it has lasted 2m)"));
    minute(&w, 2, 90);
    minute(&w, 3, 90);
    ck_assert_ptr_nonnull(strstr(w.instance->facts.reason, " (it lasted 2m)"));
    world_deinit(&w);
}
END_TEST

START_TEST(keys_added_to_what_fires_reset_nothing) {
    World w;
    world_init(&w, NODATA_HOLD);
    minute(&w, 0, 90);
    w.alarm.hold.pending = (PendingRule){600, 0};
    minute(&w, 1, 90);
    ck_assert_int_eq(w.instance->memory.state, STATE_ALARM);
    w.alarm.hold.pending = (PendingRule){0, 0};
    minute(&w, 2, 1);
    ck_assert_int_eq(w.instance->memory.state, STATE_OK);
    world_deinit(&w);
}
END_TEST

/* A restart between two polls that cannot be made good for what lies between: that time does not count. */
START_TEST(down_time_does_not_count_for_what_is_pending) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.alarm.hold.pending.for_s = 300;
    minute(&w, 0, 1);
    minute(&w, 1, 90);
    Observation seen = observe((double[]){90}, 1);
    seen.every_minute = false;
    seen.settled_end_s += 3600;
    seen.samples.start_s = seen.settled_end_s - 60;
    OWN(change) InstanceChange *change = change_new(w.instance);
    change_observe(change, &seen, NOW_MS / 1000 + 120, NOW_MS + 3600000);
    ck_assert_int_eq(change->after.memory.state, STATE_OK);
    ck_assert_int_eq(change->after.hold.pending.active_s, NOW_MS / 1000 + 3600 - 60);
    world_deinit(&w);
}
END_TEST

/* The resumed end stays the same while something else in the poll fails: only the first look after it was down time. */
START_TEST(down_time_is_taken_off_once) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.alarm.hold.pending.for_s = 300;
    minute(&w, 0, 1);
    minute(&w, 1, 90);
    for (int64_t at_s = 3600; at_s <= 3900; at_s += 60) {
        Observation seen = observe((double[]){90}, 1);
        seen.settled_end_s += at_s;
        seen.samples.start_s = seen.settled_end_s - 60;
        OWN(change) InstanceChange *change = change_new(w.instance);
        change_observe(change, &seen, NOW_MS / 1000 + 120, NOW_MS + at_s * 1000);
        instance_apply(w.instance, change, true);
    }
    ck_assert_int_eq(w.instance->memory.state, STATE_ALARM);
    world_deinit(&w);
}
END_TEST

/* --- flap --- */

START_TEST(while_it_flaps_nothing_is_told_but_its_beginning_and_its_end) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.alarm.hold.flap = (FlapRule){20, 30};
    size_t told = 0, began = 0;
    for (int i = 0; i < 60; i++) {
        Observation seen = observe((double[]){i % 2 && i < 20 ? 90 : 1}, 1);
        seen.settled_end_s += i * 60;
        seen.samples.start_s = seen.settled_end_s - 60;
        OWN(change) InstanceChange *change = change_new(w.instance);
        change_observe(change, &seen, 0, NOW_MS + i * 60000);
        ck_assert(!change->tell || change->persist);
        if (change->after.hold.flap.is_flapping && !w.instance->hold.flap.is_flapping) {
            ck_assert(change->tell && instance_is_firing(&change->after));
            began++;
        } else if (w.instance->hold.flap.is_flapping && change->after.hold.flap.is_flapping) {
            ck_assert(!change->tell && instance_is_firing(&change->after));
        }
        told += change->tell;
        instance_apply(w.instance, change, true);
    }
    ck_assert_uint_eq(began, 1);
    ck_assert(!w.instance->hold.flap.is_flapping);
    ck_assert(instance_is_resolved(w.instance)); /* steady, and good */
    ck_assert_uint_lt(told, 10); /* five changes before it flapped, its beginning and its end */
    world_deinit(&w);
}
END_TEST

START_TEST(a_state_a_period_is_taken_in) {
    static const struct Feed {
        int64_t at_s;
        bool has_changed, is_taken;
    } feeds[] = {{0, true, true}, {60, false, false}, {240, false, false}, {300, false, true}, {360, true, true},
        {600, false, false}, {660, false, true}, {30, false, true} /* the clock went back */};
    const FlapRule rule = {20, 30};
    Hold hold = {0};
    for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++) {
        const int64_t now_ms = NOW_MS + feeds[i].at_s * 1000;
        ck_assert_int_eq(hold_flap(&rule, &hold, STATE_OK, feeds[i].has_changed, 300000, now_ms), FLAP_SAME);
        ck_assert_msg((hold.flap_ms == now_ms) == feeds[i].is_taken, "at %d", (int)feeds[i].at_s);
    }
}
END_TEST

START_TEST(flapping_without_the_key_ends) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.alarm.hold.flap = (FlapRule){20, 30};
    for (int i = 0; i < 9; i++) minute(&w, i, i % 2 ? 90 : 1);
    ck_assert(w.instance->hold.flap.is_flapping);
    w.alarm.hold.flap = (FlapRule){0, 0};
    minute(&w, 9, 1);
    ck_assert(!w.instance->hold.flap.is_flapping && instance_is_resolved(w.instance));
    world_deinit(&w);
}
END_TEST

/* All that holds comes back from the state file as it was. */
START_TEST(what_holds_outlives_a_restart) {
    World w;
    world_init(&w, NODATA_HOLD);
    w.alarm.hold = (HoldRule){.pending = {300, 0}, .flap = {20, 30}};
    minute(&w, 0, 1);
    minute(&w, 1, 90);
    w.instance->hold.flap.is_flapping = true;
    w.instance->hold.suppressor = text_copy("deploy \"x\"");
    w.instance->hold.suppression = (SuppressionMemory){.composite = STATE_ALARM,
        .suppressor = STATE_OK,
        .told = STATE_INSUFFICIENT_DATA,
        .is_owed = true,
        .phase = SUPPRESSION_WAITING,
        .due_ms = NOW_MS + 1};
    OWN(arena) Arena *arena = arena_new();
    const InstanceRow row = instance_row(w.instance, arena);
    OWN(instances) Instances *later = instances_new();
    const Instance *back = instance_restore(later, &row, NOW_MS);
    ck_assert_ptr_nonnull(back);
    ck_assert(hold_equal(&back->hold, &w.instance->hold));
    ck_assert_int_eq(back->hold.judged, STATE_ALARM);
    ck_assert_int_eq(back->memory.state, STATE_OK);
    world_deinit(&w);
}
END_TEST

START_TEST(what_holds_and_makes_no_sense_is_left_out) {
    static const char *const texts[] = {"{}", "{\"pending\":{\"active_s\":\"x\"}}", "{\"flap\":{\"states\":\"OOO\"}}",
        "{\"flap\":{\"states\":\"OOOOOOOOOOOOOOOOOOOOX\"}}", "{\"suppression\":{\"by\":\"x\",\"phase\":9}}",
        "{\"suppression\":7}", "{\"judged\":\"MAYBE\"}", "[]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        OWN(json) json_t *json = json_read(texts[i], strlen(texts[i]), NULL);
        Hold hold;
        hold_read(&hold, json, STATE_ALARM, NOW_MS);
        ck_assert(hold_equal(&hold, &(Hold){.judged = STATE_ALARM}));
        ck_assert_int_eq(hold.judged, STATE_ALARM);
        hold_deinit(&hold);
    }
}
END_TEST

/* Else an alarm that is kept firing would be over at the first judging, in silence. */
START_TEST(what_is_kept_stays_kept_when_its_time_cannot_be_read) {
    static const struct {
        const char *text;
        bool is_kept;
        int64_t ended_s;
    } cases[] = {
        {"{\"judged\":\"OK\",\"pending\":{\"fires\":true,\"active_s\":5,\"ended_s\":9}}", true, 9},
        {"{\"judged\":\"OK\",\"pending\":{\"fires\":true,\"active_s\":5,\"ended_s\":\"9\"}}", true, NOW_MS / 1000},
        {"{\"judged\":\"OK\",\"pending\":{\"fires\":true,\"active_s\":5,\"ended_s\":null}}", true, NOW_MS / 1000},
        {"{\"judged\":\"ALARM\",\"pending\":{\"fires\":true,\"active_s\":5}}", false, 0},
        {"{\"judged\":\"ALARM\",\"pending\":{\"fires\":false,\"active_s\":5,\"ended_s\":{}}}", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        OWN(json) json_t *json = json_read(cases[i].text, strlen(cases[i].text), NULL);
        Hold hold;
        hold_read(&hold, json, STATE_ALARM, NOW_MS);
        ck_assert_msg(hold.pending.is_kept == cases[i].is_kept, "%s", cases[i].text);
        ck_assert_int_eq(hold.pending.ended_s, cases[i].ended_s);
        hold_deinit(&hold);
    }
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_test(tests, memory_is_untouched_until_the_commit);
    tcase_add_test(tests, missed_minutes_are_judged_in_order);
    tcase_add_test(tests, what_was_judged_before_a_restart_is_not_judged_again);
    tcase_add_test(tests, a_clock_that_went_back_judges_nothing);
    tcase_add_test(tests, a_clock_that_was_far_ahead_blinds_nobody);
    tcase_add_loop_test(tests, firing_and_resolved, 0, COUNT_OF(firings));
    tcase_add_test(tests, an_instance_survives_the_state_file);
    tcase_add_test(tests, a_state_that_is_said_is_taken_over);
    tcase_add_test(tests, notes_stay_until_it_fires_anew);
    tcase_add_test(tests, a_row_under_a_strange_key_is_left_out);
    tcase_add_test(tests, a_row_that_looks_like_another_leaves_it_alone);
    tcase_add_test(tests, extras_that_make_no_sense_are_left_out);
    tcase_add_test(tests, labels_name_the_alarm_and_nothing_hides_them);
    tcase_add_test(tests, a_fingerprint_is_of_its_parts_alone);
    tcase_add_test(tests, what_is_removed_while_firing_is_resolved_with_the_reason);
    tcase_add_loop_test(
        tests, a_breach_must_last_before_it_fires_and_is_kept_after, 0, sizeof holdings / sizeof *holdings);
    tcase_add_test(tests, pending_is_told_in_the_reason_alone);
    tcase_add_test(tests, keys_added_to_what_fires_reset_nothing);
    tcase_add_test(tests, down_time_does_not_count_for_what_is_pending);
    tcase_add_test(tests, down_time_is_taken_off_once);
    tcase_add_test(tests, while_it_flaps_nothing_is_told_but_its_beginning_and_its_end);
    tcase_add_test(tests, a_state_a_period_is_taken_in);
    tcase_add_test(tests, flapping_without_the_key_ends);
    tcase_add_test(tests, what_holds_outlives_a_restart);
    tcase_add_test(tests, what_is_kept_stays_kept_when_its_time_cannot_be_read);
    tcase_add_test(tests, what_holds_and_makes_no_sense_is_left_out);
}

int main(void) { return run_tests("change", fill); }
