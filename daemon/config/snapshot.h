/* A configuration: immutable, reference-counted, one arena, one typed struct a section. Loaded and checked on the pool
 * or before the loop runs; a poll or a delivery in flight keeps the snapshot that it began with. References are counted
 * atomically; the sections are read on any thread. */
#ifndef TOCSIN_CONFIG_SNAPSHOT_H
#define TOCSIN_CONFIG_SNAPSHOT_H

#include "config/schema.h"

typedef struct SectionDescriptor {
    const char *key, *doc; /* top-level key */
    size_t size; /* of its struct */
    const SchemaRow *rows; /* NULL: `decode` reads the node itself (a list) */
    /* After the rows (or instead of them): what rows cannot say. `node` NULL where the section is absent; it runs all
     * the same, and after errors too. False if it added an error. */
    bool (*decode)(Decoding *in, const Node *node, void *section);
    void (*destroy)(void *section); /* for what does not live in the arena; the section may be as zeroed */
    bool later; /* the whole section does not exist yet: refused, saying so */
} SectionDescriptor;

enum { INCLUDE_FILES_MAX = 1000 };

/* What stands in daemon/load.c: the sections in order of decoding, and the checks across them. */
typedef struct SnapshotSchema {
    const SectionDescriptor *const *sections; /* ends at NULL */
    bool (*cross_check)(Decoding *in); /* NULL: none. Runs after errors too: all problems are told at once */
} SnapshotSchema;

/* Reads the file and its includes, decodes every section, checks across. Always gives back what it could read: look at
 * problems_errors(). NULL only where nothing could be read at all. One reference is the caller's. Blocks on file reads:
 * before the loop, or on the pool. */
Snapshot *snapshot_load(const SnapshotSchema *schema, const char *file, bool check_only, Problems *all);
Snapshot *snapshot_ref(Snapshot *snapshot);
Snapshot *snapshot_free(Snapshot *snapshot); /* drops one reference; NULL is fine; returns NULL */
OWN_DEFINE(Snapshot, snapshot)

const void *snapshot_section(
    const Snapshot *snapshot, const SectionDescriptor *section); /* never NULL for a known one */
void *snapshot_section_mutable(Snapshot *snapshot, const SectionDescriptor *section); /* while it is being built */
const char *snapshot_file(const Snapshot *snapshot);
/* Secrets that belong to the snapshot, by number from 1: what a plugin gets in place of a text. */
size_t snapshot_secret_add(Snapshot *snapshot, Secret *take_secret);
const Secret *snapshot_secret(const Snapshot *snapshot, size_t number); /* NULL for an unknown number */

#endif
