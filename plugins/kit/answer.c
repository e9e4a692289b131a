#include "kit/answer.h"

#include "base/alloc.h"
#include "base/own.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

void answer_give(TocsinDone *done, void *ctx, TocsinOutcome outcome, int64_t retry_after_ms, const char *format, ...) {
    va_list args;
    va_start(args, format);
    OWN(text) char *detail = text_format_v(format, args);
    va_end(args);
    const TocsinResult result = {
        .size = sizeof result, .outcome = outcome, .detail = detail, .retry_after_ms = retry_after_ms};
    done(ctx, &result);
}

void answer_unanswered(TocsinDone *done, void *ctx, TocsinEnd end, const char *error) {
    const char *why = error && *error ? error : end == TOCSIN_TIMEOUT ? "no answer in time" : "no answer came";
    answer_give(done, ctx, end == TOCSIN_UNSENT ? TOCSIN_REFUSED : TOCSIN_RETRY, 0, "%s", why);
}

char *answer_first_line(const char *text, size_t max) {
    text += strspn(text, " \t\r\n");
    const size_t length = strcspn(text, "\r\n");
    return text_copy_length(text, utf8_cut(text, length, max));
}
