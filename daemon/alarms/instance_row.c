/* daemon/alarms/instance_row.c: instances to and from the state file */
#include "alarms/instance.h"

#include "alarms/instance_link.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What has no column of its own: the members of reason_data_json. */
typedef enum {
    EXTRA_ANNOTATIONS,
    EXTRA_CONSOLE_URL,
    EXTRA_DATA_MISSING,
    EXTRA_EARLY_UNTIL,
    EXTRA_HOLD,
    EXTRA_HOLD_UNTIL,
    EXTRA_NEWS,
    EXTRA_NO_DATA,
    EXTRA_NOTES,
    EXTRA_SEVERITY,
    EXTRA_THRESHOLD,
    EXTRA_VALUE,
    EXTRA_WHAT,
    EXTRA_WORST,
} Extra;
static const char *const extra_keys[] = {
    [EXTRA_ANNOTATIONS] = "annotations",
    [EXTRA_CONSOLE_URL] = "console_url",
    [EXTRA_DATA_MISSING] = "data_missing",
    [EXTRA_EARLY_UNTIL] = "early_until_s",
    [EXTRA_HOLD] = "hold",
    [EXTRA_HOLD_UNTIL] = "hold_until_ms",
    [EXTRA_NEWS] = "news",
    [EXTRA_NO_DATA] = "no_data",
    [EXTRA_NOTES] = "notes",
    [EXTRA_SEVERITY] = "severity",
    [EXTRA_THRESHOLD] = "threshold",
    [EXTRA_VALUE] = "value_s",
    [EXTRA_WHAT] = "what",
    [EXTRA_WORST] = "worst",
    NULL,
};

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

/* --- extras. False: the value is of another type, and still at hand --- */

static bool pull_severity(JsonPull *in, Severity *ret_severity) {
    JsonText word;
    if (!json_pull_text(in, &word)) return false;
    for (int s = SEVERITY_CRITICAL; s <= SEVERITY_INFO; s++)
        if (json_text_is(word, severity_word((Severity)s))) *ret_severity = (Severity)s;
    return true;
}

static bool pull_no_data(JsonPull *in, NoData *ret_no_data) {
    int64_t number;
    if (!json_pull_whole(in, &number)) return false;
    if (number >= NODATA_HOLD && number <= NODATA_RESOLVE) *ret_no_data = (NoData)number;
    return true;
}

static bool pull_positive(JsonPull *in, int64_t *ret_number) {
    int64_t number;
    if (!json_pull_whole(in, &number)) return false;
    if (number > 0) *ret_number = number;
    return true;
}

static bool pull_labels(JsonPull *in, Labels **labels) {
    Labels *pulled = labels_pull(in);
    if (!pulled) return false;
    labels_free(*labels);
    *labels = pulled;
    return true;
}

static bool pull_copy(JsonPull *in, char **ret_text) {
    JsonText text;
    if (!json_pull_text(in, &text)) return false;
    *ret_text = json_text_copy(text);
    return true;
}

static bool pull_what(JsonPull *in, InstanceFacts *facts) {
    OWN(text) char *what = NULL;
    if (!pull_copy(in, &what)) return false;
    instance_facts_name(facts, what);
    return true;
}

static bool pull_hold(JsonPull *in, Hold *hold, AlarmState state, int64_t now_ms) {
    JsonText text;
    if (!json_pull_raw(in, &text)) return false;
    OWN(json) json_t *json = json_read(text.bytes, text.length, NULL);
    hold_deinit(hold);
    hold_read(hold, json_is_object(json) ? json : NULL, state, now_ms);
    return true;
}

static bool pull_extra(Instance *i, Extra extra, JsonPull *in, int64_t now_ms) {
    switch (extra) {
    case EXTRA_ANNOTATIONS: return pull_labels(in, &i->annotations);
    case EXTRA_CONSOLE_URL: return pull_copy(in, &i->facts.console_url);
    case EXTRA_DATA_MISSING: return json_pull_flag(in, &i->data_missing);
    case EXTRA_EARLY_UNTIL: return json_pull_whole(in, &i->memory.early_until_s);
    case EXTRA_HOLD: return pull_hold(in, &i->hold, i->memory.state, now_ms);
    case EXTRA_HOLD_UNTIL: return pull_positive(in, &i->hold_until_ms);
    case EXTRA_NEWS: return pull_positive(in, &i->news);
    case EXTRA_NO_DATA: return pull_no_data(in, &i->no_data);
    case EXTRA_NOTES: return pull_labels(in, &i->facts.notes);
    case EXTRA_SEVERITY: return pull_severity(in, &i->severity);
    case EXTRA_THRESHOLD: return json_pull_number(in, &i->facts.threshold);
    case EXTRA_VALUE: return json_pull_whole(in, &i->facts.value_s);
    case EXTRA_WHAT: return pull_what(in, &i->facts);
    case EXTRA_WORST: return json_pull_number(in, &i->facts.worst);
    }
    return false;
}

/* Without a tree: there is one in each of very many rows. Of a damaged text what stands before the damage counts. */
static void take_extras(Instance *i, const char *text, int64_t now_ms) {
    JsonPull in;
    uint32_t seen = 0;
    json_pull_init(&in, text, strlen(text), NULL);
    if (json_pull_open(&in, '{'))
        for (int key; (key = json_pull_member(&in, extra_keys, &seen)) >= 0;)
            if (!pull_extra(i, (Extra)key, &in, now_ms)) json_pull_skip(&in);
    json_pull_deinit(&in);
}

Instance *instance_restore(Instances *table, const InstanceRow *row, int64_t now_ms) {
    AlarmState state;
    char fingerprint[FINGERPRINT_TEXT];
    if (!row->alarm || !*row->alarm || !row->state || !state_parse(row->state, &state)) return NULL;
    OWN(labels) Labels *series = labels_read(row->series_json);
    fingerprint_make(row->alarm, row->account, row->region, row->source, series, fingerprint);
    if (strcmp(fingerprint, row->fingerprint)) return NULL; /* the row's own key must be what its parts hash to */
    if (instance_find(table, fingerprint)) return NULL; /* a file that holds its key twice is damaged, too */
    Instance *i = instance_add(table, fingerprint, row->alarm, row->account, row->region, row->source, series, now_ms);
    labels_free(i->labels);
    i->labels = labels_read(row->labels_json);
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
