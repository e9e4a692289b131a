/* The host among plugins that keep their promises and plugins that do not: one outcome a delivery, whatever they do. */
#include "../run.h"
#include "world.h"

#include "base/alloc.h"

#include <string.h>

enum { SHORT_MS = 30 };

typedef struct Bench {
    World world;
    Clock *clock;
    PluginHost *host;
    Snapshot *snapshot;
} Bench;

static void bench_init(Bench *bench, const char *yaml) {
    char *problems;
    world_init(&bench->world);
    bench->clock = clock_new();
    bench->host =
        plugin_host_new(&bench->world.loop, world_http(&bench->world), world_aws(&bench->world), bench->clock, NULL);
    bench->snapshot = world_load(TEST_PLUGINS, yaml, false, &problems);
    ck_assert_str_eq(problems, "");
    free(problems);
    Error err = {0};
    ck_assert_msg(plugin_host_configure(bench->host, bench->snapshot, &err), "%s", err.text);
}

static void bench_deinit(Bench *bench) {
    bench->host = plugin_host_free(bench->host);
    bench->snapshot = snapshot_free(bench->snapshot);
    bench->clock = clock_free(bench->clock);
    world_deinit(&bench->world);
}

static char *odd_yaml(const char *does) { return text_format("receivers:\n  - name: r\n    odd: {does: %s}\n", does); }

static const struct Case {
    const char *does;
    PluginOutcome outcome;
    bool timed_out;
    const char *detail, *receipt;
    int64_t retry_after_ms;
} cases[] = {
    {"none", PLUGIN_RETRY, false, "the plugin gave no result", "", 0},
    {"small", PLUGIN_RETRY, false, "the plugin gave no result", "", 0},
    {"hang", PLUGIN_RETRY, true, "plugin odd did not answer within 0.03 s", "", 0},
    {"late", PLUGIN_RETRY, true, "plugin odd did not answer within 0.03 s", "", 0},
    {"twice", PLUGIN_REFUSED, false, "first", "", 0},
    {"nulls", PLUGIN_REFUSED, false, "it cannot be started: there is no command", "", 0},
    {"misplaced", PLUGIN_REFUSED, false, "no secret of the configuration has that number", "", 0},
    {"misplaced, secret_file: secret", PLUGIN_REFUSED, false, "the body has no place for its secret", "", 0},
    {"bodiless, secret_file: secret", PLUGIN_REFUSED, false, "the body has no place for its secret", "", 0},
    {"strange", PLUGIN_RETRY, false, "a [31m ?? b", "", 3600000},
    {"greedy", PLUGIN_REFUSED, false, "greedy", "", 0},
    {"endless", PLUGIN_DELIVERED, false, "endless", "{\"a\":1}", 0},
    {"fine", PLUGIN_DELIVERED, false, "fine", "{\"a\":1}", 0},
};

START_TEST(one_outcome_whatever_a_plugin_does) {
    const struct Case *c = &cases[_i];
    Bench bench;
    OWN(text) char *yaml = odd_yaml(c->does);
    bench_init(&bench, yaml);
    if (c->timed_out) plugin_host_set_patience(bench.host, SHORT_MS); /* the others may take their time */
    Told told = {0};
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &told);
    ck_assert_int_eq(told.count, 0); /* never inside the call */
    world_run_until_told(&bench.world, &told);
    ck_assert_msg(
        told.outcome == c->outcome && told.timed_out == c->timed_out, "%s: outcome %d", c->does, told.outcome);
    ck_assert_str_eq(told.detail, c->detail);
    ck_assert_str_eq(told.receipt, c->receipt);
    ck_assert_int_eq(told.retry_after_ms, c->retry_after_ms);
    bench_deinit(&bench); /* what comes late comes now */
    ck_assert_int_eq(told.count, 1);
}
END_TEST

START_TEST(an_old_call_answers_no_new_one) {
    Bench bench;
    OWN(text) char *yaml = odd_yaml("stale");
    bench_init(&bench, yaml);
    Told first = {0}, second = {0};
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &first);
    world_run_until_told(&bench.world, &first);
    ck_assert_int_eq(first.outcome, PLUGIN_RETRY);
    plugin_host_set_patience(bench.host, SHORT_MS);
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &second);
    world_run_until_told(&bench.world, &second);
    ck_assert_msg(second.timed_out && second.outcome == PLUGIN_RETRY, "it is %d", second.outcome);
    bench_deinit(&bench);
    ck_assert_int_eq(first.count + second.count, 2);
}
END_TEST

static const struct Wish {
    const char *plugin, *keys;
    PluginRest want;
} rest_wishes[] = {
    {"odd", "{does: fine}", PLUGIN_REST_NONE},
    {"odd", "{does: changed}", PLUGIN_REST_CHANGED},
    {"odd", "{does: all}", PLUGIN_REST_ALL},
    {"odd", "{does: strange}", PLUGIN_REST_NONE}, /* no wish that we know */
    {"old1", "{word: w}", PLUGIN_REST_NONE}, /* it does not know that it could have one */
    {"even", NULL, PLUGIN_REST_NONE},
};

START_TEST(a_channel_may_want_the_rest) {
    const struct Wish *c = &rest_wishes[_i];
    Bench bench;
    OWN(text)
    char *yaml = text_format(
        "receivers:\n  - name: r\n    %s: %s\n", c->keys ? c->plugin : "odd", c->keys ? c->keys : "{does: all}");
    bench_init(&bench, yaml);
    ck_assert_int_eq(plugin_host_rest(bench.host, "r", c->plugin, 0), c->want);
    ck_assert_int_eq(plugin_host_rest(bench.host, "nobody", c->plugin, 0), PLUGIN_REST_NONE);
    bench_deinit(&bench);
}
END_TEST

START_TEST(a_channel_that_is_gone_says_so) {
    Bench bench;
    OWN(text) char *yaml = odd_yaml("fine");
    bench_init(&bench, yaml);
    Told told[3] = {{0}};
    plugin_host_deliver(bench.host, "nobody", "odd", 0, "{}", world_told, &told[0]);
    plugin_host_deliver(bench.host, "r", "even", 0, "{}", world_told, &told[1]);
    plugin_host_deliver(bench.host, "r", "odd", 1, "{}", world_told, &told[2]);
    for (int i = 0; i < 3; i++) {
        world_run_until_told(&bench.world, &told[i]);
        ck_assert_int_eq(told[i].outcome, PLUGIN_GONE);
    }
    bench_deinit(&bench);
}
END_TEST

START_TEST(a_delivery_outlives_its_configuration) {
    Bench bench;
    OWN(text) char *hang = odd_yaml("late"), *fine = odd_yaml("fine"), *problems = NULL;
    bench_init(&bench, hang);
    plugin_host_set_patience(bench.host, SHORT_MS);
    Told before = {0}, after = {0};
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &before);
    plugin_host_set_patience(bench.host, PLUGIN_PATIENCE_MS);
    Snapshot *next = world_load(TEST_PLUGINS, fine, false, &problems);
    ck_assert(plugin_host_configure(bench.host, next, NULL));
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &after);
    world_run_until_told(&bench.world, &after);
    ck_assert_int_eq(after.outcome, PLUGIN_DELIVERED);
    world_run_until_told(&bench.world, &before);
    ck_assert(before.timed_out);
    snapshot_free(next);
    bench_deinit(&bench);
    ck_assert_int_eq(before.count + after.count, 2);
}
END_TEST

START_TEST(a_plugin_that_will_not_start_changes_nothing) {
    Bench bench;
    OWN(text) char *fine = odd_yaml("fine"), *fail = odd_yaml("fail"), *problems = NULL;
    bench_init(&bench, fine);
    Snapshot *next = world_load(TEST_PLUGINS, fail, false, &problems);
    Error err = {0};
    ck_assert(!plugin_host_configure(bench.host, next, &err));
    ck_assert_str_eq(err.text, "receiver r: plugin odd would not start (t.yaml:3; the log may say why)");
    Told told = {0};
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &told);
    world_run_until_told(&bench.world, &told);
    ck_assert_int_eq(told.outcome, PLUGIN_DELIVERED);
    snapshot_free(next);
    bench_deinit(&bench);
}
END_TEST

START_TEST(a_stop_ends_what_runs) {
    Bench bench;
    OWN(text) char *yaml = odd_yaml("hang");
    bench_init(&bench, yaml);
    Told told[2] = {{0}};
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &told[0]);
    plugin_host_deliver(bench.host, "r", "odd", 0, "{}", world_told, &told[1]);
    ck_assert_uint_eq(plugin_host_running(bench.host), 2);
    bench_deinit(&bench);
    ck_assert_int_eq(told[0].outcome, PLUGIN_RETRY);
    ck_assert_int_eq(told[0].count + told[1].count, 2);
}
END_TEST

START_TEST(a_plugin_of_the_first_abi_still_runs) {
    Bench bench;
    bench_init(&bench, "receivers:\n  - name: r\n    old1: {word: good}\n");
    Told told = {0};
    plugin_host_deliver(bench.host, "r", "old1", 0, "{}", world_told, &told);
    world_run_until_told(&bench.world, &told);
    ck_assert_int_eq(told.outcome, PLUGIN_DELIVERED);
    ck_assert_str_eq(told.detail, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    bench_deinit(&bench);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, one_outcome_whatever_a_plugin_does, 0, COUNT_OF(cases));
    tcase_add_test(tcase, an_old_call_answers_no_new_one);
    tcase_add_loop_test(tcase, a_channel_may_want_the_rest, 0, COUNT_OF(rest_wishes));
    tcase_add_test(tcase, a_channel_that_is_gone_says_so);
    tcase_add_test(tcase, a_delivery_outlives_its_configuration);
    tcase_add_test(tcase, a_plugin_that_will_not_start_changes_nothing);
    tcase_add_test(tcase, a_stop_ends_what_runs);
    tcase_add_test(tcase, a_plugin_of_the_first_abi_still_runs);
}
int main(void) { return run_tests("host", fill); }
