#include "base/escape.h"

#include "base/text.h"

#include <string.h>

/* What moves the cursor, ends a line for some reader, or changes the order in which a line is shown. */
static bool is_harmful(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
        (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

size_t escape_step(const char *text, size_t length, bool *ret_harmful) {
    uint32_t code = 0;
    const size_t step = utf8_step(text, length, &code);
    *ret_harmful = !step || is_harmful(code);
    return step ? step : 1;
}

bool escape_control(Buffer *out, const char *text) {
    const size_t length = strlen(text);
    for (size_t i = 0, step; i < length; i += step) {
        bool harmful;
        step = escape_step(text + i, length - i, &harmful);
        if (!harmful && !buffer_add(out, text + i, step)) return false;
        for (size_t j = 0; harmful && j < step; j++) {
            if (!buffer_format(out, "\\x%02x", (unsigned char)text[i + j])) return false;
        }
    }
    return true;
}
