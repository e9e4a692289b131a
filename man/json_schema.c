/* man/json_schema.c: writes the JSON schema (draft 7) of tocsin.yaml, for editors, from the tables that the daemon
 * itself reads it by. It says which keys there are, what they may hold and what they are for; what hangs on several
 * keys at once only `tocsind --check` knows. Keys of what does not exist yet are left out. */
#include "base/json.h"
#include "plugin/module.h"
#include "tables.h"

#include <stdlib.h>

#define ROUTE "#/definitions/route" /* a tree: its rows name it again */

static json_t *type_of(const char *a, const char *b, const char *c) {
    json_t *types = json_array();
    for (const char *const *name = (const char *const[]){a, b, c, NULL}; *name; name++)
        json_array_append_new(types, json_string(*name));
    return json_pack("{s:o}", "type", types);
}

/* One value: a text may be written without quotes, and then looks like a number to an editor. */
static json_t *text_schema(void) { return type_of("string", "number", "boolean"); }

/* `30s`, `1h30m`, or seconds. */
static json_t *duration_schema(void) {
    json_t *schema = type_of("string", "integer", NULL);
    json_object_set_new(schema, "pattern", json_string("^([0-9]+(ms|s|m|h|d|w|y))+$|^[0-9]+$"));
    return schema;
}

static json_t *rows_schema(const SchemaRow *rows);

static json_t *list_of(json_t *take_items) { return json_pack("{s:s, s:o}", "type", "array", "items", take_items); }

static json_t *number_schema(const SchemaRow *row, const char *type) {
    json_t *schema = json_pack("{s:s}", "type", type);
    if (row->min == 0 && row->max == 0) return schema;
    json_object_set_new(schema, "minimum", json_real(row->min));
    json_object_set_new(schema, "maximum", json_real(row->max));
    return schema;
}

static json_t *choice_schema(const SchemaRow *row) {
    json_t *words = json_array();
    for (size_t i = 0; row->choices[i]; i++) {
        json_array_append_new(words, json_string(row->choices[i]));
        const bool is_true = !strcmp(row->choices[i], "true"); /* to an editor these two are no words */
        if (is_true || !strcmp(row->choices[i], "false")) json_array_append_new(words, json_boolean(is_true));
    }
    return json_pack("{s:o}", "enum", words);
}

static json_t *map_schema(void) {
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", text_schema());
}

/* A node that another module reads: a section of an alarm where it is one, routes below a route; else anything. */
static json_t *node_schema(const SchemaRow *row) {
    static const char *const sections[] = {"composite", "suppressor", "flap"};
    char key[64];
    for (size_t i = 0; i < COUNT_OF(sections); i++)
        if (!strcmp(row->key, sections[i]))
            return snprintf(key, sizeof key, "alarms.%s", row->key), rows_schema(table_rows(key));
    if (!strcmp(row->key, "routes")) return list_of(json_pack("{s:s}", "$ref", ROUTE));
    const Source *source = table_source(row->key);
    if (!source) return json_object();
    json_t *schema = rows_schema(source->selector_rows);
    return source->item_size ? list_of(schema) : schema;
}

static json_t *value_schema(const SchemaRow *row) {
    switch (row->type) {
    case SCHEMA_TEXT:
    case SCHEMA_SECRET: return text_schema();
    case SCHEMA_INTEGER: return number_schema(row, "integer");
    case SCHEMA_NUMBER: return number_schema(row, "number");
    case SCHEMA_BOOL: return json_pack("{s:s}", "type", "boolean");
    case SCHEMA_DURATION: return duration_schema();
    case SCHEMA_CHOICE: return choice_schema(row);
    case SCHEMA_TEXTS: return json_pack("{s:[o, o]}", "anyOf", text_schema(), list_of(text_schema()));
    case SCHEMA_MAP: return map_schema();
    case SCHEMA_SECTION: return rows_schema(row->rows);
    case SCHEMA_SECTIONS: return list_of(rows_schema(row->rows));
    case SCHEMA_NODE: return node_schema(row);
    case SCHEMA_LATER: break;
    }
    return json_object();
}

static void describe(json_t *schema, const char *doc, const char *fallback) {
    if (doc) json_object_set_new(schema, "description", json_string(doc));
    if (fallback) json_object_set_new(schema, "default", json_string(fallback));
}

static json_t *rows_schema(const SchemaRow *rows) {
    json_t *properties = json_object(), *required = json_array();
    for (const SchemaRow *row = rows; row->key; row++) {
        if (row->type == SCHEMA_LATER) continue;
        json_t *schema = value_schema(row);
        describe(schema, row->doc, row->fallback);
        json_object_set_new(properties, row->key, schema);
        if (row->required) json_array_append_new(required, json_string(row->key));
    }
    return json_pack("{s:s, s:o, s:b, s:o}", "type", "object", "properties", properties, "additionalProperties", 0,
        "required", required);
}

/* --- receivers: the plugins' own tables --- */

static json_t *key_schema(const char *type) {
    if (!strncmp(type, "required ", 9)) type += 9;
    if (!strcmp(type, "texts")) return json_pack("{s:[o, o]}", "anyOf", text_schema(), list_of(text_schema()));
    if (!strcmp(type, "map")) return map_schema();
    if (!strcmp(type, "bool")) return json_pack("{s:s}", "type", "boolean");
    if (!strcmp(type, "integer") || !strcmp(type, "number")) return json_pack("{s:s}", "type", type);
    if (!strcmp(type, "duration")) return duration_schema();
    return text_schema();
}

/* Where a key belongs: `section.key` into a section of its own, which is made. Borrowed. */
static json_t *key_home(json_t *properties, const char *name, const char **ret_key) {
    const char *dot = strchr(name, '.');
    *ret_key = dot ? dot + 1 : name;
    if (!dot) return properties;
    char section[PLUGIN_KEY_MAX];
    snprintf(section, sizeof section, "%.*s", (int)(dot - name), name);
    if (!json_object_get(properties, section))
        json_object_set_new(properties, section,
            json_pack("{s:s, s:{}, s:b}", "type", "object", "properties", "additionalProperties", 0));
    return json_object_get(json_object_get(properties, section), "properties");
}

static json_t *plugin_schema(const TocsinPlugin *plugin) {
    json_t *properties = json_pack("{s:{s:s, s:s}}", "send_resolved", "type", "boolean", "description",
        "Whether it is told of what is over, too; true unless said otherwise.");
    for (const TocsinKey *key = plugin->keys; key->name; key++) {
        if (!strcmp(key->type, "later")) continue;
        const char *name;
        json_t *home = key_home(properties, key->name, &name), *schema = key_schema(key->type);
        describe(schema, key->doc, key->fallback);
        json_object_set_new(home, name, schema);
    }
    json_t *one = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
    return json_pack("{s:[o, o]}", "anyOf", one, list_of(json_incref(one)));
}

/* A key that is none of the built-in plugins names another one, which has keys of its own. */
static json_t *receivers_schema(const char *plugins) {
    json_t *properties = json_pack("{s:o, s:o}", "name", text_schema(), "fallback", rows_schema(fallback_rows));
    for (size_t i = 0; plugin_built_in[i]; i++) {
        Error err = {0};
        bool absent;
        const TocsinPlugin *plugin = plugin_load(plugins, plugin_built_in[i], &absent, &err);
        if (!plugin) return fprintf(stderr, "json_schema: %s\n", err.text), json_decref(properties), NULL;
        json_object_set_new(properties, plugin_built_in[i], plugin_schema(plugin));
    }
    return list_of(json_pack("{s:s, s:o, s:[s]}", "type", "object", "properties", properties, "required", "name"));
}

/* --- sections --- */

static bool is_list(const char *key) {
    return !strcmp(key, "alarms") || !strcmp(key, "inhibit_rules") || !strcmp(key, "time_intervals");
}

/* What is written as a section, a list or one value; NULL: it could not be told. */
static json_t *section_schema(const SectionDescriptor *section, const char *plugins) {
    const SchemaRow *rows = table_rows(section->key);
    if (!strcmp(section->key, "receivers")) return receivers_schema(plugins);
    if (!strcmp(section->key, "route")) return json_pack("{s:s}", "$ref", ROUTE);
    if (is_list(section->key)) return list_of(rows_schema(rows));
    if (!strcmp(section->key, "packs")) return list_of(text_schema());
    if (!strcmp(section->key, "what_changed"))
        return json_pack("{s:[o, {s:b}]}", "anyOf", rows_schema(rows), "const", 0);
    return rows ? rows_schema(rows) : text_schema();
}

/* A file may say nothing of a section, and still name it. */
static json_t *or_nothing(json_t *take_schema) {
    return json_pack("{s:[o, {s:s}]}", "anyOf", take_schema, "type", "null");
}

static json_t *whole_schema(const char *plugins) {
    json_t *properties = json_object();
    json_object_set_new(properties, "include",
        json_pack("{s:s, s:[o, o]}", "description", "Files that are joined to this one; globs.", "anyOf", text_schema(),
            list_of(text_schema())));
    for (size_t i = 0; load_schema.sections[i]; i++) {
        const SectionDescriptor *section = load_schema.sections[i];
        if (section->later) continue;
        json_t *schema = section_schema(section, plugins);
        if (!schema) return json_decref(properties), NULL;
        schema = or_nothing(schema);
        describe(schema, section->doc, NULL);
        json_object_set_new(properties, section->key, schema);
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:{s:o}}", "$schema", "http://json-schema.org/draft-07/schema#",
        "title", "tocsin.yaml", "type", "object", "properties", properties, "additionalProperties", 0, "definitions",
        "route", rows_schema(route_rows));
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: json_schema PLUGIN-DIRECTORY\n"), 2;
    OWN(json) json_t *schema = whole_schema(argv[1]);
    if (!schema) return 1;
    char *text = json_dumps(schema, JSON_INDENT(2));
    puts(text);
    free(text);
    return 0;
}
