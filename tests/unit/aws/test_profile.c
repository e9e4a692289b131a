#include "aws/profile.h"

#include "../run.h"

#include <string.h>

static const struct Bad {
    const char *text, *error; /* a part of it */
} bad[] = {
    {"key = value\n", "F, line 1: a key before the first [section]"},
    {"\n[default\nkey = value\n", "F, line 2: `[` without `]`"},
    {"[]\n", "line 1: a section without a name"},
    {"[default]\nwhat is this\n", "F, line 2: neither [section] nor key = value"},
    {"[default]\n= value\n", "line 2: a value without a key"},
    {"[default]\n\x01\xff\n", "line 2"},
};

START_TEST(malformed) {
    Error err = {0};
    ck_assert_ptr_null(profiles_parse(PROFILE_CONFIG, "F", bad[_i].text, strlen(bad[_i].text), &err));
    ck_assert_msg(err.kind == ERROR_INPUT && strstr(err.text, bad[_i].error), "%s", err.text);
}
END_TEST

START_TEST(bounds) {
    Error err = {0}, zero = {0};
    static char text[PROFILE_FILE_MAX + 2];
    memset(text, '\n', sizeof text);
    ck_assert_ptr_null(profiles_parse(PROFILE_CONFIG, "F", text, sizeof text, &err));
    ck_assert(strstr(err.text, "longer than") != NULL);
    ck_assert_ptr_null(profiles_parse(PROFILE_CONFIG, "F", "[a]\0b", 5, &zero));
    ck_assert(strstr(zero.text, "zero byte") != NULL);
    static char many[PROFILE_KEYS * 4 + 16] = "[a]\n";
    for (size_t i = 0; i <= PROFILE_KEYS; i++) memcpy(many + 4 + i * 4, "a=b\n", 4);
    Error keys = {0};
    ck_assert_ptr_null(profiles_parse(PROFILE_CONFIG, "F", many, strlen(many), &keys));
    ck_assert_msg(strstr(keys.text, "20000 keys") != NULL, "%s", keys.text);
}
END_TEST

/* Cut at each byte: an error or fewer keys, never more. */
START_TEST(cut_anywhere) {
    static const char text[] =
        "[profile a]\naws_access_key_id = X\ns3 =\n  region = b\n[services s]\nsns =\n endpoint_url = u\n";
    for (size_t length = 0; length < sizeof text; length++) {
        Profiles *profiles = profiles_parse(PROFILE_CONFIG, "F", text, length, NULL);
        if (profiles) profiles_get(profiles, SECTION_PROFILE, "a", NULL, "aws_access_key_id");
        profiles_free(profiles);
    }
}
END_TEST

static const char config[] = "\xef\xbb\xbf# comment\r\n"
                             "[default]\r\n"
                             "region = eu-west-1\r\n"
                             "[profile  \"two words\" ]\n"
                             "REGION: us-east-1 # why\n"
                             "role_arn=arn:aws:iam::111122223333:role/x\n"
                             "empty =\n"
                             "s3 =\n"
                             "  addressing_style = path\n"
                             "\t; comment\n"
                             "  region = nested\n"
                             "services = mine\n"
                             "region = last ; of two\n"
                             "[bare]\n"
                             "region = none\n"
                             "[services mine]\n"
                             "sns =\n"
                             "  endpoint_url = http://127.0.0.1:1\n"
                             "secret = a=b:c#d;e\n";

static const struct Value {
    ProfileSection section;
    const char *name, *outer, *key, *value;
} values[] = {
    {SECTION_PROFILE, "default", NULL, "region", "eu-west-1"},
    {SECTION_PROFILE, "two words", NULL, "region", "last"},
    {SECTION_PROFILE, "two words", NULL, "role_arn", "arn:aws:iam::111122223333:role/x"},
    {SECTION_PROFILE, "two words", NULL, "empty", ""},
    {SECTION_PROFILE, "two words", "s3", "region", "nested"},
    {SECTION_PROFILE, "two words", "s3", "addressing_style", "path"},
    {SECTION_PROFILE, "two words", NULL, "addressing_style", NULL},
    {SECTION_PROFILE, "bare", NULL, "region", NULL}, /* in this file a profile says `profile` */
    {SECTION_SERVICES, "mine", "sns", "endpoint_url", "http://127.0.0.1:1"},
    {SECTION_SERVICES, "mine", NULL, "secret", "a=b:c#d;e"},
};

START_TEST(what_is_read) {
    const struct Value *c = &values[_i];
    OWN(profiles) Profiles *profiles = profiles_parse(PROFILE_CONFIG, "F", config, sizeof config - 1, NULL);
    ck_assert_ptr_nonnull(profiles);
    const char *got = profiles_get(profiles, c->section, c->name, c->outer, c->key);
    if (c->value)
        ck_assert_pstr_eq(got, c->value);
    else
        ck_assert_ptr_null(got);
}
END_TEST

START_TEST(credentials_are_bare) {
    static const char text[] = "[default]\naws_access_key_id = A\n['x y']\naws_access_key_id = B\n";
    OWN(profiles) Profiles *profiles = profiles_parse(PROFILE_CREDENTIALS, "F", text, sizeof text - 1, NULL);
    ck_assert_str_eq(profiles_get(profiles, SECTION_PROFILE, "x y", NULL, "aws_access_key_id"), "B");
    ck_assert(profiles_has(profiles, SECTION_PROFILE, "default") && !profiles_has(profiles, SECTION_PROFILE, "z"));
    OWN(profiles) Profiles *absent = profiles_read(PROFILE_CREDENTIALS, "/nonexistent/credentials", NULL);
    ck_assert(absent && !profiles_has(absent, SECTION_PROFILE, "default"));
    Error err = {0};
    ck_assert_ptr_null(profiles_read(PROFILE_CREDENTIALS, "/", &err));
    ck_assert_int_eq(err.kind, ERROR_LOCAL);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, malformed, 0, COUNT_OF(bad));
    tcase_add_test(tcase, bounds);
    tcase_add_test(tcase, cut_anywhere);
    tcase_add_loop_test(tcase, what_is_read, 0, COUNT_OF(values));
    tcase_add_test(tcase, credentials_are_bare);
}

int main(void) { return run_tests("profile", fill); }
