#include "alarms/alarm.h"

#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An unquoted scalar has the type that YAML 1.2's core schema gives it. */
static json_t *scalar_json(const Node *node) {
    static const struct {
        const char *word;
        bool value;
    } flags[] = {{"true", true}, {"True", true}, {"TRUE", true}, {"false", false}, {"False", false}, {"FALSE", false}};
    double number;
    if (node->quoted) return json_safe(node->text);
    if (node_is_null(node)) return json_null();
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (strcmp(node->text, flags[i].word) == 0) return json_boolean(flags[i].value);
    if (strspn(node->text, "+-.0123456789eE") != node->length || !number_parse(node->text, &number))
        return json_safe(node->text);
    if (node->text[0] == '0' && isdigit((unsigned char)node->text[1]))
        return json_safe(node->text); /* 007: an id, not 7 */
    if (strpbrk(node->text, ".eE")) return json_number(number);
    errno = 0;
    const long long whole = strtoll(node->text, NULL, 10);
    return errno ? json_number(number) : json_integer(whole);
}

static json_t *node_json(const Node *node) { /* depth is bounded by YAML_DEPTH_MAX */
    if (node->kind == NODE_SCALAR) return scalar_json(node);
    json_t *json = node->kind == NODE_LIST ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_LIST)
            json_array_append_new(json, node_json(node->items[i]));
        else
            json_object_set_new(json, node->entries[i].key->text, node_json(node->entries[i].value));
    }
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

json_t *alarm_rule_json(const Alarm *alarm) { return alarm->node ? node_json(alarm->node) : given_json(alarm); }
