#include "world.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/problems.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a configuration --- */

static const SectionDescriptor *const sections[] = {&aws_section, &plugins_section, &receivers_section, NULL};
static const SnapshotSchema schema = {sections, NULL};

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

Snapshot *world_load(const char *directory, const char *yaml, bool check_only, char **ret_problems) {
    char folder[] = "/tmp/tocsin-plugin-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    setenv("TOCSIN_PLUGIN_DIR", directory, 1);
    unsetenv("CREDENTIALS_DIRECTORY");
    put("t.yaml", yaml);
    put("secret", "hush");
    put("odd", "a\"b\\");
    put("address", "https://example.org/s3cret");
    OWN(problems) Problems *all = problems_new();
    Snapshot *snapshot = snapshot_load(&schema, "t.yaml", check_only, all);
    size_t length;
    *ret_problems = NULL;
    FILE *out = open_memstream(ret_problems, &length);
    problems_print(all, out);
    fclose(out);
    ck_assert_int_eq(chdir("/"), 0);
    OWN(text) char *command = text_format("rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    return snapshot;
}

/* --- stand-ins: the same names as the real ones, which are then not linked --- */

static bool aws_decode(Decoding *in, const Node *node, void *section) {
    (void)in, (void)node;
    *(AwsSection *)section = (AwsSection){.region = "eu-central-1"};
    return true;
}
const SectionDescriptor aws_section = {.key = "aws", .size = sizeof(AwsSection), .decode = aws_decode};
const AwsAccount *aws_section_account(const AwsSection *section, const char *name) {
    static const AwsAccount prod = {.name = "prod"};
    (void)section;
    return strcmp(name, "prod") == 0 ? &prod : NULL;
}

/* One call under way, of any kind. */
typedef struct Call {
    uv_timer_t timer;
    World *world;
    HttpDone *http;
    MailDone *mail;
    AwsDone *aws;
    void *ctx;
} Call;

static void call_closed(uv_handle_t *timer) { free(timer->data); }

static void call_end(Call *call, bool cancelled) {
    World *world = call->world;
    const size_t turn = world->answered < world->scripted ? world->answered : world->scripted - 1;
    const HttpAnswer next = world->scripted ? world->script[turn] : world->http;
    const HttpAnswer http = cancelled ? (HttpAnswer){.outcome = HTTP_CANCELLED} : next;
    world->answered++;
    const MailAnswer mail = cancelled ? (MailAnswer){.outcome = HTTP_CANCELLED} : call->world->mail;
    const AwsAnswer aws = cancelled ? (AwsAnswer){.class = AWS_CANCELLED} : call->world->aws;
    uv_close((uv_handle_t *)&call->timer, call_closed);
    if (call->http) call->http(call->ctx, &http);
    if (call->mail) call->mail(call->ctx, &mail);
    if (call->aws) call->aws(call->ctx, &aws);
}
static void call_due(uv_timer_t *timer) { call_end(timer->data, false); }

static Call *call_new(World *world, char *asked, const char *body, size_t length, void *ctx) {
    Call *call = alloc_zeroed(1, sizeof *call);
    call->world = world;
    call->ctx = ctx;
    uv_timer_init(&world->loop, &call->timer);
    call->timer.data = call;
    uv_timer_start(&call->timer, call_due, 0, 0);
    free(world->asked);
    free(world->body);
    world->requests++;
    world->asked = asked;
    world->body = text_copy_length(body ? body : "", body ? length : 0);
    return call;
}

static void add_text(Buffer *out, const char *name, const char *text) {
    if (text) buffer_format(out, "%s %s\n", name, text);
}
static void add_secret(Buffer *out, const char *name, const Secret *secret) {
    if (secret) buffer_format(out, "%s %s\n", name, secret_reveal(secret, NULL));
}

HttpTicket *http_start(Http *http, const HttpRequest *request, HttpDone *done, void *ctx) {
    Buffer out = BUFFER((size_t)65536);
    buffer_format(&out, "%s\n", request->method);
    add_text(&out, "url", request->url);
    add_secret(&out, "url_secret", request->url_secret);
    for (size_t i = 0; i < request->header_count; i++) {
        const HttpHeader *header = &request->headers[i];
        buffer_format(
            &out, "%s: %s%s\n", header->name, header->value, header->secret ? secret_reveal(header->secret, NULL) : "");
    }
    add_text(&out, "username", request->username);
    add_secret(&out, "password", request->password);
    add_text(&out, "ca_file", request->ca_file);
    add_text(&out, "cert_file", request->cert_file);
    add_text(&out, "key_file", request->key_file);
    add_text(&out, "proxy_url", request->proxy_url);
    buffer_format(&out, "guard %d keep %zu %d timeout %d\n", request->guard, request->body_max, request->keep_head,
        (int)request->timeout_ms);
    Call *call = call_new((World *)http, buffer_take(&out), request->body, request->body_length, ctx);
    call->http = done;
    return (HttpTicket *)call;
}
void http_cancel(HttpTicket *ticket) { call_end((Call *)ticket, true); }

HttpTicket *mail_start(Http *http, const MailRequest *request, MailDone *done, void *ctx) {
    Buffer out = BUFFER((size_t)65536);
    buffer_format(&out, "%s:%d implicit %d require %d\n", request->host, request->port, request->implicit_tls,
        request->require_tls);
    add_text(&out, "from", request->from);
    for (size_t i = 0; request->recipients[i]; i++) add_text(&out, "to", request->recipients[i]);
    add_text(&out, "username", request->username);
    add_secret(&out, "password", request->password);
    add_text(&out, "auth", request->auth);
    Call *call = call_new((World *)http, buffer_take(&out), request->message, request->message_length, ctx);
    call->mail = done;
    return (HttpTicket *)call;
}

AwsTicket *aws_call(Aws *aws, const AwsCall *request, AwsDone *done, void *ctx) {
    Buffer out = BUFFER((size_t)65536);
    buffer_format(&out, "%s %s %s %s single %d\n", request->account ? request->account : "(base)", request->region,
        request->operation, request->action, request->single_try);
    Call *call = call_new((World *)aws, buffer_take(&out), request->body, request->body_length, ctx);
    call->aws = done;
    return (AwsTicket *)call;
}
void aws_cancel(AwsTicket *ticket) { call_end((Call *)ticket, true); }

/* --- a world --- */

void world_init(World *world) {
    *world = (World){0};
    uv_loop_init(&world->loop);
}

void world_deinit(World *world) {
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    free(world->asked);
    free(world->body);
}

Http *world_http(World *world) { return (Http *)world; }
Aws *world_aws(World *world) { return (Aws *)world; }

void world_told(void *ctx, const PluginDelivery *delivery) {
    Told *told = ctx;
    told->count++;
    told->outcome = delivery->outcome;
    told->timed_out = delivery->timed_out;
    told->retry_after_ms = delivery->retry_after_ms;
    told->went_on = delivery->went_on;
    snprintf(told->detail, sizeof told->detail, "%s", delivery->detail);
    snprintf(told->receipt, sizeof told->receipt, "%s", delivery->receipt_json ? delivery->receipt_json : "");
}

void world_run_until_told(World *world, const Told *told) {
    while (told->count == 0 && uv_run(&world->loop, UV_RUN_ONCE)) {}
}

static json_t *alert_json(size_t number, const char *status) {
    json_t *labels =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "alertname", "api-latency-p99", "severity", "critical", "account",
            "prod", "region", "eu-west-1", "LoadBalancer", "app/api/50dc", "number", json_sprintf("%zu", number));
    json_t *notes = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "summary",
        "api-latency-p99 is 1.23 (> 0.8) for 5 min in prod eu-west-1", "value", "1.23", "threshold", "0.8", "reason",
        "Threshold Crossed: 3 out of the last 5 datapoints", "runbook_url", "https://example.org/run?a=1&b=2",
        "duration", "1h 5m", "worst_value", "2.5", "cleared_value", "0.4");
    return json_pack("{s:s,s:o,s:o,s:s,s:s,s:s,s:s}", "status", status, "labels", labels, "annotations", notes,
        "startsAt", "2026-01-02T03:04:05.000Z", "endsAt", "0001-01-01T00:00:00Z", "generatorURL",
        "https://console.aws.amazon.com/x#y=1", "fingerprint", "0123456789abcdef");
}

char *world_notification(size_t alerts, const char *status) {
    json_t *list = json_array();
    for (size_t i = 0; i < alerts; i++) json_array_append_new(list, alert_json(i, status));
    OWN(json)
    json_t *message = json_pack("{s:s,s:s,s:s,s:s,s:b,s:{s:s,s:s,s:i,s:s,s:s,s:{},s:{s:s},s:{},s:s,s:s,s:o}}", "id",
        "7f0c1b9e-1111-4222-8333-444455556666", "created_at", "2026-01-02T03:09:05.000Z", "receiver", "oncall",
        "subject", "[FIRING:1] api-latency-p99 (prod eu-west-1)", "test", 0, "webhook", "version", "4", "groupKey",
        "{}:{alertname=\"api-latency-p99\"}", "truncatedAlerts", 0, "status", status, "receiver", "oncall",
        "groupLabels", "commonLabels", "alertname", "api-latency-p99", "commonAnnotations", "externalURL",
        "https://tocsin.example.org", "notification_reason", "first notification", "alerts", list);
    return json_write(message);
}
