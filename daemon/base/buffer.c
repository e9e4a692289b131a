#include "base/buffer.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 256 };

/* Is there room for `length` more, and the zero byte behind? */
static bool make_room(Buffer *buffer, size_t length) {
    if (buffer->overflow || length > buffer->max - buffer->used) {
        buffer->overflow = true;
        return false;
    }
    if (buffer->bytes && length < buffer->room - buffer->used) return true;
    size_t room = buffer->room ? buffer->room : BUFFER_FIRST;
    while (room - buffer->used <= length) room *= 2;
    buffer->bytes = alloc_again(buffer->bytes, room, 1);
    buffer->room = room;
    return true;
}

bool buffer_add(Buffer *buffer, const void *bytes, size_t length) {
    if (!make_room(buffer, length)) return false;
    if (length) memcpy(buffer->bytes + buffer->used, bytes, length);
    buffer->used += length;
    buffer->bytes[buffer->used] = '\0';
    return true;
}

bool buffer_text(Buffer *buffer, const char *text) { return buffer_add(buffer, text, strlen(text)); }

/* Written in place: into what room there is, and once more where that was too little. */
bool buffer_format(Buffer *buffer, const char *format, ...) {
    va_list args, again;
    const size_t room = buffer->bytes ? buffer->room - buffer->used : 0;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(room ? buffer->bytes + buffer->used : NULL, room, format, args);
    va_end(args);
    if (length < 0) abort();
    const bool fits = make_room(buffer, (size_t)length);
    if (fits && (size_t)length >= room) vsnprintf(buffer->bytes + buffer->used, (size_t)length + 1, format, again);
    va_end(again);
    if (fits)
        buffer->used += (size_t)length;
    else if (room)
        buffer->bytes[buffer->used] = '\0'; /* nothing of what does not fit stays */
    return fits;
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
