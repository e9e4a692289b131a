/* How a built-in plugin says what a delivery became, and how it says what is wrong with its configuration. */
#ifndef TOCSIN_KIT_ANSWER_H
#define TOCSIN_KIT_ANSWER_H

#include "tocsin-plugin.h"

/* What came back from a service, in a plugin's terms. `detail` is formatted; control characters are the host's to
 * clean. */
void answer_give(TocsinDone *done, void *ctx, TocsinOutcome outcome, int64_t retry_after_ms, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* A service that gave no answer: cancelled, timed out and failed are tried again, unsent is refused. */
void answer_unanswered(TocsinDone *done, void *ctx, TocsinEnd end, const char *error);

/* The first line of what a receiver said: at most `max` bytes, cut at a whole character. Caller frees. */
char *answer_first_line(const char *text, size_t max);

#endif
