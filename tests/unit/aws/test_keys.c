#include "aws/keys.h"
#include "aws/retry.h"
#include "aws/skew.h"

#include "../run.h"

#include <stdio.h>
#include <string.h>

#define NOW_MS 1767323045000
enum { MINUTE = 60 * 1000 };

typedef struct World {
    Clock *clock;
    KeySource *source;
    size_t fetches, changes;
    KeyWait wait;
} World;

static void fetch(void *ctx, KeySource *source) {
    (void)source;
    ((World *)ctx)->fetches++;
}

static void changed(void *ctx) { ((World *)ctx)->changes++; }

static void begin(World *world, bool recheck) {
    *world = (World){.clock = clock_new_virtual(NOW_MS)};
    world->source = key_source_new(world->clock, fetch, world, NULL, recheck);
    world->wait = (KeyWait){.changed = changed, .ctx = world};
}

static void end(World *world) {
    key_source_free(world->source);
    clock_free(world->clock);
}

static KeysState get(World *world, const AwsKeys *bad) {
    AwsKeys *keys;
    const AwsFailure *failure;
    return key_source_get(world->source, bad, clock_wall_ms(world->clock), &keys, &failure);
}

static void fetched(World *world, const char *id, int64_t life_ms) {
    AwsKeys *keys = aws_keys_new(id, secret_new("s", 1), NULL, "test");
    keys->obtained_ms = clock_wall_ms(world->clock);
    keys->expires_ms = life_ms ? keys->obtained_ms + life_ms : 0;
    key_source_fetched(world->source, keys, NULL);
}

static void failed(World *world) { key_source_fetched(world->source, NULL, &(AwsFailure){.class = AWS_UNREACHABLE}); }

START_TEST(refreshed_ahead) {
    World world;
    begin(&world, false);
    ck_assert(get(&world, NULL) == KEYS_COMING && get(&world, NULL) == KEYS_COMING && world.fetches == 1);
    key_source_wait(world.source, &world.wait);
    fetched(&world, "A", 60 * MINUTE);
    ck_assert(world.changes == 1 && get(&world, NULL) == KEYS_READY && world.fetches == 1);
    clock_advance(world.clock, 45 * MINUTE);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 1);
    clock_advance(world.clock, 1);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 2); /* a quarter hour left: beside the work */
    clock_advance(world.clock, 8 * MINUTE);
    ck_assert_int_eq(get(&world, NULL), KEYS_COMING); /* an eighth of the life left: waited for */
    failed(&world);
    ck_assert(get(&world, NULL) == KEYS_READY &&
        world.fetches == 2); /* the old ones serve, and a minute passes before the next try */
    clock_advance(world.clock, MINUTE);
    ck_assert(get(&world, NULL) == KEYS_COMING && world.fetches == 3);
    failed(&world);
    clock_advance(world.clock, 6 * MINUTE);
    ck_assert_int_eq(get(&world, NULL), KEYS_COMING); /* they have ended */
    failed(&world);
    ck_assert_int_eq(get(&world, NULL), KEYS_FAILED);
    end(&world);
}
END_TEST

START_TEST(short_lives) {
    World world;
    begin(&world, false);
    get(&world, NULL);
    fetched(&world, "A", 15 * MINUTE); /* a quarter is 225 s, an eighth 112 s */
    clock_advance(world.clock, 11 * MINUTE);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 1);
    clock_advance(world.clock, MINUTE);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 2);
    fetched(&world, "B", 15 * MINUTE);
    ck_assert_str_eq(key_source_keys(world.source)->id, "B");
    end(&world);
}
END_TEST

START_TEST(refused_keys) {
    World world;
    begin(&world, false);
    get(&world, NULL);
    fetched(&world, "A", 0);
    AwsKeys *old = aws_keys_ref(key_source_keys(world.source));
    ck_assert(get(&world, old) == KEYS_COMING && world.fetches == 2);
    fetched(&world, "A", 0); /* the file says the same */
    ck_assert_ptr_eq(key_source_keys(world.source), old);
    ck_assert(get(&world, old) == KEYS_FAILED && world.fetches == 2);
    clock_advance(world.clock, MINUTE);
    ck_assert(get(&world, old) == KEYS_COMING && world.fetches == 3);
    fetched(&world, "B", 0);
    ck_assert_int_eq(get(&world, old), KEYS_READY);
    aws_keys_free(old);
    end(&world);
}
END_TEST

/* EC2 and containers hand out the same keys until minutes before their end: asked once a minute, not at each call. */
START_TEST(same_keys_again) {
    World world;
    begin(&world, false);
    get(&world, NULL);
    fetched(&world, "A", 60 * MINUTE);
    AwsKeys *old = aws_keys_ref(key_source_keys(world.source));
    clock_advance(world.clock, 46 * MINUTE);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 2 && key_source_renewing(world.source));
    fetched(&world, "A", 14 * MINUTE);
    ck_assert_ptr_eq(key_source_keys(world.source), old);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 2);
    clock_advance(world.clock, MINUTE);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 3);
    fetched(&world, "B", 60 * MINUTE);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 3);
    aws_keys_free(old);
    end(&world);
}
END_TEST

/* Keys of one link of the way: nobody else's are put in their place. */
START_TEST(fixed_keys) {
    OWN(clock) Clock *clock = clock_new_virtual(NOW_MS);
    OWN(aws_keys) AwsKeys *keys = aws_keys_new("A", secret_new("s", 1), NULL, "test"), *got = NULL;
    const AwsFailure *failure = NULL;
    KeySource *source = key_source_fixed(clock, keys);
    ck_assert(key_source_get(source, NULL, NOW_MS, &got, &failure) == KEYS_READY && got == keys);
    ck_assert(key_source_get(source, keys, NOW_MS, &got, &failure) == KEYS_FAILED && failure->class == AWS_FINE);
    key_source_free(source);
    got = NULL;
}
END_TEST

START_TEST(files_are_looked_at_again) {
    World world;
    begin(&world, true);
    get(&world, NULL);
    fetched(&world, "A", 0);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 1);
    clock_advance(world.clock, MINUTE);
    ck_assert(get(&world, NULL) == KEYS_READY && get(&world, NULL) == KEYS_READY && world.fetches == 2);
    ck_assert(!key_source_renewing(world.source));
    failed(&world);
    ck_assert_int_eq(get(&world, NULL), KEYS_READY); /* half-written: the old ones go on */
    key_source_wait(world.source, &world.wait);
    key_source_leave(world.source, &world.wait);
    key_source_hurry(world.source);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 3);
    fetched(&world, "B", 0);
    ck_assert_uint_eq(world.changes, 0);
    end(&world);
}
END_TEST

/* The files are as they were when somebody reloads: that keeps nobody from renewing the keys before their end. */
START_TEST(a_look_puts_off_no_renewal) {
    World world;
    begin(&world, true);
    get(&world, NULL);
    fetched(&world, "A", 2 * MINUTE);
    clock_advance(world.clock, MINUTE);
    key_source_hurry(world.source);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 2 && !key_source_renewing(world.source));
    key_source_fetched(world.source, aws_keys_ref(key_source_keys(world.source)), NULL);
    clock_advance(world.clock, 31 * 1000);
    ck_assert(get(&world, NULL) == KEYS_READY && world.fetches == 3 && key_source_renewing(world.source));
    fetched(&world, "B", 2 * MINUTE);
    ck_assert_str_eq(key_source_keys(world.source)->id, "B");
    end(&world);
}
END_TEST

START_TEST(retries) {
    RetryBucket bucket = {0};
    ck_assert(
        retry_delay_ms(1, UINT64_MAX, 0) >= 0 && retry_delay_ms(1, 1000, 0) == 1000 && retry_delay_ms(1, 1001, 0) == 0);
    ck_assert(retry_delay_ms(2, 2000, 0) == 2000 && retry_delay_ms(30, 20000, 0) == 20000 &&
        retry_delay_ms(30, 20001, 0) == 0);
    ck_assert(retry_delay_ms(1, 0, 7000) == 7000 && retry_delay_ms(1, 0, RETRY_HINT_MAX_MS) == RETRY_HINT_MAX_MS);
    ck_assert_int_eq(retry_delay_ms(1, 0, RETRY_HINT_MAX_MS + 1), -1);
    for (int i = 0; i < 100; i++) ck_assert(retry_take(&bucket, false));
    ck_assert(!retry_take(&bucket, false));
    for (int i = 0; i < 5; i++) retry_give(&bucket);
    ck_assert(!retry_take(&bucket, true) && retry_take(&bucket, false));
    for (int i = 0; i < 1000; i++) retry_give(&bucket);
    for (int i = 0; i < 50; i++) ck_assert(retry_take(&bucket, true));
    ck_assert(!retry_take(&bucket, true));
}
END_TEST

/* AWS's clock goes on as it did, whatever ours is set to: no request is signed wrong for it, no window is another one.
 */
START_TEST(a_jump_is_not_awss) {
    static const int64_t jumps_ms[] = {3600000, -3600000, 240000, -240000, 3000};
    for (size_t i = 0; i < COUNT_OF(jumps_ms); i++) {
        Skew skew = {0};
        skew_see(&skew, NOW_MS - 500, (SkewMoment){NOW_MS, 5000});
        const SkewMoment after = {NOW_MS + 1000 + jumps_ms[i], 6000};
        ck_assert_int_eq(after.wall_ms + skew_applied_ms(&skew, after), NOW_MS + 1000);
    }
}
END_TEST

START_TEST(clocks) {
    const SkewMoment now = {NOW_MS, 5000};
    Skew skew = {0};
    skew_see(&skew, 0, now);
    ck_assert(!skew.known && skew_ms(&skew, now) == 0);
    skew_see(&skew, NOW_MS + 100000000LL, now); /* more than a day */
    ck_assert(!skew.known && !skew_correct(&skew, NOW_MS - 100000000LL, now));
    skew_see(&skew, NOW_MS + 1000, now);
    ck_assert(skew.known && skew_ms(&skew, now) == 1500 && skew_applied_ms(&skew, now) == 0); /* jitter */
    ck_assert(skew_correct(&skew, NOW_MS - 600500, now) && skew_applied_ms(&skew, now) == -600000);
    for (int i = 0; i < 40; i++) skew_see(&skew, NOW_MS - 500, now);
    ck_assert_int_eq(skew_applied_ms(&skew, now), 0);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, refreshed_ahead);
    tcase_add_test(tcase, short_lives);
    tcase_add_test(tcase, refused_keys);
    tcase_add_test(tcase, same_keys_again);
    tcase_add_test(tcase, fixed_keys);
    tcase_add_test(tcase, files_are_looked_at_again);
    tcase_add_test(tcase, a_look_puts_off_no_renewal);
    tcase_add_test(tcase, retries);
    tcase_add_test(tcase, clocks);
    tcase_add_test(tcase, a_jump_is_not_awss);
}

int main(void) { return run_tests("keys", fill); }
