/* Small helpers on text from outside. Nothing here allocates unless it says so. */
#ifndef TOCSIN_BASE_TEXT_H
#define TOCSIN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size in bytes of the character that begins `text`, and its code; 0 at the end, a NUL, or what is no UTF-8. */
size_t utf8_step(const char *text, size_t length, uint32_t *ret_code);
/* Is it valid UTF-8 (no surrogates, no overlong forms, no NUL)? */
bool utf8_ok(const char *text, size_t length);
/* The largest length <= max that does not cut a UTF-8 character. */
size_t utf8_cut(const char *text, size_t length, size_t max);
size_t utf8_count(const char *text, size_t length); /* characters, not bytes */
/* Is there a control character (below 0x20, or 0x7f)? Such bytes never go into a header, an address or a URL. */
bool has_control(const char *text);
/* The candidate nearest to `word` by edit distance (transpositions count one), or NULL if none is near enough to be
 * what was meant. `candidates` ends at NULL. Borrowed. */
const char *text_nearest(const char *word, const char *const *candidates);
/* Does `text` match the glob (`*`, `?`; `\` quotes)? Linear in both lengths; ignores case only if asked. */
bool glob_matches(const char *glob, const char *text, bool ignore_case);
/* A whole number's digits, as printf writes them; for what is written for each alarm in each poll. Returns `text`. */
enum { WHOLE_TEXT_MAX = 24 };
const char *whole_format(uint64_t value, char text[static WHOLE_TEXT_MAX]);
/* A double as short as it reads back the same: `0.8`, `20000.0` stays `20000` here. Returns `text`. */
enum { NUMBER_TEXT_MAX = 32 };
const char *number_format(double value, char text[static NUMBER_TEXT_MAX]);
/* A whole text as a number, nothing behind it; refuses NaN and infinities. */
bool number_parse(const char *text, double *ret_value);

#endif
