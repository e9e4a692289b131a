/* The main file and what it includes, as one set of top-level sections. For snapshot.c alone; blocks on file reads. */
#ifndef TOCSIN_CONFIG_MERGE_H
#define TOCSIN_CONFIG_MERGE_H

#include "config/snapshot.h"

/* Fills `entries`, parallel to `sections`; one without a key is absent. Lists given in several files are joined. False:
 * the main file could not be read at all; problems were added. */
bool merge_files(Decoding *in, const char *file, const SectionDescriptor *const *sections, NodeEntry *entries);
/* The folder that a path names its file in, `.` where it names none; in the arena. */
const char *folder_of(Arena *arena, const char *path);

#endif
