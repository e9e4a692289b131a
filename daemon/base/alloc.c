#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory) {
    if (!memory) abort();
    return memory;
}

void *alloc_zeroed(size_t count, size_t size_bytes) {
    return checked(calloc(count ? count : 1, size_bytes ? size_bytes : 1));
}

void *alloc_again(void *old, size_t count, size_t size_bytes) {
    return checked(reallocarray(old, count ? count : 1, size_bytes ? size_bytes : 1));
}

char *text_copy(const char *text) { return text_copy_length(text, strlen(text)); }

char *text_copy_length(const char *text, size_t length) {
    char *copy = alloc_zeroed(length + 1, 1);
    if (length) memcpy(copy, text, length);
    return copy;
}

char *text_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = text_format_v(format, args);
    va_end(args);
    return text;
}

char *text_format_v(const char *format, va_list args) {
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) abort();
    return checked(text);
}
