/* daemon/notify/outbox.c: leases, sends and finishes what is owed */
#include "notify/outbox.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "notify/lane.h"

#include <stdlib.h>
#include <string.h>

struct Outbox {
    OutboxWorld world;
    const Clock *clock;
    Metrics *metrics;
    Lanes lanes;
    Delivery *by_id;
    DueHeap expiry; /* pending ones */
    DueHeap handovers; /* not yet handed over, where there is a fallback */
    DueHeap unsettled; /* a commit of theirs found no room */
    size_t handing_over; /* asked of the world, not yet answered */
    OutboxCounts counts;
    bool is_stopping;
};

/* A change by hand, until it is committed. */
typedef struct Request {
    Delivery *delivery;
    DeliveryState next;
    StoreDone *done; /* NULL: nobody waits */
    void *ctx;
} Request;

static const Metric sent_total = {
    "tocsin_notifications_total", "Attempts to deliver a notification.", METRIC_COUNTER, {"receiver", "plugin"}};
static const Metric failed_total = {"tocsin_notifications_failed_total",
    "Attempts that failed, and notifications that were given up.", METRIC_COUNTER, {"receiver", "plugin", "reason"}};
static const Metric rows_gauge = {"tocsin_notifications_owed", "Notifications in the outbox.", METRIC_GAUGE, {"state"}};
static const Metric flight_gauge = {"tocsin_notifications_in_flight",
    "Notifications on their way; at most 32, and 4 a receiver.", METRIC_GAUGE, {NULL}};

Outbox *outbox_new(const OutboxWorld *world, const Clock *clock, Metrics *metrics) {
    Outbox *outbox = alloc_zeroed(1, sizeof *outbox);
    outbox->world = *world;
    outbox->clock = clock;
    outbox->metrics = metrics;
    return outbox;
}

Outbox *outbox_free(Outbox *outbox) {
    if (!outbox) return NULL;
    for (Delivery *d = outbox->by_id, *next; d; d = next) {
        next = d->hh.next;
        HASH_DEL(outbox->by_id, d);
        delivery_free(d);
    }
    lanes_deinit(&outbox->lanes);
    due_deinit(&outbox->expiry);
    due_deinit(&outbox->handovers);
    due_deinit(&outbox->unsettled);
    free(outbox);
    return NULL;
}

static int64_t now(const Outbox *outbox) { return clock_wall_ms(outbox->clock); }

static Delivery *find(const Outbox *outbox, const char *id) {
    Delivery *delivery = NULL;
    HASH_FIND_STR(outbox->by_id, id, delivery);
    return delivery;
}

/* --- what comes in and goes out of memory --- */

static void begin_waiting(Outbox *outbox, Delivery *delivery) {
    outbox->counts.pending++;
    due_set(&outbox->expiry, &delivery->expiry, delivery->expires_ms);
    lanes_join(&outbox->lanes, delivery);
}

static void end_waiting(Outbox *outbox, Delivery *delivery) {
    outbox->counts.pending--;
    due_remove(&outbox->expiry, &delivery->expiry);
    lanes_leave(&outbox->lanes, delivery);
}

static void set_parked(Outbox *outbox, Delivery *delivery) {
    outbox->counts.parked++;
    delivery->lane->parked++;
}

static void unset_parked(Outbox *outbox, Delivery *delivery) {
    outbox->counts.parked--;
    delivery->lane->parked--;
}

/* When another receiver gets it, if it is still owed then. */
static void set_handover(Outbox *outbox, Delivery *delivery) {
    const OutboxWorld *world = &outbox->world;
    const int64_t after_ms = world->fallback_ms ? world->fallback_ms(world->ctx, delivery->row.receiver) : 0;
    if (after_ms && !delivery->row.handed_ms)
        due_set(&outbox->handovers, &delivery->handover, delivery->row.created_ms + after_ms);
    else
        due_remove(&outbox->handovers, &delivery->handover);
}

static void forget(Outbox *outbox, Delivery *delivery) {
    due_remove(&outbox->handovers, &delivery->handover);
    HASH_DEL(outbox->by_id, delivery);
    delivery_free(delivery);
}

static void add_row(Outbox *outbox, const OutboxRow *row) {
    if (find(outbox, row->id)) return;
    Delivery *delivery = delivery_new(outbox, row);
    const int64_t now_ms = now(outbox), latest_ms = now_ms + DELIVERY_WISH_MAX_MS,
                  least_life_ms = now_ms + DELIVERY_GRACE_MS;
    if (delivery->row.next_attempt_ms > latest_ms)
        delivery->row.next_attempt_ms = latest_ms; /* the clock was elsewhere */
    if (delivery->expires_ms < least_life_ms) delivery->expires_ms = least_life_ms; /* down-time is no try */
    if (delivery->expires_ms > now_ms + DELIVERY_LIFE_MS) delivery->expires_ms = now_ms + DELIVERY_LIFE_MS;
    delivery->lane = lane_get(&outbox->lanes, row);
    HASH_ADD_KEYPTR(hh, outbox->by_id, delivery->row.id, strlen(delivery->row.id), delivery);
    set_handover(outbox, delivery);
    if (delivery->state == DELIVERY_PARKED) {
        set_parked(outbox, delivery);
    } else {
        delivery_set_state(delivery, DELIVERY_PENDING);
        begin_waiting(outbox, delivery);
    }
}

void outbox_add(Outbox *outbox, const OutboxRow *rows, size_t count) {
    for (size_t i = 0; i < count; i++) add_row(outbox, &rows[i]);
    if (count && outbox->world.wake) outbox->world.wake(outbox->world.ctx);
}

static void wake(Outbox *outbox) {
    if (outbox->world.wake) outbox->world.wake(outbox->world.ctx);
}

/* --- what is told of it --- */

static bool has_trouble_beside(const Outbox *outbox, const Lane *lane) {
    for (const Lane *other = outbox->lanes.table; other; other = other->hh.next)
        if (other != lane && other->has_trouble && !strcmp(other->receiver, lane->receiver) &&
            !strcmp(other->plugin, lane->plugin))
            return true;
    return false;
}

static void tell_trouble(Outbox *outbox, const Delivery *delivery, const char *what) {
    Lane *lane = delivery->lane;
    const char *error = delivery->row.last_error;
    lane->has_trouble = true;
    OWN(text)
    char *reason = text_format("%s%s%s; %zu wait, %zu are parked", what, error ? ": " : "", error ? error : "",
        outbox->counts.pending, outbox->counts.parked);
    outbox->world.health(outbox->world.ctx, lane->receiver, lane->plugin, true, reason);
}

/* Also where no trouble is known: the alarm may stand from before a restart. */
static void tell_works(Outbox *outbox, Lane *lane) {
    lane->has_trouble = false;
    if (!has_trouble_beside(outbox, lane))
        outbox->world.health(
            outbox->world.ctx, lane->receiver, lane->plugin, false, "notifications are delivered again");
}

static void tell_event(Outbox *outbox, const Delivery *delivery) {
    if (outbox->world.event) outbox->world.event(outbox->world.ctx, &delivery->row);
}

/* After commit 4, for the state that it made true. */
static void tell_outcome(Outbox *outbox, const Delivery *delivery) {
    Lane *lane = delivery->lane;
    if (delivery->state == DELIVERY_DELIVERED) {
        outbox->counts.delivered++;
        tell_works(outbox, lane);
    } else if (delivery->state == DELIVERY_PARKED) {
        tell_trouble(outbox, delivery, "a notification was not taken and is parked");
    } else if (delivery->state == DELIVERY_EXPIRED) {
        tell_trouble(outbox, delivery, "a notification was given up after 72 hours");
    } else if (lane->failures >= LANE_CIRCUIT_FAILURES) { /* not the fifth alone: several may fail at one time */
        tell_trouble(outbox, delivery, "5 failures in a row or more, the last one");
    }
    tell_event(outbox, delivery);
}

/* After a change by hand: when the last parked one is discarded, nothing speaks against the receiver any more. */
static void tell_change(Outbox *outbox, const Delivery *delivery) {
    Lane *lane = delivery->lane;
    if (delivery->state == DELIVERY_DISCARDED && !lane->parked && lane->failures < LANE_CIRCUIT_FAILURES)
        tell_works(outbox, lane);
    tell_event(outbox, delivery);
}

/* --- commit 4 --- */

static void unsettle(Outbox *outbox, Delivery *delivery) {
    due_set(&outbox->unsettled, &delivery->due, now(outbox) + OUTBOX_ROOM_RETRY_MS);
}

/* The row is on disk in its new state: memory follows, and it is told. */
static void settle(Outbox *outbox, Delivery *delivery) {
    delivery->is_committing = false;
    delivery->row.crashes = 0; /* an answered attempt is none that crashed */
    if (delivery->state == DELIVERY_PENDING) {
        due_set(&outbox->expiry, &delivery->expiry, delivery->expires_ms);
        lanes_wait(&outbox->lanes, delivery, delivery->row.next_attempt_ms);
        tell_outcome(outbox, delivery);
        return;
    }
    end_waiting(outbox, delivery);
    if (delivery->state == DELIVERY_PARKED) set_parked(outbox, delivery);
    tell_outcome(outbox, delivery);
    if (delivery->state != DELIVERY_PARKED) forget(outbox, delivery);
}

static void on_finished(void *ctx, StoreOutcome outcome) {
    Delivery *delivery = ctx;
    Outbox *outbox = delivery->outbox;
    switch (outcome) {
    case STORE_OK: settle(outbox, delivery); break;
    case STORE_FULL: unsettle(outbox, delivery); break; /* its outcome is known: it is not sent again for that */
    case STORE_STOPPED: return; /* the next start finds it as it was */
    }
    wake(outbox);
}

static void finish(Delivery *delivery) {
    Outbox *outbox = delivery->outbox;
    delivery->is_committing = true;
    const OutboxRow *row = &delivery->row;
    const OutboxResult result = {
        row->id, row->attempts, row->state, row->next_attempt_ms, row->finished_ms, row->last_error, row->receipt_json};
    outbox->world.finish(outbox->world.store, &result, on_finished, delivery);
}

/* Takes the row to what the event makes of it, and commits that. */
static void conclude(Delivery *delivery, DeliveryEvent event, const char *error, int64_t wish_ms) {
    Outbox *outbox = delivery->outbox;
    DeliveryState next;
    if (!delivery_next(delivery->state, event, &next)) return;
    delivery_set_state(delivery, next);
    delivery_set_error(delivery, error);
    delivery->row.finished_ms = next == DELIVERY_PENDING ? 0 : now(outbox);
    delivery->row.next_attempt_ms = next == DELIVERY_PENDING
        ? now(outbox) + delivery_backoff_ms(delivery->row.attempts - delivery->went_on, wish_ms, random_u64())
        : 0;
    due_remove(&outbox->expiry, &delivery->expiry);
    finish(delivery);
}

static void count_failure(Outbox *outbox, const Delivery *delivery, const char *reason) {
    outbox->counts.failed++;
    metric_add(outbox->metrics, &failed_total, 1, METRIC_VALUES(delivery->row.receiver, delivery->row.plugin, reason));
}

/* Waits no more: it is not on its way, so its lane has to be told that it is out of the race. */
static void give_up(Outbox *outbox, Delivery *delivery, DeliveryEvent event, const char *error, const char *reason) {
    count_failure(outbox, delivery, reason);
    due_remove(delivery_is_suspect(delivery) ? &outbox->lanes.suspects : &delivery->lane->waiting, &delivery->due);
    conclude(delivery, event, error, 0);
}

/* --- a send --- */

static void fail(Outbox *outbox, Delivery *delivery, const SendResult *result) {
    const bool is_too_old = now(outbox) >= delivery->expires_ms;
    if (result->went_on && !is_too_old) {
        delivery->went_on = delivery->row.attempts;
        lane_succeeded(delivery->lane);
        conclude(delivery, ON_FAILED, result->detail, result->retry_after_ms);
        return;
    }
    count_failure(outbox, delivery, is_too_old ? "expired" : "retry");
    conclude(delivery, is_too_old ? ON_EXPIRED : ON_FAILED, result->detail, result->retry_after_ms);
    lane_failed(delivery->lane,
        now(outbox) + delivery_backoff_ms(delivery->lane->failures + 1, result->retry_after_ms, random_u64()));
}

bool outbox_sent(Outbox *outbox, const char *id, int64_t attempts, const SendResult *result) {
    Delivery *delivery = find(outbox, id);
    if (!delivery || delivery->state != DELIVERY_SENDING || delivery->is_committing ||
        delivery->row.attempts != attempts)
        return false;
    lanes_return(&outbox->lanes, delivery);
    metric_add(outbox->metrics, &sent_total, 1, METRIC_VALUES(delivery->row.receiver, delivery->row.plugin));
    switch (result->outcome) {
    case SEND_DELIVERED:
        lane_succeeded(delivery->lane);
        delivery_set_receipt(delivery, result->receipt_json);
        conclude(delivery, ON_ACCEPTED, NULL, 0);
        break;
    case SEND_RETRY: fail(outbox, delivery, result); break;
    case SEND_REFUSED:
        count_failure(outbox, delivery, "refused");
        conclude(delivery, ON_REFUSED, result->detail, 0);
        break;
    case SEND_GONE:
        count_failure(outbox, delivery, "gone");
        conclude(delivery, ON_GONE, result->detail, 0);
        break;
    }
    wake(outbox);
    return true;
}

/* Not sent: the attempt did not happen. */
static void unlease(Outbox *outbox, Delivery *delivery) {
    lanes_return(&outbox->lanes, delivery);
    delivery->row.attempts--;
    delivery_set_state(delivery, DELIVERY_PENDING);
    due_set(&outbox->expiry, &delivery->expiry, delivery->expires_ms);
    lanes_wait(&outbox->lanes, delivery, now(outbox) + OUTBOX_ROOM_RETRY_MS);
    LOG(WARNING, "no room to write that a notification is sent: it waits", KV("receiver", delivery->row.receiver),
        KV("id", delivery->row.id));
}

static void send_row(Outbox *outbox, const Delivery *delivery, const char *message_json) {
    OutboxRow row = delivery->row;
    row.message_json = message_json ? message_json : ""; /* lost: its channel says so, and it is parked */
    outbox->world.send(outbox->world.ctx, &row);
}

static void on_leased(void *ctx, StoreOutcome outcome, const char *message_json) {
    Delivery *delivery = ctx;
    Outbox *outbox = delivery->outbox;
    delivery->is_committing = false;
    switch (outcome) {
    case STORE_OK:
        if (outbox->is_stopping)
            lanes_return(&outbox->lanes, delivery); /* the next start finds it leased, and sends it */
        else
            send_row(outbox, delivery, message_json);
        break;
    case STORE_FULL: unlease(outbox, delivery); break;
    case STORE_STOPPED: return;
    }
    wake(outbox);
}

static void lease(Outbox *outbox, Delivery *delivery) {
    DeliveryState next;
    if (!delivery_next(delivery->state, ON_DUE, &next)) return;
    lanes_depart(&outbox->lanes, delivery);
    due_remove(&outbox->expiry, &delivery->expiry);
    delivery_set_state(delivery, next);
    delivery->row.attempts++;
    delivery->is_committing = true;
    outbox->world.lease(outbox->world.store, delivery->row.id, delivery->row.attempts, on_leased, delivery);
}

/* --- the clock's part --- */

static void settle_due(Outbox *outbox, int64_t now_ms) {
    for (DueItem *item; (item = due_first(&outbox->unsettled)) && item->due_ms <= now_ms;) {
        due_remove(&outbox->unsettled, item);
        finish((Delivery *)item);
    }
}

static void expire_due(Outbox *outbox, int64_t now_ms) {
    for (DueItem *item; (item = due_first(&outbox->expiry)) && item->due_ms <= now_ms;) {
        Delivery *delivery = delivery_of_expiry(item);
        const char *error = delivery->row.last_error;
        give_up(outbox, delivery, ON_EXPIRED, error ? error : "it was never sent: the receiver failed for others",
            "expired");
    }
}

/* Time alone is no failure, nor is a receiver that takes it bit by bit: it was tried in vain, or its receiver fails for
 * others. */
static bool has_failed(const Delivery *delivery) {
    if (delivery->state == DELIVERY_PARKED) return !delivery->is_committing;
    if (delivery->state != DELIVERY_PENDING || delivery->is_committing) return false;
    return delivery->row.attempts > delivery->went_on || delivery->lane->failures >= LANE_CIRCUIT_FAILURES;
}

/* Each reads its message back into memory: a storm goes over a few at a time. */
static DueItem *next_handover(const Outbox *outbox) {
    return outbox->handing_over < OUTBOX_HANDOVERS_AT_ONCE ? due_first(&outbox->handovers) : NULL;
}

static void hand_over_due(Outbox *outbox, int64_t now_ms) {
    for (DueItem *item; (item = next_handover(outbox)) && item->due_ms <= now_ms;) {
        Delivery *delivery = delivery_of_handover(item);
        due_set(&outbox->handovers, item, now_ms + OUTBOX_ROOM_RETRY_MS);
        if (!has_failed(delivery)) continue;
        due_remove(&outbox->handovers, item);
        delivery->row.handed_ms = now_ms; /* until outbox_handed(): a reload must not begin it again */
        outbox->handing_over++;
        outbox->world.hand_over(outbox->world.ctx, &delivery->row);
    }
}

void outbox_handed(Outbox *outbox, const char *id, int64_t handed_ms) {
    Delivery *delivery = find(outbox, id); /* NULL: it was taken meanwhile */
    if (outbox->handing_over) outbox->handing_over--;
    if (delivery) delivery->row.handed_ms = handed_ms;
    if (delivery && !handed_ms) due_set(&outbox->handovers, &delivery->handover, now(outbox) + OUTBOX_ROOM_RETRY_MS);
    wake(outbox);
}

void outbox_run(Outbox *outbox) {
    const int64_t now_ms = now(outbox);
    settle_due(outbox, now_ms);
    expire_due(outbox, now_ms);
    if (outbox->is_stopping) return;
    hand_over_due(outbox, now_ms);
    for (Delivery *delivery; (delivery = lanes_pick(&outbox->lanes, now_ms));) lease(outbox, delivery);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Of a send, a commit, or an expiry. */
static int64_t next_move_ms(const Outbox *outbox) {
    const DueItem *unsettled = due_first(&outbox->unsettled), *expiring = due_first(&outbox->expiry);
    int64_t next = outbox->is_stopping ? INT64_MAX : lanes_next_ms(&outbox->lanes);
    if (unsettled) next = least(next, unsettled->due_ms);
    return expiring ? least(next, expiring->due_ms) : next;
}

int64_t outbox_next_ms(const Outbox *outbox) {
    const DueItem *handover = next_handover(outbox); /* while there is no room for one, outbox_handed() wakes */
    const int64_t next = next_move_ms(outbox);
    return handover && !outbox->is_stopping ? least(next, handover->due_ms) : next;
}

int64_t outbox_overdue_ms(const Outbox *outbox) {
    const int64_t next = next_move_ms(outbox), now_ms = now(outbox);
    return next < now_ms ? now_ms - next : 0;
}

void outbox_stop(Outbox *outbox) { outbox->is_stopping = true; }

static void shift_heap(DueHeap *heap, int64_t by_ms) {
    for (size_t i = 0; i < heap->count; i++) heap->items[i]->due_ms += by_ms; /* the order stays */
}

void outbox_shift(Outbox *outbox, int64_t by_ms) {
    shift_heap(&outbox->expiry, by_ms);
    shift_heap(&outbox->unsettled, by_ms);
    shift_heap(&outbox->handovers, by_ms);
    shift_heap(&outbox->lanes.suspects, by_ms);
    for (Delivery *d = outbox->by_id; d; d = d->hh.next) {
        d->expires_ms += by_ms;
        d->row.created_ms += by_ms; /* in memory alone: when a fallback gets it counts from here */
        if (d->row.next_attempt_ms) d->row.next_attempt_ms += by_ms;
    }
    for (Lane *l = outbox->lanes.table; l; l = l->hh.next) {
        shift_heap(&l->waiting, by_ms);
        l->probe_ms += by_ms;
    }
}

/* --- by hand --- */

static void on_changed(void *ctx, StoreOutcome outcome) {
    Request *request = ctx;
    Delivery *delivery = request->delivery;
    Outbox *outbox = delivery->outbox;
    delivery->is_committing = false;
    if (outcome == STORE_OK) {
        unset_parked(outbox, delivery);
        delivery_set_state(delivery, request->next);
        delivery->row.finished_ms = request->next == DELIVERY_PENDING ? 0 : now(outbox);
        if (request->next == DELIVERY_PENDING) {
            delivery->row.next_attempt_ms = now(outbox);
            delivery->expires_ms =
                now(outbox) + DELIVERY_LIFE_MS; /* a person wants it to go: the days parked do not count */
            begin_waiting(outbox, delivery);
        }
        tell_change(outbox, delivery);
        if (request->next != DELIVERY_PENDING) forget(outbox, delivery);
    }
    if (request->done) request->done(request->ctx, outcome);
    free(request);
    if (outcome == STORE_OK) wake(outbox);
}

static void change_begin(Outbox *outbox, Delivery *delivery, DeliveryState next, StoreDone *done, void *ctx) {
    Request *request = alloc_zeroed(1, sizeof *request);
    *request = (Request){delivery, next, done, ctx};
    delivery->is_committing = true;
    const bool is_pending = next == DELIVERY_PENDING;
    const OutboxResult result = {delivery->row.id, delivery->row.attempts, delivery_state_word(next),
        is_pending ? now(outbox) : 0, is_pending ? 0 : now(outbox), delivery->row.last_error,
        delivery->row.receipt_json};
    outbox->world.finish(outbox->world.store, &result, on_changed, request);
}

static OutboxChange change(Outbox *outbox, const char *id, DeliveryEvent event, StoreDone *done, void *ctx) {
    Delivery *delivery = find(outbox, id);
    DeliveryState next;
    if (!delivery) return CHANGE_UNKNOWN;
    if (delivery->is_committing || !delivery_next(delivery->state, event, &next)) return CHANGE_UNFIT;
    change_begin(outbox, delivery, next, done, ctx);
    return CHANGE_BEGUN;
}

OutboxChange outbox_retry(Outbox *outbox, const char *id, StoreDone *done, void *ctx) {
    return change(outbox, id, ON_RETRY, done, ctx);
}

OutboxChange outbox_discard(Outbox *outbox, const char *id, StoreDone *done, void *ctx) {
    return change(outbox, id, ON_DISCARD, done, ctx);
}

static bool has_channel(const Outbox *outbox, const OutboxRow *row) {
    return outbox->world.has_channel(outbox->world.ctx, row->receiver, row->plugin, row->plugin_index);
}

void outbox_retry_parked(Outbox *outbox) {
    for (Delivery *d = outbox->by_id; d; d = d->hh.next)
        if (d->state == DELIVERY_PARKED && !d->is_committing && has_channel(outbox, &d->row))
            change_begin(outbox, d, DELIVERY_PENDING, NULL, NULL);
}

void outbox_begin(Outbox *outbox) {
    for (Delivery *d = outbox->by_id; d; d = d->hh.next) {
        if (d->state != DELIVERY_PARKED || d->is_committing || !has_channel(outbox, &d->row)) continue;
        if (d->row.crashes)
            tell_trouble(outbox, d, "a notification is parked");
        else
            change_begin(outbox, d, DELIVERY_PENDING, NULL, NULL);
    }
}

void outbox_check_channels(Outbox *outbox) {
    for (Delivery *d = outbox->by_id; d; d = d->hh.next) set_handover(outbox, d);
    for (Delivery *d = outbox->by_id; d; d = d->hh.next) {
        if (d->state != DELIVERY_PENDING || d->is_committing || has_channel(outbox, &d->row)) continue;
        give_up(outbox, d, ON_GONE, "its receiver or plugin is not in the configuration any more", "gone");
    }
}

/* --- for others to see --- */

bool outbox_has_waiting(
    const Outbox *outbox, const char *group_key, const char *receiver, const char *plugin, int64_t index) {
    return lanes_have(&outbox->lanes,
        &(OutboxRow){.id = "", .group_key = group_key, .receiver = receiver, .plugin = plugin, .plugin_index = index});
}

OutboxCounts outbox_counts(const Outbox *outbox) {
    OutboxCounts counts = outbox->counts;
    counts.in_flight = outbox->lanes.in_flight;
    return counts;
}

void outbox_refresh_metrics(Outbox *outbox) {
    metric_set(outbox->metrics, &rows_gauge, (double)outbox->counts.pending, METRIC_VALUES("pending"));
    metric_set(outbox->metrics, &rows_gauge, (double)outbox->counts.parked, METRIC_VALUES("parked"));
    metric_set(outbox->metrics, &flight_gauge, (double)outbox->lanes.in_flight, METRIC_VALUES(NULL));
}

json_t *outbox_row_json(const OutboxRow *row) {
    json_t *json = json_object();
    json_object_set_new(json, "id", json_safe(row->id));
    json_object_set_new(json, "receiver", json_safe(row->receiver));
    json_object_set_new(json, "plugin", json_safe(row->plugin));
    json_object_set_new(json, "index", json_integer(row->plugin_index));
    json_object_set_new(json, "state", json_safe(row->state));
    json_object_set_new(json, "attempts", json_integer(row->attempts));
    json_object_set_new(json, "next_attempt", json_time(row->next_attempt_ms));
    json_object_set_new(json, "last_error", json_safe(row->last_error));
    json_object_set_new(json, "created_at", json_time(row->created_ms));
    json_object_set_new(json, "finished_at", json_time(row->finished_ms));
    return json;
}
