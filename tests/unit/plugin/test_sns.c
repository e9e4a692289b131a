/* What goes to SNS: shapes, bounds, and the form. */
#include "../run.h"
#include "world.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "sns/message.h"

#include <string.h>

#define ARN "arn:aws:sns:eu-west-1:111122223333:oncall"

static Notice *notice_of(size_t alerts) {
    OWN(text) char *text = world_notification(alerts, "firing");
    return notice_read(text);
}

static const struct Subject {
    const char *text, *want;
} subjects[] = {
    {"", "Tocsin"},
    {"   ", "Tocsin"},
    {"\xc3\xa9", "?"},
    {" a\r\nb", "a  b"},
    {"[FIRING:1] caf\xc3\xa9 \xf0\x9f\x94\xa5", "[FIRING:1] caf? ?"},
    {"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789xyz",
        "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"},
};

START_TEST(subjects_are_short_ascii) {
    OWN(notice) Notice *notice = notice_of(1);
    notice->subject = subjects[_i].text;
    OWN(text) char *got = sns_subject(notice);
    ck_assert_str_eq(got, subjects[_i].want);
}
END_TEST

static const struct Sms {
    const char *name, *severity, *summary;
    bool is_firing;
    const char *want;
} smses[] = {
    {"api", "critical", "api is 1.23 (> 0.8) for 5 min", true, "FIRING critical: api is 1.23 (> 0.8) for 5 min"},
    {"api", "critical", "call Alice", true, "FIRING critical api: call Alice"}, /* a summary of the person's own */
    {"api", "info", "call Alice", false, "RESOLVED info api: call Alice"},
    {"api", "", "", true, "FIRING: api fires"},
};

/* What the attributes say stands in the text, too: AWS may leave them out beside MessageStructure. */
START_TEST(an_sms_names_what_the_attributes_do) {
    const struct Sms *c = &smses[_i];
    OWN(notice) Notice *notice = notice_of(1);
    NoticeAlert *alert = &notice->alerts[0];
    alert->name = c->name;
    alert->severity = c->severity;
    alert->summary = c->summary;
    alert->is_firing = c->is_firing;
    OWN(text) char *got = sns_sms(notice);
    ck_assert_str_eq(got, c->want);
}
END_TEST

START_TEST(an_sms_is_one_short_text) {
    OWN(notice) Notice *many = notice_of(12);
    char long_text[600] = "";
    for (int i = 0; i < 200; i++) strcat(long_text, "\xc3\xa9");
    many->alerts[0].summary = long_text;
    OWN(text) char *cut = sns_sms(many);
    ck_assert_uint_eq(utf8_count(cut, strlen(cut)), SNS_SMS_MAX);
    ck_assert(utf8_ok(cut, strlen(cut)));
    ck_assert_ptr_nonnull(strstr(cut, "\xc3\xa9 (and 11 more)"));
}
END_TEST

static const size_t sizes[] = {0, 1, 20, 200, 1000};

START_TEST(a_message_keeps_its_bound) {
    OWN(notice) Notice *notice = notice_of(sizes[_i]);
    OWN(text) char *text = sns_message(notice, false);
    ck_assert_uint_le(strlen(text), SNS_MESSAGE_MAX);
    OWN(json) json_t *message = json_read(text, strlen(text), NULL);
    static const char *const all[] = {"default", "email", "http", "https", "lambda", "sms", "sqs"};
    for (size_t i = 0; i < COUNT_OF(all); i++) ck_assert_msg(json_text(message, all[i]), "%s", all[i]);
    ck_assert_uint_eq(json_object_size(message), COUNT_OF(all));
    const char *body = json_text(message, "sqs");
    OWN(json) json_t *webhook = json_read(body, strlen(body), NULL);
    int64_t truncated = -1;
    ck_assert(json_whole(webhook, "truncatedAlerts", &truncated));
    ck_assert_uint_eq(json_array_size(json_list(webhook, "alerts")) + (size_t)truncated, sizes[_i]);
    ck_assert_ptr_nonnull(json_text(webhook, "groupKey"));
}
END_TEST

START_TEST(the_form) {
    OWN(notice) Notice *notice = notice_of(1);
    const SnsTarget topic = {.topic_arn = ARN ".fifo", .group_id = "g 1"}, phone = {.phone_number = "+441234"};
    OWN(text) char *body = sns_body(notice, &topic), *call = sns_body(notice, &phone);
    static const char head[] =
        "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A111122223333%3Aoncall.fifo"
        "&Subject=%5BFIRING%3A1%5D%20api-latency-p99%20%28prod%20eu-west-1%29"
        "&MessageAttributes.entry.1.Name=alertname&MessageAttributes.entry.1.Value.DataType=String"
        "&MessageAttributes.entry.1.Value.StringValue=api-latency-p99"
        "&MessageAttributes.entry.2.Name=severity&MessageAttributes.entry.2.Value.DataType=String"
        "&MessageAttributes.entry.2.Value.StringValue=critical"
        "&MessageAttributes.entry.3.Name=status&MessageAttributes.entry.3.Value.DataType=String"
        "&MessageAttributes.entry.3.Value.StringValue=firing"
        "&MessageStructure=json&Message=%7B%22default%22%3A%22FIRING%20critical%3A%20";
    ck_assert_msg(strncmp(body, head, strlen(head)) == 0, "%.900s", body);
    ck_assert_ptr_nonnull(
        strstr(body, "&MessageGroupId=g%201&MessageDeduplicationId=7f0c1b9e-1111-4222-8333-444455556666"));
    ck_assert_ptr_nonnull(strstr(call, "&PhoneNumber=%2B441234&MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType"));
    ck_assert_ptr_null(strstr(call, "Subject"));
    ck_assert_ptr_null(strstr(call, "sqs"));
}
END_TEST

static const struct Attribute {
    const char *name, *want;
} attributes[] = {{"", "-"}, {"\xf0\x9f\x94\xa5\x01", "%3F%3F"}, {"\xc3\xa9", "%C3%A9"}};

START_TEST(attributes_are_what_sns_takes) {
    OWN(notice) Notice *notice = notice_of(1);
    notice->alerts[0].name = attributes[_i].name;
    OWN(text) char *body = sns_body(notice, &(SnsTarget){.topic_arn = ARN});
    OWN(text) char *want = text_format("entry.1.Value.StringValue=%s&", attributes[_i].want);
    ck_assert_ptr_nonnull(strstr(body, want));
}
END_TEST

static const struct Id {
    const char *xml, *want;
} ids[] = {
    {"", NULL},
    {"<MessageId>", NULL},
    {"<MessageId></MessageId>", NULL},
    {"<MessageId>a\"b</MessageId>", NULL},
    {"<MessageId>ab", NULL},
    {"<MessageId>ab</Other>", NULL},
    {"<r><MessageId>94f20ce6-13c5</MessageId></r>", "94f20ce6-13c5"},
};

START_TEST(message_ids) {
    OWN(text) char *got = sns_message_id(ids[_i].xml);
    ck_assert_pstr_eq(got, ids[_i].want);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, subjects_are_short_ascii, 0, COUNT_OF(subjects));
    tcase_add_loop_test(tcase, an_sms_names_what_the_attributes_do, 0, COUNT_OF(smses));
    tcase_add_test(tcase, an_sms_is_one_short_text);
    tcase_add_loop_test(tcase, a_message_keeps_its_bound, 0, COUNT_OF(sizes));
    tcase_add_test(tcase, the_form);
    tcase_add_loop_test(tcase, attributes_are_what_sns_takes, 0, COUNT_OF(attributes));
    tcase_add_loop_test(tcase, message_ids, 0, COUNT_OF(ids));
}
int main(void) { return run_tests("sns", fill); }
