#include "ctl/sse.h"

#include <stdio.h>
#include <string.h>

void sse_init(Sse *sse, SseEvent *event, void *ctx) {
    *sse = (Sse){.line = BUFFER(SSE_LINE_MAX), .data = BUFFER(SSE_LINE_MAX), .event = event, .ctx = ctx};
}

void sse_deinit(Sse *sse) {
    buffer_deinit(&sse->line);
    buffer_deinit(&sse->data);
}

static const char *field(const char *line, const char *name) {
    const size_t length = strlen(name);
    if (strncmp(line, name, length) || line[length] != ':') return NULL;
    return line + length + (line[length + 1] == ' ' ? 2 : 1);
}

static bool take_line(Sse *sse) {
    const char *line = buffer_string(&sse->line);
    const char *kind = field(line, "event"), *data = field(line, "data");
    if (kind) snprintf(sse->kind, sizeof sse->kind, "%s", kind);
    if (data) return (sse->data.used == 0 || buffer_text(&sse->data, "\n")) && buffer_text(&sse->data, data);
    if (*line) return true;
    if (sse->data.used > 0) sse->event(sse->ctx, *sse->kind ? sse->kind : "message", buffer_string(&sse->data));
    buffer_deinit(&sse->data);
    sse->data = BUFFER(SSE_LINE_MAX);
    sse->kind[0] = 0;
    return true;
}

bool sse_feed(Sse *sse, const char *bytes, size_t length) {
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        const size_t part = end ? (size_t)(end - bytes) : length;
        if (!buffer_add(&sse->line, bytes, part)) return false;
        if (!end) return true;
        const bool good = take_line(sse);
        sse->line.used = 0;
        if (sse->line.bytes) sse->line.bytes[0] = 0;
        if (!good) return false;
        bytes = end + 1;
        length -= part + 1;
    }
    return true;
}
