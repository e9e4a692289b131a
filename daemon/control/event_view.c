#include "control/event_view.h"

#include "base/alloc.h"
#include "base/json.h"
#include "sources/event_log.h"

#include <stdlib.h>
#include <string.h>

/* One place's log, and how far it was told. */
typedef struct LogPlace {
    const Poll *poll;
    const EventLog *log;
    size_t next;
} LogPlace;

static size_t places_of(Engine *engine, LogPlace **ret_places) {
    LogPlace *places = NULL;
    size_t count = 0;
    const Poll *poll;
    for (size_t i = 0;; i++) {
        const EventLog *log = engine_kept(engine, i, &poll);
        if (!poll) break;
        if (!log || strcmp(poll->api, "LookupEvents") != 0) continue;
        places = alloc_again(places, count + 1, sizeof *places);
        places[count++] = (LogPlace){poll, log, 0};
    }
    *ret_places = places;
    return count;
}

/* The place whose next event is the newest; NULL: all are told. */
static LogPlace *newest(LogPlace *places, size_t count) {
    LogPlace *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (places[i].next >= event_log_count(places[i].log)) continue;
        if (!best ||
            event_log_at(places[i].log, places[i].next)->event.time_ms >
                event_log_at(best->log, best->next)->event.time_ms)
            best = &places[i];
    }
    return best;
}

static bool is_chosen(const LoggedEvent *logged, const EventChoice *choice) {
    if (!choice->rule) return true;
    for (size_t i = 0; i < logged->rule_count; i++)
        if (!strcmp(logged->rules[i], choice->rule)) return true;
    return false;
}

static json_t *texts_json(const char *const *texts, size_t count) {
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, json_safe(texts[i]));
    return all;
}

static json_t *event_json(const LogPlace *place, const LoggedEvent *logged) {
    const ReadEvent *event = &logged->event;
    json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "id", json_safe(event->id), "time",
        json_time(event->time_ms), "name", json_safe(event->name), "service", json_safe(event->service), "account",
        json_safe(place->poll->account), "region", json_safe(event->region), "read_only", event->is_read_only);
    json_object_set_new(json, "who", json_safe(event->who));
    json_object_set_new(json, "from", json_safe(event->where));
    json_object_set_new(json, "error", *event->error ? json_safe(event->error) : json_null());
    json_object_set_new(json, "brief", json_safe(event->brief));
    json_object_set_new(json, "resources", texts_json(event->resources, event->resource_count));
    json_object_set_new(json, "rules", texts_json(logged->rules, logged->rule_count));
    return json;
}

static json_t *as_of_json(const LogPlace *places, size_t count) {
    int64_t least_ms = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const int64_t as_of_ms = event_log_as_of_ms(places[i].log);
        if (as_of_ms < least_ms) least_ms = as_of_ms;
    }
    return json_time(count ? least_ms : 0);
}

json_t *view_events(Engine *engine, const EventChoice *choice) {
    LogPlace *places;
    const size_t count = places_of(engine, &places);
    json_t *events = json_array();
    for (LogPlace *at; (at = newest(places, count)) && (int64_t)json_array_size(events) < choice->limit;) {
        const LoggedEvent *logged = event_log_at(at->log, at->next++);
        if (logged->event.time_ms < choice->since_ms) break;
        if (is_chosen(logged, choice)) json_array_append_new(events, event_json(at, logged));
    }
    json_t *as_of = as_of_json(places, count);
    free(places);
    return json_pack("{s:o, s:o}", "events", events, "as_of", as_of);
}
