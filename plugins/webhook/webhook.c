/* webhook: a notification by HTTP POST, in the words of whoever takes it. */
#include "webhook/format.h"
#include "webhook/progress.h"
#include "webhook/template.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "kit/answer.h"
#include "kit/notice.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 50, TIMEOUT_MAX_S = 55, HEX = 65, WORDS_MAX = 300 };
enum { LANES = 4, LIMITED_MS = 60000 }; /* requests of one delivery at once; PagerDuty asks for minutes after a 429 */

typedef struct Webhook Webhook;

typedef struct Format {
    const char *name;
    const char *url; /* in place of a `url`; NULL: there must be one */
    char *(*body)(const Notice *notice); /* one request, or */
    void (*bodies)(const Notice *notice, Bodies *into); /* several */
    int64_t limited_ms; /* the wait after a 429 that names none */
    TocsinRest rest; /* what it tells of alerts that the message does not show */
} Format;

struct Webhook {
    const TocsinHost *host;
    json_t *config;
    const Format *format;
    TocsinSecret hmac, bearer, routing_key;
    Progress stopped;
};

/* One delivery, until all its answers are there: the worst of them is its outcome, and a retry sends again what was not
 * taken. What it sends twice the receiver's own deduplication makes harmless. */
typedef struct Delivery {
    Webhook *webhook;
    TocsinDone *done;
    void *ctx;
    Notice *notice;
    Bodies bodies;
    bool *is_taken; /* of each body: the receiver has it */
    bool went_on; /* one was taken in this try */
    size_t next, running;
    bool is_stopped; /* nothing more is sent: the rest would fare no better */
    TocsinOutcome outcome;
    int64_t retry_after_ms, began_ms;
    char *detail; /* of the answer that decided */
} Delivery;

static const TocsinKey keys[] = {
    {"url", "url", NULL,
        "Where the message is posted. Never a link-local address, such as a cloud's metadata service has."},
    {"url_file", "secret url", NULL, "A file with that address, where the address itself is a secret."},
    {"format", "choice alertmanager slack pagerduty teams alertmanager_api template", "alertmanager",
        "Who is spoken to. alertmanager: the body of Alertmanager's webhook, version 4. slack: an incoming webhook. "
        "pagerduty: Events API v2. teams: a workflow's webhook. alertmanager_api: an Alertmanager's own "
        "/api/v2/alerts. template: a body of your own."},
    {"template", "lines", NULL,
        "With format: template, the body: a JSON document whose texts may hold values, as in {{ subject }}."},
    {"routing_key_file", "secret", NULL,
        "With format: pagerduty, the integration key of a service there; url is then PagerDuty's own unless given."},
    {"headers", "map", NULL, "Headers to send besides."},
    {"bearer_token_file", "secret", NULL, "A token, sent as `Authorization: Bearer`."},
    {"basic_auth.username", "required text", NULL, "The user of HTTP basic authentication."},
    {"basic_auth.password_file", "required secret", NULL, "That user's password."},
    {"hmac_secret_file", "secret", NULL, "Signs each body: `X-Tocsin-Signature: t=UNIX_TIME,v1=HEX`."},
    {"ca_file", "path", NULL, "Authorities to trust in place of the system's."},
    {"cert_file", "path", NULL, "A client's certificate."},
    {"key_file", "path", NULL, "That certificate's key."},
    {"proxy_url", "url", NULL, "A proxy, in place of what the environment says."},
    {"timeout", "duration", "30s", "How long an answer may take, at most 55s."},
    {NULL, NULL, NULL, NULL},
};

/* --- formats --- */

static char *default_body(const Notice *notice) { return json_write(notice->webhook); }

static const Format formats[] = {
    {"alertmanager", .body = default_body}, {"slack", .body = slack_body},
    {"pagerduty", .url = "https://events.pagerduty.com/v2/enqueue", .bodies = pagerduty_bodies,
        .limited_ms = LIMITED_MS, .rest = TOCSIN_REST_CHANGED},
    {"teams", .body = teams_body}, {"alertmanager_api", .body = alertmanager_body, .rest = TOCSIN_REST_ALL},
    {"template"}, /* by the configuration's own */
};

static const Format *format_of(const json_t *config) {
    const char *name = json_text(config, "format");
    for (size_t i = 0; name && i < COUNT_OF(formats); i++)
        if (strcmp(formats[i].name, name) == 0) return &formats[i];
    return &formats[0];
}

/* --- check --- */

static bool is_token(const char *text) {
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return *text && strspn(text, allowed) == strlen(text);
}

/* What HTTP's framing, the signature and the retry hang on is not for people to set. */
static bool is_ours(const char *name) {
    static const char *const ours[] = {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Idempotency-Key",
        "X-Tocsin-Signature", "Expect", NULL};
    for (size_t i = 0; ours[i]; i++)
        if (strcasecmp(name, ours[i]) == 0) return true;
    return false;
}

static bool has_authorization(const json_t *headers) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
        if (strcasecmp(name, "Authorization") == 0) return true;
    }
    return false;
}

static void check_headers(const json_t *headers, TocsinProblem *problem, void *ctx) {
    const char *name;
    json_t *value;
    if (json_object_size(headers) > HEADERS_MAX) problem(ctx, "/headers", "too many headers", "at most 50");
    json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
        OWN(text) char *path = text_format("/headers/%s", name);
        if (!is_token(name))
            problem(ctx, "/headers", "that is no header's name", "letters, digits and `-`");
        else if (is_ours(name))
            problem(ctx, path, "this header is Tocsin's own", "take it out");
        else if (has_control(json_string_value(value)))
            problem(ctx, path, "a header cannot hold a line break or another control character", "one line of text");
    }
}

typedef struct TemplateCheck {
    TocsinProblem *problem;
    void *ctx;
} TemplateCheck;

static void template_problem(void *ctx, const char *what, const char *remedy) {
    const TemplateCheck *check = ctx;
    OWN(text) char *words = text_format("the template, %s", what);
    check->problem(check->ctx, "/template", words, remedy);
}

/* A key that belongs to one format: missing there, or of no use elsewhere. */
static void check_pair(const json_t *config, const char *key, const char *format, TocsinProblem *problem, void *ctx) {
    const bool is_there = json_object_get(config, key), is_meant = strcmp(format_of(config)->name, format) == 0;
    OWN(text) char *path = text_format("/%s", is_there ? key : "format");
    OWN(text)
    char *what = is_there ? text_format("%s belongs to `format: %s`", key, format)
                          : text_format("`format: %s` needs %s", format, key);
    OWN(text) char *remedy = is_there ? text_format("format: %s, or take it out", format) : text_format("add %s", key);
    if (is_there != is_meant) problem(ctx, path, what, remedy);
}

static void check_format(const json_t *config, TocsinProblem *problem, void *ctx) {
    const Format *format = format_of(config);
    const char *template = json_text(config, "template"), *url = json_text(config, "url");
    static const char tail[] = "/api/v2/alerts";
    const size_t length = url ? strlen(url) : 0;
    check_pair(config, "template", "template", problem, ctx);
    check_pair(config, "routing_key_file", "pagerduty", problem, ctx);
    if (template) template_check(template, template_problem, &(TemplateCheck){problem, ctx});
    if (url && strcmp(format->name, "alertmanager_api") == 0 &&
        (length < strlen(tail) || strcmp(url + length - strlen(tail), tail) != 0))
        problem(
            ctx, "/url", "an Alertmanager takes alerts at /api/v2/alerts", "http://alertmanager:9093/api/v2/alerts");
    if (json_object_get(config, "routing_key_file") && json_object_get(config, "hmac_secret_file"))
        problem(ctx, "/hmac_secret_file", "PagerDuty looks at no signature", "take it out");
}

static void check(const char *config_json, TocsinProblem *problem, void *ctx) {
    OWN(json) json_t *config = json_read(config_json, strlen(config_json), NULL);
    const json_t *headers = json_map(config, "headers");
    int64_t timeout_s = 0;
    const bool has_url = json_object_get(config, "url"), has_file = json_object_get(config, "url_file");
    if (!has_url && !has_file && !format_of(config)->url)
        problem(ctx, "", "`url` is missing", "url: https://example.org/hook, or url_file");
    if (has_url && has_file) problem(ctx, "/url_file", "url and url_file are both given", "one of them");
    check_format(config, problem, ctx);
    check_headers(headers, problem, ctx);
    const int ways = (json_object_get(config, "bearer_token_file") != NULL) +
        (json_object_get(config, "basic_auth") != NULL) + has_authorization(headers);
    if (ways > 1)
        problem(
            ctx, "", "more than one way to log in", "one of bearer_token_file, basic_auth and an Authorization header");
    if (!json_object_get(config, "cert_file") != !json_object_get(config, "key_file"))
        problem(ctx, "", "cert_file and key_file go together", "both, or neither");
    if (json_whole(config, "timeout", &timeout_s) && (timeout_s < 1 || timeout_s > TIMEOUT_MAX_S))
        problem(ctx, "/timeout", "timeout is out of range", "1s to 55s");
}

/* --- a handle --- */

static TocsinSecret secret_of(const json_t *config, const char *key) {
    int64_t number = 0;
    return json_whole(config, key, &number) ? (TocsinSecret)number : 0;
}

static void *init(const char *config_json, const TocsinHost *host) {
    Webhook *webhook = alloc_zeroed(1, sizeof *webhook);
    webhook->host = host;
    webhook->config = json_read(config_json, strlen(config_json), NULL);
    webhook->hmac = secret_of(webhook->config, "hmac_secret_file");
    webhook->bearer = secret_of(webhook->config, "bearer_token_file");
    webhook->routing_key = secret_of(webhook->config, "routing_key_file");
    webhook->format = format_of(webhook->config);
    return webhook;
}

static void destroy(void *handle) {
    Webhook *webhook = handle;
    progress_deinit(&webhook->stopped);
    json_decref(webhook->config);
    free(webhook);
}

/* --- the answer (I4) --- */

typedef struct Judged {
    TocsinOutcome outcome;
    int64_t retry_after_ms;
    char *detail; /* the caller's */
} Judged;

static bool may_retry(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

static Judged judge_status(const Format *format, const TocsinHttpAnswer *answer) {
    OWN(text) char *words = answer_first_line(answer->body, WORDS_MAX);
    const int status = answer->status;
    const char *gap = *words ? ": " : "";
    if (status >= 300 && status < 400)
        return (Judged){TOCSIN_REFUSED, 0,
            text_format("HTTP %d: the receiver has moved to %s; redirects are not followed (give that address as url)",
                status, answer->location_host ? answer->location_host : "a place that it does not name")};
    const bool is_fine = status >= 200 && status < 300;
    const int64_t wish_ms = status == 429 && !answer->retry_after_ms ? format->limited_ms : answer->retry_after_ms;
    return (Judged){is_fine     ? TOCSIN_DELIVERED
            : may_retry(status) ? TOCSIN_RETRY
                                : TOCSIN_REFUSED,
        is_fine ? 0 : wish_ms, text_format("HTTP %d%s%s", status, gap, words)};
}

static Judged judge(const Format *format, const TocsinHttpAnswer *answer) {
    if (answer->end == TOCSIN_ANSWERED) return judge_status(format, answer);
    const char *silent = answer->end == TOCSIN_TIMEOUT ? "no answer in time" : "no answer came";
    return (Judged){answer->end == TOCSIN_UNSENT ? TOCSIN_REFUSED : TOCSIN_RETRY, 0,
        text_copy(answer->error && *answer->error ? answer->error : silent)};
}

/* --- a delivery --- */

typedef struct Headers {
    TocsinHeader list[HEADERS_MAX + 8];
    size_t count;
} Headers;

static void add_header(Headers *headers, const char *name, const char *value, TocsinSecret secret) {
    if (headers->count < COUNT_OF(headers->list)) headers->list[headers->count++] = (TocsinHeader){name, value, secret};
}

/* A header that was configured stands in place of ours. */
static void add_configured(Headers *headers, const json_t *configured) {
    bool has_type = false, has_agent = false;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)configured, name, value) {
        const char *text = json_string_value(value);
        if (!text || !is_token(name) || is_ours(name) || has_control(text)) continue; /* refused by check already */
        add_header(headers, name, text, 0);
        has_type = has_type || strcasecmp(name, "Content-Type") == 0;
        has_agent = has_agent || strcasecmp(name, "User-Agent") == 0;
    }
    if (!has_type) add_header(headers, "Content-Type", "application/json", 0);
    if (!has_agent) add_header(headers, "User-Agent", "Tocsin", 0);
}

/* `t=UNIX_TIME,v1=HEX`, by the message's own time: a retry sends the same bytes. NULL: the secret is not there. */
static char *sign(const Webhook *webhook, const Notice *notice, const char *body) {
    char hex[HEX];
    OWN(text) char *text = text_format("%lld.%s", (long long)(notice->created_ms / 1000), body);
    if (!webhook->host->sha256(webhook->host, webhook->hmac, text, strlen(text), hex)) return NULL;
    return text_format("t=%lld,v1=%s", (long long)(notice->created_ms / 1000), hex);
}

/* One request of a delivery, until its answer. */
typedef struct Request {
    Delivery *delivery;
    size_t index;
} Request;

static void answered(void *ctx, const TocsinHttpAnswer *answer);

/* What is left of the time that a delivery may take in all. */
static int64_t time_left_ms(const Delivery *delivery) {
    const TocsinHost *host = delivery->webhook->host;
    const int64_t past_ms = host->now_ms(host) - delivery->began_ms, all_ms = (int64_t)TIMEOUT_MAX_S * 1000;
    return past_ms < 0 ? all_ms : all_ms - past_ms; /* the wall clock may have been put back */
}

static void post(Delivery *delivery, const Headers *headers, size_t index) {
    const Webhook *webhook = delivery->webhook;
    const char *body = delivery->bodies.texts[index];
    const json_t *config = webhook->config, *basic = json_map(config, "basic_auth");
    int64_t timeout_s = 30;
    json_whole(config, "timeout", &timeout_s);
    const int64_t left_ms = time_left_ms(delivery);
    const bool has_file = json_object_get(config, "url_file");
    const char *url = json_text(config, "url");
    const TocsinHttpRequest request = {
        .size = sizeof request,
        .method = "POST",
        .url = url || has_file ? url : webhook->format->url,
        .url_secret = secret_of(config, "url_file"),
        .headers = headers->list,
        .header_count = headers->count,
        .body = body,
        .body_length = strlen(body),
        .username = json_text(basic, "username"),
        .password = secret_of(basic, "password_file"),
        .ca_file = json_text(config, "ca_file"),
        .cert_file = json_text(config, "cert_file"),
        .key_file = json_text(config, "key_file"),
        .proxy_url = json_text(config, "proxy_url"),
        .timeout_ms = timeout_s * 1000 < left_ms ? timeout_s * 1000 : left_ms,
        .body_secret = webhook->routing_key,
        .body_secret_at = delivery->bodies.secret_at,
    };
    Request *sent = alloc_zeroed(1, sizeof *sent);
    *sent = (Request){delivery, index};
    webhook->host->http(webhook->host, &request, answered, sent);
}

/* Each request has a key of its own: the notification's id, and from the second on its number behind it. */
static void send_one(Delivery *delivery, size_t index) {
    const Webhook *webhook = delivery->webhook;
    const Notice *notice = delivery->notice;
    const char *body = delivery->bodies.texts[index];
    OWN(text) char *signature = webhook->hmac ? sign(webhook, notice, body) : NULL;
    OWN(text) char *key = index ? text_format("%s.%zu", notice->id, index + 1) : text_copy(notice->id);
    Headers headers = {.count = 0};
    add_configured(&headers, json_map(webhook->config, "headers"));
    add_header(&headers, "Idempotency-Key", key, 0);
    if (webhook->bearer) add_header(&headers, "Authorization", "Bearer ", webhook->bearer);
    if (signature) add_header(&headers, "X-Tocsin-Signature", signature, 0);
    delivery->running++;
    post(delivery, &headers, index);
}

static void finish(Delivery *delivery) {
    const TocsinResult result = {.size = sizeof result,
        .outcome = delivery->outcome,
        .detail = delivery->detail ? delivery->detail : "",
        .retry_after_ms = delivery->retry_after_ms,
        .went_on = delivery->went_on};
    const Bodies *bodies = &delivery->bodies;
    delivery->done(delivery->ctx, &result);
    if (delivery->outcome == TOCSIN_RETRY && bodies->count > 1)
        progress_keep(
            &delivery->webhook->stopped, delivery->notice->id, bodies->texts, bodies->count, GIVE(delivery->is_taken));
    free(delivery->is_taken);
    bodies_deinit(&delivery->bodies);
    notice_free(delivery->notice);
    free(delivery->detail);
    free(delivery);
}

static void give_up(Delivery *delivery, TocsinOutcome outcome, const char *why) {
    delivery->outcome = outcome;
    free(delivery->detail);
    delivery->detail = text_copy(why);
    delivery->is_stopped = true;
}

/* Sends what may go now, and ends the delivery when nothing runs any more. */
static void go_on(Delivery *delivery) {
    enum { WORTHWHILE_MS = 1000 };
    while (!delivery->is_stopped && delivery->running < LANES && delivery->next < delivery->bodies.count) {
        if (delivery->is_taken[delivery->next])
            delivery->next++;
        else if (time_left_ms(delivery) < WORTHWHILE_MS)
            give_up(delivery, TOCSIN_RETRY, "the receiver is too slow for this many alerts at once");
        else
            send_one(delivery, delivery->next++);
    }
    if (!delivery->running) finish(delivery);
}

/* A retry outweighs a refusal, since it will meet the refusal again; of equals the first speaks. */
static int weight(TocsinOutcome outcome) { return outcome == TOCSIN_RETRY ? 2 : outcome == TOCSIN_REFUSED ? 1 : 0; }

static void answered(void *ctx, const TocsinHttpAnswer *answer) {
    const Request request = *(Request *)ctx;
    Delivery *delivery = request.delivery;
    Judged judged = judge(delivery->webhook->format, answer);
    free(ctx);
    delivery->running--;
    delivery->is_taken[request.index] = judged.outcome == TOCSIN_DELIVERED;
    delivery->went_on = delivery->went_on || judged.outcome == TOCSIN_DELIVERED;
    if (judged.outcome == TOCSIN_RETRY) delivery->is_stopped = true;
    if (judged.retry_after_ms > delivery->retry_after_ms) delivery->retry_after_ms = judged.retry_after_ms;
    if (!delivery->detail || weight(judged.outcome) > weight(delivery->outcome)) {
        free(delivery->detail);
        delivery->detail = GIVE(judged.detail);
        delivery->outcome = judged.outcome;
    }
    free(judged.detail);
    go_on(delivery);
}

/* NULL: there are bodies. Otherwise why not. */
static const char *render(const Webhook *webhook, const Notice *notice, Bodies *into) {
    const Format *format = webhook->format;
    if (format->bodies) {
        format->bodies(notice, into);
        return into->count ? NULL : "the notification holds no alert";
    }
    char *text = format->body ? format->body(notice) : template_body(json_text(webhook->config, "template"), notice);
    if (!text) return "the template gives a body of more than 4 MiB";
    bodies_add(into, text);
    return NULL;
}

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    Webhook *webhook = handle;
    Delivery *delivery = alloc_zeroed(1, sizeof *delivery);
    *delivery = (Delivery){.webhook = webhook, .done = done, .ctx = ctx, .notice = notice_read(notification_json)};
    delivery->began_ms = webhook->host->now_ms(webhook->host);
    char hex[HEX];
    const char *why = NULL;
    if (!delivery->notice)
        why = "the stored notification cannot be read";
    else if (webhook->hmac && !webhook->host->sha256(webhook->host, webhook->hmac, "", 0, hex))
        why = "the secret of hmac_secret_file is not there";
    else
        why = render(webhook, delivery->notice, &delivery->bodies);
    if (why)
        give_up(delivery, TOCSIN_REFUSED, why);
    else
        delivery->is_taken =
            progress_take(&webhook->stopped, delivery->notice->id, delivery->bodies.texts, delivery->bodies.count);
    go_on(delivery);
}

static TocsinRest rest(void *handle) { return ((const Webhook *)handle)->format->rest; }

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, check, init, deliver, destroy, rest};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
