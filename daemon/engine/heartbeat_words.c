#include "engine/heartbeat_words.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/escape.h"
#include "base/text.h"

#include <string.h>

enum { REASON_MAX = 500, ROOM_FOR_REST = 100 };

HeartbeatKind heartbeat_judge(const HeartbeatFacts *facts) {
    if (!facts->is_attempted || !facts->is_committed) return HEARTBEAT_SILENT;
    for (size_t i = 0; i < facts->trouble_count; i++)
        if (facts->troubles[i].is_grave) return HEARTBEAT_FAIL;
    return facts->is_moving ? HEARTBEAT_GOOD : HEARTBEAT_FAIL;
}

/* Whole lines alone: what would pass the bound is counted. */
static bool add_trouble(const HeartbeatTrouble *trouble, Buffer *out) {
    OWN(buffer) Buffer line = BUFFER((size_t)HEARTBEAT_BODY_MAX);
    OWN(text)
    char *reason = text_copy_length(trouble->reason, utf8_cut(trouble->reason, strlen(trouble->reason), REASON_MAX));
    escape_control(&line, trouble->what);
    if (*trouble->where) buffer_text(&line, " (");
    escape_control(&line, trouble->where);
    buffer_text(&line, *trouble->where ? "): " : ": ");
    escape_control(&line, reason);
    buffer_text(&line, "\n");
    return !line.overflow && out->used + line.used + ROOM_FOR_REST <= out->max &&
        buffer_add(out, line.bytes, line.used);
}

static size_t add_troubles(const HeartbeatFacts *facts, bool grave, size_t shown, Buffer *out) {
    for (size_t i = 0; i < facts->trouble_count && shown < HEARTBEAT_TROUBLES; i++)
        if (facts->troubles[i].is_grave == grave) {
            if (!add_trouble(&facts->troubles[i], out)) return shown;
            shown++;
        }
    return shown;
}

char *heartbeat_words(const HeartbeatFacts *facts) {
    Buffer out = BUFFER((size_t)HEARTBEAT_BODY_MAX);
    buffer_format(&out, "%zu sources, %zu failed at their last poll; %zu notifications wait, %zu parked\n",
        facts->sources, facts->failed, facts->pending, facts->parked);
    if (!facts->is_moving) buffer_text(&out, "the outbox does not move: what may be sent is not\n");
    const size_t grave = add_troubles(facts, true, 0, &out), shown = add_troubles(facts, false, grave, &out);
    if (shown < facts->trouble_count) buffer_format(&out, "and %zu more\n", facts->trouble_count - shown);
    return buffer_take(&out);
}

char *heartbeat_fail_url(const char *url) {
    size_t path = strcspn(url, "?#");
    const char *rest = url + path;
    while (path && url[path - 1] == '/') path--;
    return text_format("%.*s/fail%s", (int)path, url, rest);
}
