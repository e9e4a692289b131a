#include "plugin/child.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_ROOM = 16384 };

struct Child {
    uv_process_t process;
    uv_pipe_t input, output;
    uv_timer_t timer;
    uv_write_t write;
    unsigned open; /* handles that are not closed yet */
    bool running, output_ended, timed_out;
    char *text; /* its standard input */
    Buffer kept;
    char room[READ_ROOM];
    TocsinSpawnAnswer answer;
    char *error;
    TocsinSpawnDone *done;
    void *ctx;
};

static const char *const clean_environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};

static void handle_closed(uv_handle_t *handle) {
    Child *child = handle->data;
    if (--child->open > 0) return;
    free(child->text);
    free(child->error);
    buffer_deinit(&child->kept);
    free(child);
}

static void close_handle(void *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, handle_closed);
}

/* The one way out. A process that still runs (it was killed) keeps its handle until it has been waited for. */
static void child_finish(Child *child, TocsinEnd end) {
    TocsinSpawnDone *done = child->done;
    if (!done) return;
    child->done = NULL;
    child->answer.size = sizeof child->answer;
    child->answer.end = end;
    child->answer.output = buffer_string(&child->kept);
    child->answer.output_length = child->kept.used;
    child->answer.error = child->error ? child->error : "";
    done(child->ctx, &child->answer);
    close_handle(&child->timer);
    close_handle(&child->input);
    close_handle(&child->output);
    if (!child->running && child->process.type == UV_PROCESS) close_handle(&child->process);
}

static void kill_group(const Child *child) {
    if (child->running)
        kill(-child->process.pid, SIGKILL); /* it leads its own group: UV_PROCESS_DETACHED is setsid() */
}

static void due_unsent(uv_timer_t *timer) {
    Child *child = timer->data;
    child_finish(child, child->answer.end);
}

static void due_lingered(uv_timer_t *timer) {
    Child *child = timer->data;
    child_finish(child, child->timed_out ? TOCSIN_TIMEOUT : TOCSIN_ANSWERED);
}

static void due_timeout(uv_timer_t *timer) {
    Child *child = timer->data;
    child->timed_out = true;
    kill_group(child);
    uv_timer_start(timer, due_lingered, CHILD_LINGER_MS, 0); /* one that cannot even be killed does not hold us up */
}

static void exited(uv_process_t *process, int64_t status, int signal) {
    Child *child = process->data;
    child->running = false;
    child->answer.status = (int)status;
    child->answer.signal = signal;
    if (!child->done) {
        close_handle(process);
        return;
    }
    if (child->output_ended)
        child_finish(child, child->timed_out ? TOCSIN_TIMEOUT : TOCSIN_ANSWERED);
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
    if (length > 0) {
        const size_t left = CHILD_OUTPUT_MAX - child->kept.used;
        const size_t keep = (size_t)length < left ? (size_t)length : left;
        if (keep > 0) buffer_add(&child->kept, from->base, keep);
    }
    if (length >= 0) return;
    child->output_ended = true;
    uv_read_stop(stream);
    if (!child->running) child_finish(child, child->timed_out ? TOCSIN_TIMEOUT : TOCSIN_ANSWERED);
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

static char **environment_of(const TocsinSpawnRequest *request) {
    char **all = alloc_zeroed(CHILD_ARGUMENTS_MAX + COUNT_OF(clean_environment), sizeof *all);
    size_t count = 0;
    for (size_t i = 0; clean_environment[i]; i++) all[count++] = (char *)(uintptr_t)clean_environment[i];
    for (size_t i = 0; request->environment && request->environment[i] && i < CHILD_ARGUMENTS_MAX; i++)
        all[count++] = (char *)(uintptr_t)request->environment[i];
    return all;
}

static int spawn(Child *child, uv_loop_t *loop, const TocsinSpawnRequest *request, int input, int output) {
    char **environment = environment_of(request);
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = input},
        {.flags = UV_INHERIT_FD, .data.fd = output},
        {.flags = UV_INHERIT_FD, .data.fd = output},
    };
    const uv_process_options_t options = {.exit_cb = exited,
        .file = request->arguments[0],
        .args = (char **)(uintptr_t)request->arguments,
        .env = environment,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio};
    mark_descriptors();
    const int status = uv_spawn(loop, &child->process, &options);
    free(environment);
    return status;
}

/* Real pipes, not libuv's socket pairs: a script may open /dev/stdin. */
static int begin(Child *child, uv_loop_t *loop, const TocsinSpawnRequest *request) {
    uv_file input[2], output[2];
    int status = uv_pipe(input, 0, UV_NONBLOCK_PIPE);
    if (status) return status;
    status = uv_pipe(output, UV_NONBLOCK_PIPE, 0);
    if (status) {
        close(input[0]);
        close(input[1]);
        return status;
    }
    status = spawn(child, loop, request, input[0], output[1]);
    close(input[0]);
    close(output[1]);
    uv_pipe_open(&child->input, input[1]); /* from here on the pipes' handles own their ends */
    uv_pipe_open(&child->output, output[0]);
    if (status) return status;
    child->running = true;
    child->write.data = child;
    const uv_buf_t text = uv_buf_init(child->text, request->input ? (unsigned)request->input_length : 0);
    if (uv_write(&child->write, (uv_stream_t *)&child->input, &text, 1, input_written)) close_handle(&child->input);
    uv_read_start((uv_stream_t *)&child->output, room_for_output, output_came);
    return 0;
}

static const char *refusal(const TocsinSpawnRequest *request) {
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
    child->timer.data = child->input.data = child->output.data = child->process.data = child;
    child->open = 3;
}

Child *child_start(uv_loop_t *loop, const TocsinSpawnRequest *request, TocsinSpawnDone *done, void *ctx) {
    Child *child = alloc_zeroed(1, sizeof *child);
    child->done = done;
    child->ctx = ctx;
    child->kept = BUFFER(CHILD_OUTPUT_MAX);
    open_handles(child, loop);
    uv_update_time(loop);
    const char *why = refusal(request);
    child->answer.end = TOCSIN_UNSENT;
    if (!why) {
        child->text =
            text_copy_length(request->input ? request->input : "", request->input ? request->input_length : 0);
        const int status = begin(child, loop, request);
        child->open += child->process.type == UV_PROCESS; /* uv_spawn() made a handle of it, failed or not */
        if (status) why = uv_strerror(status);
        /* what this machine lacks now it may have later */
        const bool lacking = status == UV_EAGAIN || status == UV_ENOMEM || status == UV_EMFILE || status == UV_ENFILE;
        if (lacking) child->answer.end = TOCSIN_FAILED;
    }
    if (why) {
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
    child_finish(child, TOCSIN_CANCELLED);
}
