/* Instances of an alarm whose polls find its series: the row without any, what comes, what is missed, what is gone. */
#include "engine/series.h"

#include "../run.h"
#include "core.h"

#include <math.h>

enum { GRACE_S = 600, MOST = 3 };

static const Source found_source = {.name = "xray", .alarm_key = "service_graph"};
static const char *const by_name[] = {"alertname"};

typedef struct World {
    Room room;
    Core core;
    Backlog *backlog;
    Own *own;
    Series *series;
    RouteSection routes;
    DiscoverySection limits;
    Alarm alarm;
    Watch watches[2];
    const Alarm *alarms[2];
} World;

static void world_configure(World *w) {
    series_free(w->series);
    for (Instance *i = instances_next(w->core.instances, NULL); i; i = instances_next(w->core.instances, i))
        i->alarm = NULL;
    w->series = series_new(&w->core, w->backlog, w->own, &w->limits, w->watches, w->alarms, 2);
}

static void world_init(World *w) {
    *w = (World){.limits = {.grace_s = GRACE_S, .max_instances = MOST}};
    room_init(&w->room);
    room_open(&w->room);
    w->routes = (RouteSection){.is_given = true,
        .root = {.receiver = "oncall", .group_by = {1, by_name, NULL}, .group_wait_s = 30, .group_interval_s = 300}};
    w->core = core_make(&w->room, &w->routes);
    w->backlog = backlog_new(&w->core);
    w->own = own_new(&w->core, w->backlog);
    w->alarm = (Alarm){.name = "faults",
        .description = "",
        .source = &found_source,
        .severity = SEVERITY_ERROR,
        .rule = {.comparison = COMPARE_GE, .threshold = 5, .n = 1, .m = 1, .range = 3, .period_s = 60}};
    for (size_t i = 0; i < 2; i++) {
        w->watches[i] = (Watch){.source = &found_source,
            .index = i,
            .alarm = "faults",
            .account = "prod",
            .region = i ? "us-east-1" : "eu-west-1",
            .rule = &w->alarm.rule};
        w->alarms[i] = &w->alarm;
    }
    world_configure(w);
}

static void world_deinit(World *w) {
    w->core.store = w->room.store = store_close(w->room.store);
    series_free(w->series);
    own_free(w->own);
    backlog_free(w->backlog);
    aws_free(w->core.aws);
    groups_free(w->core.groups);
    mutes_free(w->core.mutes);
    acks_free(w->core.acks);
    instances_free(w->core.instances);
    memory_free(w->core.memory);
    room_deinit(&w->room);
}

static int64_t now_ms(const World *w) { return clock_wall_ms(w->room.clock); }

/* What a poll of the first watch has seen, or read of as last there `absent_s` ago: a letter a service, whose fault
 * rate is 9 for a capital and 1 else. */
static void poll_remembering(World *w, const char *services, int64_t absent_s) {
    Batch *batch = batch_new(w->backlog);
    const int64_t end_s = now_ms(w) / 1000 / 60 * 60;
    for (; *services; services++) {
        const char name[] = {(char)(*services | 0x20), 0};
        OWN(labels) Labels *labels = labels_new(&(Label){"service", name}, 1);
        Instance *instance = series_seen(w->series, 0, labels, absent_s, now_ms(w));
        if (!instance) continue;
        double value = *services & 0x20 ? 1 : 9;
        const Observation seen = {.settled_end_s = end_s, .samples = {FOLD_NONE, end_s - 60, 60, 1, &value, NULL}};
        InstanceChange *change = change_new(instance);
        change_observe(change, &seen, 0, now_ms(w));
        batch_add(batch, change);
    }
    series_close(w->series, 0, end_s, now_ms(w), batch);
    batch_commit(batch, NULL, NULL);
    room_run(&w->room);
    clock_advance(w->room.clock, 60000);
}

static void poll(World *w, const char *services) { poll_remembering(w, services, 0); }

/* `STATE service` of each instance in the first region, sorted; `-` stands for the row without a series. */
static const char *states(const World *w) {
    static char text[512];
    size_t count, used = 0;
    Instance **all = instances_sorted(w->core.instances, &count);
    char rows[16][48];
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i]->region, "eu-west-1") != 0) continue;
        const char *service = labels_get(all[i]->series, "service");
        snprintf(rows[shown++], sizeof rows[0], "%s %s%s", *service ? service : "-", state_word(all[i]->memory.state),
            all[i]->gone ? " gone" : "");
    }
    free(all);
    qsort(rows, shown, sizeof rows[0], (int (*)(const void *, const void *))strcmp);
    text[0] = 0;
    for (size_t i = 0; i < shown; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", rows[i]);
    return text;
}

static const Instance *any_of(const World *w, const char *service) {
    OWN(labels) Labels *labels = *service ? labels_new(&(Label){"service", service}, 1) : NULL;
    char fingerprint[FINGERPRINT_TEXT];
    fingerprint_make("faults", "prod", "eu-west-1", "xray", labels, fingerprint);
    return instance_find(w->core.instances, fingerprint);
}

START_TEST(a_row_stands_where_there_is_no_series) {
    World w;
    world_init(&w);
    ck_assert_str_eq(states(&w), "- INSUFFICIENT_DATA");
    poll(&w, "");
    ck_assert_str_eq(any_of(&w, "")->facts.reason, "no series");
    ck_assert_str_eq(labels_get(any_of(&w, "")->labels, "alertname"), "faults");
    poll(&w, "aB");
    ck_assert_str_eq(states(&w), "a OK, b ALARM");
    world_deinit(&w);
}
END_TEST

START_TEST(what_is_not_seen_is_missing_and_then_gone) {
    World w;
    world_init(&w);
    poll(&w, "aB");
    poll(&w, "");
    ck_assert_str_eq(states(&w), "a INSUFFICIENT_DATA, b INSUFFICIENT_DATA");
    ck_assert(any_of(&w, "b")->data_missing && instance_is_firing(any_of(&w, "b")));
    for (int minute = 0; minute < GRACE_S / 60 - 1; minute++) poll(&w, "");
    ck_assert_ptr_nonnull(any_of(&w, "a"));
    poll(&w, "");
    ck_assert_str_eq(states(&w), "- INSUFFICIENT_DATA, b OK gone"); /* people must still hear of b's end */
    ck_assert_str_eq(any_of(&w, "b")->facts.reason, "gone: not seen for 10m");
    ck_assert(instance_is_resolved(any_of(&w, "b")));
    world_deinit(&w);
}
END_TEST

/* What older windows hold is judged, but it is not there: the grace runs, and behind it nothing makes it anew. */
START_TEST(what_is_only_remembered_is_gone_in_time) {
    World w;
    world_init(&w);
    poll(&w, "aB");
    for (int minute = 1; minute < GRACE_S / 60; minute++) poll_remembering(&w, "aB", minute * 60);
    ck_assert_str_eq(states(&w), "a OK, b ALARM");
    poll_remembering(&w, "aB", GRACE_S);
    ck_assert_str_eq(states(&w), "- INSUFFICIENT_DATA, b OK gone");
    ck_assert_str_eq(any_of(&w, "b")->facts.reason, "gone: not seen for 10m");
    poll_remembering(&w, "aB", GRACE_S + 60);
    ck_assert_str_eq(states(&w), "- INSUFFICIENT_DATA, b OK gone");
    poll(&w, "B");
    ck_assert_str_eq(states(&w), "b ALARM");
    world_deinit(&w);
}
END_TEST

START_TEST(what_is_seen_in_between_begins_its_grace_anew) {
    World w;
    world_init(&w);
    poll(&w, "B");
    poll_remembering(&w, "B", GRACE_S - 60);
    poll(&w, "B");
    poll_remembering(&w, "B", GRACE_S - 60);
    ck_assert_str_eq(states(&w), "b ALARM");
    world_deinit(&w);
}
END_TEST

/* Reloads more frequent than the grace must not keep what is gone. */
START_TEST(a_reload_does_not_end_an_absence) {
    World w;
    world_init(&w);
    poll(&w, "B");
    for (int minute = 0; minute < GRACE_S / 60 + 1; minute++) {
        poll(&w, "");
        world_configure(&w);
    }
    ck_assert_str_eq(states(&w), "- INSUFFICIENT_DATA, b OK gone");
    world_deinit(&w);
}
END_TEST

START_TEST(what_comes_back_is_the_same_instance) {
    World w;
    world_init(&w);
    poll(&w, "B");
    for (int minute = 0; minute < GRACE_S / 60 + 1; minute++) poll(&w, "");
    ck_assert(any_of(&w, "b")->gone);
    poll(&w, "B");
    ck_assert(!any_of(&w, "b")->gone && instance_is_firing(any_of(&w, "b")));
    ck_assert_ptr_eq(any_of(&w, "b")->alarm, &w.alarm);
    world_deinit(&w);
}
END_TEST

START_TEST(blindness_is_no_absence) {
    World w;
    world_init(&w);
    poll(&w, "aB");
    for (int minute = 0; minute < 2 * GRACE_S / 60; minute++) {
        series_blind(w.series, 0, "denied");
        clock_advance(w.room.clock, 60000);
    }
    ck_assert_str_eq(states(&w), "a OK, b ALARM");
    ck_assert_str_eq(any_of(&w, "a")->evaluation_error, "denied");
    poll(&w, "a");
    ck_assert_str_eq(states(&w), "a OK, b INSUFFICIENT_DATA"); /* the hour begins with the first that could see */
    ck_assert_ptr_null(any_of(&w, "a")->evaluation_error);
    world_deinit(&w);
}
END_TEST

START_TEST(a_blind_start_says_so_in_the_row) {
    World w;
    world_init(&w);
    series_blind(w.series, 0, "denied");
    ck_assert_str_eq(any_of(&w, "")->evaluation_error, "denied");
    world_deinit(&w);
}
END_TEST

START_TEST(a_reload_finds_its_instances_again) {
    World w;
    world_init(&w);
    poll(&w, "aB");
    world_configure(&w);
    ck_assert_str_eq(states(&w), "a OK, b ALARM");
    ck_assert_ptr_eq(any_of(&w, "b")->alarm, &w.alarm);
    poll(&w, "");
    ck_assert_str_eq(states(&w), "a INSUFFICIENT_DATA, b INSUFFICIENT_DATA");
    world_deinit(&w);
}
END_TEST

static const Instance *overflow(World *w) {
    OWN(labels) Labels *labels = labels_new(&(Label){"alarm", "faults"}, 1);
    char fingerprint[FINGERPRINT_TEXT];
    fingerprint_make("TocsinInstanceOverflow", "", "", "tocsin", labels, fingerprint);
    return instance_find(w->core.instances, fingerprint);
}

START_TEST(more_than_may_be_watched_are_told_of) {
    World w;
    world_init(&w);
    poll(&w, "abc");
    ck_assert_ptr_null(overflow(&w));
    poll(&w, "abcDE");
    ck_assert_str_eq(states(&w), "a OK, b OK, c OK");
    room_run(&w.room);
    ck_assert_int_eq(overflow(&w)->memory.state, STATE_ALARM);
    ck_assert_ptr_nonnull(strstr(overflow(&w)->facts.reason, "more than 3 series"));
    poll(&w, "abc");
    room_run(&w.room);
    ck_assert_int_eq(overflow(&w)->memory.state, STATE_OK);
    world_deinit(&w);
}
END_TEST

static void count_known(void *ctx, const Labels *series, AlarmState state) {
    char *text = ctx;
    snprintf(text + strlen(text), 64, "%s %s;", labels_get(series, "service"), state_word(state));
}

START_TEST(a_source_learns_what_is_known) {
    World w;
    char text[256] = "";
    world_init(&w);
    poll(&w, "B");
    series_each(w.series, 0, count_known, text);
    series_each(w.series, 1, count_known, text);
    ck_assert_str_eq(text, "b ALARM;");
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_test(tests, a_row_stands_where_there_is_no_series);
    tcase_add_test(tests, what_is_not_seen_is_missing_and_then_gone);
    tcase_add_test(tests, what_is_only_remembered_is_gone_in_time);
    tcase_add_test(tests, what_is_seen_in_between_begins_its_grace_anew);
    tcase_add_test(tests, a_reload_does_not_end_an_absence);
    tcase_add_test(tests, what_comes_back_is_the_same_instance);
    tcase_add_test(tests, blindness_is_no_absence);
    tcase_add_test(tests, a_blind_start_says_so_in_the_row);
    tcase_add_test(tests, a_reload_finds_its_instances_again);
    tcase_add_test(tests, more_than_may_be_watched_are_told_of);
    tcase_add_test(tests, a_source_learns_what_is_known);
}

int main(void) { return run_tests("series", fill); }
