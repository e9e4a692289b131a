/* A growing run of bytes with a bound: past it nothing is added and `overflow` stays set. */
#ifndef TOCSIN_BASE_BUFFER_H
#define TOCSIN_BASE_BUFFER_H

#include "base/own.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Buffer {
    char *bytes; /* a zero byte stands behind `used`; NULL while empty */
    size_t used, room, max;
    bool overflow;
} Buffer;

#define BUFFER(max_bytes) ((Buffer){.max = (max_bytes)})

bool buffer_add(Buffer *buffer, const void *bytes, size_t length); /* false: it would pass the bound */
bool buffer_text(Buffer *buffer, const char *text);
bool buffer_format(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buffer_string(const Buffer *buffer); /* never NULL; borrowed */
/* Hands the bytes over, never NULL and no longer than needed; the buffer is empty again. */
char *buffer_take(Buffer *buffer);
void buffer_deinit(Buffer *buffer);
static inline void buffer_drop(Buffer *buffer) { buffer_deinit(buffer); } /* for OWN(buffer) Buffer x */

#endif
