#include "store/store_batch.h"

#include "base/alloc.h"
#include "store/store_read.h"

#include <stdlib.h>

typedef enum {
    PUT_INSTANCE,
    FORGET_INSTANCE,
    TELL_INSTANCE,
    FORGET_TOLD,
    ADD_HISTORY,
    ADD_DECISION,
    TOUCH_GROUP,
    DROP_GROUP,
    FLUSH_GROUP,
    ADD_OUTBOX,
    ADD_MESSAGE,
    HAND_OVER,
    PUT_CURSOR,
    FORGET_CURSOR,
    FORGET_SEEN,
    FORGET_MATCHES,
    FORGET_ORPHANS,
    PUT_SEEN,
    PUT_MATCH,
    PUT_SILENCE,
    FORGET_SILENCE,
    PUT_ACK,
    FORGET_ACK,
    DECIDE_HANDED,
    READ_MESSAGE,
    LEASE,
    FINISH,
    STATEMENTS
} StatementId;

struct Statements {
    sqlite3 *db;
    sqlite3_stmt *all[STATEMENTS];
};

/* The earlier of two times, where 0 is none. */
#define EARLIER(a, b) "CASE WHEN " a " = 0 THEN " b " WHEN " b " = 0 THEN " a " ELSE min(" a ", " b ") END"

static const char *const texts[STATEMENTS] = {
    [PUT_INSTANCE] =
        "INSERT INTO instance(" INSTANCE_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
        " ?13, ?14, ?15, ?16, ?17) ON CONFLICT(fingerprint) DO UPDATE SET alarm = ?2, source = ?3,"
        " account = ?4, region = ?5, series_json = ?6, labels_json = ?7, state = ?8, reason = ?9,"
        " reason_data_json = ?10, since_ms = ?11, evaluated_ms = ?12, window_end_ms = ?13, value = ?14,"
        " firing_since_ms = ?15, resolved_ms = ?16, gone = ?17",
    [FORGET_INSTANCE] = "DELETE FROM instance WHERE fingerprint = ?1",
    [FORGET_TOLD] = "DELETE FROM instance WHERE fingerprint = ?1 AND resolved_ms = ?2 AND gone = 1",
    [TELL_INSTANCE] =
        "UPDATE instance SET firing_since_ms = 0, resolved_ms = 0 WHERE fingerprint = ?1 AND resolved_ms = ?2",
    [ADD_HISTORY] = "INSERT INTO history(time_ms, name, fingerprint, from_state, to_state, reason, value)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [ADD_DECISION] = "INSERT INTO decision(time_ms, fingerprint, group_key, receiver, decision, reason)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [TOUCH_GROUP] = "INSERT INTO notification_group(key, receiver, labels_json, due_ms, touches, first_flush_ms,"
                    " last_sent_ms) VALUES (?1, ?2, ?3, ?4, 1, 0, 0) ON CONFLICT(key) DO UPDATE SET receiver = ?2,"
                    " labels_json = ?3, touches = touches + 1, due_ms = " EARLIER("due_ms", "?4"),
    [DROP_GROUP] = "DELETE FROM notification_group WHERE key = ?1 AND touches = ?2",
    /* Not equal, instead of more: a row that was dropped and came back counts from 1 again. */
    [FLUSH_GROUP] = "UPDATE notification_group SET due_ms = CASE WHEN touches = ?2 THEN ?3 ELSE " EARLIER(
        "due_ms", "?3") " END, first_flush_ms = ?4, last_sent_ms = ?5, told_json = ?6 WHERE key = ?1",
    [ADD_OUTBOX] =
        "INSERT INTO outbox(id, group_key, receiver, plugin, plugin_index, state, attempts, crashes, created_ms,"
        " next_attempt_ms, expires_ms, finished_ms, last_error, receipt_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
        " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT(id) DO NOTHING",
    [ADD_MESSAGE] = "INSERT OR IGNORE INTO outbox_message SELECT seq, ?2 FROM outbox WHERE id = ?1",
    [HAND_OVER] = "UPDATE outbox SET handed_ms = ?2 WHERE id = ?1",
    /* Each alert once, where several messages of one group are handed over at a time. */
    [DECIDE_HANDED] =
        "INSERT INTO decision(time_ms, fingerprint, group_key, receiver, decision, reason) SELECT ?2, d.fingerprint,"
        " d.group_key, ?3, d.decision, ?4 FROM outbox AS o JOIN decision AS d ON d.time_ms = o.created_ms"
        " AND d.group_key = o.group_key AND d.receiver = o.receiver AND d.decision = 'told' WHERE o.id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM decision AS e WHERE e.time_ms = ?2 AND e.fingerprint = d.fingerprint"
        " AND e.group_key = d.group_key AND e.receiver = ?3)",
    [PUT_CURSOR] =
        "INSERT INTO cursor(name, value_json) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET value_json = ?2",
    [FORGET_CURSOR] = "DELETE FROM cursor WHERE name = ?1",
    [FORGET_SEEN] = "DELETE FROM event_seen WHERE scope = ?1 AND seen_ms < ?2",
    [FORGET_MATCHES] = "DELETE FROM event_match WHERE fingerprint = ?1 AND event_ms < ?2",
    [FORGET_ORPHANS] = "DELETE FROM event_match WHERE fingerprint = ?1 "
                       "AND NOT EXISTS (SELECT 1 FROM instance WHERE instance.fingerprint = ?1)",
    [PUT_SEEN] = "INSERT OR IGNORE INTO event_seen(scope, id, seen_ms) VALUES (?1, ?2, ?3)",
    [PUT_MATCH] = "INSERT OR IGNORE INTO event_match(" MATCH_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [PUT_SILENCE] = "INSERT INTO silence(" SILENCE_COLUMNS ") VALUES (?1, ?2, ?3, ?4) ON CONFLICT(id) DO UPDATE SET"
                    " json = ?2, starts_ms = ?3, ends_ms = ?4",
    [FORGET_SILENCE] = "DELETE FROM silence WHERE id = ?1",
    [PUT_ACK] = "INSERT INTO acknowledgement(" ACK_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(fingerprint)"
                " DO UPDATE SET by_whom = ?2, comment = ?3, starts_ms = ?4, at_ms = ?5, until_ms = ?6",
    [FORGET_ACK] = "DELETE FROM acknowledgement WHERE fingerprint = ?1",
    [READ_MESSAGE] = "SELECT message_json FROM outbox JOIN outbox_message USING (seq) WHERE id = ?1",
    [LEASE] = "UPDATE outbox SET state = 'sending', attempts = ?2"
              " WHERE id = ?1 AND state = 'pending' AND attempts = ?2 - 1",
    /* An attempt that was answered is none that crashed: the count is of crashes in a row (I5). */
    [FINISH] =
        "UPDATE outbox SET state = ?3, next_attempt_ms = ?4, finished_ms = ?5, last_error = ?6, receipt_json = ?7,"
        " crashes = 0 WHERE id = ?1 AND attempts = ?2 AND state NOT IN ('delivered', 'discarded')",
};

Statements *statements_new(sqlite3 *db) {
    OWN(statements) Statements *half = alloc_zeroed(1, sizeof *half);
    half->db = db;
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &half->all[i], NULL) != SQLITE_OK)
            return NULL;
    return GIVE(half);
}

Statements *statements_free(Statements *statements) {
    if (!statements) return NULL;
    for (int i = 0; i < STATEMENTS; i++) sqlite3_finalize(statements->all[i]);
    free(statements);
    return NULL;
}

static int put_instance(Statements *statements, const InstanceRow *row) {
    sqlite3_stmt *s = statements->all[PUT_INSTANCE];
    sql_bind_name(s, 1, row->fingerprint);
    sql_bind_name(s, 2, row->alarm);
    sql_bind_name(s, 3, row->source);
    sql_bind_name(s, 4, row->account);
    sql_bind_name(s, 5, row->region);
    sql_bind_text(s, 6, row->series_json);
    sql_bind_text(s, 7, row->labels_json);
    sql_bind_name(s, 8, row->state);
    sql_bind_text(s, 9, row->reason);
    sql_bind_text(s, 10, row->reason_data_json);
    sql_bind_number(s, 11, row->since_ms);
    sql_bind_number(s, 12, row->evaluated_ms);
    sql_bind_number(s, 13, row->window_end_ms);
    if (row->has_value) sql_bind_real(s, 14, row->value);
    sql_bind_number(s, 15, row->firing_since_ms);
    sql_bind_number(s, 16, row->resolved_ms);
    sql_bind_number(s, 17, row->gone);
    return sql_step(s);
}

static int forget(Statements *statements, StatementId id, const char *key) {
    sql_bind_name(statements->all[id], 1, key);
    return sql_step(statements->all[id]);
}

static int forget_before(Statements *statements, StatementId id, const ForgetBefore *what) {
    sqlite3_stmt *s = statements->all[id];
    sql_bind_name(s, 1, what->key);
    sql_bind_number(s, 2, what->before_ms);
    return sql_step(s);
}

static int forget_instance(Statements *statements, const char *fingerprint) {
    const int code = forget(statements, FORGET_INSTANCE, fingerprint);
    if (code != SQLITE_OK) return code;
    return forget_before(statements, FORGET_MATCHES, &(ForgetBefore){fingerprint, INT64_MAX});
}

static int tell(Statements *statements, StatementId id, const InstanceTold *told) {
    sqlite3_stmt *s = statements->all[id];
    sql_bind_name(s, 1, told->fingerprint);
    sql_bind_number(s, 2, told->resolved_ms);
    return sql_step(s);
}

static int close_told(Statements *statements, const InstanceTold *told) {
    int code = tell(statements, FORGET_TOLD, told);
    if (code == SQLITE_OK) code = forget(statements, FORGET_ORPHANS, told->fingerprint);
    return code == SQLITE_OK ? tell(statements, TELL_INSTANCE, told) : code;
}

static int add_history(Statements *statements, const HistoryRow *row) {
    sqlite3_stmt *s = statements->all[ADD_HISTORY];
    sql_bind_number(s, 1, row->time_ms);
    sql_bind_name(s, 2, row->name);
    sql_bind_name(s, 3, row->fingerprint);
    sql_bind_name(s, 4, row->from);
    sql_bind_name(s, 5, row->to);
    sql_bind_text(s, 6, row->reason);
    if (row->has_value) sql_bind_real(s, 7, row->value);
    return sql_step(s);
}

static int add_decision(Statements *statements, const DecisionRow *row) {
    sqlite3_stmt *s = statements->all[ADD_DECISION];
    sql_bind_number(s, 1, row->time_ms);
    sql_bind_name(s, 2, row->fingerprint);
    sql_bind_name(s, 3, row->group_key);
    sql_bind_name(s, 4, row->receiver);
    sql_bind_name(s, 5, row->decision);
    sql_bind_text(s, 6, row->reason);
    return sql_step(s);
}

static int touch_group(Statements *statements, const GroupTouch *touch) {
    sqlite3_stmt *s = statements->all[TOUCH_GROUP];
    sql_bind_name(s, 1, touch->key);
    sql_bind_name(s, 2, touch->receiver);
    sql_bind_text(s, 3, touch->labels_json);
    sql_bind_number(s, 4, touch->due_ms);
    return sql_step(s);
}

static int drop_group(Statements *statements, const GroupFlush *flush, bool *ret_dropped) {
    sqlite3_stmt *s = statements->all[DROP_GROUP];
    sql_bind_name(s, 1, flush->key);
    sql_bind_number(s, 2, flush->seen_touches);
    const int code = sql_step(s);
    *ret_dropped = code == SQLITE_OK && sqlite3_changes(statements->db) > 0;
    return code;
}

static int flush_group(Statements *statements, const GroupFlush *flush) {
    bool is_dropped = false;
    const int code = flush->drop ? drop_group(statements, flush, &is_dropped) : SQLITE_OK;
    if (code != SQLITE_OK || is_dropped) return code;
    sqlite3_stmt *s = statements->all[FLUSH_GROUP];
    sql_bind_name(s, 1, flush->key);
    sql_bind_number(s, 2, flush->seen_touches);
    sql_bind_number(s, 3, flush->next_due_ms);
    sql_bind_number(s, 4, flush->first_flush_ms);
    sql_bind_number(s, 5, flush->last_sent_ms);
    sql_bind_text(s, 6, flush->told_json);
    return sql_step(s);
}

static int add_outbox(Statements *statements, const OutboxRow *row) {
    sqlite3_stmt *s = statements->all[ADD_OUTBOX];
    sql_bind_name(s, 1, row->id);
    sql_bind_name(s, 2, row->group_key);
    sql_bind_name(s, 3, row->receiver);
    sql_bind_name(s, 4, row->plugin);
    sql_bind_number(s, 5, row->plugin_index);
    sql_bind_name(s, 6, row->state);
    sql_bind_number(s, 7, row->attempts);
    sql_bind_number(s, 8, row->crashes);
    sql_bind_number(s, 9, row->created_ms);
    sql_bind_number(s, 10, row->next_attempt_ms);
    sql_bind_number(s, 11, row->expires_ms);
    sql_bind_number(s, 12, row->finished_ms);
    sql_bind_text(s, 13, row->last_error);
    sql_bind_text(s, 14, row->receipt_json);
    const int code = sql_step(s);
    if (code != SQLITE_OK) return code;
    sql_bind_name(statements->all[ADD_MESSAGE], 1, row->id);
    sql_bind_text(statements->all[ADD_MESSAGE], 2, row->message_json);
    return sql_step(statements->all[ADD_MESSAGE]);
}

static int hand_over(Statements *statements, const HandedRow *row) {
    sqlite3_stmt *s = statements->all[HAND_OVER];
    sql_bind_name(s, 1, row->id);
    sql_bind_number(s, 2, row->handed_ms);
    const int code = sql_step(s);
    if (code != SQLITE_OK || !row->receiver) return code;
    s = statements->all[DECIDE_HANDED];
    sql_bind_name(s, 1, row->id);
    sql_bind_number(s, 2, row->handed_ms);
    sql_bind_name(s, 3, row->receiver);
    sql_bind_text(s, 4, row->reason);
    return sql_step(s);
}

static int put_cursor(Statements *statements, const CursorRow *row) {
    if (!row->value_json) return forget(statements, FORGET_CURSOR, row->name);
    sqlite3_stmt *s = statements->all[PUT_CURSOR];
    sql_bind_name(s, 1, row->name);
    sql_bind_text(s, 2, row->value_json);
    return sql_step(s);
}

static int put_seen(Statements *statements, const SeenRow *row) {
    sqlite3_stmt *s = statements->all[PUT_SEEN];
    sql_bind_name(s, 1, row->scope);
    sql_bind_name(s, 2, row->id);
    sql_bind_number(s, 3, row->seen_ms);
    return sql_step(s);
}

static int put_match(Statements *statements, const MatchRow *row) {
    sqlite3_stmt *s = statements->all[PUT_MATCH];
    sql_bind_name(s, 1, row->fingerprint);
    sql_bind_number(s, 2, row->part);
    sql_bind_name(s, 3, row->event_id);
    sql_bind_number(s, 4, row->event_ms);
    sql_bind_number(s, 5, row->seen_ms);
    sql_bind_text(s, 6, row->value);
    return sql_step(s);
}

static int put_silence(Statements *statements, const SilenceRow *row) {
    sqlite3_stmt *s = statements->all[PUT_SILENCE];
    sql_bind_name(s, 1, row->id);
    sql_bind_text(s, 2, row->json);
    sql_bind_number(s, 3, row->starts_ms);
    sql_bind_number(s, 4, row->ends_ms);
    return sql_step(s);
}

static int put_ack(Statements *statements, const AckRow *row) {
    sqlite3_stmt *s = statements->all[PUT_ACK];
    sql_bind_name(s, 1, row->fingerprint);
    sql_bind_name(s, 2, row->by);
    sql_bind_text(s, 3, row->comment);
    sql_bind_number(s, 4, row->starts_ms);
    sql_bind_number(s, 5, row->at_ms);
    sql_bind_number(s, 6, row->until_ms);
    return sql_step(s);
}

static int lease(Statements *statements, const OutboxResult *result) {
    sqlite3_stmt *s = statements->all[LEASE];
    sql_bind_name(s, 1, result->id);
    sql_bind_number(s, 2, result->attempts);
    return sql_step(s);
}

/* Of a damaged one as much as is left is handed on: who sends it says what is wrong with it. */
static int read_message(Statements *statements, Job *job) {
    sqlite3_stmt *s = statements->all[READ_MESSAGE];
    sql_bind_name(s, 1, job->result.id);
    const bool is_there = sqlite3_step(s) == SQLITE_ROW;
    job->message = is_there ? sql_text(s, 0, SQL_JSON_BYTES, job->arena) : NULL;
    return sqlite3_reset(s);
}

static int finish(Statements *statements, const OutboxResult *result) {
    sqlite3_stmt *s = statements->all[FINISH];
    sql_bind_name(s, 1, result->id);
    sql_bind_number(s, 2, result->attempts);
    sql_bind_name(s, 3, result->state);
    sql_bind_number(s, 4, result->next_attempt_ms);
    sql_bind_number(s, 5, result->finished_ms);
    sql_bind_text(s, 6, result->last_error);
    sql_bind_text(s, 7, result->receipt_json);
    return sql_step(s);
}

/* What a batch says of events: which were counted, and what they count for. */
static int apply_events(Statements *statements, const StoreBatch *batch) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->seen_forget_count; i++)
        code = forget_before(statements, FORGET_SEEN, &batch->seen_forget[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->match_forget_count; i++)
        code = forget_before(statements, FORGET_MATCHES, &batch->match_forget[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->seen_count; i++) code = put_seen(statements, &batch->seen[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->match_count; i++)
        code = put_match(statements, &batch->matches[i]);
    return code;
}

/* What people did: silences and acknowledgements. */
static int apply_people(Statements *statements, const StoreBatch *batch) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->silence_forget_count; i++)
        code = forget(statements, FORGET_SILENCE, batch->silence_forget[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->silence_count; i++)
        code = put_silence(statements, &batch->silences[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->ack_forget_count; i++)
        code = forget(statements, FORGET_ACK, batch->ack_forget[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->ack_count; i++) code = put_ack(statements, &batch->acks[i]);
    return code;
}

/* Where one batch names a thing twice: put wins over forget, and a touch counts before the flush that may have missed
 * it. */
static int apply_batch(Statements *statements, const StoreBatch *batch) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->forget_count; i++)
        code = forget_instance(statements, batch->forget[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->instance_count; i++)
        code = put_instance(statements, &batch->instances[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->history_count; i++)
        code = add_history(statements, &batch->history[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->decision_count; i++)
        code = add_decision(statements, &batch->decisions[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->touch_count; i++)
        code = touch_group(statements, &batch->touches[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->flush_count; i++)
        code = flush_group(statements, &batch->flushes[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->outbox_count; i++)
        code = add_outbox(statements, &batch->outbox[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->handed_count; i++)
        code = hand_over(statements, &batch->handed[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->told_count; i++) code = close_told(statements, &batch->told[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->cursor_count; i++)
        code = put_cursor(statements, &batch->cursors[i]);
    if (code == SQLITE_OK) code = apply_people(statements, batch);
    return code == SQLITE_OK ? apply_events(statements, batch) : code;
}

static int lease_and_read(Statements *statements, Job *job) {
    const int code = lease(statements, &job->result);
    return code == SQLITE_OK ? read_message(statements, job) : code;
}

int job_apply(Statements *statements, Job *job) {
    switch (job->kind) {
    case JOB_BATCH: return apply_batch(statements, &job->batch);
    case JOB_LEASE: return lease_and_read(statements, job);
    case JOB_MESSAGE: return read_message(statements, job);
    case JOB_FINISH: return finish(statements, &job->result);
    }
    return SQLITE_MISUSE;
}
