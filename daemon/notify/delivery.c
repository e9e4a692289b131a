/* daemon/notify/delivery.c: the life of an owed notification */
#include "notify/delivery.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[DELIVERY_STATES] = {
    [DELIVERY_PENDING] = "pending",
    [DELIVERY_SENDING] = "sending",
    [DELIVERY_DELIVERED] = "delivered",
    [DELIVERY_PARKED] = "parked",
    [DELIVERY_EXPIRED] = "expired",
    [DELIVERY_DISCARDED] = "discarded",
};

const char *delivery_state_word(DeliveryState state) { return words[state]; }

bool delivery_state_parse(const char *word, DeliveryState *ret_state) {
    for (int state = 0; state < DELIVERY_STATES; state++) {
        if (strcmp(word, words[state]) != 0) continue;
        *ret_state = (DeliveryState)state;
        return true;
    }
    return false;
}

/* An empty cell: too late, or twice; nothing happens. */
static const struct Step {
    bool exists;
    DeliveryState next;
} steps[DELIVERY_STATES][DELIVERY_EVENTS] = {
    [DELIVERY_PENDING] = {[ON_DUE] = {true, DELIVERY_SENDING},
        [ON_GONE] = {true, DELIVERY_PARKED},
        [ON_EXPIRED] = {true, DELIVERY_EXPIRED}},
    [DELIVERY_SENDING] = {[ON_UNLEASED] = {true, DELIVERY_PENDING},
        [ON_ACCEPTED] = {true, DELIVERY_DELIVERED},
        [ON_FAILED] = {true, DELIVERY_PENDING},
        [ON_REFUSED] = {true, DELIVERY_PARKED},
        [ON_GONE] = {true, DELIVERY_PARKED},
        [ON_EXPIRED] = {true, DELIVERY_EXPIRED}},
    [DELIVERY_PARKED] = {[ON_RETRY] = {true, DELIVERY_PENDING}, [ON_DISCARD] = {true, DELIVERY_DISCARDED}},
};

bool delivery_next(DeliveryState state, DeliveryEvent event, DeliveryState *ret_next) {
    const struct Step *step = &steps[state][event];
    if (step->exists) *ret_next = step->next;
    return step->exists;
}

int64_t delivery_backoff_ms(int64_t attempts, int64_t wish_ms, uint64_t random) {
    int64_t most = DELIVERY_BACKOFF_MS;
    for (int64_t i = 1; i < attempts && most < DELIVERY_BACKOFF_MAX_MS; i++) most *= 2;
    if (most > DELIVERY_BACKOFF_MAX_MS) most = DELIVERY_BACKOFF_MAX_MS;
    const int64_t wait = (int64_t)(random % (uint64_t)(most + 1));
    if (wish_ms > DELIVERY_WISH_MAX_MS) wish_ms = DELIVERY_WISH_MAX_MS;
    return wish_ms > wait ? wish_ms : wait;
}

static const char *copy(const char *text) { return text_copy(text ? text : ""); }

Delivery *delivery_new(struct Outbox *outbox, const OutboxRow *row) {
    Delivery *delivery = alloc_zeroed(1, sizeof *delivery);
    delivery->outbox = outbox;
    delivery->row = *row;
    delivery->row.id = copy(row->id);
    delivery->row.group_key = copy(row->group_key);
    delivery->row.receiver = copy(row->receiver);
    delivery->row.plugin = copy(row->plugin);
    delivery->row.message_json = NULL; /* stays in the file until it is sent */
    delivery->row.last_error = row->last_error ? copy(row->last_error) : NULL;
    delivery->row.receipt_json = row->receipt_json ? copy(row->receipt_json) : NULL;
    delivery->expires_ms = row->expires_ms;
    DeliveryState state =
        DELIVERY_PENDING; /* a row found sending was loaded as pending; what is unknown is tried again */
    delivery_state_parse(row->state ? row->state : "", &state);
    delivery_set_state(delivery, state);
    return delivery;
}

Delivery *delivery_free(Delivery *delivery) {
    if (!delivery) return NULL;
    const OutboxRow *row = &delivery->row;
    const char *const owned[] = {
        row->id, row->group_key, row->receiver, row->plugin, row->last_error, row->receipt_json};
    for (size_t i = 0; i < COUNT_OF(owned); i++) free((char *)owned[i]);
    free(delivery);
    return NULL;
}

void delivery_set_state(Delivery *delivery, DeliveryState state) {
    delivery->state = state;
    delivery->row.state = words[state];
}

void delivery_set_error(Delivery *delivery, const char *text) {
    char *kept = text && *text ? text_copy_length(text, utf8_cut(text, strlen(text), DELIVERY_ERROR_MAX)) : NULL;
    free((char *)delivery->row.last_error);
    delivery->row.last_error = kept;
}

void delivery_set_receipt(Delivery *delivery, const char *json) {
    char *kept = json ? text_copy(json) : NULL;
    free((char *)delivery->row.receipt_json);
    delivery->row.receipt_json = kept;
}
