/* One event's record, read as a sentence. Holds: every text is UTF-8 within its bound and has no control
 * character where it is joined from what others wrote. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "sources/cloudtrail_event.h"

#include <stdlib.h>
#include <string.h>

static void check_text(const char *text, size_t max, bool joined) {
    const size_t length = strlen(text);
    if (length > max || !utf8_ok(text, length) || (joined && has_control(text))) abort();
}

static void check(const ReadEvent *read) {
    check_text(read->id, EVENT_NAME_MAX, false);
    check_text(read->name, EVENT_NAME_MAX, false);
    check_text(read->service, EVENT_NAME_MAX, false);
    check_text(read->region, EVENT_NAME_MAX, false);
    check_text(read->error, EVENT_ERROR_MAX, false);
    check_text(read->who, EVENT_WHO_MAX, true);
    check_text(read->where, EVENT_WHERE_MAX, true);
    check_text(read->brief, EVENT_BRIEF_MAX, true);
    if (!*read->who || !*read->brief || read->time_ms < 0 || read->resource_count > EVENT_RESOURCES_MAX) abort();
    for (size_t i = 0; i < read->resource_count; i++) check_text(read->resources[i], EVENT_RESOURCE_MAX, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ReadEvent read;
    OWN(arena) Arena *arena = arena_new();
    OWN(text) char *text = text_copy_length((const char *)data, size);
    OWN(json) json_t *event = cloudtrail_event_parse(text);
    if (event && !json_is_object(event)) abort();
    cloudtrail_event_read(arena, event, &read);
    check(&read);
    const char *corrected = cloudtrail_event_corrects(event);
    if (corrected) check_text(corrected, EVENT_NAME_MAX, false);
    return 0;
}
