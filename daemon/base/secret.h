/* Bytes that nothing prints; `secret_reveal(` is the one door, so a search finds every use. */
#ifndef TOCSIN_BASE_SECRET_H
#define TOCSIN_BASE_SECRET_H

#include "base/error.h"
#include "base/own.h"

#include <stddef.h>

enum { SECRET_MAX = 65536 };

typedef struct Secret Secret;

Secret *secret_new(const char *bytes, size_t length); /* a copy; caller frees */
Secret *secret_copy(const Secret *secret); /* NULL gives NULL */
Secret *secret_free(Secret *secret); /* wipes; NULL is fine; returns NULL */
OWN_DEFINE(Secret, secret)

/* A whole file; one trailing newline is dropped. Not by stdio: its buffer would keep a copy. Caller frees.
 * NULL: ERROR_LOCAL, cannot read (`*ret_absent` true where it does not exist); ERROR_INPUT, empty or too long. */
Secret *secret_read(const char *path, bool *ret_absent, Error *err);
/* Borrowed: hand it on at once, keep no copy. A zero byte stands behind. */
const char *secret_reveal(const Secret *secret, size_t *ret_length);

/* Zeroing allocators for libraries that handle secrets (jansson, libcurl): a size header before each block, wiped
 * before it is freed. Call once, first thing in main. */
void secret_guard_libraries(void);

#endif
