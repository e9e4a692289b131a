#include "config/snapshot.h"

#include "../run.h"
#include "printed.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct State {
    const char *directory;
    const Secret *secret;
} State;
typedef struct Alarms {
    size_t count, decoded;
} Alarms;

static const SchemaRow state_rows[] = {
    {.key = "directory", .type = SCHEMA_TEXT, .offset = offsetof(State, directory), .fallback = "/var/lib/tocsin"},
    {.key = "password_file", .type = SCHEMA_SECRET, .offset = offsetof(State, secret)},
    SCHEMA_END,
};
static bool decode_alarms(Decoding *in, const Node *node, void *section) {
    (void)in;
    *(Alarms *)section = (Alarms){node && node->kind == NODE_LIST ? node->count : 0, 1};
    return true;
}
static size_t destroyed;
static void destroy_alarms(void *section) { destroyed += ((Alarms *)section)->decoded; }
static const SectionDescriptor state_section = {.key = "state", .size = sizeof(State), .rows = state_rows};
static const SectionDescriptor alarms_section = {
    .key = "alarms", .size = sizeof(Alarms), .decode = decode_alarms, .destroy = destroy_alarms};
static const SectionDescriptor sigma_section = {.key = "sigma", .later = true};
static const SectionDescriptor *const sections[] = {&state_section, &alarms_section, &sigma_section, NULL};

static bool no_ten(Decoding *in) {
    const Alarms *alarms = snapshot_section(in->snapshot, &alarms_section);
    return alarms->count != 10 ||
        problem_add(in->problems, (Place){snapshot_file(in->snapshot), 1, 1}, NULL, "ten is too many");
}
static const SnapshotSchema schema = {sections, no_ten};

static char folder[32];
static void make_folder(void) {
    strcpy(folder, "/tmp/tocsin-snap-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert(!chdir(folder));
    unsetenv("CREDENTIALS_DIRECTORY");
    destroyed = 0;
}
static void drop_folder(void) {
    OWN(text) char *command = text_format("rm -rf %s", folder);
    ck_assert(!chdir("/") && !system(command));
}
static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}
static Snapshot *load(const char *file, bool check_only, const char *want) {
    OWN(problems) Problems *all = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, file, check_only, all);
    OWN(text) char *lines = printed(all);
    ck_assert_str_eq(lines, want);
    return snapshot;
}

START_TEST(files_are_joined) {
    mkdir("d", 0700);
    mkdir("d/folder.yaml", 0700);
    put("t.yaml", "include: [d/*.yaml, d/b.yaml, '*.yaml', none*.yaml]\nalarms: [1]\nstate: {directory: x}\n");
    put("d/b.yaml", "alarms: [2, 3]\nsigma: {}\nincldue: x\n");
    put("d/c.yaml", "alarms:\n- 4\nstate:\n  directory: y\n");
    put("d/e.yaml", "alarms:\n");
    put("d/f.yaml", "include: x\nalarms: {a: b}\n");
    put("d/g.yaml", "a: [1\n");
    put("d/h.yaml", "- a\n");
    OWN(snapshot)
    Snapshot *snapshot = load("t.yaml", false,
        "d/b.yaml:2:1: error: `sigma` does not exist in this version of Tocsin (remove it, or wait for a later "
        "version)\n"
        "d/b.yaml:3:1: error: unknown key `incldue` (did you mean `include`?)\n"
        "d/c.yaml:3:1: error: `state` is given twice, first in t.yaml:3 (keep one of them; only lists are joined)\n"
        "d/f.yaml:1:1: error: `include` works in the main file only (name the files in the main file)\n"
        "d/f.yaml:2:1: error: `alarms` is given twice, first in t.yaml:2 (keep one of them; only lists are joined)\n"
        "d/folder.yaml:1:1: error: the file is no regular file (a YAML file that Tocsin may read)\n"
        "d/g.yaml:1:4: error: this `[` is not closed, or a comma is missing (separate items with `, `, close with "
        "`]`)\n"
        "d/h.yaml:1:1: error: the file is no map of sections (begin with a key, such as `alarms:`)\n");
    ck_assert_uint_eq(((const Alarms *)snapshot_section(snapshot, &alarms_section))->count, 4);
    ck_assert_str_eq(((const State *)snapshot_section(snapshot, &state_section))->directory, "x");
}
END_TEST

START_TEST(what_cannot_be_read_is_told) {
    ck_assert(!load("none.yaml", false,
        "none.yaml:1:1: error: the file cannot be opened: No such file or directory "
        "(a YAML file that Tocsin may read)\n"));
    put("bad.yaml", "a: [1\n");
    ck_assert(!load("bad.yaml", false,
        "bad.yaml:1:4: error: this `[` is not closed, or a comma is missing (separate items with `, `, close with "
        "`]`)\n"));
    put("t.yaml", "include: gone.yaml\nstate: 5\nalarms: [1,2,3,4,5,6,7,8,9,10]\n");
    OWN(text) char *path = text_format("%s/t.yaml", folder);
    OWN(text)
    char *want = text_format(
        "%s:1:1: error: ten is too many\n%s:1:10: error: `gone.yaml` does not exist (a path relative to this "
        "file)\n%s:2:8: error: `state` must be a section with keys of its own (a map of keys to values, such as `{key: "
        "value}`)\n",
        path, path, path);
    OWN(snapshot) Snapshot *snapshot = load(path, false, want);
    ck_assert_str_eq(snapshot_file(snapshot), path);
}
END_TEST

START_TEST(an_empty_file_has_every_default) {
    put("t.yaml", "");
    OWN(snapshot) Snapshot *snapshot = load("t.yaml", false, "");
    ck_assert_str_eq(((const State *)snapshot_section(snapshot, &state_section))->directory, "/var/lib/tocsin");
    Snapshot *again = snapshot_ref(snapshot);
    ck_assert(!snapshot_free(again) && destroyed == 0);
    snapshot = snapshot_free(snapshot);
    ck_assert_uint_eq(destroyed, 1);
    ck_assert(!snapshot_free(NULL));
}
END_TEST

START_TEST(too_much_is_refused) {
    Buffer big = BUFFER(YAML_FILE_MAX);
    while (big.used < YAML_FILE_MAX - 20) buffer_text(&big, "# 3456789\n");
    put("t.yaml", "include: '[0-9].yaml'\n");
    for (int i = 0; i < 9; i++) {
        OWN(text) char *path = text_format("%d.yaml", i);
        put(path, big.bytes);
    }
    OWN(snapshot)
    Snapshot *snapshot =
        load("t.yaml", false, "8.yaml:1:1: error: all files together are longer than 8388608 bytes (include less)\n");
    ck_assert_ptr_nonnull(snapshot);
    buffer_deinit(&big);
}
END_TEST

/* The secret that a load finds must be `secret` (NULL: none), its problems `want`. */
static void expect_secret(bool check_only, const char *want, const char *secret) {
    OWN(snapshot) Snapshot *snapshot = load("etc/t.yaml", check_only, want);
    const State *state = snapshot_section(snapshot, &state_section);
    const char *got = state->secret ? secret_reveal(state->secret, NULL) : NULL;
    ck_assert_pstr_eq(got, secret);
}

START_TEST(secrets_are_found) {
    mkdir("etc", 0700);
    mkdir("cred", 0700);
    put("etc/t.yaml", "state: {password_file: pw}\n");
    expect_secret(true,
        "etc/t.yaml:1:24: warning: the secret's file `etc/pw` does not exist (the daemon needs it when it starts)\n",
        NULL);
    expect_secret(false,
        "etc/t.yaml:1:24: error: the secret's file `etc/pw` does not exist (put the secret there; a relative name is "
        "looked up in "
        "$CREDENTIALS_DIRECTORY, then beside the configuration)\n",
        NULL);
    put("etc/pw", "beside\n");
    expect_secret(false, "", "beside");
    chmod("etc/pw", 0640);
    expect_secret(false,
        "etc/t.yaml:1:24: warning: the secret in `etc/pw` is readable by group or others (chmod 600 etc/pw)\n",
        "beside");
    setenv("CREDENTIALS_DIRECTORY", "cred", 1);
    put("cred/pw", "given");
    chmod("cred/pw", 0440);
    expect_secret(false, "", "given");
    unlink("cred/pw");
    chmod("etc/pw", 0600);
    put("etc/pw", "");
    expect_secret(true,
        "etc/t.yaml:1:24: error: the secret's file `etc/pw` is empty (put the secret there; a relative name is looked "
        "up in "
        "$CREDENTIALS_DIRECTORY, then beside the configuration)\n",
        NULL);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, make_folder, drop_folder);
    tcase_add_test(tcase, files_are_joined);
    tcase_add_test(tcase, what_cannot_be_read_is_told);
    tcase_add_test(tcase, an_empty_file_has_every_default);
    tcase_add_test(tcase, too_much_is_refused);
    tcase_add_test(tcase, secrets_are_found);
}
int main(void) { return run_tests("snapshot", fill); }
