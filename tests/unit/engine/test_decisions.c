/* What a turn leaves behind for those who ask why: who was told, what held it, and each only once. */
#include "engine/decisions.h"

#include "../run.h"
#include "base/alloc.h"

#include <string.h>

#define NOW_MS 1767323100000 /* 2026-01-02T03:05:00Z */

typedef struct World {
    Core core;
    Decisions *decisions;
    Instance *cpu, *site;
    GroupAlert alerts[2];
    GroupTurn turn;
    Arena *arena;
} World;

static Instance *make(Core *core, const char *name) {
    OWN(labels) Labels *series = labels_new(&(Label){"host", "a"}, 1);
    Instance *instance = instance_get(core->instances, name, "prod", "eu-west-1", "cloudwatch", series, NOW_MS);
    labels_free(instance->labels);
    instance->labels = labels_new((const Label[]){{"alertname", name}, {"host", "a"}}, 2);
    instance->firing_since_ms = NOW_MS - 1000;
    return instance;
}

static void world_init(World *w) {
    *w = (World){.core = {.instances = instances_new(), .mutes = mutes_new()}, .arena = arena_new()};
    w->decisions = decisions_new(&w->core);
    w->cpu = make(&w->core, "cpu");
    w->site = make(&w->core, "site");
    w->turn = (GroupTurn){.key = (char *)"people/{}:{}",
        .receiver = (char *)"people",
        .alerts = w->alerts,
        .alert_count = 1,
        .now_ms = NOW_MS};
    w->alerts[0] = (GroupAlert){.kind = ALERT_FIRES, .instance = w->cpu};
    memcpy(w->alerts[0].fingerprint, w->cpu->fingerprint, FINGERPRINT_TEXT);
}

static void world_deinit(World *w) {
    decisions_free(w->decisions);
    arena_free(w->arena);
    instances_free(w->core.instances);
    mutes_free(w->core.mutes);
}

/* `told first notification`; "" where there is none. In the world's arena. */
static const char *decide(World *w, const char *reason, AlertKind kind, const Route *route, int64_t made_ms) {
    DecisionRow *rows;
    w->turn.reason = reason;
    w->alerts[0].kind = kind;
    const size_t count = decisions_of_turn(w->decisions, &w->turn, route, w->arena, &rows);
    decisions_date(rows, count, made_ms);
    if (!count) return "";
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(rows[0].fingerprint, w->cpu->fingerprint);
    ck_assert_str_eq(rows[0].receiver, "people");
    ck_assert_int_eq(rows[0].time_ms, made_ms && !strcmp(rows[0].decision, "told") ? made_ms : NOW_MS);
    return arena_format(w->arena, "%s %s", rows[0].decision, rows[0].reason);
}

static void silence(World *w) {
    Silence *made = alloc_zeroed(1, sizeof *made);
    *made = (Silence){.id = text_copy("s1"),
        .matchers = matchers_new(),
        .starts_ms = NOW_MS - 1000,
        .ends_ms = NOW_MS + 1000,
        .created_by = text_copy("ann"),
        .comment = text_copy("a deploy")};
    ck_assert(matchers_add_text(made->matchers, "alertname=\"cpu\"", NULL));
    silences_add(mutes_silences(w->core.mutes), made);
}

START_TEST(each_message_counts_and_silence_is_told_once) {
    World w;
    world_init(&w);
    ck_assert_str_eq(decide(&w, "first notification", ALERT_FIRES, NULL, NOW_MS + 7), "told first notification");
    ck_assert_str_eq(decide(&w, NULL, ALERT_FIRES, NULL, 0), ""); /* nothing new, and nothing holds it */
    ck_assert_str_eq(decide(&w, "repeat interval elapsed", ALERT_FIRES, NULL, 9), "told repeat interval elapsed");
    ck_assert_str_eq(decide(&w, "repeat interval elapsed", ALERT_FIRES, NULL, 9), "told repeat interval elapsed");
    silence(&w);
    ck_assert_str_eq(
        decide(&w, NULL, ALERT_HELD, NULL, 0), "held silenced by ann until 2026-01-02T03:05:01.000Z: a deploy (s1)");
    ck_assert_str_eq(decide(&w, NULL, ALERT_HELD, NULL, 0), "");
    ck_assert_str_eq(decide(&w, "no longer muted", ALERT_FIRES, NULL, 9), "told no longer muted");
    ck_assert_str_ne(decide(&w, NULL, ALERT_HELD, NULL, 0), ""); /* once more, as it was told in between */
    world_deinit(&w);
}
END_TEST

START_TEST(what_nobody_takes_passed) {
    World w;
    world_init(&w);
    ck_assert_str_eq(decide(&w, "all alerts resolved", ALERT_ENDED, NULL, 0),
        "passed no channel of the receiver takes this message");
    ck_assert_str_eq(decide(&w, NULL, ALERT_PASSED, NULL, 0), "passed it was over before its group's time");
    w.alerts[0].instance = NULL; /* it is no more */
    ck_assert_str_eq(decide(&w, NULL, ALERT_PASSED, NULL, 0), "");
    world_deinit(&w);
}
END_TEST

START_TEST(who_is_on_it_is_named) {
    World w;
    world_init(&w);
    const Ack ack = {.by = (char *)"bob", .comment = (char *)"looking"};
    w.alerts[0].ack = &ack;
    ck_assert_str_eq(decide(&w, NULL, ALERT_FIRES, NULL, 0), "held acknowledged by bob: looking");
    ck_assert_str_eq(decide(&w, NULL, ALERT_FIRES, NULL, 0), "");
    world_deinit(&w);
}
END_TEST

START_TEST(a_route_at_its_silent_time_is_named) {
    World w;
    world_init(&w);
    const Interval nights = {.name = "nights"}; /* of no times: never in it, so an active one silences always */
    const Interval *const active[] = {&nights};
    const Route route = {.receiver = "people", .active = active, .active_count = 1};
    ck_assert_str_eq(decide(&w, NULL, ALERT_HELD, &route, 0), "held the route is silent at this time (nights)");
    world_deinit(&w);
}
END_TEST

START_TEST(an_escalation_waits) {
    World w;
    world_init(&w);
    w.turn.escalated_from = (char *)"oncall";
    w.turn.escalated_after_s = 900;
    ck_assert_str_eq(decide(&w, NULL, ALERT_WAITS, NULL, 0),
        "waits it goes on to this receiver if nobody acknowledges it for 15m, after `oncall` was told");
    world_deinit(&w);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, each_message_counts_and_silence_is_told_once);
    tcase_add_test(tcase, what_nobody_takes_passed);
    tcase_add_test(tcase, who_is_on_it_is_named);
    tcase_add_test(tcase, a_route_at_its_silent_time_is_named);
    tcase_add_test(tcase, an_escalation_waits);
}

int main(void) { return run_tests("decisions", fill); }
