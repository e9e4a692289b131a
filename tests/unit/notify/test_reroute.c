/* A reload and a restart change what is configured, not what people were told. */
#include "groups_world.h"

static World world;
static void begin(void) {
    world_init(&world);
    world.receivers[world.receiver_count++] = "lead";
}
static void end(void) { world_deinit(&world); }

static Instance *told(const char *name) {
    Instance *instance = world_instance(&world, "x", "n", name);
    world_fire(&world, instance);
    world_pass(&world, 30);
    *world.said = '\0';
    return instance;
}

START_TEST(a_restart_forgets_nothing) {
    Instance *a = told("a");
    world_restart(&world);
    world_pass(&world, 600);
    world_said(&world, "");
    Instance *b = world_instance(&world, "x", "n", "b");
    world_fire(&world, b);
    world_restart(&world); /* owed, and not yet said */
    world_pass(&world, 300);
    world_said(&world, "oncall: new alerts added +0 +1; ");
    world_resolve(&world, a);
    world_restart(&world);
    world_pass(&world, 300);
    world_said(&world, "oncall: some alerts resolved -0 +1; ");
    world_pass(&world, 14400);
    world_said(&world, "oncall: repeat interval elapsed +1; ");
}
END_TEST

START_TEST(a_new_key_is_no_news_to_the_same_receiver) {
    Instance *a = told("a");
    world.routes.root.by_every_label = true;
    world_reroute(&world);
    ck_assert_uint_eq(groups_count(world.groups), 1);
    ck_assert_uint_eq(file_rows(&world), 1);
    world_pass(&world, 600);
    world_said(&world, "");
    world_resolve(&world, a);
    world_pass(&world, 300);
    world_said(&world, "oncall: all alerts resolved -0; ");
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

/* Who knows it by name still does, by the same fingerprint. */
START_TEST(a_new_key_names_none_again) {
    world.keeper = (ReceiverChannel){.plugin = "webhook", .send_resolved = true, .wants_rest = true};
    told("a");
    const char *before = strstr(file_row(&world, "oncall/{}:{alertname=\"x\"}")->told_json, "\"named\":");
    ck_assert_ptr_nonnull(before);
    OWN(text) char *named = text_copy(before);
    world.routes.root.by_every_label = true;
    world_reroute(&world);
    const GroupRow *row = file_row(&world, "oncall/{}:{alertname=\"x\", n=\"a\", source=\"tocsin\"}");
    ck_assert_ptr_nonnull(strstr(row->told_json, named));
}
END_TEST

START_TEST(what_was_taken_along_outlives_a_restart) {
    Instance *a = told("a");
    world.routes.root.by_every_label = true;
    world_reroute(&world);
    world_resolve(&world, a);
    world_restart(&world); /* before the new key had its first turn */
    world_pass(&world, 600);
    world_said(&world, "oncall: all alerts resolved -0; ");
}
END_TEST

START_TEST(another_receiver_hears_of_it_and_the_first_of_its_end) {
    Instance *a = told("a");
    world.routes.root.receiver = "lead";
    world_reroute(&world);
    world_pass(&world, 300);
    world_said(&world, "lead: first notification +0; ");
    world_pass(&world, 14400);
    world_said(&world, "lead: repeat interval elapsed +0; "); /* the first is not bothered meanwhile */
    world_restart(&world);
    world_resolve(&world, a);
    world_pass(&world, 300);
    ck_assert_msg(strstr(world.said, "lead: all alerts resolved -0; "), "%s", world.said);
    ck_assert_msg(strstr(world.said, "oncall: all alerts resolved -0; "), "%s", world.said);
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

START_TEST(a_receiver_that_is_gone_is_forgotten) {
    told("a");
    world.receivers[0] = "lead";
    world.receiver_count = 1;
    world.routes.root.receiver = "lead";
    world_reroute(&world);
    ck_assert_uint_eq(groups_count(world.groups), 1);
    ck_assert_uint_eq(file_rows(&world), 1);
}
END_TEST

START_TEST(an_end_that_is_owed_is_told_by_the_old_route) {
    Instance *a = told("a");
    world_resolve(&world, a);
    world.routes.root.receiver = "lead";
    world_reroute(&world);
    world_pass(&world, 600);
    world_said(&world, "oncall: all alerts resolved -0; ");
}
END_TEST

START_TEST(an_instance_that_is_no_more_leaves) {
    Instance *a = told("a");
    a->firing_since_ms = 0;
    world_restart(&world);
    ck_assert_uint_eq(groups_count(world.groups), 0);
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

START_TEST(without_a_route_tocsin_only_watches) {
    world.routes = (RouteSection){.root = world.routes.root};
    world.routes.root.receiver = NULL;
    world_fire(&world, world_instance(&world, "x", "n", "a"));
    world_reroute(&world);
    ck_assert_uint_eq(groups_count(world.groups), 0);
}
END_TEST

START_TEST(a_reroute_during_a_turn_waits_for_it) {
    Instance *a = world_instance(&world, "x", "n", "a");
    world_fire(&world, a);
    world.now_ms += 30000;
    GroupTurn *turn = world_begin(&world, groups_due(world.groups, world.now_ms));
    world.routes.root.receiver = "lead";
    world_reroute(&world);
    file_flush(&world, &turn->flush);
    turn_end(world.groups, turn, true, world.now_ms);
    world_pass(&world, 300);
    world_said(&world, "lead: first notification +0; ");
    world_resolve(&world, a);
    world_pass(&world, 300);
    ck_assert_msg(strstr(world.said, "oncall: all alerts resolved -0; "), "%s", world.said);
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_restart_forgets_nothing);
    tcase_add_test(tcase, a_new_key_is_no_news_to_the_same_receiver);
    tcase_add_test(tcase, a_new_key_names_none_again);
    tcase_add_test(tcase, what_was_taken_along_outlives_a_restart);
    tcase_add_test(tcase, another_receiver_hears_of_it_and_the_first_of_its_end);
    tcase_add_test(tcase, a_receiver_that_is_gone_is_forgotten);
    tcase_add_test(tcase, an_end_that_is_owed_is_told_by_the_old_route);
    tcase_add_test(tcase, an_instance_that_is_no_more_leaves);
    tcase_add_test(tcase, without_a_route_tocsin_only_watches);
    tcase_add_test(tcase, a_reroute_during_a_turn_waits_for_it);
}

int main(void) { return run_tests("reroute", fill); }
