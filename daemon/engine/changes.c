/* daemon/engine/changes.c: which write events may be why */
#include "engine/changes.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>

enum {
    RESOURCE_MIN = 3, /* shorter values fit everything */
    SUBJECT_NAMES_MAX = 30, /* as many as a metric has dimensions */
    LINES_MAX_BYTES = 1000,
    SERVICE_MAX = 64
};

const SchemaRow what_changed_rows[] = {
    {.key = "window",
        .type = SCHEMA_DURATION,
        .offset = offsetof(WhatChanged, window_s),
        .min = 60,
        .max = 3600,
        .fallback = "30m",
        .remedy = "a duration from 1m to 1h",
        .doc = "How far back before an alarm write events are shown beside it."},
    SCHEMA_END,
};

static bool is_off(const Node *node) {
    static const char *const words[] = {"false", "False", "FALSE", "off", "no"};
    for (size_t i = 0; node && node->kind == NODE_SCALAR && !node->quoted && i < COUNT_OF(words); i++)
        if (!strcmp(node->text, words[i])) return true;
    return false;
}

static bool decode(Decoding *in, const Node *node, void *section) {
    if (is_off(node)) return true;
    if (node && node->kind == NODE_SCALAR && !node_is_null(node))
        return problem_add(
            in->problems, node->at, "false, or {window: 30m}", "`what_changed` cannot be `%.80s`", node->text);
    return schema_read(what_changed_rows, node, node ? node->at : (Place){"", 0, 0}, section, in);
}

const SectionDescriptor what_changed_section = {
    .key = "what_changed",
    .doc = "Write events beside each alarm, where CloudTrail is read; false turns it off.",
    .size = sizeof(WhatChanged),
    .decode = decode,
};

/* --- which --- */

/* What the alarm is about: its series' values, and which service that is. */
typedef struct Subject {
    const char *names[SUBJECT_NAMES_MAX];
    size_t lengths[SUBJECT_NAMES_MAX], count;
    const char *own_event; /* the event that the alarm itself tells of */
    char service[SERVICE_MAX];
} Subject;

static bool is_between(char c) { return c == '/' || c == ':'; }

/* Does the name stand in an ARN or a path as a part of it: `checkout` in `...:function:checkout:live`? */
static bool is_part(const char *name, size_t length, const char *path, size_t whole) {
    for (const char *from = path + 1, *end = path + whole; (size_t)(end - from) >= length; from++) {
        from = memmem(from, (size_t)(end - from), name, length);
        if (!from) return false;
        if (is_between(from[-1]) && (from + length == end || is_between(from[length]))) return true;
    }
    return false;
}

static bool same_resource(const char *name, size_t length, const char *resource, size_t whole) {
    if (whole < RESOURCE_MIN) return false;
    if (length == whole) return !memcmp(name, resource, whole);
    if (length < whole) return is_part(name, length, resource, whole);
    return is_between(name[length - whole - 1]) && !memcmp(name + length - whole, resource, whole);
}

static bool touches(const Subject *subject, const ReadEvent *event) {
    for (size_t r = 0; r < event->resource_count; r++) {
        const size_t whole = strlen(event->resources[r]);
        for (size_t n = 0; n < subject->count; n++)
            if (same_resource(subject->names[n], subject->lengths[n], event->resources[r], whole)) return true;
    }
    return false;
}

/* In the order in which they are shown: what was before the alarm may be why, what came since is what people do. */
typedef enum { RESOURCE_BEFORE, RESOURCE_SINCE, SERVICE_BEFORE, SERVICE_SINCE, RANKS } Rank;

static Rank rank_of(const Subject *subject, const ReadEvent *event, int64_t began_ms) {
    if (event->is_read_only || *event->error) return RANKS; /* what failed changed nothing */
    if (!strcmp(subject->own_event, event->id)) return RANKS;
    const bool is_since = event->time_ms > began_ms;
    if (touches(subject, event)) return is_since ? RESOURCE_SINCE : RESOURCE_BEFORE;
    if (!*subject->service || strcmp(subject->service, event->service) != 0) return RANKS;
    return is_since ? SERVICE_SINCE : SERVICE_BEFORE;
}

typedef struct Chosen {
    const ReadEvent *events[RANKS][CHANGES_SHOWN];
    size_t counts[RANKS];
} Chosen;

/* The newest of each rank. */
static void choose(const Subject *subject, const EventLog *log, int64_t from_ms, int64_t began_ms, Chosen *chosen) {
    for (size_t i = 0; i < event_log_count(log) && chosen->counts[0] < CHANGES_SHOWN; i++) {
        const ReadEvent *event = &event_log_at(log, i)->event;
        if (event->time_ms < from_ms) return;
        const Rank rank = rank_of(subject, event, began_ms);
        if (rank < RANKS && chosen->counts[rank] < CHANGES_SHOWN) chosen->events[rank][chosen->counts[rank]++] = event;
    }
}

static void service_of(const Instance *instance, char text[static SERVICE_MAX]) {
    const Alarm *alarm = instance->alarm;
    text[0] = 0;
    if (alarm && alarm->source && alarm->source->service)
        alarm->source->service(alarm->selector, instance->series, text, SERVICE_MAX);
}

static void subject_of(const Instance *instance, Subject *subject) {
    *subject = (Subject){.own_event = labels_get(instance->facts.notes, "event_id")};
    for (size_t l = 0; l < labels_count(instance->series) && subject->count < SUBJECT_NAMES_MAX; l++) {
        const char *name = labels_at(instance->series, l).value;
        const size_t length = strlen(name);
        if (length < RESOURCE_MIN) continue;
        subject->names[subject->count] = name;
        subject->lengths[subject->count++] = length;
    }
    service_of(instance, subject->service);
}

static bool add_line(Buffer *out, const ReadEvent *event) {
    char time[TIME_TEXT_MAX];
    time_format(event->time_ms, time);
    if (out->used + strlen(event->brief) + 16 > LINES_MAX_BYTES) return false;
    buffer_format(out, "\n%.8sZ %s", time + 11, event->brief);
    return true;
}

char *changes_words(const Instance *instance, const EventLog *log, int64_t window_s, int64_t now_ms) {
    char time[TIME_TEXT_MAX];
    Chosen chosen = {0};
    Subject subject;
    if (!window_s || !instance_is_firing(instance)) return NULL;
    const int64_t began_ms = instance->firing_since_ms < now_ms ? instance->firing_since_ms : now_ms;
    subject_of(instance, &subject);
    choose(&subject, log, began_ms - window_s * 1000, began_ms, &chosen);
    Buffer out = BUFFER((size_t)LINES_MAX_BYTES);
    time_format(event_log_as_of_ms(log), time);
    buffer_format(&out, "as of %.5sZ", time + 11);
    size_t shown = 0;
    for (Rank rank = 0; rank < RANKS; rank++)
        for (size_t i = 0; i < chosen.counts[rank] && shown < CHANGES_SHOWN; i++)
            if (add_line(&out, chosen.events[rank][i])) shown++;
    if (shown) return buffer_take(&out);
    buffer_deinit(&out);
    return NULL;
}
