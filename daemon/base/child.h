/* A child process: a session of its own, every descriptor but its three closed, its output bounded and in memory that
 * is wiped, the whole group killed when its time is over (robustness sections 3 and 9). Loop thread. */
#ifndef TOCSIN_BASE_CHILD_H
#define TOCSIN_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    CHILD_OUTPUT_MAX = 65536,
    CHILD_ERRORS_MAX = 4096, /* kept of standard error where it is apart */
    CHILD_INPUT_MAX = 8 << 20,
    CHILD_ARGUMENTS_MAX = 1000,
    CHILD_TIMEOUT_MS = 30000,
    CHILD_LINGER_MS = 1000 /* after its end, for output that a grandchild still holds open */
};

typedef enum {
    CHILD_ENDED, /* `status` and `signal` say how */
    CHILD_UNSENT, /* it cannot be started */
    CHILD_LACKING, /* it could not be started now: memory, descriptors */
    CHILD_TIMED_OUT,
    CHILD_TOO_LONG, /* `strict`: it wrote more than is kept, and was killed for it */
    CHILD_CANCELLED
} ChildEnd;

typedef struct ChildRequest {
    const char *const *arguments; /* arguments[0]: a path, or a name on the PATH of `environment`; ends at NULL */
    const char *const *environment; /* all of it; ends at NULL */
    const char *input; /* its standard input; NULL: none */
    size_t input_length;
    int64_t timeout_ms; /* 0: CHILD_TIMEOUT_MS */
    bool apart; /* standard error is kept by itself, not with the output */
    bool strict; /* output past its bound ends it; else the rest is read and dropped */
} ChildRequest;

typedef struct ChildAnswer {
    ChildEnd end;
    int status, signal;
    const char *output; /* never NULL, a zero byte behind; borrowed for the callback, and wiped after it */
    size_t output_length;
    const char *errors; /* `apart`: the first of standard error; never NULL */
    const char *error; /* why it could not be started; never NULL */
} ChildAnswer;
typedef void ChildDone(void *ctx, const ChildAnswer *answer);

typedef struct Child Child;

/* Texts are copied. `done` runs once, on the loop, never inside this call. */
Child *child_start(uv_loop_t *loop, const ChildRequest *request, ChildDone *done, void *ctx);
void child_cancel(Child *child); /* kills it; `done` runs before this returns, CHILD_CANCELLED */

#endif
