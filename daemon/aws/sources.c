/* The two kinds of key sources: the base chain, read on the pool, and a role, assumed by STS. */
#include "aws/chain.h"
#include "aws/core.h"
#include "aws/sts.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the base --- */

typedef struct Base {
    uv_loop_t *loop;
    char *profile;
    uint64_t stamp; /* of the files when they were read last */
} Base;

typedef struct BaseJob {
    uv_work_t work;
    KeySource *source; /* referenced by the fetch */
    Base *base; /* lives as long as the source; not touched on the pool */
    char *profile;
    uint64_t stamp;
    bool known, unchanged; /* known: there are keys, read at `stamp` */
    AwsKeys *keys;
    Error err;
} BaseJob;

static void base_read(uv_work_t *work) {
    BaseJob *job = work->data;
    const uint64_t stamp = aws_files_stamp();
    job->unchanged = job->known && stamp == job->stamp;
    job->stamp = stamp;
    if (!job->unchanged) job->keys = aws_chain_keys(job->profile, &job->err);
}

static void base_done(uv_work_t *work, int status) {
    (void)status; /* never cancelled */
    BaseJob *job = work->data;
    AwsFailure failure = {.class = AWS_NO_CREDENTIALS};
    AwsKeys *old = key_source_keys(job->source);
    job->base->stamp = job->stamp;
    snprintf(failure.message, sizeof failure.message, "%s", job->err.text);
    if (job->unchanged) job->keys = aws_keys_ref(old);
    if (!job->keys && old)
        LOG(WARNING, "AWS credentials cannot be read again, the old ones go on", KV("why", failure.message));
    if (job->keys && !aws_keys_same(job->keys, old)) LOG(INFO, "AWS credentials read", KV("from", job->keys->origin));
    key_source_fetched(job->source, job->keys, &failure);
    free(job->profile);
    free(job);
}

static void base_fetch(void *ctx, KeySource *source) {
    Base *base = ctx;
    BaseJob *job = alloc_zeroed(1, sizeof *job);
    job->work.data = job;
    job->source = source;
    job->base = base;
    job->profile = base->profile ? text_copy(base->profile) : NULL;
    job->stamp = base->stamp;
    job->known = key_source_keys(source) != NULL;
    uv_queue_work(base->loop, &job->work, base_read, base_done);
}

static void base_destroy(void *ctx) {
    Base *base = ctx;
    free(base->profile);
    free(base);
}

KeySource *aws_base_source(Aws *aws, const char *profile) {
    Base *base = alloc_zeroed(1, sizeof *base);
    base->loop = aws->loop;
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

static void assumed(void *ctx, const AwsAnswer *answer) {
    Assuming *assuming = ctx;
    Role *role = assuming->role;
    AwsKeys *keys = NULL;
    AwsFailure failure;
    Error err = {0};
    told_failure(answer, &failure);
    if (answer->class == AWS_FINE) {
        keys = sts_assume_read(answer->body, answer->body_length, role->role_arn, aws_now_ms(role->aws), &err);
        failure.class = AWS_TRANSIENT;
        snprintf(failure.message, sizeof failure.message, "%s", err.text);
    }
    if (failure.class == AWS_DENIED && !*failure.resource)
        snprintf(failure.resource, sizeof failure.resource, "%s", role->role_arn);
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
    char *body =
        sts_assume_body(role->role_arn, session, role->external_id ? secret_reveal(role->external_id, NULL) : NULL);
    const AwsCall call = {.account = role->account,
        .region = role->region,
        .service = AWS_STS,
        .operation = "AssumeRole",
        .action = "sts:AssumeRole",
        .body = body,
        .body_length = strlen(body),
        .body_max = 65536};
    aws_ask(role->aws, role->aws->config, role->base, &call, NULL, assumed, assuming);
    explicit_bzero(body, strlen(body));
    free(body);
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
