#include "config/snapshot.h"

#include "base/alloc.h"
#include "config/merge.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct Snapshot {
    atomic_size_t references;
    Arena *arena;
    const SnapshotSchema *schema;
    const char *file;
    void **sections; /* parallel to the schema's */
    Secret **secrets;
    size_t secret_count;
};

static size_t section_count(const SnapshotSchema *schema) {
    size_t count = 0;
    while (schema->sections[count]) count++;
    return count;
}

static Snapshot *snapshot_new(const SnapshotSchema *schema, const char *file) {
    Snapshot *snapshot = alloc_zeroed(1, sizeof *snapshot);
    const size_t count = section_count(schema);
    atomic_init(&snapshot->references, 1);
    snapshot->arena = arena_new();
    snapshot->schema = schema;
    snapshot->file = arena_text(snapshot->arena, file);
    snapshot->sections = arena_alloc(snapshot->arena, count, sizeof *snapshot->sections);
    for (size_t i = 0; i < count; i++)
        snapshot->sections[i] = arena_alloc(snapshot->arena, 1, schema->sections[i]->size);
    return snapshot;
}

Snapshot *snapshot_ref(Snapshot *snapshot) {
    if (snapshot) atomic_fetch_add(&snapshot->references, 1);
    return snapshot;
}

Snapshot *snapshot_free(Snapshot *snapshot) {
    if (!snapshot || atomic_fetch_sub(&snapshot->references, 1) > 1) return NULL;
    for (size_t i = section_count(snapshot->schema); i--;) {
        const SectionDescriptor *section = snapshot->schema->sections[i];
        if (section->destroy) section->destroy(snapshot->sections[i]);
    }
    for (size_t i = 0; i < snapshot->secret_count; i++) secret_free(snapshot->secrets[i]);
    free(snapshot->secrets);
    arena_free(snapshot->arena);
    free(snapshot);
    return NULL;
}

static void decode_section(const SectionDescriptor *section, const NodeEntry *entry, void *into, Decoding *in) {
    const Place start = {in->snapshot->file, 1, 1};
    const Node *node = entry ? entry->value : NULL;
    if (section->later) {
        if (!entry) return;
        problem_add(in->problems, entry->key->at, "remove it, or wait for a later version",
            "`%s` does not exist in this version of Tocsin", section->key);
        return;
    }
    if (section->rows && node && node->kind != NODE_MAP && !node_is_null(node)) {
        problem_add(in->problems, node->at, "a map of keys to values, such as `{key: value}`",
            "`%s` must be a section with keys of its own", section->key);
        node = NULL;
    }
    if (section->rows) schema_read(section->rows, node, entry ? entry->key->at : start, into, in);
    if (section->decode) section->decode(in, node, into);
}

Snapshot *snapshot_load(const SnapshotSchema *schema, const char *file, bool check_only, Problems *all) {
    OWN(snapshot) Snapshot *half = snapshot_new(schema, file);
    OWN(arena) Arena *nodes = arena_new(); /* most of what a load takes */
    Decoding in = {.arena = half->arena,
        .nodes = nodes,
        .problems = all,
        .snapshot = half,
        .directory = folder_of(half->arena, half->file),
        .check_only = check_only};
    NodeEntry *entries = arena_alloc(nodes, section_count(schema), sizeof *entries);
    if (!merge_files(&in, half->file, schema->sections, entries)) return NULL;
    for (size_t i = 0; schema->sections[i]; i++) {
        decode_section(schema->sections[i], entries[i].key ? &entries[i] : NULL, half->sections[i], &in);
    }
    if (schema->cross_check) schema->cross_check(&in);
    return GIVE(half);
}

void *snapshot_section_mutable(Snapshot *snapshot, const SectionDescriptor *section) {
    for (size_t i = 0; snapshot->schema->sections[i]; i++) {
        if (snapshot->schema->sections[i] == section) return snapshot->sections[i];
    }
    abort(); /* a section that stands in no table: the caller's mistake */
}

const void *snapshot_section(const Snapshot *snapshot, const SectionDescriptor *section) {
    return snapshot_section_mutable((Snapshot *)(uintptr_t)snapshot, section);
}

const char *snapshot_file(const Snapshot *snapshot) { return snapshot->file; }

size_t snapshot_secret_add(Snapshot *snapshot, Secret *take_secret) {
    snapshot->secrets = alloc_again(snapshot->secrets, snapshot->secret_count + 1, sizeof(Secret *));
    snapshot->secrets[snapshot->secret_count++] = take_secret;
    return snapshot->secret_count;
}

const Secret *snapshot_secret(const Snapshot *snapshot, size_t number) {
    return number && number <= snapshot->secret_count ? snapshot->secrets[number - 1] : NULL;
}
