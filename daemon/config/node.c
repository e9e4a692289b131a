#include "config/node.h"

#include "base/alloc.h"
#include "base/table.h"
#include "base/text.h"
#include "config/syntax.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { RECENT_TEXTS = 1024, RECENT_LENGTH_MAX = 64, FEW_KEYS = 16 };

/* A node while the file is read. */
typedef struct Built {
    Node *node;
    size_t size; /* nodes in it, aliases followed */
    size_t height; /* levels below and including it */
    bool open; /* its end was not read yet: an alias to it would never end */
} Built;

typedef struct Anchor {
    UT_hash_handle hh;
    Built *target; /* the latest of its name */
    char name[];
} Anchor;

typedef struct Reader {
    yaml_parser_t parser;
    Source source;
    Arena *nodes, *texts;
    Arena *scratch; /* until the file is read */
    Problems *problems;
    Anchor *anchors;
    size_t depth, events, expanded;
    const char *recent[RECENT_TEXTS]; /* by their hash */
} Reader;

/* Keys, and many values, come again and again: the last text of each hash is kept once. */
static const char *text_keep(Reader *reader, const char *text, size_t length) {
    if (length > RECENT_LENGTH_MAX) return arena_text_length(reader->texts, text, length);
    const char **recent = &reader->recent[word_slot(word_hash(WORD_HASH, text, length), RECENT_TEXTS)];
    if (!*recent || strcmp(*recent, text) != 0) *recent = arena_text_length(reader->texts, text, length);
    return *recent;
}

#define OWN_EVENT __attribute__((cleanup(yaml_event_delete)))

static Place place_of(const Reader *reader, yaml_mark_t mark) {
    return source_place(&reader->source, mark.line, mark.column);
}

static bool next_event(Reader *reader, yaml_event_t *ret_event) {
    if (!yaml_parser_parse(&reader->parser, ret_event)) {
        return syntax_problem(&reader->parser, &reader->source, reader->problems);
    }
    if (++reader->events <= YAML_EVENTS_MAX) return true;
    return problem_add(reader->problems, place_of(reader, ret_event->start_mark), "split the file",
        "more than %d values and brackets in one file", YAML_EVENTS_MAX);
}

static Built *built_new(Reader *reader, NodeKind kind, yaml_mark_t mark) {
    Built *built = arena_alloc(reader->scratch, 1, sizeof *built);
    *built = (Built){.node = arena_alloc(reader->nodes, 1, sizeof *built->node), .size = 1, .height = 1};
    *built->node = (Node){.kind = kind, .at = place_of(reader, mark)};
    return built;
}

static void anchor_set(Reader *reader, const yaml_char_t *name, Built *target) {
    if (!name) return;
    Anchor *anchor = NULL;
    const char *text = (const char *)name;
    HASH_FIND_STR(reader->anchors, text, anchor);
    if (!anchor) {
        const size_t length = strlen(text);
        anchor = arena_alloc(reader->scratch, 1, sizeof *anchor + length + 1);
        memcpy(anchor->name, text, length);
        HASH_ADD_STR(reader->anchors, name, anchor);
    }
    anchor->target = target;
}

static Built *read_alias(Reader *reader, const yaml_event_t *event) {
    const Place at = place_of(reader, event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    Anchor *anchor = NULL;
    HASH_FIND_STR(reader->anchors, name, anchor);
    if (!anchor) {
        OWN(text) char *remedy = text_format("quote it if the star belongs to the text: \"*%s\"", name);
        return problem_add(reader->problems, at, remedy, "`*%s` refers to an anchor that is not there", name), NULL;
    }
    if (anchor->target->open) {
        return problem_add(reader->problems, at, "write it out", "`*%s` stands inside of what it refers to", name),
               NULL;
    }
    reader->expanded += anchor->target->size; /* at most YAML_EXPANDED_MAX were added before: cannot overflow */
    if (reader->expanded > YAML_EXPANDED_MAX) {
        return problem_add(reader->problems, at, "use fewer aliases", "aliases stand for more than %d values",
                   YAML_EXPANDED_MAX),
               NULL;
    }
    if (reader->depth + anchor->target->height > YAML_DEPTH_MAX) {
        return problem_add(reader->problems, at, "flatten it", "nested deeper than %d levels", YAML_DEPTH_MAX), NULL;
    }
    return anchor->target;
}

/* Tags of the core schema change nothing, except that `!!str` and `!` say text as quotes do. */
static bool check_tag(Reader *reader, const yaml_event_t *event, const yaml_char_t *tag, bool *ret_text) {
    static const char core[] = "tag:yaml.org,2002:";
    static const char *const known[] = {"str", "int", "float", "bool", "null", "map", "seq"};
    const char *name = (const char *)tag;
    *ret_text = tag && (!strcmp(name, "!") || !strcmp(name, "tag:yaml.org,2002:str"));
    if (!tag || *ret_text) return true;
    for (size_t i = 0; i < COUNT_OF(known) && !strncmp(name, core, sizeof core - 1); i++) {
        if (!strcmp(name + sizeof core - 1, known[i])) return true;
    }
    return problem_add(
        reader->problems, place_of(reader, event->start_mark), "remove it", "the tag `%.80s` means nothing here", name);
}

static Built *read_scalar(Reader *reader, const yaml_event_t *event) {
    Built *built = built_new(reader, NODE_SCALAR, event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    bool tagged;
    if (!check_tag(reader, event, event->data.scalar.tag, &tagged)) return NULL;
    if (memchr(text, '\0', event->data.scalar.length)) {
        return problem_add(reader->problems, built->node->at, "remove it", "a NUL character in a text"), NULL;
    }
    built->node->length = (uint32_t)event->data.scalar.length; /* of YAML_FILE_MAX at most */
    built->node->text = text_keep(reader, text, event->data.scalar.length);
    built->node->quoted = tagged || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    anchor_set(reader, event->data.scalar.anchor, built);
    return built;
}

static Built *read_node(Reader *reader, const yaml_event_t *event);

static void grow_by(Built *parent, const Built *child) {
    parent->size += child->size;
    if (child->height + 1 > parent->height) parent->height = child->height + 1;
}

static void list_push(const Node ***items, size_t count, const Node *item) {
    if ((count & (count - 1)) == 0) *items = alloc_again((void *)*items, count ? 2 * count : 1, sizeof **items);
    (*items)[count] = item;
}

/* The list in the arena; its own memory is freed. */
static const Node **list_keep(Arena *arena, const Node **take_items, size_t count) {
    const Node **kept = arena_alloc(arena, count, sizeof *kept);
    if (count) memcpy((void *)kept, (const void *)take_items, count * sizeof *kept);
    free((void *)take_items);
    return kept;
}

/* Children up to `end`, keys and values in turn for a map; caller frees. False: a problem was added. */
static bool read_children(
    Reader *reader, Built *parent, yaml_event_type_t end, size_t *ret_count, const Node ***ret_items) {
    const Node **items = NULL;
    size_t count = 0;
    for (;;) {
        OWN_EVENT yaml_event_t event = {0};
        if (!next_event(reader, &event)) break;
        if (event.type == end) {
            *ret_count = count;
            *ret_items = items;
            return true;
        }
        const Built *child = read_node(reader, &event);
        if (!child) break;
        grow_by(parent, child);
        list_push(&items, count++, child->node);
    }
    free((void *)items);
    return false;
}

typedef struct Keyed {
    const NodeEntry *entry;
    size_t index;
} Keyed;

static int by_key(const void *a, const void *b) {
    const Keyed *x = a, *y = b;
    const int order = strcmp(x->entry->key->text, y->entry->key->text);
    return order ? order : x->index < y->index ? -1 : 1;
}

/* Few keys are compared with one another faster than they are sorted. */
static bool may_have_duplicates(const Node *map, const NodeEntry *entries) {
    if (map->count > FEW_KEYS) return true;
    for (size_t i = 1; i < map->count; i++)
        for (size_t j = 0; j < i; j++)
            if (same_word(entries[i].key->text, entries[j].key->text)) return true;
    return false;
}

/* The second of a kind is told and left out: YAML forbids it, and most readers take the last in silence. */
static void drop_duplicates(Reader *reader, Node *map, NodeEntry *entries) {
    if (!may_have_duplicates(map, entries)) return;
    Keyed *sorted = alloc_zeroed(map->count, sizeof *sorted);
    for (size_t i = 0; i < map->count; i++) sorted[i] = (Keyed){&entries[i], i};
    qsort(sorted, map->count, sizeof *sorted, by_key);
    bool *twice = alloc_zeroed(map->count, sizeof *twice);
    const Node *first = NULL;
    for (size_t i = 0; i < map->count; i++) {
        const Node *key = sorted[i].entry->key;
        twice[sorted[i].index] = first && !strcmp(first->text, key->text);
        if (!twice[sorted[i].index]) {
            first = key;
            continue;
        }
        problem_add(reader->problems, key->at, "keep one of them", "`%.80s` is given twice, first at line %u",
            key->text, first->at.line);
    }
    uint32_t kept = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (!twice[i]) entries[kept++] = entries[i];
    }
    map->count = kept;
    free(sorted);
    free(twice);
}

static bool fill_map(Reader *reader, Built *built) {
    size_t count;
    const Node **items;
    if (!read_children(reader, built, YAML_MAPPING_END_EVENT, &count, &items)) return false;
    NodeEntry *entries = arena_alloc(reader->nodes, count / 2, sizeof *entries);
    for (size_t i = 0; i < count / 2; i++) entries[i] = (NodeEntry){items[2 * i], items[2 * i + 1]};
    free((void *)items);
    for (size_t i = 0; i < count / 2; i++) {
        if (entries[i].key->kind == NODE_SCALAR) continue;
        return problem_add(reader->problems, entries[i].key->at, "quote it if the brackets belong to the text",
            "a key must be a plain word");
    }
    built->node->count = (uint32_t)(count / 2); /* of YAML_EVENTS_MAX at most */
    built->node->entries = entries;
    drop_duplicates(reader, built->node, entries);
    return true;
}

static bool fill_list(Reader *reader, Built *built) {
    size_t count;
    const Node **items;
    if (!read_children(reader, built, YAML_SEQUENCE_END_EVENT, &count, &items)) return false;
    built->node->count = (uint32_t)count;
    built->node->items = list_keep(reader->nodes, items, count);
    return true;
}

static Built *read_collection(Reader *reader, const yaml_event_t *event) {
    const bool is_map = event->type == YAML_MAPPING_START_EVENT;
    Built *built = built_new(reader, is_map ? NODE_MAP : NODE_LIST, event->start_mark);
    bool text;
    if (reader->depth == YAML_DEPTH_MAX) {
        return problem_add(
                   reader->problems, built->node->at, "flatten it", "nested deeper than %d levels", YAML_DEPTH_MAX),
               NULL;
    }
    if (!check_tag(reader, event, is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag, &text))
        return NULL;
    anchor_set(reader, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, built);
    built->open = true;
    reader->depth++;
    const bool whole = is_map ? fill_map(reader, built) : fill_list(reader, built);
    reader->depth--;
    built->open = false;
    return whole ? built : NULL;
}

static Built *read_node(Reader *reader, const yaml_event_t *event) {
    if (event->type == YAML_ALIAS_EVENT) return read_alias(reader, event);
    if (event->type == YAML_SCALAR_EVENT) return read_scalar(reader, event);
    return read_collection(reader, event);
}

/* Through the events of a stream, a root a document, as a list; `one`: a second document is a problem. NULL: a problem
 * was added. */
static const Node **read_documents(Reader *reader, bool one, size_t *ret_count) {
    const Node **roots = NULL;
    size_t count = 0;
    for (;;) {
        OWN_EVENT yaml_event_t event = {0};
        if (!next_event(reader, &event)) break;
        if (event.type == YAML_STREAM_END_EVENT) {
            *ret_count = count;
            return list_keep(reader->nodes, roots, count);
        }
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_END_EVENT) continue;
        if (event.type == YAML_DOCUMENT_START_EVENT) {
            HASH_CLEAR(hh, reader->anchors); /* an anchor ends with its document */
            if (!count || !one) continue;
            problem_add(reader->problems, place_of(reader, event.start_mark), "one a file; use `include`",
                "a second YAML document begins here");
            break;
        }
        const Built *root = read_node(reader, &event);
        if (!root) break;
        list_push(&roots, count++, root->node);
    }
    free((void *)roots);
    return NULL;
}

static const Node **parse_text(Arena *nodes, Arena *texts, const char *file, const char *text, size_t length, bool one,
    size_t *ret_count, Problems *all) {
    OWN(arena) Arena *scratch = arena_new();
    Reader reader = {.nodes = nodes, .texts = texts, .scratch = scratch, .problems = all};
    if (!source_open(&reader.source, arena_text(texts, file), text, length, all)) return NULL;
    if (!yaml_parser_initialize(&reader.parser)) abort();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.source.text, reader.source.length);
    const Node **roots = read_documents(&reader, one, ret_count);
    yaml_parser_delete(&reader.parser);
    HASH_CLEAR(hh, reader.anchors);
    return roots;
}

const Node *node_parse(Arena *nodes, Arena *texts, const char *file, const char *text, size_t length, Problems *all) {
    size_t count;
    const Node **roots = parse_text(nodes, texts, file, text, length, true, &count, all);
    if (!roots) return NULL;
    if (count && !node_is_null(roots[0])) return roots[0];
    Node *empty = arena_alloc(nodes, 1, sizeof *empty);
    *empty = (Node){.kind = NODE_MAP, .at = {arena_text(texts, file), 1, 1}};
    return empty;
}

const Node *const *node_parse_all(
    Arena *nodes, Arena *texts, const char *file, const char *text, size_t length, size_t *ret_count, Problems *all) {
    const Node **roots = parse_text(nodes, texts, file, text, length, false, ret_count, all);
    size_t kept = 0;
    for (size_t i = 0; roots && i < *ret_count; i++) {
        if (!node_is_null(roots[i])) roots[kept++] = roots[i];
    }
    if (roots) *ret_count = kept;
    return roots;
}

const NodeEntry *node_entry(const Node *map, const char *key) {
    if (!map || map->kind != NODE_MAP) return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (same_word(map->entries[i].key->text, key)) return &map->entries[i];
    }
    return NULL;
}

const Node *node_get(const Node *map, const char *key) {
    const NodeEntry *entry = node_entry(map, key);
    return entry ? entry->value : NULL;
}

bool node_is_null(const Node *node) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (!node) return true;
    if (node->kind != NODE_SCALAR || node->quoted) return false;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!strcmp(node->text, words[i])) return true;
    }
    return false;
}
