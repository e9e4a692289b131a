/* Inside daemon/aws: what one Aws is made of, for the files that share it (aws.c the object, sources.c its credentials,
 * call.c a call's life). Loop thread. */
#ifndef TOCSIN_AWS_CORE_H
#define TOCSIN_AWS_CORE_H

#include "aws/keys.h"
#include "aws/retry.h"
#include "aws/skew.h"
#include "base/table.h"

#include <uv.h>

enum { AWS_DEADLINE_MS = 60000, AWS_REQUEST_MS = 30000, AWS_ANSWER_MAX = 8 << 20 };

typedef struct AwsOrigin {
    KeySource *source;
    char id[13]; /* the account's number; "" unknown */
    char *identity; /* what makes it another source; guarded: an external id stands in it. NULL: the base itself */
} AwsOrigin;

/* One configuration in use; a call keeps the one that it began with. */
typedef struct AwsConfig {
    unsigned refs;
    Snapshot *snapshot;
    const AwsSection *section;
    KeySource *base;
    char *profile; /* NULL: the SDKs' order */
    AwsOrigin *origins; /* parallel to section->accounts */
} AwsConfig;

typedef struct AwsBudget {
    UT_hash_handle hh;
    RetryBucket bucket;
    int64_t next_ms; /* monotonic; when the next call may go out at the earliest */
    char key[]; /* account, region, service */
} AwsBudget;

struct Aws {
    uv_loop_t *loop;
    Http *http;
    const Clock *clock;
    Metrics *metrics;
    AwsConfig *config; /* NULL before the first aws_configure() */
    AwsTicket *tickets;
    AwsBudget *budgets;
    struct AwsFetch *fetches; /* of base keys, under way */
    Skew skew;
    AwsLedger ledger;
    bool closing;
};

/* aws.c */
void aws_config_free(AwsConfig *config); /* drops one reference; NULL is fine */
RetryBucket *aws_budget(Aws *aws, const char *account, const char *region, const char *service);
/* How long a call made now must wait for its turn: calls `gap_ms` apart, after a burst of two. Takes the turn. */
int64_t aws_turn_ms(Aws *aws, const char *account, const char *region, const char *service, int64_t gap_ms);

/* sources.c: sources of keys. Each call gives a reference. */
KeySource *aws_base_source(Aws *aws, const char *profile);
KeySource *aws_role_source(Aws *aws, const AwsSection *section, const AwsAccount *account, KeySource *base);
/* The keys in an answer to AssumeRole or its like; NULL: *ret_failure says why. */
AwsKeys *aws_assumed(
    Aws *aws, const AwsAnswer *answer, const char *role_arn, const char *origin, AwsFailure *ret_failure);
void aws_fetches_cancel(Aws *aws); /* none of them touches `aws` after this */
char *aws_role_identity(const AwsSection *section, const AwsAccount *account); /* by guard_free() */

/* call.c: as aws_call(), with keys from `source` (NULL: `problem` says why there are none). */
AwsTicket *aws_ask(
    Aws *aws, AwsConfig *config, KeySource *source, const AwsCall *call, const char *problem, AwsDone *done, void *ctx);

#endif
