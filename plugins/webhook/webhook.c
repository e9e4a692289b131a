/* webhook: Alertmanager's webhook body by HTTP POST. */
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

typedef struct Webhook {
    const TocsinHost *host;
    json_t *config;
    TocsinSecret hmac, bearer;
} Webhook;

/* One delivery, until its answer is there. */
typedef struct Delivery {
    TocsinDone *done;
    void *ctx;
} Delivery;

static const TocsinKey keys[] = {
    {"url", "url", NULL, "Where the message is posted."},
    {"url_file", "secret url", NULL, "A file with that address, where the address itself is a secret."},
    {"format", "choice alertmanager slack pagerduty teams alertmanager_api template", "alertmanager",
        "What the body looks like: Alertmanager's webhook, version 4."},
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
    {"template", "later", NULL, "A body of your own."},
    {"routing_key_file", "later", NULL, "PagerDuty's key."},
    {NULL, NULL, NULL, NULL},
};

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

static void check(const char *config_json, TocsinProblem *problem, void *ctx) {
    OWN(json) json_t *config = json_read(config_json, strlen(config_json), NULL);
    const json_t *headers = json_map(config, "headers");
    const char *format = json_text(config, "format");
    int64_t timeout_s = 0;
    const bool has_url = json_object_get(config, "url"), has_file = json_object_get(config, "url_file");
    if (!has_url && !has_file) problem(ctx, "", "`url` is missing", "url: https://example.org/hook, or url_file");
    if (has_url && has_file) problem(ctx, "/url_file", "url and url_file are both given", "one of them");
    if (format && strcmp(format, "alertmanager") != 0) {
        OWN(text) char *what = text_format("`format: %s` does not exist in this version of Tocsin", format);
        problem(ctx, "/format", what, "alertmanager");
    }
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
    return webhook;
}

static void destroy(void *handle) {
    Webhook *webhook = handle;
    json_decref(webhook->config);
    free(webhook);
}

/* --- the answer (I4) --- */

static bool may_retry(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

static void answered(void *ctx, const TocsinHttpAnswer *answer) {
    Delivery *delivery = ctx;
    TocsinDone *done = delivery->done;
    void *theirs = delivery->ctx;
    free(delivery);
    if (answer->end != TOCSIN_ANSWERED) {
        answer_unanswered(done, theirs, answer->end, answer->error);
        return;
    }
    OWN(text) char *words = answer_first_line(answer->body, WORDS_MAX);
    const int status = answer->status;
    const char *gap = *words ? ": " : "";
    if (status >= 200 && status < 300)
        answer_give(done, theirs, TOCSIN_DELIVERED, 0, "HTTP %d%s%s", status, gap, words);
    else if (status >= 300 && status < 400)
        answer_give(done, theirs, TOCSIN_REFUSED, 0,
            "HTTP %d: the receiver has moved to %s; redirects are not followed (give that address as url)", status,
            answer->location_host ? answer->location_host : "a place that it does not name");
    else
        answer_give(done, theirs, may_retry(status) ? TOCSIN_RETRY : TOCSIN_REFUSED, answer->retry_after_ms,
            "HTTP %d%s%s", status, gap, words);
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

static void post(const Webhook *webhook, const Headers *headers, const char *body, TocsinDone *done, void *ctx) {
    const json_t *config = webhook->config, *basic = json_map(config, "basic_auth");
    int64_t timeout_s = 30;
    json_whole(config, "timeout", &timeout_s);
    Delivery *delivery = alloc_zeroed(1, sizeof *delivery);
    *delivery = (Delivery){done, ctx};
    const TocsinHttpRequest request = {
        .size = sizeof request,
        .method = "POST",
        .url = json_text(config, "url"),
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
        .timeout_ms = timeout_s * 1000,
    };
    webhook->host->http(webhook->host, &request, answered, delivery);
}

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    const Webhook *webhook = handle;
    OWN(notice) Notice *notice = notice_read(notification_json);
    if (!notice) {
        answer_give(done, ctx, TOCSIN_REFUSED, 0, "the stored notification cannot be read");
        return;
    }
    OWN(text) char *body = json_write(notice->webhook);
    OWN(text) char *signature = webhook->hmac ? sign(webhook, notice, body) : NULL;
    Headers headers = {.count = 0};
    add_configured(&headers, json_map(webhook->config, "headers"));
    add_header(&headers, "Idempotency-Key", notice->id, 0);
    if (webhook->bearer) add_header(&headers, "Authorization", "Bearer ", webhook->bearer);
    if (signature) add_header(&headers, "X-Tocsin-Signature", signature, 0);
    if (webhook->hmac && !signature)
        answer_give(done, ctx, TOCSIN_REFUSED, 0, "the secret of hmac_secret_file is not there");
    else
        post(webhook, &headers, body, done, ctx);
}

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, check, init, deliver, destroy};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
