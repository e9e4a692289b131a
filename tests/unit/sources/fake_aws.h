/* A stand-in for the AWS client: each call is answered by the test's own function, in a later turn of the loop; its
 * clock stands where the test puts it. */
#ifndef TOCSIN_TESTS_FAKE_AWS_H
#define TOCSIN_TESTS_FAKE_AWS_H

#include "aws/aws.h"

#include "base/alloc.h"
#include "base/json.h"

#include <check.h>
#include <string.h>

#ifndef FAKE_SERVICE
#define FAKE_SERVICE AWS_XRAY /* the one that is called */
#endif

enum { CALLS_MAX = 2000 };

typedef struct FakeAnswer {
    const char *body; /* NULL: the call fails */
    AwsClass class;
    const char *words;
} FakeAnswer;

struct Aws {
    uv_loop_t *loop;
    int64_t now_s;
    FakeAnswer (*answer)(Aws *aws, const AwsCall *call, const json_t *body);
    void *ctx;
    size_t calls;
    double traces;
};

struct AwsTicket {
    AwsDone *done;
    void *ctx;
    uv_idle_t later;
    FakeAnswer answer;
};

int64_t aws_now_ms(const Aws *aws) { return aws->now_s * 1000 + 7000; }

void aws_ledger_add_traces(Aws *aws, const char *account, const char *region, double traces) {
    ck_assert(*account && *region);
    aws->traces += traces;
}

static inline void ticket_closed(uv_handle_t *handle) { free(handle->data); }

static inline void ticket_finish(AwsTicket *ticket, AwsClass class) {
    const AwsTicket copy = *ticket;
    uv_idle_stop(&ticket->later);
    uv_close((uv_handle_t *)&ticket->later, ticket_closed);
    copy.done(copy.ctx,
        &(AwsAnswer){.class = class,
            .status = 200,
            .body = copy.answer.body,
            .body_length = copy.answer.body ? strlen(copy.answer.body) : 0,
            .code = "",
            .message = "",
            .explanation = copy.answer.words ? copy.answer.words : ""});
}

static inline void ticket_due(uv_idle_t *later) {
    AwsTicket *ticket = later->data;
    ticket_finish(ticket, ticket->answer.body ? AWS_FINE : ticket->answer.class);
}

AwsTicket *aws_call(Aws *aws, const AwsCall *call, AwsDone *done, void *ctx) {
    AwsTicket *ticket = alloc_zeroed(1, sizeof *ticket);
    OWN(json) json_t *body = json_loadb(call->body, call->body_length, 0, NULL);
    ck_assert_ptr_nonnull(body);
    ck_assert_uint_lt(aws->calls, CALLS_MAX);
    ck_assert_int_eq(call->service, FAKE_SERVICE);
    aws->calls++;
    *ticket = (AwsTicket){.done = done, .ctx = ctx, .answer = aws->answer(aws, call, body)};
    uv_idle_init(aws->loop, &ticket->later);
    ticket->later.data = ticket;
    uv_idle_start(&ticket->later, ticket_due);
    return ticket;
}

void aws_cancel(AwsTicket *ticket) { ticket_finish(ticket, AWS_CANCELLED); }

#endif
