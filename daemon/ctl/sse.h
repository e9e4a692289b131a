/* Server-sent events out of a stream of bytes (WHATWG HTML, section 9.2.6): what `event:` and `data:` lines say,
 * comments skipped. Pure. */
#ifndef TOCSIN_CTL_SSE_H
#define TOCSIN_CTL_SSE_H

#include "base/buffer.h"

enum { SSE_LINE_MAX = 1 << 20 /* bytes, and of one event's data */ };

typedef void SseEvent(void *ctx, const char *kind, const char *data);
typedef struct Sse {
    Buffer line, data;
    char kind[64];
    SseEvent *event;
    void *ctx;
} Sse;

void sse_init(Sse *sse, SseEvent *event, void *ctx);
void sse_deinit(Sse *sse);
bool sse_feed(Sse *sse, const char *bytes, size_t length); /* false: a line or an event passes SSE_LINE_MAX */

#endif
