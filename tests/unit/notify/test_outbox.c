/* What is owed leaves once its lease is on disk, in order, within its slots, and nothing of it is lost in silence. */
#include "base/alloc.h"
#include "base/json.h"
#include "notify/lane.h"
#include "outbox_world.h"

static World world;
static void begin(void) { world_init(&world); }
static void end(void) { world_deinit(&world); }

static void advance(int64_t ms) { clock_advance(world.clock, ms); }

START_TEST(sends_only_what_is_leased) {
    world_add(&world, "a", "g", "oncall", 0);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.lease_count, 1);
    ck_assert_int_eq(world.leases[0].attempts, 1);
    ck_assert_uint_eq(world.send_count, 0); /* commit 3 first */
    world_commit(&world);
    ck_assert_uint_eq(world.send_count, 1);
    world_answer(&world, "a", SEND_DELIVERED);
    ck_assert_str_eq(world.finishes[0].state, "delivered");
    ck_assert_uint_eq(world.events, 0); /* told after commit 4 */
    world_commit(&world);
    ck_assert_str_eq(world.last_event, "a delivered");
    const OutboxCounts counts = outbox_counts(world.outbox);
    ck_assert_uint_eq(counts.pending + counts.in_flight + counts.parked, 0);
    ck_assert_int_eq(counts.delivered, 1);
    ck_assert_int_eq(outbox_next_ms(world.outbox), INT64_MAX);
}
END_TEST

START_TEST(what_fails_for_long_is_handed_over_once) {
    world.fallback_ms = 60000;
    world_add(&world, "a", "g", "oncall", 0);
    world_add(&world, "b", "g", "alone", 0);
    world_run(&world);
    world_answer(&world, "a", SEND_RETRY);
    world_answer(&world, "b", SEND_RETRY);
    world_commit(&world);
    advance(59999);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 0);
    world_commit(&world);
    world_answer(&world, "a", SEND_RETRY);
    world_commit(&world);
    ck_assert_int_le(outbox_next_ms(world.outbox), clock_wall_ms(world.clock) + 1);
    advance(1);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 1);
    ck_assert_str_eq(world.last_handed, "a");
    outbox_handed(world.outbox, "a", 0); /* there was no room */
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 1);
    world_commit(&world);
    if (world_sent(&world, "a")) world_answer(&world, "a", SEND_RETRY);
    world_commit(&world);
    advance(OUTBOX_ROOM_RETRY_MS);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 2);
    outbox_handed(world.outbox, "a", clock_wall_ms(world.clock));
    outbox_handed(world.outbox, "nobody", clock_wall_ms(world.clock));
    advance(3600000);
    outbox_check_channels(world.outbox); /* a reload */
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 2);
}
END_TEST

START_TEST(what_was_not_tried_has_not_failed) {
    world.fallback_ms = 60000;
    world_add(&world, "a", "g", "oncall", 0);
    advance(3600000); /* we were down */
    outbox_run(world.outbox); /* it leaves now */
    ck_assert_uint_eq(world.handed, 0);
    world_commit(&world);
    advance(OUTBOX_ROOM_RETRY_MS);
    outbox_run(world.outbox); /* it is on its way */
    ck_assert_uint_eq(world.handed, 0);
    world_answer(&world, "a", SEND_REFUSED);
    world_commit(&world);
    advance(OUTBOX_ROOM_RETRY_MS);
    outbox_run(world.outbox); /* parked is failed, too */
    ck_assert_uint_eq(world.handed, 1);
}
END_TEST

/* A receiver that takes 120 of 1,000 requests a minute does not fail: nobody is told so, nothing is handed over, and it
 * is asked again when it wishes, not later each time. */
START_TEST(what_goes_on_is_no_failure) {
    enum { WISH_MS = 60000, TRIES = 12 };
    world.fallback_ms = 5 * WISH_MS;
    world.failing = -1; /* nothing was told */
    world_add(&world, "a", "g", "oncall", 0);
    for (int i = 0; i < TRIES; i++) {
        world_run(&world);
        world_answer_with(&world, "a",
            &(SendResult){.outcome = SEND_RETRY, .detail = "429", .retry_after_ms = WISH_MS, .went_on = true});
        ck_assert_int_eq(world.finishes[0].next_attempt_ms, clock_wall_ms(world.clock) + WISH_MS);
        world_commit(&world);
        outbox_run(world.outbox);
        ck_assert_uint_eq(world.send_count, 0);
        advance(WISH_MS);
    }
    ck_assert_int_eq(world.failing, -1);
    ck_assert_uint_eq(world.handed, 0);
    world_run(&world);
    world_answer(&world, "a", SEND_RETRY); /* none of it this time: that counts again, from the begin */
    ck_assert_int_le(world.finishes[0].next_attempt_ms, clock_wall_ms(world.clock) + DELIVERY_BACKOFF_MS);
    world_commit(&world);
    advance(OUTBOX_ROOM_RETRY_MS);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 1);
}
END_TEST

START_TEST(what_goes_on_is_handed_over_where_others_fail) {
    char id[16];
    world.fallback_ms = 60000;
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    world_answer_with(
        &world, "a", &(SendResult){.outcome = SEND_RETRY, .detail = "429", .retry_after_ms = 3600000, .went_on = true});
    world_commit(&world);
    for (int i = 0; i < LANE_CIRCUIT_FAILURES; i++) { /* and then it dies */
        snprintf(id, sizeof id, "m%d", i);
        world_add(&world, id, id, "oncall", 0);
        world_run(&world);
        world_answer(&world, id, SEND_RETRY);
        world_commit(&world);
    }
    advance(60000);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, LANE_CIRCUIT_FAILURES + 1);
}
END_TEST

START_TEST(what_was_taken_is_not_handed_over) {
    world.fallback_ms = 60000;
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    world_answer(&world, "a", SEND_DELIVERED);
    world_commit(&world);
    ck_assert_int_eq(outbox_next_ms(world.outbox), INT64_MAX);
    advance(3600000);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 0);
}
END_TEST

static void add_to_storm(size_t i) {
    OWN(text) char *id = text_format("p%zu", i);
    const OutboxRow row = {.id = id,
        .group_key = "g",
        .receiver = "oncall",
        .plugin = "webhook",
        .state = "parked",
        .attempts = 1,
        .created_ms = clock_wall_ms(world.clock),
        .expires_ms = clock_wall_ms(world.clock) + 72 * 3600000LL};
    outbox_add(world.outbox, &row, 1);
}

START_TEST(a_storm_is_handed_over_a_few_at_a_time) {
    enum { STORM = 10 * OUTBOX_HANDOVERS_AT_ONCE };
    world.fallback_ms = 60000;
    for (size_t i = 0; i < STORM; i++) add_to_storm(i);
    advance(60000);
    outbox_run(world.outbox);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, OUTBOX_HANDOVERS_AT_ONCE);
    ck_assert_int_eq(outbox_next_ms(world.outbox), INT64_MAX); /* an answer wakes: until then, there is no hurry */
    ck_assert_int_eq(outbox_discard(world.outbox, world.last_handed, NULL, NULL), CHANGE_BEGUN);
    world_commit(&world);
    outbox_handed(world.outbox, world.last_handed, clock_wall_ms(world.clock)); /* it is gone: its place is free */
    ck_assert_int_le(outbox_next_ms(world.outbox), clock_wall_ms(world.clock));
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, OUTBOX_HANDOVERS_AT_ONCE + 1);
    size_t answered = 0;
    for (size_t turn = 0; turn < STORM && answered < world.handed; turn++) {
        for (answered = 0; answered < world.handed; answered++) {
            OWN(text) char *any = text_format("p%zu", answered);
            outbox_handed(world.outbox, any, clock_wall_ms(world.clock));
        }
        outbox_run(world.outbox);
    }
    ck_assert_uint_eq(world.handed, STORM); /* all of it, each once */
}
END_TEST

START_TEST(without_room_nothing_is_sent) {
    world_add(&world, "a", "g", "oncall", 0);
    world.answer = STORE_FULL;
    world_run(&world);
    ck_assert_uint_eq(world.send_count, 0);
    world_run(&world);
    ck_assert_uint_eq(world.send_count, 0); /* not at once again */
    ck_assert_int_eq(outbox_next_ms(world.outbox), clock_wall_ms(world.clock) + OUTBOX_ROOM_RETRY_MS);
    world.answer = STORE_OK;
    advance(OUTBOX_ROOM_RETRY_MS);
    world_run(&world);
    ck_assert_int_eq(world.sends[0].attempts, 1); /* the attempt that was not made does not count */
}
END_TEST

START_TEST(an_answer_outlives_a_full_disk) {
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    world_answer(&world, "a", SEND_DELIVERED);
    world.answer = STORE_FULL;
    world_commit(&world);
    ck_assert_uint_eq(world.events, 0);
    world.answer = STORE_OK;
    advance(OUTBOX_ROOM_RETRY_MS);
    world_run(&world); /* commit 4 again, and no second send */
    ck_assert_uint_eq(world_in_flight(&world), 0);
    ck_assert_str_eq(world.last_event, "a delivered");
}
END_TEST

START_TEST(late_and_repeated_answers_do_nothing) {
    const SendResult good = {.outcome = SEND_DELIVERED};
    world_add(&world, "a", "g", "oncall", 0);
    ck_assert(!outbox_sent(world.outbox, "nobody", 1, &good));
    ck_assert(!outbox_sent(world.outbox, "a", 0, &good));
    world_run(&world);
    ck_assert(!outbox_sent(world.outbox, "a", 2, &good));
    world_answer(&world, "a", SEND_RETRY);
    ck_assert(!outbox_sent(world.outbox, "a", 1, &good)); /* twice */
    world_commit(&world);
    ck_assert(!outbox_sent(world.outbox, "a", 1, &good)); /* late */
    ck_assert_str_eq(world.last_event, "a pending");
}
END_TEST

START_TEST(a_resolution_never_overtakes) {
    world_add(&world, "fires", "g", "oncall", 0);
    world_add(&world, "ends", "g", "oncall", 0);
    world_add(&world, "other", "h", "oncall", 0);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "fires"));
    ck_assert_ptr_nonnull(world_sent(&world, "other"));
    ck_assert_ptr_null(world_sent(&world, "ends"));
    world_answer(&world, "fires", SEND_RETRY);
    world_run(&world);
    ck_assert_ptr_null(world_sent(&world, "ends"));
    ck_assert(outbox_has_waiting(world.outbox, "g", "oncall", "webhook", 0));
    ck_assert(!outbox_has_waiting(world.outbox, "g", "oncall", "email", 0));
    advance(600000);
    world_run(&world);
    world_answer(&world, "fires", SEND_DELIVERED);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.lease_count, 0); /* not before commit 4: a crash would send the first again, behind it */
    world_commit(&world);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "ends"));
}
END_TEST

START_TEST(refused_is_parked_and_told) {
    world_add(&world, "a", "g", "oncall", 0);
    world_add(&world, "b", "g", "oncall", 0);
    world_run(&world);
    world_answer(&world, "a", SEND_REFUSED);
    ck_assert_int_eq(world.failing, 0);
    world_commit(&world);
    ck_assert_str_eq(world.last_event, "a parked");
    ck_assert_int_eq(world.failing, 1);
    ck_assert_msg(strstr(world.why, "oncall/webhook: ") && strstr(world.why, "said so"), "%s", world.why);
    world_run(&world);
    world_answer(&world, "b", SEND_DELIVERED); /* it stops nobody */
    world_commit(&world);
    ck_assert_int_eq(world.failing, 0);
    ck_assert_uint_eq(outbox_counts(world.outbox).parked, 1);
}
END_TEST

static StoreOutcome changed;
static size_t changes;
static void on_change(void *ctx, StoreOutcome outcome) {
    (void)ctx;
    changed = outcome;
    changes++;
}

START_TEST(parked_ones_are_changed_by_hand) {
    changes = 0;
    world_add(&world, "a", "g", "oncall", 0);
    ck_assert_int_eq(outbox_retry(world.outbox, "a", on_change, NULL), CHANGE_UNFIT);
    ck_assert_int_eq(outbox_discard(world.outbox, "x", on_change, NULL), CHANGE_UNKNOWN);
    world_run(&world);
    world_answer(&world, "a", SEND_REFUSED);
    world_commit(&world);
    ck_assert_int_eq(outbox_retry(world.outbox, "a", on_change, NULL), CHANGE_BEGUN);
    ck_assert_int_eq(outbox_discard(world.outbox, "a", on_change, NULL), CHANGE_UNFIT); /* one is on its way */
    world.answer = STORE_FULL;
    world_commit(&world);
    ck_assert(changes == 1 && changed == STORE_FULL);
    ck_assert_uint_eq(outbox_counts(world.outbox).parked, 1);
    world.answer = STORE_OK;
    outbox_retry_parked(world.outbox);
    world_run(&world);
    world_run(&world);
    world_answer(&world, "a", SEND_REFUSED);
    world_commit(&world);
    ck_assert_int_eq(outbox_discard(world.outbox, "a", on_change, NULL), CHANGE_BEGUN);
    world_commit(&world);
    ck_assert(changes == 2 && changed == STORE_OK);
    ck_assert_str_eq(world.last_event, "a discarded");
    ck_assert_int_eq(world.failing, 0);
    ck_assert_uint_eq(outbox_counts(world.outbox).parked, 0);
}
END_TEST

START_TEST(what_is_too_old_expires_aloud) {
    world_add(&world, "a", "g", "oncall", 0);
    world_add(&world, "behind", "g", "oncall", 0);
    for (int i = 0; i < 5; i++) {
        world_run(&world);
        world_answer(&world, "a", SEND_RETRY);
        world_commit(&world);
        advance(600000);
    }
    ck_assert_int_eq(world.failing, 1);
    advance(72 * 3600000LL);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.lease_count, 0);
    ck_assert_uint_eq(world.finish_count, 2);
    ck_assert_str_eq(world.finishes[0].state, "expired");
    const size_t before = world.events;
    world_commit(&world);
    ck_assert_uint_eq(world.events - before, 2);
    ck_assert_msg(strstr(world.why, "72 hours"), "%s", world.why);
    ck_assert_uint_eq(outbox_counts(world.outbox).pending, 0);
}
END_TEST

START_TEST(an_expiry_without_room_stops_nobody) {
    world_add(&world, "a", "g", "oncall", 0);
    world_add(&world, "b", "g", "oncall", 0);
    advance(72 * 3600000LL);
    world_add(&world, "c", "g", "oncall", 0);
    world.answer = STORE_FULL;
    world_run(&world); /* both expire, and neither can be written */
    world_run(&world);
    ck_assert_uint_eq(world.send_count, 0);
    world.answer = STORE_OK;
    advance(OUTBOX_ROOM_RETRY_MS);
    world_run(&world);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "c"));
}
END_TEST

START_TEST(who_is_being_given_up_is_not_sent) {
    world_add(&world, "a", "g", "oncall", 0);
    world_add(&world, "b", "g", "oncall", 0);
    advance(72 * 3600000LL);
    outbox_run(world.outbox);
    for (size_t i = 0; i < world.finish_count; i++) /* the first one's end is on disk, the second's is not yet */
        if (!strcmp(world.finishes[i].id, "a")) {
            world.finishes[i].is_open = false;
            world.finishes[i].done(world.finishes[i].ctx, STORE_OK);
        }
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.lease_count, 0);
    world_commit(&world);
    ck_assert_uint_eq(outbox_counts(world.outbox).pending, 0);
}
END_TEST

START_TEST(a_broken_circuit_lets_one_probe_through) {
    char id[16];
    for (int i = 0; i < 12; i++)
        world_add(&world, (snprintf(id, sizeof id, "m%d", i), id), (snprintf(id, sizeof id, "m%d", i), id), "dead", 0);
    for (int failures = 0; failures < 5;) {
        world_run(&world);
        ck_assert_uint_le(world_in_flight(&world), 4);
        for (size_t i = 0; i < world.send_count && failures < 5; i++)
            if (world.sends[i].is_open) {
                world_answer(&world, world.sends[i].id, SEND_RETRY);
                failures++;
            }
        world_commit(&world);
    }
    for (size_t i = 0; i < world.send_count; i++)
        if (world.sends[i].is_open) world_answer(&world, world.sends[i].id, SEND_RETRY);
    world_commit(&world);
    advance(600000);
    world_run(&world);
    ck_assert_uint_eq(world_in_flight(&world), 1);
    world_add(&world, "alive", "g", "alive", 0);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "alive")); /* the other receiver goes on */
    for (size_t i = 0; i < world.send_count; i++)
        if (world.sends[i].is_open && !strcmp(world.sends[i].receiver, "dead"))
            world_answer(&world, world.sends[i].id, SEND_DELIVERED);
    world_commit(&world);
    world_run(&world);
    ck_assert_uint_eq(world_in_flight(&world), 5); /* it lives: four of its own again */
}
END_TEST

START_TEST(slots_have_bounds) {
    for (int receiver = 0; receiver < 12; receiver++)
        for (int message = 0; message < 6; message++) {
            char id[32], name[32];
            snprintf(id, sizeof id, "%d-%d", receiver, message);
            snprintf(name, sizeof name, "r%d", receiver);
            world_add(&world, id, id, name, 0);
        }
    world_run(&world);
    ck_assert_uint_eq(world_in_flight(&world), 32);
    for (int receiver = 0; receiver < 12; receiver++) {
        char name[32];
        snprintf(name, sizeof name, "r%d", receiver);
        size_t of_it = 0;
        for (size_t i = 0; i < world.send_count; i++) of_it += !strcmp(world.sends[i].receiver, name);
        ck_assert_uint_ge(of_it, 2); /* lanes take turns */
        ck_assert_uint_le(of_it, 4);
    }
    ck_assert_int_gt(
        outbox_next_ms(world.outbox), clock_wall_ms(world.clock) + 3600000); /* only the expiry is left to the clock */
}
END_TEST

START_TEST(a_suspect_goes_alone_and_last) {
    world_add(&world, "poison", "p", "oncall", 3);
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    ck_assert_ptr_null(world_sent(&world, "poison"));
    world_answer(&world, "a", SEND_DELIVERED);
    world_commit(&world);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "poison"));
    world_add(&world, "b", "h", "other", 0);
    world_run(&world);
    ck_assert_ptr_null(world_sent(&world, "b"));
    world_answer(&world, "poison", SEND_RETRY);
    world_commit(&world);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "b"));
}
END_TEST

START_TEST(a_receiver_that_is_gone_parks) {
    world_add(&world, "a", "g", "old", 0);
    world_add(&world, "b", "g", "old", 0);
    world_add(&world, "c", "g", "oncall", 0);
    world.no_channel = "old";
    outbox_check_channels(world.outbox);
    world_commit(&world);
    ck_assert_uint_eq(outbox_counts(world.outbox).parked, 2);
    ck_assert_msg(strstr(world.why, "not in the configuration"), "%s", world.why);
    outbox_retry_parked(world.outbox);
    ck_assert_uint_eq(world.finish_count, 0);
    world.no_channel = NULL;
    outbox_retry_parked(world.outbox);
    ck_assert_uint_eq(world.finish_count, 2);
    world_commit(&world);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "c"));
    ck_assert_ptr_nonnull(world_sent(&world, "a"));
}
END_TEST

START_TEST(stops_leasing_when_told) {
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    world_add(&world, "b", "h", "oncall", 0);
    outbox_stop(world.outbox);
    world_run(&world);
    ck_assert_uint_eq(world_in_flight(&world), 1);
    world_answer(&world, "a", SEND_DELIVERED);
    world_commit(&world);
    ck_assert_str_eq(world.last_event, "a delivered");
}
END_TEST

START_TEST(a_stop_sends_nothing_that_was_only_leased) {
    world_add(&world, "a", "g", "oncall", 0);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.lease_count, 1);
    outbox_stop(world.outbox);
    world_commit(&world);
    ck_assert_uint_eq(world.send_count, 0);
    ck_assert_uint_eq(outbox_counts(world.outbox).in_flight, 0);
}
END_TEST

/* Adds these, sends them, and has each fail: the commits of it wait. */
static void fail_together(const char *ids) {
    for (const char *id = ids; *id; id++) world_add(&world, (const char[]){*id, '\0'}, "", "oncall", 0);
    world_run(&world);
    for (const char *id = ids; *id; id++) world_answer(&world, (const char[]){*id, '\0'}, SEND_RETRY);
}

START_TEST(failures_at_one_time_are_told_too) {
    fail_together("abc");
    world_commit(&world);
    fail_together("def");
    ck_assert_int_eq(world.failing, 0);
    world_commit(&world); /* the fifth and the sixth are on disk together */
    ck_assert_int_eq(world.failing, 1);
}
END_TEST

static void add_parked(const char *id, int64_t crashes) {
    const OutboxRow row = {.id = id,
        .group_key = id,
        .receiver = "oncall",
        .plugin = "webhook",
        .state = "parked",
        .crashes = crashes,
        .created_ms = clock_wall_ms(world.clock),
        .message_json = "{}"};
    outbox_add(world.outbox, &row, 1);
}

START_TEST(a_start_leaves_parked_what_crashed_it) {
    add_parked("poison", 6);
    outbox_begin(world.outbox);
    ck_assert_uint_eq(world.finish_count, 0);
    ck_assert_int_eq(world.failing, 1);
    add_parked("refused", 0);
    outbox_begin(world.outbox);
    ck_assert_uint_eq(world.finish_count, 1);
    ck_assert_str_eq(world.finishes[0].id, "refused");
}
END_TEST

START_TEST(a_jump_of_the_clock_shifts_what_waits) {
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    world_answer(&world, "a", SEND_RETRY);
    world_commit(&world);
    const int64_t before = outbox_next_ms(world.outbox) - clock_wall_ms(world.clock);
    clock_set_wall(world.clock, clock_wall_ms(world.clock) - 3600000);
    outbox_shift(world.outbox, -3600000);
    ck_assert_int_eq(outbox_next_ms(world.outbox) - clock_wall_ms(world.clock), before);
}
END_TEST

START_TEST(a_jump_hands_nothing_over_early) {
    world.fallback_ms = 600000;
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    world_answer(&world, "a", SEND_RETRY);
    world_commit(&world);
    clock_set_wall(world.clock, clock_wall_ms(world.clock) + 3600000);
    outbox_shift(world.outbox, 3600000);
    outbox_check_channels(world.outbox); /* as a reload does: it asks anew when the fallback gets it */
    world_run(&world);
    ck_assert_uint_eq(world.handed, 0);
    clock_advance(world.clock, 600000);
    outbox_run(world.outbox);
    ck_assert_uint_eq(world.handed, 1);
}
END_TEST

START_TEST(a_row_is_the_same_object_everywhere) {
    const OutboxRow row = {.id = "i",
        .receiver = "r",
        .plugin = "sns",
        .plugin_index = 2,
        .state = "delivered",
        .attempts = 3,
        .created_ms = 1000,
        .finished_ms = 2000,
        .message_json = "{\"secret\":1}"};
    OWN(json) json_t *object = outbox_row_json(&row);
    char *text = json_write(object);
    ck_assert_str_eq(text,
        "{\"attempts\":3,\"created_at\":\"1970-01-01T00:00:01.000Z\",\"finished_at\":\"1970-01-01T00:00:02.000Z\","
        "\"id\":\"i\",\"index\":2,\"last_error\":null,\"next_attempt\":null,\"plugin\":\"sns\",\"receiver\":\"r\","
        "\"state\":\"delivered\"}");
    free(text);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, sends_only_what_is_leased);
    tcase_add_test(tcase, what_fails_for_long_is_handed_over_once);
    tcase_add_test(tcase, what_was_not_tried_has_not_failed);
    tcase_add_test(tcase, what_goes_on_is_no_failure);
    tcase_add_test(tcase, what_goes_on_is_handed_over_where_others_fail);
    tcase_add_test(tcase, what_was_taken_is_not_handed_over);
    tcase_add_test(tcase, a_storm_is_handed_over_a_few_at_a_time);
    tcase_add_test(tcase, without_room_nothing_is_sent);
    tcase_add_test(tcase, an_answer_outlives_a_full_disk);
    tcase_add_test(tcase, late_and_repeated_answers_do_nothing);
    tcase_add_test(tcase, a_resolution_never_overtakes);
    tcase_add_test(tcase, refused_is_parked_and_told);
    tcase_add_test(tcase, parked_ones_are_changed_by_hand);
    tcase_add_test(tcase, what_is_too_old_expires_aloud);
    tcase_add_test(tcase, an_expiry_without_room_stops_nobody);
    tcase_add_test(tcase, who_is_being_given_up_is_not_sent);
    tcase_add_test(tcase, a_broken_circuit_lets_one_probe_through);
    tcase_add_test(tcase, slots_have_bounds);
    tcase_add_test(tcase, a_suspect_goes_alone_and_last);
    tcase_add_test(tcase, a_receiver_that_is_gone_parks);
    tcase_add_test(tcase, stops_leasing_when_told);
    tcase_add_test(tcase, a_stop_sends_nothing_that_was_only_leased);
    tcase_add_test(tcase, failures_at_one_time_are_told_too);
    tcase_add_test(tcase, a_start_leaves_parked_what_crashed_it);
    tcase_add_test(tcase, a_jump_of_the_clock_shifts_what_waits);
    tcase_add_test(tcase, a_jump_hands_nothing_over_early);
    tcase_add_test(tcase, a_row_is_the_same_object_everywhere);
}

int main(void) { return run_tests("outbox", fill); }
