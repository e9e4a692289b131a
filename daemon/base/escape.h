/* Text from outside, made harmless for a line on a terminal, in a log or in a list of problems (I14). */
#ifndef TOCSIN_BASE_ESCAPE_H
#define TOCSIN_BASE_ESCAPE_H

#include "base/buffer.h"

/* The size in bytes of what begins `text`, of which `length` bytes are left: a character, or one byte that is no UTF-8.
 * `ret_harmful`: is it one that escape_control() writes as \xNN? Where people read text, sinks show a blank instead. */
size_t escape_step(const char *text, size_t length, bool *ret_harmful);

/* Adds `text` with each byte of a control character (C0, C1, DEL), a line or paragraph separator, a bidi control or of
 * what is no UTF-8 as \xNN. False: the buffer is full; what fitted was added. */
bool escape_control(Buffer *out, const char *text);

#endif
