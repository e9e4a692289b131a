#include "aws/process.h"

#include "aws/keys_json.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/child.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMAND_MAX = 16384, ENVIRONMENT_MAX = 4096, SHOWN_MAX = 200 };

struct Process {
    Child *child;
    char *origin;
    int64_t now_ms;
    ProcessDone *done;
    void *ctx;
};

/* --- words --- */

/* One word from *at on, into `word`. False: a quote is not closed. */
static bool read_word(const char **at, Buffer *word) {
    char quote = 0;
    const char *p = *at;
    for (; *p && (quote || !strchr(" \t", *p)); p++) {
        const bool escapes = *p == '\\' && p[1] && quote != '\'' && (!quote || strchr("\"\\$`", p[1]));
        if (escapes)
            buffer_add(word, ++p, 1);
        else if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? 0 : *p;
        else
            buffer_add(word, p, 1);
    }
    *at = p;
    return !quote;
}

char **process_split(const char *command, Error *err) {
    char **arguments = alloc_zeroed(PROCESS_ARGUMENTS_MAX + 1, sizeof *arguments);
    size_t count = 0;
    bool fine =
        strlen(command) <= COMMAND_MAX || error_set(err, ERROR_INPUT, "it is longer than %d bytes", COMMAND_MAX);
    for (command += strspn(command, " \t"); fine && *command; command += strspn(command, " \t")) {
        Buffer word = BUFFER(COMMAND_MAX);
        if (count == PROCESS_ARGUMENTS_MAX)
            fine = error_set(err, ERROR_INPUT, "it has more than %d words", PROCESS_ARGUMENTS_MAX);
        else if (!read_word(&command, &word))
            fine = error_set(err, ERROR_INPUT, "a quote in it is not closed");
        else
            arguments[count++] = buffer_take(&word);
        buffer_deinit(&word);
    }
    if (fine && (!count || !*arguments[0])) fine = error_set(err, ERROR_INPUT, "it names no program");
    return fine ? arguments : process_arguments_free(arguments);
}

char **process_arguments_free(char **arguments) {
    for (size_t i = 0; arguments && arguments[i]; i++) free(arguments[i]);
    free(arguments);
    return NULL;
}

/* --- running --- */

/* Ours, for helpers read HOME, AWS_… and variables of their own; without what tells of us as a service. */
static const char **environment(void) {
    static const char *const ours[] = {"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_",
        "JOURNAL_STREAM=", "INVOCATION_ID=", "CREDENTIALS_DIRECTORY=", "SYSTEMD_EXEC_PID=", "MAINPID="};
    const char **kept = alloc_zeroed(ENVIRONMENT_MAX + 1, sizeof *kept);
    size_t count = 0;
    for (char **entry = environ; *entry && count < ENVIRONMENT_MAX; entry++) {
        bool spared = true;
        for (size_t i = 0; i < COUNT_OF(ours); i++) spared &= strncmp(*entry, ours[i], strlen(ours[i])) != 0;
        if (spared) kept[count++] = *entry;
    }
    return kept;
}

/* The first line of what it complained of, as far as it is text; `text` holds SHOWN_MAX. */
static const char *first_line(const char *errors, char *text) {
    const size_t length = utf8_cut(errors, strcspn(errors, "\r\n"), SHOWN_MAX - 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (unsigned char)errors[i] < 0x20 || errors[i] == 0x7f ? ' ' : errors[i];
    text[length] = 0;
    if (!utf8_ok(text, length)) text[0] = 0;
    return text;
}

static AwsKeys *read_answer(const Process *process, const ChildAnswer *answer, Error *err) {
    char line[SHOWN_MAX];
    const char *words = first_line(answer->errors, line), *before = *words ? ": " : "";
    switch (answer->end) {
    case CHILD_ENDED: break;
    case CHILD_UNSENT:
    case CHILD_LACKING: return error_set(err, ERROR_LOCAL, "%s", answer->error), NULL;
    case CHILD_TIMED_OUT:
        return error_set(err, ERROR_REMOTE, "it did not end within %d s and was killed%s%s", PROCESS_TIMEOUT_MS / 1000,
                   before, words),
               NULL;
    case CHILD_TOO_LONG:
        return error_set(err, ERROR_REMOTE, "it printed more than %d bytes and was killed", CHILD_OUTPUT_MAX), NULL;
    case CHILD_CANCELLED: return error_set(err, ERROR_LOCAL, "cancelled"), NULL;
    }
    if (answer->signal)
        return error_set(err, ERROR_REMOTE, "signal %d ended it%s%s", answer->signal, before, words), NULL;
    if (answer->status) return error_set(err, ERROR_REMOTE, "exit status %d%s%s", answer->status, before, words), NULL;
    return keys_json_read(
        KEYS_OF_PROCESS, answer->output, answer->output_length, process->origin, process->now_ms, err);
}

static void child_ended(void *ctx, const ChildAnswer *answer) {
    Process *process = ctx;
    Error err = {0};
    AwsKeys *keys = read_answer(process, answer, &err);
    process->done(process->ctx, keys, err.text);
    free(process->origin);
    free(process);
}

Process *process_start(
    uv_loop_t *loop, const char *const *arguments, const char *origin, int64_t clock_ms, ProcessDone *done, void *ctx) {
    Process *process = alloc_zeroed(1, sizeof *process);
    const char **kept = environment();
    *process = (Process){.origin = text_copy(origin), .now_ms = clock_ms, .done = done, .ctx = ctx};
    process->child = child_start(loop,
        &(ChildRequest){.arguments = arguments,
            .environment = kept,
            .timeout_ms = PROCESS_TIMEOUT_MS,
            .apart = true,
            .strict = true},
        child_ended, process);
    free(kept);
    return process;
}

void process_cancel(Process *process) { child_cancel(process->child); }
