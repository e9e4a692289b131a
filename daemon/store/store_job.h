/* One thing to commit, as the loop handed it in: a copy of its own, so that the caller's rows may go. Made and freed on
 * the loop; the store thread reads it and writes `outcome`. */
#ifndef TOCSIN_STORE_STORE_JOB_H
#define TOCSIN_STORE_STORE_JOB_H

#include "base/arena.h"
#include "store/store.h"

typedef enum { JOB_BATCH, JOB_LEASE, JOB_FINISH, JOB_MESSAGE } JobKind;

typedef struct Job Job;
struct Job {
    Job *prev, *next; /* utlist: of whoever holds it now */
    Job *owed_prev, *owed_next; /* utlist: the loop's list of what is not answered yet */
    Arena *arena; /* what the rest points into */
    JobKind kind;
    StoreBatch batch;
    OutboxResult result; /* of a lease: id and attempts alone; of a message: its id */
    StoreDone *done;
    StoreMessage *message_done; /* in place of `done`: of a lease and of a message */
    const char *message; /* in the arena: what those two have read */
    void *ctx;
    int64_t handed_in_ms; /* mono */
    StoreOutcome outcome;
};

Job *job_new_batch(const StoreBatch *batch);
Job *job_new_lease(const char *id, int64_t attempts, StoreMessage *done);
Job *job_new_message(const char *id, StoreMessage *done);
Job *job_new_finish(const OutboxResult *result);
Job *job_free(Job *job);
OWN_DEFINE(Job, job)

#endif
