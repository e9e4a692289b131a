#include "net/resolve.h"

#include "../run.h"
#include "base/alloc.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A name server that answers when the test says so. */
static struct Asked {
    uv_getaddrinfo_t *request;
    uv_getaddrinfo_cb done;
    char host[64];
} asked[64];
static size_t asked_count;

static int ask(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb done, const char *host,
    const char *service, const struct addrinfo *hints) {
    (void)loop;
    (void)service;
    (void)hints;
    if (strcmp(host, "broken") == 0) return UV_EINVAL;
    asked[asked_count] = (struct Asked){request, done, ""};
    snprintf(asked[asked_count++].host, sizeof asked->host, "%s", host);
    return 0;
}

static void answer(size_t at, int status, size_t addresses) {
    struct addrinfo *list = NULL;
    for (size_t i = 0; i < addresses; i++) { /* by malloc, as uv_freeaddrinfo() frees a list of the C library */
        struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *one = NULL;
        ck_assert_int_eq(getaddrinfo("192.0.2.1", NULL, &hints, &one), 0);
        one->ai_next = list;
        list = one;
    }
    asked[at].done(asked[at].request, status, list);
}

typedef struct Heard {
    int count;
    size_t addresses;
    char error[128];
} Heard;

static void heard(void *ctx, const ResolveAnswer *got) {
    Heard *into = ctx;
    into->count++;
    into->addresses = got->count;
    snprintf(into->error, sizeof into->error, "%s", got->error ? got->error : "");
}

typedef struct World {
    uv_loop_t loop;
    Clock *clock;
    Resolver *resolver;
} World;

static void begin(World *world) {
    asked_count = 0;
    uv_loop_init(&world->loop);
    world->clock = clock_new_virtual(0);
    world->resolver = resolver_new(&world->loop, world->clock, ask);
}

static void end(World *world) {
    resolver_free(world->resolver);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    clock_free(world->clock);
}

static void turn(World *world) { uv_run(&world->loop, UV_RUN_NOWAIT); }

START_TEST(one_lookup_a_host) {
    World world;
    Heard heards[3] = {0};
    begin(&world);
    for (size_t i = 0; i < 3; i++) resolver_start(world.resolver, "example.org", heard, &heards[i]);
    ck_assert_uint_eq(asked_count, 1);
    answer(0, 0, 2);
    ck_assert_int_eq(heards[0].count, 0); /* the next turn of the loop */
    turn(&world);
    for (size_t i = 0; i < 3; i++) ck_assert(heards[i].count == 1 && heards[i].addresses == 2);
    resolver_start(world.resolver, "example.org", heard, &heards[0]);
    ck_assert_int_eq(heards[0].count, 1); /* never inside */
    turn(&world);
    ck_assert(heards[0].count == 2 && asked_count == 1); /* kept */
    clock_advance(world.clock, RESOLVE_KEEP_MS);
    resolver_start(world.resolver, "example.org", heard, &heards[0]);
    ck_assert_uint_eq(asked_count, 2); /* too old */
    answer(1, UV_EAI_NONAME, 0);
    turn(&world);
    ck_assert_str_eq(heards[0].error, "the name does not exist");
    resolver_start(world.resolver, "example.org", heard, &heards[0]);
    turn(&world);
    ck_assert(heards[0].count == 4 && asked_count == 2); /* that there is none is kept, too */
    end(&world);
}
END_TEST

START_TEST(eight_at_once) {
    World world;
    Heard heards[12] = {0};
    Lookup *lookups[12];
    char host[32];
    begin(&world);
    for (int i = 0; i < 12; i++) {
        snprintf(host, sizeof host, "h%d.example.org", i);
        lookups[i] = resolver_start(world.resolver, host, heard, &heards[i]);
    }
    ck_assert_uint_eq(asked_count, RESOLVE_AT_ONCE);
    resolver_cancel(lookups[8]); /* nobody waits for it any more: it is never asked */
    answer(0, 0, 1);
    ck_assert_uint_eq(asked_count, 9);
    ck_assert_str_eq(asked[8].host, "h9.example.org");
    for (size_t i = 1; i < asked_count; i++) answer(i, 0, 1);
    turn(&world);
    for (int i = 0; i < 12; i++) ck_assert_int_eq(heards[i].count, i == 8 ? 0 : 1);
    end(&world);
}
END_TEST

START_TEST(failures) {
    World world;
    Heard one = {0}, many = {0};
    begin(&world);
    resolver_start(world.resolver, "broken", heard, &one);
    ck_assert_int_eq(one.count, 0);
    turn(&world);
    ck_assert(one.count == 1 && one.addresses == 0 && *one.error);
    resolver_start(world.resolver, "many.example.org", heard, &many);
    answer(0, 0, RESOLVE_ADDRESSES + 5);
    turn(&world);
    ck_assert_uint_eq(many.addresses, RESOLVE_ADDRESSES);
    Lookup *lookup = resolver_start(world.resolver, "late.example.org", heard, &one);
    resolver_cancel(lookup);
    Resolver *resolver = world.resolver;
    world.resolver = NULL;
    resolver_free(resolver); /* while the pool still asks */
    answer(1, 0, 1);
    ck_assert_int_eq(one.count, 1);
    end(&world);
}
END_TEST

/* Names that nobody answers for take half of the gate, once they are known as such; others go past them. */
START_TEST(silent_names_leave_room) {
    World world;
    Heard heards[RESOLVE_AT_ONCE] = {0}, good = {0};
    char host[32];
    begin(&world);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < RESOLVE_AT_ONCE; i++) {
            snprintf(host, sizeof host, "silent-%d.test", i);
            resolver_start(world.resolver, host, heard, &heards[i]);
        }
        if (round == 1) break;
        ck_assert_uint_eq(asked_count, RESOLVE_AT_ONCE);
        clock_advance(world.clock, 4000);
        for (size_t i = 0; i < RESOLVE_AT_ONCE; i++) answer(i, UV_EAI_AGAIN, 0);
        turn(&world);
        for (size_t i = 0; i < RESOLVE_AT_ONCE; i++)
            ck_assert_str_eq(heards[i].error, "the name server did not answer");
        clock_advance(world.clock, RESOLVE_KEEP_MS);
    }
    ck_assert_uint_eq(asked_count, RESOLVE_AT_ONCE + RESOLVE_SLOW_AT_ONCE);
    resolver_start(world.resolver, "good.test", heard, &good);
    ck_assert_uint_eq(asked_count, RESOLVE_AT_ONCE + RESOLVE_SLOW_AT_ONCE + 1);
    answer(asked_count - 1, 0, 1);
    turn(&world);
    ck_assert(good.count == 1 && good.addresses == 1);
    for (size_t i = RESOLVE_AT_ONCE; i < asked_count; i++) /* those behind come when one of theirs has gone */
        if (i != RESOLVE_AT_ONCE + RESOLVE_SLOW_AT_ONCE) answer(i, UV_EAI_NONAME, 0);
    turn(&world);
    ck_assert_uint_eq(asked_count, 2 * RESOLVE_AT_ONCE + 1);
    end(&world);
}
END_TEST

/* While no name server answers, the last good addresses serve for an hour; that there is no such name ends them. */
START_TEST(the_last_good_answer_serves_through_a_silence) {
    World world;
    Heard one = {0};
    begin(&world);
    resolver_start(world.resolver, "good.test", heard, &one);
    answer(0, 0, 2);
    turn(&world);
    for (size_t asks = 1; asks <= 3; asks++) {
        clock_advance(world.clock, RESOLVE_KEEP_MS);
        resolver_start(world.resolver, "good.test", heard, &one);
        answer(asks, UV_EAI_AGAIN, 0);
        turn(&world);
        ck_assert(one.count == (int)asks + 1 && one.addresses == 2 && !*one.error);
    }
    clock_advance(world.clock, RESOLVE_STALE_MS);
    resolver_start(world.resolver, "good.test", heard, &one);
    answer(4, UV_EAI_AGAIN, 0);
    turn(&world);
    ck_assert_uint_eq(one.addresses, 0);
    clock_advance(world.clock, RESOLVE_KEEP_MS);
    for (size_t asks = 5; asks <= 6; asks++) {
        resolver_start(world.resolver, "good.test", heard, &one);
        answer(asks, asks == 5 ? 0 : UV_EAI_NONAME, 1);
        turn(&world);
        clock_advance(world.clock, RESOLVE_KEEP_MS);
    }
    ck_assert_str_eq(one.error, "the name does not exist");
    end(&world);
}
END_TEST

/* One more lookup, in which the name server says `status`; with two addresses where it is 0. */
static void ask_again(World *world, Heard *one, int status) {
    const size_t at = asked_count;
    clock_advance(world->clock, RESOLVE_KEEP_MS);
    resolver_start(world->resolver, "good.test", heard, one);
    ck_assert_uint_eq(asked_count, at + 1);
    answer(at, status, status ? 0 : 2);
    turn(world);
}

/* What the log says while the name server says `status`: "" for nothing. */
static const char *told(World *world, Heard *one, int status) {
    static char text[1024];
    FILE *captured = tmpfile();
    ck_assert_ptr_nonnull(captured);
    const int kept = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
    ask_again(world, one, status);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(captured);
    text[fread(text, 1, sizeof text - 1, captured)] = 0;
    fclose(captured);
    return text;
}

/* A silence is told when it begins, when the last addresses become too old to serve, and when an answer comes. */
START_TEST(a_silence_ends_with_an_answer) {
    static const char over[] = "a name server answers again";
    World world;
    Heard one = {0};
    begin(&world);
    for (int round = 0; round < 2; round++) {
        ask_again(&world, &one, 0);
        ck_assert_ptr_nonnull(strstr(told(&world, &one, UV_EAI_AGAIN), "go on to serve for an hour"));
        ck_assert_str_eq(told(&world, &one, UV_EAI_AGAIN), "");
        if (round == 0) {
            clock_advance(world.clock, RESOLVE_STALE_MS);
            const char *text = told(&world, &one, UV_EAI_AGAIN);
            ck_assert_msg(strstr(text, "serve no more") && !strstr(text, over), "%s", text);
            ck_assert_str_eq(one.error, "the name server did not answer");
            ck_assert_str_eq(told(&world, &one, UV_EAI_AGAIN), "");
        }
        const char *text = told(&world, &one, round ? UV_EAI_NONAME : 0); /* that there is no such name is an answer */
        ck_assert_msg(strstr(text, over), "%s", text);
    }
    ck_assert_str_eq(told(&world, &one, UV_EAI_AGAIN), ""); /* there is no last address to tell of */
    end(&world);
}
END_TEST

/* An answer grows old while the machine sleeps. */
START_TEST(suspend_counts) {
    World world;
    Heard one = {0};
    begin(&world);
    ask_again(&world, &one, 0);
    clock_suspend(world.clock, RESOLVE_KEEP_MS);
    resolver_start(world.resolver, "good.test", heard, &one);
    ck_assert_uint_eq(asked_count, 2);
    answer(1, UV_EAI_AGAIN, 0);
    turn(&world);
    ck_assert_uint_eq(one.addresses, 2);
    clock_suspend(world.clock, RESOLVE_STALE_MS);
    resolver_start(world.resolver, "good.test", heard, &one);
    answer(2, UV_EAI_AGAIN, 0);
    turn(&world);
    ck_assert_uint_eq(one.addresses, 0);
    end(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, one_lookup_a_host);
    tcase_add_test(tcase, eight_at_once);
    tcase_add_test(tcase, failures);
    tcase_add_test(tcase, silent_names_leave_room);
    tcase_add_test(tcase, the_last_good_answer_serves_through_a_silence);
    tcase_add_test(tcase, a_silence_ends_with_an_answer);
    tcase_add_test(tcase, suspend_counts);
}

int main(void) { return run_tests("resolve", fill); }
