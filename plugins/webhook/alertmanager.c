/* The alerts that an Alertmanager takes in, as Prometheus sends them. */
#include "webhook/format.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/timetext.h"

#include <ctype.h>
#include <string.h>

/* A name as Prometheus knows them: Alertmanager refuses the whole array for one other. Caller frees. */
static char *name_of(const char *name) {
    char *as = text_format("%s%s", isdigit((unsigned char)*name) ? "_" : "", name);
    for (char *p = as; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_') *p = '_';
    return as;
}

/* A pair without a value is none. New reference. */
static json_t *pairs_of(const json_t *from) {
    json_t *into = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)from, name, value) {
        const char *text = json_string_value(value);
        OWN(text) char *as = name_of(name);
        if (text && *text && *as) json_object_set_new(into, as, json_safe(text));
    }
    return into;
}

static json_t *time_text(int64_t ms) {
    char text[TIME_TEXT_MAX];
    return json_string(time_format(ms, text));
}

static json_t *alert_of(const Notice *notice, const NoticeAlert *alert) {
    const int64_t starts_ms = alert->starts_ms ? alert->starts_ms : notice->created_ms;
    int64_t ends_ms = notice->created_ms + ALERTMANAGER_LIFE_MS;
    if (!alert->is_firing) ends_ms = alert->ends_ms > starts_ms ? alert->ends_ms : starts_ms;
    json_t *object = json_pack("{s:o,s:o,s:o,s:o}", "labels", pairs_of(alert->labels), "annotations",
        pairs_of(alert->annotations), "startsAt", time_text(starts_ms), "endsAt", time_text(ends_ms));
    if (*alert->console_url) json_object_set_new(object, "generatorURL", json_safe(alert->console_url));
    return object;
}

char *alertmanager_body(const Notice *notice) {
    OWN(json) json_t *alerts = json_array();
    for (size_t i = 0; i < notice->count; i++) json_array_append_new(alerts, alert_of(notice, &notice->alerts[i]));
    for (size_t i = 0; i < notice->rest_count; i++) json_array_append_new(alerts, alert_of(notice, &notice->rest[i]));
    return json_write(alerts);
}
