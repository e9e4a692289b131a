#include "aws/core.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <stdlib.h>
#include <string.h>

Aws *aws_new(uv_loop_t *loop, Http *http, const Clock *clock, Metrics *metrics) {
    Aws *aws = alloc_zeroed(1, sizeof *aws);
    *aws = (Aws){.loop = loop, .http = http, .clock = clock, .metrics = metrics};
    return aws;
}

void aws_config_free(AwsConfig *config) {
    if (!config || --config->refs) return;
    for (size_t i = 0; i < config->section->account_count; i++) {
        key_source_free(config->origins[i].source);
        guard_free(config->origins[i].identity);
    }
    key_source_free(config->base);
    free(config->origins);
    free(config->profile);
    snapshot_free(config->snapshot);
    free(config);
}

Aws *aws_free(Aws *aws) {
    if (!aws) return NULL;
    aws->closing = true;
    while (aws->tickets) aws_cancel(aws->tickets);
    aws_fetches_cancel(aws);
    aws_config_free(aws->config);
    AwsBudget *budget, *next;
    HASH_ITER(hh, aws->budgets, budget, next) {
        HASH_DEL(aws->budgets, budget);
        free(budget);
    }
    free(aws);
    return NULL;
}

/* The source of the configuration before, if it is the same one: its keys are still good. */
static KeySource *known_source(const AwsConfig *old, const char *identity) {
    for (size_t i = 0; old && i < old->section->account_count; i++)
        if (old->origins[i].identity && strcmp(old->origins[i].identity, identity) == 0)
            return key_source_ref(old->origins[i].source);
    return NULL;
}

static void make_origin(Aws *aws, AwsConfig *config, const AwsConfig *old, size_t at) {
    const AwsAccount *account = &config->section->accounts[at];
    AwsOrigin *origin = &config->origins[at];
    const char *partition, *id;
    size_t length;
    if (!account->role_arn) {
        origin->source = key_source_ref(config->base);
        return;
    }
    if (aws_role_arn(account->role_arn, &partition, &length, &id)) memcpy(origin->id, id, 12);
    origin->identity = aws_role_identity(config->section, account);
    origin->source = known_source(old, origin->identity);
    if (!origin->source) origin->source = aws_role_source(aws, config->section, account, config->base);
    key_source_hurry(origin->source); /* what failed may have been mended by the new configuration */
}

static bool same_text(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

void aws_configure(Aws *aws, Snapshot *snapshot) {
    AwsConfig *old = aws->config, *config = alloc_zeroed(1, sizeof *config);
    config->refs = 1;
    config->snapshot = snapshot_ref(snapshot);
    config->section = snapshot_section(snapshot, &aws_section);
    config->profile = config->section->profile ? text_copy(config->section->profile) : NULL;
    const bool same = old && same_text(old->profile, config->profile);
    config->base = same ? key_source_ref(old->base) : aws_base_source(aws, config->profile);
    key_source_hurry(config->base);
    config->origins = alloc_zeroed(config->section->account_count + 1, sizeof *config->origins);
    for (size_t i = 0; i < config->section->account_count; i++) make_origin(aws, config, same ? old : NULL, i);
    aws->config = config;
    aws_config_free(old);
}

AwsTicket *aws_call(Aws *aws, const AwsCall *call, AwsDone *done, void *ctx) {
    AwsConfig *config = aws->config;
    if (!config) return aws_ask(aws, NULL, NULL, call, "no configuration is in use yet", done, ctx);
    if (!call->account || !*call->account) return aws_ask(aws, config, config->base, call, NULL, done, ctx);
    const AwsAccount *account = aws_section_account(config->section, call->account);
    if (!account) return aws_ask(aws, config, NULL, call, "the account is not in the configuration", done, ctx);
    return aws_ask(aws, config, config->origins[account - config->section->accounts].source, call, NULL, done, ctx);
}

static AwsBudget *budget_of(Aws *aws, const char *account, const char *region, const char *service) {
    OWN(text) char *key = text_format("%s %s %s", account, region, service);
    AwsBudget *budget = NULL;
    const size_t length = strlen(key);
    HASH_FIND(hh, aws->budgets, key, length, budget);
    if (!budget) {
        budget = alloc_zeroed(1, sizeof *budget + length + 1);
        memcpy(budget->key, key, length + 1);
        HASH_ADD_KEYPTR(hh, aws->budgets, budget->key, length, budget);
    }
    return budget;
}

RetryBucket *aws_budget(Aws *aws, const char *account, const char *region, const char *service) {
    return &budget_of(aws, account, region, service)->bucket;
}

int64_t aws_turn_ms(Aws *aws, const char *account, const char *region, const char *service, int64_t gap_ms) {
    if (gap_ms <= 0) return 0;
    AwsBudget *budget = budget_of(aws, account, region, service);
    const int64_t now_ms = clock_mono_ms(aws->clock);
    if (budget->next_ms < now_ms - gap_ms) budget->next_ms = now_ms - gap_ms;
    const int64_t wait_ms = budget->next_ms > now_ms ? budget->next_ms - now_ms : 0;
    budget->next_ms += gap_ms;
    return wait_ms;
}

static SkewMoment moment(const Aws *aws) { return (SkewMoment){clock_wall_ms(aws->clock), clock_boot_ms(aws->clock)}; }

int64_t aws_skew_ms(const Aws *aws) { return skew_ms(&aws->skew, moment(aws)); }
int64_t aws_skew_applied_ms(const Aws *aws) { return skew_applied_ms(&aws->skew, moment(aws)); }
int64_t aws_now_ms(const Aws *aws) {
    const SkewMoment now = moment(aws);
    return now.wall_ms + skew_applied_ms(&aws->skew, now);
}
AwsLedger aws_ledger(const Aws *aws) { return aws->ledger; }

void aws_ledger_add_traces(Aws *aws, const char *account, const char *region, double traces) {
    static const Metric scanned_total = {"tocsin_xray_traces_scanned_total",
        "Traces that X-Ray says it scanned for our calls; it bills them by the million.", METRIC_COUNTER,
        {"account", "region"}};
    aws->ledger.traces_scanned += traces;
    metric_add(aws->metrics, &scanned_total, traces, METRIC_VALUES(account, region));
}

const char *aws_account_id(const Aws *aws, const char *account) {
    const AwsConfig *config = aws->config;
    for (size_t i = 0; config && account && i < config->section->account_count; i++)
        if (strcmp(config->section->accounts[i].name, account) == 0) return config->origins[i].id;
    return "";
}

bool aws_account_keys(const Aws *aws, const char *account, const char **ret_origin, int64_t *ret_expires_ms) {
    const AwsConfig *config = aws->config;
    const KeySource *source = config ? config->base : NULL;
    for (size_t i = 0; config && account && i < config->section->account_count; i++)
        if (strcmp(config->section->accounts[i].name, account) == 0) source = config->origins[i].source;
    const AwsKeys *keys = source ? key_source_keys(source) : NULL;
    if (!keys) return false;
    *ret_origin = keys->origin;
    *ret_expires_ms = keys->expires_ms;
    return true;
}
