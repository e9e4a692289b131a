/* One row of each table as its struct. The state file counts as outside: times and texts come bounded, a row that
 * cannot be understood is told by false; an owed notification always is a row. */
#ifndef TOCSIN_STORE_STORE_READ_H
#define TOCSIN_STORE_STORE_READ_H

#include "store/store.h"
#include "store/store_sql.h"

typedef struct Reading {
    Arena *arena; /* where the texts go */
    SqlTimes times;
} Reading;

/* What to select, in the readers' order. */
#define INSTANCE_COLUMNS \
    "fingerprint, alarm, source, account, region, series_json, labels_json, state, reason, reason_data_json, " \
    "since_ms, " \
    "evaluated_ms, window_end_ms, value, firing_since_ms, resolved_ms, gone"
#define GROUP_COLUMNS "key, receiver, labels_json, due_ms, touches, first_flush_ms, last_sent_ms, told_json"
/* `message` is the column of the message, or NULL where it is left in the file. */
#define OUTBOX_COLUMNS(message) \
    "id, group_key, receiver, plugin, plugin_index, state, attempts, crashes, created_ms, next_attempt_ms, " \
    "expires_ms, " \
    "finished_ms, last_error, receipt_json, " message ", handed_ms"
#define OUTBOX_TABLES "outbox LEFT JOIN outbox_message USING (seq)"
#define CURSOR_COLUMNS "name, value_json"
#define SEEN_COLUMNS "scope, id, seen_ms"
#define MATCH_COLUMNS "fingerprint, part, event_id, event_ms, seen_ms, value"
#define SILENCE_COLUMNS "id, json, starts_ms, ends_ms"
#define ACK_COLUMNS "fingerprint, by_whom, comment, starts_ms, at_ms, until_ms"
#define HISTORY_COLUMNS "id, time_ms, name, fingerprint, from_state, to_state, reason, value"

bool read_instance(sqlite3_stmt *statement, const Reading *in, InstanceRow *ret_row);
bool read_group(sqlite3_stmt *statement, const Reading *in, GroupRow *ret_row);
/* Why a row is parked whose state made no sense. */
#define STORE_DAMAGED_ROW "the state file was damaged here: nobody knows whether this was delivered"
bool read_outbox(sqlite3_stmt *statement, const Reading *in, OutboxRow *ret_row);
bool read_cursor(sqlite3_stmt *statement, const Reading *in, CursorRow *ret_row);
bool read_seen(sqlite3_stmt *statement, const Reading *in, SeenRow *ret_row);
bool read_match(sqlite3_stmt *statement, const Reading *in, MatchRow *ret_row);
bool read_silence(sqlite3_stmt *statement, const Reading *in, SilenceRow *ret_row);
bool read_ack(sqlite3_stmt *statement, const Reading *in, AckRow *ret_row);
void read_decision(sqlite3_stmt *statement, const Reading *in, DecisionTold *ret_row); /* as page_decisions() selects */
bool read_history(sqlite3_stmt *statement, const Reading *in, HistoryRow *ret_row);

#endif
