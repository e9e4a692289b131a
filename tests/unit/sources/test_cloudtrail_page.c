/* The outer half of an answer of LookupEvents, malformed first; what is asked. */
#include "sources/cloudtrail.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

static const struct Bad {
    const char *body, *why;
} bad[] = {
    {"", "is no JSON"},
    {"<html>", "is no JSON"},
    {"{\"Events\":[", "is no JSON"},
    {"{}", "has no Events"},
    {"[]", "has no Events"},
    {"{\"Events\":{}}", "has no Events"},
    {"{\"Events\":null}", "has no Events"},
    {"{\"Events\":[],\"Events\":[]}", "is no JSON"},
};

START_TEST(no_answers) {
    Error err = {0};
    ck_assert_ptr_null(lookup_page_decode(bad[_i].body, strlen(bad[_i].body), &err));
    ck_assert_int_eq(err.kind, ERROR_REMOTE);
    ck_assert_msg(strstr(err.text, bad[_i].why) != NULL, "%s", err.text);
}
END_TEST

#define GOOD \
    "{\"Events\":[null,7,{},{\"EventId\":7,\"EventTime\":\"x\",\"ReadOnly\":1,\"CloudTrailEvent\":{}}," \
    "{\"EventId\":\"e\",\"EventName\":\"N\",\"EventSource\":\"s\",\"EventTime\":1767322802.5,\"ReadOnly\":\"false\"," \
    "\"Username\":\"u\\u0000\",\"AccessKeyId\":\"k\",\"CloudTrailEvent\":\"{\\\"a\\\":\\\"\\\\u0000\\\"}\"}," \
    "{\"EventTime\":\"2021-11-18T09:41:02-08:00\",\"ReadOnly\":true}],\"NextToken\":\"t\"}"

START_TEST(what_an_entry_says) {
    Error err = {0};
    OWN(lookup_page) LookupPage *page = lookup_page_decode(GOOD, strlen(GOOD), &err);
    ck_assert_msg(page != NULL, "%s", err.text);
    ck_assert_uint_eq(page->count, 6);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(page->events[i].id, "");
        ck_assert_ptr_null(page->events[i].record);
        ck_assert_int_eq(page->events[i].time_s, 0);
        ck_assert_int_eq(page->events[i].read_only, -1);
    }
    const LookupEvent *event = &page->events[4];
    ck_assert_str_eq(event->id, "e");
    ck_assert_str_eq(event->name, "N");
    ck_assert_str_eq(event->service, "s");
    ck_assert_str_eq(event->user, "u\xef\xbf\xbd");
    ck_assert_str_eq(event->key, "k");
    ck_assert_str_eq(event->record, "{\"a\":\"\\u0000\"}");
    ck_assert_int_eq(event->time_s, 1767322802);
    ck_assert_int_eq(event->read_only, 0);
    ck_assert_int_eq(page->events[5].time_s, 1637257262);
    ck_assert_int_eq(page->events[5].read_only, 1);
    ck_assert_str_eq(page->next_token, "t");
}
END_TEST

START_TEST(every_prefix_is_no_answer) {
    for (size_t length = 0; length < strlen(GOOD); length++) {
        Error err = {0};
        ck_assert_ptr_null(lookup_page_decode(GOOD, length, &err));
        ck_assert_int_eq(err.kind, ERROR_REMOTE);
    }
}
END_TEST

START_TEST(a_token_is_bounded) {
    char token[LOOKUP_TOKEN_MAX + 2];
    memset(token, 't', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    OWN(text) char *body = text_format("{\"Events\":[],\"NextToken\":\"%s\"}", token);
    Error err = {0};
    ck_assert_ptr_null(lookup_page_decode(body, strlen(body), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "longer than 4096"));
    static const char *const none[] = {"\"\"", "null", "7"};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        OWN(text) char *last = text_format("{\"Events\":[],\"NextToken\":%s}", none[i]);
        OWN(lookup_page) LookupPage *page = lookup_page_decode(last, strlen(last), &err);
        ck_assert_ptr_null(page->next_token);
    }
}
END_TEST

START_TEST(what_is_asked) {
    const Interval interval = {1767321000, 1767322860};
    static const char *const bodies[] = {"{\"EndTime\":1767322860,\"MaxResults\":50,\"StartTime\":1767321000}",
        "{\"EndTime\":1767322860,\"LookupAttributes\":[{\"AttributeKey\":\"ReadOnly\",\"AttributeValue\":\"false\"}],"
        "\"MaxResults\":50,\"NextToken\":\"t\\\"\",\"StartTime\":1767321000}",
        "{\"EndTime\":1767322860,\"LookupAttributes\":[{\"AttributeKey\":\"EventName\",\"AttributeValue\":"
        "\"LookupEvents\"}],\"MaxResults\":50,\"StartTime\":1767321000}"};
    for (int kind = LOOKUP_ALL; kind <= LOOKUP_FEED; kind++) {
        OWN(text) char *body = lookup_request((LookupKind)kind, interval, 50, kind == LOOKUP_WRITES ? "t\"" : NULL);
        ck_assert_str_eq(body, bodies[kind]);
    }
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, no_answers, 0, (int)COUNT_OF(bad));
    tcase_add_test(tcase, what_an_entry_says);
    tcase_add_test(tcase, every_prefix_is_no_answer);
    tcase_add_test(tcase, a_token_is_bounded);
    tcase_add_test(tcase, what_is_asked);
}

int main(void) { return run_tests("cloudtrail_page", fill); }
