#include "email/mime.h"

#include "base/alloc.h"
#include "base/escape.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A word of 45 bytes is 60 in base64 and 72 with `=?UTF-8?B?...?=`; RFC 2047 allows 75. */
enum { LINE = 76, WORD_BYTES = 45, HEADER_PLAIN_MAX = 900, HEADER_TEXT_MAX = 4096 };

/* --- headers --- */

/* Can it stand as it is? Not where a reader would take it for an encoded word. */
static bool is_plain(const char *text) {
    size_t word = 0;
    for (const char *p = text; *p; p++) {
        if (*p < ' ' || *p > '~') return false;
        word = *p == ' ' ? 0 : word + 1;
        if (word > HEADER_PLAIN_MAX) return false;
    }
    return !strstr(text, "=?");
}

static void put_base64(Buffer *out, const char *text, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        const unsigned char a = (unsigned char)text[i];
        const unsigned char b = i + 1 < length ? (unsigned char)text[i + 1] : 0;
        const unsigned char c = i + 2 < length ? (unsigned char)text[i + 2] : 0;
        const char four[4] = {digits[a >> 2], digits[(a & 3) << 4 | b >> 4],
            i + 1 < length ? digits[(b & 15) << 2 | c >> 6] : '=', i + 2 < length ? digits[c & 63] : '='};
        buffer_add(out, four, sizeof four);
    }
}

/* Encoded words, each a whole number of characters, one a line. */
static void put_words(Buffer *out, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t size = utf8_cut(text + at, length - at, WORD_BYTES);
        if (size == 0) size = length - at < WORD_BYTES ? length - at : WORD_BYTES; /* no UTF-8: the bytes as they are */
        if (at > 0) buffer_text(out, "\r\n ");
        buffer_text(out, "=?UTF-8?B?");
        put_base64(out, text + at, size);
        buffer_text(out, "?=");
        at += size;
    }
}

/* One blank for each control character: nothing from outside begins a line or turns it around. Caller frees. */
static char *flat(const char *text) {
    const size_t length = utf8_cut(text, strlen(text), HEADER_TEXT_MAX);
    Buffer out = BUFFER((size_t)HEADER_TEXT_MAX);
    for (size_t i = 0, step; i < length; i += step) {
        bool harmful;
        step = escape_step(text + i, length - i, &harmful);
        buffer_add(&out, harmful ? " " : text + i, harmful ? 1 : step);
    }
    return buffer_take(&out);
}

/* Folded before a word that would pass the line. */
static void put_folded(Buffer *out, const char *text, size_t column) {
    while (*text) {
        const size_t blanks = strspn(text, " "), word = blanks + strcspn(text + blanks, " ");
        if (blanks > 0 && column > 1 && column + word > LINE && text[blanks]) {
            buffer_text(out, "\r\n");
            column = 0;
        }
        buffer_add(out, text, word);
        column += word;
        text += word;
    }
}

void mime_header(Buffer *out, const char *name, const char *text) {
    OWN(text) char *line = flat(text);
    if (is_plain(line)) {
        buffer_format(out, "%s: ", name);
        put_folded(out, line, strlen(name) + 2);
    } else {
        buffer_format(out, "%s:\r\n ", name); /* the first word has a whole line */
        put_words(out, line, strlen(line));
    }
    buffer_text(out, "\r\n");
}

void mime_phrase(Buffer *out, const char *text) {
    OWN(text) char *line = flat(text);
    if (!is_plain(line))
        put_words(out, line, strlen(line));
    else {
        buffer_text(out, "\"");
        for (const char *p = line; *p; p++)
            if (*p != '"' && *p != '\\') buffer_add(out, p, 1);
        buffer_text(out, "\"");
    }
}

/* --- bodies --- */

static bool needs_code(const char *p, bool starts_line) {
    const unsigned char byte = (unsigned char)*p;
    if (byte == '=' || byte < ' ' || byte > '~') return true;
    if (byte == ' ') return p[1] == '\n' || !p[1]; /* a blank at a line's end gets lost on the way */
    return starts_line && (byte == '.' || strncmp(p, "From ", 5) == 0);
}

void mime_quoted(Buffer *out, const char *text) {
    size_t column = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\n') {
            buffer_text(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + 3 >= LINE) {
            buffer_text(out, "=\r\n");
            column = 0;
        }
        if (needs_code(p, column == 0)) {
            buffer_format(out, "=%02X", (unsigned char)*p);
            column += 3;
        } else {
            buffer_add(out, p, 1);
            column++;
        }
    }
    if (column > 0) buffer_text(out, "\r\n");
}
