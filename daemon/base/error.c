#include "base/error.h"

#include "base/alloc.h"
#include "base/own.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

bool error_set(Error *err, ErrorKind kind, const char *format, ...) {
    if (!err || err->kind != ERROR_NONE) return false;
    va_list args;
    va_start(args, format);
    OWN(text) char *whole = text_format_v(format, args);
    va_end(args);
    const size_t length = utf8_cut(whole, strlen(whole), sizeof err->text - 1);
    memcpy(err->text, whole, length);
    err->text[length] = '\0';
    err->kind = kind;
    return false;
}
