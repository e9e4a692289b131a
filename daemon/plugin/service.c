/* The services lent to plugins: theirs as ours on the way in, ours as theirs on the way back. */
#include "base/alloc.h"
#include "base/child.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/handle.h"
#include "plugin/redact.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { HEADERS_MAX = 100, ANSWER_KEPT = 4096, AWS_ANSWER_MAX = 65536, RECIPIENTS_MAX = 100, BODY_MAX = 8 << 20 };
enum { MAIL_TIMEOUT_MS = 50000, AWS_TIMEOUT_MS = 30000 };

/* A request of a plugin's time as one of ours: what lies beyond its size is nothing. */
#define TAKE(into, theirs) memcpy(&(into), (theirs), (theirs)->size < sizeof(into) ? (theirs)->size : sizeof(into))

/* One service under way. It leaves by `end`, which calls the plugin back. */
struct Service {
    uv_timer_t timer; /* a timer's own, or the way to a failure that must not be told inside the call */
    Handle *handle;
    void (*end)(Service *service, TocsinEnd end, const char *error);
    union {
        TocsinHttpDone *http;
        TocsinMailDone *mail;
        TocsinAwsDone *aws;
        TocsinSpawnDone *spawn;
        TocsinDue *due;
    } done;
    void *ctx;
    HttpTicket *http; /* HTTP or mail */
    AwsTicket *aws;
    Child *child;
    uint64_t number; /* a timer's */
    TocsinEnd failed;
    char *error; /* what it will fail with */
    char *texts[4]; /* kept for as long as an AWS call runs */
    struct Service *prev, *next;
};

static Handle *handle_of(const TocsinHost *host) { return (Handle *)(uintptr_t)host; } /* ours to change, theirs not */

/* --- life --- */

static void service_closed(uv_handle_t *timer) {
    Service *service = timer->data;
    for (size_t i = 0; i < COUNT_OF(service->texts); i++) free(service->texts[i]);
    free(service->error);
    free(service);
}

/* Out of the handle before the plugin is called back: it may ask for the next service at once. */
static void service_leave(Service *service) {
    if (uv_is_closing((uv_handle_t *)&service->timer)) return;
    DL_DELETE(service->handle->services, service);
    service->handle->service_count--;
    uv_close((uv_handle_t *)&service->timer, service_closed);
}

static void service_failed(uv_timer_t *timer) {
    Service *service = timer->data;
    service_leave(service);
    service->end(service, service->failed, service->error);
}

static void service_fail(Service *service, TocsinEnd end, const char *error) {
    service->failed = end;
    service->error = text_copy(error);
    uv_timer_start(&service->timer, service_failed, 0, 0);
}

/* NULL: nothing may begin (the handle is being destroyed). A service over the bound exists, and will fail. */
static Service *service_new(const TocsinHost *host, void (*end)(Service *, TocsinEnd, const char *), void *ctx) {
    Handle *handle = handle_of(host);
    if (handle->ending) return NULL;
    Service *service = alloc_zeroed(1, sizeof *service);
    service->handle = handle;
    service->end = end;
    service->ctx = ctx;
    uv_timer_init(handle->lender->loop, &service->timer);
    uv_update_time(handle->lender->loop);
    service->timer.data = service;
    DL_APPEND(handle->services, service);
    if (++handle->service_count > PLUGIN_SERVICES_MAX)
        service_fail(service, TOCSIN_FAILED, "too many services of this channel run at once");
    return service;
}

static void service_cancel(Service *service) {
    if (service->http)
        http_cancel(service->http);
    else if (service->aws)
        aws_cancel(service->aws);
    else if (service->child)
        child_cancel(service->child);
    else {
        service_leave(service);
        service->end(service, TOCSIN_CANCELLED, "the channel is being closed");
    }
}

void services_cancel(Handle *handle) {
    handle->ending = true;
    while (handle->services) service_cancel(handle->services);
}

/* A secret by its number; false, and the service will fail, where a number was given that is none. */
static bool take_secret(Service *service, TocsinSecret number, const Secret **ret_secret) {
    *ret_secret = number ? snapshot_secret(service->handle->snapshot, (size_t)number) : NULL;
    if (!number || *ret_secret) return true;
    service_fail(service, TOCSIN_UNSENT, "no secret of the configuration has that number");
    return false;
}

/* --- HTTP --- */

static TocsinEnd end_of(HttpOutcome outcome) {
    switch (outcome) {
    case HTTP_ANSWERED: return TOCSIN_ANSWERED;
    case HTTP_FAILED: return TOCSIN_FAILED;
    case HTTP_TIMED_OUT: return TOCSIN_TIMEOUT;
    case HTTP_TOO_LONG: return TOCSIN_FAILED;
    case HTTP_REFUSED: return TOCSIN_UNSENT;
    case HTTP_CANCELLED: return TOCSIN_CANCELLED;
    }
    return TOCSIN_FAILED;
}

static void http_end(Service *service, TocsinEnd end, const char *error) {
    const TocsinHttpAnswer answer = {.size = sizeof answer, .end = end, .body = "", .error = error};
    service->done.http(service->ctx, &answer);
}

/* What came back, without our secrets; cut only then, so that no half of one stays. Caller frees. */
static char *words_of(const Service *service, const char *text, size_t max) {
    char *words = redact(service->handle->snapshot, text ? text : "");
    const size_t length = strlen(words);
    if (length > max) words[utf8_cut(words, length, max)] = '\0';
    return words;
}

static void http_answered(void *ctx, const HttpAnswer *ours) {
    Service *service = ctx;
    OWN(text)
    char *body = words_of(service, ours->body, ANSWER_KEPT), *error = words_of(service, ours->error, ANSWER_KEPT);
    const TocsinHttpAnswer answer = {.size = sizeof answer,
        .end = end_of(ours->outcome),
        .status = (int)ours->status,
        .body = body,
        .body_length = strlen(body),
        .error = error,
        .retry_after_ms = ours->retry_after_ms,
        .location_host = ours->location};
    service_leave(service);
    service->done.http(service->ctx, &answer);
}

static bool take_headers(Service *service, const TocsinHttpRequest *theirs, HttpHeader *ret_headers) {
    if (theirs->header_count > HEADERS_MAX) return service_fail(service, TOCSIN_UNSENT, "too many headers"), false;
    for (size_t i = 0; i < theirs->header_count; i++) {
        const TocsinHeader *header = &theirs->headers[i];
        ret_headers[i] = (HttpHeader){.name = header->name, .value = header->value ? header->value : ""};
        if (!take_secret(service, header->secret, &ret_headers[i].secret)) return false;
    }
    return true;
}

static void body_free(char *body, size_t length) {
    if (body) explicit_bzero(body, length);
    free(body);
}

/* A body with its secret in place, wiped by body_free(); NULL, and the service will fail: the place is none. */
static char *body_with_secret(
    Service *service, const TocsinHttpRequest *theirs, const Secret *secret, size_t *ret_length) {
    if (!theirs->body || theirs->body_secret_at > theirs->body_length || theirs->body_length > BODY_MAX)
        return service_fail(service, TOCSIN_UNSENT, "the body has no place for its secret"), NULL;
    OWN(json) json_t *value = json_safe(secret_reveal(secret, NULL)); /* its memory is wiped: secret.h */
    char *quoted = json_write(value);
    const size_t inside = strlen(quoted) - 2, at = theirs->body_secret_at;
    char *body = alloc_zeroed(theirs->body_length + inside + 1, 1);
    memcpy(body, theirs->body, at);
    memcpy(body + at, quoted + 1, inside);
    memcpy(body + at + inside, theirs->body + at, theirs->body_length - at);
    body_free(quoted, inside + 2);
    *ret_length = theirs->body_length + inside;
    return body;
}

static void lent_http(const TocsinHost *host, const TocsinHttpRequest *theirs, TocsinHttpDone *done, void *ctx) {
    if (!theirs || !done) return;
    Service *service = service_new(host, http_end, ctx);
    if (!service) return;
    service->done.http = done;
    if (service->error) return;
    TocsinHttpRequest request = {0};
    TAKE(request, theirs);
    HttpHeader headers[HEADERS_MAX];
    HttpRequest ours = {.method = request.method ? request.method : "POST",
        .url = request.url,
        .headers = headers,
        .header_count = request.header_count,
        .body = request.body,
        .body_length = request.body_length,
        .username = request.username,
        .ca_file = request.ca_file,
        .cert_file = request.cert_file,
        .key_file = request.key_file,
        .proxy_url = request.proxy_url,
        .guard = HTTP_GUARD_LINK_LOCAL,
        .body_max = ANSWER_KEPT + REDACT_LENGTH_MAX,
        .keep_head = true,
        .timeout_ms = request.timeout_ms};
    if (!take_headers(service, &request, headers)) return;
    if (!take_secret(service, request.url_secret, &ours.url_secret)) return;
    if (!take_secret(service, request.password, &ours.password)) return;
    if (!ours.url && !ours.url_secret) return service_fail(service, TOCSIN_UNSENT, "there is no address");
    if (ours.body_length > BODY_MAX) return service_fail(service, TOCSIN_UNSENT, "the body is too long");
    if (!service->handle->lender->http) return service_fail(service, TOCSIN_FAILED, "there is no HTTP here");
    const Secret *inside = NULL;
    char *body = NULL;
    if (!take_secret(service, request.body_secret, &inside)) return;
    if (inside && !(body = body_with_secret(service, &request, inside, &ours.body_length))) return;
    if (body) ours.body = body;
    service->http = http_start(service->handle->lender->http, &ours, http_answered, service); /* copies the body */
    body_free(body, ours.body_length);
}

/* --- mail --- */

static const char *const nobody[] = {NULL};

static void mail_end(Service *service, TocsinEnd end, const char *error) {
    const TocsinMailAnswer answer = {.size = sizeof answer, .end = end, .error = error, .refused = nobody};
    service->done.mail(service->ctx, &answer);
}

static void mail_answered(void *ctx, const MailAnswer *ours) {
    Service *service = ctx;
    OWN(text) char *error = words_of(service, ours->error, ANSWER_KEPT);
    const TocsinMailAnswer answer = {.size = sizeof answer,
        .end = end_of(ours->outcome),
        .accepted = ours->accepted,
        .login_refused = ours->login_refused,
        .code = (int)ours->code,
        .error = error,
        .refused = ours->refused ? ours->refused : nobody};
    service_leave(service);
    service->done.mail(service->ctx, &answer);
}

static const char *mail_refusal(const TocsinMailRequest *request) {
    if (!request->host || !request->from || !request->recipients || !request->message)
        return "the mail is not complete";
    if (request->message_length > BODY_MAX) return "the mail is too long";
    size_t count = 0;
    while (request->recipients[count] && count <= RECIPIENTS_MAX) count++;
    return count == 0            ? "the mail has no recipients"
        : count > RECIPIENTS_MAX ? "the mail has too many recipients"
                                 : NULL;
}

static void lent_mail(const TocsinHost *host, const TocsinMailRequest *theirs, TocsinMailDone *done, void *ctx) {
    if (!theirs || !done) return;
    Service *service = service_new(host, mail_end, ctx);
    if (!service) return;
    service->done.mail = done;
    if (service->error) return;
    TocsinMailRequest request = {0};
    TAKE(request, theirs);
    const char *why = mail_refusal(&request);
    if (why) return service_fail(service, TOCSIN_UNSENT, why);
    MailRequest ours = {.host = request.host,
        .port = request.port,
        .implicit_tls = request.implicit_tls,
        .require_tls = request.require_tls,
        .ca_file = request.ca_file,
        .username = request.username,
        .auth = request.auth,
        .from = request.from,
        .recipients = request.recipients,
        .message = request.message,
        .message_length = request.message_length,
        .timeout_ms = request.timeout_ms > 0 ? request.timeout_ms : MAIL_TIMEOUT_MS};
    if (!take_secret(service, request.password, &ours.password)) return;
    if (!service->handle->lender->http) return service_fail(service, TOCSIN_FAILED, "there is no mail here");
    service->http = mail_start(service->handle->lender->http, &ours, mail_answered, service);
}

/* --- AWS --- */

static const struct AwsName {
    const char *name;
    AwsService service;
} aws_names[] = {{"sns", AWS_SNS}};

static void aws_end(Service *service, TocsinEnd end, const char *error) {
    const TocsinAwsAnswer answer = {.size = sizeof answer,
        .end = end,
        .may_retry = end != TOCSIN_UNSENT,
        .body = "",
        .code = "",
        .message = "",
        .explanation = error};
    service->done.aws(service->ctx, &answer);
}

/* What the same call may become later without a change by a person; what needs one is parked. Keys and clock count as
 * the first (I4): they are mended outside of the message. */
static bool class_may_retry(AwsClass class) {
    switch (class) {
    case AWS_THROTTLED:
    case AWS_TRANSIENT:
    case AWS_EXPIRED:
    case AWS_BAD_KEYS:
    case AWS_CLOCK:
    case AWS_NO_CREDENTIALS:
    case AWS_UNREACHABLE:
    case AWS_TOO_LONG:
    case AWS_CANCELLED: return true;
    case AWS_FINE:
    case AWS_SIGNATURE:
    case AWS_OUR_BUG:
    case AWS_DENIED:
    case AWS_REGION_OFF:
    case AWS_VALIDATION:
    case AWS_PAGING:
    case AWS_NOT_FOUND:
    case AWS_OTHER: return false;
    }
    return false;
}

static void aws_answered(void *ctx, const AwsAnswer *ours) {
    Service *service = ctx;
    const TocsinEnd end = ours->class == AWS_CANCELLED ? TOCSIN_CANCELLED
        : ours->status == 0                            ? TOCSIN_FAILED
                                                       : TOCSIN_ANSWERED;
    const TocsinAwsAnswer answer = {.size = sizeof answer,
        .end = end,
        .fine = ours->class == AWS_FINE,
        .may_retry = class_may_retry(ours->class),
        .status = (int)ours->status,
        .body = ours->body ? ours->body : "",
        .body_length = ours->body ? ours->body_length : 0,
        .code = ours->code ? ours->code : "",
        .message = ours->message ? ours->message : "",
        .explanation = ours->explanation ? ours->explanation : "",
        .retry_after_ms = ours->retry_after_ms};
    service_leave(service);
    service->done.aws(service->ctx, &answer);
}

static void aws_begin(Service *service, const TocsinAwsRequest *request, AwsService which) {
    const AwsSection *section = snapshot_section(service->handle->snapshot, &aws_section);
    const char *region = request->region ? request->region : section->region;
    if (!region)
        return service_fail(service, TOCSIN_UNSENT, "no region is known (set aws.region, or this channel's region)");
    service->texts[0] = request->account ? text_copy(request->account) : NULL;
    service->texts[1] = text_copy(region);
    service->texts[2] = text_copy(request->operation);
    service->texts[3] = text_format("%s:%s", request->service, request->operation);
    const AwsCall call = {.account = service->texts[0],
        .region = service->texts[1],
        .service = which,
        .operation = service->texts[2],
        .action = service->texts[3],
        .body = request->body ? request->body : "",
        .body_length = request->body ? request->body_length : 0,
        .body_max = AWS_ANSWER_MAX,
        .deadline_ms = request->timeout_ms > 0 ? request->timeout_ms : AWS_TIMEOUT_MS,
        .single_try = true};
    service->aws = aws_call(service->handle->lender->aws, &call, aws_answered, service);
}

static void lent_aws(const TocsinHost *host, const TocsinAwsRequest *theirs, TocsinAwsDone *done, void *ctx) {
    if (!theirs || !done) return;
    Service *service = service_new(host, aws_end, ctx);
    if (!service) return;
    service->done.aws = done;
    if (service->error) return;
    TocsinAwsRequest request = {0};
    TAKE(request, theirs);
    if (!request.service || !request.operation)
        return service_fail(service, TOCSIN_UNSENT, "an AWS call needs a service and an operation");
    if (request.body_length > BODY_MAX) return service_fail(service, TOCSIN_UNSENT, "the body is too long");
    if (!service->handle->lender->aws) return service_fail(service, TOCSIN_FAILED, "there is no AWS here");
    for (size_t i = 0; i < COUNT_OF(aws_names); i++)
        if (strcmp(aws_names[i].name, request.service) == 0) return aws_begin(service, &request, aws_names[i].service);
    service_fail(service, TOCSIN_UNSENT, "that service of AWS is not lent to plugins");
}

/* --- children --- */

static void spawn_end(Service *service, TocsinEnd end, const char *error) {
    const TocsinSpawnAnswer answer = {.size = sizeof answer, .end = end, .output = "", .error = error};
    service->done.spawn(service->ctx, &answer);
}

static void spawn_answered(void *ctx, const ChildAnswer *ours) {
    static const TocsinEnd ends[] = {[CHILD_ENDED] = TOCSIN_ANSWERED,
        [CHILD_UNSENT] = TOCSIN_UNSENT,
        [CHILD_LACKING] = TOCSIN_FAILED,
        [CHILD_TIMED_OUT] = TOCSIN_TIMEOUT,
        [CHILD_TOO_LONG] = TOCSIN_FAILED,
        [CHILD_CANCELLED] = TOCSIN_CANCELLED};
    Service *service = ctx;
    const TocsinSpawnAnswer answer = {.size = sizeof answer,
        .end = ends[ours->end],
        .status = ours->status,
        .signal = ours->signal,
        .output = ours->output,
        .output_length = ours->output_length,
        .error = ours->error};
    service_leave(service);
    service->done.spawn(service->ctx, &answer);
}

/* A clean environment, and behind it what the plugin gives. Caller frees the list. */
static const char **environment_of(const TocsinSpawnRequest *request) {
    static const char *const clean[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
    const char **all = alloc_zeroed(CHILD_ARGUMENTS_MAX + COUNT_OF(clean) + 1, sizeof *all);
    size_t count = 0;
    for (; count < COUNT_OF(clean); count++) all[count] = clean[count];
    for (size_t i = 0; request->environment && request->environment[i] && i < CHILD_ARGUMENTS_MAX; i++)
        all[count++] = request->environment[i];
    return all;
}

static void lent_spawn(const TocsinHost *host, const TocsinSpawnRequest *theirs, TocsinSpawnDone *done, void *ctx) {
    if (!theirs || !done) return;
    Service *service = service_new(host, spawn_end, ctx);
    if (!service) return;
    service->done.spawn = done;
    if (service->error) return;
    TocsinSpawnRequest request = {0};
    TAKE(request, theirs);
    const char **environment = environment_of(&request);
    const ChildRequest ours = {.arguments = request.arguments,
        .environment = environment,
        .input = request.input,
        .input_length = request.input_length,
        .timeout_ms = request.timeout_ms};
    service->child = child_start(service->handle->lender->loop, &ours, spawn_answered, service);
    free(environment);
}

/* --- timers --- */

static void timer_end(Service *service, TocsinEnd end, const char *error) {
    (void)error;
    service->done.due(service->ctx, end == TOCSIN_CANCELLED);
}

static void timer_due(uv_timer_t *timer) {
    Service *service = timer->data;
    service_leave(service);
    service->done.due(service->ctx, false);
}

static uint64_t lent_timer(const TocsinHost *host, int64_t delay_ms, TocsinDue *due, void *ctx) {
    Handle *handle = handle_of(host);
    if (!due || handle->service_count >= PLUGIN_SERVICES_MAX) return 0;
    Service *service = service_new(host, timer_end, ctx);
    if (!service) return 0;
    service->done.due = due;
    service->number = ++handle->last_timer;
    uv_timer_start(&service->timer, timer_due, delay_ms > 0 ? (uint64_t)delay_ms : 0, 0);
    return service->number;
}

static void lent_timer_cancel(const TocsinHost *host, uint64_t number) {
    Service *service;
    DL_FOREACH(handle_of(host)->services, service)
        if (number && service->number == number) {
            service_leave(service);
            return;
        }
}

/* --- what needs no waiting --- */

static void lent_log(const TocsinHost *host, TocsinLevel level, const char *message) {
    const Handle *handle = handle_of(host);
    const LogLevel ours = level <= TOCSIN_DEBUG ? LOG_DEBUG
        : level == TOCSIN_INFO                  ? LOG_INFO
        : level == TOCSIN_WARNING               ? LOG_WARNING
                                                : LOG_ERROR;
    OWN(text) char *says = redact(handle->snapshot, message ? message : "");
    log_write(ours, "a plugin says",
        (const LogField[]){
            KV("receiver", handle->receiver), KV("plugin", handle->channel->plugin), KV("says", says), {0}});
}

static int64_t lent_now_ms(const TocsinHost *host) { return clock_wall_ms(handle_of(host)->lender->clock); }

static bool lent_sha256(const TocsinHost *host, TocsinSecret number, const void *data, size_t length, char *ret_hex) {
    if (!number) return sha256_hex(data, length, ret_hex), true;
    const Secret *secret = snapshot_secret(handle_of(host)->snapshot, (size_t)number);
    if (!secret) return false;
    size_t key_length;
    const char *key = secret_reveal(secret, &key_length);
    uint8_t digest[SHA256_BYTES];
    hmac_sha256(key, key_length, data, length, digest);
    hex_format(digest, sizeof digest, ret_hex);
    return true;
}

void services_lend(Handle *handle) {
    handle->lent = (TocsinHost){.size = sizeof handle->lent,
        .log = lent_log,
        .now_ms = lent_now_ms,
        .http = lent_http,
        .mail = lent_mail,
        .aws = lent_aws,
        .spawn = lent_spawn,
        .timer = lent_timer,
        .timer_cancel = lent_timer_cancel,
        .sha256 = lent_sha256,
        .http_request_size = sizeof(TocsinHttpRequest)};
}
