#include "store/store_read.h"

#include <string.h>

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (strcmp(word, *words) == 0) return true;
    return false;
}

bool read_instance(sqlite3_stmt *s, const Reading *in, InstanceRow *ret_row) {
    static const char *const states[] = {"OK", "ALARM", "INSUFFICIENT_DATA", NULL};
    *ret_row = (InstanceRow){.fingerprint = sql_name(s, 0, in->arena),
        .alarm = sql_name(s, 1, in->arena),
        .source = sql_name(s, 2, in->arena),
        .account = sql_name(s, 3, in->arena),
        .region = sql_name(s, 4, in->arena),
        .series_json = sql_text(s, 5, SQL_JSON_BYTES, in->arena),
        .labels_json = sql_text(s, 6, SQL_JSON_BYTES, in->arena),
        .state = sql_name(s, 7, in->arena),
        .reason = sql_text(s, 8, SQL_TEXT_BYTES, in->arena),
        .reason_data_json = sql_text(s, 9, SQL_JSON_BYTES, in->arena),
        .since_ms = sql_time(s, 10, in->times),
        .evaluated_ms = sql_time(s, 11, in->times),
        .window_end_ms = sql_time(s, 12, in->times),
        .firing_since_ms = sql_time(s, 14, in->times),
        .resolved_ms = sql_time(s, 15, in->times),
        .gone = sql_count(s, 16) != 0};
    ret_row->value = sql_real(s, 13, &ret_row->has_value);
    return *ret_row->fingerprint && is_one_of(ret_row->state, states);
}

bool read_group(sqlite3_stmt *s, const Reading *in, GroupRow *ret_row) {
    *ret_row = (GroupRow){.key = sql_name(s, 0, in->arena),
        .receiver = sql_name(s, 1, in->arena),
        .labels_json = sql_text(s, 2, SQL_JSON_BYTES, in->arena),
        .due_ms = sql_time(s, 3, in->times),
        .touches = sql_count(s, 4),
        .first_flush_ms = sql_time(s, 5, in->times),
        .last_sent_ms = sql_time(s, 6, in->times),
        .told_json = sql_text(s, 7, SQL_JSON_BYTES, in->arena)};
    return *ret_row->key != '\0';
}

bool read_outbox(sqlite3_stmt *s, const Reading *in, OutboxRow *ret_row) {
    static const char *const states[] = {"pending", "sending", "delivered", "parked", "expired", "discarded", NULL};
    *ret_row = (OutboxRow){.id = sql_name(s, 0, in->arena),
        .group_key = sql_name(s, 1, in->arena),
        .receiver = sql_name(s, 2, in->arena),
        .plugin = sql_name(s, 3, in->arena),
        .plugin_index = sql_count(s, 4),
        .state = sql_name(s, 5, in->arena),
        .attempts = sql_count(s, 6),
        .crashes = sql_count(s, 7),
        .created_ms = sql_time(s, 8, in->times),
        .next_attempt_ms = sql_time(s, 9, in->times),
        .expires_ms = sql_time(s, 10, in->times),
        .finished_ms = sql_time(s, 11, in->times),
        .last_error = sql_text(s, 12, SQL_TEXT_BYTES, in->arena),
        .receipt_json = sql_text(s, 13, SQL_JSON_BYTES, in->arena),
        .message_json = sql_text(s, 14, SQL_JSON_BYTES, in->arena),
        .handed_ms = sql_time(s, 15, in->times)};
    if (!is_one_of(ret_row->state, states)) { /* owed as far as anyone can tell: shown, not dropped in silence (I4) */
        ret_row->state = "parked";
        ret_row->last_error = STORE_DAMAGED_ROW;
    }
    return true;
}

bool read_cursor(sqlite3_stmt *s, const Reading *in, CursorRow *ret_row) {
    *ret_row = (CursorRow){sql_name(s, 0, in->arena), sql_text(s, 1, SQL_JSON_BYTES, in->arena)};
    return *ret_row->name && ret_row->value_json;
}

bool read_seen(sqlite3_stmt *s, const Reading *in, SeenRow *ret_row) {
    *ret_row = (SeenRow){sql_name(s, 0, in->arena), sql_name(s, 1, in->arena), sql_time(s, 2, in->times)};
    return *ret_row->scope && *ret_row->id;
}

bool read_match(sqlite3_stmt *s, const Reading *in, MatchRow *ret_row) {
    *ret_row = (MatchRow){.fingerprint = sql_name(s, 0, in->arena),
        .part = sql_count(s, 1),
        .event_id = sql_name(s, 2, in->arena),
        .event_ms = sql_time(s, 3, in->times),
        .seen_ms = sql_time(s, 4, in->times),
        .value = sql_text(s, 5, SQL_TEXT_BYTES, in->arena)};
    return *ret_row->fingerprint && *ret_row->event_id;
}

/* Its times are those that its JSON says, however far ahead: they are not cut. */
bool read_silence(sqlite3_stmt *s, const Reading *in, SilenceRow *ret_row) {
    *ret_row = (SilenceRow){.id = sql_name(s, 0, in->arena),
        .json = sql_text(s, 1, SQL_JSON_BYTES, in->arena),
        .starts_ms = sql_count(s, 2),
        .ends_ms = sql_count(s, 3)};
    return *ret_row->id && ret_row->json;
}

bool read_ack(sqlite3_stmt *s, const Reading *in, AckRow *ret_row) {
    *ret_row = (AckRow){.fingerprint = sql_name(s, 0, in->arena),
        .by = sql_name(s, 1, in->arena),
        .comment = sql_text(s, 2, SQL_TEXT_BYTES, in->arena),
        .starts_ms = sql_count(s, 3),
        .at_ms = sql_count(s, 4),
        .until_ms = sql_count(s, 5)};
    return *ret_row->fingerprint != '\0';
}

bool read_history(sqlite3_stmt *s, const Reading *in, HistoryRow *ret_row) {
    *ret_row = (HistoryRow){.id = sql_count(s, 0),
        .time_ms = sql_time(s, 1, in->times),
        .name = sql_name(s, 2, in->arena),
        .fingerprint = sql_name(s, 3, in->arena),
        .from = sql_name(s, 4, in->arena),
        .to = sql_name(s, 5, in->arena),
        .reason = sql_text(s, 6, SQL_TEXT_BYTES, in->arena)};
    ret_row->value = sql_real(s, 7, &ret_row->has_value);
    return true;
}

void read_decision(sqlite3_stmt *s, const Reading *in, DecisionTold *ret_row) {
    *ret_row = (DecisionTold){.decision = {.id = sql_count(s, 0),
                                  .time_ms = sql_time(s, 1, in->times),
                                  .fingerprint = sql_name(s, 2, in->arena),
                                  .group_key = sql_name(s, 3, in->arena),
                                  .receiver = sql_name(s, 4, in->arena),
                                  .decision = sql_name(s, 5, in->arena),
                                  .reason = sql_text(s, 6, SQL_TEXT_BYTES, in->arena)},
        .has_message = sqlite3_column_type(s, 7) != SQLITE_NULL};
    if (!ret_row->has_message) return;
    ret_row->message = (OutboxRow){.id = sql_name(s, 7, in->arena),
        .plugin = sql_name(s, 8, in->arena),
        .plugin_index = sql_count(s, 9),
        .state = sql_name(s, 10, in->arena),
        .attempts = sql_count(s, 11),
        .created_ms = sql_time(s, 12, in->times),
        .next_attempt_ms = sql_time(s, 13, in->times),
        .finished_ms = sql_time(s, 14, in->times),
        .last_error = sql_text(s, 15, SQL_TEXT_BYTES, in->arena),
        .receipt_json = sql_text(s, 16, SQL_JSON_BYTES, in->arena)};
}
