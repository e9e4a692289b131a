#include "base/child.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_ROOM = 16384 };

/* One of its outputs, as far as it is kept. */
typedef struct Kept {
    char *bytes; /* guarded; `max` and a zero byte */
    size_t used, max;
    bool ended; /* nobody holds it open any more, or it was never apart */
} Kept;

struct Child {
    uv_process_t process;
    uv_pipe_t input, output, errors;
    uv_timer_t timer;
    uv_write_t write;
    unsigned open; /* handles that are not closed yet */
    bool running, strict;
    ChildEnd end; /* what it will have been: CHILD_ENDED unless we ended it */
    char *text; /* its standard input */
    Kept out, err;
    char room[READ_ROOM];
    ChildAnswer answer;
    char *error;
    ChildDone *done;
    void *ctx;
};

static void handle_closed(uv_handle_t *handle) {
    Child *child = handle->data;
    if (--child->open > 0) return;
    free(child->text);
    free(child->error);
    guard_free(child->out.bytes);
    guard_free(child->err.bytes);
    explicit_bzero(child->room, sizeof child->room);
    free(child);
}

static void close_handle(void *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, handle_closed);
}

/* The one way out. A process that still runs (it was killed) keeps its handle until it has been waited for. */
static void child_finish(Child *child, ChildEnd end) {
    ChildDone *done = child->done;
    if (!done) return;
    child->done = NULL;
    child->answer.end = end;
    child->answer.output = child->out.bytes;
    child->answer.output_length = child->out.used;
    child->answer.errors = child->err.bytes;
    child->answer.error = child->error ? child->error : "";
    done(child->ctx, &child->answer);
    close_handle(&child->timer);
    close_handle(&child->input);
    close_handle(&child->output);
    close_handle(&child->errors);
    if (!child->running && child->process.type == UV_PROCESS) close_handle(&child->process);
}

static void kill_group(const Child *child) {
    if (child->running)
        kill(-child->process.pid, SIGKILL); /* it leads its own group: UV_PROCESS_DETACHED is setsid() */
}

static void due_unsent(uv_timer_t *timer) {
    Child *child = timer->data;
    child_finish(child, child->end);
}

static void due_lingered(uv_timer_t *timer) {
    Child *child = timer->data;
    child_finish(child, child->end);
}

/* We end it, and say why. */
static void put_down(Child *child, ChildEnd end) {
    child->end = end;
    kill_group(child);
    uv_timer_start(&child->timer, due_lingered, CHILD_LINGER_MS, 0); /* one that cannot even be killed: no wait */
}

static void due_timeout(uv_timer_t *timer) { put_down(timer->data, CHILD_TIMED_OUT); }

static bool outputs_ended(const Child *child) { return child->out.ended && child->err.ended; }

static void exited(uv_process_t *process, int64_t status, int signal) {
    Child *child = process->data;
    child->running = false;
    child->answer.status = (int)status;
    child->answer.signal = signal;
    if (!child->done) {
        close_handle(process);
        return;
    }
    if (outputs_ended(child))
        child_finish(child, child->end);
    else
        uv_timer_start(&child->timer, due_lingered, CHILD_LINGER_MS, 0);
}

static void room_for_output(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_room) {
    (void)wanted;
    Child *child = handle->data;
    *ret_room = uv_buf_init(child->room, READ_ROOM);
}

static void output_came(uv_stream_t *stream, ssize_t length, const uv_buf_t *from) {
    Child *child = stream->data;
    Kept *kept = stream == (uv_stream_t *)&child->output ? &child->out : &child->err;
    if (length > 0) {
        const size_t left = kept->max - kept->used;
        const size_t keep = (size_t)length < left ? (size_t)length : left;
        memcpy(kept->bytes + kept->used, from->base, keep);
        kept->used += keep;
        if (child->strict && kept == &child->out && (size_t)length > left && child->end == CHILD_ENDED)
            put_down(child, CHILD_TOO_LONG);
    }
    if (length >= 0) return;
    kept->ended = true;
    uv_read_stop(stream);
    if (!child->running && outputs_ended(child)) child_finish(child, child->end);
}

static void input_written(uv_write_t *write, int status) {
    (void)status; /* a child need not read its input */
    Child *child = write->data;
    close_handle(&child->input);
}

/* Every descriptor of ours is marked to close in the child; libuv gives it the three that it is to have. */
static void mark_descriptors(void) {
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    const long last = sysconf(_SC_OPEN_MAX); /* a kernel before 5.11 */
    for (int fd = 3; fd < last; fd++) (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int spawn(Child *child, uv_loop_t *loop, const ChildRequest *request, int input, int output, int errors) {
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = input},
        {.flags = UV_INHERIT_FD, .data.fd = output},
        {.flags = UV_INHERIT_FD, .data.fd = errors},
    };
    const uv_process_options_t options = {.exit_cb = exited,
        .file = request->arguments[0],
        .args = (char **)(uintptr_t)request->arguments,
        .env = (char **)(uintptr_t)request->environment,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio};
    mark_descriptors();
    return uv_spawn(loop, &child->process, &options);
}

typedef struct Pipes {
    uv_file input[2], output[2], errors[2]; /* errors: output's where they are not apart */
} Pipes;

static void close_pipe(const uv_file ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

/* Real pipes, not libuv's socket pairs: a script may open /dev/stdin. */
static int open_pipes(Pipes *ret_pipes, bool apart) {
    Pipes pipes;
    int status = uv_pipe(pipes.input, 0, UV_NONBLOCK_PIPE);
    if (status) return status;
    status = uv_pipe(pipes.output, UV_NONBLOCK_PIPE, 0);
    if (status) return close_pipe(pipes.input), status;
    if (apart) status = uv_pipe(pipes.errors, UV_NONBLOCK_PIPE, 0);
    if (status) return close_pipe(pipes.input), close_pipe(pipes.output), status;
    if (!apart) pipes.errors[1] = pipes.output[1];
    *ret_pipes = pipes;
    return 0;
}

static int begin(Child *child, uv_loop_t *loop, const ChildRequest *request) {
    Pipes pipes;
    int status = open_pipes(&pipes, request->apart);
    if (status) return status;
    status = spawn(child, loop, request, pipes.input[0], pipes.output[1], pipes.errors[1]);
    close(pipes.input[0]);
    close(pipes.output[1]);
    uv_pipe_open(&child->input, pipes.input[1]); /* from here on the pipes' handles own their ends */
    uv_pipe_open(&child->output, pipes.output[0]);
    if (request->apart) {
        close(pipes.errors[1]);
        uv_pipe_open(&child->errors, pipes.errors[0]);
    }
    if (status) return status;
    child->running = true;
    child->err.ended = !request->apart;
    child->write.data = child;
    const uv_buf_t text = uv_buf_init(child->text, request->input ? (unsigned)request->input_length : 0);
    if (uv_write(&child->write, (uv_stream_t *)&child->input, &text, 1, input_written)) close_handle(&child->input);
    uv_read_start((uv_stream_t *)&child->output, room_for_output, output_came);
    if (request->apart) uv_read_start((uv_stream_t *)&child->errors, room_for_output, output_came);
    return 0;
}

static const char *refusal(const ChildRequest *request) {
    if (!request->arguments || !request->arguments[0] || !request->arguments[0][0]) return "there is no command";
    if (request->input_length > CHILD_INPUT_MAX) return "its input is too long";
    size_t count = 0;
    while (request->arguments[count] && count < CHILD_ARGUMENTS_MAX) count++;
    return count == CHILD_ARGUMENTS_MAX ? "it has too many arguments" : NULL;
}

static void open_handles(Child *child, uv_loop_t *loop) {
    uv_timer_init(loop, &child->timer);
    uv_pipe_init(loop, &child->input, 0);
    uv_pipe_init(loop, &child->output, 0);
    uv_pipe_init(loop, &child->errors, 0);
    child->timer.data = child->input.data = child->output.data = child->errors.data = child->process.data = child;
    child->open = 4;
}

static Kept kept_room(size_t max) {
    char *bytes = guard_calloc(1, max + 1);
    if (!bytes) abort();
    return (Kept){.bytes = bytes, .max = max};
}

Child *child_start(uv_loop_t *loop, const ChildRequest *request, ChildDone *done, void *ctx) {
    Child *child = alloc_zeroed(1, sizeof *child);
    child->done = done;
    child->ctx = ctx;
    child->strict = request->strict;
    child->out = kept_room(CHILD_OUTPUT_MAX);
    child->err = kept_room(request->apart ? CHILD_ERRORS_MAX : 0);
    open_handles(child, loop);
    uv_update_time(loop);
    const char *why = refusal(request);
    child->end = CHILD_ENDED;
    if (!why) {
        child->text =
            text_copy_length(request->input ? request->input : "", request->input ? request->input_length : 0);
        const int status = begin(child, loop, request);
        child->open += child->process.type == UV_PROCESS; /* uv_spawn() made a handle of it, failed or not */
        if (status) why = uv_strerror(status);
        /* what this machine lacks now it may have later */
        const bool lacking = status == UV_EAGAIN || status == UV_ENOMEM || status == UV_EMFILE || status == UV_ENFILE;
        child->end = lacking ? CHILD_LACKING : CHILD_ENDED;
    }
    if (why) {
        if (child->end == CHILD_ENDED) child->end = CHILD_UNSENT;
        child->error = text_format("%s cannot be started: %s",
            request->arguments && request->arguments[0] ? request->arguments[0] : "it", why);
        uv_timer_start(&child->timer, due_unsent, 0, 0);
        return child;
    }
    const int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : CHILD_TIMEOUT_MS;
    uv_timer_start(&child->timer, due_timeout, (uint64_t)timeout_ms, 0);
    return child;
}

void child_cancel(Child *child) {
    kill_group(child);
    child_finish(child, CHILD_CANCELLED);
}
