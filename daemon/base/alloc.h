/* Memory for small things: these never return NULL. A program that cannot have a few hundred bytes aborts; what is
 * owed to people is on disk (I7). Sizes that come from outside are bounded by their reader before they get here. */
#ifndef TOCSIN_BASE_ALLOC_H
#define TOCSIN_BASE_ALLOC_H

#include "base/own.h"

#include <stdarg.h>
#include <stddef.h>

void *alloc_zeroed(size_t count, size_t size_bytes) __attribute__((returns_nonnull, malloc));
void *alloc_again(void *old, size_t count, size_t size_bytes) __attribute__((returns_nonnull)); /* realloc, checked */
char *text_copy(const char *text) __attribute__((returns_nonnull, malloc));
char *text_copy_length(const char *text, size_t length) __attribute__((returns_nonnull, malloc));
/* A formatted text; caller frees. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull, malloc));
char *text_format_v(const char *format, va_list args) __attribute__((format(printf, 1, 0), returns_nonnull, malloc));

static inline void text_drop(char **p) { /* for OWN(text) char *x */
    __builtin_free(*p);
    *p = NULL;
}

#endif
