/* The socket's calls as one table: address, method, who may. Knows nothing of sockets, so tests and the fuzzer call it
 * too. */
#ifndef TOCSIN_CONTROL_ROUTES_H
#define TOCSIN_CONTROL_ROUTES_H

#include "control/answer.h"
#include "engine/engine.h"

#include <sys/types.h>

/* Who calls. */
typedef struct Caller {
    bool may_change; /* peer_may_change() */
    bool remote; /* came over `listen`: reads alone, and no notifications */
    const char *host; /* its Host header, or NULL; looked at where `remote` */
    uid_t uid;
    pid_t pid;
    const char *body; /* what came with the call; NULL: nothing */
    size_t body_length;
    int64_t serial; /* number of this call, for the audit */
} Caller;

/* Answers `method` on `text` (path and query as they came), now or later. HEAD is GET: the transport leaves out the
 * body. */
void routes_dispatch(Engine *engine, const Caller *caller, const char *method, const char *text, Answer *take_answer);

#endif
