/* YAML as a tree that remembers where each thing stands. Made from libyaml's events, with bounds on size, depth, events
 * and alias expansion. The nodes live in one arena, their texts and files' names in another (or the same): who decodes
 * a tree keeps the texts and lets the nodes go. Also finds what YAML hides: duplicate keys, tabs, an alias where a `*`
 * was meant. */
#ifndef TOCSIN_CONFIG_NODE_H
#define TOCSIN_CONFIG_NODE_H

#include "base/arena.h"
#include "base/problems.h"

#include <string.h>

enum {
    YAML_FILE_MAX = 1 << 20, /* bytes, one file */
    YAML_ALL_MAX = 8 << 20, /* bytes, with includes */
    YAML_DEPTH_MAX = 64,
    YAML_EVENTS_MAX = 200000,
    YAML_EXPANDED_MAX = 100000 /* nodes that aliases stand for */
};

typedef enum { NODE_SCALAR, NODE_LIST, NODE_MAP } NodeKind;
typedef struct Node Node;
typedef struct NodeEntry {
    const Node *key; /* always a scalar */
    const Node *value;
} NodeEntry;
struct Node { /* small: an alarm has 25 of them */
    Place at;
    const char *text; /* scalar: its value, a zero byte behind; without NUL inside */
    union {
        const Node *const *items; /* list */
        const NodeEntry *entries; /* map, in file order */
    };
    uint32_t length; /* scalar, in bytes */
    uint32_t count; /* list, map */
    NodeKind kind;
    bool quoted; /* scalar: in quotes or a block, so it is text whatever it looks like */
};

/* Parses one file's text. NULL (problems were added) when it has a syntax error or breaks a bound; an empty file is an
 * empty map. `file` is kept. */
const Node *node_parse(Arena *nodes, Arena *texts, const char *file, const char *text, size_t length, Problems *all);
/* The same for a file of several documents (`---`): the roots of those that are not empty, in order. NULL: problems. */
const Node *const *node_parse_all(
    Arena *nodes, Arena *texts, const char *file, const char *text, size_t length, size_t *ret_count, Problems *all);
/* Of words most differ in the first letter: a call saved for each, of which an alarm has hundreds. */
static inline bool same_word(const char *a, const char *b) { return *a == *b && strcmp(a, b) == 0; }
/* FNV-1a, for a few slots of what is recent: `hash` is WORD_HASH, or what came before. A collision costs a copy. */
#define WORD_HASH UINT32_C(2166136261)
static inline uint32_t word_hash(uint32_t hash, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619;
    return hash;
}
static inline size_t word_slot(uint32_t hash, size_t slots) { return (hash ^ hash >> 16) % slots; }

const Node *node_get(const Node *map, const char *key); /* NULL where absent or `map` is no map or NULL */
const NodeEntry *node_entry(const Node *map, const char *key);
bool node_is_null(const Node *node); /* NULL, or an unquoted empty scalar, `~`, `null` */

#endif
