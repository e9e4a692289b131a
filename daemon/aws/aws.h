/* One signed asynchronous call to AWS: credentials, endpoint, signature, deadlines, retries, the error's class and the
 * ledger are all behind it. Loop thread. Facts: the AWS wire notes this project's README names. */
#ifndef TOCSIN_AWS_AWS_H
#define TOCSIN_AWS_AWS_H

#include "base/clock.h"
#include "base/metrics.h"
#include "config/snapshot.h"
#include "net/http.h"

#include <stdint.h>

typedef enum {
    AWS_MONITORING,
    AWS_STS,
    AWS_SNS,
    AWS_XRAY,
    AWS_CLOUDTRAIL,
    AWS_SERVICES
} AwsService; /* a row each in aws/service.c */

/* --- the `aws` section --- */
typedef struct AwsAccount {
    const char *name; /* unique; "default" where accounts is absent */
    const char *role_arn; /* NULL: the base credentials themselves */
    const char *external_id;
    const Secret *external_id_file;
    TextList regions; /* never empty after decoding, unless no region is known: then an error was added */
    Place at;
} AwsAccount;
typedef struct AwsSection {
    const char *region, *profile, *endpoint_url; /* region as resolved: config, environment, profile; NULL: unknown */
    TextMap endpoints; /* sns -> URL */
    const AwsAccount *accounts; /* at least one */
    size_t account_count;
    SectionList account_rows; /* as written; `accounts` is what counts */
    const char *urls[AWS_SERVICES]; /* endpoints as resolved: configuration, environment, profile; NULL: AWS's own */
    const char *ca_bundle; /* AWS_CA_BUNDLE or the profile's; NULL: the system's */
} AwsSection;
extern const SectionDescriptor aws_section;
const AwsAccount *aws_section_account(const AwsSection *section, const char *name); /* NULL: unknown */
/* Where the global services of this region's partition log what is done to them. Static text. */
const char *aws_home_region(const char *region);

/* --- errors, classed as the wire notes 2.2 --- */
typedef enum {
    AWS_FINE,
    AWS_THROTTLED,
    AWS_TRANSIENT,
    AWS_EXPIRED,
    AWS_BAD_KEYS,
    AWS_CLOCK,
    AWS_SIGNATURE,
    AWS_OUR_BUG,
    AWS_DENIED,
    AWS_REGION_OFF,
    AWS_VALIDATION,
    AWS_PAGING,
    AWS_NOT_FOUND,
    AWS_OTHER,
    AWS_NO_CREDENTIALS, /* none found, or their source is broken: `message` says which and what to do */
    AWS_UNREACHABLE, /* resolve, connect, TLS, timeout */
    AWS_TOO_LONG, /* the answer passed its bound */
    AWS_CANCELLED
} AwsClass;
const char *aws_class_word(AwsClass class);

typedef struct AwsCall {
    const char *account; /* NULL or "": the base credentials themselves */
    const char *region;
    AwsService service;
    const char *operation; /* `GetMetricData`: X-Amz-Target, the ledger, the IAM action's default */
    const char *action; /* IAM action for messages: `cloudwatch:GetMetricData` */
    const char *path; /* of a rest-json operation, `/ServiceGraph`: behind the endpoint's own; NULL: none */
    const char *body; /* as the protocol wants it; copied */
    size_t body_length;
    size_t body_max; /* of the answer; 0: 8 MiB */
    int64_t deadline_ms; /* from now, all tries together; 0: 60 s */
    double billed_units; /* what one sent request costs in the ledger (metrics asked); counted at each try */
    bool is_unsigned; /* nobody's keys are needed: AssumeRoleWithWebIdentity */
    bool single_try; /* the outbox retries by itself: only refresh-and-resend and clock correction happen inside */
} AwsCall;

typedef struct AwsAnswer {
    AwsClass class;
    long status;
    const char *body; /* borrowed for the callback */
    size_t body_length;
    const char *code, *message; /* cleaned, bounded 1 KiB; "" where none */
    const char *action, *resource, *reason; /* DENIED: which action is missing, on what, why; "" where unknown */
    const char *request_id;
    const char
        *explanation; /* one sentence for a person: what, where (account, region, action), what to do; "" when fine */
    int64_t retry_after_ms;
    int attempts;
} AwsAnswer;
typedef void AwsDone(void *ctx, const AwsAnswer *answer); /* once, on the loop, never inside aws_call() */

typedef struct Aws Aws;
typedef struct AwsTicket AwsTicket;

Aws *aws_new(uv_loop_t *loop, Http *http, const Clock *clock, Metrics *metrics);
Aws *aws_free(Aws *aws); /* cancels what runs */
/* A new configuration: accounts, endpoints, profile. Calls in flight go on as they began; cached credentials of
 * accounts that did not change are kept. The snapshot is referenced. */
void aws_configure(Aws *aws, Snapshot *snapshot);

AwsTicket *aws_call(Aws *aws, const AwsCall *call, AwsDone *done, void *ctx);
void aws_cancel(AwsTicket *ticket); /* its callback runs before this returns, AWS_CANCELLED */

/* Wall time as AWS sees it: ours plus the smoothed offset taken from Date headers. */
int64_t aws_now_ms(const Aws *aws);
int64_t aws_skew_applied_ms(const Aws *aws); /* what aws_now_ms() adds to our wall clock */
int64_t aws_skew_ms(const Aws *aws); /* AWS's clock minus ours; 0 until known */

/* --- ledger --- */
typedef struct AwsLedger {
    int64_t calls, throttled, failed;
    double billed_metrics; /* since the start */
    double traces_scanned; /* as X-Ray counts them, since the start */
} AwsLedger;
AwsLedger aws_ledger(const Aws *aws);
/* What an answer says was scanned for it (TracesProcessedCount): only its reader knows. */
void aws_ledger_add_traces(Aws *aws, const char *account, const char *region, double traces);
/* The account id behind an account's name where it is known (role ARN, or learnt); "" otherwise. Borrowed. */
const char *aws_account_id(const Aws *aws, const char *account);
/* Where an account's keys come from (`the EC2 instance's role tocsin`) and when they end (0: never); account NULL: the
 * base credentials. False: there are none yet. Borrowed until the next call. */
bool aws_account_keys(const Aws *aws, const char *account, const char **ret_origin, int64_t *ret_expires_ms);

#endif
