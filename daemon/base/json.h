/* jansson, with bounds before it and getters that do not trust a type. */
#ifndef TOCSIN_BASE_JSON_H
#define TOCSIN_BASE_JSON_H

#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH = 64 };
#define JSON_VALUES ((size_t)500000)

/* Parses `length` bytes. Refused before they are believed: deeper than JSON_DEPTH, more than JSON_VALUES values
 * (counted by `,[{`), duplicate keys, no valid UTF-8. Caller decrefs. NULL: ERROR_INPUT with the place in the text. */
json_t *json_read(const char *text, size_t length, Error *err);
/* As json_read(), of what strangers chose: the escapes of a NUL and of half a surrogate pair, which no text here can
 * hold, are read as U+FFFD. One name made of them must not hide the whole answer that it stands in. */
json_t *json_read_foreign(const char *text, size_t length, Error *err);
/* A copy as long as the text, with those escapes written as that of U+FFFD; NULL: there are none. Caller frees. */
char *json_heal(const char *text, size_t length);
/* Compact, keys sorted, numbers as short as they read back the same: the same value gives the same bytes. What a
 * terminal obeys (escape.h) is written by its code. Caller frees. */
char *json_write(const json_t *value);

/* Writes `text`, which is UTF-8, as a JSON string: for large requests that need no tree. */
void json_add_text(Buffer *out, const char *text);

/* Getters; `object` may be NULL or of any type. */
const char *json_text(const json_t *object, const char *key); /* NULL unless a string; borrowed */
bool json_double(const json_t *object, const char *key, double *ret_value); /* any number */
bool json_whole(const json_t *object, const char *key, int64_t *ret_value); /* integer, or a real without fraction */
bool json_flag(const json_t *object, const char *key, bool fallback);
const json_t *json_list(const json_t *object, const char *key); /* NULL unless an array */
const json_t *json_map(const json_t *object, const char *key); /* NULL unless an object */
/* A number that may be NaN or infinite: those become null. New reference. */
json_t *json_number(double value);
/* A string; bytes that are no UTF-8 become U+FFFD, NULL becomes null. New reference. */
json_t *json_safe(const char *text);
json_t *json_time(int64_t wall_ms); /* RFC 3339; 0 becomes null. New reference */

static inline void json_drop(json_t **p) { /* for OWN(json) json_t *x */
    json_decref(*p);
    *p = NULL;
}

#endif
