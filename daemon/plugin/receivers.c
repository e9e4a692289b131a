#include "plugin/receivers.h"

#include "aws/aws.h"
#include "base/alloc.h"
#include "base/text.h"
#include "plugin/channel.h"
#include "plugin/module.h"

#include <string.h>

#define AT(member) offsetof(PluginsSection, member)
static bool directory_check(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    (void)row;
    (void)node;
    const char **directory = (const char **)(uintptr_t)value; /* the section's own member, still being built */
    *directory = schema_path(*directory, in);
    return true;
}

const SchemaRow plugins_rows[] = {
    {.key = "directory",
        .type = SCHEMA_TEXT,
        .offset = AT(directory),
        .min = 1,
        .max = 4096,
        .check = directory_check,
        .remedy = "a folder's path",
        .doc = "Where the plugins' files are. TOCSIN_PLUGIN_DIR in the environment goes before it."},
    SCHEMA_END,
};

const SectionDescriptor plugins_section = {
    .key = "plugins", .doc = "Where plugins are found.", .size = sizeof(PluginsSection), .rows = plugins_rows};

/* --- receivers --- */

static const SchemaRow name_row = {.key = "name",
    .type = SCHEMA_TEXT,
    .min = 1,
    .max = RECEIVER_NAME_MAX,
    .required = true,
    .remedy = "a name of 1 to 255 characters",
    .doc = "What routes call it."};
enum { FALLBACK_LONGEST_S = 72 * 3600 }; /* then a notification is given up */

typedef struct FallbackKeys {
    const char *receiver;
    int64_t after_s;
} FallbackKeys;

const SchemaRow fallback_rows[] = {
    {.key = "receiver",
        .type = SCHEMA_TEXT,
        .offset = offsetof(FallbackKeys, receiver),
        .min = 1,
        .max = RECEIVER_NAME_MAX,
        .required = true,
        .remedy = "the name of another receiver",
        .doc = "Who gets what this receiver has failed to take. It is tried here all the same."},
    {.key = "after",
        .type = SCHEMA_DURATION,
        .offset = offsetof(FallbackKeys, after_s),
        .min = 1,
        .max = FALLBACK_LONGEST_S,
        .fallback = "10m",
        .remedy = "a duration, at least 1s and at most 72h",
        .doc = "For how long it must have failed."},
    SCHEMA_END,
};
static const SchemaRow fallback_row = {.key = "fallback",
    .type = SCHEMA_SECTION,
    .rows = fallback_rows,
    .remedy = "a section such as {receiver: lead, after: 10m}"};
static const char *const list_remedy = "a list of maps, each with a name and plugins";

/* One receiver while it is read. */
typedef struct Reading {
    Decoding *in;
    char *directory;
    Receiver *receiver;
    Channel *channels;
    bool good;
} Reading;

static bool refuse_plugin(Reading *reading, const Node *key, const Error *why) {
    static const char *const known[] = {"email", "exec", "fallback", "name", "sns", "webhook", NULL};
    const char *nearest = text_nearest(key->text, known);
    const char *meant = nearest ? arena_format(reading->in->arena, "did you mean `%s`? ", nearest) : "";
    const char *remedy = arena_format(reading->in->arena, "%sbuilt in are email, exec, sns and webhook", meant);
    problem_add(reading->in->problems, key->at, remedy, "no plugin `%.80s`: %s", key->text, why->text);
    return reading->good = false;
}

static void read_channel(
    Reading *reading, const Node *key, const Node *node, size_t index, const TocsinPlugin *plugin) {
    if (reading->receiver->channel_count == RECEIVER_CHANNELS_MAX) {
        reading->good = problem_add(reading->in->problems, node->at, "split it into several receivers",
            "more than %d channels in one receiver", RECEIVER_CHANNELS_MAX);
        return;
    }
    Channel *channel = &reading->channels[reading->receiver->channel_count++];
    channel->plugin = key->text;
    channel->index = index;
    channel->module = plugin;
    if (!channel_decode(reading->in, key, node, channel)) reading->good = false;
}

/* Every other key names a plugin; its value is one map, or a list of them. */
static void read_plugin(Reading *reading, const Node *key, const Node *value) {
    Error why = {0};
    bool absent = false;
    if (!plugin_name_ok(key->text)) {
        error_set(&why, ERROR_INPUT, "a plugin's name has letters, digits, `-` and `_` alone");
        refuse_plugin(reading, key, &why);
        return;
    }
    const TocsinPlugin *plugin = plugin_load(reading->directory, key->text, &absent, &why);
    if (!plugin) {
        if (absent)
            refuse_plugin(reading, key, &why);
        else
            reading->good = problem_add(reading->in->problems, key->at,
                "build it against this Tocsin's tocsin-plugin.h", "plugin `%s`: %s", key->text, why.text);
        return;
    }
    if (value->kind != NODE_LIST) {
        read_channel(reading, key, value, 0, plugin);
        return;
    }
    if (value->count == 0)
        reading->good =
            problem_add(reading->in->problems, value->at, "a map, or a list of maps", "%s: an empty list", key->text);
    for (size_t i = 0; i < value->count; i++) read_channel(reading, key, value->items[i], i, plugin);
}

static void read_fallback(Reading *reading, const Node *node) {
    FallbackKeys keys = {0};
    Receiver *receiver = reading->receiver;
    if (!schema_read_value(&fallback_row, node, &keys, reading->in)) reading->good = false;
    receiver->fallback = keys.receiver;
    receiver->fallback_after_s = keys.after_s;
    if (keys.receiver) receiver->fallback_at = node_get(node, "receiver")->at;
}

/* Room for every channel that `node` can have, within the bound. */
static size_t channels_in(const Node *node) {
    size_t count = 1;
    for (size_t i = 0; i < node->count; i++) {
        const Node *value = node->entries[i].value;
        count += value->kind == NODE_LIST ? value->count : 1;
    }
    return count < RECEIVER_CHANNELS_MAX ? count : RECEIVER_CHANNELS_MAX;
}

static void read_receiver(Reading *reading, const Node *node) {
    Decoding *in = reading->in;
    if (node->kind != NODE_MAP) {
        reading->receiver->at = node->at; /* what is checked across sections may point here */
        reading->good = problem_add(in->problems, node->at, list_remedy, "a receiver must be a map");
        return;
    }
    reading->channels = arena_alloc(in->arena, channels_in(node), sizeof *reading->channels);
    reading->receiver->channels = reading->channels;
    reading->receiver->at = node->count > 0 ? node->entries[0].key->at : node->at;
    const Node *name = node_get(node, "name");
    if (!name || node_is_null(name))
        reading->good = problem_add(in->problems, reading->receiver->at, name_row.remedy, "`name` is missing");
    else if (schema_read_value(&name_row, name, &reading->receiver->name, in))
        reading->receiver->at = name->at;
    else
        reading->good = false;
    for (size_t i = 0; i < node->count; i++) {
        const NodeEntry *entry = &node->entries[i];
        if (strcmp(entry->key->text, "name") == 0) continue;
        if (strcmp(entry->key->text, "fallback") == 0)
            read_fallback(reading, entry->value);
        else
            read_plugin(reading, entry->key, entry->value);
    }
}

static bool refuse_twin(Decoding *in, const Receiver *receivers, size_t count) {
    const Receiver *last = &receivers[count];
    if (!last->name) return true;
    for (size_t i = 0; i < count; i++)
        if (receivers[i].name && strcmp(receivers[i].name, last->name) == 0)
            return problem_add(in->problems, last->at, "names are unique",
                "a receiver `%.80s` stands already in line %u of %s", last->name, receivers[i].at.line,
                receivers[i].at.file);
    return true;
}

static bool receivers_decode(Decoding *in, const Node *node, void *section) {
    ReceiversSection *into = section;
    if (node_is_null(node)) return true;
    if (node->kind != NODE_LIST) return problem_add(in->problems, node->at, list_remedy, "receivers must be a list");
    if (node->count > RECEIVERS_MAX)
        return problem_add(in->problems, node->at, "fewer", "more than %d receivers", RECEIVERS_MAX);
    const PluginsSection *plugins = snapshot_section(in->snapshot, &plugins_section);
    OWN(text) char *directory = plugin_directory(plugins ? plugins->directory : NULL);
    Receiver *receivers = arena_alloc(in->arena, node->count + 1, sizeof *receivers);
    bool good = true;
    for (size_t i = 0; i < node->count; i++) {
        Reading reading = {.in = in, .directory = directory, .receiver = &receivers[i], .good = true};
        read_receiver(&reading, node->items[i]);
        good = refuse_twin(in, receivers, i) && reading.good && good;
    }
    into->receivers = receivers;
    into->count = node->count;
    return good;
}

const SectionDescriptor receivers_section = {.key = "receivers",
    .doc = "Who is told: each a name and, under the names of plugins, the ways to reach them.",
    .size = sizeof(ReceiversSection),
    .decode = receivers_decode};

const Receiver *receiver_find(const ReceiversSection *section, const char *name) {
    for (size_t i = 0; i < section->count; i++)
        if (section->receivers[i].name && strcmp(section->receivers[i].name, name) == 0) return &section->receivers[i];
    return NULL;
}
