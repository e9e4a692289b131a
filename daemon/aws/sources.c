/* The two kinds of key sources: the base, found on the pool and fetched from wherever that leads, and a role of the
 * configuration, assumed by STS. */
#include "aws/core.h"
#include "aws/sts.h"
#include "aws/walk.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

/* --- the base --- */

typedef struct Base {
    Aws *aws;
    char *profile;
    uint64_t stamp; /* of the files when they were read last */
} Base;

/* One fetch: the way is found on the pool, then gone. */
typedef struct AwsFetch AwsFetch;
struct AwsFetch {
    uv_work_t work;
    Aws *aws; /* NULL: it is gone; not touched on the pool */
    KeySource *source; /* referenced by the fetch */
    Base *base; /* lives as long as the source; not touched on the pool */
    char *profile;
    uint64_t stamp;
    bool looking, unchanged; /* looking: the keys are good, unless the files changed since `stamp` */
    Way *way;
    Walk *walk;
    Error err;
    AwsFetch *prev, *next;
};

static void base_find(uv_work_t *work) {
    AwsFetch *fetch = work->data;
    const uint64_t stamp = aws_files_stamp();
    fetch->unchanged = fetch->looking && stamp == fetch->stamp;
    fetch->stamp = stamp;
    if (!fetch->unchanged) fetch->way = way_find(fetch->profile, &fetch->err);
}

/* Keys that last are news when they change; those that end change by themselves. */
static void tell_base(const AwsKeys *keys, const AwsKeys *old, const AwsFailure *failure) {
    if (!keys && old && failure->class != AWS_CANCELLED)
        LOG(WARNING, "AWS credentials cannot be had again, the old ones go on until they end",
            KV("why", failure->message));
    else if (keys && !aws_keys_same(keys, old) && (!old || !old->expires_ms || strcmp(old->origin, keys->origin) != 0))
        LOG(INFO, "AWS credentials read", KV("from", keys->origin));
    else if (keys && !aws_keys_same(keys, old))
        LOG(DEBUG, "AWS credentials renewed", KV("from", keys->origin));
}

static void base_fetched(void *ctx, AwsKeys *take_keys, const AwsFailure *failure) {
    AwsFetch *fetch = ctx;
    tell_base(take_keys, key_source_keys(fetch->source), failure);
    if (fetch->aws) DL_DELETE(fetch->aws->fetches, fetch);
    key_source_fetched(fetch->source, take_keys, failure);
    way_free(fetch->way);
    free(fetch->profile);
    free(fetch);
}

static void base_found(uv_work_t *work, int status) {
    (void)status; /* never cancelled */
    AwsFetch *fetch = work->data;
    AwsFailure failure = {.class = fetch->aws ? AWS_NO_CREDENTIALS : AWS_CANCELLED};
    snprintf(failure.message, sizeof failure.message, "%s", fetch->aws ? fetch->err.text : "cancelled");
    fetch->base->stamp = fetch->stamp;
    if (fetch->way && fetch->aws)
        fetch->walk = walk_start(fetch->aws, GIVE(fetch->way), base_fetched, fetch);
    else
        base_fetched(fetch, fetch->unchanged ? aws_keys_ref(key_source_keys(fetch->source)) : NULL, &failure);
}

static void base_fetch(void *ctx, KeySource *source) {
    Base *base = ctx;
    AwsFetch *fetch = alloc_zeroed(1, sizeof *fetch);
    *fetch = (AwsFetch){.aws = base->aws, .source = source, .base = base, .stamp = base->stamp};
    fetch->work.data = fetch;
    fetch->profile = base->profile ? text_copy(base->profile) : NULL;
    fetch->looking = !key_source_renewing(source);
    DL_APPEND(base->aws->fetches, fetch);
    uv_queue_work(base->aws->loop, &fetch->work, base_find, base_found);
}

void aws_fetches_cancel(Aws *aws) {
    AwsFetch *fetch, *next;
    DL_FOREACH_SAFE(aws->fetches, fetch, next) {
        if (fetch->walk) {
            walk_cancel(fetch->walk);
            continue;
        }
        DL_DELETE(aws->fetches, fetch);
        fetch->aws = NULL; /* the pool hands it back later */
    }
}

static void base_destroy(void *ctx) {
    Base *base = ctx;
    free(base->profile);
    free(base);
}

KeySource *aws_base_source(Aws *aws, const char *profile) {
    Base *base = alloc_zeroed(1, sizeof *base);
    base->aws = aws;
    base->profile = profile ? text_copy(profile) : NULL;
    return key_source_new(aws->clock, base_fetch, base, base_destroy, true);
}

/* --- a role --- */

typedef struct Role {
    Aws *aws;
    char *account, *role_arn, *region;
    Secret *external_id;
    KeySource *base;
} Role;

typedef struct Assuming {
    Role *role;
    KeySource *source; /* referenced by the fetch */
} Assuming;

static void told_failure(const AwsAnswer *answer, AwsFailure *failure) {
    *failure = (AwsFailure){.class = answer->class, .status = answer->status};
    snprintf(failure->code, sizeof failure->code, "%s", answer->code);
    snprintf(failure->message, sizeof failure->message, "%s", answer->message);
    snprintf(failure->action, sizeof failure->action, "%s", answer->action);
    snprintf(failure->resource, sizeof failure->resource, "%s", answer->resource);
    snprintf(failure->reason, sizeof failure->reason, "%s", answer->reason);
    snprintf(failure->request_id, sizeof failure->request_id, "%s", answer->request_id);
}

AwsKeys *aws_assumed(
    Aws *aws, const AwsAnswer *answer, const char *role_arn, const char *origin, AwsFailure *ret_failure) {
    Error err = {0};
    told_failure(answer, ret_failure);
    if (answer->class == AWS_DENIED && !*ret_failure->resource)
        snprintf(ret_failure->resource, sizeof ret_failure->resource, "%s", role_arn);
    if (answer->class != AWS_FINE) return NULL;
    AwsKeys *keys = sts_assume_read(answer->body, answer->body_length, origin, aws_now_ms(aws), &err);
    if (keys) return keys;
    ret_failure->class = AWS_TRANSIENT;
    snprintf(ret_failure->message, sizeof ret_failure->message, "%s", err.text);
    return NULL;
}

static void assumed(void *ctx, const AwsAnswer *answer) {
    Assuming *assuming = ctx;
    Role *role = assuming->role;
    AwsFailure failure;
    AwsKeys *keys = aws_assumed(role->aws, answer, role->role_arn, role->role_arn, &failure);
    if (keys)
        LOG(DEBUG, "role assumed", KV("account", role->account), KV("role", role->role_arn));
    else if (key_source_keys(assuming->source) && answer->class != AWS_CANCELLED)
        LOG(WARNING, "the role cannot be assumed again, its keys go on until they end", KV("account", role->account),
            KV("why", failure.message));
    key_source_fetched(assuming->source, keys, &failure);
    free(assuming);
}

static void role_fetch(void *ctx, KeySource *source) {
    Role *role = ctx;
    Assuming *assuming = alloc_zeroed(1, sizeof *assuming);
    char host[256] = "host", session[STS_SESSION_MAX];
    *assuming = (Assuming){role, source};
    if (gethostname(host, sizeof host - 1)) memcpy(host, "host", 5);
    sts_session_name(host, session);
    char *body = sts_assume_body(&(StsRole){.role_arn = role->role_arn,
        .session = session,
        .external_id = role->external_id ? secret_reveal(role->external_id, NULL) : NULL});
    const AwsCall call = {.account = role->account,
        .region = role->region,
        .service = AWS_STS,
        .operation = "AssumeRole",
        .action = "sts:AssumeRole",
        .body = body,
        .body_length = strlen(body),
        .body_max = 65536};
    aws_ask(role->aws, role->aws->config, role->base, &call, NULL, assumed, assuming);
    guard_free(body);
}

static void role_destroy(void *ctx) {
    Role *role = ctx;
    key_source_free(role->base);
    secret_free(role->external_id);
    free(role->account);
    free(role->role_arn);
    free(role->region);
    free(role);
}

static const char *sts_region(const AwsSection *section, const AwsAccount *account) {
    return section->region ? section->region : account->regions.texts[0];
}

KeySource *aws_role_source(Aws *aws, const AwsSection *section, const AwsAccount *account, KeySource *base) {
    Role *role = alloc_zeroed(1, sizeof *role);
    role->aws = aws;
    role->account = text_copy(account->name);
    role->role_arn = text_copy(account->role_arn);
    role->region = text_copy(sts_region(section, account));
    role->base = key_source_ref(base);
    if (account->external_id)
        role->external_id = secret_new(account->external_id, strlen(account->external_id));
    else
        role->external_id = secret_copy(account->external_id_file);
    return key_source_new(aws->clock, role_fetch, role, role_destroy, false);
}

char *aws_role_identity(const AwsSection *section, const AwsAccount *account) {
    const char *id = account->external_id ? account->external_id : "";
    if (account->external_id_file) id = secret_reveal(account->external_id_file, NULL);
    const char *region = sts_region(section, account), *url = section->urls[AWS_STS] ? section->urls[AWS_STS] : "";
    const size_t room =
        strlen(account->name) + strlen(account->role_arn) + strlen(region) + strlen(url) + strlen(id) + 5;
    char *identity = guard_malloc(room);
    if (!identity) abort();
    snprintf(identity, room, "%s\n%s\n%s\n%s\n%s", account->name, account->role_arn, region, url, id);
    return identity;
}
