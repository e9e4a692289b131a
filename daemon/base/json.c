#include "base/json.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/escape.h"
#include "base/own.h"
#include "base/text.h"
#include "base/timetext.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson takes up to 75 bytes of memory a byte of `{}` and recurses 2,048 deep: both are counted first. A parser that
 * disagrees about where a string ends refuses the text anyway. */
static bool within_bounds(const char *text, size_t length, Error *err) {
    size_t depth = 0, values = 1;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        if (quoted) {
            if (c == '\\') i++;
            if (c == '"') quoted = false;
            continue;
        }
        if (c == '"') quoted = true;
        if (c == ',' || c == '[' || c == '{') values++;
        if (c == '[' || c == '{') depth++;
        if ((c == ']' || c == '}') && depth) depth--;
        if (depth > JSON_DEPTH)
            return error_set(err, ERROR_INPUT, "JSON is deeper than %d levels at byte %zu", JSON_DEPTH, i);
        if (values > JSON_VALUES) return error_set(err, ERROR_INPUT, "JSON has more than %zu values", JSON_VALUES);
    }
    return true;
}

json_t *json_read(const char *text, size_t length, Error *err) {
    json_error_t why;
    if (!length) return error_set(err, ERROR_INPUT, "JSON is empty"), NULL;
    if (!within_bounds(text, length, err)) return NULL;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!value) error_set(err, ERROR_INPUT, "JSON is wrong at line %d, column %d: %s", why.line, why.column, why.text);
    return value;
}

/* --- escapes that no text can hold --- */

/* The code of `\uXXXX` at `at`; -1: there is none. */
static int32_t escape_at(const char *at, const char *end) {
    int32_t code = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    for (int i = 2; i < 6; i++) {
        if (!isxdigit((unsigned char)at[i])) return -1;
        code = code * 16 + (isdigit((unsigned char)at[i]) ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    }
    return code;
}

static bool is_high(int32_t code) { return code >= 0xd800 && code < 0xdc00; }
static bool is_low(int32_t code) { return code >= 0xdc00 && code < 0xe000; }

/* The next one from `at` on, which is no part of another escape; NULL: there is none. */
static const char *unholdable(const char *at, const char *end) {
    while ((at = memchr(at, '\\', (size_t)(end - at)))) {
        const int32_t code = escape_at(at, end);
        const bool is_pair = is_high(code) && is_low(escape_at(at + 6, end));
        if (code == 0 || is_low(code) || (is_high(code) && !is_pair)) return at;
        const size_t step = is_pair ? 12 : code >= 0 ? 6 : 2;
        if ((size_t)(end - at) <= step) return NULL;
        at += step;
    }
    return NULL;
}

char *json_heal(const char *text, size_t length) {
    const char *first = length ? unholdable(text, text + length) : NULL;
    if (!first) return NULL;
    char *healed = text_copy_length(text, length), *end = healed + length;
    for (const char *at = healed + (first - text); at; at = unholdable(at, end))
        memcpy(healed + (at - healed) + 2, "fffd", 4);
    return healed;
}

json_t *json_read_foreign(const char *text, size_t length, Error *err) {
    OWN(text) char *healed = json_heal(text, length);
    return json_read(healed ? healed : text, length, err);
}

static int collect(const char *bytes, size_t length, void *into) { return buffer_add(into, bytes, length) ? 0 : -1; }

/* As short as it reads back the same (jansson prints 0.8 with 17 digits), and still no integer. */
static void write_real(double value, Buffer *out) {
    char text[NUMBER_TEXT_MAX];
    buffer_text(out, number_format(value, text));
    if (!strpbrk(text, ".e")) buffer_text(out, ".0");
}

static void write_value(const json_t *value, Buffer *out);

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* As jansson writes it; and what a terminal would obey, or show in another order, by its code: people look at JSON,
 * too. */
static void write_escape(uint32_t code, Buffer *out) {
    static const char letters[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
    if (code < sizeof letters && letters[code])
        buffer_format(out, "\\%c", letters[code]);
    else
        buffer_format(out, "\\u%04X", code);
}

static void write_string(const char *text, Buffer *out) {
    size_t left = strlen(text), plain = 0;
    buffer_text(out, "\"");
    for (size_t step; left; left -= step) {
        bool is_harmful;
        uint32_t code;
        step = escape_step(text + plain, left, &is_harmful);
        if (!is_harmful && text[plain] != '"' && text[plain] != '\\') {
            plain += step;
            continue;
        }
        if (!utf8_step(text + plain, left, &code)) code = 0xfffd; /* no UTF-8 */
        buffer_add(out, text, plain);
        write_escape(code, out);
        text += plain + step;
        plain = 0;
    }
    buffer_add(out, text, plain);
    buffer_text(out, "\"");
}

static void write_map(const json_t *map, Buffer *out) {
    const size_t count = json_object_size(map);
    const char **keys = alloc_zeroed(count, sizeof *keys);
    size_t i = 0;
    for (void *at = json_object_iter((json_t *)(uintptr_t)map); at;
         at = json_object_iter_next((json_t *)(uintptr_t)map, at)) {
        keys[i++] = json_object_iter_key(at);
    }
    qsort(keys, count, sizeof *keys, by_text);
    for (i = 0; i < count; i++) {
        buffer_text(out, i ? "," : "{");
        write_string(keys[i], out);
        buffer_text(out, ":");
        write_value(json_object_get(map, keys[i]), out);
    }
    buffer_text(out, count ? "}" : "{}");
    free(keys);
}

static void write_list(const json_t *list, Buffer *out) {
    const size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        buffer_text(out, i ? "," : "[");
        write_value(json_array_get(list, i), out);
    }
    buffer_text(out, count ? "]" : "[]");
}

static void write_value(const json_t *value, Buffer *out) {
    switch (json_typeof(value)) {
    case JSON_OBJECT: write_map(value, out); return;
    case JSON_ARRAY: write_list(value, out); return;
    case JSON_REAL: write_real(json_real_value(value), out); return;
    case JSON_STRING: write_string(json_string_value(value), out); return;
    case JSON_INTEGER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL: json_dump_callback(value, collect, out, JSON_ENCODE_ANY);
    }
}

char *json_write(const json_t *value) { /* into memory of free(): jansson's belongs to its own allocator */
    Buffer out = BUFFER(SIZE_MAX / 4);
    if (value) write_value(value, &out);
    return buffer_take(&out);
}

void json_add_text(Buffer *out, const char *text) {
    buffer_add(out, "\"", 1);
    for (size_t plain; *text; text += plain) {
        for (plain = 0; (unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\'; plain++) {}
        if (plain) {
            buffer_add(out, text, plain);
        } else {
            buffer_format(out, (unsigned char)*text < 0x20 ? "\\u%04X" : "\\%c", *text);
            plain = 1;
        }
    }
    buffer_add(out, "\"", 1);
}

const char *json_text(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

bool json_double(const json_t *object, const char *key, double *ret_value) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) return false;
    *ret_value = json_number_value(value);
    return true;
}

bool json_whole(const json_t *object, const char *key, int64_t *ret_value) {
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value)) {
        *ret_value = json_integer_value(value);
        return true;
    }
    const double real = json_real_value(value);
    if (!json_is_real(value) || fabs(real) >= 9e15 || real != trunc(real))
        return false; /* beyond, doubles skip integers */
    *ret_value = (int64_t)real;
    return true;
}

bool json_flag(const json_t *object, const char *key, bool fallback) {
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_boolean_value(value) : fallback;
}

const json_t *json_list(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_array(value) ? value : NULL;
}

const json_t *json_map(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_object(value) ? value : NULL;
}

json_t *json_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *json_safe(const char *text) {
    if (!text) return json_null();
    const size_t length = strlen(text);
    if (utf8_ok(text, length)) return json_stringn_nocheck(text, length);
    OWN(buffer) Buffer mended = BUFFER(SIZE_MAX / 4);
    uint32_t code;
    for (size_t i = 0, step; i < length; i += step ? step : 1) {
        step = utf8_step(text + i, length - i, &code);
        if (step) {
            buffer_add(&mended, text + i, step);
        } else {
            buffer_text(&mended, "\xef\xbf\xbd");
        }
    }
    return json_stringn_nocheck(buffer_string(&mended), mended.used);
}

json_t *json_time(int64_t wall_ms) {
    char text[TIME_TEXT_MAX];
    return wall_ms ? json_string(time_format(wall_ms, text)) : json_null();
}
