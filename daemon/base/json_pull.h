/* JSON read in one pass, value by value and without a tree: for large answers of which little is kept. Pure; any
 * thread. It takes the texts that json_read_foreign() takes and no others, but for keys that come twice where nobody
 * asked for them; a NUL behind the text, which jansson takes for its end, is refused. Not for secrets: nothing here is
 * wiped.
 *
 *     JsonPull in;
 *     json_pull_init(&in, text, length, err);
 *     if (json_pull_open(&in, '{'))
 *         for (int key; (key = json_pull_member(&in, keys, &seen)) >= 0;)
 *             ... one of json_pull_open(), json_pull_text(), json_pull_number() and their like, json_pull_skip()
 *     const bool is_json = json_pull_end(&in);
 *     json_pull_deinit(&in);
 *
 * After the first mistake every call says that there is nothing more, so that only json_pull_end() needs a look. */
#ifndef TOCSIN_BASE_JSON_PULL_H
#define TOCSIN_BASE_JSON_PULL_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

typedef struct JsonPull {
    const char *begin, *at, *end;
    size_t depth, values; /* bounded by JSON_DEPTH and JSON_VALUES */
    bool is_first; /* behind an opening bracket: no comma is due */
    bool has_failed;
    Buffer mended; /* the last text, where it is not to be had from the bytes themselves */
    Error *err;
} JsonPull;

typedef struct JsonText {
    const char *bytes; /* UTF-8 without NUL; no zero behind; borrowed until the next call */
    size_t length;
} JsonText;

void json_pull_init(JsonPull *in, const char *text, size_t length, Error *err);
void json_pull_deinit(JsonPull *in);

/* What the value at hand begins with: `{ [ " t f n`, a digit or `-`. 0: none is there. */
char json_pull_peek(JsonPull *in);
/* Goes into the object `{` or the list `[` at hand. False: the value is none such; it is still at hand. */
bool json_pull_open(JsonPull *in, char bracket);
/* Goes on to the next member's value, the next element. False: the object, the list has ended and was left. */
bool json_pull_key(JsonPull *in, JsonText *ret_key);
bool json_pull_item(JsonPull *in);
/* As json_pull_key(), for those of `keys` (which ends at NULL, 32 at most); others are skipped. Returns the key's
 * index, -1 at the end. `seen` begins as 0: one that comes twice is a mistake. */
int json_pull_member(JsonPull *in, const char *const *keys, uint32_t *seen);
/* Takes the string, the number at hand. False: the value is none; it is still at hand. */
bool json_pull_text(JsonPull *in, JsonText *ret_text);
bool json_pull_number(JsonPull *in, double *ret_number);
/* Likewise, a number without fraction of a size below 9e15 (beyond, doubles skip integers); true or false. */
bool json_pull_whole(JsonPull *in, int64_t *ret_whole);
bool json_pull_flag(JsonPull *in, bool *ret_flag);
/* Takes the value at hand, whatever it is. */
void json_pull_skip(JsonPull *in);
/* Likewise, and gives its bytes as they stand, which live as long as the whole. False: it is no JSON. */
bool json_pull_raw(JsonPull *in, JsonText *ret_json);
/* Was all of it JSON, to the last byte? False: ERROR_INPUT with the place in the text. */
bool json_pull_end(JsonPull *in);

bool json_text_is(JsonText text, const char *word);
char *json_text_copy(JsonText text); /* caller frees */

#endif
