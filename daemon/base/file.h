/* Whole files, read with a bound. Blocks: at start, on the pool, in the tool; never on the loop (I9). */
#ifndef TOCSIN_BASE_FILE_H
#define TOCSIN_BASE_FILE_H

#include "base/error.h"

#include <stddef.h>

/* Reads at most `max_bytes`. Caller frees; a zero byte stands behind. NULL: ERROR_LOCAL, cannot read (`*ret_absent`
 * true where it does not exist); ERROR_INPUT, longer than that. `ret_absent` may be NULL. */
char *file_read(const char *path, size_t max_bytes, size_t *ret_length, bool *ret_absent, Error *err);

#endif
