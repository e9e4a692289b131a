/* Rule files from disk into a set: a file, or a folder with all that lies below it. Blocks on file reads: on the pool,
 * before the loop, in the tool. The one file of rules/ that does. */
#ifndef TOCSIN_RULES_SIGMA_LOAD_H
#define TOCSIN_RULES_SIGMA_LOAD_H

#include "rules/sigma_set.h"

enum {
    SIGMA_FILE_BYTES_MAX = YAML_FILE_MAX,
    SIGMA_FILES_MAX = 20000, /* of one folder */
    SIGMA_FOLDERS_DEEP_MAX = 16
};

/* A file as it is; of a folder every `*.yml` and `*.yaml`, by name, dot files left out, links to folders not followed.
 * `at` is where the path was written, for what is wrong with the path itself. False: problems were added; what could
 * be read is in the set. `ret_files` (may be NULL) gets how many files were read. */
bool sigma_load(SigmaBuilder *builder, const char *path, Place at, Problems *problems, size_t *ret_files);

#endif
