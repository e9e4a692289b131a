/* PagerDuty's Events API v2. */
#include "webhook/format.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/timetext.h"
#include "kit/plain.h"

#include <string.h>

enum { SUMMARY_MAX = 1024, FIELD_MAX = 255, DETAILS_MAX = 400000, LINK_MAX = 4096, TEXT_ROOM = 1 << 14 };

static const char key_head[] = "{\"routing_key\":\"";

/* At most `max` characters, none of which changes how a line is shown. New reference. */
static json_t *cut(const char *text, size_t max) {
    OWN(buffer) Buffer out = BUFFER((size_t)TEXT_ROOM);
    const size_t all = strlen(text);
    for (size_t i = 0, count = 0, step; i < all && count < max; i += step, count++) {
        bool harmful;
        step = escape_step(text + i, all - i, &harmful);
        buffer_add(&out, harmful ? " " : text + i, harmful ? 1 : step);
    }
    return json_safe(buffer_string(&out));
}

static const char *severity_of(const char *ours) {
    static const char *const same[] = {"critical", "error", "warning", "info"};
    for (size_t i = 0; i < COUNT_OF(same); i++)
        if (strcmp(ours, same[i]) == 0) return same[i];
    return "error"; /* a word of the user's own: better too loud than refused */
}

static void set_text(json_t *object, const char *key, const char *text, size_t max) {
    if (*text) json_object_set_new(object, key, cut(text, max));
}

/* Labels and annotations as they are; without the latter where they are too long. New reference. */
static json_t *details_of(const NoticeAlert *alert) {
    json_t *details = json_object();
    if (alert->labels) json_object_set(details, "labels", (json_t *)(uintptr_t)alert->labels);
    if (alert->annotations) json_object_set(details, "annotations", (json_t *)(uintptr_t)alert->annotations);
    if (json_dumpb(details, NULL, 0, 0) > DETAILS_MAX) json_object_del(details, "annotations");
    if (json_dumpb(details, NULL, 0, 0) > DETAILS_MAX) json_object_clear(details);
    return details;
}

static json_t *links_of(const NoticeAlert *alert) {
    json_t *links = json_array();
    const char *const all[][2] = {{"runbook", alert->runbook_url}, {"console", alert->console_url}};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (*all[i][1] && strlen(all[i][1]) <= LINK_MAX)
            json_array_append_new(links, json_pack("{s:o,s:s}", "href", json_safe(all[i][1]), "text", all[i][0]));
    return links;
}

/* The resource's name where there is one: its first label. */
static const char *component_of(const NoticeAlert *alert) {
    const char *value = "";
    return notice_resource_next(alert, NULL, &value) ? value : "";
}

static json_t *payload_of(const Notice *notice, const NoticeAlert *alert) {
    char time[TIME_TEXT_MAX];
    OWN(text) char *line = plain_line(alert), *where = notice_where(alert);
    OWN(text) char *summary = text_format("%s%s", notice->is_test ? "TEST " : "", line);
    json_t *payload = json_pack("{s:o,s:o,s:s,s:o}", "summary", cut(summary, SUMMARY_MAX), "source",
        cut(*where ? where : "Tocsin", FIELD_MAX), "severity", severity_of(alert->severity), "custom_details",
        details_of(alert));
    if (alert->starts_ms) json_object_set_new(payload, "timestamp", json_string(time_format(alert->starts_ms, time)));
    set_text(payload, "component", component_of(alert), FIELD_MAX);
    set_text(payload, "group", alert->account, FIELD_MAX);
    set_text(payload, "class", alert->name, FIELD_MAX);
    return payload;
}

/* By hand, so that the key's place is known whatever else stands in the event. */
static void add_event(const Notice *notice, json_t *take_event, Bodies *into) {
    json_object_set_new(take_event, "client", json_string("Tocsin"));
    if (*notice->external_url) json_object_set_new(take_event, "client_url", json_safe(notice->external_url));
    OWN(text) char *rest = json_write(take_event);
    bodies_add(into, text_format("%s\",%s", key_head, rest + 1));
    json_decref(take_event);
}

static json_t *event_of(const Notice *notice, const NoticeAlert *alert) {
    const char *mark = *alert->fingerprint ? alert->fingerprint : notice->id;
    const char *action = alert->is_firing ? "trigger" : "resolve";
    return json_pack("{s:s,s:o,s:o,s:o}", "event_action", action, "dedup_key", cut(mark, FIELD_MAX), "payload",
        payload_of(notice, alert), "links", links_of(alert));
}

/* True if one of them has ended. */
static bool add_alerts(const Notice *notice, const NoticeAlert *alerts, size_t count, Bodies *into) {
    bool has_end = false;
    for (size_t i = 0; i < count; i++) {
        add_event(notice, event_of(notice, &alerts[i]), into);
        has_end = has_end || !alerts[i].is_firing;
    }
    return has_end;
}

/* Alerts that fire without an incident of their own: one of their group, over when there are none of them. */
static void add_counted(const Notice *notice, Bodies *into) {
    char hex[SHA256_HEX];
    OWN(text) char *summary = text_format("%zu more alerts: %s", notice->counted, notice->subject);
    sha256_hex(notice->group_key, strlen(notice->group_key), hex);
    OWN(text) char *key = text_format("group-%.32s", hex);
    const bool is_firing = notice->is_firing && notice->counted;
    const char *action = is_firing ? "trigger" : "resolve", *severity = is_firing ? "error" : "info";
    if (notice->count) severity = severity_of(notice->alerts[0].severity); /* the most severe one comes first */
    add_event(notice,
        json_pack("{s:s,s:s,s:{s:o,s:s,s:s}}", "event_action", action, "dedup_key", key, "payload", "summary",
            cut(summary, SUMMARY_MAX), "source", "Tocsin", "severity", severity),
        into);
}

void pagerduty_bodies(const Notice *notice, Bodies *into) {
    into->secret_at = strlen(key_head);
    const bool shows_end = add_alerts(notice, notice->alerts, notice->count, into);
    const bool names_end = add_alerts(notice, notice->rest, notice->rest_count, into);
    if (notice->counted || notice->was_counted || !notice->is_firing || shows_end || names_end)
        add_counted(notice, into);
}
