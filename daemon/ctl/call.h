/* What the verbs ask the daemon, with the talk about it that they share. */
#ifndef TOCSIN_CTL_CALL_H
#define TOCSIN_CTL_CALL_H

#include "base/json.h"
#include "ctl/verb.h"

enum {
    CALL_MS = 15000,
    CALL_TEST_MS = 75000 /* a receiver's test may take 60 s */,
    CALL_RELOAD_MS = 60000,
    CALL_PAGES = 1000
};

/* One call. CTL_DONE: a 2xx answer, its object in `*ret_answer` (the caller's). Else the reason was written to err
 * (with
 * --json, the daemon's error object to out as well): CTL_UNREACHABLE, nobody answered; CTL_FAILED, the daemon refused;
 * then
 * `*ret_status` (may be NULL) is the HTTP status. */
int call_daemon(
    CtlContext *ctl, const char *method, const char *path, int64_t timeout_ms, json_t **ret_answer, long *ret_status);
/* As call_daemon(), with a body; `body` may be NULL. */
int call_send(CtlContext *ctl, const char *method, const char *path, const json_t *body, json_t **ret_answer);
/* As call_daemon(), and silent about a refusal with `quiet_status`. */
int call_quiet(CtlContext *ctl, const char *path, long quiet_status, json_t **ret_answer, long *ret_status);
/* GET of a list, page by page until `max` rows: {KEY: [all rows], "next": …}. `path` may have a query. */
int call_list(CtlContext *ctl, const char *path, const char *key, int64_t max, json_t **ret_answer);
void call_print(const CtlContext *ctl, const json_t *object); /* one line of JSON on out */

/* One part of a path or query, percent-encoded; caller frees. */
char *part_encode(const char *text);

#endif
