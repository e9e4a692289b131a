#include "aws/way.h"

#include "../run.h"
#include "aws/process.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static void write_file(const char *name, const char *text) {
    OWN(text) char *path = text_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

/* The environment of each case: nothing of AWS but two files in a folder of their own. */
static void clean(void) {
    clearenv();
    OWN(text) char *config = text_format("%s/config", folder), *credentials = text_format("%s/credentials", folder);
    setenv("AWS_CONFIG_FILE", config, 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", credentials, 1);
    write_file("config", "");
    write_file("credentials", "");
    write_file("token", "web-token\n");
    write_file("short", "abc");
    write_file("lines", "a\r\nX-Evil: b");
    ck_assert_int_eq(chdir(folder), 0);
}

#define A "arn:aws:iam::111122223333:role/a"
#define B "arn:aws:iam::111122223333:role/b"
#define KEYS "aws_access_key_id=F\naws_secret_access_key=s\n"
#define PROCESS "credential_process=/x/y\n"

static const struct Case {
    const char *variable[3][2], *profile, *config, *credentials;
    const char *kinds; /* of the links: Keys, Role, Web, Process, Container, Instance; NULL: refused */
    const char *want; /* a part of why; else of the last link's origin or address */
} cases[] = {
    /* broken is an error, not a skip */
    {{{"AWS_ACCESS_KEY_ID", "E"}}, NULL, "", "", NULL, "AWS_SECRET_ACCESS_KEY is not"},
    {{{0}}, "q", "[profile p]\nregion=x\n", "", NULL, "profile `q` is neither in"},
    {{{"AWS_PROFILE", "q"}}, NULL, "", "", NULL, "profile `q` is neither in"},
    {{{0}}, NULL, "[default\n", "", NULL, "line 1"},
    {{{0}}, NULL, "", "[default]\naws_access_key_id=F\n", NULL, "without aws_secret_access_key"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\n", "[default]\n" KEYS, NULL, "neither of source_profile"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=x\ncredential_source=Environment\n", "", NULL, "both of"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=x\n", "", NULL, "source_profile = x, which is neither"},
    {{{0}}, NULL, "[default]\nrole_arn=a\nsource_profile=x\n[profile x]\n", "", NULL, "`a` is no role's ARN"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=x\n[profile x]\nregion=r\n", "", NULL,
        "profile `x`, the source_profile of `default`, has no credentials"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=default\n", "", NULL,
        "/config:3:1: source_profile goes round in a circle: default -> default (let one"},
    {{{0}}, "a",
        "[profile a]\nrole_arn=" A "\nsource_profile=b\n[profile b]\nrole_arn=" B
        "\nsource_profile=c\n[profile c]\nrole_arn=" A "\nsource_profile=b\n",
        "", NULL, "in a circle: a -> b -> c -> b"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\ncredential_source=Env\n", "", NULL, "not `Env`"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\ncredential_source=EcsContainer\n", "", NULL,
        "no AWS_CONTAINER_CREDENTIALS_..._URI is set"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\ncredential_source=Environment\n", "", NULL,
        "AWS_ACCESS_KEY_ID is not set"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=x\nmfa_serial=m\n[profile x]\n" KEYS, "", NULL,
        "needs MFA"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=x\nduration_seconds=899\n[profile x]\n" KEYS, "", NULL,
        "900 to 43200, not `899`"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=x\nrole_session_name=a b\n[profile x]\n" KEYS, "", NULL,
        "cannot be called `a b`"},
    {{{0}}, NULL, "[default]\nrole_arn=" A "\nsource_profile=x\nexternal_id=x y\n[profile x]\n" KEYS, "", NULL,
        "external_id is no such"},
    {{{"AWS_WEB_IDENTITY_TOKEN_FILE", "token"}}, NULL, "", "[default]\n" KEYS, NULL, "no role for it"},
    {{{"AWS_WEB_IDENTITY_TOKEN_FILE", "absent"}, {"AWS_ROLE_ARN", A}}, NULL, "", "", NULL,
        "web identity token absent cannot be opened"},
    {{{"AWS_WEB_IDENTITY_TOKEN_FILE", "short"}, {"AWS_ROLE_ARN", A}}, NULL, "", "", NULL, "3 bytes"},
    {{{0}}, NULL, "[default]\nsso_session=x\nsso_account_id=1\n", "[default]\n" KEYS, NULL, "IAM Identity Center"},
    {{{0}}, NULL, "[default]\nlogin_session=x\n", "", NULL, "aws login"},
    {{{0}}, NULL, "[default]\ncredential_process='x\n", "", NULL, "a quote in it is not closed"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "x"}}, NULL, "", "", NULL, "FULL_URI: "},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/"}}, NULL, "", "", NULL, "not of `10.0.0.1`"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.2.evil.org/"}}, NULL, "", "", NULL, "evil.org"},
    {{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.org/"}}, NULL, "", "", NULL, "does not begin with `/`"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/"}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "lines"}},
        NULL, "", "", NULL, "line end"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/"},
         {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "absent"}},
        NULL, "", "", NULL, "authorization token absent cannot be opened"},
    {{{"AWS_EC2_METADATA_DISABLED", "True"}}, NULL, "", "", NULL, "AWS_EC2_METADATA_DISABLED is set"},
    {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "ftp://x"}}, NULL, "", "", NULL, "metadata endpoint: "},
    {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"}}, NULL, "", "", NULL, "not `IPv5`"},
    /* the order */
    {{{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}}, NULL, "[default]\n" PROCESS, "[default]\n" KEYS, "K",
        "the environment"},
    {{{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_PROFILE", "p"}}, NULL, "", "", "K",
        "the environment"},
    {{{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}}, "p", "", "[p]\n" KEYS, "K", "profile p"},
    {{{"AWS_WEB_IDENTITY_TOKEN_FILE", "token"}, {"AWS_ROLE_ARN", A}}, NULL,
        "[default]\nrole_arn=" B "\nsource_profile=default\n", "[default]\n" KEYS, "RK", "profile default"},
    {{{"AWS_WEB_IDENTITY_TOKEN_FILE", "token"}, {"AWS_ROLE_ARN", A}}, NULL, "", "[default]\n" KEYS, "W", A},
    {{{"AWS_WEB_IDENTITY_TOKEN_FILE", "absent"}, {"AWS_ROLE_ARN", A}}, "default", "", "[default]\n" KEYS, "K",
        "profile"},
    {{{"AWS_ROLE_ARN", A}}, NULL, "[default]\nweb_identity_token_file=token\nrole_arn=" B "\n", "", "W", A},
    {{{0}}, NULL, "[default]\nweb_identity_token_file=token\nrole_arn=" B "\nrole_session_name=s1\n", "", "W", B},
    {{{0}}, NULL, "[default]\n" KEYS PROCESS, "[default]\n" KEYS, "K", "credentials"},
    {{{0}}, NULL, "[default]\n" KEYS PROCESS, "", "P", "credential_process of profile default"},
    {{{0}}, NULL, "[default]\nmfa_serial=m\n" KEYS, "", "K", "config"},
    {{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"}, {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/"}},
        NULL, "[default]\nregion=r\n", "", "C", "http://169.254.170.2/v2/x"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]/v1/credentials"}}, NULL, "", "", "C",
        "fd00:ec2::23"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.9.9.9:1/"}}, NULL, "", "", "C", "127.9.9.9"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[::1]:1/"}}, NULL, "", "", "C", "[::1]"},
    {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://agent.example.org/"}}, NULL, "", "", "C", "agent.example.org"},
    {{{0}}, NULL, "", "", "I", "http://169.254.169.254"},
    {{{0}}, "p", "[profile p]\nregion=x\nec2_metadata_service_endpoint_mode=ipv6\n", "", "I", "http://[fd00:ec2::254]"},
    {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1/"}, {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}},
        NULL, "", "", "I", "http://127.0.0.1:1"},
    /* roles behind roles */
    {{{0}}, "a",
        "[profile a]\nrole_arn=" A "\nsource_profile=b\nexternal_id=ext\nduration_seconds=900\n[profile b]\nrole_arn=" B
        "\nsource_profile=c\n",
        "[c]\n" KEYS, "RRK", "profile c"},
    {{{0}}, "a", "[profile a]\nrole_arn=" A "\nsource_profile=b\n[profile b]\n" PROCESS, "", "RP", "of profile b"},
    {{{0}}, "a",
        "[profile a]\nrole_arn=" A "\nsource_profile=b\n[profile b]\nweb_identity_token_file=token\nrole_arn=" B "\n",
        "", "RW", B},
    {{{0}}, "a", "[profile a]\nrole_arn=" A "\nsource_profile=b\n[profile b]\nrole_arn=" B "\nsource_profile=a\n" KEYS,
        "", "RK", "profile b"},
    {{{0}}, "a", "[profile a]\nrole_arn=" A "\ncredential_source=Ec2InstanceMetadata\n", "", "RI", "169.254.169.254"},
    {{{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}}, "a",
        "[profile a]\nrole_arn=" A "\ncredential_source=Environment\n", "", "RK", "the environment"},
    {{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}}, "a",
        "[profile a]\nrole_arn=" A "\ncredential_source=EcsContainer\n", "", "RC", "169.254.170.2/x"},
};

START_TEST(ways) {
    const struct Case *c = &cases[_i];
    Error err = {0};
    char kinds[WAY_LINKS_MAX + 1] = "";
    clean();
    write_file("config", c->config);
    write_file("credentials", c->credentials);
    const uint64_t before = aws_files_stamp();
    for (size_t i = 0; i < 3 && c->variable[i][0]; i++) setenv(c->variable[i][0], c->variable[i][1], 1);
    OWN(way) Way *way = way_find(c->profile, &err);
    ck_assert_msg((way != NULL) == (c->kinds != NULL), "%d: %s", _i, err.text);
    for (size_t i = 0; way && i < way->count; i++) kinds[i] = "KRWPCI"[way->links[i].kind];
    if (way) ck_assert_msg(strcmp(kinds, c->kinds) == 0, "%d: %s", _i, kinds);
    const WayLink *last = way ? &way->links[way->count - 1] : NULL;
    const char *told = !last ? err.text : last->url ? last->url : last->origin;
    ck_assert_msg(strstr(told, c->want) != NULL, "%d: %s", _i, told);
    ck_assert(aws_files_stamp() == before);
    write_file(
        "config", "# longer than it was, whatever it was: the stamp is of time and size, and of nothing else at all\n");
    ck_assert(aws_files_stamp() != before);
}
END_TEST

START_TEST(what_a_role_is_asked_with) {
    clean();
    write_file("config",
        "[default]\nrole_arn=" A
        "\nsource_profile=x\nexternal_id=ext\nduration_seconds=1800\nrole_session_name=me@here\n"
        "[profile x]\n" KEYS "aws_session_token=t\n");
    OWN(way) Way *way = way_find(NULL, NULL);
    const WayLink *role = &way->links[0], *keys = &way->links[1];
    ck_assert_str_eq(role->role_arn, A);
    ck_assert_str_eq(role->session, "me@here");
    ck_assert_str_eq(secret_reveal(role->external_id, NULL), "ext");
    ck_assert_int_eq(role->duration_s, 1800);
    ck_assert_str_eq(secret_reveal(keys->keys->token, NULL), "t");
}
END_TEST

START_TEST(too_many_roles) {
    clean();
    OWN(text) char *path = text_format("%s/config", folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < WAY_LINKS_MAX + 2; i++)
        fprintf(file, "[profile p%d]\nrole_arn=" A "\nsource_profile=p%d\n", i, i + 1);
    fclose(file);
    Error err = {0};
    ck_assert_ptr_null(way_find("p0", &err));
    ck_assert_msg(strstr(err.text, "more than 16 sources of credentials") != NULL, "%s", err.text);
}
END_TEST

static const struct Words {
    const char *command, *want[4]; /* want[0] NULL: refused */
} words[] = {
    {"", {NULL}},
    {"  \t", {NULL}},
    {"\"", {NULL}},
    {"a 'b", {NULL}},
    {"''", {NULL}},
    {"/bin/x", {"/bin/x"}},
    {" a  b\tc ", {"a", "b", "c"}},
    {"\"C:\\\\Program Files\\\\x\" --a='b c'", {"C:\\Program Files\\x", "--a=b c"}},
    {"a\\ b 'c\\d' \"e\\f\"", {"a b", "c\\d", "e\\f"}},
    {"a '' \"\"", {"a", "", ""}},
    {"a $HOME `x`", {"a", "$HOME", "`x`"}},
    {"a\\", {"a\\"}},
};

START_TEST(split_like_a_shell) {
    const struct Words *c = &words[_i];
    Error err = {0};
    char **got = process_split(c->command, &err);
    ck_assert_msg((got != NULL) == (c->want[0] != NULL), "%s", err.text);
    for (size_t i = 0; got && i < COUNT_OF(c->want); i++) {
        ck_assert_pstr_eq(got[i], c->want[i]);
        if (!got[i]) break;
    }
    process_arguments_free(got);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, split_like_a_shell, 0, COUNT_OF(words));
    tcase_add_loop_test(tcase, ways, 0, COUNT_OF(cases));
    tcase_add_test(tcase, what_a_role_is_asked_with);
    tcase_add_test(tcase, too_many_roles);
}

int main(void) {
    snprintf(folder, sizeof folder, "/tmp/test_way.XXXXXX");
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    const int failed = run_tests("way", fill);
    static const char *const names[] = {"config", "credentials", "token", "short", "lines"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        OWN(text) char *path = text_format("%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return failed;
}
