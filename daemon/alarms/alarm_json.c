#include "alarms/alarm.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- what is left of a node --- */

/* Marks in a shape, known by their addresses; a shape ends at NULL. For each scalar that is no key there is a `plain`,
 * or a `text`, which is one whatever it looks like. */
static const char map[] = "{", list[] = "[", end[] = "]", plain[] = "", text[] = "'";

static bool is_mark(const char *part) {
    return part == map || part == list || part == end || part == plain || part == text;
}

typedef struct Parts {
    const char **all;
    size_t count, room;
} Parts;

static void push(Parts *parts, const char *next) {
    if (parts->count == parts->room) {
        parts->room = parts->room ? 2 * parts->room : 64;
        parts->all = alloc_again((void *)parts->all, parts->room, sizeof *parts->all);
    }
    parts->all[parts->count++] = next;
}

static void push_node(Parts *shape, Parts *values, const Node *node) { /* depth is bounded by YAML_DEPTH_MAX */
    if (node->kind == NODE_SCALAR) {
        push(shape, node->quoted ? text : plain);
        push(values, node->text);
        return;
    }
    push(shape, node->kind == NODE_MAP ? map : list);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP) push(shape, node->entries[i].key->text);
        push_node(shape, values, node->kind == NODE_MAP ? node->entries[i].value : node->items[i]);
    }
    push(shape, end);
}

/* Moves them into the arena. */
static const char *const *keep(Arena *arena, const Parts *parts) {
    const char **kept = arena_alloc(arena, parts->count, sizeof *kept);
    if (parts->count) memcpy((void *)kept, (void *)parts->all, parts->count * sizeof *kept);
    return kept;
}

static bool same_shape(const char *const *a, const char *const *b) {
    for (; *a && *b; a++, b++)
        if (*a != *b && (is_mark(*a) || is_mark(*b) || strcmp(*a, *b) != 0)) return false;
    return *a == *b;
}

static size_t slot_of(const Parts *shape) { /* of two shapes in one slot the later stays */
    uint32_t hash = WORD_HASH;
    for (size_t i = 0; i + 1 < shape->count; i++) hash = word_hash(hash, shape->all[i], strlen(shape->all[i]));
    return word_slot(hash, WRITTEN_SHAPES);
}

Written written_keep(Arena *arena, WrittenShapes *shapes, const Node *node) {
    Parts shape = {0}, values = {0};
    push_node(&shape, &values, node);
    push(&shape, NULL);
    const char *const **alike = &shapes->recent[slot_of(&shape)];
    if (!*alike || !same_shape(*alike, shape.all)) *alike = keep(arena, &shape);
    const Written written = {.shape = *alike, .values = keep(arena, &values)};
    free((void *)shape.all);
    free((void *)values.all);
    return written;
}

/* --- and JSON of it --- */

/* An unquoted scalar has the type that YAML 1.2's core schema gives it. */
static json_t *scalar_json(const char *word) {
    static const struct {
        const char *word;
        bool value;
    } flags[] = {{"true", true}, {"True", true}, {"TRUE", true}, {"false", false}, {"False", false}, {"FALSE", false}};
    double number;
    if (node_is_null(&(Node){.kind = NODE_SCALAR, .text = word})) return json_null();
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (strcmp(word, flags[i].word) == 0) return json_boolean(flags[i].value);
    if (word[strspn(word, "+-.0123456789eE")] || !number_parse(word, &number)) return json_safe(word);
    if (word[0] == '0' && isdigit((unsigned char)word[1])) return json_safe(word); /* 007: an id, not 7 */
    if (strpbrk(word, ".eE")) return json_number(number);
    errno = 0;
    const long long whole = strtoll(word, NULL, 10);
    return errno ? json_number(number) : json_integer(whole);
}

/* Takes one value: `left` is what is not yet taken. */
static json_t *written_json(Written *left) {
    const char *first = *left->shape++;
    if (first == text) return json_safe(*left->values++);
    if (first == plain) return scalar_json(*left->values++);
    json_t *json = first == list ? json_array() : json_object();
    while (*left->shape != end) {
        const char *key = first == map ? *left->shape++ : NULL;
        if (key)
            json_object_set_new(json, key, written_json(left));
        else
            json_array_append_new(json, written_json(left));
    }
    left->shape++;
    return json;
}

/* Of a rule file: what an alarm written out would say. */
static json_t *given_json(const Alarm *alarm) {
    json_t *annotations = json_object();
    for (size_t i = 0; i < alarm->annotations.count; i++)
        json_object_set_new(annotations, alarm->annotations.names[i], json_safe(alarm->annotations.texts[i]));
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:I}", "name", json_safe(alarm->name), "severity",
        severity_word((Severity)alarm->severity), "description", json_safe(alarm->description), "annotations",
        annotations, "file", json_safe(alarm->at.file), "line", (json_int_t)alarm->at.line);
}

json_t *alarm_rule_json(const Alarm *alarm) {
    Written left = alarm->written;
    return left.shape ? written_json(&left) : given_json(alarm);
}
