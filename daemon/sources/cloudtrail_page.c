/* daemon/sources/cloudtrail_page.c: what is asked of LookupEvents, and the outer half of its answer */
#include "sources/cloudtrail.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"
#include "sources/cloudtrail_event.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define STAMP_MAX 1e11 /* s; year 5138: what lies beyond is no time */
enum { OUTER_TEXT_MAX = 512 };

static const char *outer_text(Arena *arena, const json_t *event, const char *key) {
    const char *text = json_text(event, key);
    return text ? arena_text_length(arena, text, utf8_cut(text, strlen(text), OUTER_TEXT_MAX)) : "";
}

/* Seconds as a number; some tools record RFC 3339. 0: none. */
static int64_t outer_time_s(const json_t *event) {
    const json_t *stamp = json_object_get(event, "EventTime");
    const double seconds = json_is_number(stamp) ? json_number_value(stamp) : NAN;
    int64_t time_ms;
    if (seconds >= 1 && seconds <= STAMP_MAX) return (int64_t)seconds;
    if (json_is_string(stamp) && time_parse(json_string_value(stamp), &time_ms) && time_ms > 0) return time_ms / 1000;
    return 0;
}

static int outer_read_only(const json_t *event) {
    const json_t *said = json_object_get(event, "ReadOnly");
    if (json_is_boolean(said)) return json_is_true(said);
    if (!json_is_string(said)) return -1;
    return strcasecmp(json_string_value(said), "true") == 0 ? 1
        : strcasecmp(json_string_value(said), "false") == 0 ? 0
                                                            : -1;
}

static LookupEvent outer_event(Arena *arena, const json_t *event) {
    const char *record = json_text(event, "CloudTrailEvent");
    return (LookupEvent){
        .id = outer_text(arena, event, "EventId"),
        .name = outer_text(arena, event, "EventName"),
        .service = outer_text(arena, event, "EventSource"),
        .user = outer_text(arena, event, "Username"),
        .key = outer_text(arena, event, "AccessKeyId"),
        .record = record ? arena_text(arena, record) : NULL,
        .time_s = outer_time_s(event),
        .read_only = outer_read_only(event),
    };
}

static bool page_fill(LookupPage *page, const json_t *answer, Error *err) {
    const json_t *list = json_list(answer, "Events");
    if (!list) return error_set(err, ERROR_REMOTE, "the answer of LookupEvents has no Events");
    const size_t count = json_array_size(list);
    LookupEvent *events = arena_alloc(page->arena, count + 1, sizeof *events);
    for (size_t i = 0; i < count; i++) events[i] = outer_event(page->arena, json_array_get(list, i));
    const char *token = json_text(answer, "NextToken");
    if (token && strlen(token) > LOOKUP_TOKEN_MAX)
        return error_set(err, ERROR_REMOTE, "the page token of LookupEvents is longer than %d bytes", LOOKUP_TOKEN_MAX);
    page->events = events;
    page->count = count;
    page->next_token = token && *token ? arena_text(page->arena, token) : NULL;
    return true;
}

LookupPage *lookup_page_decode(const char *body, size_t length, Error *err) {
    Error why = {0};
    OWN(json) json_t *answer = json_read_foreign(body, length, &why);
    if (!answer) return error_set(err, ERROR_REMOTE, "the answer of LookupEvents is no JSON: %.150s", why.text), NULL;
    Arena *arena = arena_new();
    OWN(lookup_page) LookupPage *page = arena_alloc(arena, 1, sizeof *page);
    page->arena = arena;
    return page_fill(page, answer, err) ? GIVE(page) : NULL;
}

LookupPage *lookup_page_free(LookupPage *page) {
    if (page) arena_free(page->arena); /* the page itself lives there */
    return NULL;
}

char *lookup_request(LookupKind kind, Interval interval, int most, const char *token) {
    OWN(json)
    json_t *body = json_pack("{s:I, s:I, s:i}", "StartTime", (json_int_t)interval.from_s, "EndTime",
        (json_int_t)interval.to_s, "MaxResults", most);
    if (kind != LOOKUP_ALL) /* one attribute is honoured, not more */
        json_object_set_new(body, "LookupAttributes",
            json_pack("[{s:s, s:s}]", "AttributeKey", kind == LOOKUP_WRITES ? "ReadOnly" : "EventName",
                "AttributeValue", kind == LOOKUP_WRITES ? "false" : "LookupEvents"));
    if (token) json_object_set_new(body, "NextToken", json_string(token));
    return json_write(body);
}
