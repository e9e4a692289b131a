#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t utf8_step(const char *text, size_t length, uint32_t *ret_code) {
    const unsigned char *p = (const unsigned char *)text;
    if (!length || !p[0]) return 0;
    *ret_code = p[0];
    if (p[0] < 0x80) return 1;
    const size_t size = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (!size || size > length) return 0;
    uint32_t code = p[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    *ret_code = code;
    return size;
}

bool utf8_ok(const char *text, size_t length) {
    uint32_t code;
    for (size_t step; length; text += step, length -= step) {
        if (!(step = utf8_step(text, length, &code))) return false;
    }
    return true;
}

static bool continues(char byte) { return ((unsigned char)byte & 0xc0) == 0x80; }

size_t utf8_cut(const char *text, size_t length, size_t max) {
    if (length <= max) return length;
    size_t end = max;
    for (size_t back = 0; back < 3 && end && continues(text[end]); back++) end--;
    return end;
}

size_t utf8_count(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += !continues(text[i]);
    return count;
}

bool has_control(const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) return true;
    }
    return false;
}

enum { NEAREST_MAX = 64 }; /* characters of a word that is compared: no key is longer */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours; case does not count. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= b_length; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2])) {
                now[j] = least(now[j], earlier[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

static size_t difference(size_t a, size_t b) { return a > b ? a - b : b - a; }

/* The one candidate that begins with the word, as `warn` for `warning`; NULL if there are several or none. */
static const char *completed(const char *word, size_t length, const char *const *candidates) {
    const char *found = NULL;
    for (; length >= 3 && *candidates; candidates++) {
        if (strncmp(word, *candidates, length) != 0) continue;
        if (found) return NULL;
        found = *candidates;
    }
    return found;
}

const char *text_nearest(const char *word, const char *const *candidates) {
    const size_t length = strlen(word);
    const char *nearest = NULL;
    size_t least_far = SIZE_MAX;
    if (length > NEAREST_MAX) return NULL;
    for (const char *const *candidate = candidates; *candidate; candidate++) {
        const size_t other = strlen(*candidate);
        if (other > NEAREST_MAX) continue;
        const size_t far = edit_distance(word, length, *candidate, other);
        const size_t allowed = ((length > other ? length : other) + 1) / 3; /* a third of it may be wrong */
        const bool nearer =
            far < least_far || (far == least_far && difference(other, length) < difference(strlen(nearest), length));
        if (far > allowed || !nearer) continue; /* of two as near, the one as long: `=>` means `>=` */
        least_far = far;
        nearest = *candidate;
    }
    return nearest ? nearest : completed(word, length, candidates);
}

static size_t character_size(const char *text) {
    size_t size = *text ? 1 : 0;
    while (size && size < 4 && continues(text[size])) size++;
    return size;
}

static bool same_byte(char a, char b, bool ignore_case) {
    return a == b || (ignore_case && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* On a mismatch only the last star is widened: an earlier one that took less would leave the later star the same
 * choice. */
bool glob_matches(const char *glob, const char *text, bool ignore_case) {
    const char *star = NULL, *resume = NULL;
    while (*text) {
        const bool quoted = *glob == '\\' && glob[1];
        if (!quoted && *glob == '*') {
            star = ++glob;
            resume = text;
        } else if (!quoted && *glob == '?') {
            glob++;
            text += character_size(text);
        } else if (*glob && same_byte(glob[quoted], *text, ignore_case)) {
            glob += 1 + quoted;
            text++;
        } else if (star) {
            glob = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*') glob++;
    return !*glob;
}

/* The fewest digits that read back the same. Every decimal of up to DBL_DIG digits outlives the way to a double and
 * back, so that the zeros at the end of that many say how many fewer would do. */
static int digits_needed(double value, int *ret_exponent) {
    char text[NUMBER_TEXT_MAX];
    int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG; /* of the smallest that does not hold */
    for (;; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (digits == 17 || strtod(text, NULL) == value) break;
    }
    const char *end = strchr(text, 'e');
    *ret_exponent = atoi(end + 1);
    for (; digits > 1 && end[-1] == '0'; end--) digits--;
    return digits;
}

const char *whole_format(uint64_t value, char text[static WHOLE_TEXT_MAX]) {
    char digits[WHOLE_TEXT_MAX];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return memcpy(text, digits + at, sizeof digits - at);
}

const char *number_format(double value, char text[static NUMBER_TEXT_MAX]) {
    static const double whole_max = 1e15; /* below it every digit of a whole number is its own */
    if (isnan(value)) return strcpy(text, "NaN");
    if (isinf(value)) return strcpy(text, value > 0 ? "+Inf" : "-Inf");
    if (value == 0) return strcpy(text, "0"); /* no `-0` */
    if (fabs(value) < whole_max && value == trunc(value)) { /* most figures are whole */
        if (value < 0) *text = '-';
        whole_format((uint64_t)fabs(value), text + (value < 0));
        return text;
    }
    int exponent;
    const int digits = digits_needed(value, &exponent);
    if (exponent < -5 || exponent > 15) {
        snprintf(text, NUMBER_TEXT_MAX, "%.*e", digits - 1, value);
    } else {
        snprintf(text, NUMBER_TEXT_MAX, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, value);
    }
    return text;
}

bool number_parse(const char *text, double *ret_value) {
    if (!*text || text[strspn(text, "0123456789+-.eE")]) return false; /* no blanks, hex, nan, inf */
    char *end;
    const double value = strtod(text, &end);
    if (*end || end == text || !isfinite(value)) return false;
    *ret_value = value;
    return true;
}
