/* What nobody acknowledges goes on to others in its time. */
#include "groups_world.h"

static World world;
static Route escalations[2];

static void add_escalation(size_t index, const char *receiver, const char *id, int64_t after_s) {
    Route *root = &world.routes.root, *route = &escalations[index];
    *route = *root;
    route->id = id;
    route->receiver = receiver;
    route->base = root;
    route->after_s = after_s;
    route->escalation = route->sibling = route->next = NULL;
    Route *last = root;
    while (last->next) last = (Route *)(uintptr_t)last->next;
    last->next = route;
    if (index)
        escalations[index - 1].sibling = route;
    else
        root->escalation = route;
}

static void begin(void) {
    world_init(&world);
    world.receivers[world.receiver_count++] = "lead";
    world.receivers[world.receiver_count++] = "boss";
    add_escalation(0, "lead", "{}/!900s", 900);
    add_escalation(1, "boss", "{}/!3600s", 3600);
}
static void end(void) { world_deinit(&world); }

static Instance *add(const char *value) { return world_instance(&world, "x", "n", value); }

static Instance *told(void) {
    Instance *instance = add("a");
    world_fire(&world, instance);
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +0; ");
    return instance;
}

START_TEST(goes_on_when_nobody_is_on_it) {
    Instance *a = told();
    world_pass(&world, 899);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "lead: not acknowledged +0; ");
    world_pass(&world, 2700);
    world_said(&world, "boss: not acknowledged +0; ");
    world_pass(&world, 10800);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
    world_resolve(&world, a);
    world_pass(&world, 300);
    ck_assert_msg(strstr(world.said, "lead: all alerts resolved -0; ") && strstr(world.said, "boss: all alerts") &&
            strstr(world.said, "oncall: all alerts"),
        "%s", world.said);
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

START_TEST(stays_where_somebody_is_on_it) {
    Instance *a = told();
    world_pass(&world, 600);
    world.acked_until_ms[0] = INT64_MAX;
    world_pass(&world, 40000);
    world_said(&world, "");
    world.acked_until_ms[0] = 0;
    world_look(&world, a);
    world_turns(&world);
    world_pass(&world, 300);
    ck_assert_msg(
        strstr(world.said, "lead: not acknowledged +0; ") && strstr(world.said, "boss: not acknowledged +0; "), "%s",
        world.said); /* long overdue by now */
}
END_TEST

START_TEST(goes_on_when_an_acknowledgement_ends) {
    told();
    world.acked_until_ms[0] = world.now_ms + 2000 * 1000;
    world_pass(&world, 1999);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "lead: not acknowledged +0; ");
}
END_TEST

START_TEST(what_ends_in_time_goes_nowhere) {
    Instance *a = told();
    world_pass(&world, 600);
    world_resolve(&world, a);
    world_turns(&world);
    ck_assert_uint_eq(groups_count(world.groups), 1); /* nobody else has anything open any more */
    world_pass(&world, 300);
    world_said(&world, "oncall: all alerts resolved -0; ");
    world_pass(&world, 4000);
    world_said(&world, "");
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

START_TEST(what_was_never_told_does_not_go_on) {
    world.is_muted[0] = true;
    world_fire(&world, add("a"));
    world_pass(&world, 7200);
    world_said(&world, "");
    ck_assert_uint_eq(groups_count(world.groups), 1);
    world.is_muted[0] = false;
    world_pass(&world, 300);
    world_said(&world, "oncall: first notification +0; ");
    world_pass(&world, 629);
    world_said(&world, ""); /* its time runs from when they were told, at a beat 270 s ago */
    world_pass(&world, 1);
    world_said(&world, "lead: not acknowledged +0; ");
}
END_TEST

START_TEST(a_new_firing_has_its_own_time) {
    Instance *a = told();
    world_pass(&world, 890);
    world_resolve(&world, a);
    world_fire(&world, a); /* within a beat: its receiver hears nothing of it */
    world_pass(&world, 909);
    world_said(&world, "");
    world_pass(&world, 1); /* it was found at a beat, 900 s ago */
    world_said(&world, "lead: not acknowledged +0; ");
}
END_TEST

START_TEST(each_alert_has_its_own_time) {
    told();
    world_pass(&world, 600);
    world_fire(&world, add("b"));
    world_pass(&world, 300);
    ck_assert_msg(
        strstr(world.said, "oncall: new alerts added +0 +1; ") && strstr(world.said, "lead: not acknowledged +0; "),
        "%s", world.said);
    *world.said = '\0';
    world_pass(&world, 899);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "lead: not acknowledged +0 +1; ");
}
END_TEST

START_TEST(a_restart_forgets_no_escalation) {
    Instance *a = told();
    world_pass(&world, 500);
    world_restart(&world);
    world_pass(&world, 399);
    world_said(&world, "");
    world_restart(&world);
    world_pass(&world, 1);
    world_said(&world, "lead: not acknowledged +0; ");
    world_restart(&world);
    world_pass(&world, 2600);
    world_said(&world, "");
    world_restart(&world);
    world_resolve(&world, a);
    world_restart(&world);
    world_pass(&world, 300);
    ck_assert_msg(strstr(world.said, "lead: all alerts resolved -0; "), "%s", world.said);
    ck_assert_ptr_null(strstr(world.said, "boss"));
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

START_TEST(a_reload_that_asks_for_one_is_followed) {
    const Route *first = world.routes.root.escalation;
    world.routes.root.escalation = NULL;
    told();
    world_pass(&world, 600);
    world.routes.root.escalation = first;
    world_reroute(&world);
    world_pass(&world, 1500);
    ck_assert_msg(strstr(world.said, "lead: not acknowledged +0; "), "%s", world.said);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, goes_on_when_nobody_is_on_it);
    tcase_add_test(tcase, stays_where_somebody_is_on_it);
    tcase_add_test(tcase, goes_on_when_an_acknowledgement_ends);
    tcase_add_test(tcase, what_ends_in_time_goes_nowhere);
    tcase_add_test(tcase, what_was_never_told_does_not_go_on);
    tcase_add_test(tcase, a_new_firing_has_its_own_time);
    tcase_add_test(tcase, each_alert_has_its_own_time);
    tcase_add_test(tcase, a_restart_forgets_no_escalation);
    tcase_add_test(tcase, a_reload_that_asks_for_one_is_followed);
}

int main(void) { return run_tests("escalate", fill); }
