/* What the heartbeat says, when it holds its tongue, and what of the configuration it refuses. */
#include "engine/heartbeat.h"
#include "engine/heartbeat_words.h"

#include "../run.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRAVE \
    { "TocsinSourceFailing", "account prod", "AccessDenied", true }
#define LIGHT \
    { "TocsinReloadFailed", "", "t.yaml:1:1: error", false }
static const struct Case {
    bool is_attempted, is_committed, is_moving;
    HeartbeatTrouble troubles[2];
    size_t count;
    HeartbeatKind want;
} cases[] = {
    {false, true, true, {{0}}, 0, HEARTBEAT_SILENT}, /* a source has yet to be tried */
    {false, true, true, {GRAVE}, 1, HEARTBEAT_SILENT},
    {true, false, true, {{0}}, 0, HEARTBEAT_SILENT}, /* nothing is committed */
    {true, true, true, {{0}}, 0, HEARTBEAT_GOOD}, {true, true, true, {LIGHT}, 1, HEARTBEAT_GOOD},
    {true, true, true, {LIGHT, GRAVE}, 2, HEARTBEAT_FAIL},
    {true, true, false, {{0}}, 0, HEARTBEAT_FAIL}, /* messages lie about */
};

START_TEST(only_a_complete_cycle_speaks) {
    const struct Case *c = &cases[_i];
    const HeartbeatFacts facts = {.is_attempted = c->is_attempted,
        .is_committed = c->is_committed,
        .is_moving = c->is_moving,
        .troubles = c->troubles,
        .trouble_count = c->count};
    ck_assert_int_eq(heartbeat_judge(&facts), c->want);
}
END_TEST

START_TEST(the_grave_comes_first) {
    const HeartbeatTrouble troubles[] = {LIGHT, {"TocsinSourceFailing", "account p\n\x1b[2J", "a\r\nb", true}};
    const HeartbeatFacts facts = {.is_moving = false,
        .sources = 3,
        .failed = 1,
        .pending = 2,
        .parked = 4,
        .troubles = troubles,
        .trouble_count = 2};
    OWN(text) char *words = heartbeat_words(&facts);
    ck_assert_str_eq(words,
        "3 sources, 1 failed at their last poll; 2 notifications wait, 4 parked\n"
        "the outbox does not move: what may be sent is not\n"
        "TocsinSourceFailing (account p\\x0a\\x1b[2J): a\\x0d\\x0ab\n"
        "TocsinReloadFailed: t.yaml:1:1: error\n");
}
END_TEST

START_TEST(the_words_are_bounded) {
    char reason[2000], where[3000];
    memset(reason, 'r', sizeof reason - 1), memset(where, _i ? 'w' : '\x01', sizeof where - 1);
    reason[sizeof reason - 1] = where[sizeof where - 1] = '\0';
    HeartbeatTrouble troubles[300];
    for (size_t i = 0; i < COUNT_OF(troubles); i++)
        troubles[i] = (HeartbeatTrouble){"TocsinSourceFailing", i % 2 ? where : "x", reason, true};
    const HeartbeatFacts facts = {.is_moving = true, .troubles = troubles, .trouble_count = COUNT_OF(troubles)};
    OWN(text) char *words = heartbeat_words(&facts);
    ck_assert_uint_le(strlen(words), HEARTBEAT_BODY_MAX);
    const char *rest = strstr(words, "\nand ");
    ck_assert_msg(rest && strstr(rest, " more\n") && !rest[strlen(rest)], "%s", words);
}
END_TEST

static const struct Address {
    const char *url, *want;
} addresses[] = {
    {"https://hc-ping.com/abc", "https://hc-ping.com/abc/fail"},
    {"https://hc-ping.com/abc/", "https://hc-ping.com/abc/fail"},
    {"https://hc-ping.com/key/slug?create=1", "https://hc-ping.com/key/slug/fail?create=1"},
    {"https://h.org/a#b", "https://h.org/a/fail#b"},
    {"https://h.org", "https://h.org/fail"},
};

START_TEST(where_a_failure_is_told) {
    OWN(text) char *url = heartbeat_fail_url(addresses[_i].url);
    ck_assert_str_eq(url, addresses[_i].want);
}
END_TEST

/* --- the section --- */

static const struct Yaml {
    const char *text, *want; /* the problems; "" for none */
} yamls[] = {
    {"heartbeat: {}\n", "t.yaml:1:12: error: `url` is missing (url: https://hc-ping.com/UUID, or url_file)\n"},
    {"heartbeat: {every: 5m}\n", "t.yaml:1:13: error: `url` is missing (url: https://hc-ping.com/UUID, or url_file)\n"},
    {"heartbeat: {url: 'https://a.org', url_file: ping}\n",
        "t.yaml:1:45: error: url and url_file are both given (one of them)\n"},
    {"heartbeat: {url: 'ftp://a.org'}\n",
        "t.yaml:1:18: error: the address must begin with https:// or http:// (an "
        "address such as https://hc-ping.com/UUID)\n"},
    {"heartbeat: {url_file: word}\n",
        "t.yaml:1:23: error: what stands in that file is no address (one line such as https://hc-ping.com/UUID)\n"},
    {"heartbeat: {url: 'https://a.org', every: 11s}\n",
        "t.yaml:1:42: error: `every` is out of range: `11s` (a duration from 12s to 1d)\n"},
    {"heartbeat: https://a.org\n", NULL},
    {"heartbeat: {url: 'https://a.org/x'}\n", ""},
    {"heartbeat: {url_file: ping, every: 12s}\n", ""},
    {"heartbeat:\n", ""},
};

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

static Snapshot *load(const char *yaml, char **ret_problems) {
    static const SectionDescriptor *const sections[] = {&heartbeat_section, NULL};
    static const SnapshotSchema schema = {sections, NULL};
    char folder[] = "/tmp/tocsin-heartbeat-XXXXXX";
    ck_assert(mkdtemp(folder) && chdir(folder) == 0);
    unsetenv("CREDENTIALS_DIRECTORY");
    put("t.yaml", yaml);
    put("ping", "https://hc.example.org/s3cret?create=1\n");
    put("word", "hush\n");
    OWN(problems) Problems *all = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, "t.yaml", false, all);
    size_t length;
    FILE *out = open_memstream(ret_problems, &length);
    problems_print(all, out);
    fclose(out);
    unlink("t.yaml"), unlink("ping"), unlink("word");
    ck_assert(chdir("/") == 0 && rmdir(folder) == 0);
    return snapshot;
}

START_TEST(a_section_is_checked) {
    OWN(text) char *problems = NULL;
    snapshot_free(load(yamls[_i].text, &problems));
    if (yamls[_i].want)
        ck_assert_str_eq(problems, yamls[_i].want);
    else
        ck_assert_msg(strstr(problems, "error: "), "no problem with %s", yamls[_i].text);
}
END_TEST

START_TEST(a_secret_address_has_a_secret_twin) {
    OWN(text) char *problems = NULL;
    Snapshot *snapshot = load("heartbeat: {url_file: ping}\n", &problems);
    const HeartbeatSection *section = snapshot_section(snapshot, &heartbeat_section);
    ck_assert_ptr_null(section->url);
    ck_assert_ptr_null(section->fail_url);
    ck_assert_str_eq(secret_reveal(section->fail_secret, NULL), "https://hc.example.org/s3cret/fail?create=1");
    ck_assert_int_eq(section->every_s, 60);
    snapshot_free(snapshot);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, only_a_complete_cycle_speaks, 0, COUNT_OF(cases));
    tcase_add_test(tcase, the_grave_comes_first);
    tcase_add_loop_test(tcase, the_words_are_bounded, 0, 2);
    tcase_add_loop_test(tcase, where_a_failure_is_told, 0, COUNT_OF(addresses));
    tcase_add_loop_test(tcase, a_section_is_checked, 0, COUNT_OF(yamls));
    tcase_add_test(tcase, a_secret_address_has_a_secret_twin);
}
int main(void) { return run_tests("heartbeat", fill); }
