/* The receivers section: every problem at its place, and the JSON that a plugin is given. */
#include "../run.h"
#include "world.h"

#include "base/alloc.h"

#include <string.h>

/* Lines of a file that begins `receivers:\n  - name: r\n`; so the case's first line is line 3. */
static const struct Bad {
    const char *yaml, *want;
} bad[] = {
    {"    odd: {does: x, does2: y}\n", "t.yaml:3:20: error: unknown key `does2` (did you mean `does`?)\n"},
    {"    odd: {}\n", "t.yaml:3:10: error: `does` is missing (What it does wrong.)\n"},
    {"    odd:\n", "t.yaml:3:5: error: `does` is missing (What it does wrong.)\n"},
    {"    odd: word\n", "t.yaml:3:10: error: odd: there must be a map here (a map of keys to values)\n"},
    {"    odd: []\n", "t.yaml:3:10: error: odd: an empty list (a map, or a list of maps)\n"},
    {"    odd: [{does: x}, {}]\n", "t.yaml:3:22: error: `does` is missing (What it does wrong.)\n"},
    {"    odd: {does: x, inner: {count: 1}}\n", "t.yaml:3:28: error: `inner.required` is missing (A word.)\n"},
    {"    odd: {does: x, inner: 5}\n", "t.yaml:3:27: error: odd: there must be a map here (a map of keys to values)\n"},
    {"    odd: {does: x, inner: {required: a, requires: b}}\n",
        "t.yaml:3:41: error: unknown key `requires` (did you mean `required`?)\n"},
    {"    odd: {does: x, later: 1}\n",
        "t.yaml:3:20: error: `later` does not exist in this version of Tocsin (remove it, or wait for a later "
        "version)\n"},
    {"    odd: {does: x, owner: nobody}\n",
        "t.yaml:3:27: error: no account is named `nobody` (the name of one of aws.accounts)\n"},
    {"    fallback: {}\n", "t.yaml:3:15: error: `receiver` is missing (the name of another receiver)\n"},
    {"    fallback: {receiver: b, after: 0s}\n",
        "t.yaml:3:36: error: `after` is out of range: `0s` (a duration, at least 1s and at most 72h)\n"},
    {"  - name: r\n", "t.yaml:3:11: error: a receiver `r` stands already in line 2 of t.yaml (names are unique)\n"},
    {"  - odd: {does: x}\n", "t.yaml:3:5: error: `name` is missing (a name of 1 to 255 characters)\n"},
    {"  - word\n", "t.yaml:3:5: error: a receiver must be a map (a list of maps, each with a name and plugins)\n"},
    {"    ../odd: {does: x}\n",
        "t.yaml:3:5: error: no plugin `../odd`: a plugin's name has letters, digits, `-` and `_` alone (built in are "
        "email, "
        "exec, sns and webhook)\n"},
    {"    emial: {to: x}\n",
        "t.yaml:3:5: error: no plugin `emial`: " TEST_PLUGINS
        "/emial.so: No such file or directory (did you mean `email`? built "
        "in are email, exec, sns and webhook)\n"},
    {"    newer: {}\n",
        "t.yaml:3:5: error: plugin `newer`: " TEST_PLUGINS
        "/newer.so cannot be used: it was built for ABI 99, this Tocsin has "
        "ABI 1 (build it against this Tocsin's tocsin-plugin.h)\n"},
    {"    nothing: {}\n",
        "t.yaml:3:5: error: plugin `nothing`: " TEST_PLUGINS
        "/nothing.so cannot be used: its tocsin_plugin() gave nothing "
        "(build it against this Tocsin's tocsin-plugin.h)\n"},
    {"    halved: {}\n",
        "t.yaml:3:5: error: plugin `halved`: " TEST_PLUGINS
        "/halved.so cannot be used: it lacks one of keys, init, deliver and "
        "destroy (build it against this Tocsin's tocsin-plugin.h)\n"},
    {"    nameless: {}\n",
        "t.yaml:3:5: error: plugin `nameless`: " TEST_PLUGINS "/nameless.so is no plugin of Tocsin: it exports no "
        "tocsin_plugin() (build it against this Tocsin's tocsin-plugin.h)\n"},
    {"    odd:\n      does: complain\n      many: [a, b]\n      inner: {required: x}\n",
        "t.yaml:4:7: error: odd: at the channel\n"
        "t.yaml:4:7: error: odd: the plugin refuses this\n"
        "t.yaml:4:13: error: odd: at the value (r1)\n"
        "t.yaml:5:13: error: odd: beyond the list\n"
        "t.yaml:5:17: error: odd: at the second (r2)\n"
        "t.yaml:6:15: error: odd: at the section\n"},
    {"    old1: {word: bad}\n", "t.yaml:3:18: error: old1: a bad word (a good one)\n"},
};

START_TEST(every_problem_at_its_place) {
    OWN(text) char *yaml = text_format("receivers:\n  - name: r\n%s", bad[_i].yaml), *problems = NULL;
    snapshot_free(world_load(TEST_PLUGINS, yaml, false, &problems));
    ck_assert_str_eq(problems, bad[_i].want);
}
END_TEST

/* What `odd` is given for `{does: x, ` and this. */
static const struct Good {
    const char *yaml, *want;
} good[] = {
    {"", "{\"does\":\"x\",\"flag\":true,\"wait\":60}"},
    {"does2", NULL},
    {"many: one", "{\"does\":\"x\",\"flag\":true,\"many\":[\"one\"],\"wait\":60}"},
    {"many: [1, two]", "{\"does\":\"x\",\"flag\":true,\"many\":[\"1\",\"two\"],\"wait\":60}"},
    {"flag: false, wait: 2m", "{\"does\":\"x\",\"flag\":false,\"wait\":120}"},
    {"flag: maybe", NULL},
    {"inner: {required: a}", "{\"does\":\"x\",\"flag\":true,\"inner\":{\"count\":7,\"required\":\"a\"},\"wait\":60}"},
    {"share: 0.5, colour: green", "{\"colour\":\"green\",\"does\":\"x\",\"flag\":true,\"share\":0.5,\"wait\":60}"},
    {"colour: blue", NULL},
    {"names: {a: 1}, owner: prod",
        "{\"does\":\"x\",\"flag\":true,\"names\":{\"a\":\"1\"},\"owner\":\"prod\",\"wait\":60}"},
    {"place: /etc/x, send_resolved: false", "{\"does\":\"x\",\"flag\":true,\"place\":\"/etc/x\",\"wait\":60}"},
    {"secret_file: secret", "{\"does\":\"x\",\"flag\":true,\"secret_file\":1,\"wait\":60}"},
    {"where_file: address, secret_file: secret",
        "{\"does\":\"x\",\"flag\":true,\"secret_file\":1,\"wait\":60,\"where_file\":2}"},
    {"where_file: secret", NULL},
    {"secret_file: absent", NULL},
};

START_TEST(a_plugin_is_given_its_types) {
    OWN(text) char *yaml = text_format("receivers: [{name: r, odd: {does: x, %s}}]\n", good[_i].yaml), *problems = NULL;
    OWN(snapshot) Snapshot *snapshot = world_load(TEST_PLUGINS, yaml, false, &problems);
    if (!good[_i].want) {
        ck_assert_str_ne(problems, "");
        return;
    }
    ck_assert_str_eq(problems, "");
    const ReceiversSection *section = snapshot_section(snapshot, &receivers_section);
    ck_assert_str_eq(section->receivers[0].channels[0].config_json, good[_i].want);
    ck_assert_int_eq(section->receivers[0].channels[0].send_resolved, !strstr(good[_i].yaml, "send_resolved: false"));
}
END_TEST

START_TEST(a_check_goes_on_without_a_secret) {
    OWN(text) char *problems = NULL;
    OWN(snapshot)
    Snapshot *snapshot =
        world_load(TEST_PLUGINS, "receivers: [{name: r, odd: {does: x, secret_file: absent}}]\n", true, &problems);
    ck_assert_ptr_nonnull(strstr(problems, "t.yaml:1:51: warning: "));
    ck_assert_ptr_null(strstr(problems, "error"));
    const ReceiversSection *section = snapshot_section(snapshot, &receivers_section);
    ck_assert_str_eq(
        section->receivers[0].channels[0].config_json, "{\"does\":\"x\",\"flag\":true,\"secret_file\":0,\"wait\":60}");
}
END_TEST

START_TEST(channels_are_numbered_by_plugin) {
    OWN(text) char *problems = NULL;
    OWN(snapshot)
    Snapshot *snapshot = world_load(TEST_PLUGINS,
        "receivers: [{name: a}, {name: b, odd: [{does: x}, {does: y}], old1: {word: z}}]\n", false, &problems);
    ck_assert_str_eq(problems, "");
    const ReceiversSection *section = snapshot_section(snapshot, &receivers_section);
    ck_assert_uint_eq(receiver_find(section, "a")->channel_count, 0);
    const Receiver *b = receiver_find(section, "b");
    ck_assert_uint_eq(b->channel_count, 3);
    ck_assert_uint_eq(b->channels[1].index, 1);
    ck_assert_str_eq(b->channels[2].plugin, "old1");
    ck_assert_uint_eq(b->channels[2].index, 0);
    ck_assert_ptr_null(receiver_find(section, "c"));
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, every_problem_at_its_place, 0, COUNT_OF(bad));
    tcase_add_loop_test(tcase, a_plugin_is_given_its_types, 0, COUNT_OF(good));
    tcase_add_test(tcase, a_check_goes_on_without_a_secret);
    tcase_add_test(tcase, channels_are_numbered_by_plugin);
}
int main(void) { return run_tests("receivers", fill); }
