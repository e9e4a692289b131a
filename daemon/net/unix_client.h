/* HTTP over a UNIX socket for a program without a loop: tocsinctl asks the daemon. Blocking; one connection a call;
 * every call has a deadline and a bound. */
#ifndef TOCSIN_NET_UNIX_CLIENT_H
#define TOCSIN_NET_UNIX_CLIENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNIX_ANSWER_MAX ((size_t)64 << 20) /* bytes: far above a page of any list */
enum { UNIX_CONNECT_MS = 5000, UNIX_SILENCE_S = 60 };

typedef struct UnixAnswer {
    long status;
    char *body; /* never NULL after true; a zero byte behind; the caller frees */
    size_t length;
} UnixAnswer;

/* `path` is percent-encoded and begins with `/`; `body` may be NULL, and is sent as JSON. False: ERROR_REMOTE, nobody
 * answered (absent, dead or refused socket, cut off, no answer in time), in words that name the socket; ERROR_INPUT,
 * the path of the socket cannot be one. */
bool unix_call(const char *socket, const char *method, const char *path, const char *body, int64_t timeout_ms,
    UnixAnswer *ret_answer, Error *err);

/* Bytes of a body as they come; false ends the call. */
typedef bool UnixChunk(void *ctx, const char *bytes, size_t length);
/* GET without an end: `chunk` gets the body of a 200; any other answer's goes to `ret_answer`, which is empty (body
 * NULL) after a 200. Returns true when the other side or `chunk` ended it; false as above, and where UNIX_SILENCE_S
 * passed without a byte. */
bool unix_stream(const char *socket, const char *path, UnixChunk *chunk, void *ctx, UnixAnswer *ret_answer, Error *err);

#endif
