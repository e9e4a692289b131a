/* What `GET /v1/cloudtrail/events` answers: the newest of all places, by rule, time and number, and up to when. */
#include "control/event_view.h"

#include "../run.h"
#include "base/json.h"
#include "fake_engine.h"
#include "sources/event_log.h"

#include <string.h>

static void add(EventLog *log, const char *id, int64_t time_ms, const char *error, const char *rule) {
    static const char *const resources[] = {"arn:x", "bucket\x1b[2J"};
    event_log_add(log,
        &(ReadEvent){.id = id,
            .name = "DeleteTrail",
            .service = "cloudtrail.amazonaws.com",
            .region = "eu-west-1",
            .who = "ann",
            .where = "203.0.113.7",
            .error = error,
            .brief = "ann DeleteTrail",
            .resources = resources,
            .resource_count = 2,
            .time_ms = time_ms},
        &rule, rule != NULL);
}

static void world_init(Engine *engine, EventLog *log) {
    fake_engine_init(engine, NULL);
    engine->kept = log;
    engine->kept_api = "LookupEvents";
    add(log, "e1", 1000, "", NULL);
    add(log, "e3", 3000, "", "other");
    add(log, "e2", 2000, "AccessDenied", "root-used");
    event_log_prune(log, 5000, 4000);
}

static const struct Case {
    EventChoice choice;
    const char *want; /* their ids */
} cases[] = {
    {{0, NULL, 1000}, "e3 e2 e1 "},
    {{0, NULL, 2}, "e3 e2 "},
    {{0, NULL, 0}, ""},
    {{2000, NULL, 1000}, "e3 e2 "},
    {{3001, NULL, 1000}, ""},
    {{0, "root-used", 1000}, "e2 "},
    {{0, "root-used", 1}, "e2 "}, /* of those that are asked for */
    {{0, "root", 1000}, ""},
};

START_TEST(newest_first_as_chosen) {
    Engine engine;
    char ids[64] = "";
    OWN(event_log) EventLog *log = event_log_new();
    world_init(&engine, log);
    OWN(json) json_t *answer = view_events(&engine, &cases[_i].choice);
    const json_t *events = json_list(answer, "events");
    for (size_t i = 0; i < json_array_size(events); i++) {
        strcat(ids, json_text(json_array_get(events, i), "id"));
        strcat(ids, " ");
    }
    ck_assert_str_eq(ids, cases[_i].want);
    ck_assert_str_eq(json_text(answer, "as_of"), "1970-01-01T00:00:04.000Z");
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(an_event_whole) {
    Engine engine;
    OWN(event_log) EventLog *log = event_log_new();
    world_init(&engine, log);
    OWN(json) json_t *answer = view_events(&engine, &(EventChoice){0, "root-used", 1});
    OWN(json)
    json_t *want = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:[s, s], s:[s]}", "id", "e2",
        "time", "1970-01-01T00:00:02.000Z", "name", "DeleteTrail", "service", "cloudtrail.amazonaws.com", "account",
        "default", "region", "eu-west-1", "read_only", 0, "who", "ann", "from", "203.0.113.7", "error", "AccessDenied",
        "brief", "ann DeleteTrail", "resources", "arn:x", "bucket\x1b[2J", "rules", "root-used");
    ck_assert(json_equal(json_array_get(json_list(answer, "events"), 0), want));
    fake_engine_deinit(&engine);
}
END_TEST

START_TEST(nothing_was_read_yet) {
    Engine engine;
    OWN(event_log) EventLog *log = event_log_new();
    fake_engine_init(&engine, NULL);
    engine.kept_api = "LookupEvents";
    OWN(json) json_t *none = view_events(&engine, &(EventChoice){0, NULL, 10});
    ck_assert_uint_eq(json_array_size(json_list(none, "events")), 0);
    ck_assert(json_is_null(json_object_get(none, "as_of")));
    engine.kept = log;
    OWN(json) json_t *empty = view_events(&engine, &(EventChoice){0, NULL, 10});
    ck_assert(json_is_null(json_object_get(empty, "as_of")));
    engine.kept_api = "GetServiceGraph"; /* what another source keeps is no log of events */
    OWN(json) json_t *other = view_events(&engine, &(EventChoice){0, NULL, 10});
    ck_assert_uint_eq(json_array_size(json_list(other, "events")), 0);
    fake_engine_deinit(&engine);
}
END_TEST

static void fill(TCase *tests) {
    tcase_add_loop_test(tests, newest_first_as_chosen, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tests, an_event_whole);
    tcase_add_test(tests, nothing_was_read_yet);
}

int main(void) { return run_tests("event view", fill); }
