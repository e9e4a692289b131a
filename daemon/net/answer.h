/* An answer's header lines, kept with bounds, and what they ask of us. Loop thread. */
#ifndef TOCSIN_NET_ANSWER_H
#define TOCSIN_NET_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_HEADERS = 128, ANSWER_HEADER_BYTES = 65536, RETRY_AFTER_MAX_MS = 3600 * 1000 };

typedef struct AnswerHeaders {
    char *names[ANSWER_HEADERS]; /* each block holds name and value */
    const char *values[ANSWER_HEADERS];
    size_t count, bytes; /* bytes: of all lines so far, those of 1xx answers included */
} AnswerHeaders;

/* One line as libcurl hands it over; a status line begins anew (1xx came before). False: past the bounds. */
bool answer_headers_line(AnswerHeaders *headers, const char *line, size_t length);
const char *answer_headers_get(const AnswerHeaders *headers, const char *name); /* "" where absent; borrowed */
void answer_headers_deinit(AnswerHeaders *headers);

/* How long the other side asks us to wait: x-amz-retry-after (milliseconds), else Retry-After (seconds, or a date seen
 * from `now_ms`); 0 for none or nonsense; at most RETRY_AFTER_MAX_MS. RFC 9110, section 10.2.3. */
int64_t retry_after_ms(const AnswerHeaders *headers, int64_t now_ms);

#endif
