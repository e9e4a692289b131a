/* The rows of the state file: plain structs of text, int64 and double. Alarms and notify map to them; the store knows
 * no more of their meaning than their keys. Times are UTC ms, 0 = none. Texts are borrowed for the call unless a row
 * came from the store, which then owns it until its StoreLoad is freed. */
#ifndef TOCSIN_STORE_ROWS_H
#define TOCSIN_STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An instance's state; key fingerprint. Upsert. */
typedef struct InstanceRow {
    const char *fingerprint, *alarm, *source, *account, *region;
    const char *series_json; /* the series' own labels */
    const char *labels_json; /* all labels as last known: enough to resolve what no longer is configured */
    const char *state; /* OK ALARM INSUFFICIENT_DATA */
    const char *reason, *reason_data_json; /* reason_data: value, threshold, datapoints, worst ... for rendering */
    int64_t since_ms, evaluated_ms, window_end_ms;
    double value; /* NAN: none */
    bool has_value;
    int64_t firing_since_ms; /* 0: people have nothing open about it */
    int64_t resolved_ms; /* when what people know as firing ended; 0 while firing or never */
    bool gone; /* removed by a reload or a vanished resource: kept until its resolution was told */
} InstanceRow;

typedef struct HistoryRow {
    int64_t id; /* given by the store; paging */
    int64_t time_ms;
    const char *name, *fingerprint, *from, *to, *reason;
    double value;
    bool has_value;
} HistoryRow;

/* What was decided about telling of an alert, and why: kept beside history, so that the past can be explained. */
typedef struct DecisionRow {
    int64_t id; /* given by the store */
    int64_t time_ms; /* of one that was told: created_ms of its messages */
    const char *fingerprint;
    const char *group_key, *receiver; /* "" where it was decided before any group */
    const char *decision; /* told held waits passed */
    const char *reason; /* in words */
} DecisionRow;

/* A notification group that must hear of something: commit 1's part. Makes the row where it is absent, raises `touches`
 * by one, sets due_ms = min of what is there (0 counts as none) and this one. */
typedef struct GroupTouch {
    const char *key; /* route and group labels, as text */
    const char *receiver, *labels_json;
    int64_t due_ms;
    int64_t shifted_ms; /* memory's alone: how far the wall clock had jumped in all when due_ms was made */
} GroupTouch;

/* A group as it is stored. */
typedef struct GroupRow {
    const char *key, *receiver, *labels_json;
    int64_t due_ms, touches;
    int64_t first_flush_ms, last_sent_ms; /* phase of group_interval; start of repeat_interval */
    const char *told_json; /* what the receivers were told: fingerprint -> {status, starts_at, who knows its name} */
} GroupRow;

/* Commit 2's part: what a due group has rendered. Where `touches` in the file is not seen_touches, due_ms becomes
 * the smaller of what is there and next_due_ms; otherwise next_due_ms (0: none). `drop` deletes the row, unless
 * touched. */
typedef struct GroupFlush {
    const char *key;
    int64_t seen_touches, next_due_ms, first_flush_ms, last_sent_ms;
    const char *told_json;
    bool drop;
} GroupFlush;

/* An owed notification: one message to one plugin of one receiver. */
typedef struct OutboxRow {
    const char *id; /* UUID, from birth, the same for all tries (I2) */
    const char *group_key, *receiver, *plugin;
    int64_t plugin_index; /* which of several of one plugin in a receiver */
    const char *state; /* pending sending delivered parked expired discarded */
    int64_t attempts, crashes;
    int64_t created_ms, next_attempt_ms, expires_ms, finished_ms;
    const char *last_error, *message_json, *receipt_json;
    int64_t handed_ms; /* when another receiver was given it, since this one failed; 0: not */
} OutboxRow;

/* An owed notification was handed over to another receiver: what was decided of its alerts is decided for that one
 * too, with this reason. */
typedef struct HandedRow {
    const char *id;
    int64_t handed_ms;
    const char *receiver, *reason; /* NULL receiver: it wanted none of it */
} HandedRow;

/* The end of what fired was told everywhere: where the row still has this resolved_ms, firing_since_ms and resolved_ms
 * become 0, and a row that is gone is deleted. One that fired again meanwhile is left alone. */
typedef struct InstanceTold {
    const char *fingerprint;
    int64_t resolved_ms;
} InstanceTold;

/* How far a source was read, and anything else a source or engine keeps by name. Upsert; value NULL deletes. */
typedef struct CursorRow {
    const char *name, *value_json;
} CursorRow;

/* An event that was counted, so that it is never counted again. Key (scope, id); one that is there stays as it is. */
typedef struct SeenRow {
    const char *scope, *id;
    int64_t seen_ms;
} SeenRow;

/* An event that an instance's rule matched and that may still count. Key (fingerprint, part, event_id), likewise. */
typedef struct MatchRow {
    const char *fingerprint, *event_id;
    int64_t part; /* which of a correlation's rules matched; else 0 */
    int64_t event_ms, seen_ms;
    const char *value; /* what is counted where values are; NULL: none */
} MatchRow;

/* A silence, as its JSON says it. Upsert. */
typedef struct SilenceRow {
    const char *id, *json; /* Alertmanager's object without its status */
    int64_t starts_ms, ends_ms;
} SilenceRow;

/* Somebody is on it. Key fingerprint. Upsert. */
typedef struct AckRow {
    const char *fingerprint, *by, *comment;
    int64_t starts_ms; /* when what it speaks of began to fire: what fires anew later is not acknowledged */
    int64_t at_ms, until_ms; /* until_ms 0: until it resolves */
} AckRow;

/* What is older goes: of a scope's seen ids by when they were seen, of an instance's matches by the events' time. */
typedef struct ForgetBefore {
    const char *key; /* scope, fingerprint */
    int64_t before_ms;
} ForgetBefore;

/* One transaction's whole effect (I1). All arrays may be empty. */
typedef struct StoreBatch {
    const InstanceRow *instances;
    size_t instance_count;
    const char *const *forget; /* fingerprints whose rows go, their matches too */
    size_t forget_count;
    const HistoryRow *history;
    size_t history_count;
    const DecisionRow *decisions;
    size_t decision_count;
    const GroupTouch *touches;
    size_t touch_count;
    const GroupFlush *flushes;
    size_t flush_count;
    const OutboxRow *outbox; /* new ones: inserted; an id that is there already is left alone */
    size_t outbox_count;
    const HandedRow *handed; /* with the rows that another receiver gets, so that it is handed over once */
    size_t handed_count;
    const InstanceTold *told;
    size_t told_count;
    const CursorRow *cursors;
    size_t cursor_count;
    const SeenRow *seen;
    size_t seen_count;
    const MatchRow *matches;
    size_t match_count;
    const ForgetBefore *seen_forget, *match_forget; /* before the new ones are put */
    size_t seen_forget_count, match_forget_count;
    const SilenceRow *silences;
    size_t silence_count;
    const char *const *silence_forget; /* ids; before the new ones are put, as those of the next */
    size_t silence_forget_count;
    const AckRow *acks;
    size_t ack_count;
    const char *const *ack_forget; /* fingerprints */
    size_t ack_forget_count;
} StoreBatch;

/* What one delivery attempt became: commit 4. */
typedef struct OutboxResult {
    const char *id;
    int64_t attempts; /* must equal the row's, or nothing happens: a late callback (I12) */
    const char *state; /* delivered pending parked expired discarded */
    int64_t next_attempt_ms, finished_ms;
    const char *last_error, *receipt_json;
} OutboxResult;

#endif
