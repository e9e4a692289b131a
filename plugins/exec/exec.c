/* exec: a program of the user's, with the webhook's body on its standard input. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "kit/answer.h"
#include "kit/notice.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { ARGUMENTS_MAX = 500, TIMEOUT_MAX_S = 55, WORDS_MAX = 1000 };

typedef struct Exec {
    const TocsinHost *host;
    json_t *config;
    const char **arguments; /* of the configuration; ends at NULL */
    char **environment; /* `NAME=value`; ends at NULL */
    int64_t timeout_ms;
} Exec;

typedef struct Delivery {
    TocsinDone *done;
    void *ctx;
} Delivery;

static const TocsinKey keys[] = {
    {"command", "required texts", NULL, "The program and its arguments, as a list; no shell reads them."},
    {"timeout", "duration", "30s", "How long it may run, at most 55s; then its whole process group is killed."},
    {"environment", "map", NULL, "Variables besides PATH and LANG."},
    {NULL, NULL, NULL, NULL},
};

/* --- check --- */

static bool is_variable(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return *name && strchr("0123456789", *name) == NULL && strspn(name, allowed) == strlen(name);
}

static void check(const char *config_json, TocsinProblem *problem, void *ctx) {
    OWN(json) json_t *config = json_read(config_json, strlen(config_json), NULL);
    const json_t *command = json_list(config, "command"), *environment = json_map(config, "environment");
    const char *program = json_string_value(json_array_get(command, 0));
    int64_t timeout_s = 0;
    if (!program || !*program)
        problem(ctx, "/command", "command is empty", "a list: the program, then its arguments");
    else if (*program != '/' && strchr(program, '/'))
        problem(ctx, "/command/0", "the program's path is relative", "an absolute path, or a name on PATH");
    if (json_array_size(command) > ARGUMENTS_MAX) problem(ctx, "/command", "too many arguments", "at most 500");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)environment, name, value) {
        OWN(text) char *path = text_format("/environment/%s", name);
        if (!is_variable(name))
            problem(ctx, "/environment", "that is no variable's name", "letters, digits and `_`");
        else if (has_control(json_string_value(value)))
            problem(ctx, path, "control characters in a variable", "one line of text");
    }
    if (json_object_size(environment) > ARGUMENTS_MAX)
        problem(ctx, "/environment", "too many variables", "at most 500");
    if (json_whole(config, "timeout", &timeout_s) && (timeout_s < 1 || timeout_s > TIMEOUT_MAX_S))
        problem(ctx, "/timeout", "timeout is out of range", "1s to 55s");
}

/* --- a handle --- */

static void *init(const char *config_json, const TocsinHost *host) {
    Exec *exec = alloc_zeroed(1, sizeof *exec);
    exec->host = host;
    exec->config = json_read(config_json, strlen(config_json), NULL);
    const json_t *command = json_list(exec->config, "command"), *environment = json_map(exec->config, "environment");
    int64_t timeout_s = 30;
    json_whole(exec->config, "timeout", &timeout_s);
    exec->timeout_ms = timeout_s * 1000;
    exec->arguments = alloc_zeroed(json_array_size(command) + 1, sizeof *exec->arguments);
    for (size_t i = 0; i < json_array_size(command); i++)
        exec->arguments[i] = json_string_value(json_array_get(command, i));
    exec->environment = alloc_zeroed(json_object_size(environment) + 1, sizeof *exec->environment);
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)environment, name, value) {
        exec->environment[count++] = text_format("%s=%s", name, json_string_value(value));
    }
    return exec;
}

static void destroy(void *handle) {
    Exec *exec = handle;
    for (size_t i = 0; exec->environment[i]; i++) free(exec->environment[i]);
    free(exec->environment);
    free(exec->arguments);
    json_decref(exec->config);
    free(exec);
}

/* --- a delivery --- */

static void answered(void *ctx, const TocsinSpawnAnswer *answer) {
    Delivery *delivery = ctx;
    TocsinDone *done = delivery->done;
    void *theirs = delivery->ctx;
    free(delivery);
    OWN(text) char *words = answer_first_line(answer->output, WORDS_MAX);
    const char *gap = *words ? ": " : "";
    if (answer->end == TOCSIN_TIMEOUT)
        answer_give(done, theirs, TOCSIN_RETRY, 0, "it did not end in time and was killed%s%s", gap, words);
    else if (answer->end != TOCSIN_ANSWERED)
        answer_unanswered(done, theirs, answer->end, answer->error);
    else if (answer->signal) /* not its own word: a stop of the service or a lack of memory ends it so too */
        answer_give(done, theirs, TOCSIN_RETRY, 0, "it was ended by signal %d%s%s", answer->signal, gap, words);
    else {
        const TocsinOutcome outcome = answer->status == 0 ? TOCSIN_DELIVERED
            : answer->status == EX_TEMPFAIL               ? TOCSIN_RETRY
                                                          : TOCSIN_REFUSED;
        answer_give(done, theirs, outcome, 0, "exit status %d%s%s", answer->status, gap, words);
    }
}

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    const Exec *exec = handle;
    OWN(notice) Notice *notice = notice_read(notification_json);
    if (!notice) {
        answer_give(done, ctx, TOCSIN_REFUSED, 0, "the stored notification cannot be read");
        return;
    }
    OWN(text) char *body = json_write(notice->webhook);
    Delivery *delivery = alloc_zeroed(1, sizeof *delivery);
    *delivery = (Delivery){done, ctx};
    const TocsinSpawnRequest request = {.size = sizeof request,
        .arguments = exec->arguments,
        .environment = (const char *const *)exec->environment,
        .input = body,
        .input_length = strlen(body),
        .timeout_ms = exec->timeout_ms};
    exec->host->spawn(exec->host, &request, answered, delivery);
}

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, check, init, deliver, destroy};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
