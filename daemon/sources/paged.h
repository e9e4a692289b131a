/* All pages of one rest-json call: asked one behind the other, each decoded on the pool, a token that comes twice and
 * an answer without end refused. What is gathered is a job of the caller's kind; it is on the pool or on the loop,
 * never on both. Loop thread. */
#ifndef TOCSIN_SOURCES_PAGED_H
#define TOCSIN_SOURCES_PAGED_H

#include "base/error.h"
#include "sources/source.h"

enum { PAGES_MAX = 100 };

typedef struct PagedKind {
    /* Pool: takes one page in. False: `err` says why, the call has failed. `*ret_token` lives as long as the job. */
    bool (*page)(void *job, const char *body, size_t length, const char **ret_token, Error *err);
    void (*finish)(void *job); /* pool: behind the last page; NULL: nothing is to do */
    void (*free)(void *job); /* loop */
} PagedKind;

typedef struct PagedAsk {
    const char *account, *region, *operation, *action, *path; /* borrowed until the end */
    AwsService service;
    json_t *take_body; /* without NextToken */
    const PagedKind *kind;
    void *take_job;
} PagedAsk;

typedef struct PagedEnd {
    void *take_job; /* the receiver's; NULL: it failed */
    const char *error; /* a person's words, for the callback; NULL: none */
    AwsClass class;
    size_t pages; /* asked */
} PagedEnd;
typedef void PagedDone(void *ctx, const PagedEnd *end); /* once, never inside start; not after a cancel */

typedef struct Paged Paged;
Paged *paged_start(const PollWorld *world, const PagedAsk *ask, PagedDone *done, void *ctx);
/* Asks nothing: for a poll that has nothing to read, and must not end inside its start. The end has no job. */
Paged *paged_nothing(const PollWorld *world, PagedDone *done, void *ctx);
Paged *paged_cancel(Paged *paged); /* NULL is fine; returns NULL */

#endif
