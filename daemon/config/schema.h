/* One row a configuration key: reader, checks, nearest-key hints, manual and JSON schema all come from it. A section's
 * rows stand with its owner; the machinery is here and knows no section. */
#ifndef TOCSIN_CONFIG_SCHEMA_H
#define TOCSIN_CONFIG_SCHEMA_H

#include "base/secret.h"
#include "config/node.h"

#include <stdint.h>

typedef struct Snapshot Snapshot;

/* One load of a configuration, handed to every decoder. */
typedef struct Decoding {
    Arena *arena; /* the snapshot's: what is decoded lives there, and all texts that nodes have */
    Arena *nodes; /* the nodes themselves: gone when the load is done */
    Problems *problems;
    Snapshot *snapshot; /* half-built: earlier sections may be asked for */
    const char *directory; /* of the main file: relative paths are relative to it */
    bool check_only; /* --check: an absent secret's file is a warning, nothing is opened or made */
    const char *subject; /* the name of the thing (an alarm) that is being decoded; NULL: none, or not known */
} Decoding;

typedef enum {
    SCHEMA_TEXT, /* const char *;        min..max characters (max 0: 4096) */
    SCHEMA_INTEGER, /* int64_t;             min..max */
    SCHEMA_NUMBER, /* double;              min..max, or any if both are 0 */
    SCHEMA_BOOL, /* bool */
    SCHEMA_DURATION, /* int64_t, seconds;    min..max */
    SCHEMA_CHOICE, /* int: index in `choices` (aliases: see `choice_values`) */
    SCHEMA_TEXTS, /* TextList; min..max items; one scalar stands for a list of one */
    SCHEMA_MAP, /* TextMap: name to text; values are scalars */
    SCHEMA_SECTION, /* struct in place, by `rows`; all its fallbacks apply where it is absent */
    SCHEMA_SECTIONS, /* SectionList: a list of maps, each by `rows`, each `size` bytes; min..max items */
    SCHEMA_SECRET, /* const Secret *: the key is `X_file`; read from $CREDENTIALS_DIRECTORY or beside the file; NULL
                      where absent under check_only */
    SCHEMA_NODE, /* const Node *: as it is, decoded by its owner in `decode`; nothing behind the load may look at it */
    SCHEMA_LATER /* known, and what it configures does not exist yet: refused, saying so */
} SchemaType;

typedef struct TextList {
    size_t count;
    const char *const *texts;
    const Place *places; /* during the load */
} TextList;
typedef struct TextMap {
    size_t count;
    const char *const *names, *const *texts;
    const Place *places; /* of the names, during the load */
} TextMap;
typedef struct SectionList {
    size_t count;
    void *items; /* `count` structs of the row's `size`, one behind the other */
    const Node *const *nodes; /* during the load */
} SectionList;

typedef struct SchemaRow SchemaRow;
struct SchemaRow {
    const char *key; /* a row with key NULL ends the table */
    SchemaType type;
    size_t offset; /* in the section's struct */
    double min, max;
    const char *fallback; /* as text would stand in YAML; NULL: none (the zero value; see `required`) */
    bool required;
    const char *const *choices; /* ends at NULL */
    const int *choice_values; /* parallel to choices, where two words mean one thing; NULL: the index */
    const SchemaRow *rows; /* SECTION, SECTIONS */
    size_t size; /* SECTIONS: of one item */
    bool (*check)(const SchemaRow *row, const void *value, const Node *node,
        Decoding *in); /* after the range; adds its own problem */
    size_t set_offset; /* where nonzero: a bool at this offset becomes true when the key was given */
    bool multiline; /* TEXT, TEXTS, MAP: line breaks and tabs are allowed, as in a description */
    const char *remedy; /* what would be right: `a whole number from 1 to 10080` */
    const char *doc; /* one or two sentences for the manual */
};
#define SCHEMA_END \
    { .key = NULL }

enum {
    SCHEMA_TEXT_MAX = 4096, /* characters, where the row names no bound */
    SCHEMA_ITEMS_MAX = 10000 /* of a list or a map, where the row names no bound */
};

/* Reads a map by its rows into `into` (zeroed by the caller): unknown keys (nearest known named), wrong types, ranges
 * and missing keys become problems, all of them. `node` NULL or null: every fallback applies, and what is required is
 * missed at `section` (the place of the section's first key, or of the section). False if it added any error. */
bool schema_read(const SchemaRow *rows, const Node *node, Place section, void *into, Decoding *in);
/* One value by one row, for a list's items or a key that its owner found itself. */
bool schema_read_value(const SchemaRow *row, const Node *node, void *value, Decoding *in);
/* Tells of a key that is none of `known` (ends at NULL), with the nearest of them. Always false. */
bool schema_unknown(const Node *key, const char *const *known, Decoding *in);
/* A secret's file, found and read as SCHEMA_SECRET does; NULL with a problem (or, check_only, a warning). Owned by the
 * snapshot. */
const Secret *schema_secret(const Node *node, Decoding *in);
/* A relative path made relative to the configuration's folder; in the arena. */
const char *schema_path(const char *path, Decoding *in);
/* mdoc(7) of the rows: `.It Cm key`, doc, what is allowed, default; nested sections indented. */
void schema_man(const SchemaRow *rows, FILE *out);
/* A text of a table for mdoc(7): escaped, a line a sentence, short lines. */
void manual_text(const char *text, FILE *out);

#endif
