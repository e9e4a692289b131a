#include "base/buffer.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 256 };

bool buffer_add(Buffer *buffer, const void *bytes, size_t length) {
    if (buffer->overflow || length > buffer->max - buffer->used) {
        buffer->overflow = true;
        return false;
    }
    if (!buffer->bytes || length >= buffer->room - buffer->used) { /* one more for the zero byte */
        size_t room = buffer->room ? buffer->room : BUFFER_FIRST;
        while (room - buffer->used <= length) room *= 2;
        buffer->bytes = alloc_again(buffer->bytes, room, 1);
        buffer->room = room;
    }
    if (length) memcpy(buffer->bytes + buffer->used, bytes, length);
    buffer->used += length;
    buffer->bytes[buffer->used] = '\0';
    return true;
}

bool buffer_text(Buffer *buffer, const char *text) { return buffer_add(buffer, text, strlen(text)); }

bool buffer_format(Buffer *buffer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    OWN(text) char *text = text_format_v(format, args);
    va_end(args);
    return buffer_text(buffer, text);
}

const char *buffer_string(const Buffer *buffer) { return buffer->bytes ? buffer->bytes : ""; }

char *buffer_take(Buffer *buffer) {
    char *bytes = buffer->bytes ? alloc_again(buffer->bytes, buffer->used + 1, 1) : text_copy("");
    *buffer = BUFFER(buffer->max);
    return bytes;
}

void buffer_deinit(Buffer *buffer) {
    free(buffer->bytes);
    *buffer = BUFFER(buffer->max);
}
