#include "rules/fault.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

enum { SHOWN_BYTES = 60 };

bool fault_set(Fault *fault, const char *text, size_t at, const char *remedy, const char *what, ...) {
    if (!fault || fault->column) return false;
    va_list args;
    va_start(args, what);
    OWN(text) char *whole = text_format_v(what, args);
    va_end(args);
    const size_t length = utf8_cut(whole, strlen(whole), sizeof fault->what - 1);
    memcpy(fault->what, whole, length);
    fault->what[length] = '\0';
    fault->column = utf8_count(text, at) + 1;
    fault->remedy = remedy;
    return false;
}

int fault_shown(const char *text, size_t length) { return (int)utf8_cut(text, length, SHOWN_BYTES); }

bool fault_check_text(Fault *fault, const char *text, size_t max_bytes) {
    const size_t length = strnlen(text, max_bytes + 1);
    if (length > max_bytes) {
        return fault_set(
            fault, text, utf8_cut(text, length, max_bytes), "make it shorter", "longer than %zu bytes", max_bytes);
    }
    for (size_t at = 0, step; at < length; at += step) {
        uint32_t code = 0;
        step = utf8_step(text + at, length - at, &code);
        if (!step) return fault_set(fault, text, at, "write it in UTF-8", "a byte that is no UTF-8");
        const bool is_blank = code == '\t' || code == '\n' || code == '\r';
        if ((code < 0x20 && !is_blank) || code == 0x7f)
            return fault_set(fault, text, at, "plain text", "a control character");
    }
    return true;
}
