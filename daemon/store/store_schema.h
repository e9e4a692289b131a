/* The tables, and the way from an older file to today's. `PRAGMA user_version` is the number of steps that were taken.
 */
#ifndef TOCSIN_STORE_STORE_SCHEMA_H
#define TOCSIN_STORE_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stdint.h>

/* One step, as SQL. A step that was ever released is never edited: the next one mends it. */
typedef struct SchemaSteps {
    const char *const *steps;
    int64_t count;
} SchemaSteps;
extern const SchemaSteps schema_steps; /* today's: a file with more of them is from a newer version */

/* Takes what is missing from `version` on, in one transaction with user_version last; `extend` (may be NULL) is told
 * before each step how long it may take. SQLITE_OK, or the error: nothing was changed. */
int schema_migrate(sqlite3 *db, const SchemaSteps *schema, int64_t version, void (*extend)(int64_t ms));

#endif
