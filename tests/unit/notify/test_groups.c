/* When a group speaks and why (alarm-semantics 7.3), and to whom. */
#include "groups_world.h"

static World world;
static void begin(void) { world_init(&world); }
static void end(void) { world_deinit(&world); }

static const struct {
    GroupFigures figures; /* was_sent, firing, fresh, ended, news, lost_data, is_repeat_due, tells_resolved */
    const char *want;
} reasons[] = {
    {{false, 0, 0, 0, 0, 0, false, true}, NULL},
    {{false, 2, 2, 0, 0, 0, false, true}, "first notification"},
    {{false, 0, 0, 1, 0, 0, true, true}, NULL},
    {{true, 2, 1, 0, 0, 0, false, true}, "new alerts added"},
    {{true, 2, 1, 1, 0, 0, true, true}, "new alerts added"},
    {{true, 0, 0, 1, 0, 0, false, true}, "all alerts resolved"},
    {{true, 0, 0, 1, 0, 0, false, false}, "all alerts resolved"}, /* no channel gets it, but it is over */
    {{true, 0, 0, 0, 0, 0, true, true}, NULL},
    {{true, 1, 0, 1, 0, 0, false, true}, "some alerts resolved"},
    {{true, 1, 0, 1, 0, 0, false, false}, NULL},
    {{true, 1, 0, 1, 0, 0, true, false}, "repeat interval elapsed"},
    {{true, 1, 0, 0, 0, 1, true, true}, "alert data missing"},
    {{true, 1, 0, 0, 0, 0, true, true}, "repeat interval elapsed"},
    {{true, 1, 0, 0, 0, 0, false, true}, NULL},
    {{true, 1, 0, 0, 1, 0, true, true}, "new matches"},
    {{true, 1, 0, 1, 1, 0, false, false}, "new matches"},
    {{true, 2, 1, 0, 1, 0, false, true}, "new alerts added"},
    {{true, 1, 0, 0, 0, 0, false, true, 1, 0}, "no longer muted"},
    {{true, 1, 0, 1, 0, 0, false, true, 1, 0}, "some alerts resolved"},
    {{true, 0, 0, 1, 0, 0, false, true, 0, 1}, "some alerts resolved"}, /* the rest is muted, not resolved */
    {{true, 0, 0, 1, 0, 0, false, false, 0, 1}, NULL},
    {{true, 0, 0, 0, 0, 0, true, true, 0, 1}, NULL},
    {{false, 0, 0, 0, 0, 0, false, true, 0, 1}, NULL},
    {{true, 1, 0, 0, 0, 0, false, true, 0, 0, 1, 0}, "alert is flapping"},
    {{true, 1, 0, 0, 0, 0, true, true, 0, 0, 0, 1}, "alert stopped flapping"},
    {{true, 1, 1, 0, 0, 0, true, true, 0, 0, 1, 0}, "new alerts added"},
    {{true, 0, 0, 0, 0, 0, false, true, 0, 1, 1, 0}, NULL},
};

START_TEST(speaks_for_a_reason) {
    const char *reason = group_reason(&reasons[_i].figures);
    ck_assert_str_eq(reason ? reason : "", reasons[_i].want ? reasons[_i].want : "");
}
END_TEST

START_TEST(news_of_what_fires_is_told_once) {
    Instance *a = world_instance(&world, "x", "n", "a");
    a->news = 1;
    world_fire(&world, a);
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +0; ");
    a->news = 3;
    world_tell(&world, a);
    world_pass(&world, 299);
    world_said(&world, "");
    world_pass(&world, 1); /* at the group's next interval */
    world_said(&world, "oncall: new matches +0; ");
    world_restart(&world); /* the file knows how much was told */
    world_tell(&world, a);
    world_pass(&world, 600);
    world_said(&world, "");
    a->news = 4;
    world_tell(&world, a);
    world_pass(&world, 300);
    world_said(&world, "oncall: new matches +0; ");
    world_resolve(&world, a);
    a->news = 1; /* it fires anew before its end was told: what was told of before is no measure */
    world_fire(&world, a);
    world_pass(&world, 300);
    world_said(&world, "oncall: new matches +0; ");
}
END_TEST

START_TEST(waits_then_keeps_the_beat) {
    Instance *a = world_instance(&world, "x", "n", "a"), *b = world_instance(&world, "x", "n", "b");
    world_fire(&world, a);
    world_pass(&world, 29);
    world_said(&world, "");
    world_fire(&world, b);
    world_pass(&world, 1);
    world_said(&world, "oncall: first notification +0 +1; ");
    world_pass(&world, 10);
    world_resolve(&world, b);
    world_pass(&world, 289);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "oncall: some alerts resolved +0 -1; ");
    world_pass(&world, 700); /* beats with nothing to say */
    world_fire(&world, b);
    world_pass(&world, 200);
    world_said(&world, "oncall: new alerts added +0 +1; ");
    world_resolve(&world, a);
    world_resolve(&world, b);
    world_pass(&world, 300);
    world_said(&world, "oncall: all alerts resolved -0 -1; ");
    ck_assert_uint_eq(groups_count(world.groups), 0);
    ck_assert_uint_eq(file_rows(&world), 0);
    ck_assert_int_eq(groups_next_due_ms(world.groups), INT64_MAX);
}
END_TEST

START_TEST(repeats_at_a_beat) {
    world.routes.root.repeat_interval_s = 1000; /* rounded up to 1,200 */
    world_fire(&world, world_instance(&world, "x", "n", "a"));
    world_pass(&world, 30);
    *world.said = '\0';
    world.now_ms += 3; /* what came some milliseconds late does not push its repeat by a beat */
    world_pass(&world, 1196);
    world_said(&world, "");
    world_pass(&world, 4);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
    world_pass(&world, 1200);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
}
END_TEST

START_TEST(a_late_turn_repeats_in_time) {
    world.routes.root.repeat_interval_s = 300;
    world_fire(&world, world_instance(&world, "x", "n", "a"));
    world_pass(&world, 30);
    *world.said = '\0';
    world.now_ms += 300007; /* the loop was busy for 7 ms */
    world_turns(&world);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
    world_pass(&world, 299);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
}
END_TEST

START_TEST(who_is_on_it_is_not_reminded) {
    Instance *a = world_instance(&world, "x", "n", "a"), *b = world_instance(&world, "x", "n", "b");
    world_fire(&world, a);
    world_pass(&world, 30);
    *world.said = '\0';
    world.acked_until_ms[0] = INT64_MAX;
    world_pass(&world, 3 * 14400);
    world_said(&world, "");
    ck_assert_int_eq(groups_next_due_ms(world.groups), INT64_MAX);
    world_fire(&world, b); /* news is told, and what is acknowledged is in the message */
    world_pass(&world, 300);
    world_said(&world, "oncall: new alerts added +0 +1; ");
    world_pass(&world, 14400);
    world_said(&world, "oncall: repeat interval elapsed +0 +1; "); /* for the other's sake */
    world_resolve(&world, b);
    world_pass(&world, 300);
    world_said(&world, "oncall: some alerts resolved +0 -1; ");
    world_pass(&world, 3 * 14400);
    world_said(&world, "");
    world_resolve(&world, a);
    world_pass(&world, 300);
    world_said(&world, "oncall: all alerts resolved -0; ");
}
END_TEST

START_TEST(an_acknowledgement_ends_and_reminds_again) {
    world_fire(&world, world_instance(&world, "x", "n", "a"));
    world_pass(&world, 30);
    *world.said = '\0';
    world.acked_until_ms[0] = world.now_ms + 20000 * 1000;
    world_pass(&world, 20000); /* a repeat was due at 14,400 */
    world_said(&world, "");
    world_pass(&world, 300);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
    world.acked_until_ms[0] = world.now_ms + 600 * 1000; /* ends long before the next repeat */
    world_pass(&world, 14100);
    world_said(&world, "");
    world_pass(&world, 100); /* it was told at a beat, 200 s ago */
    world_said(&world, "oncall: repeat interval elapsed +0; ");
    world.acked_until_ms[0] = INT64_MAX;
    world_pass(&world, 30000);
    world_said(&world, "");
    world.acked_until_ms[0] = 0; /* taken back */
    world_look(&world, &world.instances[0]);
    world_restart(&world); /* which does not forget that */
    world_pass(&world, 300);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
}
END_TEST

START_TEST(a_shorter_repeat_interval_holds_from_the_reload_on) {
    world_fire(&world, world_instance(&world, "x", "n", "a"));
    world_pass(&world, 30);
    *world.said = '\0';
    world_pass(&world, 900);
    world.routes.root.repeat_interval_s = 1800;
    world_reroute(&world);
    world_restart(&world);
    world_pass(&world, 899);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
    world_pass(&world, 1000);
    world.routes.root.repeat_interval_s = 600; /* overdue: at the next beat */
    world_reroute(&world);
    world_pass(&world, 199);
    world_said(&world, "");
    world_pass(&world, 1);
    world_said(&world, "oncall: repeat interval elapsed +0; ");
}
END_TEST

START_TEST(what_passes_between_turns_is_not_told) {
    Instance *a = world_instance(&world, "x", "n", "a"), *b = world_instance(&world, "x", "n", "b");
    world_fire(&world, a);
    world_resolve(&world, a);
    world_pass(&world, 60);
    world_said(&world, "");
    ck_assert_uint_eq(groups_count(world.groups), 0);
    world_fire(&world, a);
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +0; ");
    world_fire(&world, b);
    world_resolve(&world, b);
    world_resolve(&world, a); /* ends and begins again: still the same for people */
    world_fire(&world, a);
    world_pass(&world, 600);
    world_said(&world, "");
}
END_TEST

START_TEST(once_waits_for_nothing) {
    world.is_once = true;
    world_fire(&world, world_instance(&world, "x", "n", "a"));
    world_turns(&world);
    world_said(&world, "oncall: first notification +0; ");
}
END_TEST

START_TEST(without_room_the_turn_comes_again) {
    Instance *a = world_instance(&world, "x", "n", "a");
    world_fire(&world, a);
    world.now_ms += 30000;
    const char *key = groups_due(world.groups, world.now_ms);
    GroupTurn *turn = world_begin(&world, key);
    ck_assert_str_eq(turn_group_key(turn), "{}:{alertname=\"x\"}");
    ck_assert_ptr_null(groups_due(world.groups, world.now_ms)); /* one turn at a time */
    ck_assert(!groups_are_idle(world.groups, world.now_ms));
    turn_end(world.groups, turn, false, world.now_ms);
    ck_assert_int_eq(groups_next_due_ms(world.groups), world.now_ms + TURN_RETRY_MS);
    world_pass(&world, 5);
    world_said(&world, "oncall: first notification +0; ");
}
END_TEST

START_TEST(a_touch_during_a_turn_is_not_lost) {
    Instance *a = world_instance(&world, "x", "n", "a"), *b = world_instance(&world, "x", "n", "b");
    world_fire(&world, a);
    world_pass(&world, 30);
    *world.said = '\0';
    world_resolve(&world, a);
    world.now_ms += 300000;
    const char *key = groups_due(world.groups, world.now_ms);
    GroupTurn *turn = world_begin(&world, key);
    ck_assert_str_eq(turn->reason, "all alerts resolved");
    ck_assert(turn->flush.drop);
    world_fire(&world, b); /* while the resolution is rendered */
    file_flush(&world, &turn->flush);
    turn_end(world.groups, turn, true, world.now_ms);
    world_pass(&world, 300);
    world_said(&world, "oncall: new alerts added +1; ");
    const GroupRow *row = file_row(&world, "oncall/{}:{alertname=\"x\"}");
    ck_assert_ptr_nonnull(row);
    ck_assert_int_eq(row->due_ms, groups_next_due_ms(world.groups));
}
END_TEST

START_TEST(a_turn_knows_when_each_was_told_first) {
    Instance *a = world_instance(&world, "x", "n", "a"), *b = world_instance(&world, "x", "n", "b");
    world_fire(&world, a);
    world_pass(&world, 30);
    const int64_t told_ms = world.now_ms;
    world_fire(&world, b);
    world.now_ms += 300000;
    GroupTurn *turn = world_begin(&world, groups_due(world.groups, world.now_ms));
    ck_assert_uint_eq(turn->alert_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const GroupAlert *alert = &turn->alerts[i];
        ck_assert_int_eq(alert->is_first, alert->instance == b);
        ck_assert_int_eq(alert->told_at_ms, alert->instance == b ? 0 : told_ms);
    }
    turn_end(world.groups, turn, false, world.now_ms);
}
END_TEST

START_TEST(lost_data_is_told_once_where_asked) {
    Instance *a = world_instance(&world, "x", "n", "a");
    a->no_data = NODATA_NOTIFY;
    world_fire(&world, a);
    world_pass(&world, 30);
    *world.said = '\0';
    for (int i = 0; i < 2; i++) { /* lost, back, lost again */
        a->data_missing = true;
        world_tell(&world, a);
        world_pass(&world, 600);
        world_tell(&world, a);
        world_pass(&world, 600);
        world_said(&world, "oncall: alert data missing +0; ");
        a->data_missing = false;
        world_tell(&world, a);
        world_pass(&world, 600);
        world_said(&world, "");
    }
    a->no_data = NODATA_HOLD;
    a->data_missing = true;
    world_tell(&world, a);
    world_pass(&world, 600);
    world_said(&world, "");
}
END_TEST

START_TEST(flapping_is_told_when_it_begins_and_when_it_stops) {
    Instance *a = world_instance(&world, "x", "n", "a");
    world_fire(&world, a);
    world_pass(&world, 30);
    *world.said = '\0';
    a->hold.flap.is_flapping = true;
    world_tell(&world, a);
    world_pass(&world, 600);
    world_said(&world, "oncall: alert is flapping +0; ");
    world_tell(&world, a);
    world_pass(&world, 600);
    world_said(&world, "");
    ck_assert_ptr_nonnull(strstr(file_row(&world, "oncall/{}:{alertname=\"x\"}")->told_json, "\"flapping\":true"));
    a->hold.flap.is_flapping = false;
    world_tell(&world, a);
    world_pass(&world, 600);
    world_said(&world, "oncall: alert stopped flapping +0; ");
    world_tell(&world, a);
    world_pass(&world, 600);
    world_said(&world, "");
}
END_TEST

START_TEST(failing_delivery_goes_another_way) {
    world.receivers[world.receiver_count++] = "lead";
    world_fire(
        &world, world_instance(&world, "TocsinDeliveryFailing", "receiver", "lead")); /* not the one it goes to */
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +0; ");
    world_fire(&world, world_instance(&world, "TocsinDeliveryFailing", "receiver", "oncall"));
    world_pass(&world, 400);
    ck_assert_msg(strstr(world.said, "oncall: new alerts added +0 +1; "), "%s", world.said);
    ck_assert_msg(strstr(world.said, "lead: first notification +1; "), "%s", world.said);
}
END_TEST

START_TEST(names_are_quoted_and_every_label_counts) {
    world.routes.root.by_every_label = true;
    world_fire(&world, world_instance(&world, "a\"b\\c\nd", "n", "}"));
    ck_assert_ptr_nonnull(file_row(&world, "oncall/{}:{alertname=\"a\\\"b\\\\c\\nd\", n=\"}\", source=\"tocsin\"}"));
    world.routes.root.by_every_label = false;
    world.routes.root.group_by.count = 0;
    world_fire(&world, world_instance(&world, "x", "n", "a"));
    ck_assert_ptr_nonnull(file_row(&world, "oncall/{}:{}"));
}
END_TEST

START_TEST(too_much_owed_groups_by_receiver) {
    Instance *a = world_instance(&world, "x", "n", "a");
    world_fire(&world, a);
    world_pass(&world, 31);
    *world.said = '\0';
    world.owed = GROUPS_OWED_MAX;
    world_fire(&world, world_instance(&world, "y", "n", "b"));
    world_fire(&world, world_instance(&world, "z", "n", "c"));
    ck_assert_ptr_nonnull(file_row(&world, "oncall/{}:{}"));
    ck_assert_uint_eq(groups_count(world.groups), 2);
    world_resolve(&world, a); /* who has a group keeps it */
    world_pass(&world, 30);
    world_said(&world, "oncall: first notification +1 +2; ");
    world_pass(&world, 300);
    world_said(&world, "oncall: all alerts resolved -0; ");
    world.owed = 0;
    world_resolve(&world, &world.instances[1]); /* its end reaches the group that told of it */
    world_resolve(&world, &world.instances[2]);
    world_pass(&world, 600);
    world_said(&world, "oncall: all alerts resolved -1 -2; ");
    ck_assert_uint_eq(groups_count(world.groups), 0);
}
END_TEST

/* A group that has not spoken owes its message, too: both count, or as many messages again would come in the end. */
START_TEST(what_has_not_spoken_counts_twice) {
    char name[32];
    world.owed = GROUPS_OWED_MAX - 10;
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "v%d", i);
        world_fire(&world, world_instance(&world, name, "n", name));
    }
    ck_assert_uint_eq(groups_count(world.groups), 6); /* five, and the receiver's own */
    world_pass(&world, 31);
    world_fire(&world, world_instance(&world, "w", "n", "w"));
    ck_assert_uint_eq(groups_count(world.groups), 6);
    world.owed = GROUPS_OWED_MAX / 2;
    world_fire(&world, world_instance(&world, "z", "n", "z"));
    ck_assert_uint_eq(groups_count(world.groups), 7);
}
END_TEST

static const char *const broken[] = {
    "", "{", "[]", "null", "{\"0000000000000001\":3}", "{\"short\":{\"status\":\"firing\"}}"};

START_TEST(what_was_told_may_be_unreadable) {
    Instance *a = world_instance(&world, "x", "n", "a");
    a->firing_since_ms = world.now_ms;
    const GroupRow row = {"oncall/{}:{alertname=\"x\"}", "oncall", "not json", INT64_MAX, 7, INT64_MAX, -5, broken[_i]};
    groups_restore(world.groups, &row, world.now_ms);
    world_reroute(&world);
    world_pass(&world, 600);
    ck_assert_msg(strstr(world.said, "+0; "), "%s", world.said); /* it is told all the same */
}
END_TEST

#define TOLD "\"0000000000000001\":{\"starts_at\":1700000000000"
static const struct {
    const char *json;
    bool is_told;
} damaged[] = {{"{" TOLD "}}", true}, {"{" TOLD "},\"00000000", true}, {"{\"x\":[]," TOLD ",\"at\":\"x\"}}", true},
    {"{" TOLD ",\"at\":17", false}, {"{" TOLD ",\"at\"}}", false}, {"{\"x\"," TOLD "}}", false}};

START_TEST(what_was_told_counts_up_to_the_damage) {
    Instance *a = world_instance(&world, "x", "n", "a");
    a->firing_since_ms = world.now_ms;
    const GroupRow row = {"oncall/{}:{alertname=\"x\"}", "oncall", "{\"alertname\":\"x\"}", world.now_ms + 1000, 7,
        world.now_ms - 1000, world.now_ms - 1000, damaged[_i].json};
    groups_restore(world.groups, &row, world.now_ms);
    world_reroute(&world);
    world_pass(&world, 600);
    ck_assert_msg(!*world.said == damaged[_i].is_told, "%s: %s", row.told_json, world.said);
}
END_TEST

static const int64_t jumps_ms[] = {3600000, -3600000};

static void jump(int64_t by_ms) {
    world.now_ms += by_ms;
    groups_shift(world.groups, by_ms);
}

/* A touch or a turn whose commit is under way has times of before. */
START_TEST(what_is_under_way_when_the_clock_jumps_is_not_late) {
    OWN(arena) Arena *arena = arena_new();
    Instance *a = world_instance(&world, "x", "n", "a");
    a->firing_since_ms = world.now_ms;
    const GroupWorld view = world_view(&world);
    GroupTouch *touches;
    ck_assert_uint_eq(groups_touches(world.groups, &view, a->fingerprint, a->labels, arena, &touches), 1);
    jump(jumps_ms[_i]);
    file_touch(&world, touches);
    groups_apply_touch(world.groups, touches, a->fingerprint);
    ck_assert_int_eq(groups_next_due_ms(world.groups), world.now_ms + 30000);
    world.now_ms += 30000;
    GroupTurn *turn = world_begin(&world, groups_due(world.groups, world.now_ms));
    jump(jumps_ms[_i]);
    file_flush(&world, &turn->flush);
    turn_end(world.groups, turn, true, world.now_ms);
    ck_assert_int_eq(groups_next_due_ms(world.groups), world.now_ms + 14400000); /* its repetition */
    world_fire(&world, world_instance(&world, "x", "n", "b"));
    ck_assert_int_eq(groups_next_due_ms(world.groups), world.now_ms + 300000); /* its next beat */
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, speaks_for_a_reason, 0, COUNT_OF(reasons));
    tcase_add_test(tcase, news_of_what_fires_is_told_once);
    tcase_add_test(tcase, waits_then_keeps_the_beat);
    tcase_add_test(tcase, repeats_at_a_beat);
    tcase_add_test(tcase, a_late_turn_repeats_in_time);
    tcase_add_test(tcase, who_is_on_it_is_not_reminded);
    tcase_add_test(tcase, an_acknowledgement_ends_and_reminds_again);
    tcase_add_test(tcase, a_shorter_repeat_interval_holds_from_the_reload_on);
    tcase_add_test(tcase, what_passes_between_turns_is_not_told);
    tcase_add_test(tcase, once_waits_for_nothing);
    tcase_add_test(tcase, without_room_the_turn_comes_again);
    tcase_add_test(tcase, a_touch_during_a_turn_is_not_lost);
    tcase_add_test(tcase, a_turn_knows_when_each_was_told_first);
    tcase_add_test(tcase, lost_data_is_told_once_where_asked);
    tcase_add_test(tcase, flapping_is_told_when_it_begins_and_when_it_stops);
    tcase_add_test(tcase, failing_delivery_goes_another_way);
    tcase_add_test(tcase, names_are_quoted_and_every_label_counts);
    tcase_add_test(tcase, too_much_owed_groups_by_receiver);
    tcase_add_test(tcase, what_has_not_spoken_counts_twice);
    tcase_add_loop_test(tcase, what_was_told_may_be_unreadable, 0, COUNT_OF(broken));
    tcase_add_loop_test(tcase, what_was_told_counts_up_to_the_damage, 0, COUNT_OF(damaged));
    tcase_add_loop_test(tcase, what_is_under_way_when_the_clock_jumps_is_not_late, 0, COUNT_OF(jumps_ms));
}

int main(void) { return run_tests("groups", fill); }
