/* The life of one call: keys, signature, request, and what its answer asks for: other keys, another clock, a wait, the
 * end. One way out, ticket_end(), passed once. */
#include "aws/core.h"
#include "aws/sigv4.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct AwsTicket {
    Aws *aws;
    AwsConfig *config;
    KeySource *source;
    KeyWait wait;
    AwsKeys *keys, *bad; /* keys: of the request under way; bad: what AWS refused */
    const AwsServiceRow *service;
    char *account, *region, *operation, *action, *url;
    char *body; /* guarded: a form may hold an external id */
    size_t body_length, body_max;
    int64_t deadline_ms; /* monotonic */
    double billed_units;
    bool is_unsigned, single_try, refreshed, corrected, ended;
    int sent, failed_tries;
    int64_t signed_skew_ms, retry_after_ms;
    HttpTicket *http;
    AwsFailure failure;
    uv_timer_t timer; /* the next turn of the loop, a back-off, or the deadline of a wait for keys */
    AwsDone *done;
    void *ctx;
    AwsTicket *prev, *next;
};

static const Metric requests_total = {"tocsin_aws_requests_total", "Requests sent to AWS, by what came back.",
    METRIC_COUNTER, {"service", "operation", "account", "region", "code"}};
static const Metric billed_total = {"tocsin_aws_billed_units_total", "What AWS bills for: metrics asked of CloudWatch.",
    METRIC_COUNTER, {"service", "account", "region"}};

/* --- the way out --- */

static void timer_closed(uv_handle_t *handle) {
    AwsTicket *ticket = handle->data;
    free(ticket->account);
    free(ticket->region);
    free(ticket->operation);
    free(ticket->action);
    free(ticket->url);
    guard_free(ticket->body);
    free(ticket);
}

/* `http`: the answer that decided, NULL where none did. */
static void ticket_end(AwsTicket *ticket, const HttpAnswer *http) {
    if (ticket->ended) return; /* its own callback cancels it */
    ticket->ended = true;
    Aws *aws = ticket->aws;
    char explanation[AWS_MESSAGE_MAX];
    AwsFailure *failure = &ticket->failure;
    if (ticket->source) key_source_leave(ticket->source, &ticket->wait);
    if (ticket->http) http_cancel(ticket->http);
    DL_DELETE(aws->tickets, ticket);
    aws->ledger.failed += failure->class != AWS_FINE && failure->class != AWS_CANCELLED;
    if (failure->class == AWS_DENIED && !*failure->action)
        snprintf(failure->action, sizeof failure->action, "%s", ticket->action);
    aws_explain(failure, *ticket->account ? ticket->account : NULL, ticket->region, ticket->operation, explanation);
    const AwsAnswer answer = {.class = failure->class,
        .status = failure->status,
        .body = http ? http->body : "",
        .body_length = http ? http->body_length : 0,
        .code = failure->code,
        .message = failure->message,
        .action = failure->action,
        .resource = failure->resource,
        .reason = failure->reason,
        .request_id = failure->request_id,
        .explanation = explanation,
        .retry_after_ms = ticket->retry_after_ms,
        .attempts = ticket->sent};
    ticket->done(ticket->ctx, &answer);
    aws_keys_free(ticket->keys);
    aws_keys_free(ticket->bad);
    key_source_free(ticket->source);
    aws_config_free(ticket->config);
    uv_close((uv_handle_t *)&ticket->timer, timer_closed);
}

static void fail(AwsTicket *ticket, AwsClass class, const char *message) {
    ticket->failure = (AwsFailure){.class = class};
    snprintf(ticket->failure.message, sizeof ticket->failure.message, "%s", message);
    ticket_end(ticket, NULL);
}

void aws_cancel(AwsTicket *ticket) { fail(ticket, AWS_CANCELLED, "cancelled"); }

static int64_t left_ms(const AwsTicket *ticket) { return ticket->deadline_ms - clock_mono_ms(ticket->aws->clock); }

/* --- sending --- */

static void answered(void *ctx, const HttpAnswer *http);

/* What every request of the service has, signed or not; returns how many. */
static size_t plain_headers(const AwsTicket *ticket, const char *target, HttpHeader *headers) {
    const AwsServiceRow *service = ticket->service;
    const bool json = service->protocol == AWS_JSON_1_0 || service->protocol == AWS_JSON_1_1;
    size_t count = 0;
    headers[count++] = (HttpHeader){"Content-Type", service->content_type, NULL};
    if (target) headers[count++] = (HttpHeader){"X-Amz-Target", target, NULL};
    if (json) headers[count++] = (HttpHeader){"x-amzn-query-mode", "true", NULL};
    return count;
}

static void send_request(AwsTicket *ticket, const HttpHeader *headers, size_t count) {
    const int64_t left = left_ms(ticket);
    ticket->http = http_start(ticket->aws->http,
        &(HttpRequest){.method = "POST",
            .url = ticket->url,
            .headers = headers,
            .header_count = count,
            .body = ticket->body,
            .body_length = ticket->body_length,
            .body_max = ticket->body_max,
            .ca_file = ticket->config->section->ca_bundle,
            .timeout_ms = left < AWS_REQUEST_MS ? left : AWS_REQUEST_MS},
        answered, ticket);
}

static void send_unsigned(AwsTicket *ticket) {
    HttpHeader sent[4];
    ticket->signed_skew_ms = aws_skew_applied_ms(ticket->aws);
    send_request(ticket, sent, plain_headers(ticket, NULL, sent));
    LOG(DEBUG, "AWS asked", KV("operation", ticket->operation), KV("account", ticket->account),
        KV("region", ticket->region));
}

static void send_signed(AwsTicket *ticket, const UrlParts *parts) {
    const AwsServiceRow *service = ticket->service;
    const bool json = service->protocol == AWS_JSON_1_0 || service->protocol == AWS_JSON_1_1;
    OWN(text) char *target = json ? text_format("%s.%s", service->target, ticket->operation) : NULL;
    OWN(text) char *path = text_copy_length(parts->path, strcspn(parts->path, "?"));
    const char *query = strchr(parts->path, '?');
    const Secret *token = ticket->keys->token;
    SigV4Header headers[SIGV4_HEADERS];
    size_t count = 0;
    headers[count++] = (SigV4Header){"content-type", service->content_type};
    if (target) headers[count++] = (SigV4Header){"x-amz-target", target};
    if (token) headers[count++] = (SigV4Header){"x-amz-security-token", secret_reveal(token, NULL)};
    ticket->signed_skew_ms = aws_skew_applied_ms(ticket->aws);
    SigV4Signature signature;
    sigv4_sign(&(SigV4Request){.method = "POST",
                   .host = parts->authority,
                   .path = path,
                   .query = query ? query + 1 : NULL,
                   .headers = headers,
                   .header_count = count,
                   .body = ticket->body,
                   .body_length = ticket->body_length,
                   .region = ticket->region,
                   .service = service->signing,
                   .key_id = ticket->keys->id,
                   .secret = ticket->keys->secret,
                   .now_ms = aws_now_ms(ticket->aws)},
        &signature);
    HttpHeader sent[8];
    count = plain_headers(ticket, target, sent);
    sent[count++] = (HttpHeader){"X-Amz-Date", signature.date, NULL};
    sent[count++] = (HttpHeader){"Authorization", signature.authorization, NULL};
    if (token) sent[count++] = (HttpHeader){"X-Amz-Security-Token", "", token};
    send_request(ticket, sent, count);
    LOG(DEBUG, "AWS asked", KV("operation", ticket->operation), KV("account", ticket->account),
        KV("region", ticket->region), KV("canonical_hash", signature.canonical));
    free(signature.authorization);
}

static void send_call(AwsTicket *ticket) {
    UrlParts parts;
    Error err = {0};
    if (left_ms(ticket) <= 0) {
        if (ticket->failure.class == AWS_FINE)
            fail(ticket, AWS_UNREACHABLE, "no time was left for the call");
        else
            ticket_end(ticket, NULL);
        return;
    }
    if (!url_split(ticket->url, &parts, &err)) {
        fail(ticket, AWS_UNREACHABLE, err.text);
        return;
    }
    ticket->sent++;
    ticket->aws->ledger.calls++;
    ticket->aws->ledger.billed_metrics += ticket->billed_units;
    if (ticket->billed_units > 0)
        metric_add(ticket->aws->metrics, &billed_total, ticket->billed_units,
            METRIC_VALUES(ticket->service->word, ticket->account, ticket->region));
    if (ticket->is_unsigned)
        send_unsigned(ticket);
    else
        send_signed(ticket, &parts);
    url_parts_deinit(&parts);
}

/* --- keys --- */

static void on_deadline(uv_timer_t *timer) {
    AwsTicket *ticket = timer->data;
    fail(ticket, AWS_UNREACHABLE, "the credentials were not there in time");
}

static void obtain_keys(AwsTicket *ticket) {
    AwsKeys *keys = NULL;
    const AwsFailure *failure = NULL;
    uv_timer_stop(&ticket->timer);
    if (ticket->is_unsigned) {
        send_call(ticket);
        return;
    }
    const KeysState state = key_source_get(ticket->source, ticket->bad, aws_now_ms(ticket->aws), &keys, &failure);
    if (state == KEYS_READY) {
        aws_keys_free(ticket->keys);
        ticket->keys = aws_keys_ref(keys);
        send_call(ticket);
    } else if (state == KEYS_COMING) {
        const int64_t left = left_ms(ticket);
        key_source_wait(ticket->source, &ticket->wait);
        uv_timer_start(&ticket->timer, on_deadline, left > 0 ? (uint64_t)left : 0, 0);
    } else {
        if (failure->class != AWS_FINE)
            ticket->failure = *failure;
        else if (ticket->failure.class == AWS_FINE) /* else: no others may be fetched yet, AWS's own words stand */
            ticket->failure = (AwsFailure){
                .class = AWS_NO_CREDENTIALS, .message = "the keys have ended, and no newer ones were given so far"};
        ticket_end(ticket, NULL);
    }
}

static void keys_changed(void *ctx) { obtain_keys(ctx); }

static void on_turn(uv_timer_t *timer) {
    AwsTicket *ticket = timer->data;
    if (ticket->source || ticket->is_unsigned)
        obtain_keys(ticket);
    else
        ticket_end(ticket, NULL); /* `failure` was there from the start */
}

/* --- what the answer asks for --- */

static void read_answer(AwsTicket *ticket, const HttpAnswer *http) {
    AwsFailure *failure = &ticket->failure;
    if (http->outcome == HTTP_ANSWERED && http->status >= 200 && http->status < 300) {
        *failure = (AwsFailure){.class = AWS_FINE, .status = http->status};
        snprintf(failure->request_id, sizeof failure->request_id, "%s", http_answer_header(http, "x-amzn-requestid"));
    } else if (http->outcome == HTTP_ANSWERED) {
        aws_failure_read(&(AwsErrorParts){.protocol = ticket->service->protocol,
                             .status = http->status,
                             .error_type = http_answer_header(http, "x-amzn-errortype"),
                             .query_error = http_answer_header(http, "x-amzn-query-error"),
                             .request_id = http_answer_header(http, "x-amzn-requestid"),
                             .body = http->body,
                             .body_length = http->body_length},
            failure);
    } else {
        *failure = (AwsFailure){.class = http->outcome == HTTP_TOO_LONG ? AWS_TOO_LONG : AWS_UNREACHABLE,
            .timed_out = http->outcome == HTTP_TIMED_OUT};
        snprintf(failure->message, sizeof failure->message, "%s", http->error);
    }
}

static void count_answer(AwsTicket *ticket) {
    char text[AWS_CODE_MAX];
    ticket->aws->ledger.throttled += ticket->failure.class == AWS_THROTTLED;
    metric_add(ticket->aws->metrics, &requests_total, 1,
        METRIC_VALUES(ticket->service->word, ticket->operation, ticket->account, ticket->region,
            aws_failure_word(&ticket->failure, text)));
}

static SkewMoment arrival(const HttpAnswer *http) { return (SkewMoment){http->arrived_ms, http->arrived_boot_ms}; }

/* Is our clock what AWS dislikes? Believes its Date, and says whether a signature by it would be another one. */
static bool clock_corrected(AwsTicket *ticket, const HttpAnswer *http) {
    const int64_t off_ms = http->date_ms + 500 - http->arrived_ms - ticket->signed_skew_ms;
    const bool far = http->date_ms && (off_ms > SKEW_ALARMING_MS || off_ms < -SKEW_ALARMING_MS);
    if (ticket->corrected || (ticket->failure.class != AWS_CLOCK && !(http->status == 403 && far))) return false;
    ticket->corrected = true;
    if (!skew_correct(&ticket->aws->skew, http->date_ms, arrival(http))) return false;
    const int64_t change_ms = aws_skew_applied_ms(ticket->aws) - ticket->signed_skew_ms;
    return change_ms > SKEW_IGNORED_MS || change_ms < -SKEW_IGNORED_MS;
}

static bool keys_refused(AwsTicket *ticket) {
    if (ticket->refreshed || ticket->is_unsigned ||
        (ticket->failure.class != AWS_EXPIRED && ticket->failure.class != AWS_BAD_KEYS))
        return false;
    ticket->refreshed = true;
    ticket->bad = aws_keys_ref(ticket->keys);
    return true;
}

/* Waits and tries again, where that is allowed, can help, and there is time and budget for it. */
static bool tried_again(AwsTicket *ticket) {
    const AwsClass class = ticket->failure.class;
    Aws *aws = ticket->aws;
    if (ticket->single_try || aws->closing ||
        (class != AWS_THROTTLED && class != AWS_TRANSIENT && class != AWS_UNREACHABLE))
        return false;
    if (++ticket->failed_tries >= RETRY_TRIES) return false;
    const int64_t wait_ms = retry_delay_ms(ticket->failed_tries, random_u64(), ticket->retry_after_ms);
    if (wait_ms < 0 || wait_ms >= left_ms(ticket)) return false;
    if (!retry_take(aws_budget(aws, ticket->account, ticket->region, ticket->service->word), ticket->failure.timed_out))
        return false;
    uv_timer_start(&ticket->timer, on_turn, (uint64_t)wait_ms, 0);
    return true;
}

static void answered(void *ctx, const HttpAnswer *http) {
    AwsTicket *ticket = ctx;
    ticket->http = NULL;
    if (http->outcome == HTTP_CANCELLED) {
        if (!ticket->ended) fail(ticket, AWS_CANCELLED, "cancelled"); /* the Http goes before the Aws */
        return;
    }
    read_answer(ticket, http);
    ticket->retry_after_ms = http->retry_after_ms;
    count_answer(ticket);
    if (clock_corrected(ticket, http) || keys_refused(ticket)) {
        obtain_keys(ticket);
        return;
    }
    skew_see(&ticket->aws->skew, http->date_ms, arrival(http));
    if (ticket->failure.class == AWS_FINE)
        retry_give(aws_budget(ticket->aws, ticket->account, ticket->region, ticket->service->word));
    else if (tried_again(ticket))
        return;
    ticket_end(ticket, http);
}

/* The endpoint, and behind its own path that of the operation. */
static char *call_url(const char *configured, const AwsCall *call) {
    char *url = configured ? text_copy(configured) : aws_endpoint(call->service, call->region);
    if (!call->path) return url;
    size_t length = strlen(url);
    while (length && url[length - 1] == '/') length--;
    char *whole = text_format("%.*s%s", (int)length, url, call->path);
    free(url);
    return whole;
}

AwsTicket *aws_ask(Aws *aws, AwsConfig *config, KeySource *source, const AwsCall *call, const char *problem,
    AwsDone *done, void *ctx) {
    AwsTicket *ticket = alloc_zeroed(1, sizeof *ticket);
    ticket->aws = aws;
    ticket->config = config;
    if (config) config->refs++;
    ticket->source = source ? key_source_ref(source) : NULL;
    ticket->wait = (KeyWait){.changed = keys_changed, .ctx = ticket};
    ticket->service = aws_service(call->service);
    ticket->account = text_copy(call->account ? call->account : "");
    ticket->region = text_copy(call->region);
    ticket->operation = text_copy(call->operation);
    ticket->action = text_copy(call->action ? call->action : call->operation);
    const char *url = config ? config->section->urls[call->service] : NULL;
    ticket->url = call_url(url, call);
    ticket->body = guard_malloc(call->body_length + 1);
    if (!ticket->body) abort();
    if (call->body_length) memcpy(ticket->body, call->body, call->body_length);
    ticket->body_length = call->body_length;
    ticket->body_max = call->body_max ? call->body_max : AWS_ANSWER_MAX;
    const int64_t turn_ms =
        aws_turn_ms(aws, ticket->account, ticket->region, ticket->service->word, ticket->service->gap_ms);
    ticket->deadline_ms =
        clock_mono_ms(aws->clock) + turn_ms + (call->deadline_ms > 0 ? call->deadline_ms : AWS_DEADLINE_MS);
    ticket->billed_units = call->billed_units;
    ticket->is_unsigned = call->is_unsigned;
    ticket->single_try = call->single_try;
    ticket->done = done;
    ticket->ctx = ctx;
    DL_APPEND(aws->tickets, ticket);
    uv_timer_init(aws->loop, &ticket->timer);
    ticket->timer.data = ticket;
    if (!source && !call->is_unsigned) {
        ticket->failure.class = AWS_NO_CREDENTIALS;
        snprintf(ticket->failure.message, sizeof ticket->failure.message, "%s", problem);
    }
    uv_timer_start(&ticket->timer, on_turn, (uint64_t)turn_ms, 0); /* nothing of it happens inside this call */
    return ticket;
}
