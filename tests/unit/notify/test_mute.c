/* What is muted is not told, and is not forgotten; and alerts that go several ways. */
#include "groups_world.h"

static World world;
static void begin(void) {
    world_init(&world);
    world.receivers[world.receiver_count++] = "lead";
}
static void end(void) { world_deinit(&world); }

static Instance *add(const char *value) { return world_instance(&world, "x", "n", value); }

static void mute(size_t index) {
    world.is_muted[index] = true;
    const GroupWorld view = world_view(&world);
    groups_hold(world.groups, &view, world.instances[index].fingerprint, view.now_ms, INT64_MAX);
}

START_TEST(fires_muted_and_is_told_at_the_beat_after) {
    world.is_muted[0] = true;
    world_fire(&world, add("a"));
    world_pass(&world, 30 + 3 * 300 + 10);
    world_said(&world, "");
    world.is_muted[0] = false;
    world_pass(&world, 289);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "oncall: first notification +0; ");
    world_pass(&world, 14399);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
}
END_TEST

START_TEST(ends_muted_and_untold_and_is_forgotten) {
    world.is_muted[0] = true;
    Instance *a = add("a");
    world_fire(&world, a);
    world_pass(&world, 400);
    world_resolve(&world, a);
    world_pass(&world, 300);
    world.is_muted[0] = false;
    world_pass(&world, 1000);
    world_said(&world, "");
    ck_assert_uint_eq(groups_count(world.groups), 0);
    ck_assert_uint_eq(file_rows(&world), 0);
    ck_assert(!a->firing_since_ms);
}
END_TEST

START_TEST(ends_muted_and_told_and_the_end_is_owed) {
    Instance *a = add("a");
    world_fire(&world, a);
    world_pass(&world, 30);
    *world.said = '\0';
    mute(0);
    world_resolve(&world, a);
    world_pass(&world, 3000);
    world_said(&world, "");
    ck_assert(a->firing_since_ms); /* what people know of it stays */
    world_restart(&world);
    world_pass(&world, 300);
    world_said(&world, "");
    world.is_muted[0] = false;
    world_pass(&world, 300);
    world_said(&world, "oncall: all alerts resolved -0; ");
    ck_assert_uint_eq(file_rows(&world), 0);
}
END_TEST

START_TEST(what_was_told_before_is_told_again) {
    world_fire(&world, add("a"));
    world_pass(&world, 30);
    *world.said = '\0';
    mute(0);
    world_pass(&world, 20000); /* no repeat either */
    world_said(&world, "");
    world_restart(&world);
    world.is_muted[0] = false;
    world_pass(&world, 300);
    world_said(&world, "oncall: no longer muted +0; ");
    world_pass(&world, 14100);
    world_said(&world, "");
}
END_TEST

START_TEST(a_mute_within_a_beat_is_told_too) {
    world_fire(&world, add("a"));
    world_pass(&world, 30);
    *world.said = '\0';
    world_pass(&world, 3610);
    mute(0);
    world_pass(&world, 20);
    world.is_muted[0] = false;
    world_pass(&world, 300);
    world_said(&world, "oncall: no longer muted +0; ");
}
END_TEST

/* By a route's time or by another alert: what people know is repeated in its time, as in Alertmanager. */
START_TEST(only_a_silence_makes_news_of_what_was_told) {
    Instance *a = add("a"), *b = add("b");
    world_fire(&world, a);
    world_pass(&world, 30);
    *world.said = '\0';
    world.is_muted[0] = world.is_muted[1] = true;
    world_fire(&world, b); /* a turn finds both muted */
    world_pass(&world, 900);
    world_resolve(&world, b);
    world.is_muted[0] = world.is_muted[1] = false;
    world_pass(&world, 13499);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
}
END_TEST

START_TEST(a_silence_that_was_told_of_is_no_news_after_a_restart) {
    world_fire(&world, add("a"));
    world_pass(&world, 30);
    *world.said = '\0';
    const int64_t from_ms = world.now_ms;
    mute(0);
    world_pass(&world, 300);
    world.is_muted[0] = false;
    const int64_t until_ms = world.now_ms + 300000; /* it ends with the beat */
    world_pass(&world, 300);
    world_said(&world, "oncall: no longer muted +0; ");
    world_restart(&world);
    const GroupWorld view = world_view(&world);
    groups_hold(world.groups, &view, world.instances[0].fingerprint, from_ms, until_ms);
    world_pass(&world, 3000);
    world_said(&world, "");
}
END_TEST

START_TEST(a_silence_that_begins_during_a_turn_is_not_lost) {
    world_fire(&world, add("a"));
    world.now_ms += 30000;
    GroupTurn *turn = world_begin(&world, groups_due(world.groups, world.now_ms));
    mute(0);
    file_flush(&world, &turn->flush);
    turn_end(world.groups, turn, true, world.now_ms);
    world_pass(&world, 600);
    world.is_muted[0] = false;
    world_pass(&world, 300);
    world_said(&world, "oncall: no longer muted +0; ");
}
END_TEST

/* The turn that was under way did not know of them, and so nobody was told what is old by now. */
START_TEST(a_short_silence_over_who_joins_a_turn_tells_once) {
    world_fire(&world, add("a"));
    world.now_ms += 30000;
    GroupTurn *turn = world_begin(&world, groups_due(world.groups, world.now_ms));
    world_fire(&world, add("b"));
    mute(1);
    file_flush(&world, &turn->flush);
    turn_end(world.groups, turn, true, world.now_ms);
    world.is_muted[1] = false;
    world_pass(&world, 300);
    world_said(&world, "oncall: new alerts added +0 +1; ");
    world_pass(&world, 14400);
    world_said(&world, "oncall: repeat interval elapsed +0 +1; "); /* which is all that there is to say */
}
END_TEST

START_TEST(a_short_silence_during_a_turn_that_fails_tells_once) {
    world_fire(&world, add("a"));
    world.now_ms += 30000;
    GroupTurn *turn = world_begin(&world, groups_due(world.groups, world.now_ms));
    mute(0);
    turn_end(world.groups, turn, false, world.now_ms);
    world.is_muted[0] = false;
    world_pass(&world, 60);
    world_said(&world, "oncall: first notification +0; ");
    world_pass(&world, 14400);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
}
END_TEST

START_TEST(what_was_held_is_told_when_nobody_is_on_it_any_more) {
    world_fire(&world, add("a"));
    world_pass(&world, 30);
    *world.said = '\0';
    mute(0);
    world_pass(&world, 300);
    world.is_muted[0] = false;
    world.acked_until_ms[0] = world.now_ms + 1000 * 1000;
    world_pass(&world, 1000);
    world_said(&world, "");
    world_restart(&world);
    world_pass(&world, 200);
    world_said(&world, "oncall: no longer muted +0; ");
}
END_TEST

START_TEST(others_of_the_group_speak) {
    Instance *a = add("a"), *b = add("b");
    world.is_muted[0] = true;
    world_fire(&world, a);
    world_fire(&world, b);
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +1; ");
    world_resolve(&world, b);
    world_pass(&world, 300);
    world_said(&world, "oncall: some alerts resolved -1; ");
    world.is_muted[0] = false;
    world_pass(&world, 300);
    world_said(&world, "oncall: new alerts added +0; ");
}
END_TEST

/* A route whose mute interval is the first ten minutes of each hour. */
static IntervalSpec ten_minutes;
static Span span;
static Interval interval = {.name = "deploys", .count = 1, .specs = &ten_minutes};
static const Interval *const muting[] = {&interval};

static void add_route(Route *route, const char *matcher, const char *receiver, bool goes_on) {
    *route = world.routes.root;
    route->id = receiver;
    route->receiver = receiver;
    route->matchers = matchers_new();
    ck_assert(matchers_add_text(route->matchers, matcher, NULL));
    route->goes_on = goes_on;
    route->child = route->sibling = route->next = NULL;
    Route *last = &world.routes.root;
    while (last->next) last = (Route *)last->next;
    if (last == &world.routes.root)
        last->child = route;
    else
        last->sibling = route;
    last->next = route;
    world.routes.count++;
}

START_TEST(a_route_is_silent_at_its_times) {
    Route route;
    world.now_ms = 1700006400000; /* a midnight */
    span = (Span){0, 10};
    ten_minutes = (IntervalSpec){.times = {1, &span}};
    add_route(&route, "n=\"a\"", "lead", false);
    route.mute = muting;
    route.mute_count = 1;
    world_fire(&world, add("a"));
    world_fire(&world, add("b")); /* by the root: at any time */
    world_pass(&world, 599);
    world_said(&world, "oncall: first notification +1; ");
    world_pass(&world, 31); /* the beat is at 30 s, 330 s, 630 s */
    world_said(&world, "lead: first notification +0; ");
    matchers_free(route.matchers);
}
END_TEST

START_TEST(goes_several_ways) {
    Route first, second;
    add_route(&first, "n=~\"a|b\"", "lead", true);
    add_route(&second, "n=\"a\"", "oncall", false);
    first.group_wait_s = 10;
    first.group_interval_s = 60;
    Instance *a = add("a"), *b = add("b"), *c = add("c");
    world_fire(&world, a);
    world_fire(&world, b);
    world_pass(&world, 10);
    world_said(&world, "lead: first notification +0 +1; "); /* by its own times */
    world_pass(&world, 20);
    world_said(&world, "oncall: first notification +0; "); /* b has found a child, and is not the root's */
    world_fire(&world, c);
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +2; ");
    ck_assert_uint_eq(groups_count(world.groups), 3);
    world_restart(&world);
    ck_assert_uint_eq(groups_count(world.groups), 3);
    world_resolve(&world, a);
    world_pass(&world, 60);
    world_said(&world, "lead: some alerts resolved -0 +1; ");
    ck_assert(groups_know(world.groups, a->fingerprint));
    world_pass(&world, 240);
    world_said(&world, "oncall: all alerts resolved -0; ");
    ck_assert(!groups_know(world.groups, a->fingerprint));
    matchers_free(first.matchers);
    matchers_free(second.matchers);
}
END_TEST

/* The same receiver by two routes: what it was told by one is not what it was told by the other. */
START_TEST(a_restart_keeps_two_groups_of_one_receiver_apart) {
    Route first, second;
    add_route(&first, "n=\"a\"", "oncall", true);
    add_route(&second, "n=~\"a|b\"", "oncall", false);
    first.id = "{}/{n=\"a\"}";
    first.group_wait_s = 100;
    world_fire(&world, add("a"));
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +0; ");
    world_restart(&world);
    world_reroute(&world);
    world_pass(&world, 70);
    world_said(&world, "oncall: first notification +0; ");
    world_pass(&world, 1000);
    world_said(&world, "");
    matchers_free(first.matchers);
    matchers_free(second.matchers);
}
END_TEST

START_TEST(a_new_route_to_the_same_receiver_is_no_news) {
    Route route;
    world_fire(&world, add("a"));
    world_pass(&world, 30);
    *world.said = '\0';
    add_route(&route, "n=\"a\"", "oncall", false);
    world_reroute(&world);
    ck_assert_uint_eq(groups_count(world.groups), 1);
    world_pass(&world, 1200);
    world_said(&world, "");
    world_pass(&world, 14100 - 900);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
    matchers_free(route.matchers);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, fires_muted_and_is_told_at_the_beat_after);
    tcase_add_test(tcase, ends_muted_and_untold_and_is_forgotten);
    tcase_add_test(tcase, ends_muted_and_told_and_the_end_is_owed);
    tcase_add_test(tcase, what_was_told_before_is_told_again);
    tcase_add_test(tcase, a_mute_within_a_beat_is_told_too);
    tcase_add_test(tcase, only_a_silence_makes_news_of_what_was_told);
    tcase_add_test(tcase, a_silence_that_was_told_of_is_no_news_after_a_restart);
    tcase_add_test(tcase, a_silence_that_begins_during_a_turn_is_not_lost);
    tcase_add_test(tcase, a_short_silence_over_who_joins_a_turn_tells_once);
    tcase_add_test(tcase, a_short_silence_during_a_turn_that_fails_tells_once);
    tcase_add_test(tcase, what_was_held_is_told_when_nobody_is_on_it_any_more);
    tcase_add_test(tcase, others_of_the_group_speak);
    tcase_add_test(tcase, a_route_is_silent_at_its_times);
    tcase_add_test(tcase, goes_several_ways);
    tcase_add_test(tcase, a_restart_keeps_two_groups_of_one_receiver_apart);
    tcase_add_test(tcase, a_new_route_to_the_same_receiver_is_no_news);
}

int main(void) { return run_tests("mute", fill); }
