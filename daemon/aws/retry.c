#include "aws/retry.h"

bool retry_take(RetryBucket *bucket, bool timed_out) {
    const int cost = timed_out ? RETRY_COST_TIMEOUT : RETRY_COST;
    if (bucket->spent + cost > RETRY_BUCKET) return false;
    bucket->spent += cost;
    return true;
}

void retry_give(RetryBucket *bucket) {
    if (bucket->spent > 0) bucket->spent--;
}

int64_t retry_delay_ms(int attempt, uint64_t random, int64_t hint_ms) {
    if (hint_ms > RETRY_HINT_MAX_MS) return -1;
    int64_t most_ms = RETRY_BASE_MS;
    for (int i = 0; i < attempt && most_ms < RETRY_MAX_MS; i++) most_ms *= 2;
    if (most_ms > RETRY_MAX_MS) most_ms = RETRY_MAX_MS;
    const int64_t wait_ms = (int64_t)(random % (uint64_t)(most_ms + 1));
    return wait_ms > hint_ms ? wait_ms : hint_ms;
}
