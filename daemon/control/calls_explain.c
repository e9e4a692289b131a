/* daemon/control/calls_explain.c: GET /v1/explain/FINGERPRINT: two queries, then the answer */
#include "control/calls.h"

#include "base/alloc.h"
#include "base/json.h"
#include "control/explain_view.h"
#include "control/view.h"

#include <stdlib.h>
#include <string.h>

typedef struct Asked {
    Engine *engine;
    Answer *answer;
    char fingerprint[FINGERPRINT_TEXT];
    int64_t at_ms;
    json_t *transitions;
} Asked;

static void give_up(Asked *asked, unsigned status, const char *code, const char *message) {
    answer_error(asked->answer, status, code, "%s", message);
    json_decref(asked->transitions);
    free(asked);
}

static void decisions_read(void *ctx, const DecisionTold *rows, size_t count) {
    Asked *asked = ctx;
    if (!rows) return give_up(asked, 503, "unavailable", "what was decided could not be read: see the daemon's log");
    const Explained facts = {asked->engine, asked->fingerprint, asked->at_ms, asked->transitions, rows, count};
    json_t *json = explain_json(&facts);
    if (!json) return give_up(asked, 404, "not_found", "nothing is known of this fingerprint at that time");
    answer_json(asked->answer, 200, json);
    json_decref(asked->transitions);
    free(asked);
}

static void history_read(void *ctx, const HistoryRow *rows, size_t count, int64_t next) {
    Asked *asked = ctx;
    (void)next;
    if (!rows) return give_up(asked, 503, "unavailable", "the history could not be read: see the daemon's log");
    for (size_t i = 0; i < count; i++) json_array_append_new(asked->transitions, view_transition(&rows[i]));
    const DecisionQuery query = {asked->fingerprint, asked->at_ms, EXPLAIN_DECISIONS};
    store_decisions(engine_store(asked->engine), &query, decisions_read, asked);
}

void call_explain(const Call *call) {
    Error err = {0};
    int64_t at_ms = 0;
    if (!target_time(call->target, "at", &at_ms, &err))
        return answer_error(call->answer, 400, "bad_request", "%s", err.text);
    if (strlen(call->name) != FINGERPRINT_TEXT - 1 || strspn(call->name, "0123456789abcdef") != FINGERPRINT_TEXT - 1)
        return answer_error(
            call->answer, 400, "bad_request", "`%.40s` is no fingerprint (16 hexadecimal digits)", call->name);
    Asked *asked = alloc_zeroed(1, sizeof *asked);
    *asked = (Asked){.engine = call->engine, .answer = call->answer, .at_ms = at_ms, .transitions = json_array()};
    memcpy(asked->fingerprint, call->name, FINGERPRINT_TEXT);
    const HistoryQuery query = {
        .fingerprint = asked->fingerprint, .until_ms = at_ms ? at_ms + 1 : 0, .limit = EXPLAIN_TRANSITIONS};
    store_history(engine_store(call->engine), &query, history_read, asked);
}
