#include "control/section.h"

#include "../run.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct Mode {
    const char *text;
    bool good;
    mode_t mode;
} modes[] = {{"0660", true, 0660}, {"660", true, 0660}, {"0777", true, 0777}, {"", false, 0}, {"66", false, 0},
    {"1777", false, 0}, {"0680", false, 0}, {"00660", false, 0}, {"-660", false, 0}, {"u=rw", false, 0}};
START_TEST(modes_are_octal) {
    mode_t mode = 0;
    ck_assert_msg(control_mode_parse(modes[_i].text, &mode) == modes[_i].good, "%s", modes[_i].text);
    ck_assert_uint_eq(mode, modes[_i].mode);
}
END_TEST

static const struct Listen {
    const char *text;
    int family; /* 0: refused */
    int port;
} listens[] = {{"127.0.0.1:9464", AF_INET, 9464}, {"localhost:1", AF_INET, 1}, {"[::1]:65535", AF_INET6, 65535},
    {"", 0, 0}, {"9464", 0, 0}, {":9464", 0, 0}, {"127.0.0.1", 0, 0}, {"127.0.0.1:", 0, 0}, {"127.0.0.1:0", 0, 0},
    {"127.0.0.1:65536", 0, 0}, {"127.0.0.1:80x", 0, 0}, {"127.0.0.1:+80", 0, 0}, {"::1:80", 0, 0}, {"[::1:80", 0, 0},
    {"[]:80", 0, 0}, {"host.example:80", 0, 0}, {"1.2.3:80", 0, 0},
    {"0000000000000000000000000000000000000000000000000000000000127.0.0.1:80", 0, 0}};
START_TEST(listens_are_literal) {
    struct sockaddr_storage address = {0};
    socklen_t length = 0;
    const struct Listen *c = &listens[_i];
    ck_assert_msg(control_listen_parse(c->text, &address, &length) == (c->family != 0), "%s", c->text);
    ck_assert_int_eq(address.ss_family, c->family);
    if (c->family) ck_assert_int_eq(ntohs(((struct sockaddr_in *)&address)->sin_port), c->port);
}
END_TEST

static const SectionDescriptor *const sections[] = {&control_section, NULL};
static const SnapshotSchema schema = {.sections = sections};

/* A configuration of this text, in a folder of its own; what was wrong with it, as lines. */
static Snapshot *load(const char *text, char **ret_lines) {
    char folder[] = "/tmp/tocsin-section-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    OWN(text) char *file = text_format("%s/t.yaml", folder);
    FILE *out = fopen(file, "w");
    fputs(text, out);
    fclose(out);
    OWN(problems) Problems *problems = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, file, true, problems);
    size_t length;
    FILE *lines = open_memstream(ret_lines, &length);
    problems_print(problems, lines);
    fclose(lines);
    unlink(file);
    rmdir(folder);
    return snapshot;
}

static const struct Section {
    const char *text, *want; /* want: in the lines; "": no line at all */
} written[] = {
    {"", ""},
    {"control: {socket: tocsin.sock, mode: \"0600\", admin_group: root, listen: \"[::1]:9464\"}\n", ""},
    {"control: {mode: 0600}\n", ""},
    {"control: {admin_group: no-such-group-here}\n",
        "t.yaml:1:24: warning: there is no group `no-such-group-here` here"},
    {"control: {mode: \"0999\"}\n", "t.yaml:1:17: error: mode cannot be `0999`"},
    {"control: {listen: example.org:80}\n", "t.yaml:1:19: error: listen cannot be `example.org:80`"},
    {"control: {sokcet: x}\n", "t.yaml:1:11: error:"},
    {"control:\n  socket: "
     "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        "t.yaml:2:11: error: socket is longer than the 107 bytes"},
};
START_TEST(sections_are_read) {
    const struct Section *c = &written[_i];
    OWN(text) char *lines = NULL;
    OWN(snapshot) Snapshot *snapshot = load(c->text, &lines);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_msg(*c->want ? strstr(lines, c->want) != NULL : !*lines, "%s gave %s", c->text, lines);
}
END_TEST

START_TEST(places_and_groups_are_found) {
    OWN(text) char *lines = NULL, *more = NULL;
    OWN(snapshot) Snapshot *snapshot = load("control: {socket: s/t.sock, admin_group: root}\n", &lines);
    const ControlSection *section = snapshot_section(snapshot, &control_section);
    ck_assert(section->has_admin && section->admin_gid == 0 && section->mode_bits == 0660);
    OWN(text) char *path = control_socket_path(section);
    ck_assert_ptr_nonnull(strstr(path, "/s/t.sock"));
    ck_assert_int_eq(path[0], '/'); /* relative to the configuration, not to us */
    OWN(snapshot) Snapshot *plain = load("", &more);
    setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1);
    OWN(text) char *runtime = control_socket_path(snapshot_section(plain, &control_section));
    ck_assert_str_eq(runtime, "/run/a/tocsin.sock");
    unsetenv("RUNTIME_DIRECTORY");
    OWN(text) char *fallback = control_socket_path(snapshot_section(plain, &control_section));
    ck_assert_str_eq(fallback, CONTROL_SOCKET);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, modes_are_octal, 0, (int)(sizeof modes / sizeof *modes));
    tcase_add_loop_test(tcase, listens_are_literal, 0, (int)(sizeof listens / sizeof *listens));
    tcase_add_loop_test(tcase, sections_are_read, 0, (int)(sizeof written / sizeof *written));
    tcase_add_test(tcase, places_and_groups_are_found);
}
int main(void) { return run_tests("section", fill); }
