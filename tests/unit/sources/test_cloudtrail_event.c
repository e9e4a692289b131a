/* One event as a sentence: malformed ones first, the kinds of identity, and every recorded event. */
#include "sources/cloudtrail_event.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <dirent.h>
#include <string.h>

#define IDENTITY(members) "{\"eventName\":\"N\",\"userIdentity\":{" members "}}"
#define SESSION(mfa) "\"sessionContext\":{\"attributes\":{\"mfaAuthenticated\":\"" mfa "\"}}"
#define ROLE \
    "\"type\":\"AssumedRole\",\"arn\":\"arn:aws:sts::1:assumed-role/deploy/ann\",\"accessKeyId\":\"ASIAEXAMPLEWXYZ\""

static const struct WhoCase {
    const char *event, *who;
} who_cases[] = {
    {"{}", "someone"},
    {"{\"userIdentity\":null}", "someone"},
    {"{\"userIdentity\":7}", "someone"},
    {"{\"userIdentity\":[\"Root\"]}", "someone"},
    {IDENTITY("\"type\":null,\"arn\":{},\"sessionContext\":\"x\""), "someone"},
    {IDENTITY("\"type\":\"Root\",\"accessKeyId\":\"\""), "root"},
    {IDENTITY("\"type\":\"Root\",\"accessKeyId\":\"ABC\""), "root"},
    {IDENTITY("\"type\":\"Root\"," SESSION("true")), "root (MFA)"},
    {IDENTITY("\"type\":\"Root\",\"invokedBy\":\"signin.amazonaws.com\""), "root through signin.amazonaws.com"},
    {IDENTITY("\"type\":\"IAMUser\",\"userName\":\"ann\",\"accessKeyId\":\"AKIAEXAMPLEWXYZ\"," SESSION("false")),
        "user ann (key ...WXYZ, no MFA)"},
    {IDENTITY("\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::1:user/path/bob\""), "user bob"},
    {IDENTITY("\"type\":\"IAMUser\",\"accountId\":\"111122223333\""), "user 111122223333"},
    {IDENTITY(ROLE), "role deploy as ann (key ...WXYZ)"},
    {IDENTITY(ROLE ",\"sessionContext\":{\"sessionIssuer\":{\"userName\":\"builder\"}}"),
        "role builder as ann (key ...WXYZ)"},
    {IDENTITY("\"type\":\"AssumedRole\",\"principalId\":\"AROA:i-1\""), "role as i-1"},
    {IDENTITY("\"type\":\"AWSService\",\"invokedBy\":\"ec2.amazonaws.com\""), "ec2.amazonaws.com"},
    {IDENTITY("\"type\":\"AWSService\""), "an AWS service"},
    {IDENTITY("\"type\":\"AWSAccount\",\"accountId\":\"111122223333\""), "account 111122223333"},
    {IDENTITY("\"type\":\"FederatedUser\",\"arn\":\"arn:aws:sts::1:federated-user/carol\""), "federated user carol"},
    {IDENTITY("\"type\":\"SAMLUser\",\"userName\":\"dan\""), "SAML user dan"},
    {IDENTITY("\"type\":\"NewKind\",\"userName\":\"eve\""), "eve"},
    {IDENTITY("\"invokedBy\":\"config.amazonaws.com\""), "config.amazonaws.com"},
    {"{\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"ann\"},\"additionalEventData\":{\"MFAUsed\":\"YES\"}}",
        "user ann (MFA)"},
    {IDENTITY("\"type\":\"IAMUser\",\"userName\":\"a\\nb\\u001b[31m\\u202ec\""),
        "user a\\x0ab\\x1b[31m\\xe2\\x80\\xaec"},
};

START_TEST(who_it_was) {
    const struct WhoCase *c = &who_cases[_i];
    OWN(arena) Arena *arena = arena_new();
    OWN(json) json_t *event = cloudtrail_event_parse(c->event);
    ReadEvent got;
    ck_assert_ptr_nonnull(event);
    cloudtrail_event_read(arena, event, &got);
    ck_assert_str_eq(got.who, c->who);
}
END_TEST

#define WHOLE \
    "{\"eventID\":\"e-1\",\"eventTime\":\"2026-01-02T03:04:05Z\",\"eventSource\":\"cloudtrail.amazonaws.com\"," \
    "\"eventName\":\"StopLogging\",\"awsRegion\":\"eu-west-1\",\"sourceIPAddress\":\"203.0.113.5\",\"userAgent\":" \
    "\"aws-cli/2\",\"readOnly\":false,\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"ann\"}," \
    "\"requestParameters\":{\"name\":\"arn:aws:cloudtrail:eu-west-1:1:trail/main\",\"tags\":[{\"key\":\"k\"}]}," \
    "\"resources\":[{\"ARN\":\"arn:aws:s3:::logs\"},null,7],\"errorCode\":\"AccessDenied\"}"

START_TEST(a_whole_event) {
    OWN(arena) Arena *arena = arena_new();
    OWN(json) json_t *event = cloudtrail_event_parse(WHOLE);
    ReadEvent got;
    cloudtrail_event_read(arena, event, &got);
    ck_assert_str_eq(got.id, "e-1");
    ck_assert_str_eq(got.name, "StopLogging");
    ck_assert_str_eq(got.service, "cloudtrail.amazonaws.com");
    ck_assert_str_eq(got.region, "eu-west-1");
    ck_assert_str_eq(got.where, "203.0.113.5, aws-cli/2");
    ck_assert_str_eq(got.error, "AccessDenied");
    ck_assert_int_eq(got.time_ms, 1767323045000);
    ck_assert(!got.is_read_only);
    ck_assert_uint_eq(got.resource_count, 2);
    ck_assert_str_eq(got.resources[0], "arn:aws:cloudtrail:eu-west-1:1:trail/main");
    ck_assert_str_eq(got.resources[1], "arn:aws:s3:::logs");
    ck_assert_str_eq(
        got.brief, "user ann called cloudtrail:StopLogging on trail/main from 203.0.113.5 in eu-west-1: AccessDenied");
}
END_TEST

START_TEST(anything_is_an_event) {
    static const char *const events[] = {"{}", "{\"eventTime\":7,\"eventID\":{},\"eventName\":null,\"readOnly\":\"x\"}",
        "{\"resources\":{},\"requestParameters\":\"truncated\",\"responseElements\":null,\"addendum\":[]}",
        "{\"eventTime\":\"yesterday\",\"userIdentity\":{\"sessionContext\":{\"sessionIssuer\":[]}}}"};
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        OWN(arena) Arena *arena = arena_new();
        OWN(json) json_t *event = cloudtrail_event_parse(events[i]);
        ReadEvent got;
        cloudtrail_event_read(arena, event, &got);
        ck_assert_str_eq(got.id, "");
        ck_assert_int_eq(got.time_ms, 0);
        ck_assert_uint_eq(got.resource_count, 0);
        ck_assert_str_eq(got.brief, "someone called something");
        ck_assert_ptr_null(cloudtrail_event_corrects(event));
        ck_assert(!cloudtrail_event_is_late(event));
    }
    OWN(arena) Arena *arena = arena_new();
    ReadEvent got;
    cloudtrail_event_read(arena, NULL, &got);
    ck_assert_str_eq(got.brief, "someone called something");
}
END_TEST

START_TEST(every_prefix_is_no_event) {
    for (size_t length = 0; length + 1 < sizeof WHOLE; length++) {
        OWN(text) char *cut = text_copy_length(WHOLE, length);
        ck_assert_ptr_null(cloudtrail_event_parse(cut));
    }
    ck_assert_ptr_null(cloudtrail_event_parse("[1]"));
    ck_assert_ptr_null(cloudtrail_event_parse("\"text\""));
}
END_TEST

/* What no text can hold is replaced, and does not hide the rest. */
static const struct HealCase {
    const char *text, *name;
} heal_cases[] = {
    {"{\"eventName\":\"a\\u0000b\"}",
        "a\xef\xbf\xbd"
        "b"},
    {"{\"eventName\":\"a\\ud800b\"}",
        "a\xef\xbf\xbd"
        "b"},
    {"{\"eventName\":\"a\\uDC00\"}", "a\xef\xbf\xbd"},
    {"{\"eventName\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80"},
    {"{\"eventName\":\"\\ud800\\ud83d\\ude00\"}", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
    {"{\"eventName\":\"a\\\\u0000\"}", "a\\u0000"},
    {"{\"eventName\":\"a\\\\\\u0000\"}", "a\\\xef\xbf\xbd"},
    {"{\"eventName\":\"\\n\\u000a\"}", "\n\n"},
};

START_TEST(hidden_names_are_healed) {
    const struct HealCase *c = &heal_cases[_i];
    OWN(json) json_t *event = cloudtrail_event_parse(c->text);
    ck_assert_msg(event != NULL, "%s", c->text);
    ck_assert_str_eq(json_text(event, "eventName"), c->name);
}
END_TEST

/* A sentence keeps its bound and its result, whatever is in it. */
START_TEST(long_texts_are_cut) {
    char name[2001];
    memset(name, 'x', sizeof name - 1);
    memcpy(name + 900, "\xc3\xa4\xc3\xa4", 4);
    name[sizeof name - 1] = '\0';
    OWN(text)
    char *text = text_format("{\"eventName\":\"%s\",\"eventSource\":\"%s\",\"awsRegion\":\"%s\",\"eventID\":\"%s\","
                             "\"sourceIPAddress\":\"%s\",\"userAgent\":\"\\u0007%s\",\"errorCode\":\"AccessDenied\","
                             "\"requestParameters\":{\"trailName\":\"%s\",\"bucketName\":\"b\"},\"userIdentity\":{"
                             "\"type\":\"AssumedRole\",\"arn\":\"arn:aws:sts::1:assumed-role/%s/%s\"}}",
        name, name, name, name, name, name, name, name, name);
    OWN(arena) Arena *arena = arena_new();
    OWN(json) json_t *event = cloudtrail_event_parse(text);
    ReadEvent got;
    cloudtrail_event_read(arena, event, &got);
    ck_assert_uint_le(strlen(got.brief), EVENT_BRIEF_MAX);
    ck_assert_ptr_nonnull(strstr(got.brief, ": AccessDenied"));
    ck_assert_uint_le(strlen(got.who), EVENT_WHO_MAX);
    ck_assert_uint_le(strlen(got.where), EVENT_WHERE_MAX);
    ck_assert_str_eq(got.id, "");
    ck_assert_uint_eq(got.resource_count, 1);
    ck_assert_str_eq(got.resources[0], "b");
}
END_TEST

START_TEST(many_resources_are_bounded) {
    OWN(json) json_t *event = json_pack("{s:{}}", "requestParameters");
    json_t *items = json_array();
    for (int i = 0; i < 5000; i++) {
        OWN(text) char *id = text_format("i-%d", i / 2);
        json_array_append_new(items, json_pack("{s:s}", "instanceId", id));
    }
    json_object_set_new(
        json_object_get(event, "requestParameters"), "instancesSet", json_pack("{s:o}", "items", items));
    OWN(arena) Arena *arena = arena_new();
    ReadEvent got;
    cloudtrail_event_read(arena, event, &got);
    ck_assert_uint_eq(got.resource_count, EVENT_RESOURCES_MAX);
    ck_assert_str_eq(got.resources[31], "i-31");
}
END_TEST

START_TEST(addenda) {
    OWN(json)
    json_t *update = cloudtrail_event_parse(
        "{\"addendum\":{\"reason\":\"UPDATED_DATA\",\"originalEventID\":\"o-1\",\"updatedFields\":\"x\"}}");
    OWN(json) json_t *late = cloudtrail_event_parse("{\"addendum\":{\"reason\":\"DELIVERY_DELAY\"}}");
    OWN(json) json_t *nameless = cloudtrail_event_parse("{\"addendum\":{\"reason\":\"UPDATED_DATA\"}}");
    ck_assert_str_eq(cloudtrail_event_corrects(update), "o-1");
    ck_assert(!cloudtrail_event_is_late(update));
    ck_assert_ptr_null(cloudtrail_event_corrects(late));
    ck_assert(cloudtrail_event_is_late(late));
    ck_assert_ptr_null(cloudtrail_event_corrects(nameless));
}
END_TEST

/* --- recorded events --- */

static size_t read_line(const char *line, const char *file) {
    OWN(arena) Arena *arena = arena_new();
    OWN(json) json_t *event = cloudtrail_event_parse(line);
    ReadEvent got;
    if (!json_text(event, "eventName")) return 0;
    cloudtrail_event_read(arena, event, &got);
    ck_assert_msg(*got.who && *got.brief, "%s: %s", file, line);
    ck_assert_uint_le(strlen(got.brief), EVENT_BRIEF_MAX);
    ck_assert_msg(!has_control(got.brief) && utf8_ok(got.brief, strlen(got.brief)), "%s", got.brief);
    ck_assert_uint_le(got.resource_count, EVENT_RESOURCES_MAX);
    if (json_text(event, "eventID")) ck_assert_str_eq(got.id, json_text(event, "eventID"));
    const json_t *identity = json_map(event, "userIdentity");
    if (identity && json_text(identity, "userName") && !strcmp(json_text(identity, "type"), "IAMUser"))
        ck_assert_msg(strstr(got.who, json_text(identity, "userName")) != NULL, "%s", got.who);
    ck_assert_msg(!identity || strncmp(got.who, "someone", 7) != 0, "%s: %s", file, line);
    return 1;
}

START_TEST(recorded_events) {
    size_t events = 0;
    DIR *folder = opendir(CLOUDTRAIL_DATA);
    if (!folder) {
        fprintf(stderr, "skipped: there is no %s\n", CLOUDTRAIL_DATA);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!strstr(entry->d_name, ".jsonl") || strstr(entry->d_name, ".labels.")) continue;
        OWN(text) char *path = text_format("%s/%s", CLOUDTRAIL_DATA, entry->d_name);
        size_t length;
        OWN(text) char *text = file_read(path, 64 << 20, &length, NULL, NULL);
        ck_assert_ptr_nonnull(text);
        char *rest = text;
        for (char *line; (line = strsep(&rest, "\n"));) events += *line ? read_line(line, entry->d_name) : 0;
    }
    closedir(folder);
    ck_assert_uint_gt(events, 1500);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, who_it_was, 0, (int)COUNT_OF(who_cases));
    tcase_add_test(tcase, a_whole_event);
    tcase_add_test(tcase, anything_is_an_event);
    tcase_add_test(tcase, every_prefix_is_no_event);
    tcase_add_loop_test(tcase, hidden_names_are_healed, 0, (int)COUNT_OF(heal_cases));
    tcase_add_test(tcase, long_texts_are_cut);
    tcase_add_test(tcase, many_resources_are_bounded);
    tcase_add_test(tcase, addenda);
    tcase_add_test(tcase, recorded_events);
}

int main(void) { return run_tests("cloudtrail_event", fill); }
