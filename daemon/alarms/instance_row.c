/* daemon/alarms/instance_row.c: instances to and from the state file */
#include "alarms/instance.h"

#include "alarms/instance_link.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *json_in_arena(json_t *take_json, Arena *arena) {
    char *text = json_write(take_json);
    const char *kept = arena_text(arena, text);
    free(text);
    json_decref(take_json);
    return kept;
}

static json_t *extras(const Instance *i) {
    json_t *all = json_object();
    json_object_set_new(all, "severity", json_string(severity_word(i->severity)));
    json_object_set_new(all, "no_data", json_integer(i->no_data));
    json_object_set_new(all, "early_until_s", json_integer(i->memory.early_until_s));
    if (i->news) json_object_set_new(all, "news", json_integer(i->news));
    if (i->hold_until_ms) json_object_set_new(all, "hold_until_ms", json_integer(i->hold_until_ms));
    json_object_set_new(all, "data_missing", json_boolean(i->data_missing));
    json_object_set_new(all, "annotations", labels_json(i->annotations));
    json_object_set_new(all, "threshold", json_number(i->facts.threshold));
    json_object_set_new(all, "worst", json_number(i->facts.worst));
    json_object_set_new(all, "value_s", json_integer(i->facts.value_s));
    if (i->facts.notes) json_object_set_new(all, "notes", labels_json(i->facts.notes));
    OWN(text) char *link = instance_link(i);
    if (*link) json_object_set_new(all, "console_url", json_safe(link));
    if (i->facts.what) json_object_set_new(all, "what", json_safe(i->facts.what));
    json_t *hold = hold_json(&i->hold);
    if (hold) json_object_set_new(all, "hold", hold);
    return all;
}

InstanceRow instance_row(const Instance *i, Arena *arena) {
    return (InstanceRow){
        .fingerprint = arena_text(arena, i->fingerprint),
        .alarm = arena_text(arena, i->name),
        .source = arena_text(arena, i->source),
        .account = arena_text(arena, i->account),
        .region = arena_text(arena, i->region),
        .series_json = json_in_arena(labels_json(i->series), arena),
        .labels_json = json_in_arena(labels_json(i->labels), arena),
        .state = state_word(i->memory.state),
        .reason = arena_text(arena, i->facts.reason),
        .reason_data_json = json_in_arena(extras(i), arena),
        .since_ms = i->since_ms,
        .evaluated_ms = i->evaluated_ms,
        .window_end_ms = i->memory.window_end_s * 1000,
        .value = i->facts.value,
        .has_value = !isnan(i->facts.value),
        .firing_since_ms = i->firing_since_ms,
        .resolved_ms = i->resolved_ms,
        .gone = i->gone,
    };
}

static Labels *labels_of(const char *text) {
    OWN(json) json_t *object = json_read(text, strlen(text), NULL);
    return labels_from_json(object);
}

static Severity severity_of(const char *word) {
    for (int s = SEVERITY_CRITICAL; s <= SEVERITY_INFO; s++)
        if (word && !strcmp(word, severity_word((Severity)s))) return (Severity)s;
    return SEVERITY_WARNING;
}

static char *copy_or_null(const char *text) { return text ? text_copy(text) : NULL; }

static void take_extras(Instance *i, const char *text, int64_t now_ms) {
    OWN(json) json_t *all = json_read(text, strlen(text), NULL);
    int64_t number = 0;
    i->severity = severity_of(json_text(all, "severity"));
    if (json_whole(all, "no_data", &number) && number >= NODATA_HOLD && number <= NODATA_RESOLVE)
        i->no_data = (NoData)number;
    if (json_whole(all, "early_until_s", &number)) i->memory.early_until_s = number;
    if (json_whole(all, "news", &number) && number > 0) i->news = number;
    if (json_whole(all, "hold_until_ms", &number) && number > 0) i->hold_until_ms = number;
    i->data_missing = json_flag(all, "data_missing", false);
    const json_t *annotations = json_map(all, "annotations");
    if (annotations) {
        labels_free(i->annotations);
        i->annotations = labels_from_json(annotations);
    }
    const json_t *notes = json_map(all, "notes");
    if (notes) i->facts.notes = labels_from_json(notes);
    json_double(all, "threshold", &i->facts.threshold);
    json_double(all, "worst", &i->facts.worst);
    if (json_whole(all, "value_s", &number)) i->facts.value_s = number;
    i->facts.console_url = copy_or_null(json_text(all, "console_url"));
    instance_facts_name(&i->facts, json_text(all, "what"));
    hold_deinit(&i->hold);
    hold_read(&i->hold, json_map(all, "hold"), i->memory.state, now_ms);
}

Instance *instance_restore(Instances *table, const InstanceRow *row, int64_t now_ms) {
    AlarmState state;
    if (!row->alarm || !*row->alarm || !row->state || !state_parse(row->state, &state)) return NULL;
    OWN(labels) Labels *series = labels_of(row->series_json ? row->series_json : "{}");
    Instance *i = instance_get(table, row->alarm, row->account, row->region, row->source, series, now_ms);
    if (strcmp(i->fingerprint, row->fingerprint)) { /* the row's own key must be what its parts hash to */
        instance_remove(table, i);
        return NULL;
    }
    labels_free(i->labels);
    i->labels = labels_of(row->labels_json ? row->labels_json : "{}");
    i->memory = (EvaluationMemory){.state = state, .window_end_s = row->window_end_ms / 1000};
    i->hold.judged = state;
    i->since_ms = row->since_ms;
    i->evaluated_ms = row->evaluated_ms;
    i->firing_since_ms = row->firing_since_ms;
    i->resolved_ms = row->resolved_ms;
    i->gone = row->gone;
    free(i->facts.reason);
    i->facts.reason = text_copy(row->reason ? row->reason : "");
    i->facts.value = row->has_value ? row->value : NAN;
    if (row->reason_data_json) take_extras(i, row->reason_data_json, now_ms);
    return i;
}
