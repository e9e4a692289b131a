/* What a run leaves for the next start when it finds the state file damaged at work: `tocsin.damaged` beside the file.
 * It names the file that it means, so that one which a person put in its place is not set aside for it.
 * quick_check does not compare an index with its table, so that it may call such a file whole again and again. */
#ifndef TOCSIN_STORE_STORE_DAMAGE_H
#define TOCSIN_STORE_STORE_DAMAGE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Does this error of a statement that worked so far say that the file contradicts itself? */
bool damage_is_told(sqlite3 *db, int code);
/* The next start sets the file at `path` aside. On a full disk the reserve makes room for the mark. */
void damage_mark(const char *directory, const char *path);
/* Is the file at `path` the marked one, as it was then? A mark that cannot be read means whatever stands there. */
bool damage_is_marked(const char *directory, const char *path);
void damage_clear(const char *directory);

#endif
