/* When a failed call is tried again: tries, waits with full jitter, and a budget that keeps a broken service from being
 * asked ever more. Pure. */
#ifndef TOCSIN_AWS_RETRY_H
#define TOCSIN_AWS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RETRY_TRIES = 3, /* all together */
    RETRY_BUCKET = 500, /* one an (account, region, service) */
    RETRY_COST = 5,
    RETRY_COST_TIMEOUT = 10,
    RETRY_BASE_MS = 500,
    RETRY_MAX_MS = 20000,
    RETRY_HINT_MAX_MS = 60000, /* a longer Retry-After ends the call: the schedule comes again */
};

typedef struct RetryBucket {
    int spent; /* of RETRY_BUCKET; so zeroed means full */
} RetryBucket;

/* False: the budget is used up, and nothing is taken. */
bool retry_take(RetryBucket *bucket, bool timed_out);
void retry_give(RetryBucket *bucket); /* after a success */
/* The wait after try number `attempt` (from 1): rand(0, min(20 s, 2^attempt * 0.5 s)), but never less than the other
 * side asked for; -1 where it asked for more than is waited. */
int64_t retry_delay_ms(int attempt, uint64_t random, int64_t hint_ms);

#endif
