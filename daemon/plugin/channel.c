#include "plugin/channel.h"

#include "aws/aws.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "net/url.h"
#include "plugin/module.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_TYPE_WORDS = 16, PATH_DEPTH = 8, KEY_LINES_MAX = 65536 };

/* One channel while it is read. */
typedef struct Reading {
    Decoding *in;
    const TocsinPlugin *plugin;
    const char *name; /* the plugin's */
    const Node *key, *node;
    bool complete; /* every value was good, so that the plugin's own check makes sense */
    bool good;
} Reading;

/* A section's first key is where something is missed (contract: `--check`). */
static Place place_of(const Reading *reading, const Node *node) {
    if (!node || node_is_null(node)) return reading->key->at;
    return node->kind == NODE_MAP && node->count > 0 ? node->entries[0].key->at : node->at;
}

static bool wrong(Reading *reading) { return reading->good = reading->complete = false; }

/* --- the types of TocsinKey, each a row for the schema and a way into JSON --- */

typedef union Value {
    const char *text;
    int64_t whole;
    double real;
    bool flag;
    int choice;
    TextList texts;
    TextMap map;
} Value;

static json_t *text_json(const Value *value, const SchemaRow *row) { return (void)row, json_safe(value->text); }
static json_t *whole_json(const Value *value, const SchemaRow *row) { return (void)row, json_integer(value->whole); }
static json_t *real_json(const Value *value, const SchemaRow *row) { return (void)row, json_number(value->real); }
static json_t *flag_json(const Value *value, const SchemaRow *row) { return (void)row, json_boolean(value->flag); }
static json_t *choice_json(const Value *value, const SchemaRow *row) { return json_safe(row->choices[value->choice]); }

static json_t *texts_json(const Value *value, const SchemaRow *row) {
    (void)row;
    json_t *list = json_array();
    for (size_t i = 0; i < value->texts.count; i++) json_array_append_new(list, json_safe(value->texts.texts[i]));
    return list;
}

static json_t *map_json(const Value *value, const SchemaRow *row) {
    (void)row;
    json_t *map = json_object();
    for (size_t i = 0; i < value->map.count; i++)
        json_object_set_new(map, value->map.names[i], json_safe(value->map.texts[i]));
    return map;
}

static json_t *path_read(Reading *reading, const Node *node, const Value *value) {
    (void)node;
    return json_safe(schema_path(value->text, reading->in));
}

static const char link_local[] = "nothing is sent to a link-local address (of the machine's metadata service)";

static json_t *url_read(Reading *reading, const Node *node, const Value *value) {
    Error why = {0};
    if (url_ok(value->text, true, &why) && url_is_link_local(value->text))
        error_set(&why, ERROR_INPUT, "%s", link_local);
    if (!why.kind) return json_safe(value->text);
    problem_add(reading->in->problems, node->at, "an address such as https://example.org/path", "%s", why.text);
    return NULL;
}

static json_t *account_read(Reading *reading, const Node *node, const Value *value) {
    const AwsSection *aws = snapshot_section(reading->in->snapshot, &aws_section);
    if (aws && aws_section_account(aws, value->text)) return json_safe(value->text);
    problem_add(
        reading->in->problems, node->at, "the name of one of aws.accounts", "no account is named `%.80s`", value->text);
    return NULL;
}

static const struct KeyType {
    const char *word;
    SchemaType type;
    json_t *(*json)(const Value *value, const SchemaRow *row);
    json_t *(*read)(
        Reading *reading, const Node *node, const Value *value); /* instead: may add its own problem and fail */
    double min, max;
    const char *remedy;
    bool multiline;
} key_types[] = {
    {"text", SCHEMA_TEXT, text_json, NULL, 0, 0, "a text"},
    {"lines", SCHEMA_TEXT, text_json, NULL, 1, KEY_LINES_MAX, "a text, which may have several lines", true},
    {"texts", SCHEMA_TEXTS, texts_json, NULL, 0, 1000, "a list of texts"},
    {"integer", SCHEMA_INTEGER, whole_json, NULL, -1e15, 1e15, "a whole number"},
    {"number", SCHEMA_NUMBER, real_json, NULL, 0, 0, "a number"},
    {"bool", SCHEMA_BOOL, flag_json, NULL, 0, 0, "true or false"},
    {"duration", SCHEMA_DURATION, whole_json, NULL, 0, 31536000, "a duration such as 30s or 5m"},
    {"map", SCHEMA_MAP, map_json, NULL, 0, 0, "a map of names to texts"},
    {"choice", SCHEMA_CHOICE, choice_json, NULL, 0, 0, NULL},
    {"path", SCHEMA_TEXT, NULL, path_read, 1, 4096, "a file's path"},
    {"url", SCHEMA_TEXT, NULL, url_read, 1, 4096, "an address such as https://example.org/path"},
    {"account", SCHEMA_TEXT, NULL, account_read, 1, 255, "the name of one of aws.accounts"},
};

static const struct KeyType *key_type_find(const char *word, size_t length) {
    for (size_t i = 0; i < COUNT_OF(key_types); i++)
        if (strlen(key_types[i].word) == length && strncmp(key_types[i].word, word, length) == 0) return &key_types[i];
    return NULL;
}

/* `choice plain login`: the words after the first, and a remedy that lists them; in the arena. */
static const char *const *choices_of(Arena *arena, const char *type, const char **ret_remedy) {
    const char **words = arena_alloc(arena, KEY_TYPE_WORDS + 1, sizeof *words);
    char *rest = arena_text(arena, type), *all = NULL;
    size_t count = 0;
    char *save = NULL;
    for (char *word = strtok_r(rest, " ", &save); word && count < KEY_TYPE_WORDS; word = strtok_r(NULL, " ", &save)) {
        if (word == rest) continue; /* `choice` itself */
        words[count++] = word;
        all = all ? arena_format(arena, "%s, %s", all, word) : arena_format(arena, "one of: %s", word);
    }
    *ret_remedy = all;
    return words;
}

/* --- one key --- */

/* The number under which the snapshot keeps a secret. */
static size_t secret_number(const Snapshot *snapshot, const Secret *secret) {
    for (size_t number = 1;; number++) {
        const Secret *there = snapshot_secret(snapshot, number);
        if (!there || there == secret) return there ? number : 0;
    }
}

static json_t *read_secret(Reading *reading, const char *name, const Node *node, bool is_url) {
    Decoding *in = reading->in;
    const SchemaRow row = {.key = name, .type = SCHEMA_SECRET, .remedy = "a file's name"};
    const Secret *secret = NULL;
    if (!schema_read_value(&row, node, &secret, in)) return NULL;
    if (!secret) return json_integer(0); /* a check: it may come later */
    Error why = {0};
    if (is_url && !url_ok(secret_reveal(secret, NULL), true, &why)) {
        problem_add(in->problems, node->at, "one line such as https://example.org/path",
            "what stands in that file is no address");
        return NULL;
    }
    if (is_url && url_is_link_local(secret_reveal(secret, NULL))) {
        problem_add(in->problems, node->at, "one line such as https://example.org/path", "%s", link_local);
        return NULL;
    }
    return json_integer((json_int_t)secret_number(in->snapshot, secret));
}

static json_t *read_typed(Reading *reading, const TocsinKey *key, const char *type, const Node *node) {
    const struct KeyType *known = key_type_find(type, strcspn(type, " "));
    if (!known) {
        problem_add(reading->in->problems, node->at, "a type that tocsin-plugin.h names",
            "plugin %s: `%.60s` is no type of a key", reading->name, type);
        return NULL;
    }
    const char *dot = strrchr(key->name, '.');
    SchemaRow row = {.key = dot ? dot + 1 : key->name,
        .type = known->type,
        .min = known->min,
        .max = known->max,
        .multiline = known->multiline,
        .remedy = known->remedy,
        .doc = key->doc};
    if (known->type == SCHEMA_CHOICE) row.choices = choices_of(reading->in->arena, type, &row.remedy);
    Value value = {0};
    if (!schema_read_value(&row, node, &value, reading->in)) return NULL;
    return known->read ? known->read(reading, node, &value) : known->json(&value, &row);
}

static bool begins(const char **text, const char *word) {
    const size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0) return false;
    *text += length;
    return true;
}

/* Reads what stands at `key`, or its fallback, into `into` under the key's last part. */
static void read_key(Reading *reading, const TocsinKey *key, const Node *section, json_t *into) {
    const char *last = strrchr(key->name, '.');
    last = last ? last + 1 : key->name;
    const char *type = key->type;
    const bool required = begins(&type, "required ");
    const NodeEntry *entry = node_entry(section, last);
    const Node *node = entry && !node_is_null(entry->value) ? entry->value : NULL;
    if (strcmp(type, "later") == 0) {
        if (!entry) return;
        const SchemaRow row = {.key = last, .type = SCHEMA_LATER};
        schema_read_value(&row, entry->key, NULL, reading->in);
        reading->good = false;
        return;
    }
    const Node fallback = {.kind = NODE_SCALAR,
        .at = place_of(reading, section),
        .text = key->fallback,
        .length = key->fallback ? (uint32_t)strlen(key->fallback) : 0};
    if (!node && !key->fallback) {
        if (!required) return;
        problem_add(reading->in->problems, place_of(reading, section), key->doc, "`%s` is missing", key->name);
        wrong(reading);
        return;
    }
    const bool is_secret = begins(&type, "secret");
    json_t *value = is_secret ? read_secret(reading, last, node ? node : &fallback, strcmp(type, " url") == 0)
                              : read_typed(reading, key, type, node ? node : &fallback);
    if (!value) {
        wrong(reading);
        return;
    }
    json_object_set_new(into, last, value);
}

/* --- a map: the channel's own (prefix ""), or one below it (`basic_auth.`) --- */

/* Does `key` stand in the map that `prefix` names, and under which word? A deeper one gives its section's word. */
static bool key_below(
    const TocsinKey *key, const char *prefix, char ret_word[static PLUGIN_KEY_MAX], bool *ret_is_section) {
    const size_t length = strlen(prefix);
    if (strncmp(key->name, prefix, length) != 0) return false;
    const char *word = key->name + length;
    const size_t end = strcspn(word, ".");
    *ret_is_section = word[end] == '.';
    snprintf(ret_word, PLUGIN_KEY_MAX, "%.*s", (int)(end < PLUGIN_KEY_MAX ? end : PLUGIN_KEY_MAX - 1), word);
    return true;
}

static void refuse_unknown(Reading *reading, const Node *key, const char *prefix) {
    char words[PLUGIN_KEYS_MAX][PLUGIN_KEY_MAX];
    const char *known[PLUGIN_KEYS_MAX + 2];
    size_t count = 0;
    bool is_section;
    for (const TocsinKey *one = reading->plugin->keys; one->name; one++)
        if (key_below(one, prefix, words[count], &is_section)) {
            if (strcmp(key->text, words[count]) == 0) return;
            known[count] = words[count];
            count++;
        }
    if (!*prefix) {
        if (strcmp(key->text, "send_resolved") == 0) return;
        known[count++] = "send_resolved";
    }
    known[count] = NULL;
    schema_unknown(key, known, reading->in);
    reading->good = false;
}

static void read_map(Reading *reading, const Node *node, const char *prefix, json_t *into);

static void read_section(Reading *reading, const Node *parent, const char *prefix, const char *word, json_t *into) {
    const Node *node = node_get(parent, word);
    if (!node || json_object_get(into, word)) return; /* absent, or a second key of the same section */
    json_t *below = json_object();
    json_object_set_new(into, word, below);
    char deeper[2 * PLUGIN_KEY_MAX];
    snprintf(deeper, sizeof deeper, "%s%s.", prefix, word);
    read_map(reading, node, deeper, below);
}

static void read_map(Reading *reading, const Node *node, const char *prefix, json_t *into) {
    if (node && node->kind != NODE_MAP && !node_is_null(node)) {
        problem_add(
            reading->in->problems, node->at, "a map of keys to values", "%s: there must be a map here", reading->name);
        wrong(reading);
        return;
    }
    for (size_t i = 0; node && i < node->count; i++) refuse_unknown(reading, node->entries[i].key, prefix);
    char word[PLUGIN_KEY_MAX];
    bool is_section;
    for (const TocsinKey *key = reading->plugin->keys; key->name; key++) {
        if (!key_below(key, prefix, word, &is_section)) continue;
        if (is_section)
            read_section(reading, node, prefix, word, into);
        else
            read_key(reading, key, node, into);
    }
}

/* --- the plugin's own check --- */

/* The node at a JSON pointer; where a part is absent, its parent. */
static const Node *node_at(const Node *node, const char *path) {
    for (int depth = 0; node && *path == '/' && depth < PATH_DEPTH; depth++) {
        char word[PLUGIN_KEY_MAX * 4];
        size_t length = 0;
        for (path++; *path && *path != '/'; path++) {
            char byte = *path;
            if (byte == '~' && (path[1] == '0' || path[1] == '1')) byte = *++path == '0' ? '~' : '/';
            if (length < sizeof word - 1) word[length++] = byte;
        }
        word[length] = '\0';
        const Node *below =
            node->kind == NODE_SCALAR ? node : node_get(node, word); /* a scalar stands for a list of one */
        if (node->kind == NODE_LIST) {
            char *end;
            const unsigned long index = strtoul(word, &end, 10);
            below = end != word && !*end && index < node->count ? node->items[index] : NULL;
        }
        if (!below) return node;
        node = below;
    }
    return node;
}

static void plugin_problem(void *ctx, const char *path, const char *what, const char *remedy) {
    Reading *reading = ctx;
    const Place at = place_of(reading, node_at(reading->node, path ? path : ""));
    problem_add(reading->in->problems, at, remedy, "%s: %s", reading->name, what ? what : "the plugin refuses this");
    reading->good = false;
}

bool channel_decode(Decoding *in, const Node *key, const Node *node, Channel *ret_channel) {
    Reading reading = {.in = in,
        .plugin = ret_channel->module,
        .name = ret_channel->plugin,
        .key = key,
        .node = node,
        .complete = true,
        .good = true};
    OWN(json) json_t *config = json_object();
    ret_channel->at = place_of(&reading, node);
    ret_channel->send_resolved = true;
    read_map(&reading, node, "", config);
    const Node *resolved = node_get(node, "send_resolved");
    const SchemaRow row = {.key = "send_resolved", .type = SCHEMA_BOOL, .remedy = "true or false"};
    if (resolved && !schema_read_value(&row, resolved, &ret_channel->send_resolved, in)) reading.good = false;
    OWN(text) char *text = json_write(config);
    ret_channel->config_json = arena_text(in->arena, text);
    if (reading.complete && reading.plugin->check)
        reading.plugin->check(ret_channel->config_json, plugin_problem, &reading);
    return reading.good;
}
