#include "store/store_schema.h"

#include "base/own.h"
#include "store/store_sql.h"

enum { STEP_MS = 600000 }; /* one step over the largest file that the bounds on history allow */

/* No constraint here can refuse a row that the daemon writes: a refusal would stop the batches behind it too. STRICT
 * keeps what a damaged or edited file may hold to the types that are read. */
static const char *const steps[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER) STRICT;"
    "CREATE TABLE instance(fingerprint TEXT PRIMARY KEY, alarm TEXT, source TEXT, account TEXT, region TEXT,"
    " series_json TEXT, labels_json TEXT, state TEXT, reason TEXT, reason_data_json TEXT, since_ms INTEGER,"
    " evaluated_ms INTEGER, window_end_ms INTEGER, value REAL, firing_since_ms INTEGER, resolved_ms INTEGER,"
    " gone INTEGER) STRICT;"
    "CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER, name TEXT, fingerprint TEXT,"
    " from_state TEXT, to_state TEXT, reason TEXT, value REAL) STRICT;"
    "CREATE INDEX history_time ON history(time_ms);"
    "CREATE INDEX history_name ON history(name);" /* the id stands behind every index entry: pages come out in order */
    "CREATE INDEX history_fingerprint ON history(fingerprint);"
    "CREATE TABLE notification_group(key TEXT PRIMARY KEY, receiver TEXT, labels_json TEXT, due_ms INTEGER,"
    " touches INTEGER, first_flush_ms INTEGER, last_sent_ms INTEGER, told_json TEXT) STRICT;"
    "CREATE TABLE outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, group_key TEXT, receiver TEXT,"
    " plugin TEXT, plugin_index INTEGER, state TEXT, attempts INTEGER, crashes INTEGER, created_ms INTEGER,"
    " next_attempt_ms INTEGER, expires_ms INTEGER, finished_ms INTEGER, last_error TEXT, receipt_json TEXT) STRICT;"
    /* Apart, so that a lease or a receipt does not write the message again: a full disk has room for those longest. */
    "CREATE TABLE outbox_message(seq INTEGER PRIMARY KEY REFERENCES outbox ON DELETE CASCADE, message_json TEXT) "
    "STRICT;"
    "CREATE INDEX outbox_state ON outbox(state);"
    "CREATE INDEX outbox_finished ON outbox(finished_ms) WHERE state IN ('delivered', 'discarded', 'expired');"
    "CREATE TABLE cursor(name TEXT PRIMARY KEY, value_json TEXT) STRICT;",
    "CREATE TABLE event_seen(scope TEXT, id TEXT, seen_ms INTEGER, PRIMARY KEY(scope, id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX event_seen_time ON event_seen(scope, seen_ms);"
    "CREATE TABLE event_match(fingerprint TEXT, part INTEGER, event_id TEXT, event_ms INTEGER, seen_ms INTEGER,"
    " value TEXT, PRIMARY KEY(fingerprint, part, event_id)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE silence(id TEXT PRIMARY KEY, json TEXT, starts_ms INTEGER, ends_ms INTEGER) STRICT;"
    "CREATE TABLE acknowledgement(fingerprint TEXT PRIMARY KEY, by_whom TEXT, comment TEXT, starts_ms INTEGER,"
    " at_ms INTEGER, until_ms INTEGER) STRICT;"
    "ALTER TABLE outbox ADD COLUMN handed_ms INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE decision(id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER, fingerprint TEXT, group_key TEXT,"
    " receiver TEXT, decision TEXT, reason TEXT) STRICT;"
    "CREATE INDEX decision_fingerprint ON decision(fingerprint);"
    "CREATE INDEX decision_time ON decision(time_ms);"
    "CREATE INDEX outbox_group ON outbox(group_key, created_ms);",
};
const SchemaSteps schema_steps = {steps, COUNT_OF(steps)};

static int take_steps(sqlite3 *db, const SchemaSteps *schema, int64_t version, void (*extend)(int64_t ms)) {
    for (int64_t step = version; step < schema->count; step++) {
        if (extend) extend(STEP_MS);
        const int code = sql_run(db, schema->steps[step]);
        if (code != SQLITE_OK) return code;
    }
    char *last = sqlite3_mprintf("PRAGMA user_version=%lld", (long long)schema->count);
    const int code = last ? sql_run(db, last) : SQLITE_NOMEM;
    sqlite3_free(last);
    return code != SQLITE_OK ? code : sql_run(db, "COMMIT");
}

int schema_migrate(sqlite3 *db, const SchemaSteps *schema, int64_t version, void (*extend)(int64_t ms)) {
    if (version >= schema->count) return SQLITE_OK;
    int code = sql_run(db, "BEGIN IMMEDIATE");
    if (code != SQLITE_OK) return code;
    code = take_steps(db, schema, version, extend);
    if (code != SQLITE_OK && !sqlite3_get_autocommit(db)) sql_run(db, "ROLLBACK");
    return code;
}
