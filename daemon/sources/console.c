#include "sources/console.h"

#include "base/text.h"
#include "base/timetext.h"

#include <ctype.h>
#include <string.h>

/* A character as the console's links write it: `*2f`, or `**20ac` beyond Latin-1 (surrogate pairs beyond that). */
static void add_code(Buffer *out, unsigned code) {
    if (code < 0x100)
        buffer_format(out, "*%02x", code);
    else if (code < 0x10000)
        buffer_format(out, "**%04x", code);
    else
        buffer_format(out, "**%04x**%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
}

/* The character at `text`, which is valid UTF-8, and its length. */
static unsigned utf8_code(const unsigned char *text, size_t *ret_length) {
    const size_t length = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    unsigned code = length == 1 ? text[0] : text[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) code = code << 6 | (text[i] & 0x3f);
    *ret_length = length;
    return code;
}

void console_string(Buffer *out, const char *text) {
    buffer_text(out, "~'");
    if (!utf8_ok(text, strlen(text))) return;
    for (size_t length; *text; text += length) {
        const unsigned code = utf8_code((const unsigned char *)text, &length);
        if (code < 0x80 && (isalnum((int)code) || strchr("_-.", (int)code)))
            buffer_add(out, text, 1);
        else if (code == '$')
            buffer_text(out, "!");
        else
            add_code(out, code);
    }
}

static const char *console_host(const char *region) {
    if (strncmp(region, "cn-", 3) == 0) return "console.amazonaws.cn";
    if (strncmp(region, "us-gov-", 7) == 0) return "console.amazonaws-us-gov.com";
    return "console.aws.amazon.com";
}

void console_begin(Buffer *out, const char *region) {
    buffer_format(out, "https://%s.%s/cloudwatch/home?region=%s#", region, console_host(region), region);
}

void console_time(Buffer *out, int64_t wall_ms) {
    char text[TIME_TEXT_MAX];
    console_string(out, time_format(wall_ms, text));
}

void console_graph_end(Buffer *out, const char *region, int64_t at_ms) {
    buffer_text(out, "~view~'timeSeries~stacked~false~region");
    console_string(out, region);
    buffer_text(out, "~start");
    console_time(out, at_ms - CONSOLE_GRAPH_BEFORE_MS);
    buffer_text(out, "~end");
    console_time(out, at_ms + CONSOLE_GRAPH_AFTER_MS);
    buffer_text(out, ")");
}
