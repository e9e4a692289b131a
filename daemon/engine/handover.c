/* daemon/engine/handover.c: from a receiver that fails to its fallback */
#include "engine/handover.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/log.h"
#include "notify/delivery.h"
#include "notify/render.h"
#include "plugin/receivers.h"

#include <stdlib.h>
#include <string.h>

static const Metric handed_total = {
    "tocsin_notifications_handed_over_total", "Notifications that went to a fallback.", METRIC_COUNTER, {"receiver"}};

/* One on its way. */
typedef struct Handover {
    Handovers *all;
    char *id, *group_key, *from, *to; /* the row's own */
    char *message_json; /* once it is read */
    int64_t failed_s, now_ms;
    OutboxRow *rows; /* one a channel of the fallback; `id` and `message_json` are owned, the latter NULL: not wanted */
    const Channel *channels; /* parallel to them; the snapshot's */
    size_t count;
    Snapshot *snapshot; /* whose texts the rows name */
    uv_work_t work;
} Handover;

static const Receiver *find(const Core *core, const char *name) {
    return receiver_find(snapshot_section(core->snapshot, &receivers_section), name);
}

int64_t handover_after_ms(const Core *core, const char *receiver) {
    if (!core->snapshot) return 0; /* while the state is restored: the first configuration asks anew */
    const Receiver *from = find(core, receiver);
    return from && from->fallback ? from->fallback_after_s * 1000 : 0;
}

static void handover_free(Handover *handover) {
    for (size_t i = 0; i < handover->count; i++) {
        free((char *)(uintptr_t)handover->rows[i].id);
        free((char *)(uintptr_t)handover->rows[i].message_json);
    }
    free(handover->rows);
    free(handover->id);
    free(handover->group_key);
    free(handover->from);
    free(handover->to);
    free(handover->message_json);
    snapshot_free(handover->snapshot);
    free(handover);
}

static void end(Handover *handover, int64_t handed_ms) {
    outbox_handed(handover->all->outbox, handover->id, handed_ms);
    handover_free(handover);
}

/* What became of it, after its commit. */
static void tell(const Handover *handover) {
    if (handover->count) {
        LOG(WARNING, "a notification went to the fallback", KV("id", handover->id), KV("receiver", handover->from),
            KV("fallback", handover->to), KV("failed_seconds", handover->failed_s));
        metric_add(handover->all->core->metrics, &handed_total, 1, METRIC_VALUES(handover->from));
    } else if (*handover->message_json) {
        LOG(INFO, "a notification was not handed over: the fallback takes none such, or it cannot be read",
            KV("id", handover->id), KV("receiver", handover->from), KV("fallback", handover->to));
    } else {
        LOG(WARNING, "a notification cannot go to the fallback: its message is lost", KV("id", handover->id),
            KV("receiver", handover->from), KV("fallback", handover->to));
    }
}

static void committed(void *ctx, StoreOutcome outcome) {
    Handover *handover = ctx;
    Core *core = handover->all->core;
    if (outcome == STORE_STOPPED) return handover_free(handover);
    if (outcome == STORE_FULL) core->state_full(core->ctx, true);
    if (outcome == STORE_OK) tell(handover);
    if (outcome == STORE_OK) outbox_add(handover->all->outbox, handover->rows, handover->count);
    end(handover, outcome == STORE_OK ? handover->now_ms : 0);
}

static void render_on_pool(uv_work_t *work) {
    Handover *handover = work->data;
    for (size_t i = 0; i < handover->count; i++) {
        const RenderHandover how = {handover->rows[i].id, handover->from, handover->to, handover->failed_s,
            handover->now_ms, handover->channels[i].send_resolved};
        handover->rows[i].message_json = render_handover(handover->message_json, &how);
    }
}

static void drop_unwanted(Handover *handover) {
    size_t kept = 0;
    for (size_t i = 0; i < handover->count; i++) {
        if (handover->rows[i].message_json)
            handover->rows[kept++] = handover->rows[i];
        else
            free((char *)(uintptr_t)handover->rows[i].id);
    }
    handover->count = kept;
}

static void rendered(uv_work_t *work, int status) {
    Handover *handover = work->data;
    handover->all->on_pool--;
    if (status || handover->all->is_closing) return end(handover, 0);
    drop_unwanted(handover);
    OWN(text) char *why = render_handover_why(handover->from, handover->failed_s);
    const HandedRow handed = {handover->id, handover->now_ms, handover->count ? handover->to : NULL, why};
    const StoreBatch batch = {
        .outbox = handover->rows, .outbox_count = handover->count, .handed = &handed, .handed_count = 1};
    store_commit_batch(handover->all->core->store, &batch, committed, handover);
}

static OutboxRow row_for(const Handover *handover, const Channel *channel) {
    char id[UUID_TEXT];
    return (OutboxRow){.id = text_copy(uuid_make(id)),
        .group_key = handover->group_key,
        .receiver = handover->to,
        .plugin = channel->plugin,
        .plugin_index = (int64_t)channel->index,
        .state = delivery_state_word(DELIVERY_PENDING),
        .created_ms = handover->now_ms,
        .next_attempt_ms = handover->now_ms,
        .expires_ms = handover->now_ms + DELIVERY_LIFE_MS};
}

static void message_read(void *ctx, StoreOutcome outcome, const char *message_json) {
    Handover *handover = ctx;
    Handovers *all = handover->all;
    if (outcome == STORE_STOPPED) return handover_free(handover);
    if (outcome != STORE_OK || all->is_closing) return end(handover, 0);
    handover->message_json = text_copy(message_json ? message_json : ""); /* lost: nothing can be handed over */
    handover->work.data = handover;
    all->on_pool++;
    uv_queue_work(all->core->loop, &handover->work, render_on_pool, rendered);
}

void handover_begin(Handovers *handovers, const OutboxRow *row) {
    Core *core = handovers->core;
    const Receiver *from = find(core, row->receiver), *to = from && from->fallback ? find(core, from->fallback) : NULL;
    if (!to) return outbox_handed(handovers->outbox, row->id, 0); /* the next configuration may have one */
    Handover *handover = alloc_zeroed(1, sizeof *handover);
    *handover = (Handover){.all = handovers,
        .id = text_copy(row->id),
        .group_key = text_copy(row->group_key),
        .from = text_copy(row->receiver),
        .to = text_copy(to->name),
        .now_ms = clock_wall_ms(core->clock),
        .snapshot = snapshot_ref(core->snapshot)};
    handover->failed_s = (handover->now_ms - row->created_ms) / 1000;
    handover->channels = to->channels;
    handover->rows = alloc_zeroed(to->channel_count + 1, sizeof *handover->rows);
    for (size_t i = 0; i < to->channel_count; i++)
        handover->rows[handover->count++] = row_for(handover, &to->channels[i]);
    store_message(core->store, handover->id, message_read, handover);
}
