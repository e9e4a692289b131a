#include "plugin/module.h"

#include "base/alloc.h"
#include "base/own.h"
#include "plugin/adopt.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Module {
    char *file; /* its real path */
    TocsinPlugin plugin;
} Module;

/* The one table that every configuration shares: dlopen's own state is the process's, and a second adopted copy of a
 * plugin would give one file two identities. */
static pthread_mutex_t modules_lock = PTHREAD_MUTEX_INITIALIZER;
static Module *modules[PLUGINS_MAX];
static size_t module_count;

const char *const plugin_built_in[] = {"email", "exec", "sns", "webhook", NULL};

bool plugin_name_ok(const char *name) {
    const size_t length = strlen(name);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return length > 0 && length <= PLUGIN_NAME_MAX && strspn(name, allowed) == length;
}

/* `../plugins` beside an executable that was not installed; NULL where it was. */
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
    OWN(text) char *folder = text_format("%s/plugins", path);
    return access(marker, F_OK) == 0 && access(folder, X_OK) == 0 ? GIVE(folder) : NULL;
}

char *plugin_directory(const char *configured) {
    const char *told = getenv("TOCSIN_PLUGIN_DIR");
    if (told && *told) return text_copy(told);
    if (configured) return text_copy(configured);
    char *built = beside_executable();
    return built ? built : text_copy(TOCSIN_PLUGIN_DIR);
}

static const TocsinPlugin *known(const char *file) {
    for (size_t i = 0; i < module_count; i++)
        if (strcmp(modules[i]->file, file) == 0) return &modules[i]->plugin;
    return NULL;
}

static size_t count_keys(const TocsinPlugin *plugin) {
    size_t count = 0;
    while (count <= PLUGIN_KEYS_MAX && plugin->keys[count].name) count++;
    return count;
}

static const TocsinPlugin *open_file(const char *file, Error *err) {
    if (module_count == PLUGINS_MAX) {
        error_set(err, ERROR_INPUT, "%s: more than %d plugins", file, PLUGINS_MAX);
        return NULL;
    }
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL); /* never closed: its callbacks may be anywhere */
    if (!library) {
        error_set(err, ERROR_INPUT, "%s cannot be loaded: %s", file, dlerror());
        return NULL;
    }
    const TocsinPlugin *(*entry)(void) = (const TocsinPlugin *(*)(void))dlsym(library, "tocsin_plugin");
    if (!entry) {
        error_set(err, ERROR_INPUT, "%s is no plugin of Tocsin: it exports no tocsin_plugin()", file);
        return NULL;
    }
    TocsinPlugin ours;
    Error why = {0};
    if (!plugin_adopt(&ours, entry(), &why)) {
        error_set(err, ERROR_INPUT, "%s cannot be used: %s", file, why.text);
        return NULL;
    }
    if (count_keys(&ours) > PLUGIN_KEYS_MAX) {
        error_set(err, ERROR_INPUT, "%s has more than %d keys", file, PLUGIN_KEYS_MAX);
        return NULL;
    }
    Module *module = alloc_zeroed(1, sizeof *module);
    module->file = text_copy(file);
    module->plugin = ours;
    modules[module_count++] = module;
    return &module->plugin;
}

const TocsinPlugin *plugin_load(const char *directory, const char *name, bool *ret_absent, Error *err) {
    *ret_absent = false;
    OWN(text) char *wanted = text_format("%s/%s.so", directory, name);
    char file[PATH_MAX];
    if (!realpath(wanted, file)) {
        *ret_absent = errno == ENOENT || errno == ENOTDIR;
        error_set(err, ERROR_INPUT, "%s: %s", wanted, strerror(errno));
        return NULL;
    }
    pthread_mutex_lock(&modules_lock);
    const TocsinPlugin *plugin = known(file);
    if (!plugin) plugin = open_file(file, err);
    pthread_mutex_unlock(&modules_lock);
    return plugin;
}
