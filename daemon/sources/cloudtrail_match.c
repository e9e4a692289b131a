/* daemon/sources/cloudtrail_match.c: one record read, and what the rules say of it. Pool. */
#include "sources/cloudtrail.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/timetext.h"
#include "sources/cloudtrail_event.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD_SHOWN_MAX = 160, FIELDS_SHOWN_MAX = 800, VALUE_MAX = 512, KEY_MAX = 512 };
#define BETWEEN "\x1f" /* never in a value: control characters are taken out */

/* --- the record, and what stands around it --- */

/* Where the record is no JSON: what the outer members say, in the record's own words, so that rules can be asked. */
static json_t *outer_record(const LookupEvent *outer) {
    char time[TIME_TEXT_MAX];
    json_t *event = json_object();
    if (*outer->id) json_object_set_new(event, "eventID", json_safe(outer->id));
    if (outer->time_s) json_object_set_new(event, "eventTime", json_safe(time_format(outer->time_s * 1000, time)));
    json_object_set_new(event, "eventName", json_safe(outer->name));
    json_object_set_new(event, "eventSource", json_safe(outer->service));
    if (outer->read_only >= 0) json_object_set_new(event, "readOnly", json_boolean(outer->read_only));
    if (*outer->user || *outer->key)
        json_object_set_new(event, "userIdentity",
            json_pack("{s:o, s:o}", "userName", json_safe(outer->user), "accessKeyId", json_safe(outer->key)));
    return event;
}

static void fill_from_outer(Arena *arena, const LookupEvent *outer, ReadEvent *event) {
    if (!*event->id) event->id = arena_text(arena, outer->id);
    if (!event->time_ms) event->time_ms = outer->time_s * 1000;
    if (!*event->name) event->name = arena_text(arena, outer->name);
    if (!*event->service) event->service = arena_text(arena, outer->service);
    if (outer->read_only >= 0) event->is_read_only = outer->read_only == 1;
}

/* --- a match --- */

static void without_controls(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
}

static const char *field_text(const json_t *event, const char *field, char *text, size_t room) {
    sigma_event_text(event, field, text, room);
    without_controls(text);
    return text;
}

static Labels *group_of(const EventSelector *selector, const EventPart *part, const json_t *event) {
    Label pairs[EVENT_GROUP_BY_MAX];
    char values[EVENT_GROUP_BY_MAX][VALUE_MAX];
    size_t count = selector->group_count < EVENT_GROUP_BY_MAX ? selector->group_count : EVENT_GROUP_BY_MAX;
    if (!count) return NULL;
    for (size_t i = 0; i < count; i++)
        pairs[i] = (Label){selector->group_names[i], field_text(event, part->group_fields[i], values[i], VALUE_MAX)};
    return labels_new(pairs, count);
}

static const char *key_of(Arena *arena, const TextList *fields, const json_t *event) {
    char value[VALUE_MAX], digest[SHA256_HEX];
    Buffer out = BUFFER((VALUE_MAX + 1) * EVENT_KEY_MAX);
    if (!fields->count) return NULL;
    for (size_t i = 0; i < fields->count; i++)
        buffer_format(&out, "%s%s", i ? BETWEEN : "", field_text(event, fields->texts[i], value, sizeof value));
    const char *key = out.used > KEY_MAX ? sha256_hex(out.bytes, out.used, digest) : buffer_string(&out);
    key = arena_text(arena, key);
    buffer_deinit(&out);
    return key;
}

/* `sourceIPAddress: 203.0.113.5, requestParameters.name: main`, of what the rule wants shown. */
static const char *fields_of(Arena *arena, const SigmaTexts *fields, const json_t *event) {
    char value[FIELD_SHOWN_MAX];
    Buffer out = BUFFER(FIELDS_SHOWN_MAX);
    for (size_t i = 0; i < fields->count && !out.overflow; i++) {
        field_text(event, fields->texts[i], value, sizeof value);
        if (*value) buffer_format(&out, "%s%s: %s", out.used ? ", " : "", fields->texts[i], value);
    }
    const char *text = out.used ? arena_text(arena, out.bytes) : NULL;
    buffer_deinit(&out);
    return text;
}

static EventMatch match_of(Arena *arena, const EventReader *reader, const json_t *event) {
    const EventSelector *selector = reader->selector;
    const EventPart *part = &selector->parts[reader->part];
    const SigmaRule *rule = sigma_set_rule(selector->set, reader->rule);
    const char *counted = selector->correlation && selector->correlation->kind == CORRELATE_VALUE_COUNT
        ? selector->correlation->field
        : NULL;
    char value[VALUE_MAX];
    return (EventMatch){
        .watch = reader->watch,
        .part = reader->part,
        .group = group_of(selector, part, event),
        .value = counted ? arena_text(arena, field_text(event, counted, value, sizeof value)) : NULL,
        .key = key_of(arena, &selector->first_seen.key, event),
        .fields = fields_of(arena, selector->rule->fields.count ? &selector->rule->fields : &rule->fields, event),
    };
}

static void match(
    Arena *arena, const EventRules *rules, SigmaScratch *scratch, const json_t *event, EventFinding *found) {
    const SigmaSet *set = event_rules_set(rules);
    const uint32_t *numbers;
    const size_t count = sigma_set_match(set, event, scratch, &numbers);
    size_t room = 0;
    const EventReader *readers;
    for (size_t i = 0; i < count; i++) room += event_rules_readers(rules, numbers[i], &readers);
    found->matches = arena_alloc(arena, room + 1, sizeof *found->matches);
    found->rules = arena_alloc(arena, count + 1, sizeof *found->rules);
    for (size_t i = 0; i < count; i++) {
        const size_t waiting = event_rules_readers(rules, numbers[i], &readers);
        for (size_t k = 0; k < waiting; k++) found->matches[found->match_count++] = match_of(arena, &readers[k], event);
        if (waiting) found->rules[found->rule_count++] = arena_text(arena, sigma_set_rule(set, numbers[i])->title);
    }
}

void finding_make(
    Arena *arena, const EventRules *rules, SigmaScratch *scratch, const LookupEvent *outer, EventFinding *ret) {
    OWN(json) json_t *event = outer->record ? cloudtrail_event_parse(outer->record) : NULL;
    *ret = (EventFinding){.state = event ? RECORD_FINE : RECORD_NOT_JSON};
    if (!event) event = outer_record(outer);
    cloudtrail_event_read(arena, event, &ret->event);
    fill_from_outer(arena, outer, &ret->event);
    const char *corrected = cloudtrail_event_corrects(event);
    if (corrected) ret->event.id = arena_text(arena, corrected);
    ret->corrects = corrected != NULL;
    ret->is_late = cloudtrail_event_is_late(event);
    if (!*ret->event.id) ret->state = RECORD_NO_ID;
    if (*ret->event.id && !ret->event.time_ms) ret->state = RECORD_NO_TIME;
    if (ret->state <= RECORD_NOT_JSON) match(arena, rules, scratch, event, ret);
}

void event_finding_drop(EventFinding *finding) {
    for (size_t i = 0; i < finding->match_count; i++) labels_free(finding->matches[i].group);
    finding->match_count = 0;
}
