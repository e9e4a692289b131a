#include "plugin/redact.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

static const char mark[] = "[secret]";

/* Every occurrence of `needle`; takes the text and gives it back, or a new one. */
static char *replace(char *take_text, const char *needle, size_t length) {
    if (length < REDACT_LENGTH_MIN || !memmem(take_text, strlen(take_text), needle, length)) return take_text;
    Buffer out = BUFFER(strlen(take_text) * strlen(mark) + 1);
    const char *at = take_text;
    for (const char *hit; (hit = memmem(at, strlen(at), needle, length)); at = hit + length) {
        buffer_add(&out, at, (size_t)(hit - at));
        buffer_text(&out, mark);
    }
    buffer_text(&out, at);
    explicit_bzero(take_text, strlen(take_text));
    free(take_text);
    return buffer_take(&out);
}

/* Base64 of a secret that stands `offset` bytes behind a group's begin: only the digits that its neighbours cannot
 * change. */
static char *replace_base64(char *take_text, const char *secret, size_t length, size_t offset) {
    char *bytes = alloc_zeroed(offset + length, 1);
    memcpy(bytes + offset, secret, length);
    char *digits = base64_encode(bytes, offset + length);
    const size_t first = (offset * 8 + 5) / 6, end = (offset + length) * 8 / 6;
    take_text = replace(take_text, digits + first, end - first);
    explicit_bzero(bytes, offset + length);
    explicit_bzero(digits, strlen(digits));
    free(bytes);
    free(digits);
    return take_text;
}

/* `/services/T0/B0/x` of an address: what a web server says that it does not find. */
static char *replace_path(char *take_text, const char *secret) {
    const char *host = strstr(secret, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path ? replace(take_text, path, strlen(path)) : take_text;
}

char *redact(const Snapshot *snapshot, const char *text) {
    char *copy = text_copy(text);
    const Secret *secret;
    for (size_t number = 1; (secret = snapshot_secret(snapshot, number)); number++) {
        size_t length;
        const char *bytes = secret_reveal(secret, &length);
        if (length < REDACT_LENGTH_MIN || length > REDACT_LENGTH_MAX) continue;
        copy = replace(copy, bytes, length);
        for (size_t offset = 0; offset < 3; offset++) copy = replace_base64(copy, bytes, length, offset);
        copy = replace_path(copy, bytes);
    }
    return copy;
}
