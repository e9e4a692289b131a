/* The one answer that a call owes, given at once or after a commit or a query. Whoever holds an Answer gives it exactly
 * once; if the client has gone meanwhile, it goes nowhere. Loop thread. */
#ifndef TOCSIN_CONTROL_ANSWER_H
#define TOCSIN_CONTROL_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ANSWER_MAX = 64 << 20 /* bytes */, ALLOW_MAX = 64 };

typedef struct Reply {
    unsigned status;
    const char *content_type;
    char *body; /* never NULL unless `stream` */
    size_t length;
    char allow[ALLOW_MAX]; /* 405: the methods that there are, else "" */
    bool stream; /* no body: the event stream follows */
} Reply;

typedef void AnswerSent(
    void *ctx, Reply *take_reply); /* once; possibly inside the call that made the answer necessary */
typedef struct Answer Answer;

Answer *answer_new(AnswerSent *sent, void *ctx);
void answer_detach(Answer *answer); /* nobody waits any more; its holder still gives it */

/* Makes this answer's outcome a line in the log, with who called and what (robustness section 8). `serial` keeps one
 * line apart from the next where the log limits repeated ones. */
void answer_audit(Answer *answer, int64_t serial, uid_t uid, pid_t pid, const char *method, const char *path);

/* Each takes the answer, which is gone afterwards. */
void answer_json(Answer *take_answer, unsigned status, json_t *take_json);
void answer_text(Answer *take_answer, unsigned status, const char *content_type, char *take_text);
void answer_stream(Answer *take_answer);
/* {"error":{"code","message"}} */
void answer_error(Answer *take_answer, unsigned status, const char *code, const char *message, ...)
    __attribute__((format(printf, 4, 5)));
void answer_wrong_method(Answer *take_answer, const char *allow);
json_t *error_json(const char *code, const char *message); /* the object in {"error": …}; new reference */

#endif
