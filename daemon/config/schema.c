#include "config/schema.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "base/timetext.h"
#include "config/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHOWN_BYTES = 80, KNOWN_SHOWN = 12 };

/* The part of a wrong value that is repeated to its writer: `%.*s` of these two. */
#define SHOWN(text) (int)utf8_cut((text), strlen(text), SHOWN_BYTES), (text)

static bool refuse(const SchemaRow *row, const Node *node, Decoding *in) {
    return problem_add(in->problems, node->at, row->remedy, "`%s` cannot be `%.*s`", row->key, SHOWN(node->text));
}

static bool out_of_range(const SchemaRow *row, const Node *node, Decoding *in) {
    return problem_add(
        in->problems, node->at, row->remedy, "`%s` is out of range: `%.*s`", row->key, SHOWN(node->text));
}

static bool has_range(const SchemaRow *row) { return row->min != 0 || row->max != 0; }

static bool within(const SchemaRow *row, double value) {
    return !has_range(row) || (value >= row->min && value <= row->max);
}

/* Is this one value, and not nothing? */
static bool check_scalar(const SchemaRow *row, const Node *node, Decoding *in) {
    if (node_is_null(node)) return problem_add(in->problems, node->at, row->remedy, "`%s` has no value", row->key);
    if (node->kind == NODE_SCALAR) return true;
    const char *found = node->kind == NODE_LIST ? "a list" : "a section of its own";
    return problem_add(in->problems, node->at, row->remedy, "`%s` must be one value, not %s", row->key, found);
}

static bool check_text(const SchemaRow *row, const Node *node, Decoding *in) {
    if (!check_scalar(row, node, in)) return false;
    for (const char *p = node->text; *p; p++) {
        const bool allowed = row->multiline && (*p == '\n' || *p == '\t');
        if (allowed || ((unsigned char)*p >= 0x20 && *p != 0x7f)) continue;
        const char *what = *p == '\n' ? "line break" : "control character";
        return problem_add(in->problems, node->at, "one line of plain text", "`%s` holds a %s", row->key, what);
    }
    return true;
}

static bool read_text(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    if (!check_text(row, node, in)) return false;
    const double characters = (double)utf8_count(node->text, node->length);
    if (characters < row->min || characters > (row->max > 0 ? row->max : SCHEMA_TEXT_MAX)) {
        const char *how = characters < row->min ? "short" : "long";
        return problem_add(in->problems, node->at, row->remedy, "`%s` is too %s", row->key, how);
    }
    *(const char **)value = node->text;
    return true;
}

static bool whole_parse(const char *text, int64_t *ret_value) {
    const char *digits = text + (*text == '-' || *text == '+');
    if (!*digits || digits[strspn(digits, "0123456789")]) return false;
    if (*digits == '0' && digits[1]) return false; /* 010 is 8 to some readers of YAML, 10 to others */
    errno = 0;
    const long long value = strtoll(text, NULL, 10);
    if (errno) return false;
    *ret_value = value;
    return true;
}

static bool read_integer(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    int64_t number;
    if (!check_scalar(row, node, in)) return false;
    if (!whole_parse(node->text, &number)) return refuse(row, node, in);
    if (!within(row, (double)number)) return out_of_range(row, node, in);
    *(int64_t *)value = number;
    return true;
}

static bool read_number(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    double number;
    if (!check_scalar(row, node, in)) return false;
    if (!number_parse(node->text, &number)) return refuse(row, node, in);
    if (!within(row, number)) return out_of_range(row, node, in);
    *(double *)value = number;
    return true;
}

static bool read_duration(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    int64_t seconds;
    if (!check_scalar(row, node, in)) return false;
    if (!duration_parse(node->text, &seconds)) return refuse(row, node, in);
    if (!within(row, (double)seconds)) return out_of_range(row, node, in);
    *(int64_t *)value = seconds;
    return true;
}

static bool read_bool(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    static const char *const words[] = {"false", "true", "False", "True", "FALSE", "TRUE"};
    if (!check_scalar(row, node, in)) return false;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(node->text, words[i]) != 0) continue;
        *(bool *)value = i % 2;
        return true;
    }
    return problem_add(in->problems, node->at, "true or false", "`%s` cannot be `%.*s`", row->key, SHOWN(node->text));
}

/* `a, b, c`, at most KNOWN_SHOWN of them. */
static char *words_text(const char *const *words) {
    Buffer list = BUFFER(4096);
    for (size_t i = 0; words[i]; i++) {
        if (i == KNOWN_SHOWN && words[i + 1]) {
            buffer_text(&list, ", …");
            break;
        }
        buffer_format(&list, "%s%s", i ? ", " : "", words[i]);
    }
    return buffer_take(&list);
}

static bool read_choice(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    if (!check_scalar(row, node, in)) return false;
    for (size_t i = 0; row->choices[i]; i++) {
        if (strcmp(node->text, row->choices[i]) != 0) continue;
        *(int *)value = row->choice_values ? row->choice_values[i] : (int)i;
        return true;
    }
    const char *nearest = text_nearest(node->text, row->choices);
    OWN(text) char *all = words_text(row->choices);
    OWN(text)
    char *remedy = nearest ? text_format("did you mean `%s`?", nearest)
        : row->remedy      ? text_copy(row->remedy)
                           : text_format("one of: %s", all);
    return problem_add(in->problems, node->at, remedy, "`%s` cannot be `%.*s`", row->key, SHOWN(node->text));
}

static bool check_count(const SchemaRow *row, const Node *node, size_t count, Decoding *in) {
    if ((double)count < row->min)
        return problem_add(in->problems, node->at, row->remedy, "`%s` has too few items", row->key);
    const double max = row->max > 0 ? row->max : SCHEMA_ITEMS_MAX;
    if ((double)count <= max) return true;
    return problem_add(in->problems, node->at, row->remedy, "`%s` has more than %.0f items", row->key, max);
}

static bool read_texts(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    const bool single = node->kind == NODE_SCALAR && !node_is_null(node);
    const size_t count = single ? 1 : node->kind == NODE_LIST ? node->count : 0;
    if (node->kind == NODE_MAP) {
        return problem_add(
            in->problems, node->at, row->remedy, "`%s` must be a list of texts, not a section", row->key);
    }
    if (!check_count(row, node, count, in)) return false;
    const char **texts = arena_alloc(in->arena, count, sizeof *texts);
    Place *places = arena_alloc(in->nodes, count, sizeof *places);
    for (size_t i = 0; i < count; i++) {
        const Node *item = single ? node : node->items[i];
        if (!check_text(row, item, in)) continue;
        texts[i] = item->text;
        places[i] = item->at;
    }
    if (problems_errors(in->problems) != errors) return false;
    *(TextList *)value = (TextList){count, texts, places};
    return true;
}

static bool is_section(const SchemaRow *row, const Node *node, Decoding *in) {
    if (node->kind == NODE_MAP || node_is_null(node)) return true;
    return problem_add(in->problems, node->at, row->remedy, "`%s` must be a section with keys of its own", row->key);
}

static bool read_map(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    if (!is_section(row, node, in) || !check_count(row, node, node->count, in)) return false;
    const char **names = arena_alloc(in->arena, node->count, sizeof *names);
    const char **texts = arena_alloc(in->arena, node->count, sizeof *texts);
    Place *places = arena_alloc(in->nodes, node->count, sizeof *places);
    for (size_t i = 0; i < node->count; i++) {
        const NodeEntry *entry = &node->entries[i];
        const SchemaRow named = {.key = entry->key->text, .multiline = row->multiline, .remedy = "a text"};
        check_text(&(SchemaRow){.key = row->key, .remedy = row->remedy}, entry->key, in);
        check_text(&named, entry->value, in);
        names[i] = entry->key->text;
        texts[i] = entry->value->text;
        places[i] = entry->key->at;
    }
    if (problems_errors(in->problems) != errors) return false;
    *(TextMap *)value = (TextMap){node->count, names, texts, places};
    return true;
}

static bool read_section(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    return is_section(row, node, in) && schema_read(row->rows, node, node->at, value, in);
}

static bool read_sections(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    if (node->kind != NODE_LIST && !node_is_null(node)) {
        return problem_add(in->problems, node->at, "begin each item with `- `", "`%s` must be a list", row->key);
    }
    const size_t count = node->kind == NODE_LIST ? node->count : 0;
    if (!check_count(row, node, count, in)) return false;
    char *items = arena_alloc(in->arena, count, row->size);
    for (size_t i = 0; i < count; i++) {
        const Node *item = node->items[i];
        if (item->kind == NODE_MAP) {
            schema_read(row->rows, item, item->at, items + i * row->size, in);
        } else {
            problem_add(in->problems, item->at, row->remedy, "an item of `%s` must be a section with keys", row->key);
        }
    }
    *(SectionList *)value = (SectionList){count, items, node->items};
    return problems_errors(in->problems) == errors;
}

static bool read_secret(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    if (!check_text(row, node, in)) return false;
    *(const Secret **)value = schema_secret(node, in);
    return problems_errors(in->problems) == errors;
}

static bool keep_node(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    (void)row, (void)in;
    *(const Node **)value = node;
    return true;
}

static bool refuse_later(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    (void)value;
    return problem_add(in->problems, node->at, "remove it, or wait for a later version",
        "`%s` does not exist in this version of Tocsin", row->key);
}

typedef bool Reader(const SchemaRow *row, const Node *node, void *value, Decoding *in);
static Reader *const readers[] = {
    [SCHEMA_TEXT] = read_text,
    [SCHEMA_INTEGER] = read_integer,
    [SCHEMA_NUMBER] = read_number,
    [SCHEMA_BOOL] = read_bool,
    [SCHEMA_DURATION] = read_duration,
    [SCHEMA_CHOICE] = read_choice,
    [SCHEMA_TEXTS] = read_texts,
    [SCHEMA_MAP] = read_map,
    [SCHEMA_SECTION] = read_section,
    [SCHEMA_SECTIONS] = read_sections,
    [SCHEMA_SECRET] = read_secret,
    [SCHEMA_NODE] = keep_node,
    [SCHEMA_LATER] = refuse_later,
};

bool schema_read_value(const SchemaRow *row, const Node *node, void *value, Decoding *in) {
    return readers[row->type](row, node, value, in) && (!row->check || row->check(row, value, node, in));
}

/* A fallback is what would stand in the file: read as that, by the same code. */
static void apply_fallback(const SchemaRow *row, Place section, void *value, Decoding *in) {
    if (row->type == SCHEMA_SECTION) {
        schema_read(row->rows, NULL, section, value, in);
        return;
    }
    if (!row->fallback) return;
    const Node scalar = {
        .kind = NODE_SCALAR, .at = section, .text = row->fallback, .length = (uint32_t)strlen(row->fallback)};
    const bool brackets = (*row->fallback == '[' || *row->fallback == '{') && row->type != SCHEMA_TEXT;
    const Node *node =
        brackets ? node_parse(in->nodes, in->arena, row->key, row->fallback, scalar.length, in->problems) : &scalar;
    if (node) readers[row->type](row, node, value, in);
}

static const SchemaRow *find_row(const SchemaRow *rows, const char *key) {
    for (; rows->key; rows++) {
        if (same_word(rows->key, key)) return rows;
    }
    return NULL;
}

static void unknown_key(const SchemaRow *rows, const Node *key, Decoding *in) {
    size_t count = 0, known = 0;
    while (rows[count].key) count++;
    const char **words = alloc_zeroed(count + 1, sizeof *words);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type != SCHEMA_LATER) words[known++] = rows[i].key;
    }
    schema_unknown(key, words, in);
    free((void *)words);
}

bool schema_unknown(const Node *key, const char *const *known, Decoding *in) {
    if (problems_full(in->problems)) return problem_add(in->problems, key->at, NULL, "unknown key");
    const char *nearest = text_nearest(key->text, known);
    OWN(text) char *list = words_text(known);
    OWN(text) char *remedy = nearest ? text_format("did you mean `%s`?", nearest) : text_format("known: %s", list);
    return problem_add(in->problems, key->at, remedy, "unknown key `%.*s`", SHOWN(key->text));
}

static void read_row(const SchemaRow *row, const NodeEntry *entry, Place section, char *into, Decoding *in) {
    void *value = into + row->offset;
    if (!entry && row->required) {
        problem_add(in->problems, section, row->remedy, "`%s` is missing", row->key);
    } else if (!entry) {
        apply_fallback(row, section, value, in);
    } else if (row->type == SCHEMA_LATER) {
        refuse_later(row, entry->key, NULL, in);
    } else {
        if (row->set_offset) *(bool *)(into + row->set_offset) = true;
        schema_read_value(row, entry->value, value, in);
    }
}

bool schema_read(const SchemaRow *rows, const Node *node, Place section, void *into, Decoding *in) {
    const size_t errors = problems_errors(in->problems);
    const bool is_map = node && node->kind == NODE_MAP;
    if (!is_map && !node_is_null(node)) {
        const char *found = node->kind == NODE_LIST ? "a list" : "one value";
        return problem_add(in->problems, node->at, "write `key: value` lines", "keys are expected here, not %s", found);
    }
    if (is_map && node->count) section = node->entries[0].key->at;
    for (size_t i = 0; is_map && i < node->count; i++) {
        if (!find_row(rows, node->entries[i].key->text)) unknown_key(rows, node->entries[i].key, in);
    }
    for (const SchemaRow *row = rows; row->key; row++) {
        read_row(row, is_map ? node_entry(node, row->key) : NULL, section, into, in);
    }
    return problems_errors(in->problems) == errors;
}

static const char *join(Arena *arena, const char *folder, const char *name) {
    if (*name == '/' || !strcmp(folder, ".")) return arena_text(arena, name);
    const char *slash = *folder && folder[strlen(folder) - 1] == '/' ? "" : "/";
    return arena_format(arena, "%s%s%s", folder, slash, name);
}

const char *schema_path(const char *path, Decoding *in) { return join(in->arena, in->directory, path); }

static const char *secret_path(const char *name, Decoding *in) {
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    struct stat about;
    if (*name != '/' && credentials && *credentials) {
        const char *path = join(in->arena, credentials, name);
        if (!stat(path, &about)) return path; /* systemd guards it: its mode shows an ACL's mask, not who may read */
    }
    return schema_path(name, in);
}

static void warn_if_open(const char *path, const Node *node, Decoding *in) {
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    struct stat about;
    if (credentials && *credentials && !strncmp(path, credentials, strlen(credentials))) return;
    if (stat(path, &about) || !(about.st_mode & (S_IRGRP | S_IROTH))) return;
    OWN(text) char *remedy = text_format("chmod 600 %s", path);
    problem_warn(in->problems, node->at, remedy, "the secret in `%s` is readable by group or others", path);
}

const Secret *schema_secret(const Node *node, Decoding *in) {
    const char *path = secret_path(node->text, in);
    Error err = {0};
    bool absent = false;
    Secret *secret = secret_read(path, &absent, &err);
    if (secret) {
        warn_if_open(path, node, in);
        return snapshot_secret(in->snapshot, snapshot_secret_add(in->snapshot, secret));
    }
    const char *what = absent ? "does not exist" : err.text;
    if (in->check_only && err.kind == ERROR_LOCAL) {
        problem_warn(
            in->problems, node->at, "the daemon needs it when it starts", "the secret's file `%s` %s", path, what);
    } else {
        problem_add(in->problems, node->at,
            "put the secret there; a relative name is looked up in $CREDENTIALS_DIRECTORY, then beside the "
            "configuration",
            "the secret's file `%s` %s", path, what);
    }
    return NULL;
}
