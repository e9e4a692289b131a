#include "aws/aws.h"

#include "../net/server.h"
#include "../run.h"
#include "base/alloc.h"
#include "base/problems.h"
#include "base/timetext.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS 1767323045000 /* Fri, 02 Jan 2026 03:04:05 GMT */
#define DATE "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
#define XML_DENIED \
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: sts:AssumeRole on " \
    "resource: arn:aws:iam::111122223333:role/tocsin</Message></Error><RequestId>r</RequestId></ErrorResponse>"

typedef struct Reply {
    int status;
    const char *headers, *body; /* body NULL: nothing is answered */
} Reply;

typedef struct World {
    uv_loop_t loop;
    Clock *clock;
    Http *http;
    Aws *aws;
    Server server;
    const Reply *replies; /* to all but AssumeRole, in turn; the last again and again */
    size_t reply_count, asked, assumed;
    Reply assume; /* body NULL: fresh keys of an hour */
    char last[8192], dates[8][32], folder[64];
    int done;
    AwsAnswer answer;
    char explanation[1024], body[256], code[128];
} World;

static void answer(Talk *talk, const Reply *reply) {
    OWN(text)
    char *text = text_format("HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", reply->status,
        reply->headers ? reply->headers : DATE, strlen(reply->body), reply->body);
    talk_say(talk, text);
}

static void assume(World *world, Talk *talk) {
    world->assumed++;
    if (world->assume.body) {
        answer(talk, &world->assume);
        return;
    }
    char end[TIME_TEXT_MAX];
    OWN(text)
    char *body = text_format(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>"
        "<AccessKeyId>ASIA%zu</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey><SessionToken>t0ken</SessionToken>"
        "<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        world->assumed, time_format(clock_wall_ms(world->clock) + 3600 * 1000, end));
    answer(talk, &(Reply){200, NULL, body});
}

static size_t serve(Talk *talk) {
    World *world = talk->server->ctx;
    const size_t length = http_request_length(talk);
    if (!length) return 0;
    if (strstr(talk->heard, "Action=AssumeRole&")) {
        snprintf(world->last, sizeof world->last, "%.*s", (int)length, talk->heard);
        assume(world, talk);
        return length;
    }
    snprintf(world->last, sizeof world->last, "%.*s", (int)length, talk->heard);
    const char *date = strstr(talk->heard, "X-Amz-Date: ");
    if (date && world->asked < 8) snprintf(world->dates[world->asked], sizeof world->dates[0], "%.16s", date + 12);
    const size_t at = world->asked < world->reply_count ? world->asked : world->reply_count - 1;
    world->asked++;
    if (world->replies[at].body) answer(talk, &world->replies[at]);
    return length;
}

static Snapshot *load(World *world, const char *aws) {
    static const SectionDescriptor *const sections[] = {&aws_section, NULL};
    static const SnapshotSchema schema = {sections, NULL}; /* lives as long as the snapshots */
    OWN(text) char *path = text_format("%s/tocsin.yaml", world->folder);
    OWN(problems) Problems *problems = problems_new();
    FILE *file = fopen(path, "w");
    fprintf(file, "aws:\n  region: eu-west-1\n  endpoint_url: http://127.0.0.1:%d\n%s", world->server.port, aws);
    fclose(file);
    Snapshot *snapshot = snapshot_load(&schema, path, false, problems);
    problems_print(problems, stderr);
    ck_assert_uint_eq(problems_errors(problems), 0);
    unlink(path);
    return snapshot;
}

#define CREDENTIAL_LINE \
    "Credential=AKID/20260102/eu-west-1/monitoring/aws4_request, " \
    "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
#define ROLES \
    "  accounts:\n    - {name: prod, role_arn: arn:aws:iam::111122223333:role/tocsin, external_id: ext, regions: " \
    "[eu-west-1, us-east-1]}\n"

static void begin(World *world, const char *aws, const Reply *replies, size_t count) {
    *world = (World){.replies = replies, .reply_count = count};
    snprintf(world->folder, sizeof world->folder, "/tmp/test_call.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->folder));
    setenv("HOME", world->folder, 1);
    uv_loop_init(&world->loop);
    world->clock = clock_new_virtual(NOW_MS);
    world->http = http_new(&world->loop, world->clock, NULL);
    world->aws = aws_new(&world->loop, world->http, world->clock, NULL);
    server_start(&world->server, &world->loop, serve, world);
    OWN(snapshot) Snapshot *snapshot = load(world, aws);
    aws_configure(world->aws, snapshot);
}

static void end(World *world) {
    aws_free(world->aws);
    http_free(world->http);
    server_stop(&world->server);
    while (world->server.open) uv_run(&world->loop, UV_RUN_ONCE);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    clock_free(world->clock);
    rmdir(world->folder);
}

static void done(void *ctx, const AwsAnswer *got) {
    World *world = ctx;
    world->done++;
    world->answer = *got;
    snprintf(world->explanation, sizeof world->explanation, "%s", got->explanation);
    snprintf(world->body, sizeof world->body, "%s", got->body);
    snprintf(world->code, sizeof world->code, "%s", got->code);
    uv_stop(&world->loop);
}

static const AwsCall metric_call = {.account = "default",
    .region = "eu-west-1",
    .service = AWS_MONITORING,
    .operation = "GetMetricData",
    .action = "cloudwatch:GetMetricData",
    .body = "{}",
    .body_length = 2,
    .billed_units = 3};

static void call(World *world, AwsCall what, int count) {
    const int before = world->done;
    for (int i = 0; i < count; i++) aws_call(world->aws, &what, done, world);
    ck_assert_int_eq(world->done, before); /* never inside */
    while (world->done < before + count) uv_run(&world->loop, UV_RUN_DEFAULT);
}

static AwsCall prod(void) {
    AwsCall what = metric_call;
    what.account = "prod";
    return what;
}

static void static_keys(void) {
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "topsecret", 1);
}

#define MESSAGE(code, message) "{\"__type\":\"com.amazonaws.x#" code ":http://y\",\"message\":\"" message "\"}"
static const Reply fine = {200, NULL, "{\"ok\":1}"};

static const struct Case {
    const char *name;
    Reply replies[3];
    size_t count;
    bool single_try;
    AwsClass class;
    int attempts;
    const char *explanation; /* a part of it */
} cases[] = {
    {"fine", {{200, NULL, "{}"}}, 1, false, AWS_FINE, 1, ""},
    {"throttled once", {{400, NULL, MESSAGE("Throttling", "Rate exceeded")}, {200, NULL, "{}"}}, 2, false, AWS_FINE, 2,
        ""},
    {"throttled, and the caller retries", {{400, NULL, MESSAGE("Throttling", "Rate exceeded")}}, 1, true, AWS_THROTTLED,
        1, "Rate exceeded"},
    {"asked to wait too long", {{503, DATE "Retry-After: 61\r\n", "{}"}}, 1, false, AWS_TRANSIENT, 1, "status 503"},
    {"html of a proxy", {{502, NULL, "<html>Bad gateway"}, {200, NULL, "{}"}}, 2, false, AWS_FINE, 2, ""},
    {"denied",
        {{400, NULL,
            MESSAGE("AccessDenied",
                "User: arn:x is not authorized to perform: cloudwatch:GetMetricData because no identity-based policy "
                "allows the cloudwatch:GetMetricData action")}},
        1, false, AWS_DENIED, 1,
        "account default (eu-west-1): not allowed to call cloudwatch:GetMetricData on * because no identity-based "
        "policy allows it "
        "(add cloudwatch:GetMetricData to the policy of the role or user)"},
    {"denied without words", {{403, NULL, MESSAGE("AccessDeniedException", "")}}, 1, false, AWS_DENIED, 1,
        "not allowed to call cloudwatch:GetMetricData on *"},
    {"keys refused, and there are no others", {{403, NULL, MESSAGE("UnrecognizedClientException", "x")}}, 1, false,
        AWS_BAD_KEYS, 1, "does not know these credentials"},
    {"our clock",
        {{403, "Date: Fri, 02 Jan 2026 03:24:05 GMT\r\n",
             MESSAGE("InvalidSignatureException", "Signature expired: a is now earlier than b")},
            {200, "Date: Fri, 02 Jan 2026 03:24:05 GMT\r\n", "{}"}},
        2, false, AWS_FINE, 2, ""},
    {"our clock, in a body without words",
        {{403, "Date: Fri, 02 Jan 2026 02:34:05 GMT\r\n", ""}, {200, "Date: Fri, 02 Jan 2026 02:34:05 GMT\r\n", "{}"}},
        2, false, AWS_FINE, 2, ""},
    {"another day's clock", {{403, "Date: Fri, 02 Jan 2024 03:24:05 GMT\r\n", MESSAGE("RequestTimeTooSkewed", "")}}, 1,
        false, AWS_CLOCK, 1, "clock"},
    {"wrong secret",
        {{403, NULL, MESSAGE("SignatureDoesNotMatch", "The request signature we calculated does not match")}}, 1, false,
        AWS_SIGNATURE, 1, "does not belong"},
    {"invalid", {{400, NULL, MESSAGE("InvalidParameterValueException", "bad period")}}, 1, false, AWS_VALIDATION, 1,
        "bad period"},
    {"nothing", {{400, NULL, ""}}, 1, false, AWS_OTHER, 1, "status 400"},
};

START_TEST(answers) {
    const struct Case *c = &cases[_i];
    World world;
    static_keys();
    begin(&world, "", c->replies, c->count);
    AwsCall what = metric_call;
    what.single_try = c->single_try;
    call(&world, what, 1);
    ck_assert_msg(
        world.answer.class == c->class, "%s: %s: %s", c->name, aws_class_word(world.answer.class), world.explanation);
    ck_assert_msg(world.answer.attempts == c->attempts, "%s: %d attempts", c->name, world.answer.attempts);
    ck_assert_msg(strstr(world.explanation, c->explanation) && (*c->explanation || !*world.explanation), "%s: %s",
        c->name, world.explanation);
    ck_assert_msg(strstr(world.last, "topsecret") == NULL && strstr(world.explanation, "AKID") == NULL, "%s", c->name);
    ck_assert(aws_ledger(world.aws).calls == c->attempts && aws_ledger(world.aws).billed_metrics == 3 * c->attempts);
    if (c->class == AWS_FINE && c->replies[0].status == 403)
        ck_assert_str_ne(world.dates[0], world.dates[1]); /* signed anew */
    end(&world);
}
END_TEST

START_TEST(what_is_sent) {
    World world;
    static_keys();
    setenv("AWS_SESSION_TOKEN", "sess10n", 1);
    begin(&world, "", &fine, 1);
    call(&world, metric_call, 1);
    static const char *const wanted[] = {"POST / HTTP/1.1\r\n", "\r\nContent-Type: application/x-amz-json-1.0\r\n",
        "\r\nX-Amz-Date: 20260102T030405Z\r\n", "\r\nX-Amz-Target: GraniteServiceVersion20100801.GetMetricData\r\n",
        "\r\nx-amzn-query-mode: true\r\n", "\r\nX-Amz-Security-Token: sess10n\r\n", CREDENTIAL_LINE, "\r\n\r\n{}"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        ck_assert_msg(strstr(world.last, wanted[i]) != NULL, "%s in %s", wanted[i], world.last);
    ck_assert_str_eq(world.body, "{\"ok\":1}");
    unsetenv("AWS_SESSION_TOKEN");
    end(&world);
}
END_TEST

START_TEST(skew_is_learnt) {
    static const Reply late = {200, "Date: Fri, 02 Jan 2026 03:05:05 GMT\r\n", "{}"};
    World world;
    static_keys();
    begin(&world, "", &late, 1);
    ck_assert_int_eq(aws_skew_ms(world.aws), 0);
    call(&world, metric_call, 1);
    ck_assert_int_eq(aws_skew_ms(world.aws), 60500);
    ck_assert_int_eq(aws_now_ms(world.aws), NOW_MS + 60500);
    end(&world);
}
END_TEST

START_TEST(one_role_for_all_who_ask) {
    World world;
    static_keys();
    begin(&world, ROLES, &fine, 1);
    call(&world, prod(), 5);
    ck_assert(world.answer.class == AWS_FINE && world.assumed == 1 && world.asked == 5);
    ck_assert_msg(
        strstr(world.last, "Credential=ASIA1/") && strstr(world.last, "X-Amz-Security-Token: t0ken"), "%s", world.last);
    ck_assert_str_eq(aws_account_id(world.aws, "prod"), "111122223333");
    clock_advance(world.clock, 46 * 60 * 1000); /* a quarter hour before the end: beside the work */
    call(&world, prod(), 1);
    while (world.assumed < 2) uv_run(&world.loop, UV_RUN_ONCE);
    call(&world, prod(), 1);
    ck_assert_msg(world.assumed == 2 && strstr(world.last, "Credential=ASIA2/"), "%s", world.last);
    OWN(snapshot) Snapshot *again = load(&world, ROLES);
    aws_configure(world.aws, again); /* a reload keeps the keys */
    call(&world, prod(), 1);
    ck_assert_uint_eq(world.assumed, 2);
    end(&world);
}
END_TEST

START_TEST(expired_role_is_assumed_again_once) {
    static const Reply replies[] = {{400, NULL, MESSAGE("ExpiredTokenException", "expired")}, {200, NULL, "{}"},
        {400, NULL, MESSAGE("ExpiredTokenException", "expired")}};
    World world;
    static_keys();
    begin(&world, ROLES, replies, 3);
    call(&world, prod(), 1);
    ck_assert(world.answer.class == AWS_FINE && world.assumed == 2 && world.answer.attempts == 2);
    call(&world, prod(), 1); /* within the minute: no storm of AssumeRole */
    ck_assert(world.answer.class == AWS_EXPIRED && world.assumed == 2);
    end(&world);
}
END_TEST

/* STS hands out the same keys until they have ended: that is told, and is no answer of AWS. */
START_TEST(keys_that_ended_are_no_answer) {
    static const Reply undated = {200, "", "{}"};
    char end_time[TIME_TEXT_MAX];
    World world;
    static_keys();
    begin(&world, ROLES, &undated, 1);
    OWN(text)
    char *same =
        text_format("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>"
                    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>"
                    "</Credentials></AssumeRoleResult></AssumeRoleResponse>",
            time_format(clock_wall_ms(world.clock) + 3600 * 1000, end_time));
    world.assume = (Reply){200, "", same};
    call(&world, prod(), 1);
    ck_assert_int_eq(world.answer.class, AWS_FINE);
    clock_advance(world.clock, 3570 * 1000);
    call(&world, prod(), 1);
    ck_assert(world.answer.class == AWS_FINE && world.assumed == 2);
    clock_advance(world.clock, 31 * 1000);
    call(&world, prod(), 1);
    ck_assert_int_eq(world.answer.class, AWS_NO_CREDENTIALS);
    ck_assert_msg(strstr(world.explanation, "the keys have ended") != NULL, "%s", world.explanation);
    end(&world);
}
END_TEST

START_TEST(role_denied) {
    World world;
    static_keys();
    begin(&world, ROLES, &fine, 1);
    world.assume = (Reply){403, NULL, XML_DENIED};
    call(&world, prod(), 1);
    ck_assert(world.answer.class == AWS_DENIED && world.asked == 0 && world.assumed == 1);
    ck_assert_msg(
        strstr(world.explanation,
            "account prod (eu-west-1): not allowed to call sts:AssumeRole on arn:aws:iam::111122223333:role/tocsin"),
        "%s", world.explanation);
    ck_assert(
        strstr(world.last, "&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Ftocsin&RoleSessionName=tocsin-") &&
        strstr(world.last, "&ExternalId=ext"));
    call(&world, prod(), 1);
    ck_assert_uint_eq(world.assumed, 1); /* not within the minute */
    world.assume = (Reply){200, NULL, "<AssumeRoleResponse/>"};
    clock_advance(world.clock, 60000);
    call(&world, prod(), 1);
    ck_assert_msg(world.answer.class == AWS_TRANSIENT && world.assumed == 2, "%s", world.explanation);
    end(&world);
}
END_TEST

START_TEST(no_credentials) {
    World world;
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    begin(&world, ROLES, &fine, 1);
    call(&world, prod(), 1);
    ck_assert(world.answer.class == AWS_NO_CREDENTIALS && world.asked == 0);
    ck_assert_msg(strstr(world.explanation, "/.aws/credentials"), "%s", world.explanation);
    AwsCall what = metric_call;
    what.account = "nobody";
    call(&world, what, 1);
    ck_assert_msg(world.answer.class == AWS_NO_CREDENTIALS && strstr(world.explanation, "not in the configuration"),
        "%s", world.explanation);
    end(&world);
}
END_TEST

START_TEST(cancelled) {
    static const Reply silent = {200, NULL, NULL};
    World world;
    static_keys();
    begin(&world, ROLES, &silent, 1);
    aws_cancel(aws_call(world.aws, &metric_call, done, &world)); /* before its turn */
    ck_assert(world.done == 1 && world.answer.class == AWS_CANCELLED);
    AwsCall what = prod();
    AwsTicket *waiting = aws_call(world.aws, &what, done, &world);
    while (world.assumed == 0 && world.done == 1) uv_run(&world.loop, UV_RUN_ONCE);
    aws_cancel(waiting); /* while its keys are fetched */
    ck_assert_int_eq(world.done, 2);
    what.account = "";
    AwsTicket *asked = aws_call(world.aws, &what, done, &world);
    while (!world.asked) uv_run(&world.loop, UV_RUN_ONCE);
    aws_cancel(asked); /* while AWS thinks */
    ck_assert_int_eq(world.done, 3);
    aws_call(world.aws, &what, done, &world);
    end(&world); /* cancels the last */
    ck_assert_int_eq(world.done, 4);
}
END_TEST

START_TEST(too_long) {
    World world;
    static_keys();
    begin(&world, "", &fine, 1);
    AwsCall what = metric_call;
    what.body_max = 4;
    call(&world, what, 1);
    ck_assert_int_eq(world.answer.class, AWS_TOO_LONG);
    what.deadline_ms = 1; /* the virtual clock stands, the request's own does not */
    static const Reply silent = {200, NULL, NULL};
    world.replies = &silent;
    call(&world, what, 1);
    ck_assert_int_eq(world.answer.class, AWS_UNREACHABLE);
    end(&world);
}
END_TEST

/* CloudTrail's protocol is JSON 1.1, and its calls keep further apart than its quota asks. */
START_TEST(json_1_1) {
    static const Reply answer = {200, DATE, "{}"};
    const AwsCall lookup = {.account = "default",
        .region = "eu-west-1",
        .service = AWS_CLOUDTRAIL,
        .operation = "LookupEvents",
        .action = "cloudtrail:LookupEvents",
        .body = "{}",
        .body_length = 2};
    World world;
    static_keys();
    begin(&world, "", &answer, 1);
    call(&world, lookup, 1);
    ck_assert_ptr_nonnull(strstr(world.last, "\r\nContent-Type: application/x-amz-json-1.1\r\n"));
    ck_assert_ptr_nonnull(strcasestr(
        world.last, "\r\nX-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents\r\n"));
    const uint64_t before = uv_now(&world.loop);
    call(&world, lookup, 3);
    ck_assert_uint_ge(uv_now(&world.loop) - before, 1200);
    end(&world);
}
END_TEST

/* A rest-json operation is a path; its calls of an account and region keep apart, after a burst of two. */
START_TEST(rest_json) {
    static const Reply refused = {
        429, DATE "x-amzn-ErrorType: ThrottledException:http://x/\r\n", "{\"message\":\"slow\"}"};
    const AwsCall graph = {.account = "default",
        .region = "eu-west-1",
        .service = AWS_XRAY,
        .operation = "GetServiceGraph",
        .action = "xray:GetServiceGraph",
        .path = "/ServiceGraph",
        .body = "{}",
        .body_length = 2,
        .single_try = true};
    World world;
    static_keys();
    begin(&world, "", &refused, 1);
    call(&world, graph, 1);
    ck_assert_msg(strncmp(world.last, "POST /ServiceGraph HTTP/1.1\r\n", 29) == 0, "%s", world.last);
    ck_assert_ptr_nonnull(strstr(world.last, "\r\nContent-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(
        strstr(world.last, "/eu-west-1/xray/aws4_request, SignedHeaders=content-type;host;x-amz-date, "));
    ck_assert_ptr_null(strcasestr(world.last, "x-amz-target"));
    ck_assert_int_eq(world.answer.class, AWS_THROTTLED);
    ck_assert_str_eq(world.code, "ThrottledException");
    const uint64_t before = uv_now(&world.loop);
    call(&world, graph, 3); /* the virtual clock stands: the second of a burst, then turns of half a second */
    ck_assert_uint_ge(uv_now(&world.loop) - before, 900);
    aws_ledger_add_traces(world.aws, "default", "eu-west-1", 12);
    ck_assert(aws_ledger(world.aws).traces_scanned == 12);
    end(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, answers, 0, COUNT_OF(cases));
    tcase_add_test(tcase, what_is_sent);
    tcase_add_test(tcase, skew_is_learnt);
    tcase_add_test(tcase, one_role_for_all_who_ask);
    tcase_add_test(tcase, expired_role_is_assumed_again_once);
    tcase_add_test(tcase, keys_that_ended_are_no_answer);
    tcase_add_test(tcase, role_denied);
    tcase_add_test(tcase, no_credentials);
    tcase_add_test(tcase, cancelled);
    tcase_add_test(tcase, too_long);
    tcase_add_test(tcase, rest_json);
    tcase_add_test(tcase, json_1_1);
}

int main(void) {
    static const char *const unwanted[] = {"http_proxy", "all_proxy", "ALL_PROXY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"};
    for (size_t i = 0; i < COUNT_OF(unwanted); i++) unsetenv(unwanted[i]);
    signal(SIGPIPE, SIG_IGN);
    return run_tests("call", fill);
}
