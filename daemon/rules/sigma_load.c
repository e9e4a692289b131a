#include "rules/sigma_load.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Load {
    SigmaBuilder *builder;
    Place at;
    Problems *problems;
    size_t files;
} Load;

static bool path_problem(Load *load, const char *path, const char *why) {
    return problem_add(
        load->problems, load->at, "name a rule file, or a folder with some", "rules `%.400s` %s", path, why);
}

static bool load_file(Load *load, const char *path) {
    Error err = {0};
    size_t length = 0;
    OWN(text) char *text = file_read(path, SIGMA_FILE_BYTES_MAX, &length, NULL, &err);
    load->files++;
    if (!text) return path_problem(load, path, err.text);
    return sigma_builder_text(load->builder, path, text, length);
}

static bool is_rule_file(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (!strcmp(dot, ".yml") || !strcmp(dot, ".yaml"));
}

static bool load_folder(Load *load, const char *path, size_t level);

static bool load_entry(Load *load, const char *folder, const char *name, size_t level) {
    OWN(text) char *path = text_format("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    struct stat about;
    if (*name == '.' || lstat(path, &about)) return true;
    if (S_ISDIR(about.st_mode)) return load_folder(load, path, level + 1);
    if (!is_rule_file(name)) return true;
    if (load->files == SIGMA_FILES_MAX) return path_problem(load, path, "is one file too many (the bound is 20000)");
    return load_file(load, path);
}

static bool load_folder(Load *load, const char *path, size_t level) {
    struct dirent **names = NULL;
    if (level > SIGMA_FOLDERS_DEEP_MAX) return path_problem(load, path, "lies more than 16 folders deep");
    const int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) return path_problem(load, path, strerror(errno));
    bool good = true;
    for (int i = 0; i < count; i++) {
        good = load_entry(load, path, names[i]->d_name, level) && good;
        free(names[i]);
    }
    free((void *)names);
    return good;
}

bool sigma_load(SigmaBuilder *builder, const char *path, Place at, Problems *problems, size_t *ret_files) {
    Load load = {.builder = builder, .at = at, .problems = problems};
    struct stat about;
    if (stat(path, &about)) return path_problem(&load, path, strerror(errno));
    bool good = S_ISDIR(about.st_mode) ? load_folder(&load, path, 0) : load_file(&load, path);
    if (!load.files) good = path_problem(&load, path, "holds no *.yml or *.yaml");
    if (ret_files) *ret_files = load.files;
    return good;
}
