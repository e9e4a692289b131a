/* credential_process: a program of the person's that prints keys. Run without a shell, in a process group of its own,
 * for 30 s and 64 KiB at most; its output is never shown, of its standard error the first line. Loop thread. Source:
 * AWS SDKs and Tools Reference Guide, "Process credential provider". */
#ifndef TOCSIN_AWS_PROCESS_H
#define TOCSIN_AWS_PROCESS_H

#include "aws/keys.h"

#include <uv.h>

enum { PROCESS_ARGUMENTS_MAX = 256, PROCESS_TIMEOUT_MS = 30000 };

/* Words as a POSIX shell would split them: quotes and backslashes, nothing is expanded. NULL: ERROR_INPUT. */
char **process_split(const char *command, Error *err);
char **process_arguments_free(char **arguments); /* NULL is fine; returns NULL */

typedef struct Process Process;
/* Once, on the loop, never inside process_start(). Keys are taken; NULL: `why`, borrowed. */
typedef void ProcessDone(void *ctx, AwsKeys *take_keys, const char *why);

/* Borrows `arguments` for the call; `clock_ms`: AWS's time now. It has our environment without what the service manager
 * gave to us alone. */
Process *process_start(
    uv_loop_t *loop, const char *const *arguments, const char *origin, int64_t clock_ms, ProcessDone *done, void *ctx);
void process_cancel(Process *process); /* `done` runs before this returns */

#endif
