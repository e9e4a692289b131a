#include "store/store_job.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Rows are copied by a list of their texts: the numbers come with the struct. */
typedef struct RowShape {
    size_t bytes, text_count;
    const size_t *texts; /* offsets of const char * */
} RowShape;

#define AT(Type, member) offsetof(Type, member)
#define SHAPE(Type, offsets) ((RowShape){sizeof(Type), COUNT_OF(offsets), offsets})

static const size_t instance_texts[] = {AT(InstanceRow, fingerprint), AT(InstanceRow, alarm), AT(InstanceRow, source),
    AT(InstanceRow, account), AT(InstanceRow, region), AT(InstanceRow, series_json), AT(InstanceRow, labels_json),
    AT(InstanceRow, state), AT(InstanceRow, reason), AT(InstanceRow, reason_data_json)};
static const size_t decision_texts[] = {AT(DecisionRow, fingerprint), AT(DecisionRow, group_key),
    AT(DecisionRow, receiver), AT(DecisionRow, decision), AT(DecisionRow, reason)};
static const size_t history_texts[] = {AT(HistoryRow, name), AT(HistoryRow, fingerprint), AT(HistoryRow, from),
    AT(HistoryRow, to), AT(HistoryRow, reason)};
static const size_t touch_texts[] = {AT(GroupTouch, key), AT(GroupTouch, receiver), AT(GroupTouch, labels_json)};
static const size_t flush_texts[] = {AT(GroupFlush, key), AT(GroupFlush, told_json)};
static const size_t outbox_texts[] = {AT(OutboxRow, id), AT(OutboxRow, group_key), AT(OutboxRow, receiver),
    AT(OutboxRow, plugin), AT(OutboxRow, state), AT(OutboxRow, last_error), AT(OutboxRow, message_json),
    AT(OutboxRow, receipt_json)};
static const size_t handed_texts[] = {AT(HandedRow, id), AT(HandedRow, receiver), AT(HandedRow, reason)};
static const size_t told_texts[] = {AT(InstanceTold, fingerprint)};
static const size_t cursor_texts[] = {AT(CursorRow, name), AT(CursorRow, value_json)};
static const size_t seen_texts[] = {AT(SeenRow, scope), AT(SeenRow, id)};
static const size_t match_texts[] = {AT(MatchRow, fingerprint), AT(MatchRow, event_id), AT(MatchRow, value)};
static const size_t before_texts[] = {AT(ForgetBefore, key)};
static const size_t silence_texts[] = {AT(SilenceRow, id), AT(SilenceRow, json)};
static const size_t ack_texts[] = {AT(AckRow, fingerprint), AT(AckRow, by), AT(AckRow, comment)};
static const size_t result_texts[] = {
    AT(OutboxResult, id), AT(OutboxResult, state), AT(OutboxResult, last_error), AT(OutboxResult, receipt_json)};

static void own_texts(Arena *arena, const RowShape *shape, char *row) {
    for (size_t i = 0; i < shape->text_count; i++) {
        const char **text = (const char **)(row + shape->texts[i]);
        *text = arena_text(arena, *text);
    }
}

static const void *copy_rows(Arena *arena, RowShape shape, const void *rows, size_t count) {
    if (count == 0) return NULL;
    char *copy = arena_alloc(arena, count, shape.bytes);
    memcpy(copy, rows, count * shape.bytes);
    for (size_t i = 0; i < count; i++) own_texts(arena, &shape, copy + i * shape.bytes);
    return copy;
}

static Job *job_new(JobKind kind) {
    Job *job = alloc_zeroed(1, sizeof *job);
    job->arena = arena_new();
    job->kind = kind;
    return job;
}

Job *job_new_batch(const StoreBatch *batch) {
    static const size_t at_start[] = {0}; /* a bare text: a row of itself */
    const RowShape text_shape = SHAPE(const char *, at_start);
    Job *job = job_new(JOB_BATCH);
    Arena *arena = job->arena;
    job->batch = *batch;
    job->batch.instances =
        copy_rows(arena, SHAPE(InstanceRow, instance_texts), batch->instances, batch->instance_count);
    job->batch.forget = copy_rows(arena, text_shape, batch->forget, batch->forget_count);
    job->batch.decisions =
        copy_rows(arena, SHAPE(DecisionRow, decision_texts), batch->decisions, batch->decision_count);
    job->batch.history = copy_rows(arena, SHAPE(HistoryRow, history_texts), batch->history, batch->history_count);
    job->batch.touches = copy_rows(arena, SHAPE(GroupTouch, touch_texts), batch->touches, batch->touch_count);
    job->batch.flushes = copy_rows(arena, SHAPE(GroupFlush, flush_texts), batch->flushes, batch->flush_count);
    job->batch.outbox = copy_rows(arena, SHAPE(OutboxRow, outbox_texts), batch->outbox, batch->outbox_count);
    job->batch.handed = copy_rows(arena, SHAPE(HandedRow, handed_texts), batch->handed, batch->handed_count);
    job->batch.told = copy_rows(arena, SHAPE(InstanceTold, told_texts), batch->told, batch->told_count);
    job->batch.cursors = copy_rows(arena, SHAPE(CursorRow, cursor_texts), batch->cursors, batch->cursor_count);
    job->batch.seen = copy_rows(arena, SHAPE(SeenRow, seen_texts), batch->seen, batch->seen_count);
    job->batch.matches = copy_rows(arena, SHAPE(MatchRow, match_texts), batch->matches, batch->match_count);
    job->batch.seen_forget =
        copy_rows(arena, SHAPE(ForgetBefore, before_texts), batch->seen_forget, batch->seen_forget_count);
    job->batch.match_forget =
        copy_rows(arena, SHAPE(ForgetBefore, before_texts), batch->match_forget, batch->match_forget_count);
    job->batch.silences = copy_rows(arena, SHAPE(SilenceRow, silence_texts), batch->silences, batch->silence_count);
    job->batch.silence_forget = copy_rows(arena, text_shape, batch->silence_forget, batch->silence_forget_count);
    job->batch.acks = copy_rows(arena, SHAPE(AckRow, ack_texts), batch->acks, batch->ack_count);
    job->batch.ack_forget = copy_rows(arena, text_shape, batch->ack_forget, batch->ack_forget_count);
    return job;
}

Job *job_new_lease(const char *id, int64_t attempts, StoreMessage *done) {
    Job *job = job_new(JOB_LEASE);
    job->result = (OutboxResult){.id = arena_text(job->arena, id), .attempts = attempts};
    job->message_done = done;
    return job;
}

Job *job_new_message(const char *id, StoreMessage *done) {
    Job *job = job_new(JOB_MESSAGE);
    job->result = (OutboxResult){.id = arena_text(job->arena, id)};
    job->message_done = done;
    return job;
}

Job *job_new_finish(const OutboxResult *result) {
    Job *job = job_new(JOB_FINISH);
    const RowShape shape = SHAPE(OutboxResult, result_texts);
    job->result = *result;
    own_texts(job->arena, &shape, (char *)&job->result);
    return job;
}

Job *job_free(Job *job) {
    if (!job) return NULL;
    arena_free(job->arena);
    free(job);
    return NULL;
}
