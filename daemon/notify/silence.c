#include "notify/silence.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>

#define TIME_REMEDY "a time such as 2026-01-02T03:04:05Z"

Silence *silence_free(Silence *silence) {
    if (!silence) return NULL;
    matchers_free(silence->matchers);
    free(silence->id);
    free(silence->created_by);
    free(silence->comment);
    free(silence);
    return NULL;
}

Silence *silence_copy(const Silence *silence) {
    Silence *copy = alloc_zeroed(1, sizeof *copy);
    *copy = *silence;
    copy->id = text_copy(silence->id);
    copy->created_by = text_copy(silence->created_by);
    copy->comment = text_copy(silence->comment);
    copy->matchers = matchers_new();
    for (size_t i = 0; i < matchers_count(silence->matchers); i++) {
        const Matcher matcher = matchers_at(silence->matchers, i);
        matchers_add(copy->matchers, &matcher, NULL); /* it was one: it is one again */
    }
    return copy;
}

SilenceState silence_state(const Silence *silence, int64_t now_ms) {
    if (now_ms >= silence->ends_ms) return SILENCE_EXPIRED; /* asked first: one that was expired early has no length */
    return now_ms < silence->starts_ms ? SILENCE_PENDING : SILENCE_ACTIVE;
}

const char *silence_state_word(SilenceState state) {
    static const char *const words[] = {"pending", "active", "expired"};
    return words[state];
}

/* --- from JSON --- */

static char *read_text(const json_t *object, const char *key, size_t max_bytes, Error *err) {
    const char *text = json_text(object, key);
    if (!text || !text[strspn(text, " \t\r\n")]) {
        error_set(err, ERROR_INPUT, "`%s` is missing: a text that is not empty", key);
        return NULL;
    }
    if (strlen(text) <= max_bytes) return text_copy(text);
    error_set(err, ERROR_INPUT, "`%s` is longer than %zu bytes", key, max_bytes);
    return NULL;
}

/* `ret_ms` keeps its value where the key is absent and that is allowed. */
static bool read_time(const json_t *object, const char *key, bool required, int64_t *ret_ms, Error *err) {
    const json_t *value = json_object_get(object, key);
    if (!required && (!value || json_is_null(value))) return true;
    if (!value) return error_set(err, ERROR_INPUT, "`%s` is missing: " TIME_REMEDY, key);
    const char *text = json_string_value(value);
    if (text && time_parse(text, ret_ms)) return true;
    return error_set(err, ERROR_INPUT, "`%s` must be " TIME_REMEDY, key);
}

static bool read_id(const json_t *object, Silence *into, Error *err) {
    const json_t *value = json_object_get(object, "id");
    const char *id = value && !json_is_null(value) ? json_string_value(value) : "";
    if (!id || strlen(id) > SILENCE_ID_MAX || has_control(id))
        return error_set(err, ERROR_INPUT, "`id` must be that of a silence, or absent for a new one");
    into->id = text_copy(id);
    return true;
}

static bool read_matchers(const json_t *object, Silence *into, Error *err) {
    Fault fault = {0};
    const json_t *array = json_object_get(object, "matchers");
    into->matchers = matchers_new();
    if (!array) return error_set(err, ERROR_INPUT, "`matchers` is missing: a list of matchers");
    if (!matchers_add_json(into->matchers, array, &fault))
        return error_set(err, ERROR_INPUT, "`matchers`: %s (%s)", fault.what, fault.remedy);
    if (!matchers_count(into->matchers))
        return error_set(err, ERROR_INPUT, "`matchers` is empty: it would silence every alert");
    return !matchers_match_empty(into->matchers) ||
        error_set(err, ERROR_INPUT,
            "`matchers` all match the empty text, and so every alert without these labels: one of them must not");
}

/* What holds for each silence at any time. */
static Silence *read_form(const json_t *object, int64_t now_ms, Error *err) {
    OWN(silence) Silence *half = alloc_zeroed(1, sizeof *half);
    half->starts_ms = half->updated_ms = now_ms;
    if (!json_is_object(object)) return error_set(err, ERROR_INPUT, "a silence must be an object"), NULL;
    if (!read_id(object, half, err) || !read_matchers(object, half, err)) return NULL;
    if (!read_time(object, "startsAt", false, &half->starts_ms, err)) return NULL;
    if (!read_time(object, "endsAt", true, &half->ends_ms, err)) return NULL;
    if (!(half->created_by = read_text(object, "createdBy", SILENCE_AUTHOR_MAX, err))) return NULL;
    if (has_control(half->created_by))
        return error_set(err, ERROR_INPUT, "`createdBy` must be a name on one line"), NULL;
    if (!(half->comment = read_text(object, "comment", SILENCE_COMMENT_MAX, err))) return NULL;
    return GIVE(half);
}

Silence *silence_read(const json_t *object, int64_t now_ms, Error *err) {
    OWN(silence) Silence *silence = read_form(object, now_ms, err);
    if (!silence) return NULL;
    if (silence->ends_ms <= silence->starts_ms)
        return error_set(err, ERROR_INPUT, "`endsAt` must be after `startsAt`"), NULL;
    if (silence->ends_ms <= now_ms) return error_set(err, ERROR_INPUT, "`endsAt` is in the past"), NULL;
    return GIVE(silence);
}

/* --- to JSON and back --- */

static json_t *stored_json(const Silence *silence) {
    json_t *object = json_object();
    json_object_set_new(object, "id", json_safe(silence->id));
    json_object_set_new(object, "matchers", matchers_json(silence->matchers));
    json_object_set_new(object, "startsAt", json_time(silence->starts_ms));
    json_object_set_new(object, "endsAt", json_time(silence->ends_ms));
    json_object_set_new(object, "updatedAt", json_time(silence->updated_ms));
    json_object_set_new(object, "createdBy", json_safe(silence->created_by));
    json_object_set_new(object, "comment", json_safe(silence->comment));
    return object;
}

json_t *silence_json(const Silence *silence, int64_t now_ms) {
    json_t *object = stored_json(silence), *status = json_object();
    json_object_set_new(status, "state", json_string(silence_state_word(silence_state(silence, now_ms))));
    json_object_set_new(object, "status", status);
    return object;
}

SilenceRow silence_row(const Silence *silence, Arena *arena) {
    OWN(json) json_t *object = stored_json(silence);
    OWN(text) char *text = json_write(object);
    return (SilenceRow){arena_text(arena, silence->id), arena_text(arena, text), silence->starts_ms, silence->ends_ms};
}

Silence *silence_restore(const SilenceRow *row, Error *err) {
    if (!row->id || !*row->id || !row->json)
        return error_set(err, ERROR_INPUT, "a stored silence has no id, or nothing else"), NULL;
    OWN(json) json_t *object = json_read(row->json, strlen(row->json), err);
    OWN(silence) Silence *silence = object ? read_form(object, row->starts_ms, err) : NULL;
    if (!silence || !read_time(object, "updatedAt", true, &silence->updated_ms, err)) return NULL;
    const bool is_same = strcmp(silence->id, row->id) == 0 && silence->starts_ms == row->starts_ms &&
        silence->ends_ms == row->ends_ms && silence->starts_ms <= silence->ends_ms;
    if (!is_same) return error_set(err, ERROR_INPUT, "a stored silence is not what its row says"), NULL;
    return GIVE(silence);
}
