#include "ctl/call.h"

#include "base/alloc.h"
#include "ctl/people.h"
#include "net/unix_client.h"

#include <stdlib.h>
#include <string.h>

char *part_encode(const char *text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    char *encoded = alloc_zeroed(strlen(text) * 3 + 1, 1), *to = encoded;
    for (const unsigned char *from = (const unsigned char *)text; *from; from++) {
        if (strchr(plain, *from))
            *to++ = (char)*from;
        else
            to += sprintf(to, "%%%02X", *from);
    }
    return encoded;
}

void call_print(const CtlContext *ctl, const json_t *object) {
    OWN(text) char *text = json_write(object);
    fprintf(ctl->out, "%s\n", text);
}

static int refused(CtlContext *ctl, const json_t *answer, long status) {
    if (ctl->json && answer) call_print(ctl, answer);
    const char *message = json_text(json_object_get(answer, "error"), "message");
    OWN(text) char *clean = people_clean(message ? message : "it did not say why");
    fprintf(ctl->err, "tocsinctl: %s (%ld)\n", clean, status);
    const json_t *errors = json_list(answer, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++) {
        OWN(text) char *line = people_clean(json_string_value(json_array_get(errors, i)));
        fprintf(ctl->err, "%s\n", line);
    }
    return CTL_FAILED;
}

/* One call on its way. */
typedef struct Asking {
    const char *method, *path, *body;
    int64_t timeout_ms;
    long quiet; /* a status about which nothing is said; 0: none */
} Asking;

static int ask(CtlContext *ctl, const Asking *asking, json_t **ret_answer, long *ret_status) {
    Error err = {0};
    UnixAnswer answer = {0};
    if (!unix_call(ctl->socket, asking->method, asking->path, asking->body, asking->timeout_ms, &answer, &err)) {
        fprintf(ctl->err, "tocsinctl: %s\n", err.text);
        return err.kind == ERROR_INPUT ? CTL_USAGE : CTL_UNREACHABLE;
    }
    OWN(json) json_t *object = json_read(answer.body, answer.length, &err);
    free(answer.body);
    if (ret_status) *ret_status = answer.status;
    if (answer.status == asking->quiet) return CTL_FAILED;
    if (answer.status < 200 || answer.status > 299) return refused(ctl, object, answer.status);
    if (!object) {
        fprintf(ctl->err, "tocsinctl: %s answered what is no JSON: %s\n", ctl->socket, err.text);
        return CTL_FAILED;
    }
    *ret_answer = GIVE(object);
    return CTL_DONE;
}

int call_daemon(
    CtlContext *ctl, const char *method, const char *path, int64_t timeout_ms, json_t **ret_answer, long *ret_status) {
    return ask(ctl, &(Asking){method, path, NULL, timeout_ms, 0}, ret_answer, ret_status);
}

int call_send(CtlContext *ctl, const char *method, const char *path, const json_t *body, json_t **ret_answer) {
    OWN(text) char *text = body ? json_write(body) : NULL;
    return ask(ctl, &(Asking){method, path, text, CALL_MS, 0}, ret_answer, NULL);
}

int call_quiet(CtlContext *ctl, const char *path, long quiet_status, json_t **ret_answer, long *ret_status) {
    return ask(ctl, &(Asking){"GET", path, NULL, CALL_MS, quiet_status}, ret_answer, ret_status);
}

static char *page_path(const char *path, int64_t limit, const char *after) {
    OWN(text) char *encoded = part_encode(after);
    return text_format(
        "%s%climit=%lld%s%s", path, strchr(path, '?') ? '&' : '?', (long long)limit, *after ? "&after=" : "", encoded);
}

int call_list(CtlContext *ctl, const char *path, const char *key, int64_t max, json_t **ret_answer) {
    enum { PAGE_ROWS = 1000 };
    OWN(json) json_t *rows = json_array();
    OWN(text) char *after = text_copy("");
    for (int pages = 0; pages < CALL_PAGES; pages++) {
        const int64_t left = max - (int64_t)json_array_size(rows);
        OWN(text) char *asked = page_path(path, left < PAGE_ROWS ? left : PAGE_ROWS, after);
        OWN(json) json_t *page = NULL;
        const int status = ask(ctl, &(Asking){"GET", asked, NULL, CALL_MS, 0}, &page, NULL);
        if (status != CTL_DONE) return status;
        const json_t *more = json_list(page, key);
        for (size_t i = 0; i < json_array_size(more); i++) json_array_append(rows, json_array_get(more, i));
        const char *next = json_text(page, "next");
        text_drop(&after);
        after = text_copy(next ? next : "");
        if (!next || json_array_size(more) == 0 || (int64_t)json_array_size(rows) >= max) break;
    }
    *ret_answer = json_pack("{s:O, s:o}", key, rows, "next", *after ? json_safe(after) : json_null());
    return CTL_DONE;
}
