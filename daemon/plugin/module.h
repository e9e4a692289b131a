/* Plugins as files: where they are looked for, and each loaded once a process. A plugin is never unloaded, so what is
 * handed out here lives as long as the process; that is why its table is the process's too, behind a lock:
 * configurations are loaded on the pool. */
#ifndef TOCSIN_PLUGIN_MODULE_H
#define TOCSIN_PLUGIN_MODULE_H

#include "base/error.h"

#include "tocsin-plugin.h"

enum { PLUGIN_NAME_MAX = 64, PLUGINS_MAX = 100, PLUGIN_KEYS_MAX = 200, PLUGIN_KEY_MAX = 64 };

extern const char *const plugin_built_in[]; /* the names of those that come with Tocsin; ends at NULL */

/* Letters, digits, `-` and `_`: what may stand in a file's name. */
bool plugin_name_ok(const char *name);

/* The folder: $TOCSIN_PLUGIN_DIR, else `configured` (NULL: none), else `../plugins` beside an executable in a build
 * tree, else the compiled-in one. Caller frees. */
char *plugin_directory(const char *configured);

/* The plugin `name` of that folder, loaded and adopted. NULL: ERROR_INPUT, says which file and why; `*ret_absent` is
 * true where there is no such file. Blocks on file reads: before the loop, or on the pool. */
const TocsinPlugin *plugin_load(const char *directory, const char *name, bool *ret_absent, Error *err);

#endif
