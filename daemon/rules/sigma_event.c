/* Fields of an event: a dot steps into an object, a list on the way or at the end stands for each of its elements. */
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "rules/sigma_inside.h"

#include <string.h>

SigmaField field_make(Arena *arena, const char *name) {
    SigmaField field = {.name = arena_text(arena, name), .count = 1};
    for (const char *p = name; *p; p++) field.count += *p == '.';
    uint32_t *ends = arena_alloc(arena, field.count, sizeof *ends);
    size_t at = 0;
    for (const char *p = name; *p; p++)
        if (*p == '.') ends[at++] = (uint32_t)(p - name);
    ends[at] = (uint32_t)strlen(name);
    field.ends = ends;
    return field;
}

typedef bool Visit(void *into, const json_t *value); /* false: enough */

typedef struct Walk {
    const SigmaField *field;
    Visit *visit;
    void *into;
    bool enough;
} Walk;

/* From the segment `at` on. True if the path led to something, an empty list included. Its depth is the event's, which
 * json_read() bounds. */
static bool walk(Walk *w, const json_t *value, size_t at) {
    if (w->enough) return true;
    if (json_is_array(value)) {
        bool found = at == w->field->count;
        for (size_t i = 0; i < json_array_size(value); i++) found = walk(w, json_array_get(value, i), at) || found;
        return found;
    }
    if (at == w->field->count) {
        w->enough = !w->visit(w->into, value);
        return true;
    }
    if (!json_is_object(value)) return false;
    const size_t start = at ? w->field->ends[at - 1] + 1 : 0;
    for (size_t end = at; end < w->field->count; end++) { /* longer keys only where the shorter one led nowhere */
        const json_t *inner = json_object_getn(value, w->field->name + start, w->field->ends[end] - start);
        if (inner && walk(w, inner, end + 1)) return true;
    }
    return false;
}

static bool keep(void *into, const json_t *value) {
    SigmaScratch *scratch = into;
    if (scratch->value_count == SIGMA_FIELD_VALUES_MAX) {
        scratch->limits.values++;
        scratch->limits.rule = scratch->rule;
        return false;
    }
    if (scratch->value_count == scratch->value_room) {
        scratch->value_room = scratch->value_room ? 2 * scratch->value_room : 64;
        scratch->values = alloc_again((void *)scratch->values, scratch->value_room, sizeof *scratch->values);
    }
    scratch->values[scratch->value_count++] = value;
    return true;
}

static void keep_texts(SigmaScratch *scratch, const json_t *value) {
    const char *key;
    json_t *inner;
    size_t i;
    if (json_is_string(value)) keep(scratch, value);
    json_array_foreach(value, i, inner) keep_texts(scratch, inner);
    json_object_foreach((json_t *)(uintptr_t)value, key, inner) keep_texts(scratch, inner);
}

const SigmaFound *event_find(SigmaScratch *scratch, uint32_t number) {
    SigmaFound *found = &scratch->found[number == FIELD_KEYWORDS ? scratch->set->field_count : number];
    if (found->stamp == scratch->stamp) return found;
    *found = (SigmaFound){.stamp = scratch->stamp, .start = scratch->value_count};
    if (number == FIELD_KEYWORDS) {
        keep_texts(scratch, scratch->event);
    } else {
        Walk w = {.field = &scratch->set->fields[number], .visit = keep, .into = scratch};
        found->present = walk(&w, scratch->event, 0);
    }
    found->count = scratch->value_count - found->start;
    return found;
}

typedef struct TextRoom {
    char *text;
    size_t room;
} TextRoom;

static bool first_text(void *into, const json_t *value) {
    TextRoom *out = into;
    char number[NUMBER_TEXT_MAX];
    if (json_is_null(value) || json_is_object(value)) return true;
    if (json_is_string(value)) {
        const size_t length = utf8_cut(json_string_value(value), json_string_length(value), out->room - 1);
        memcpy(out->text, json_string_value(value), length);
        out->text[length] = '\0';
    } else if (json_is_integer(value)) {
        snprintf(out->text, out->room, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        snprintf(out->text, out->room, "%s",
            json_is_real(value)       ? number_format(json_real_value(value), number)
                : json_is_true(value) ? "true"
                                      : "false");
    }
    return false;
}

const char *sigma_event_text(const json_t *event, const char *name, char *text, size_t room) {
    OWN(arena) Arena *arena = arena_new();
    const SigmaField field = field_make(arena, name);
    TextRoom out = {text, room};
    Walk w = {.field = &field, .visit = first_text, .into = &out};
    *text = '\0';
    walk(&w, event, 0);
    return text;
}
