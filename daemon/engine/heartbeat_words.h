/* What the heartbeat says, and whether it may say anything (I17). Pure. */
#ifndef TOCSIN_ENGINE_HEARTBEAT_WORDS_H
#define TOCSIN_ENGINE_HEARTBEAT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum { HEARTBEAT_TROUBLES = 50, HEARTBEAT_BODY_MAX = 10000 };

/* One thing that Tocsin cannot do. Borrowed. */
typedef struct HeartbeatTrouble {
    const char *what; /* TocsinSourceFailing */
    const char *where; /* account prod, region eu-west-1 */
    const char *reason;
    bool is_grave; /* a watch or a message is lost by it: no good cycle */
} HeartbeatTrouble;

typedef struct HeartbeatFacts {
    bool is_attempted; /* each source was tried since the start or the last reload, and what came is recorded */
    bool is_committed; /* what is handed to the store comes back */
    bool is_moving; /* what may be sent is sent */
    size_t sources, failed, pending, parked; /* failed: at their last poll */
    const HeartbeatTrouble *troubles;
    size_t trouble_count;
} HeartbeatFacts;

typedef enum {
    HEARTBEAT_SILENT, /* the cycle is not complete: say nothing, which a dead man's switch hears */
    HEARTBEAT_GOOD,
    HEARTBEAT_FAIL
} HeartbeatKind;

HeartbeatKind heartbeat_judge(const HeartbeatFacts *facts);

/* A line of figures, then a line a trouble, the grave ones first; at most HEARTBEAT_BODY_MAX bytes without control
 * characters. Caller frees. */
char *heartbeat_words(const HeartbeatFacts *facts);

/* The address that tells of a failure: `/fail` behind the path, before a query. Caller frees and, where the address is
 * a secret, wipes. */
char *heartbeat_fail_url(const char *url);

#endif
