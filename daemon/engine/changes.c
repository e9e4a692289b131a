/* daemon/engine/changes.c: which write events may be why */
#include "engine/changes.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>

enum { RESOURCE_MIN = 4 /* shorter values fit everything */, LINES_MAX_BYTES = 1000, SERVICE_MAX = 64 };

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

/* Is it the same thing? A name stands in ARNs and paths, too: `app/api/50dc` in `...:loadbalancer/app/api/50dc`. */
static bool same_resource(const char *label, const char *resource) {
    const size_t length = strlen(label), whole = strlen(resource);
    if (length < RESOURCE_MIN || whole < RESOURCE_MIN) return false;
    if (!strcmp(label, resource)) return true;
    const char *longer = length > whole ? label : resource, *shorter = length > whole ? resource : label;
    const size_t tail = strlen(longer) - strlen(shorter);
    return tail > 0 && !strcmp(longer + tail, shorter) && strchr("/:", longer[tail - 1]);
}

static bool touches(const Instance *instance, const ReadEvent *event) {
    for (size_t l = 0; l < labels_count(instance->series); l++)
        for (size_t r = 0; r < event->resource_count; r++)
            if (same_resource(labels_at(instance->series, l).value, event->resources[r])) return true;
    return false;
}

/* 2: it touches the alarm's resource; 1: it is of the same service; 0: neither. */
static int rank_of(const Instance *instance, const char *service, const ReadEvent *event) {
    if (event->is_read_only || *event->error) return 0; /* what failed changed nothing */
    if (!strcmp(labels_get(instance->facts.notes, "event_id"), event->id)) return 0; /* it is what the alarm tells */
    if (touches(instance, event)) return 2;
    return *service && !strcmp(service, event->service);
}

typedef struct Chosen {
    const ReadEvent *events[CHANGES_SHOWN];
    size_t count;
} Chosen;

/* Adds those of this rank, newest first. */
static void choose(
    const Instance *instance, const EventLog *log, const char *service, int rank, int64_t from_ms, Chosen *chosen) {
    for (size_t i = 0; i < event_log_count(log) && chosen->count < CHANGES_SHOWN; i++) {
        const ReadEvent *event = &event_log_at(log, i)->event;
        if (event->time_ms < from_ms) return;
        if (rank_of(instance, service, event) == rank) chosen->events[chosen->count++] = event;
    }
}

static void service_of(const Instance *instance, char text[static SERVICE_MAX]) {
    const Alarm *alarm = instance->alarm;
    text[0] = 0;
    if (alarm && alarm->source && alarm->source->service)
        alarm->source->service(alarm->selector, instance->series, text, SERVICE_MAX);
}

char *changes_words(const Instance *instance, const EventLog *log, int64_t window_s, int64_t now_ms) {
    char service[SERVICE_MAX], time[TIME_TEXT_MAX];
    Chosen chosen = {0};
    if (!window_s || !instance_is_firing(instance)) return NULL;
    const int64_t began_ms = instance->firing_since_ms < now_ms ? instance->firing_since_ms : now_ms;
    service_of(instance, service);
    for (int rank = 2; rank > 0; rank--) choose(instance, log, service, rank, began_ms - window_s * 1000, &chosen);
    if (!chosen.count) return NULL;
    Buffer out = BUFFER((size_t)LINES_MAX_BYTES);
    time_format(event_log_as_of_ms(log), time);
    buffer_format(&out, "as of %.5sZ", time + 11);
    for (size_t i = 0; i < chosen.count; i++) {
        time_format(chosen.events[i]->time_ms, time);
        if (out.used + strlen(chosen.events[i]->brief) + 16 > LINES_MAX_BYTES) break;
        buffer_format(&out, "\n%.8sZ %s", time + 11, chosen.events[i]->brief);
    }
    return buffer_take(&out);
}
