/* What a job does to the tables, by statements that are prepared once. Store thread, inside its transaction. */
#ifndef TOCSIN_STORE_STORE_BATCH_H
#define TOCSIN_STORE_STORE_BATCH_H

#include "store/store_job.h"

#include <sqlite3.h>

typedef struct Statements Statements;

/* NULL: the tables are not what they should be; the error stands in `db`. */
Statements *statements_new(sqlite3 *db);
Statements *statements_free(Statements *statements); /* before the connection is closed */
OWN_DEFINE(Statements, statements)

/* SQLITE_OK, or the error of the first statement that failed: the transaction must be rolled back. */
int job_apply(Statements *statements, Job *job);

#endif
