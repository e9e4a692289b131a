#include "aws/keys_json.h"

#include "../run.h"
#include "aws/sts.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

#define NOW_MS 1767323045000
#define END_TEXT "2026-01-02T09:00:00Z"
#define END_MS 1767344400000
#define SECRET "s3cret/never+shown"
#define PROCESS(version, more) \
    "{\"Version\":" version ",\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"" SECRET "\"" more "}"
#define GIVEN(more) "{\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"" SECRET "\"" more "}"
#define FULL ",\"Token\":\"t\",\"Expiration\":\"" END_TEXT "\""

static const struct Case {
    KeysForm form;
    const char *text, *want; /* want NULL: taken */
} cases[] = {
    {KEYS_OF_PROCESS, "", "its output is no JSON object"},
    {KEYS_OF_PROCESS, SECRET, "its output is no JSON object"},
    {KEYS_OF_PROCESS, "[]", "its output is no JSON object"},
    {KEYS_OF_PROCESS, PROCESS("1", "") PROCESS("1", ""), "its output is no JSON object"},
    {KEYS_OF_PROCESS, GIVEN(""), "its output has no Version"},
    {KEYS_OF_PROCESS, PROCESS("\"1\"", ""), "its output has no Version"},
    {KEYS_OF_PROCESS, PROCESS("2", ""), "its output has Version 2, and only 1 is known"},
    {KEYS_OF_PROCESS, "{\"Version\":1}", "its output has no AccessKeyId"},
    {KEYS_OF_PROCESS, "{\"Version\":1,\"AccessKeyId\":\"a b\"}", "its output has no AccessKeyId"},
    {KEYS_OF_PROCESS, "{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\"}",
        "its output has no SecretAccessKey"},
    {KEYS_OF_PROCESS, "{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":1}",
        "its output has no SecretAccessKey"},
    {KEYS_OF_PROCESS, PROCESS("1", ",\"SessionToken\":\"a\\r\\nb\""),
        "its output has a token with a control character"},
    {KEYS_OF_PROCESS, PROCESS("1", ",\"Expiration\":\"tomorrow\""), "its output has an Expiration that is no time"},
    {KEYS_OF_PROCESS, PROCESS("1", ",\"Expiration\":1"), "its output has an Expiration that is no time"},
    {KEYS_OF_PROCESS, PROCESS("1", ""), NULL},
    {KEYS_OF_PROCESS, PROCESS("1", ",\"Expiration\":null,\"SessionToken\":null,\"AccountId\":\"1\""), NULL},
    {KEYS_OF_PROCESS, PROCESS("1", ",\"SessionToken\":\"t\",\"Expiration\":\"" END_TEXT "\""), NULL},
    {KEYS_OF_CONTAINER, GIVEN(""), "the answer has no Token"},
    {KEYS_OF_CONTAINER, GIVEN(",\"Token\":\"t\""), "the answer has no Expiration"},
    {KEYS_OF_CONTAINER, GIVEN(FULL), NULL},
    {KEYS_OF_INSTANCE, "<html>", "the answer is no JSON object"},
    {KEYS_OF_INSTANCE, "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"x\"}",
        "it says AssumeRoleUnauthorizedAccess"},
    {KEYS_OF_INSTANCE, "{\"Code\":\"" SECRET "\"}", "an error without a name"},
    {KEYS_OF_INSTANCE, GIVEN(",\"Code\":\"Success\"" FULL), NULL},
};

START_TEST(answers) {
    const struct Case *c = &cases[_i];
    Error err = {0};
    OWN(aws_keys) AwsKeys *keys = keys_json_read(c->form, c->text, strlen(c->text), "here", NOW_MS, &err);
    ck_assert_msg((keys == NULL) == (c->want != NULL), "%d: %s", _i, err.text);
    if (c->want) {
        ck_assert_msg(strstr(err.text, c->want) && !strstr(err.text, "s3cret"), "%d: %s", _i, err.text);
        return;
    }
    ck_assert_str_eq(keys->id, "ASIA1");
    ck_assert_str_eq(secret_reveal(keys->secret, NULL), SECRET);
    ck_assert_str_eq(keys->origin, "here");
    const bool ends = strstr(c->text, END_TEXT) != NULL;
    ck_assert(keys->obtained_ms == NOW_MS && keys->expires_ms == (ends ? END_MS : 0) && (keys->token != NULL) == ends);
}
END_TEST

START_TEST(cut_anywhere) {
    static const char whole[] = GIVEN(",\"Code\":\"Success\"" FULL);
    for (size_t length = 0; length < sizeof whole - 1; length++)
        ck_assert_ptr_null(keys_json_read(KEYS_OF_INSTANCE, whole, length, "x", NOW_MS, NULL));
    char *huge = text_format("%*s%s", KEYS_JSON_MAX, "", whole);
    ck_assert_ptr_null(keys_json_read(KEYS_OF_INSTANCE, huge, strlen(huge), "x", NOW_MS, NULL));
    free(huge);
}
END_TEST

#define ROLE_ARN "arn:aws:iam::111122223333:role/r"
static const struct Form {
    StsRole role;
    const char *want;
} forms[] = {
    {{ROLE_ARN, "s", NULL, NULL, 0},
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fr&RoleSessionName=s"},
    {{ROLE_ARN, "s", "x:y", NULL, 900},
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fr&RoleSessionName=s"
        "&ExternalId=x%3Ay&DurationSeconds=900"},
    {{ROLE_ARN, "s", NULL, "h.p+/=", 0},
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fr"
        "&RoleSessionName=s&WebIdentityToken=h.p%2B%2F%3D"},
};

START_TEST(what_sts_is_asked) {
    char *body = sts_assume_body(&forms[_i].role);
    ck_assert_str_eq(body, forms[_i].want);
    guard_free(body);
}
END_TEST

#define IDENTITY(arn, account) \
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>" arn "</Arn><UserId>U</UserId><Account>" account \
    "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
static const struct Identity {
    const char *body;
    bool fine;
} identities[] = {
    {"", false},
    {"<GetCallerIdentityResponse/>", false},
    {IDENTITY("arn:aws:iam::111122223333:user/u", "11112222333"), false},
    {IDENTITY("arn:aws:iam::111122223333:user/u", "11112222333x"), false},
    {IDENTITY("user/u", "111122223333"), false},
    {IDENTITY("arn:aws:iam::111122223333:user/&#10;u", "111122223333"), false},
    {IDENTITY("arn:aws-cn:iam::111122223333:user/u", "111122223333"), true},
};

START_TEST(who_sts_says_we_are) {
    const struct Identity *c = &identities[_i];
    StsIdentity who = {0};
    Error err = {0};
    ck_assert_msg(sts_identity_read(c->body, strlen(c->body), &who, &err) == c->fine, "%d: %s", _i, err.text);
    ck_assert_str_eq(who.account, c->fine ? "111122223333" : "");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, answers, 0, COUNT_OF(cases));
    tcase_add_test(tcase, cut_anywhere);
    tcase_add_loop_test(tcase, what_sts_is_asked, 0, COUNT_OF(forms));
    tcase_add_loop_test(tcase, who_sts_says_we_are, 0, COUNT_OF(identities));
}

int main(void) { return run_tests("keys_json", fill); }
