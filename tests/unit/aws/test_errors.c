#include "aws/errors.h"
#include "aws/xml.h"

#include "../run.h"
#include "base/alloc.h"

#include <string.h>

#define XML(code, message) \
    "<ErrorResponse xmlns=\"http://x/\"><Error><Type>Sender</Type><Code>" code "</Code><Message>" message \
    "</Message></Error>" \
    "<RequestId>r-9</RequestId></ErrorResponse>"

static const struct Case {
    AwsProtocol protocol;
    long status;
    const char *body, *query_error;
    AwsClass class;
    const char *code, *message;
} cases[] = {
    {AWS_JSON_1_0, 400, "", "", AWS_OTHER, "", ""},
    {AWS_JSON_1_0, 500, "{\"__type\":", "", AWS_TRANSIENT, "", ""},
    {AWS_JSON_1_0, 403, "<HTML><body>proxy", "", AWS_TRANSIENT, "", ""},
    {AWS_JSON_1_0, 400, "[]", "", AWS_OTHER, "", ""},
    {AWS_JSON_1_0, 400, "{\"__type\":5,\"message\":[]}", "", AWS_OTHER, "", ""},
    {AWS_JSON_1_0, 429, "{}", "", AWS_THROTTLED, "", ""},
    {AWS_JSON_1_0, 400, "{\"__type\":\"ThrottledException:http://internal.amazon.com/x\",\"Message\":\"Rate\"}", "",
        AWS_THROTTLED, "ThrottledException", "Rate"},
    {AWS_JSON_1_0, 400, "{\"__type\":\"com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException\"}",
        "InvalidParameterValue;Sender", AWS_VALIDATION, "InvalidParameterValueException", ""},
    {AWS_JSON_1_0, 400, "{}", "InvalidParameterValue;Sender", AWS_VALIDATION, "InvalidParameterValue", ""},
    {AWS_JSON_1_0, 400, "{\"__type\":\"a#b#InvalidNextToken\"}", "", AWS_PAGING, "InvalidNextToken", ""},
    {AWS_JSON_1_0, 400, "{\"__type\":\"AccessDenied\",\"message\":\"a\\nb\\u0000\"}", "", AWS_DENIED, "AccessDenied",
        "a b\xef\xbf\xbd"}, /* a zero byte hides nothing */
    {AWS_JSON_1_0, 400, "{\"__type\":\"Throttling InternalFailure\"}", "", AWS_OTHER, "Throttling InternalFailure", ""},
    {AWS_JSON_1_0, 400, "{\"__type\":\"Exception\"}", "", AWS_OTHER, "Exception", ""},
    {AWS_JSON_1_0, 400, "{\"__type\":\"ServiceUnavailableException\",\"message\":\"x\\ny\"}", "", AWS_TRANSIENT,
        "ServiceUnavailableException", "x y"},
    {AWS_QUERY, 403, XML("InvalidClientTokenId", "The security token included in the request is invalid."), "",
        AWS_BAD_KEYS, "InvalidClientTokenId", "The security token included in the request is invalid."},
    {AWS_QUERY, 400, XML("Throttling", "Rate &amp; exceeded"), "", AWS_THROTTLED, "Throttling", "Rate & exceeded"},
    {AWS_QUERY, 403, XML("SignatureDoesNotMatch", "Signature not yet current: a is still later than b"), "", AWS_CLOCK,
        "SignatureDoesNotMatch", "Signature not yet current: a is still later than b"},
    {AWS_QUERY, 403, XML("SignatureDoesNotMatch", "no"), "", AWS_SIGNATURE, "SignatureDoesNotMatch", "no"},
    {AWS_QUERY, 400, "<ErrorResponse><Error><Code>Thrott", "", AWS_OTHER, "", ""},
    {AWS_QUERY, 404, XML("NotFound", "Topic does not exist"), "", AWS_NOT_FOUND, "NotFound", "Topic does not exist"},
    {AWS_QUERY, 503,
        "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors><RequestID>q</RequestID></"
        "Response>",
        "", AWS_THROTTLED, "RequestLimitExceeded", ""},
    {AWS_QUERY, 403, "<!DOCTYPE a [<!ENTITY b \"c\">]><ErrorResponse><Error><Code>&b;</Code></Error></ErrorResponse>",
        "", AWS_TRANSIENT, "", ""},
};

static void read_case(const struct Case *c, size_t length, AwsFailure *ret) {
    aws_failure_read(&(AwsErrorParts){.protocol = c->protocol,
                         .status = c->status,
                         .error_type = "",
                         .query_error = c->query_error,
                         .request_id = "",
                         .body = c->body,
                         .body_length = length},
        ret);
}

START_TEST(classes) {
    const struct Case *c = &cases[_i];
    AwsFailure got;
    read_case(c, strlen(c->body), &got);
    ck_assert_msg(got.class == c->class, "%s: %s", c->body, aws_class_word(got.class));
    ck_assert_str_eq(got.code, c->code);
    ck_assert_str_eq(got.message, c->message);
    for (size_t length = 0; length < strlen(c->body); length++) read_case(c, length, &got); /* cut at each byte */
}
END_TEST

static const struct Denied {
    const char *message, *action, *resource, *reason, *words; /* words: a part of the explanation */
} denied[] = {
    {"User: arn:aws:iam::1:user/x is not authorized to perform: cloudwatch:GetMetricData because no identity-based "
     "policy allows the cloudwatch:GetMetricData action",
        "cloudwatch:GetMetricData", "", "no identity-based policy allows it",
        "(add cloudwatch:GetMetricData to the policy of the role or user)"},
    {"User: x is not authorized to perform: sns:Publish on resource: arn:aws:sns:eu-west-1:1:t with an explicit deny "
     "in a service control policy: arn:aws:organizations::1:policy/p",
        "sns:Publish", "arn:aws:sns:eu-west-1:1:t", "an explicit deny in a service control policy",
        "because of an explicit deny in a service control policy"},
    {"User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/tocsin",
        "sts:AssumeRole", "arn:aws:iam::111122223333:role/tocsin", "", "its trust policy allows us"},
    {"Not authorized to perform sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", "", "",
        "sts:AssumeRoleWithWebIdentity on *"},
    {"You are not authorized to perform this operation. Encoded authorization failure message: abc", "", "", "",
        "not allowed to call"},
    {"is not authorized to perform: <script>:x on resource: \"", "", "\"", "", "not allowed"},
    {"authorized to perform:", "", "", "", "not allowed"},
};

START_TEST(denials) {
    const struct Denied *c = &denied[_i];
    OWN(text)
    char *body = text_format(
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message><![CDATA[%s]]></Message></Error></ErrorResponse>",
        c->message);
    AwsFailure got;
    char text[AWS_MESSAGE_MAX];
    read_case(
        &(struct Case){.protocol = AWS_QUERY, .status = 403, .body = body, .query_error = ""}, strlen(body), &got);
    ck_assert_int_eq(got.class, AWS_DENIED);
    ck_assert_str_eq(got.action, c->action);
    ck_assert_str_eq(got.resource, c->resource);
    ck_assert_str_eq(got.reason, c->reason);
    aws_explain(&got, "prod", "eu-west-1", "X", text);
    ck_assert_msg(strncmp(text, "account prod (eu-west-1): ", 26) == 0 && strstr(text, c->words), "%s", text);
}
END_TEST

START_TEST(bounded) {
    static char body[AWS_ERROR_BODY_MAX] = "{\"__type\":\"X\",\"message\":\"";
    memset(body + strlen(body), 'a', sizeof body - 64 - strlen(body));
    strcat(body, "\"}");
    AwsFailure got;
    char text[AWS_MESSAGE_MAX], word[AWS_CODE_MAX];
    read_case(
        &(struct Case){.protocol = AWS_JSON_1_0, .status = 400, .body = body, .query_error = ""}, strlen(body), &got);
    ck_assert_uint_eq(strlen(got.message), AWS_MESSAGE_MAX - 1);
    for (int class = AWS_FINE; class <= AWS_CANCELLED; class ++) {
        got.class = (AwsClass) class;
        aws_explain(&got, body, body, body, text);
        ck_assert_uint_lt(strlen(text), AWS_MESSAGE_MAX);
    }
    ck_assert_str_eq(aws_failure_word(&got, word), "400"); /* an unknown code makes no label */
}
END_TEST

static const struct Markup {
    const char *text, *path, *want; /* want NULL: refused or absent */
} markups[] = {
    {"", "a", NULL},
    {"<a>", "a", NULL},
    {"<a></b>", "a", NULL},
    {"<a/><a/>", "a", NULL},
    {"x", "x", NULL},
    {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "a", NULL},
    {"<a><b>1</b><c><b>2</b></c></a>", "b", "1"},
    {"<a><b>1</b><c><b>2</b></c></a>", "c/b", "2"},
    {"<a><b>1</b></a>", "xb", NULL},
    {"<n:a xmlns:n='u'><n:b>1<!-- x -->2</n:b></n:a>", "a/b", "12"},
    {"<a><bb>1</bb></a>", "b", NULL},
    {"<a/>", "a", ""},
};

START_TEST(xml) {
    const struct Markup *c = &markups[_i];
    OWN(xml) Xml *got = xml_read(c->text, strlen(c->text), NULL);
    if (c->want)
        ck_assert_pstr_eq(xml_text(got, c->path), c->want);
    else
        ck_assert_ptr_null(xml_text(got, c->path));
}
END_TEST

START_TEST(xml_bounds) {
    static char text[XML_ELEMENTS * 8] = "";
    Error err = {0}, wide = {0};
    for (size_t i = 0; i < 100; i++) strcat(text, "<a>");
    ck_assert_ptr_null(xml_read(text, strlen(text), &err));
    ck_assert_msg(strstr(err.text, "too deep") != NULL, "%s", err.text);
    strcpy(text, "<r>");
    for (size_t i = 0; i < XML_ELEMENTS; i++) memcpy(text + 3 + i * 4, "<a/>", 5);
    ck_assert_ptr_null(xml_read(text, strlen(text), &wide));
    ck_assert_msg(strstr(wide.text, "too many") != NULL, "%s", wide.text);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, classes, 0, COUNT_OF(cases));
    tcase_add_loop_test(tcase, denials, 0, COUNT_OF(denied));
    tcase_add_test(tcase, bounded);
    tcase_add_loop_test(tcase, xml, 0, COUNT_OF(markups));
    tcase_add_test(tcase, xml_bounds);
}

int main(void) { return run_tests("errors", fill); }
