#include "aws/metadata.h"

#include "aws/keys_json.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROLE_NAME_MAX = 128, TOKEN_MAX = 4096 };

#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"
#define INSTEAD "where this is no EC2 instance, give keys (environment, ~/.aws) and set AWS_EC2_METADATA_DISABLED=true"

/* What is asked in turn. */
typedef enum { ASK_TOKEN, ASK_ROLE, ASK_KEYS, ASK_CONTAINER } Asking;

struct Metadata {
    Aws *aws;
    const WayLink *link;
    Asking asking;
    int tries; /* of this question, failed */
    bool token_renewed;
    Secret *token;
    char role[ROLE_NAME_MAX + 1];
    HttpTicket *http;
    uv_timer_t timer; /* the pause before another try */
    MetadataDone *done;
    void *ctx;
};

static void ask(Metadata *metadata);

/* --- the way out --- */

static void timer_closed(uv_handle_t *handle) {
    Metadata *metadata = handle->data;
    secret_free(metadata->token);
    free(metadata);
}

static void finish(Metadata *metadata, AwsKeys *take_keys, const char *why) {
    MetadataDone *done = metadata->done;
    if (!done) return;
    metadata->done = NULL;
    if (metadata->http) http_cancel(metadata->http);
    done(metadata->ctx, take_keys, why);
    uv_close((uv_handle_t *)&metadata->timer, timer_closed);
}

void metadata_cancel(Metadata *metadata) { finish(metadata, NULL, "cancelled"); }

static void fail(Metadata *metadata, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(Metadata *metadata, const char *format, ...) {
    char why[AWS_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    finish(metadata, NULL, why);
}

/* --- what the answers say --- */

static void ask_next(Metadata *metadata, Asking asking) {
    metadata->asking = asking;
    metadata->tries = 0;
    ask(metadata);
}

static void take_token(Metadata *metadata, const HttpAnswer *http) {
    bool fine = http->body_length > 0 && http->body_length <= TOKEN_MAX;
    for (size_t i = 0; fine && i < http->body_length; i++) fine = isgraph((unsigned char)http->body[i]);
    if (!fine) {
        fail(metadata, "%s answered PUT /latest/api/token with something else than a token", metadata->link->url);
        return;
    }
    secret_free(metadata->token);
    metadata->token = secret_new(http->body, http->body_length);
    ask_next(metadata, ASK_ROLE);
}

static void take_role(Metadata *metadata, const HttpAnswer *http) {
    const size_t length = strcspn(http->body, "\r\n");
    bool fine = length > 0 && length <= ROLE_NAME_MAX;
    for (size_t i = 0; fine && i < length; i++)
        fine = isalnum((unsigned char)http->body[i]) || strchr("_+=,.@-", http->body[i]);
    if (!fine) {
        fail(metadata, "%s named no role (attach an instance profile with a role)", metadata->link->url);
        return;
    }
    memcpy(metadata->role, http->body, length);
    metadata->role[length] = 0;
    ask_next(metadata, ASK_KEYS);
}

/* IMDS goes on handing out keys that have ended while it cannot get others; AWS may take them all the same. */
static void hold(Metadata *metadata, AwsKeys *keys) {
    const int64_t now_ms = aws_now_ms(metadata->aws);
    if (keys->expires_ms > now_ms) return;
    keys->expires_ms = now_ms + INSTANCE_HOLD_MS + 120000 + (int64_t)(random_u64() % INSTANCE_HOLD_MORE_MS);
    LOG(WARNING, "the instance's keys have ended and EC2 has no others yet, they go on", KV("role", metadata->role));
}

static void take_keys(Metadata *metadata, const HttpAnswer *http) {
    const bool instance = metadata->asking == ASK_KEYS;
    Error err = {0};
    OWN(text)
    char *origin =
        instance ? text_format("%s %s", metadata->link->origin, metadata->role) : text_copy(metadata->link->origin);
    AwsKeys *keys = keys_json_read(instance ? KEYS_OF_INSTANCE : KEYS_OF_CONTAINER, http->body, http->body_length,
        origin, aws_now_ms(metadata->aws), &err);
    if (keys && instance) hold(metadata, keys);
    if (keys)
        finish(metadata, keys, "");
    else
        fail(metadata, "%s", err.text);
}

static void take(Metadata *metadata, const HttpAnswer *http) {
    switch (metadata->asking) {
    case ASK_TOKEN: take_token(metadata, http); return;
    case ASK_ROLE: take_role(metadata, http); return;
    case ASK_KEYS:
    case ASK_CONTAINER: take_keys(metadata, http); return;
    }
}

/* What a status that is no success means here; NULL: nothing particular. */
static const char *meaning(Asking asking, long status) {
    if (asking == ASK_CONTAINER)
        return status == 401 || status == 403 ? " (is the authorization token the one of this container?)" : NULL;
    if (status == 403) return " (the metadata service is turned off for this instance)";
    if (asking == ASK_TOKEN) return " to PUT /latest/api/token (only version 2 of the metadata service is asked)";
    if (status == 404) return " (the instance has no role: attach an instance profile with one)";
    return status == 401 ? " to a new token, twice" : NULL;
}

static void explain(Metadata *metadata, const HttpAnswer *http) {
    const WayLink *link = metadata->link;
    if (http->outcome == HTTP_ANSWERED) {
        const char *more = meaning(metadata->asking, http->status);
        fail(metadata, "%s: status %ld%s", link->kind == WAY_CONTAINER ? "the endpoint answered" : link->url,
            http->status, more ? more : "");
    } else if (metadata->asking == ASK_TOKEN) {
        fail(metadata,
            "no answer to PUT /latest/api/token: %s. Hop limit? In a container, allow two hops (aws ec2 "
            "modify-instance-metadata-options --http-put-response-hop-limit 2); " INSTEAD,
            http->error);
    } else {
        fail(metadata, "%s", http->error);
    }
}

static bool worth_another_try(const HttpAnswer *http) {
    if (http->outcome == HTTP_ANSWERED) return http->status == 429 || http->status >= 500;
    return http->outcome == HTTP_FAILED || http->outcome == HTTP_TIMED_OUT;
}

static void due(uv_timer_t *timer) { ask(timer->data); }

static void answered(void *ctx, const HttpAnswer *http) {
    Metadata *metadata = ctx;
    const bool container = metadata->asking == ASK_CONTAINER;
    metadata->http = NULL;
    if (http->outcome == HTTP_CANCELLED) {
        finish(metadata, NULL, "cancelled");
    } else if (http->outcome == HTTP_ANSWERED && http->status == 200) {
        take(metadata, http);
    } else if (http->outcome == HTTP_ANSWERED && http->status == 401 && metadata->token && !metadata->token_renewed) {
        metadata->token_renewed = true; /* it was given back too late */
        ask_next(metadata, ASK_TOKEN);
    } else if (worth_another_try(http) && ++metadata->tries < (container ? CONTAINER_TRIES : INSTANCE_TRIES)) {
        uv_timer_start(&metadata->timer, due, container ? CONTAINER_PAUSE_MS : 0, 0);
    } else {
        explain(metadata, http);
    }
}

/* --- asking --- */

static void ask(Metadata *metadata) {
    const bool container = metadata->asking == ASK_CONTAINER, put = metadata->asking == ASK_TOKEN;
    static const char *const paths[] = {"/latest/api/token", ROLES_PATH, ROLES_PATH, ""};
    OWN(text)
    char *url = text_format(
        "%s%s%s", metadata->link->url, paths[metadata->asking], metadata->asking == ASK_KEYS ? metadata->role : "");
    HttpHeader headers[2] = {{"Accept", container ? "application/json" : "*/*", NULL}};
    size_t count = 1;
    if (put)
        headers[count++] = (HttpHeader){"X-aws-ec2-metadata-token-ttl-seconds", "21600", NULL};
    else if (!container)
        headers[count++] = (HttpHeader){"X-aws-ec2-metadata-token", "", metadata->token};
    else if (metadata->link->token)
        headers[count++] = (HttpHeader){"Authorization", "", metadata->link->token};
    const int64_t timeout_ms = container ? CONTAINER_TIMEOUT_MS : INSTANCE_TIMEOUT_MS;
    metadata->http = http_start(metadata->aws->http,
        &(HttpRequest){.method = put ? "PUT" : "GET",
            .url = url,
            .headers = headers,
            .header_count = count,
            .no_proxy = true,
            .body_max = KEYS_JSON_MAX,
            .timeout_ms = timeout_ms,
            .connect_timeout_ms = timeout_ms},
        answered, metadata);
}

Metadata *metadata_start(Aws *aws, const WayLink *link, MetadataDone *done, void *ctx) {
    Metadata *metadata = alloc_zeroed(1, sizeof *metadata);
    *metadata = (Metadata){.aws = aws,
        .link = link,
        .asking = link->kind == WAY_CONTAINER ? ASK_CONTAINER : ASK_TOKEN,
        .done = done,
        .ctx = ctx};
    uv_timer_init(aws->loop, &metadata->timer);
    metadata->timer.data = metadata;
    ask(metadata);
    return metadata;
}
