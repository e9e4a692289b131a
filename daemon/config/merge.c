#include "config/merge.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/file.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What several files put into one list. Joined once, at the end: joining at each file would copy the first a thousand
 * times. */
typedef struct Parts {
    const Node **items;
    size_t count, lists;
} Parts;

typedef struct Merge {
    Decoding *in;
    const SectionDescriptor *const *sections;
    NodeEntry *entries;
    const char *main_file;
    const char *files[INCLUDE_FILES_MAX]; /* those included, each once */
    size_t file_count, bytes;
    Parts *parts; /* parallel to the sections */
} Merge;

const char *folder_of(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return arena_text(arena, ".");
    return slash == path ? arena_text(arena, "/") : arena_text_length(arena, path, (size_t)(slash - path));
}

/* NULL: it could not be read; problems were added. */
static const Node *read_file(Merge *merge, const char *file) {
    const Place start = {file, 1, 1};
    Error err = {0};
    size_t length;
    OWN(text) char *text = file_read(file, YAML_FILE_MAX, &length, NULL, &err);
    if (!text)
        return problem_add(merge->in->problems, start, "a YAML file that Tocsin may read", "the file %s", err.text),
               NULL;
    merge->bytes += length;
    if (merge->bytes > YAML_ALL_MAX) {
        problem_add(
            merge->in->problems, start, "include less", "all files together are longer than %d bytes", YAML_ALL_MAX);
        return NULL;
    }
    const Node *root = node_parse(merge->in->nodes, merge->in->arena, file, text, length, merge->in->problems);
    if (!root || root->kind == NODE_MAP) return root;
    problem_add(merge->in->problems, root->at, "begin with a key, such as `alarms:`", "the file is no map of sections");
    return NULL;
}

static void parts_add(Parts *parts, const Node *list) {
    parts->items = alloc_again((void *)parts->items, parts->count + list->count, sizeof *parts->items);
    for (size_t i = 0; i < list->count; i++) parts->items[parts->count + i] = list->items[i];
    parts->count += list->count;
    parts->lists++;
}

/* Lists are joined, in the order of the files; anything else may be given once. */
static void join_entry(Merge *merge, size_t section, const NodeEntry *entry) {
    NodeEntry *into = &merge->entries[section];
    const bool list = entry->value->kind == NODE_LIST;
    if (!into->key || node_is_null(into->value)) {
        *into = *entry;
    } else if (!node_is_null(entry->value) && !(list && into->value->kind == NODE_LIST)) {
        problem_add(merge->in->problems, entry->key->at, "keep one of them; only lists are joined",
            "`%s` is given twice, first in %s:%u", entry->key->text, into->key->at.file, into->key->at.line);
        return;
    }
    if (list) parts_add(&merge->parts[section], entry->value);
}

static void join_parts(Merge *merge) {
    for (size_t i = 0; merge->sections[i]; i++) {
        const Parts *parts = &merge->parts[i];
        if (parts->lists > 1) {
            const Node **items = arena_alloc(merge->in->nodes, parts->count, sizeof *items);
            for (size_t j = 0; j < parts->count; j++) items[j] = parts->items[j];
            Node *joined = arena_alloc(merge->in->nodes, 1, sizeof *joined);
            *joined = *merge->entries[i].value;
            joined->items = items;
            joined->count = (uint32_t)parts->count; /* of YAML_ALL_MAX bytes at most */
            merge->entries[i].value = joined;
        }
        free((void *)parts->items);
    }
}

static void unknown_section(Merge *merge, const Node *key) {
    size_t count = 0, known = 0;
    while (merge->sections[count]) count++;
    const char **words = alloc_zeroed(count + 2, sizeof *words);
    words[known++] = "include";
    for (size_t i = 0; i < count; i++) {
        if (!merge->sections[i]->later) words[known++] = merge->sections[i]->key;
    }
    schema_unknown(key, words, merge->in);
    free((void *)words);
}

static void join_file(Merge *merge, const Node *root) {
    for (size_t i = 0; i < root->count; i++) {
        const NodeEntry *entry = &root->entries[i];
        if (!strcmp(entry->key->text, "include")) {
            if (!strcmp(entry->key->at.file, merge->main_file)) continue;
            problem_add(merge->in->problems, entry->key->at, "name the files in the main file",
                "`include` works in the main file only");
            continue;
        }
        size_t found = 0;
        while (merge->sections[found] && strcmp(merge->sections[found]->key, entry->key->text) != 0) found++;
        if (merge->sections[found]) {
            join_entry(merge, found, entry);
        } else {
            unknown_section(merge, entry->key);
        }
    }
}

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A pattern may meet the main file, or what another met: each is read once. */
static void include_file(Merge *merge, const char *file, Place at) {
    if (same_file(file, merge->main_file)) return;
    for (size_t i = 0; i < merge->file_count; i++) {
        if (!strcmp(merge->files[i], file)) return;
    }
    if (merge->file_count == INCLUDE_FILES_MAX) {
        problem_add(merge->in->problems, at, "join some of them", "more than %d files are included; %s is left out",
            INCLUDE_FILES_MAX, file);
        return;
    }
    const char *kept = arena_text(merge->in->arena, file);
    merge->files[merge->file_count++] = kept;
    const Node *root = read_file(merge, kept);
    if (root) join_file(merge, root);
}

/* A folder's own name may hold what a pattern would read as a wildcard. */
static char *pattern_of(const char *folder, const char *glob_text) {
    Buffer pattern = BUFFER(64 * 1024);
    if (*glob_text != '/' && strcmp(folder, ".") != 0) {
        for (const char *p = folder; *p; p++) {
            if (strchr("*?[\\", *p)) buffer_text(&pattern, "\\");
            buffer_add(&pattern, p, 1);
        }
        if (strcmp(folder, "/") != 0) buffer_text(&pattern, "/");
    }
    buffer_text(&pattern, glob_text);
    return buffer_take(&pattern);
}

/* A folder that is not there holds nothing; one that cannot be read may hold alarms. */
static int folder_failed(const char *path, int why) {
    (void)path;
    return why != ENOENT && why != ENOTDIR;
}

static void include_pattern(Merge *merge, const char *text, Place at) {
    Problems *all = merge->in->problems;
    OWN(text) char *pattern = pattern_of(merge->in->directory, text);
    glob_t found = {0};
    const int status = glob(pattern, 0, folder_failed, &found); /* sorted */
    if (status == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) include_file(merge, found.gl_pathv[i], at);
    } else if (status != GLOB_NOMATCH) {
        problem_add(
            all, at, "let the daemon's user read the folder", "`%s` cannot be searched: %s", text, strerror(errno));
    } else if (!strpbrk(text, "*?[")) {
        problem_add(all, at, "a path relative to this file", "`%s` does not exist", text);
    }
    globfree(&found);
}

bool merge_files(Decoding *in, const char *file, const SectionDescriptor *const *sections, NodeEntry *entries) {
    static const SchemaRow include = {
        .key = "include", .type = SCHEMA_TEXTS, .remedy = "a list of paths, `*` allowed in names"};
    Merge merge = {.in = in, .sections = sections, .entries = entries, .main_file = file};
    const Node *root = read_file(&merge, file), *named = node_get(root, "include");
    TextList patterns = {0};
    if (!root) return false;
    size_t count = 0;
    while (sections[count]) count++;
    merge.parts = arena_alloc(in->arena, count, sizeof *merge.parts);
    join_file(&merge, root);
    if (named) schema_read_value(&include, named, &patterns, in);
    for (size_t i = 0; i < patterns.count; i++) include_pattern(&merge, patterns.texts[i], patterns.places[i]);
    join_parts(&merge);
    return true;
}
