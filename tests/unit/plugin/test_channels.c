/* The four built-in plugins, loaded as they are, through the real host: what they ask for and what they make of the
 * answer. */
#include "../run.h"
#include "world.h"

#include "aws/errors.h"
#include "base/alloc.h"
#include "base/digest.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct Bench {
    World world;
    Clock *clock;
    PluginHost *host;
    Snapshot *snapshot;
} Bench;

static char *yaml_of(const char *plugin, const char *keys) {
    return text_format("receivers: [{name: r, %s: {%s}}]\n", plugin, keys);
}

static void bench_init(Bench *bench, const char *plugin, const char *keys) {
    OWN(text) char *yaml = yaml_of(plugin, keys), *problems = NULL;
    world_init(&bench->world);
    bench->clock = clock_new();
    bench->host =
        plugin_host_new(&bench->world.loop, world_http(&bench->world), world_aws(&bench->world), bench->clock, NULL);
    bench->snapshot = world_load(BUILT_PLUGINS, yaml, false, &problems);
    ck_assert_str_eq(problems, "");
    Error err = {0};
    ck_assert_msg(plugin_host_configure(bench->host, bench->snapshot, &err), "%s", err.text);
}

static Told bench_deliver(Bench *bench, const char *plugin) {
    Told told = {0};
    OWN(text) char *message = world_notification(1, "firing");
    plugin_host_deliver(bench->host, "r", plugin, 0, message, world_told, &told);
    world_run_until_told(&bench->world, &told);
    return told;
}

static void bench_deinit(Bench *bench) {
    bench->host = plugin_host_free(bench->host);
    bench->snapshot = snapshot_free(bench->snapshot);
    bench->clock = clock_free(bench->clock);
    world_deinit(&bench->world);
}

/* --- check --- */

#define MAIL "to: a@b.org, from: t@b.org, smarthost: 'h:25'"
#define TOPIC "topic_arn: 'arn:aws:sns:eu-west-1:111122223333:oncall'"
static const struct Bad {
    const char *plugin, *keys, *want; /* the problem, without its place */
} bad[] = {
    {"webhook", "", "`url` is missing"},
    {"webhook", "url: 'https://a.org', url_file: address", "url and url_file are both given"},
    {"webhook", "url: 'ftp://a.org'", ""},
    {"webhook", "url: 'https://u:p@a.org'", ""},
    {"webhook", "format: slack", "`url` is missing"},
    {"webhook", "format: pagerduty", "`format: pagerduty` needs routing_key_file"},
    {"webhook", "url: 'https://a.org', routing_key_file: secret", "routing_key_file belongs to `format: pagerduty`"},
    {"webhook", "format: pagerduty, routing_key_file: secret, hmac_secret_file: secret",
        "PagerDuty looks at no signature"},
    {"webhook", "url: 'https://a.org:9093', format: alertmanager_api",
        "an Alertmanager takes alerts at /api/v2/alerts"},
    {"webhook", "url: 'https://a.org', format: template", "`format: template` needs template"},
    {"webhook", "url: 'https://a.org', format: template, template: '{{'", "the template, it is no JSON"},
    {"webhook", "url: 'https://a.org', format: template, template: \"[\\n'{{ subject }}']\"",
        "the template, it is no JSON"},
    {"webhook", "url: 'https://a.org', format: template, template: '[\"{{ x }}\"]'",
        "the template, line 1, column 3: no value is named `x`"},
    {"webhook", "url: 'https://a.org', format: slak", ""},
    {"webhook", "url: 'https://a.org', template: '1'", "template belongs to `format: template`"},
    {"webhook", "url: 'https://a.org', timeout: 2m", "timeout is out of range"},
    {"webhook", "url: 'https://a.org', headers: {'a b': x}", "that is no header's name"},
    {"webhook", "url: 'https://a.org', headers: {Host: x}", "this header is Tocsin's own"},
    {"webhook", "url: 'https://a.org', headers: {X: \"a\\r\\nb\"}", ""},
    {"webhook", "url: 'https://a.org', cert_file: /x", "cert_file and key_file go together"},
    {"webhook", "url: 'https://a.org', bearer_token_file: secret, headers: {authorization: x}",
        "more than one way to log in"},
    {"webhook", "url: 'https://a.org', basic_auth: {username: x}", "`basic_auth.password_file` is missing"},
    {"sns", "", "`topic_arn` is missing"},
    {"sns", TOPIC ", phone_number: '+441234'", "topic_arn and phone_number are both given"},
    {"sns", "topic_arn: 'arn:aws:sqs:eu-west-1:111122223333:oncall'", "that is no topic's ARN"},
    {"sns", "topic_arn: 'arn:aws:sns:eu-west-1:11112222333:oncall'", "that is no topic's ARN"},
    {"sns", "topic_arn: 'arn:aws:sns:eu-west-1:111122223333:on/call'", "that is no topic's ARN"},
    {"sns", "topic_arn: arn", "that is no topic's ARN"},
    {"sns", TOPIC ", region: us-east-1", "the topic is in another region"},
    {"sns", TOPIC ", message_group_id: g", "this topic is no FIFO topic"},
    {"sns", "phone_number: '0441234'", "that is no phone number"},
    {"sns", "phone_number: '+4412345678901234'", "that is no phone number"},
    {"sns", "phone_number: '+441234', region: 'a.evil.org/'", "that is no region"},
    {"sns", "phone_number: '+441234', account: nobody", "no account is named `nobody`"},
    {"email", "", "`to` is missing"},
    {"email", "to: [], from: t@b.org, smarthost: 'h:25'", "nobody gets this mail"},
    {"email", "to: a, from: t@b.org, smarthost: 'h:25'", "that is no mail address"},
    {"email", "to: a@b.org, from: 't@b.org>', smarthost: 'h:25'", "that is no mail address"},
    {"email", "to: a@b.org, from: t@b.org, smarthost: h", "smarthost must be a host and a port"},
    {"email", MAIL ", username: u", "username has no password_file beside it"},
    {"email", MAIL ", password_file: secret", "password_file has no username beside it"},
    {"email", MAIL ", auth: plain", "auth has no username beside it"},
    {"email", MAIL ", headers: {Subject: x}", "this header is Tocsin's own, or no header's name"},
    {"email", MAIL ", headers: {'X: y': x}", "this header is Tocsin's own, or no header's name"},
    {"email", MAIL ", subject: '{{ .Status }}'", "templates do not exist in this version of Tocsin"},
    {"exec", "", "`command` is missing"},
    {"exec", "command: []", "command is empty"},
    {"exec", "command: [bin/page]", "the program's path is relative"},
    {"exec", "command: [page], environment: {'1A': x}", "that is no variable's name"},
    {"exec", "command: [page], timeout: 0s", "timeout is out of range"},
};

START_TEST(a_bad_configuration_is_refused) {
    OWN(text) char *yaml = yaml_of(bad[_i].plugin, bad[_i].keys), *problems = NULL;
    snapshot_free(world_load(BUILT_PLUGINS, yaml, true, &problems));
    ck_assert_msg(strstr(problems, "error: ") && strstr(problems, bad[_i].want), "%s {%s} gave: %s", bad[_i].plugin,
        bad[_i].keys, problems);
}
END_TEST

/* --- what is sent --- */

static const struct Sent {
    const char *plugin, *keys, *asked; /* every line of `asked` must be among what was asked for */
} sent[] = {
    {"webhook", "url: 'https://a.org/x'",
        "POST\nurl https://a.org/x\nContent-Type: application/json\nUser-Agent: Tocsin\n"
        "Idempotency-Key: 7f0c1b9e-1111-4222-8333-444455556666\nguard 1 keep 8192 1 timeout 30000\n"},
    {"webhook", "url_file: address, bearer_token_file: secret, timeout: 5s, ca_file: /ca",
        "url_secret https://example.org/s3cret\nAuthorization: Bearer hush\nca_file /ca\nguard 1 keep 8192 1 timeout "
        "5000\n"},
    {"webhook",
        "url: 'https://a.org', headers: {content-type: text/x, X-A: b}, basic_auth: {username: u, password_file: "
        "secret}",
        "content-type: text/x\nX-A: b\nusername u\npassword hush\n"},
    {"webhook", "url_file: address, format: slack, proxy_url: 'http://p:1', cert_file: /c, key_file: /k",
        "url_secret https://example.org/s3cret\ncert_file /c\nkey_file /k\nproxy_url http://p:1\n"},
    {"webhook", "format: pagerduty, routing_key_file: secret", "url https://events.pagerduty.com/v2/enqueue\n"},
    {"webhook", "format: pagerduty, routing_key_file: secret, url: 'https://events.eu.pagerduty.com/v2/enqueue'",
        "url https://events.eu.pagerduty.com/v2/enqueue\n"},
    {"webhook", "format: pagerduty, routing_key_file: secret, url_file: address",
        "url_secret https://example.org/s3cret\n"},
    {"sns", TOPIC, "(base) eu-west-1 Publish sns:Publish single 1\n"},
    {"sns", TOPIC ", account: prod", "prod eu-west-1 Publish sns:Publish single 1\n"},
    {"sns", "phone_number: '+441234'", "(base) eu-central-1 Publish sns:Publish single 1\n"},
    {"sns", "phone_number: '+441234', region: us-west-2", "(base) us-west-2 Publish sns:Publish single 1\n"},
    {"email", MAIL, "h:25 implicit 0 require 1\nfrom t@b.org\nto a@b.org\n"},
    {"email",
        "to: [a@b.org, 'Who <w@b.org>'], cc: c@b.org, from: 'T <t@b.org>', smarthost: 'h:465', username: u, "
        "password_file: secret, auth: login, require_tls: false",
        "h:465 implicit 1 require 0\nfrom t@b.org\nto a@b.org\nto w@b.org\nto c@b.org\nusername u\npassword hush\nauth "
        "login\n"},
};

START_TEST(what_is_asked_for) {
    Bench bench;
    bench_init(&bench, sent[_i].plugin, sent[_i].keys);
    bench.world.http = (HttpAnswer){.outcome = HTTP_ANSWERED, .status = 200};
    bench_deliver(&bench, sent[_i].plugin);
    for (const char *line = sent[_i].asked; *line; line += strcspn(line, "\n") + 1) {
        OWN(text) char *one = text_copy_length(line, strcspn(line, "\n") + 1);
        ck_assert_msg(strstr(bench.world.asked, one), "no `%s` in: %s", one, bench.world.asked);
    }
    OWN(text) char *first = text_copy(bench.world.body);
    bench_deliver(&bench, sent[_i].plugin);
    ck_assert_str_eq(bench.world.body, first); /* I2: a retry sends the same bytes */
    bench_deinit(&bench);
}
END_TEST

/* openssl dgst -sha256 -hmac hush over `1767323345.BODY` gives what the header must hold. */
START_TEST(a_body_is_signed) {
    Bench bench;
    bench_init(&bench, "webhook", "url: 'https://a.org', hmac_secret_file: secret");
    bench.world.http = (HttpAnswer){.outcome = HTTP_ANSWERED, .status = 204};
    const Told told = bench_deliver(&bench, "webhook");
    ck_assert_int_eq(told.outcome, PLUGIN_DELIVERED);
    OWN(text) char *text = text_format("1767323345.%s", bench.world.body);
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    hmac_sha256("hush", 4, text, strlen(text), digest);
    OWN(text)
    char *want = text_format("X-Tocsin-Signature: t=1767323345,v1=%s\n", hex_format(digest, sizeof digest, hex));
    ck_assert_msg(strstr(bench.world.asked, want), "no %s in %s", want, bench.world.asked);
    bench_deinit(&bench);
}
END_TEST

/* --- what becomes of the answers (I4) --- */

/* The key's bytes never reach the plugin: the host puts them into the body. */
START_TEST(a_body_holds_its_secret) {
    Bench bench;
    bench_init(&bench, "webhook", "format: pagerduty, routing_key_file: odd");
    bench.world.http = (HttpAnswer){.outcome = HTTP_ANSWERED, .status = 202};
    ck_assert_int_eq(bench_deliver(&bench, "webhook").outcome, PLUGIN_DELIVERED);
    const char *head = "{\"routing_key\":\"a\\\"b\\\\\",\"client\":\"Tocsin\",";
    ck_assert_msg(strncmp(bench.world.body, head, strlen(head)) == 0, "%s", bench.world.body);
    bench_deinit(&bench);
}
END_TEST

/* Several requests, one outcome: a refusal stops no other alert, a wish to wait stops the rest. */
static const struct Several {
    int statuses[4]; /* what each request is answered in turn; the last one stands for the rest */
    int64_t retry_after_ms;
    PluginOutcome outcome;
    const char *detail;
    int64_t want_after_ms;
    int min_requests, max_requests;
} several[] = {
    {{202, 202, 202, 202}, 0, PLUGIN_DELIVERED, "HTTP 202", 0, 9, 9},
    {{202, 400, 202, 202}, 0, PLUGIN_REFUSED, "HTTP 400", 0, 9, 9},
    {{400, 429, 202, 202}, 0, PLUGIN_RETRY, "HTTP 429", 60000, 4, 5},
    {{429, 429, 429, 429}, 7000, PLUGIN_RETRY, "HTTP 429", 7000, 4, 4},
    {{500, 202, 202, 202}, 0, PLUGIN_RETRY, "HTTP 500", 0, 4, 4},
};

START_TEST(several_requests_have_one_outcome) {
    const struct Several *c = &several[_i];
    Bench bench;
    bench_init(&bench, "webhook", "format: pagerduty, routing_key_file: secret");
    for (size_t i = 0; i < COUNT_OF(c->statuses); i++) {
        bench.world.script[i] =
            (HttpAnswer){.outcome = HTTP_ANSWERED, .status = c->statuses[i], .retry_after_ms = c->retry_after_ms};
        bench.world.scripted = i + 1;
    }
    Told told = {0};
    OWN(text) char *message = world_notification(9, "firing");
    plugin_host_deliver(bench.host, "r", "webhook", 0, message, world_told, &told);
    world_run_until_told(&bench.world, &told);
    ck_assert_int_eq(told.outcome, c->outcome);
    ck_assert_str_eq(told.detail, c->detail);
    ck_assert_int_eq(told.retry_after_ms, c->want_after_ms);
    ck_assert_int_ge(bench.world.requests, c->min_requests);
    ck_assert_int_le(bench.world.requests, c->max_requests);
    ck_assert_int_eq(told.count, 1);
    bench_deinit(&bench);
}
END_TEST

static const struct Wish {
    const char *plugin, *keys;
    PluginRest want;
} rest_wishes[] = {
    {"webhook", "url: 'https://a.org'", PLUGIN_REST_NONE},
    {"webhook", "url: 'https://a.org', format: slack", PLUGIN_REST_NONE},
    {"webhook", "format: pagerduty, routing_key_file: secret", PLUGIN_REST_CHANGED},
    {"webhook", "url: 'https://a.org/api/v2/alerts', format: alertmanager_api", PLUGIN_REST_ALL},
    {"email", MAIL, PLUGIN_REST_NONE},
    {"exec", "command: [sh]", PLUGIN_REST_NONE},
};

START_TEST(who_wants_the_rest) {
    const struct Wish *c = &rest_wishes[_i];
    Bench bench;
    bench_init(&bench, c->plugin, c->keys);
    ck_assert_int_eq(plugin_host_rest(bench.host, "r", c->plugin, 0), c->want);
    bench_deinit(&bench);
}
END_TEST

static int requests_of(Bench *bench, const char *message, PluginOutcome want, bool went_on) {
    const int before = bench->world.requests;
    Told told = {0};
    plugin_host_deliver(bench->host, "r", "webhook", 0, message, world_told, &told);
    world_run_until_told(&bench->world, &told);
    ck_assert_int_eq(told.outcome, want);
    ck_assert_int_eq(told.went_on, went_on);
    return bench->world.requests - before;
}

/* A receiver that takes few at once gets to the last of many, in a few tries. */
START_TEST(a_retry_sends_what_was_not_taken) {
    static const int statuses[] = {202, 202, 429, 202};
    Bench bench;
    bench_init(&bench, "webhook", "format: pagerduty, routing_key_file: secret");
    bench.world.scripted = COUNT_OF(statuses);
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        bench.world.script[i] = (HttpAnswer){.outcome = HTTP_ANSWERED, .status = statuses[i]};
    OWN(text) char *message = world_notification(20, "firing"), *other = world_notification(3, "firing");
    const int first = requests_of(&bench, message, PLUGIN_RETRY, true);
    ck_assert_int_lt(first, 20);
    ck_assert_int_eq(
        requests_of(&bench, message, PLUGIN_DELIVERED, false), 20 - (first - 1)); /* all but one were taken */
    ck_assert_int_eq(requests_of(&bench, message, PLUGIN_DELIVERED, false), 20); /* that one is over: this is another */
    bench.world.scripted = 0;
    bench.world.http = (HttpAnswer){.outcome = HTTP_ANSWERED, .status = 429};
    requests_of(&bench, other, PLUGIN_RETRY, false);
    bench.world.http.status = 202;
    ck_assert_int_eq(requests_of(&bench, message, PLUGIN_DELIVERED, false), 20); /* of the same id, and yet another */
    bench_deinit(&bench);
}
END_TEST

static const struct Reply {
    HttpAnswer answer;
    PluginOutcome outcome;
    const char *detail;
} replies[] = {
    {{.outcome = HTTP_ANSWERED, .status = 200, .body = "ok\nmore", .body_length = 7}, PLUGIN_DELIVERED, "HTTP 200: ok"},
    {{.outcome = HTTP_ANSWERED, .status = 202}, PLUGIN_DELIVERED, "HTTP 202"},
    {{.outcome = HTTP_ANSWERED, .status = 302, .location = "else.org"}, PLUGIN_REFUSED,
        "HTTP 302: the receiver has moved to else.org; redirects are not followed (give that address as url)"},
    {{.outcome = HTTP_ANSWERED, .status = 400, .body = "no\x1b[2J", .body_length = 6}, PLUGIN_REFUSED,
        "HTTP 400: no [2J"},
    {{.outcome = HTTP_ANSWERED, .status = 401}, PLUGIN_REFUSED, "HTTP 401"},
    {{.outcome = HTTP_ANSWERED, .status = 408}, PLUGIN_RETRY, "HTTP 408"},
    {{.outcome = HTTP_ANSWERED, .status = 425}, PLUGIN_RETRY, "HTTP 425"},
    {{.outcome = HTTP_ANSWERED, .status = 429, .retry_after_ms = 7000}, PLUGIN_RETRY, "HTTP 429"},
    {{.outcome = HTTP_ANSWERED, .status = 500}, PLUGIN_RETRY, "HTTP 500"},
    {{.outcome = HTTP_ANSWERED, .status = 599}, PLUGIN_RETRY, "HTTP 599"},
    {{.outcome = HTTP_ANSWERED, .status = 101}, PLUGIN_REFUSED, "HTTP 101"},
    {{.outcome = HTTP_FAILED, .error = "connection refused"}, PLUGIN_RETRY, "connection refused"},
    {{.outcome = HTTP_TIMED_OUT}, PLUGIN_RETRY, "no answer in time"},
    {{.outcome = HTTP_REFUSED, .error = "link-local"}, PLUGIN_REFUSED, "link-local"},
};

START_TEST(webhook_answers) {
    Bench bench;
    bench_init(&bench, "webhook", "url: 'https://a.org'");
    bench.world.http = replies[_i].answer;
    const Told told = bench_deliver(&bench, "webhook");
    ck_assert_int_eq(told.outcome, replies[_i].outcome);
    ck_assert_str_eq(told.detail, replies[_i].detail);
    ck_assert_int_eq(told.retry_after_ms, replies[_i].answer.retry_after_ms);
    bench_deinit(&bench);
}
END_TEST

/* A receiver that repeats what it was sent: the login of `u`, whose password is hush, and the address in a file. */
static const struct Echo {
    const char *body, *detail;
} echoes[] = {
    {"you said hush, hush", "HTTP 400: you said [secret], [secret]"},
    {"Authorization: Basic dTpodXNo", "HTTP 400: Authorization: Basic dTp[secret]"},
    {"aHVzaA==", "HTTP 400: [secret]A=="},
    {"no route https://example.org/s3cret", "HTTP 400: no route [secret]"},
    {"no route /s3cret here", "HTTP 400: no route [secret] here"},
    {"husk", "HTTP 400: husk"},
};

START_TEST(what_a_receiver_repeats_holds_no_secret) {
    Bench bench;
    bench_init(&bench, "webhook", "url_file: address, basic_auth: {username: u, password_file: secret}");
    bench.world.http = (HttpAnswer){
        .outcome = HTTP_ANSWERED, .status = 400, .body = echoes[_i].body, .body_length = strlen(echoes[_i].body)};
    const Told told = bench_deliver(&bench, "webhook");
    ck_assert_str_eq(told.detail, echoes[_i].detail);
    bench_deinit(&bench);
}
END_TEST

static const char *const some[] = {"x@b.org", NULL};
static const struct Posted {
    MailAnswer answer;
    PluginOutcome outcome;
    const char *detail;
} posted[] = {
    {{.outcome = HTTP_ANSWERED, .code = 250, .accepted = true}, PLUGIN_DELIVERED, "h took it (250)"},
    {{.outcome = HTTP_ANSWERED, .code = 250, .accepted = true, .refused = some, .error = "550 no such user"},
        PLUGIN_DELIVERED, "h took it (250), but not for x@b.org: 550 no such user"},
    {{.outcome = HTTP_ANSWERED, .code = 550, .error = "550 no such user"}, PLUGIN_REFUSED,
        "h refused it (550): 550 no such user"},
    {{.outcome = HTTP_ANSWERED, .code = 451, .error = "451 later"}, PLUGIN_RETRY,
        "h cannot take it now (451): 451 later"},
    {{.outcome = HTTP_ANSWERED, .code = 535, .login_refused = true, .error = "535 bad"}, PLUGIN_RETRY,
        "h refused the login (535): 535 bad (check username and password_file)"},
    {{.outcome = HTTP_FAILED, .error = "TLS failed"}, PLUGIN_RETRY, "h: TLS failed"},
    {{.outcome = HTTP_TIMED_OUT}, PLUGIN_RETRY, "h: no answer came"},
};

START_TEST(mail_answers) {
    Bench bench;
    bench_init(&bench, "email", MAIL);
    bench.world.mail = posted[_i].answer;
    const Told told = bench_deliver(&bench, "email");
    ck_assert_int_eq(told.outcome, posted[_i].outcome);
    ck_assert_str_eq(told.detail, posted[_i].detail);
    bench_deinit(&bench);
}
END_TEST

static const struct Published {
    AwsAnswer answer;
    PluginOutcome outcome;
    const char *detail, *receipt;
} published[] = {
    {{.class = AWS_FINE, .status = 200, .body = "<P><MessageId>94f20ce6-1</MessageId></P>", .body_length = 40},
        PLUGIN_DELIVERED, "SNS took it as 94f20ce6-1", "{\"message_id\":\"94f20ce6-1\"}"},
    {{.class = AWS_FINE, .status = 200, .body = "<html/>", .body_length = 7}, PLUGIN_RETRY,
        "SNS answered without a MessageId", ""},
    {{.class = AWS_THROTTLED,
         .status = 400,
         .code = "Throttling",
         .message = "Rate exceeded",
         .explanation = "throttled"},
        PLUGIN_RETRY, "throttled; Throttling: Rate exceeded", ""},
    {{.class = AWS_TRANSIENT, .status = 500}, PLUGIN_RETRY, "SNS refused it", ""},
    {{.class = AWS_EXPIRED, .status = 403}, PLUGIN_RETRY, "SNS refused it", ""},
    {{.class = AWS_BAD_KEYS, .status = 403}, PLUGIN_RETRY, "SNS refused it", ""},
    {{.class = AWS_CLOCK, .status = 403}, PLUGIN_RETRY, "SNS refused it", ""},
    {{.class = AWS_NO_CREDENTIALS, .explanation = "no credentials"}, PLUGIN_RETRY, "no credentials", ""},
    {{.class = AWS_UNREACHABLE, .explanation = "cannot be reached"}, PLUGIN_RETRY, "cannot be reached", ""},
    {{.class = AWS_DENIED,
         .status = 403,
         .code = "AuthorizationError",
         .message = "not you",
         .explanation = "add sns:Publish"},
        PLUGIN_REFUSED, "add sns:Publish; AuthorizationError: not you", ""},
    {{.class = AWS_VALIDATION, .status = 400, .code = "InvalidParameter", .message = "TopicArn"}, PLUGIN_REFUSED,
        "SNS refused it; InvalidParameter: TopicArn", ""},
    {{.class = AWS_NOT_FOUND, .status = 404, .code = "NotFound"}, PLUGIN_REFUSED, "SNS refused it; NotFound", ""},
};

START_TEST(sns_answers) {
    Bench bench;
    bench_init(&bench, "sns", TOPIC);
    bench.world.aws = published[_i].answer;
    const Told told = bench_deliver(&bench, "sns");
    ck_assert_msg(told.outcome == published[_i].outcome, "case %d: outcome %d", _i, told.outcome);
    ck_assert_str_eq(told.detail, published[_i].detail);
    ck_assert_str_eq(told.receipt, published[_i].receipt);
    bench_deinit(&bench);
}
END_TEST

/* SNS's own errors and those of all AWS services, as they come: what I4 says of each. Source: Amazon SNS API Reference,
 * "Publish" and "Common Error Types". */
static const struct SnsError {
    long status;
    const char *code; /* "": a body that is no error */
    PluginOutcome outcome;
} sns_errors[] = {
    {400, "Throttling", PLUGIN_RETRY},
    {400, "ThrottlingException", PLUGIN_RETRY},
    {429, "Throttled", PLUGIN_RETRY},
    {400, "KMSThrottling", PLUGIN_RETRY},
    {400, "KMSThrottlingException", PLUGIN_RETRY},
    {500, "InternalError", PLUGIN_RETRY},
    {500, "InternalFailure", PLUGIN_RETRY},
    {503, "ServiceUnavailable", PLUGIN_RETRY},
    {408, "RequestTimeoutException", PLUGIN_RETRY},
    {403, "ExpiredToken", PLUGIN_RETRY},
    {403, "ExpiredTokenException", PLUGIN_RETRY},
    {403, "InvalidClientTokenId", PLUGIN_RETRY},
    {403, "UnrecognizedClientException", PLUGIN_RETRY},
    {403, "InvalidSecurity", PLUGIN_RETRY},
    {403, "SignatureDoesNotMatch", PLUGIN_REFUSED}, /* the secret does not fit the key: no retry mends it */
    {400, "RequestExpired", PLUGIN_RETRY},
    {403, "RequestTimeTooSkewed", PLUGIN_RETRY},
    {403, "AuthorizationError", PLUGIN_REFUSED},
    {403, "AccessDeniedException", PLUGIN_REFUSED},
    {400, "EndpointDisabled", PLUGIN_REFUSED},
    {400, "PlatformApplicationDisabled", PLUGIN_REFUSED},
    {400, "InvalidParameter", PLUGIN_REFUSED},
    {400, "ParameterValueInvalid", PLUGIN_REFUSED},
    {400, "InvalidParameterValue", PLUGIN_REFUSED},
    {400, "ValidationException", PLUGIN_REFUSED},
    {404, "NotFound", PLUGIN_REFUSED},
    {400, "KMSAccessDenied", PLUGIN_REFUSED},
    {400, "KMSDisabled", PLUGIN_REFUSED},
    {400, "KMSInvalidState", PLUGIN_REFUSED},
    {400, "KMSNotFound", PLUGIN_REFUSED},
    {403, "KMSOptInRequired", PLUGIN_REFUSED},
    {403, "OptInRequired", PLUGIN_REFUSED},
    {413, "RequestEntityTooLarge", PLUGIN_REFUSED},
    {400, "SomethingNew", PLUGIN_REFUSED},
    {502, "SomethingNew", PLUGIN_RETRY},
    {400, "", PLUGIN_RETRY}, /* a page of somebody between: not AWS's word */
    {429, "", PLUGIN_RETRY},
    {500, "", PLUGIN_RETRY},
    {502, "", PLUGIN_RETRY},
    {504, "", PLUGIN_RETRY},
};

START_TEST(each_sns_error_has_its_fate) {
    Bench bench;
    int retried = 0;
    bench_init(&bench, "sns", TOPIC);
    for (size_t i = 0; i < COUNT_OF(sns_errors); i++) {
        const struct SnsError *c = &sns_errors[i];
        AwsFailure failure;
        OWN(text)
        char *body = *c->code ? text_format("<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>"
                                            "<Type>Sender</Type><Code>%s</Code><Message>so it is</Message></Error>"
                                            "<RequestId>1</RequestId></ErrorResponse>",
                                    c->code)
                              : text_copy("<html>a proxy</html>");
        aws_failure_read(&(AwsErrorParts){.protocol = AWS_QUERY,
                             .status = c->status,
                             .error_type = "",
                             .query_error = "",
                             .request_id = "",
                             .body = body,
                             .body_length = strlen(body)},
            &failure);
        bench.world.aws =
            (AwsAnswer){.class = failure.class, .status = c->status, .code = failure.code, .message = failure.message};
        const Told told = bench_deliver(&bench, "sns");
        ck_assert_msg(
            told.outcome == c->outcome, "%ld %s: outcome %d, %s", c->status, c->code, told.outcome, told.detail);
        ck_assert_msg(strstr(told.detail, c->code) != NULL, "%s is told as: %s", c->code, told.detail);
        retried += told.outcome == PLUGIN_RETRY;
    }
    printf("figure: %zu errors of SNS: %d tried again, the rest parked\n", COUNT_OF(sns_errors), retried);
    bench_deinit(&bench);
}
END_TEST

/* --- real children --- */

static const struct Run {
    const char *keys;
    PluginOutcome outcome;
    const char *detail;
} runs[] = {
    {"command: [/bin/sh, -c, 'exit 0']", PLUGIN_DELIVERED, "exit status 0"},
    {"command: [sh, -c, 'echo paged; echo twice; exit 0']", PLUGIN_DELIVERED, "exit status 0: paged"},
    {"command: [sh, -c, 'echo later >&2; exit 75']", PLUGIN_RETRY, "exit status 75: later"},
    {"command: [sh, -c, 'exit 1']", PLUGIN_REFUSED, "exit status 1"},
    {"command: [sh, -c, 'kill -9 $$']", PLUGIN_RETRY, "it was ended by signal 9"},
    {"command: [/nonexistent]", PLUGIN_REFUSED, "/nonexistent cannot be started: no such file or directory"},
    {"command: [sh, -c, 'echo x; sleep 1000 & sleep 1000'], timeout: 1s", PLUGIN_RETRY,
        "it did not end in time and was killed: x"},
    {"command: [sh, -c, 'env | sort | tr \"\\n\" \" \"'], environment: {PAGER_KEY: a b}", PLUGIN_DELIVERED,
        "exit status 0: LANG=C.UTF-8 PAGER_KEY=a b PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "
        "PWD=/ "},
    {"command: [sh, -c, 'for i in 3 4 5 6 7 8 9 10 11 12 13 40; do test -e /proc/$$/fd/$i && echo $i; done; exit 0']",
        PLUGIN_DELIVERED, "exit status 0"},
    {"command: [sh, -c, 'read a b c d group session rest < /proc/$$/stat; test $group = $$ && test $session = $$']",
        PLUGIN_DELIVERED, "exit status 0"},
    {"command: [sh, -c, 'head -c 14']", PLUGIN_DELIVERED, "exit status 0: {\"alerts\":[{\"a"},
    {"command: [sh, -c, 'wc -c < /dev/stdin']", PLUGIN_DELIVERED, "exit status 0: 917"},
    {"command: [sh, -c, 'exec <&-; head -c 10000000 /dev/zero | tr \"\\0\" x']", PLUGIN_DELIVERED, NULL},
};

START_TEST(children) {
    Bench bench;
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    ck_assert_int_eq(dup2(1, 40), 40); /* a descriptor that was not marked to close */
    bench_init(&bench, "exec", runs[_i].keys);
    const Told told = bench_deliver(&bench, "exec");
    ck_assert_msg(told.outcome == runs[_i].outcome, "%s: outcome %d, %s", runs[_i].keys, told.outcome, told.detail);
    if (runs[_i].detail)
        ck_assert_str_eq(told.detail, runs[_i].detail);
    else
        ck_assert_uint_eq(strlen(told.detail), strlen("exit status 0: ") + 1000);
    bench_deinit(&bench);
}
END_TEST

START_TEST(a_stop_kills_children) {
    Bench bench;
    bench_init(&bench, "exec", "command: [sh, -c, 'sleep 1000']");
    Told told = {0};
    OWN(text) char *message = world_notification(1, "firing");
    plugin_host_deliver(bench.host, "r", "exec", 0, message, world_told, &told);
    bench_deinit(&bench); /* the loop ends only when the child has been waited for */
    ck_assert_int_eq(told.outcome, PLUGIN_RETRY);
}
END_TEST

static const char *const unreadable[] = {
    "", "{", "[]", "{}", "{\"id\":1,\"webhook\":{}}", "{\"id\":\"x\",\"webhook\":[]}", "\xff"};

START_TEST(a_notification_that_cannot_be_read_is_parked) {
    static const char *const plugins[][2] = {
        {"webhook", "url: 'https://a.org'"}, {"sns", TOPIC}, {"email", MAIL}, {"exec", "command: [sh]"}};
    for (size_t i = 0; i < COUNT_OF(plugins); i++) {
        Bench bench;
        Told told = {0};
        bench_init(&bench, plugins[i][0], plugins[i][1]);
        plugin_host_deliver(bench.host, "r", plugins[i][0], 0, unreadable[_i], world_told, &told);
        world_run_until_told(&bench.world, &told);
        ck_assert_int_eq(told.outcome, PLUGIN_REFUSED);
        bench_deinit(&bench);
    }
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_bad_configuration_is_refused, 0, COUNT_OF(bad));
    tcase_add_loop_test(tcase, what_is_asked_for, 0, COUNT_OF(sent));
    tcase_add_test(tcase, a_body_is_signed);
    tcase_add_test(tcase, a_body_holds_its_secret);
    tcase_add_loop_test(tcase, several_requests_have_one_outcome, 0, COUNT_OF(several));
    tcase_add_test(tcase, a_retry_sends_what_was_not_taken);
    tcase_add_loop_test(tcase, who_wants_the_rest, 0, COUNT_OF(rest_wishes));
    tcase_add_loop_test(tcase, webhook_answers, 0, COUNT_OF(replies));
    tcase_add_loop_test(tcase, what_a_receiver_repeats_holds_no_secret, 0, COUNT_OF(echoes));
    tcase_add_loop_test(tcase, mail_answers, 0, COUNT_OF(posted));
    tcase_add_loop_test(tcase, sns_answers, 0, COUNT_OF(published));
    tcase_add_test(tcase, each_sns_error_has_its_fate);
    tcase_add_loop_test(tcase, children, 0, COUNT_OF(runs));
    tcase_add_test(tcase, a_stop_kills_children);
    tcase_add_loop_test(tcase, a_notification_that_cannot_be_read_is_parked, 0, COUNT_OF(unreadable));
}
int main(void) { return run_tests("channels", fill); }
