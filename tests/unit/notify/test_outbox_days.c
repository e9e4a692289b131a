/* A receiver that is away for days: what it is owed when it comes back, and what the 72 hours mean at their bound. */
#include "outbox_world.h"

#include "notify/delivery.h"

enum { MESSAGES = 20, STEP_MS = 1000 };

static World world;
static void begin(void) { world_init(&world); }
static void end(void) { world_deinit(&world); }

static size_t tries, delivered;
static char last_delivered[WORLD_TEXT];

/* Whatever is on its way ends so, and what is committed is on disk. */
static void answer_all(SendOutcome outcome) {
    for (size_t i = 0; i < world.send_count; i++) {
        if (!world.sends[i].is_open) continue;
        char id[WORLD_TEXT];
        memcpy(id, world.sends[i].id, sizeof id);
        world.sends[i].is_open = false;
        tries++;
        ck_assert(outbox_sent(
            world.outbox, id, world.sends[i].attempts, &(SendResult){.outcome = outcome, .detail = "said so"}));
        if (outcome != SEND_DELIVERED) continue;
        ck_assert_msg(strcmp(last_delivered, id) < 0, "%s overtook %s", id, last_delivered);
        memcpy(last_delivered, id, sizeof id);
        delivered++;
    }
    world.send_count = 0;
    world_commit(&world);
}

/* Up to that time, from one due time to the next. */
static void run_until(int64_t until_ms, SendOutcome outcome) {
    while (clock_wall_ms(world.clock) < until_ms) {
        world_run(&world);
        answer_all(outcome);
        const int64_t now_ms = clock_wall_ms(world.clock), next_ms = outbox_next_ms(world.outbox);
        const int64_t at_ms = next_ms > until_ms ? until_ms : next_ms > now_ms ? next_ms : now_ms + STEP_MS;
        clock_advance(world.clock, at_ms - now_ms);
    }
}

START_TEST(all_is_delivered_after_three_days) {
    const int64_t start_ms = clock_wall_ms(world.clock);
    tries = delivered = 0;
    last_delivered[0] = 0;
    for (int i = 0; i < MESSAGES; i++) {
        char id[WORLD_TEXT];
        snprintf(id, sizeof id, "m%02d", i);
        world_add(&world, id, "g", "oncall", 0);
    }
    run_until(start_ms + DELIVERY_LIFE_MS - 2 * DELIVERY_BACKOFF_MAX_MS, SEND_RETRY);
    const size_t failed = tries;
    ck_assert_int_eq(world.failing, 1);
    ck_assert_uint_eq(outbox_counts(world.outbox).pending, MESSAGES);
    run_until(start_ms + DELIVERY_LIFE_MS - 1, SEND_DELIVERED);
    ck_assert_msg(delivered == MESSAGES, "%zu of %d were delivered", delivered, MESSAGES);
    ck_assert_uint_eq(outbox_counts(world.outbox).pending + outbox_counts(world.outbox).parked, 0);
    ck_assert_int_eq(world.failing, 0);
    /* At most one probe in 2 s at first and in 10 minutes in the end; full jitter makes it twice as many on average. */
    ck_assert_uint_le(failed, 4 * DELIVERY_LIFE_MS / DELIVERY_BACKOFF_MAX_MS);
    ck_assert_uint_ge(failed, DELIVERY_LIFE_MS / DELIVERY_BACKOFF_MAX_MS);
    printf("figure: away for 72 h less 20 min: %d of %d delivered in order, after %zu tries that failed\n", MESSAGES,
        MESSAGES, failed);
}
END_TEST

/* Waits for its next try when its time ends. */
START_TEST(it_expires_at_the_bound_and_not_before) {
    const int64_t start_ms = clock_wall_ms(world.clock);
    world_add(&world, "a", "g", "oncall", 0);
    run_until(start_ms + DELIVERY_LIFE_MS - 1, SEND_RETRY);
    outbox_run(world.outbox);
    world_commit(&world);
    if (world_in_flight(&world)) answer_all(SEND_RETRY);
    ck_assert_uint_eq(outbox_counts(world.outbox).pending, 1);
    ck_assert(strcmp(world.last_event, "a expired") != 0);
    ck_assert_int_le(outbox_next_ms(world.outbox), start_ms + DELIVERY_LIFE_MS);
    clock_advance(world.clock, 1);
    outbox_run(world.outbox);
    world_commit(&world);
    ck_assert_str_eq(world.last_event, "a expired");
    ck_assert_int_eq(world.failing, 1);
    ck_assert_msg(strstr(world.why, "72 hours") != NULL, "%s", world.why);
    ck_assert_uint_eq(outbox_counts(world.outbox).pending, 0);
}
END_TEST

/* On its way when its time ends: what the receiver says counts; a failure is the last. */
static const struct Late {
    SendOutcome outcome;
    const char *event;
} late[] = {
    {SEND_DELIVERED, "a delivered"},
    {SEND_RETRY, "a expired"},
    {SEND_REFUSED, "a parked"},
};

START_TEST(what_is_on_its_way_may_end) {
    world_add(&world, "a", "g", "oncall", 0);
    world_run(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "a"));
    clock_advance(world.clock, DELIVERY_LIFE_MS + 1);
    outbox_run(world.outbox);
    world_commit(&world);
    ck_assert_ptr_nonnull(world_sent(&world, "a"));
    world_answer(&world, "a", late[_i].outcome);
    world_commit(&world);
    outbox_run(world.outbox);
    world_commit(&world);
    ck_assert_str_eq(world.last_event, late[_i].event);
    ck_assert_uint_eq(outbox_counts(world.outbox).pending, 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, all_is_delivered_after_three_days);
    tcase_add_test(tcase, it_expires_at_the_bound_and_not_before);
    tcase_add_loop_test(tcase, what_is_on_its_way_may_end, 0, COUNT_OF(late));
}

int main(void) { return run_tests("outbox_days", fill); }
