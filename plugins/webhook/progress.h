/* Of a delivery that is several requests: which of them were taken before its try ended early, so that a retry sends
 * the others. A receiver that takes so many a minute would never get to the last ones otherwise. Memory alone, of the
 * last PROGRESS_MAX such deliveries: one that is not known any more is sent as a whole. */
#ifndef TOCSIN_WEBHOOK_PROGRESS_H
#define TOCSIN_WEBHOOK_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_MAX = 1024 };

typedef struct Stopped {
    char *id; /* of the notification; NULL: free */
    uint64_t hash; /* of its requests: a state file that was tampered with may hold two of one id */
    size_t count;
    bool *is_taken; /* a request each */
} Stopped;

typedef struct Progress {
    Stopped *list; /* PROGRESS_MAX of them; NULL before the first */
    size_t next; /* the oldest, where there is no room */
} Progress;

void progress_deinit(Progress *progress);
/* Which of the `count` requests were taken, as progress_keep() was told of the same ones; none where it is not known.
 * Caller frees. */
bool *progress_take(Progress *progress, const char *id, char *const *requests, size_t count);
/* Where none of them was taken there is nothing to keep. In place of the oldest, where there is no room. */
void progress_keep(Progress *progress, const char *id, char *const *requests, size_t count, bool *take_taken);

#endif
