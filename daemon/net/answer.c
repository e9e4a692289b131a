#include "net/answer.h"

#include "base/alloc.h"
#include "base/timetext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void answer_headers_deinit(AnswerHeaders *headers) {
    for (size_t i = 0; i < headers->count; i++) free(headers->names[i]);
    *headers = (AnswerHeaders){0};
}

bool answer_headers_line(AnswerHeaders *headers, const char *line, size_t length) {
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        const size_t bytes = headers->bytes + length; /* goes on: there may be 1xx answers without end */
        answer_headers_deinit(headers);
        headers->bytes = bytes;
        return bytes <= ANSWER_HEADER_BYTES;
    }
    const char *colon = memchr(line, ':', length);
    if (!colon) return true; /* the empty line at the end */
    if (headers->count == ANSWER_HEADERS || headers->bytes + length > ANSWER_HEADER_BYTES) return false;
    const char *value = colon + 1, *end = line + length;
    while (value < end && isspace((unsigned char)*value)) value++;
    while (end > value && isspace((unsigned char)end[-1])) end--;
    char *block = text_copy_length(line, length);
    block[colon - line] = 0;
    block[end - line] = 0;
    headers->values[headers->count] = block + (value - line);
    headers->names[headers->count++] = block;
    headers->bytes += length;
    return true;
}

const char *answer_headers_get(const AnswerHeaders *headers, const char *name) {
    for (size_t i = 0; headers && i < headers->count; i++)
        if (strcasecmp(headers->names[i], name) == 0) return headers->values[i];
    return "";
}

/* A whole number, or -1. */
static int64_t digits(const char *text) {
    int64_t value = 0;
    if (!*text) return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return -1;
        if (value <= RETRY_AFTER_MAX_MS) value = value * 10 + (*text - '0');
    }
    return value;
}

int64_t retry_after_ms(const AnswerHeaders *headers, int64_t now_ms) {
    int64_t wait_ms = digits(answer_headers_get(headers, "x-amz-retry-after")), at_ms;
    if (wait_ms < 0) {
        const char *text = answer_headers_get(headers, "Retry-After");
        wait_ms = digits(text);
        if (wait_ms >= 0)
            wait_ms *= 1000;
        else if (time_parse_http(text, &at_ms))
            wait_ms = at_ms - now_ms;
    }
    if (wait_ms < 0) return 0;
    return wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS;
}
