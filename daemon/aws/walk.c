#include "aws/walk.h"

#include "aws/metadata.h"
#include "aws/process.h"
#include "aws/sts.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/timetext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Walk {
    Aws *aws;
    Way *way;
    size_t left; /* links not gone yet; the one under way is the last of them */
    AwsKeys *keys; /* of the link before */
    uv_timer_t soon; /* nothing of it happens inside walk_start() */
    Process *process;
    Metadata *metadata;
    AwsTicket *ticket;
    WalkDone *done;
    void *ctx;
};

static void step(Walk *walk);

static const WayLink *present(const Walk *walk) { return &walk->way->links[walk->left - 1]; }

static void timer_closed(uv_handle_t *handle) { free(handle->data); }

static void finish(Walk *walk, AwsKeys *take_keys, const AwsFailure *failure) {
    WalkDone *done = walk->done;
    if (!done) return;
    walk->done = NULL;
    done(walk->ctx, take_keys, failure);
    aws_keys_free(walk->keys);
    way_free(walk->way);
    uv_close((uv_handle_t *)&walk->soon, timer_closed);
}

static void fail(Walk *walk, AwsClass class, const char *why) {
    AwsFailure failure = {.class = class};
    snprintf(failure.message, sizeof failure.message, "%s: %s", present(walk)->origin, why);
    finish(walk, NULL, &failure);
}

void walk_cancel(Walk *walk) {
    if (walk->process) return process_cancel(walk->process);
    if (walk->metadata) return metadata_cancel(walk->metadata);
    if (walk->ticket) return aws_cancel(walk->ticket);
    fail(walk, AWS_CANCELLED, "cancelled");
}

/* One source has given its keys: on to the next, or home. */
static void arrive(Walk *walk, AwsKeys *take_keys) {
    char end[TIME_TEXT_MAX], why[128];
    aws_keys_free(walk->keys);
    walk->keys = take_keys;
    if (take_keys->expires_ms && take_keys->expires_ms <= aws_now_ms(walk->aws)) {
        snprintf(why, sizeof why, "it gave keys that have ended (%s)", time_format(take_keys->expires_ms, end));
        fail(walk, AWS_NO_CREDENTIALS, why);
    } else if (--walk->left > 0) {
        step(walk);
    } else {
        finish(walk, GIVE(walk->keys), &(AwsFailure){.class = AWS_FINE});
    }
}

static void keys_given(Walk *walk, AwsKeys *take_keys, const char *why) {
    if (take_keys)
        arrive(walk, take_keys);
    else
        fail(walk, walk->aws->closing ? AWS_CANCELLED : AWS_NO_CREDENTIALS, why);
}

static void process_given(void *ctx, AwsKeys *take_keys, const char *why) {
    Walk *walk = ctx;
    walk->process = NULL;
    keys_given(walk, take_keys, why);
}

static void metadata_given(void *ctx, AwsKeys *take_keys, const char *why) {
    Walk *walk = ctx;
    walk->metadata = NULL;
    keys_given(walk, take_keys, why);
}

static void assumed(void *ctx, const AwsAnswer *answer) {
    Walk *walk = ctx;
    const WayLink *link = present(walk);
    AwsFailure failure;
    walk->ticket = NULL;
    AwsKeys *keys = aws_assumed(walk->aws, answer, link->role_arn, link->origin, &failure);
    if (keys)
        arrive(walk, keys);
    else
        finish(walk, NULL, &failure);
}

static void assume(Walk *walk) {
    const WayLink *link = present(walk);
    const bool web = link->kind == WAY_WEB_IDENTITY;
    const AwsSection *section = walk->aws->config->section;
    const StsRole role = {.role_arn = link->role_arn,
        .session = link->session,
        .external_id = link->external_id ? secret_reveal(link->external_id, NULL) : NULL,
        .web_token = web ? secret_reveal(link->token, NULL) : NULL,
        .duration_s = link->duration_s};
    char *body = sts_assume_body(&role);
    const AwsCall call = {.region = section->region ? section->region : section->accounts[0].regions.texts[0],
        .service = AWS_STS,
        .operation = web ? "AssumeRoleWithWebIdentity" : "AssumeRole",
        .action = web ? "sts:AssumeRoleWithWebIdentity" : "sts:AssumeRole",
        .body = body,
        .body_length = strlen(body),
        .body_max = 65536,
        .is_unsigned = web};
    KeySource *with = web ? NULL : key_source_fixed(walk->aws->clock, walk->keys);
    walk->ticket = aws_ask(walk->aws, walk->aws->config, with, &call, NULL, assumed, walk);
    key_source_free(with);
    guard_free(body);
}

static void step(Walk *walk) {
    const WayLink *link = present(walk);
    switch (link->kind) {
    case WAY_KEYS: arrive(walk, aws_keys_ref(link->keys)); return;
    case WAY_PROCESS:
        walk->process = process_start(walk->aws->loop, (const char *const *)(uintptr_t)link->arguments, link->origin,
            aws_now_ms(walk->aws), process_given, walk);
        return;
    case WAY_CONTAINER:
    case WAY_INSTANCE: walk->metadata = metadata_start(walk->aws, link, metadata_given, walk); return;
    case WAY_ROLE:
    case WAY_WEB_IDENTITY: assume(walk); return;
    }
}

static void begin(uv_timer_t *timer) { step(timer->data); }

Walk *walk_start(Aws *aws, Way *take_way, WalkDone *done, void *ctx) {
    Walk *walk = alloc_zeroed(1, sizeof *walk);
    *walk = (Walk){.aws = aws, .way = take_way, .left = take_way->count, .done = done, .ctx = ctx};
    uv_timer_init(aws->loop, &walk->soon);
    walk->soon.data = walk;
    uv_timer_start(&walk->soon, begin, 0, 0);
    return walk;
}
