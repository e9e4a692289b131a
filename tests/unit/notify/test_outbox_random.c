/* Random receivers, full disks and hands over six virtual days: nothing is lost, nothing overtakes, no bound is
 * passed. */
#include "outbox_world.h"

#include "base/alloc.h"

enum { MESSAGES = 120, RUNS = 10, STEP_MS = 120000, RECEIVERS = 6, GROUPS = 4 };

typedef struct Fate {
    char id[16], receiver[16], group[16];
    bool is_added, is_done; /* delivered, expired or discarded, told after its commit */
    bool is_parked, was_parked; /* who was parked comes back at the end of its sequence */
    unsigned sends;
} Fate;

typedef struct Run {
    World world;
    Fate fates[MESSAGES];
    uint64_t random;
} Run;

static Run run;

static size_t draw(size_t below) {
    run.random = run.random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(run.random >> 33) % below;
}

static Fate *fate_of(const char *id) { return &run.fates[atoi(id + 1)]; }

static bool is_ahead(const Fate *other, const Fate *fate) {
    return other->is_added && !other->is_done && !other->was_parked && !strcmp(other->receiver, fate->receiver) &&
        !strcmp(other->group, fate->group);
}

static void on_send(void *ctx, const OutboxRow *row) {
    Fate *fate = fate_of(row->id);
    ck_assert(!fate->is_done && !fate->is_parked);
    for (const Fate *other = run.fates; other < fate; other++)
        ck_assert_msg(!is_ahead(other, fate), "seed %d: %s overtook %s", (int)run.random, fate->id, other->id);
    fate->sends++;
    ck_assert_int_ge(row->attempts, 1);
    world_send(ctx, row);
    size_t of_receiver = 0;
    for (size_t i = 0; i < run.world.send_count; i++)
        of_receiver += run.world.sends[i].is_open && !strcmp(run.world.sends[i].receiver, row->receiver);
    ck_assert_uint_le(of_receiver, 4);
    ck_assert_uint_le(world_in_flight(&run.world), 32);
}

static void on_event(void *ctx, const OutboxRow *row) {
    (void)ctx;
    Fate *fate = fate_of(row->id);
    ck_assert(!fate->is_done);
    fate->is_parked = !strcmp(row->state, "parked");
    fate->was_parked |= fate->is_parked;
    fate->is_done =
        !strcmp(row->state, "delivered") || !strcmp(row->state, "expired") || !strcmp(row->state, "discarded");
    ck_assert(strcmp(row->state, "delivered") != 0 || fate->sends > 0);
}

static void answer_some(void) {
    for (size_t i = 0; i < run.world.send_count; i++) {
        Asked *sent = &run.world.sends[i];
        if (!sent->is_open || draw(4) == 0) continue;
        const bool is_dead = sent->receiver[1] == '0';
        const SendOutcome outcome = is_dead ? SEND_RETRY
            : draw(3)                       ? SEND_DELIVERED
            : draw(4)                       ? SEND_RETRY
                                            : SEND_REFUSED;
        const SendResult result = {.outcome = outcome, .detail = "x", .retry_after_ms = (int64_t)draw(2) * 5000};
        sent->is_open = false;
        ck_assert(outbox_sent(run.world.outbox, sent->id, sent->attempts, &result));
        ck_assert(!outbox_sent(run.world.outbox, sent->id, sent->attempts, &result));
    }
    size_t kept = 0;
    for (size_t i = 0; i < run.world.send_count; i++)
        if (run.world.sends[i].is_open) run.world.sends[kept++] = run.world.sends[i];
    run.world.send_count = kept;
}

static void add_some(size_t *added) {
    if (*added == MESSAGES || draw(12)) return;
    Fate *fate = &run.fates[*added];
    snprintf(fate->id, sizeof fate->id, "m%zu", *added);
    snprintf(fate->receiver, sizeof fate->receiver, "r%zu", draw(RECEIVERS));
    snprintf(fate->group, sizeof fate->group, "g%zu", draw(GROUPS));
    fate->is_added = true;
    world_add(&run.world, fate->id, fate->group, fate->receiver, draw(20) ? 0 : 3);
    (*added)++;
}

static void use_hands(size_t added) {
    if (!added || draw(150)) return;
    const Fate *fate = &run.fates[draw(added)];
    if (!fate->is_parked) return;
    if (draw(3)) {
        outbox_retry(run.world.outbox, fate->id, NULL, NULL);
    } else {
        outbox_discard(run.world.outbox, fate->id, NULL, NULL);
    }
}

START_TEST(nothing_is_lost) {
    memset(&run, 0, sizeof run);
    const char *seed = getenv("TOCSIN_TEST_SEED");
    run.random = seed ? strtoull(seed, NULL, 10) : (uint64_t)_i + 1;
    run.world.clock = clock_new_virtual((int64_t)WORLD_START_MS * 1000);
    const OutboxWorld outside = {
        &run.world, world_lease, world_finish, &run.world, on_send, world_has_channel, world_health, on_event, NULL};
    run.world.outbox = outbox_new(&outside, run.world.clock, NULL);
    size_t added = 0;
    /* Hands give a parked one its 72 hours anew: four days without them are enough for all that is still owed. */
    for (int64_t at = 0; at < 10 * 86400000LL; at += STEP_MS) {
        add_some(&added);
        if (at < 6 * 86400000LL) use_hands(added);
        outbox_run(run.world.outbox);
        run.world.answer = draw(20) ? STORE_OK : STORE_FULL;
        world_commit(&run.world);
        answer_some();
        clock_advance(run.world.clock, STEP_MS);
    }
    run.world.answer = STORE_OK;
    world_commit(&run.world);
    outbox_run(run.world.outbox);
    world_commit(&run.world);
    ck_assert_uint_eq(added, MESSAGES);
    for (size_t i = 0; i < MESSAGES; i++)
        ck_assert_msg(run.fates[i].is_done || run.fates[i].is_parked, "seed %d: %s of %s is still owed", _i + 1,
            run.fates[i].id, run.fates[i].receiver);
    ck_assert_uint_eq(outbox_counts(run.world.outbox).pending, 0);
    world_deinit(&run.world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60); /* under valgrind */
    tcase_add_loop_test(tcase, nothing_is_lost, 0, RUNS);
}

int main(void) { return run_tests("outbox_random", fill); }
