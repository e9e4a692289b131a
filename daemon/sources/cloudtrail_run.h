/* One run of a CloudTrail poll: what its two halves share, the asking (cloudtrail_poll.c) and the gathering of what was
 * read (cloudtrail_outcome.c). Loop thread. */
#ifndef TOCSIN_SOURCES_CLOUDTRAIL_RUN_H
#define TOCSIN_SOURCES_CLOUDTRAIL_RUN_H

#include "sources/cloudtrail.h"

typedef struct Job Job;

/* One interval that is being read, newest page first. */
typedef struct Reading {
    LookupKind kind;
    bool is_gap;
    Interval whole; /* what is to be read */
    Interval asked; /* of it, by the query that runs: its end comes nearer when a query had to begin anew */
    int64_t oldest_s; /* of the events read so far; INT64_MAX: none */
    int most; /* events a page */
    uint64_t tokens[CLOUDTRAIL_PAGES_MAX]; /* hashes of those that were followed */
    size_t token_count;
} Reading;

typedef struct SeenId SeenId;

/* What was read, in the order of reading. */
typedef struct Gathered {
    EventFinding **findings;
    size_t count, room;
    SeenId *ids; /* that came in this run: pages shift, and come twice */
    Arena *arena; /* of ids */
} Gathered;

struct PollRun {
    const Poll *poll;
    const EventBatch *batch;
    const PollWorld *world;
    PollDone *done;
    void *ctx;
    PollOutcome *outcome; /* its arena is the job's while that is on the pool */
    Job *job;
    AwsTicket *ticket;
    CloudtrailCursor cursor;
    Reading reading;
    Gathered gathered;
    bool rereads; /* the main interval reaches back as far as the overlap */
    bool is_partial;
    size_t pages;
    int64_t now_s, newest_s;
};

void gathered_init(Gathered *all);
void gathered_deinit(Gathered *all); /* drops the labels of what was not handed on */

void gather_count_read(const PollRun *run, size_t entries); /* for the metric */
/* An entry of a page: is it worth a look? `*ret_seen`: it was counted before. Remembers its id for this run. */
bool gather_wants(PollRun *run, const LookupEvent *outer, bool *ret_seen);
/* Takes a finding over, or drops it. `seen` as gather_wants() said. */
void gather_take(PollRun *run, EventFinding *finding, const LookupEvent *outer, bool seen);
/* Fills the outcome with all that was taken, oldest first, and the log with it. */
void gather_hand_on(PollRun *run);
/* The cursor's row, the ids that may be forgotten, lag and completeness. */
void gather_conclude(PollRun *run);

#endif
