/* One failure, told by the one who saw it; the kind says who must act. */
#ifndef TOCSIN_BASE_ERROR_H
#define TOCSIN_BASE_ERROR_H

#include <stdbool.h>

typedef enum {
    ERROR_NONE,
    ERROR_INPUT, /* a person must change something */
    ERROR_REMOTE, /* the other side failed: a retry may help */
    ERROR_LOCAL /* this machine: disk, memory, permissions */
} ErrorKind;

typedef struct Error {
    ErrorKind kind;
    char text[480];
} Error;

/* Always false, so `return error_set(...)` fails. The first cause stays: a second call changes nothing. `err` may be
 * NULL. A text that is too long is cut at a whole UTF-8 character. */
bool error_set(Error *err, ErrorKind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
