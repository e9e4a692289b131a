/* Alerts, groups and silences as Alertmanager's clients read them. */
#include "control/alertmanager_view.h"

#include "../run.h"
#include "base/alloc.h"
#include "fake_engine.h"
#include "notify/interval_section.h"

#include <string.h>
#include <unistd.h>

static const SectionDescriptor *const sections[] = {&time_intervals_section, &route_section, NULL};
static const SnapshotSchema schema = {sections, NULL};

#define ROUTES \
    "time_intervals: [{name: nights, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}]\n" \
    "route:\n  receiver: people\n  group_by: [alertname]\n  routes:\n" \
    "    - {matchers: ['alertname=\"cpu\"', 'region=~\"eu-.*\"'], receiver: shop, continue: true, group_by: " \
    "['...'],\n" \
    "       mute_time_intervals: [nights], repeat_interval: 1h}\n" \
    "    - {matchers: ['alertname=\"cpu\"']}\n"

typedef struct World {
    Engine engine;
    Snapshot *snapshot;
    const RouteSection *routes;
    Matchers *filter, *receiver;
} World;

static void world_init(World *w) {
    char path[] = "/tmp/tocsin-test-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, ROUTES, strlen(ROUTES)), (ssize_t)strlen(ROUTES));
    close(fd);
    OWN(problems) Problems *problems = problems_new();
    fake_engine_init(&w->engine, NULL);
    w->snapshot = snapshot_load(&schema, path, true, problems);
    unlink(path);
    problems_print(problems, stderr);
    ck_assert_uint_eq(problems_errors(problems), 0);
    w->routes = snapshot_section(w->snapshot, &route_section);
    w->filter = matchers_new();
    w->receiver = matchers_new();
    w->engine.alarms[2].firing_since_ms = w->engine.alarms[1].firing_since_ms = clock_wall_ms(w->engine.clock) - 5000;
}

static void world_deinit(World *w) {
    matchers_free(w->filter);
    matchers_free(w->receiver);
    snapshot_free(w->snapshot);
    fake_engine_deinit(&w->engine);
}

static AmChoice all_of(const World *w) { return (AmChoice){w->filter, w->receiver, true, true, true, true}; }

/* `bb>shop+people cc>...`: the last two digits of each, and to whom it goes. Caller frees. */
static char *brief(const json_t *alerts) {
    Buffer out = BUFFER(4096);
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const json_t *alert = json_array_get(alerts, i), *receivers = json_list(alert, "receivers");
        buffer_format(&out, "%s%s", i ? " " : "", json_text(alert, "fingerprint") + 14);
        for (size_t r = 0; r < json_array_size(receivers); r++)
            buffer_format(&out, "%c%s", r ? '+' : '>', json_text(json_array_get(receivers, r), "name"));
    }
    return buffer_take(&out);
}

static void silence(World *w, const char *matcher, const char *id, int64_t from_ms, int64_t to_ms) {
    const int64_t now_ms = clock_wall_ms(w->engine.clock);
    Silence *made = alloc_zeroed(1, sizeof *made);
    *made = (Silence){.id = text_copy(id),
        .matchers = matchers_new(),
        .starts_ms = now_ms + from_ms,
        .ends_ms = now_ms + to_ms,
        .updated_ms = now_ms,
        .created_by = text_copy("me"),
        .comment = text_copy("why")};
    ck_assert(matchers_add_text(made->matchers, matcher, NULL));
    silences_add(mutes_silences(w->engine.mutes), made);
}

START_TEST(an_alert_has_every_member) {
    World w;
    world_init(&w);
    const AmChoice choice = all_of(&w);
    OWN(json) json_t *alerts = am_alerts(&w.engine, w.routes, &choice);
    OWN(text) char *got = brief(alerts);
    ck_assert_str_eq(got, "bb>shop+people cc>shop+people"); /* aa does not fire */
    const json_t *alert = json_array_get(alerts, 0);
    static const char *const members[] = {
        "annotations", "endsAt", "fingerprint", "receivers", "startsAt", "status", "updatedAt", "labels"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        ck_assert_msg(json_object_get(alert, members[i]) != NULL, "%s", members[i]);
    ck_assert_str_eq(json_text(alert, "startsAt"), "2026-01-02T03:04:00.000Z");
    ck_assert_str_eq(json_text(alert, "endsAt"), "2026-01-02T03:09:05.000Z");
    ck_assert_str_eq(json_text(json_map(alert, "labels"), "alertname"), "cpu");
    ck_assert_str_eq(json_text(json_map(alert, "status"), "state"), "active");
    world_deinit(&w);
}
END_TEST

static const struct Choice_ {
    const char *filter, *receiver;
    bool active, silenced;
    const char *want;
} choices[] = {
    {"alertname=\"cpu\"", NULL, true, true, "bb>shop+people cc>shop+people"},
    {"alertname!=\"cpu\"", NULL, true, true, ""},
    {NULL, "sh.*", true, true, "bb>shop+people cc>shop+people"},
    {NULL, "sho", true, true, ""},
    {NULL, NULL, true, false, ""}, /* both are silenced */
    {NULL, NULL, false, true, "bb>shop+people cc>shop+people"},
    {NULL, NULL, false, false, ""},
};

START_TEST(what_is_asked_for_is_listed) {
    const struct Choice_ *c = &choices[_i];
    World w;
    world_init(&w);
    silence(&w, "alertname=\"cpu\"", "s1", -1000, 1000);
    AmChoice choice = {w.filter, w.receiver, c->active, c->silenced, true, true};
    if (c->filter) ck_assert(matchers_add_text(w.filter, c->filter, NULL));
    if (c->receiver) ck_assert(matchers_add(w.receiver, &(Matcher){"receiver", c->receiver, true, true}, NULL));
    OWN(json) json_t *alerts = am_alerts(&w.engine, w.routes, &choice);
    OWN(text) char *got = brief(alerts);
    ck_assert_str_eq(got, c->want);
    if (json_array_size(alerts)) {
        const json_t *status = json_map(json_array_get(alerts, 0), "status");
        ck_assert_str_eq(json_text(status, "state"), "suppressed");
        ck_assert_str_eq(json_string_value(json_array_get(json_list(status, "silencedBy"), 0)), "s1");
    }
    world_deinit(&w);
}
END_TEST

START_TEST(groups_are_those_of_the_routes) {
    World w;
    world_init(&w);
    const AmChoice choice = all_of(&w);
    OWN(json) json_t *groups = am_groups(&w.engine, w.routes, &choice);
    ck_assert_uint_eq(json_array_size(groups), 2);
    const json_t *people = json_array_get(groups, 0), *shop = json_array_get(groups, 1);
    ck_assert_str_eq(json_text(json_map(people, "receiver"), "name"), "people");
    ck_assert_uint_eq(json_object_size(json_map(people, "labels")), 1);
    ck_assert_uint_eq(json_object_size(json_map(shop, "labels")), 3);
    OWN(text) char *got = brief(json_list(people, "alerts"));
    ck_assert_str_eq(got, "bb>shop+people cc>shop+people");
    ck_assert(matchers_add(w.receiver, &(Matcher){"receiver", "shop", true, true}, NULL));
    OWN(json) json_t *one = am_groups(&w.engine, w.routes, &choice);
    ck_assert_uint_eq(json_array_size(one), 1);
    world_deinit(&w);
}
END_TEST

START_TEST(silences_come_active_pending_expired) {
    World w;
    world_init(&w);
    silence(&w, "a=\"1\"", "old", -9000, -5000);
    silence(&w, "a=\"1\"", "newer", -9000, -4000);
    silence(&w, "a=\"1\",b=\"2\"", "late", 5000, 9000);
    silence(&w, "a=\"1\"", "soon", 4000, 9000);
    silence(&w, "a=\"1\"", "long", -1000, 9000);
    silence(&w, "a=~\"1\"", "short", -1000, 1000);
    static const struct {
        const char *filter, *want;
    } asks[] = {{NULL, "short long soon late newer old"}, {"a=\"1\"", "long soon late newer old"},
        {"b=\"2\",a=\"1\"", "late"}, {"a!=\"1\"", ""}};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        OWN(matchers) Matchers *filter = matchers_new();
        if (asks[i].filter) ck_assert(matchers_add_text(filter, asks[i].filter, NULL));
        OWN(json) json_t *rows = am_silences(&w.engine, filter);
        OWN(buffer) Buffer out = BUFFER(512);
        for (size_t r = 0; r < json_array_size(rows); r++)
            buffer_format(&out, "%s%s", r ? " " : "", json_text(json_array_get(rows, r), "id"));
        ck_assert_str_eq(buffer_string(&out), asks[i].want);
    }
    world_deinit(&w);
}
END_TEST

START_TEST(the_tree_is_alertmanagers_configuration) {
    World w;
    world_init(&w);
    const Receiver known[] = {{.name = "people"}, {.name = "shop"}};
    const ReceiversSection receivers = {.receivers = known, .count = 2};
    OWN(json) json_t *status = am_status(&w.engine, w.routes, &receivers);
    const char *text = json_text(json_map(status, "config"), "original");
    OWN(json) json_t *config = json_read(text, strlen(text), NULL);
    const json_t *first = json_array_get(json_list(json_map(config, "route"), "routes"), 0);
    ck_assert_str_eq(json_text(first, "receiver"), "shop");
    ck_assert_str_eq(json_text(first, "repeat_interval"), "1h");
    ck_assert_str_eq(json_string_value(json_array_get(json_list(first, "matchers"), 1)), "region=~\"eu-.*\"");
    ck_assert_str_eq(json_string_value(json_array_get(json_list(first, "group_by"), 0)), "...");
    ck_assert(json_flag(first, "continue", false));
    ck_assert_str_eq(json_text(json_array_get(json_list(config, "time_intervals"), 0), "name"), "nights");
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, an_alert_has_every_member);
    tcase_add_loop_test(tcase, what_is_asked_for_is_listed, 0, sizeof choices / sizeof *choices);
    tcase_add_test(tcase, groups_are_those_of_the_routes);
    tcase_add_test(tcase, silences_come_active_pending_expired);
    tcase_add_test(tcase, the_tree_is_alertmanagers_configuration);
}

int main(void) { return run_tests("alertmanager", fill); }
