#include "sources/paged.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* A page on the pool; it outlives a cancelled Paged, and takes the job with it. */
typedef struct Work {
    uv_work_t work;
    struct Paged *paged; /* NULL: cancelled */
    const PagedKind *kind;
    void *job;
    char *body;
    size_t length;
    const char *token;
    bool fine;
    Error error;
} Work;

struct Paged {
    PagedAsk ask;
    const PollWorld *world;
    PagedDone *done;
    void *ctx;
    AwsTicket *ticket;
    Work *work;
    uint64_t tokens[PAGES_MAX]; /* hashes of those that were followed */
    size_t pages;
};

static void paged_free(Paged *paged) {
    json_decref(paged->ask.take_body);
    if (paged->ask.take_job) paged->ask.kind->free(paged->ask.take_job);
    free(paged);
}

/* The one way out; passed once. */
static void paged_end(Paged *paged, const char *error, AwsClass class) {
    PagedEnd end = {.error = error, .class = class, .pages = paged->pages};
    if (!error) {
        end.take_job = paged->ask.take_job;
        paged->ask.take_job = NULL;
    }
    paged->done(paged->ctx, &end);
    paged_free(paged);
}

static void page_ask(Paged *paged);

/* A token that comes twice would be followed for ever. */
static bool token_is_new(Paged *paged, const char *token) {
    const uint64_t hash = stable_hash(token);
    for (size_t i = 0; i + 1 < paged->pages; i++)
        if (paged->tokens[i] == hash) return false;
    paged->tokens[paged->pages - 1] = hash;
    return true;
}

static void page_taken(Paged *paged, const char *token) {
    OWN(text) char *words = NULL;
    if (!token) {
        paged_end(paged, NULL, AWS_FINE);
        return;
    }
    if (!token_is_new(paged, token))
        words = text_format("%s gave the same page token twice", paged->ask.operation);
    else if (paged->pages >= PAGES_MAX)
        words = text_format("%s's answer has more than %d pages (PAGES_MAX)", paged->ask.operation, PAGES_MAX);
    if (words) {
        paged_end(paged, words, AWS_PAGING);
        return;
    }
    json_object_set_new(paged->ask.take_body, "NextToken", json_safe(token));
    page_ask(paged);
}

static void page_work(uv_work_t *work) {
    Work *page = work->data;
    page->fine = page->kind->page(page->job, page->body, page->length, &page->token, &page->error);
    if (page->fine && !page->token && page->kind->finish) page->kind->finish(page->job);
}

static void page_done(uv_work_t *work, int status) {
    Work *page = work->data;
    Paged *paged = page->paged;
    if (paged) {
        paged->work = NULL;
        paged->ask.take_job = page->job;
        if (page->fine)
            page_taken(paged, page->token);
        else
            paged_end(paged, status == 0 ? page->error.text : "the answer was not decoded", AWS_OTHER);
    } else {
        page->kind->free(page->job);
    }
    free(page->body);
    free(page);
}

static void page_decode(Paged *paged, const char *body, size_t length) {
    Work *page = alloc_zeroed(1, sizeof *page);
    *page = (Work){.paged = paged, .kind = paged->ask.kind, .job = paged->ask.take_job, .length = length};
    page->body = text_copy_length(body ? body : "", length);
    page->work.data = page;
    paged->ask.take_job = NULL; /* the pool's now */
    paged->work = page;
    uv_queue_work(paged->world->loop, &page->work, page_work, page_done);
}

static void page_answered(void *ctx, const AwsAnswer *answer) {
    Paged *paged = ctx;
    paged->ticket = NULL;
    if (answer->class == AWS_CANCELLED && !paged->done) return; /* by paged_cancel() */
    if (answer->class != AWS_FINE) {
        OWN(text) char *words = *answer->explanation ? NULL : text_format("%s failed", paged->ask.operation);
        paged_end(paged, words ? words : answer->explanation, answer->class);
        return;
    }
    page_decode(paged, answer->body, answer->body_length);
}

static void page_ask(Paged *paged) {
    char *body = json_write(paged->ask.take_body);
    paged->pages++;
    paged->ticket = aws_call(paged->world->aws,
        &(AwsCall){
            .account = paged->ask.account,
            .region = paged->ask.region,
            .service = paged->ask.service,
            .operation = paged->ask.operation,
            .action = paged->ask.action,
            .path = paged->ask.path,
            .body = body,
            .body_length = strlen(body),
        },
        page_answered, paged);
    free(body);
}

Paged *paged_start(const PollWorld *world, const PagedAsk *ask, PagedDone *done, void *ctx) {
    Paged *paged = alloc_zeroed(1, sizeof *paged);
    *paged = (Paged){.ask = *ask, .world = world, .done = done, .ctx = ctx};
    page_ask(paged);
    return paged;
}

static bool no_page(void *job, const char *body, size_t length, const char **ret_token, Error *err) {
    (void)job, (void)body, (void)length, (void)ret_token, (void)err;
    return true;
}
static void no_free(void *job) { (void)job; }

Paged *paged_nothing(const PollWorld *world, PagedDone *done, void *ctx) {
    static const PagedKind kind = {no_page, NULL, no_free};
    Paged *paged = alloc_zeroed(1, sizeof *paged);
    *paged = (Paged){.ask = {.kind = &kind}, .world = world, .done = done, .ctx = ctx};
    page_decode(paged, NULL, 0);
    return paged;
}

Paged *paged_cancel(Paged *paged) {
    if (!paged) return NULL;
    paged->done = NULL;
    if (paged->ticket) aws_cancel(paged->ticket);
    if (paged->work) paged->work->paged = NULL;
    paged_free(paged);
    return NULL;
}
