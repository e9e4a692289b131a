#include "base/json_pull.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to this a decimal and a power of ten are exact as doubles, so that one operation on them rounds correctly. */
enum { EXACT_POWER = 22, EXPONENT_DIGITS_MAX = 6 };
static const uint64_t exact_mantissa = UINT64_C(1) << 53;

/* Always false. The first mistake counts; behind it there is nothing more. */
__attribute__((format(printf, 2, 3))) static bool fail(JsonPull *in, const char *format, ...) {
    char why[80];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (!in->has_failed)
        error_set(in->err, ERROR_INPUT, "JSON is wrong at byte %zu: %s", (size_t)(in->at - in->begin), why);
    in->has_failed = true;
    in->at = in->end;
    return false;
}

void json_pull_init(JsonPull *in, const char *text, size_t length, Error *err) {
    *in = (JsonPull){.begin = text, .at = text, .end = text + length, .values = 1, .err = err};
    in->mended = BUFFER(length);
}

void json_pull_deinit(JsonPull *in) { buffer_deinit(&in->mended); }

bool json_text_is(JsonText text, const char *word) {
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

char *json_text_copy(JsonText text) { return text_copy_length(text.bytes, text.length); }

/* The byte at hand behind blanks; 0 at the end (no byte of JSON is 0). */
static char look(JsonPull *in) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t')) in->at++;
    return in->at < in->end ? *in->at : '\0';
}

static bool count_value(JsonPull *in) {
    if (++in->values <= JSON_VALUES) return true;
    return fail(in, "it has more than %zu values (JSON_VALUES)", JSON_VALUES);
}

char json_pull_peek(JsonPull *in) {
    const char c = look(in);
    if (c && (strchr("{[\"tfn-", c) || (c >= '0' && c <= '9'))) return c;
    fail(in, "a value was expected");
    return '\0';
}

bool json_pull_open(JsonPull *in, char bracket) {
    if (json_pull_peek(in) != bracket || !count_value(in)) return false;
    if (++in->depth > JSON_DEPTH) return fail(in, "it is deeper than %d levels (JSON_DEPTH)", JSON_DEPTH);
    in->at++;
    in->is_first = true;
    return true;
}

/* Is there another one before the closing bracket? */
static bool another(JsonPull *in, char closing) {
    const char c = look(in);
    const bool is_first = in->is_first;
    in->is_first = false;
    if (in->has_failed) return false;
    if (c == closing) {
        in->at++;
        in->depth--;
        return false;
    }
    if (is_first) return true;
    if (c != ',') return fail(in, "a comma or the closing bracket was expected");
    if (!count_value(in)) return false;
    in->at++;
    return true;
}

bool json_pull_item(JsonPull *in) { return another(in, ']'); }

/* --- strings --- */

static size_t plain_run(const JsonPull *in) {
    const char *at = in->at;
    while (at < in->end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\') at++;
    return (size_t)(at - in->at);
}

static bool hex_code(JsonPull *in, uint32_t *ret_code) {
    uint32_t code = 0;
    if (in->end - in->at < 4) return fail(in, "a \\u escape has four digits");
    for (size_t i = 0; i < 4; i++) {
        const char c = in->at[i];
        const int digit = c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f'             ? c - 'a' + 10
            : c >= 'A' && c <= 'F'             ? c - 'A' + 10
                                               : -1;
        if (digit < 0) return fail(in, "a \\u escape has four digits");
        code = code << 4 | (uint32_t)digit;
    }
    in->at += 4;
    *ret_code = code;
    return true;
}

static void add_utf8(Buffer *out, uint32_t code) {
    char bytes[4];
    size_t size = 0;
    if (code < 0x80) {
        bytes[size++] = (char)code;
    } else {
        if (code >= 0x10000) bytes[size++] = (char)(0xf0 | code >> 18);
        if (code >= 0x800) bytes[size++] = (char)(code >= 0x10000 ? 0x80 | (code >> 12 & 0x3f) : 0xe0 | code >> 12);
        bytes[size++] = (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3f) : 0xc0 | code >> 6);
        bytes[size++] = (char)(0x80 | (code & 0x3f));
    }
    buffer_add(out, bytes, size);
}

/* Behind a high surrogate: is its other half there? Then it is taken. */
static bool low_half(JsonPull *in, uint32_t *ret_low) {
    JsonPull ahead = *in; /* what does not fit is looked at for itself */
    ahead.has_failed = true; /* and no word is said of it now */
    if (in->end - in->at < 2 || in->at[0] != '\\' || in->at[1] != 'u') return false;
    ahead.at += 2;
    if (!hex_code(&ahead, ret_low) || *ret_low < 0xdc00 || *ret_low > 0xdfff) return false;
    in->at = ahead.at;
    return true;
}

/* Behind `\u`: a code, or two that are a pair of surrogates. What no text can hold is read as U+FFFD. */
static bool unicode(JsonPull *in) {
    uint32_t code, low;
    if (!hex_code(in, &code)) return false;
    if (code >= 0xd800 && code <= 0xdbff && low_half(in, &low))
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    else if (code == 0 || (code >= 0xd800 && code <= 0xdfff))
        code = 0xfffd;
    add_utf8(&in->mended, code);
    return true;
}

/* At a backslash. */
static bool escape(JsonPull *in) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char c = in->end - in->at > 1 ? in->at[1] : '\0';
    const char *found = c ? strchr(from, c) : NULL;
    if (!found && c != 'u') return fail(in, "no such escape");
    in->at += 2;
    return found ? buffer_add(&in->mended, &to[found - from], 1) : unicode(in);
}

/* What the bytes themselves do not hold as it is, or what has to be looked at: from `plain` bytes before on. */
static bool mend(JsonPull *in, size_t plain, JsonText *ret) {
    in->mended.used = 0;
    buffer_add(&in->mended, in->at - plain, plain);
    while (in->at < in->end && *in->at != '"') {
        uint32_t code;
        const size_t run = plain_run(in);
        const size_t size = run ? run : *in->at == '\\' ? 0 : utf8_step(in->at, (size_t)(in->end - in->at), &code);
        if (size == 0) {
            if (*in->at != '\\') return fail(in, "a text is no UTF-8");
            if (!escape(in)) return false;
            continue;
        }
        if (!run && size == 1) return fail(in, "a text holds a control character");
        buffer_add(&in->mended, in->at, size);
        in->at += size;
    }
    if (in->at == in->end) return fail(in, "a text has no end");
    in->at++;
    *ret = (JsonText){buffer_string(&in->mended), in->mended.used};
    return true;
}

/* At the opening quote. */
static bool string(JsonPull *in, JsonText *ret) {
    in->at++;
    const size_t plain = plain_run(in);
    *ret = (JsonText){in->at, plain};
    in->at += plain;
    if (in->at == in->end || *in->at != '"') return mend(in, plain, ret);
    in->at++;
    return true;
}

bool json_pull_text(JsonPull *in, JsonText *ret_text) { return json_pull_peek(in) == '"' && string(in, ret_text); }

bool json_pull_key(JsonPull *in, JsonText *ret_key) {
    if (!another(in, '}')) return false;
    if (look(in) != '"') return fail(in, "a key was expected");
    if (!string(in, ret_key)) return false;
    if (look(in) != ':') return fail(in, "a colon was expected");
    in->at++;
    return true;
}

int json_pull_member(JsonPull *in, const char *const *keys, uint32_t *seen) {
    for (JsonText key; json_pull_key(in, &key); json_pull_skip(in)) {
        for (int i = 0; keys[i]; i++) {
            if (*key.bytes != *keys[i] || !json_text_is(key, keys[i])) continue; /* most differ at once */
            if (*seen >> i & 1) return fail(in, "a key comes twice"), -1;
            *seen |= UINT32_C(1) << i;
            return i;
        }
    }
    return -1;
}

/* --- numbers --- */

/* A number as it is written: mantissa x 10^exponent, where both are small enough to be kept. */
typedef struct Figure {
    uint64_t mantissa;
    int64_t exponent;
    bool is_cut; /* there are more digits, or a larger exponent, than are kept */
    bool is_real; /* with a point or an exponent */
} Figure;

static bool is_digit(const JsonPull *in) { return in->at < in->end && *in->at >= '0' && *in->at <= '9'; }

static bool digits(JsonPull *in, Figure *figure, int exponent_each) {
    if (!is_digit(in)) return fail(in, "a digit was expected");
    for (; is_digit(in); in->at++) {
        figure->exponent += exponent_each;
        if (__builtin_mul_overflow(figure->mantissa, UINT64_C(10), &figure->mantissa) ||
            __builtin_add_overflow(figure->mantissa, (uint64_t)(*in->at - '0'), &figure->mantissa))
            figure->is_cut = true;
    }
    return true;
}

/* Behind `e`. */
static bool exponent(JsonPull *in, Figure *figure) {
    const bool is_negative = in->at < in->end && *in->at == '-';
    if (in->at < in->end && (*in->at == '-' || *in->at == '+')) in->at++;
    if (!is_digit(in)) return fail(in, "a digit was expected");
    int64_t value = 0;
    size_t count = 0;
    for (; is_digit(in); in->at++)
        if (++count <= EXPONENT_DIGITS_MAX) value = value * 10 + (*in->at - '0');
    figure->is_cut = figure->is_cut || count > EXPONENT_DIGITS_MAX;
    figure->exponent += is_negative ? -value : value;
    return true;
}

/* Behind the sign. */
static bool figure_read(JsonPull *in, Figure *figure) {
    if (in->at < in->end && *in->at == '0')
        in->at++; /* and then no other digit */
    else if (!digits(in, figure, 0))
        return false;
    if (in->at < in->end && *in->at == '.') {
        in->at++;
        figure->is_real = true;
        if (!digits(in, figure, -1)) return false;
    }
    if (in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
        in->at++;
        figure->is_real = true;
        return exponent(in, figure);
    }
    return true;
}

static bool real_slowly(JsonPull *in, const char *from, double *ret) {
    in->mended.used = 0;
    buffer_add(&in->mended, from, (size_t)(in->at - from));
    *ret = strtod(buffer_string(&in->mended), NULL);
    return isfinite(*ret) || fail(in, "a number is too large");
}

static bool real(JsonPull *in, const char *from, const Figure *figure, double *ret) {
    static const double tens[EXACT_POWER + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
        1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int64_t power = figure->exponent;
    if (FLT_EVAL_METHOD != 0 || figure->is_cut || figure->mantissa > exact_mantissa || power < -EXACT_POWER ||
        power > EXACT_POWER)
        return real_slowly(in, from, ret);
    const double mantissa = (double)figure->mantissa,
                 value = power < 0 ? mantissa / tens[-power] : mantissa * tens[power];
    *ret = *from == '-' ? -value : value;
    return true;
}

bool json_pull_number(JsonPull *in, double *ret_number) {
    const char c = json_pull_peek(in);
    if (c != '-' && (c < '0' || c > '9')) return false;
    const char *from = in->at;
    const bool is_negative = c == '-';
    Figure figure = {0};
    in->at += is_negative;
    if (!figure_read(in, &figure)) return false;
    if (figure.is_real) return real(in, from, &figure, ret_number);
    if (figure.is_cut || figure.mantissa > (uint64_t)INT64_MAX + is_negative)
        return fail(in, "a whole number is too large");
    const double whole = (double)figure.mantissa;
    *ret_number = is_negative && figure.mantissa ? -whole : whole;
    return true;
}

bool json_pull_whole(JsonPull *in, int64_t *ret_whole) {
    double number;
    json_pull_peek(in);
    const char *from = in->at;
    if (!json_pull_number(in, &number)) return false;
    if (fabs(number) >= 9e15 || number != trunc(number)) {
        in->at = from;
        return false;
    }
    *ret_whole = (int64_t)number;
    return true;
}

/* --- all the rest --- */

static bool word(JsonPull *in, const char *wanted) {
    const size_t length = strlen(wanted);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, wanted, length) != 0)
        return fail(in, "a value was expected");
    in->at += length;
    return true;
}

bool json_pull_flag(JsonPull *in, bool *ret_flag) {
    const char c = json_pull_peek(in);
    if ((c != 't' && c != 'f') || !word(in, c == 't' ? "true" : "false")) return false;
    *ret_flag = c == 't';
    return true;
}

void json_pull_skip(JsonPull *in) { /* calls itself: no deeper than JSON_DEPTH */
    JsonText text;
    double number;
    switch (json_pull_peek(in)) {
    case '{':
        if (json_pull_open(in, '{'))
            while (json_pull_key(in, &text)) json_pull_skip(in);
        return;
    case '[':
        if (json_pull_open(in, '['))
            while (json_pull_item(in)) json_pull_skip(in);
        return;
    case '"': json_pull_text(in, &text); return;
    case 't': word(in, "true"); return;
    case 'f': word(in, "false"); return;
    case 'n': word(in, "null"); return;
    case '\0': return;
    default: json_pull_number(in, &number);
    }
}

bool json_pull_raw(JsonPull *in, JsonText *ret_json) {
    json_pull_peek(in);
    const char *from = in->at;
    json_pull_skip(in);
    if (in->has_failed) return false;
    *ret_json = (JsonText){from, (size_t)(in->at - from)};
    return true;
}

bool json_pull_end(JsonPull *in) {
    look(in);
    if (in->at < in->end) fail(in, "the end was expected");
    return !in->has_failed;
}
