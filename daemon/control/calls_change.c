#include "control/calls.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>

static void reloaded(void *ctx, bool ok, const Problems *problems) {
    json_t *lines = problems ? problems_json(problems) : json_array();
    if (ok) return answer_json(ctx, 200, json_pack("{s:b, s:o}", "ok", true, "warnings", lines));
    json_t *error = error_json("invalid_config", "the configuration was refused; nothing has changed");
    answer_json(ctx, 422, json_pack("{s:o, s:o}", "error", error, "errors", lines));
}

void call_reload(const Call *call) { engine_reload(call->engine, reloaded, call->answer); }

static void changed(void *ctx, EngineOutcome outcome) {
    switch (outcome) {
    case ENGINE_DONE: return answer_json(ctx, 200, json_pack("{s:b}", "ok", true));
    case ENGINE_NOT_FOUND:
        return answer_error(ctx, 404, "not_found",
            "no notification of this id is owed or parked (what was delivered, expired or discarded is over)");
    case ENGINE_WRONG_STATE:
        return answer_error(
            ctx, 409, "wrong_state", "only a parked notification can be tried again or discarded by hand");
    case ENGINE_STORE_FULL:
        return answer_error(
            ctx, 503, "state_full", "the state could not be written: nothing has changed (free some room)");
    }
}

void call_retry(const Call *call) { engine_notification_retry(call->engine, call->name, changed, call->answer); }
void call_discard(const Call *call) { engine_notification_discard(call->engine, call->name, changed, call->answer); }

/* What a receiver's test needs until its answer. */
typedef struct Test {
    Answer *answer;
    char *receiver;
} Test;

static json_t *view_results(const ReceiverTestResult *results, size_t count) {
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all,
            json_pack("{s:o, s:I, s:o, s:o}", "plugin", json_safe(results[i].plugin), "index",
                (json_int_t)results[i].index, "outcome", json_safe(results[i].outcome), "detail",
                json_safe(results[i].detail)));
    return all;
}

static void tested(void *ctx, EngineOutcome outcome, const ReceiverTestResult *results, size_t count) {
    Test *test = ctx;
    if (outcome == ENGINE_DONE)
        answer_json(test->answer, 200,
            json_pack("{s:o, s:o}", "receiver", json_safe(test->receiver), "results", view_results(results, count)));
    else if (outcome == ENGINE_NOT_FOUND)
        answer_error(test->answer, 404, "not_found", "there is no receiver `%.255s`", test->receiver);
    else
        answer_error(test->answer, 503, "unavailable", "the test could not be made now");
    free(test->receiver);
    free(test);
}

void call_test(const Call *call) {
    Test *test = alloc_zeroed(1, sizeof *test);
    *test = (Test){.answer = call->answer, .receiver = text_copy(call->name)};
    engine_receiver_test(call->engine, call->name, tested, test);
}
