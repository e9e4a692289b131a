#include "control/answer.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Answer {
    AnswerSent *sent;
    void *ctx;
    char *audited; /* `POST /v1/reload`; NULL: not a change */
    int64_t serial, uid, pid;
};

Answer *answer_new(AnswerSent *sent, void *ctx) {
    Answer *answer = alloc_zeroed(1, sizeof *answer);
    answer->sent = sent;
    answer->ctx = ctx;
    return answer;
}

void answer_detach(Answer *answer) { answer->sent = NULL; }

void answer_audit(Answer *answer, int64_t serial, uid_t uid, pid_t pid, const char *method, const char *path) {
    free(answer->audited);
    answer->audited = text_format("%s %.500s", method, path);
    answer->serial = serial;
    answer->uid = (int64_t)uid;
    answer->pid = (int64_t)pid;
}

static void give(Answer *take_answer, Reply reply) {
    if (take_answer->audited)
        LOG(INFO, "control call", KV("audit", take_answer->serial), KV("uid", take_answer->uid),
            KV("pid", take_answer->pid), KV("call", take_answer->audited), KV("status", (int)reply.status));
    if (take_answer->sent) take_answer->sent(take_answer->ctx, &reply);
    free(reply.body); /* NULL if it was taken */
    free(take_answer->audited);
    free(take_answer);
}

void answer_text(Answer *take_answer, unsigned status, const char *content_type, char *take_text) {
    give(take_answer,
        (Reply){.status = status, .content_type = content_type, .body = take_text, .length = strlen(take_text)});
}

void answer_stream(Answer *take_answer) {
    give(take_answer, (Reply){.status = 200, .content_type = "text/event-stream", .stream = true});
}

json_t *error_json(const char *code, const char *message) {
    return json_pack("{s:s, s:o}", "code", code, "message", json_safe(message));
}

static Reply json_reply(unsigned status, json_t *take_json) {
    char *text = take_json ? json_write(take_json) : NULL;
    json_decref(take_json);
    Reply reply = {.status = status, .content_type = "application/json", .body = text};
    if (!text) { /* only if an object could not be made: say so rather than send half of it */
        reply.status = 500;
        reply.body = text_copy("{\"error\":{\"code\":\"internal\",\"message\":\"the answer could not be written\"}}");
    }
    reply.length = strlen(reply.body);
    return reply;
}

void answer_json(Answer *take_answer, unsigned status, json_t *take_json) {
    give(take_answer, json_reply(status, take_json));
}

void answer_error(Answer *take_answer, unsigned status, const char *code, const char *message, ...) {
    va_list args;
    va_start(args, message);
    OWN(text) char *text = text_format_v(message, args);
    va_end(args);
    answer_json(take_answer, status, json_pack("{s:o}", "error", error_json(code, text)));
}

void answer_wrong_method(Answer *take_answer, const char *allow) {
    OWN(text) char *text = text_format("this address takes %s only", allow);
    Reply reply = json_reply(405, json_pack("{s:o}", "error", error_json("method_not_allowed", text)));
    snprintf(reply.allow, sizeof reply.allow, "%s", allow);
    give(take_answer, reply);
}
