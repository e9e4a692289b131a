#include "sources/sigma_section.h"

#include "base/alloc.h"
#include "base/text.h"
#include "sources/event_selector.h"
#include "sources/rule_files.h"

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PACKS_MAX = 100, PACK_NAME_MAX = 64, PLACEHOLDERS_MAX = 1000, PLACEHOLDER_VALUES_MAX = 10000 };

#define AT(member) offsetof(SigmaSection, member)
const SchemaRow sigma_rows[] = {
    {.key = "rules",
        .type = SCHEMA_TEXTS,
        .offset = AT(rules),
        .min = 1,
        .max = 1000,
        .remedy = "paths of rule files, or of folders with *.yml and *.yaml",
        .doc =
            "Rule files, unmodified, and folders of them, looked through to the bottom. Each rule is an alarm, named "
            "by its title. They are read anew at each reload."},
    {.key = "product",
        .type = SCHEMA_TEXT,
        .offset = AT(product),
        .max = 64,
        .fallback = "aws",
        .remedy = "a word as in the rules' logsource",
        .doc = "Only rules of this product, and those that name none, are loaded; of them those whose service is "
               "cloudtrail, or is not named."},
    {.key = "timespan",
        .type = SCHEMA_DURATION,
        .offset = AT(timespan_s),
        .min = 1,
        .max = EVENT_TIMESPAN_MAX_S,
        .fallback = "10m",
        .remedy = "a duration from 1s to 90d",
        .doc = "How long a match holds an alarm that does not say it itself."},
    {.key = "placeholders",
        .type = SCHEMA_NODE,
        .offset = AT(placeholders),
        .doc = "Values for the modifier expand: a list of texts for each name that rules write as %name%."},
    SCHEMA_END,
};

/* --- placeholders --- */

static const SchemaRow placeholder_row = {.key = "placeholders",
    .type = SCHEMA_TEXTS,
    .min = 1,
    .max = PLACEHOLDER_VALUES_MAX,
    .remedy = "a list of texts for each name"};

static bool placeholders_read(SigmaSection *section, Decoding *in) {
    const Node *node = section->placeholders;
    if (node_is_null(node)) return true;
    if (node->kind != NODE_MAP || node->count > PLACEHOLDERS_MAX)
        return problem_add(in->problems, node->at, "names and their values: {admins: [alice, bob]}",
            "`placeholders` must be a map of at most %d names", PLACEHOLDERS_MAX);
    SigmaPlaceholder *all = arena_alloc(in->arena, node->count, sizeof *all);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++) {
        TextList values = {0};
        fine = schema_read_value(&placeholder_row, node->entries[i].value, &values, in) && fine;
        all[i] = (SigmaPlaceholder){node->entries[i].key->text, values.texts, values.count};
    }
    section->options.placeholders = all;
    section->options.placeholder_count = node->count;
    return fine;
}

/* --- rule files --- */

static void take_file(void *ctx, const char *file, const char *text, size_t length) {
    SigmaSection *section = ctx;
    sigma_builder_text(section->builder, file, text, length);
}

static void rules_read(SigmaSection *section, const char *path, Place at, Decoding *in) {
    RuleFiles files = {in->arena, in->problems, take_file, section, section->files};
    const size_t before = sigma_builder_left_out(section->builder);
    rule_files_read(&files, path, at);
    section->files = files.count;
    const size_t left_out = sigma_builder_left_out(section->builder) - before;
    if (left_out)
        problem_warn(in->problems, at, "name the folder of the rules for CloudTrail", "%zu %s left out", left_out,
            left_out == 1 ? "rule of another product or service is" : "rules of other products or services are");
}

static bool sigma_decode(Decoding *in, const Node *node, void *section_) {
    SigmaSection *section = section_;
    const size_t errors = problems_errors(in->problems);
    (void)node;
    section->options =
        (SigmaOptions){.product = section->product, .service = "cloudtrail", .timespan_s = section->timespan_s};
    placeholders_read(section, in);
    section->builder = sigma_builder_new(&section->options, in->problems);
    for (size_t i = 0; i < section->rules.count; i++)
        rules_read(section, schema_path(section->rules.texts[i], in), section->rules.places[i], in);
    return problems_errors(in->problems) == errors;
}

static int by_number(const void *a, const void *b) {
    const EventSelector *left = *(EventSelector *const *)a, *right = *(EventSelector *const *)b;
    return (left->number > right->number) - (left->number < right->number);
}

const SigmaSet *sigma_section_finish(SigmaSection *section) {
    if (section->set) return section->set;
    if (section->builder) section->set = sigma_builder_finish(section->builder);
    section->builder = NULL;
    if (section->inside_count) qsort(section->inside, section->inside_count, sizeof(EventSelector *), by_number);
    section->file_rules = section->inside_count ? section->inside[0]->number : sigma_set_count(section->set);
    return section->set;
}

static void sigma_destroy(void *section_) {
    SigmaSection *section = section_;
    sigma_builder_free(section->builder);
    sigma_set_free(section->set);
    free(section->inside);
}

const SectionDescriptor sigma_section = {
    .key = "sigma",
    .doc = "Sigma rule files over CloudTrail events, each rule an alarm.",
    .size = sizeof(SigmaSection),
    .rows = sigma_rows,
    .decode = sigma_decode,
    .destroy = sigma_destroy,
};

/* --- packs --- */

/* `conf/packs` of the build tree, or of the source beside it, for an executable that was not installed; else NULL. */
static char *beside_executable(void) {
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) return NULL;
    path[length] = '\0';
    for (int up = 0; up < 2; up++) { /* the program's name, then its folder's */
        char *slash = strrchr(path, '/');
        if (!slash) return NULL;
        *slash = '\0';
    }
    OWN(text) char *marker = text_format("%s/build.ninja", path);
    OWN(text) char *built = text_format("%s/conf/packs", path);
    OWN(text) char *source = text_format("%s/../conf/packs", path);
    if (access(marker, F_OK) != 0) return NULL;
    return access(built, X_OK) == 0 ? GIVE(built) : access(source, X_OK) == 0 ? GIVE(source) : NULL;
}

char *pack_directory(void) {
    const char *told = getenv("TOCSIN_PACK_DIR");
    if (told && *told) return text_copy(told);
    char *built = beside_executable();
    return built ? built : text_copy(TOCSIN_PACK_DIR);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The names of all packs, ending at NULL, in the arena: folders, and rule files without their ending. */
static const char **packs_known(Arena *arena, const char *directory) {
    const char **names = arena_alloc(arena, PACKS_MAX + 1, sizeof *names);
    size_t count = 0;
    DIR *folder = opendir(directory);
    for (struct dirent *entry; folder && count < PACKS_MAX && (entry = readdir(folder));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (entry->d_name[0] == '.' || (dot && strcmp(dot, ".yml") != 0)) continue;
        names[count++] =
            arena_text_length(arena, entry->d_name, dot ? (size_t)(dot - entry->d_name) : strlen(entry->d_name));
    }
    if (folder) closedir(folder);
    qsort(names, count, sizeof *names, by_text);
    return names;
}

static bool pack_unknown(const char *name, Place at, const char *const *known, Decoding *in) {
    Buffer remedy = BUFFER(1024);
    const char *near = text_nearest(name, known);
    if (near) buffer_format(&remedy, "did you mean `%s`?", near);
    if (!near) buffer_text(&remedy, *known ? "one of " : "none is installed");
    for (size_t i = 0; !near && known[i]; i++) buffer_format(&remedy, "%s%s", i ? ", " : "", known[i]);
    problem_add(in->problems, at, buffer_string(&remedy), "there is no pack `%.80s`", name);
    buffer_deinit(&remedy);
    return false;
}

static bool pack_read(SigmaSection *sigma, const char *directory, const char *name, Place at, Decoding *in) {
    const char *const *known = packs_known(in->arena, directory);
    size_t i = 0;
    while (known[i] && strcmp(known[i], name) != 0) i++;
    if (!known[i]) return pack_unknown(name, at, known, in);
    OWN(text) char *folder = text_format("%s/%s", directory, name);
    OWN(text) char *file = text_format("%s/%s.yml", directory, name);
    rules_read(sigma, access(folder, F_OK) == 0 ? folder : file, at, in);
    return true;
}

static const SchemaRow packs_row = {
    .key = "packs", .type = SCHEMA_TEXTS, .max = PACKS_MAX, .remedy = "a list of names, such as cis-cloudtrail"};

static bool packs_decode(Decoding *in, const Node *node, void *section_) {
    PacksSection *section = section_;
    const size_t errors = problems_errors(in->problems);
    SigmaSection *sigma = snapshot_section_mutable(in->snapshot, &sigma_section);
    if (node_is_null(node) || (node->kind == NODE_LIST && !node->count)) return true;
    if (!schema_read_value(&packs_row, node, &section->names, in)) return false;
    OWN(text) char *directory = pack_directory();
    for (size_t i = 0; i < section->names.count; i++)
        pack_read(sigma, directory, section->names.texts[i], section->names.places[i], in);
    return problems_errors(in->problems) == errors;
}

const SectionDescriptor packs_section = {
    .key = "packs",
    .doc = "Detections that come with Tocsin, by name.",
    .size = sizeof(PacksSection),
    .decode = packs_decode,
};
