#include "sources/rule_files.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_in(const char *name, const char *end) {
    const size_t length = strlen(name), tail = strlen(end);
    return length > tail && strcmp(name + length - tail, end) == 0;
}

static bool is_rule_file(const char *name) {
    return name[0] != '.' && (ends_in(name, ".yml") || ends_in(name, ".yaml"));
}

static bool read_file(RuleFiles *files, const char *path, Place at) {
    Error err = {0};
    size_t length = 0;
    const char *file = arena_text(files->arena, path);
    if (files->count == RULE_FILES_MAX)
        return problem_add(files->problems, at, "load fewer", "more than %d rule files", RULE_FILES_MAX);
    files->count++;
    OWN(text) char *text = file_read(path, RULE_FILE_BYTES_MAX, &length, NULL, &err);
    if (!text)
        return problem_add(files->problems, (Place){file, 1, 1}, "a Sigma rule that Tocsin may read, at most 1 MiB",
            "the rule file cannot be read: %s", err.text);
    files->each(files->ctx, file, text, length);
    return true;
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }
static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static bool read_folder(RuleFiles *files, const char *path, Place at, size_t depth);

static bool read_entry(RuleFiles *files, const char *folder, const char *name, Place at, size_t depth) {
    struct stat about;
    OWN(text) char *path = text_format("%s/%s", folder, name);
    if (lstat(path, &about) == 0 && S_ISDIR(about.st_mode)) return read_folder(files, path, at, depth + 1);
    if (!is_rule_file(name) || stat(path, &about) != 0 || S_ISDIR(about.st_mode)) return true;
    return read_file(files, path, at);
}

static bool read_folder(RuleFiles *files, const char *path, Place at, size_t depth) {
    struct dirent **entries = NULL;
    if (depth > RULE_FOLDER_DEPTH_MAX)
        return problem_add(files->problems, at, "put the rules less deep", "%s is more than %d folders deep", path,
            RULE_FOLDER_DEPTH_MAX);
    const int count = scandir(path, &entries, is_shown, by_name);
    if (count < 0)
        return problem_add(
            files->problems, at, "a folder that Tocsin may read", "%s cannot be opened: %s", path, strerror(errno));
    bool fine = true;
    for (int i = 0; i < count; i++) {
        /* one problem for too many is enough */
        if (files->count < RULE_FILES_MAX || fine)
            fine = read_entry(files, path, entries[i]->d_name, at, depth) && fine;
        free(entries[i]);
    }
    free(entries);
    return fine;
}

bool rule_files_read(RuleFiles *files, const char *path, Place at) {
    struct stat about;
    if (stat(path, &about) != 0)
        return problem_add(
            files->problems, at, "a rule file, or a folder of them", "%s cannot be opened: %s", path, strerror(errno));
    return S_ISDIR(about.st_mode) ? read_folder(files, path, at, 0) : read_file(files, path, at);
}
