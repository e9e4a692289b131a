/* Rule files on disk: single ones, and folders with all that lies in them. Blocks: at start, or on the pool. */
#ifndef TOCSIN_SOURCES_RULE_FILES_H
#define TOCSIN_SOURCES_RULE_FILES_H

#include "base/arena.h"
#include "base/problems.h"

enum { RULE_FILES_MAX = 5000, RULE_FILE_BYTES_MAX = 1 << 20, RULE_FOLDER_DEPTH_MAX = 8 };

/* One file's text, borrowed for the call; `file` lives in the arena. */
typedef void RuleFile(void *ctx, const char *file, const char *text, size_t length);

typedef struct RuleFiles {
    Arena *arena;
    Problems *problems;
    RuleFile *each;
    void *ctx;
    size_t count; /* of files so far; starts at 0 */
} RuleFiles;

/* Reads `path`: a file of any name, or each *.yml and *.yaml below a folder, by name; what begins with a dot and links
 * to folders are left out. False: something cannot be read or breaks a bound, which was told, at `at` for the path
 * itself. */
bool rule_files_read(RuleFiles *files, const char *path, Place at);

#endif
