/* Answers of LookupEvents, decoded, then each event read as a poll does. Holds: texts are UTF-8 within their bounds,
 * and a page cut short has no more events. */
#include "fuzz.h"

#include "base/json.h"
#include "base/text.h"
#include "sources/cloudtrail.h"
#include "sources/cloudtrail_event.h"

#include <stdlib.h>
#include <string.h>

static void check_text(const char *text, size_t max) {
    const size_t length = strlen(text);
    if (length > max || !utf8_ok(text, length)) abort();
}

static void check_event(Arena *arena, const LookupEvent *outer) {
    ReadEvent read;
    OWN(json) json_t *event = outer->record ? cloudtrail_event_parse(outer->record) : NULL;
    if (outer->time_s < 0 || outer->read_only < -1 || outer->read_only > 1) abort();
    cloudtrail_event_read(arena, event, &read);
    check_text(read.brief, EVENT_BRIEF_MAX);
    check_text(read.who, EVENT_WHO_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error err = {0};
    OWN(arena) Arena *arena = arena_new();
    OWN(lookup_page) LookupPage *page = lookup_page_decode((const char *)data, size, &err);
    if (!page != (err.kind == ERROR_REMOTE)) abort();
    if (!page) return 0;
    if (page->count > size || (page->next_token && !*page->next_token)) abort();
    for (size_t i = 0; i < page->count; i++) check_event(arena, &page->events[i]);
    OWN(lookup_page) LookupPage *half = lookup_page_decode((const char *)data, size / 2, &err);
    if (half && half->count > page->count) abort();
    return 0;
}
