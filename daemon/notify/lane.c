/* daemon/notify/lane.c: lanes, sequences, circuits and slots */
#include "notify/lane.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void lanes_deinit(Lanes *lanes) {
    for (Sequence *s = lanes->sequences, *next; s; s = next) {
        next = s->hh.next;
        HASH_DEL(lanes->sequences, s);
        free(s);
    }
    for (Lane *l = lanes->table, *next; l; l = next) {
        next = l->hh.next;
        HASH_DEL(lanes->table, l);
        due_deinit(&l->waiting);
        free(l->plugin);
        free(l->key);
        free(l);
    }
    for (Budget *b = lanes->budgets, *next; b; b = next) {
        next = b->hh.next;
        HASH_DEL(lanes->budgets, b);
        free(b->receiver);
        free(b);
    }
    due_deinit(&lanes->suspects);
}

/* --- tables --- */

static Budget *budget_get(Lanes *lanes, const char *receiver) {
    Budget *budget = NULL;
    HASH_FIND_STR(lanes->budgets, receiver, budget);
    if (budget) return budget;
    budget = alloc_zeroed(1, sizeof *budget);
    budget->receiver = text_copy(receiver);
    HASH_ADD_KEYPTR(hh, lanes->budgets, budget->receiver, strlen(budget->receiver), budget);
    return budget;
}

/* A line break stands in no receiver's and no plugin's name. */
static char *lane_key(const OutboxRow *row) {
    return text_format("%s\n%s\n%lld", row->receiver, row->plugin, (long long)row->plugin_index);
}

static Lane *lane_find(const Lanes *lanes, const char *key) {
    Lane *lane = NULL;
    HASH_FIND_STR(lanes->table, key, lane);
    return lane;
}

Lane *lane_get(Lanes *lanes, const OutboxRow *row) {
    OWN(text) char *key = lane_key(row);
    Lane *lane = lane_find(lanes, key);
    if (lane) return lane;
    lane = alloc_zeroed(1, sizeof *lane);
    lane->budget = budget_get(lanes, row->receiver);
    lane->receiver = lane->budget->receiver;
    lane->plugin = text_copy(row->plugin);
    lane->key = GIVE(key);
    HASH_ADD_KEYPTR(hh, lanes->table, lane->key, strlen(lane->key), lane);
    return lane;
}

/* A message without a group follows nothing and is followed by nothing: its sequence is its own. */
static SequenceKey sequence_key(const Lane *lane, const OutboxRow *row) {
    const char *text = row->group_key && *row->group_key ? row->group_key : row->id;
    return (SequenceKey){lane, table_hash(text, strlen(text))};
}

static Sequence *sequence_find(const Lanes *lanes, SequenceKey key) {
    Sequence *sequence = NULL;
    HASH_FIND(hh, lanes->sequences, &key, sizeof key, sequence);
    return sequence;
}

bool lanes_have(const Lanes *lanes, const OutboxRow *row) {
    OWN(text) char *key = lane_key(row);
    const Lane *lane = lane_find(lanes, key);
    return lane && sequence_find(lanes, sequence_key(lane, row));
}

/* --- order --- */

void lanes_wait(Lanes *lanes, Delivery *delivery, int64_t due_ms) {
    due_set(delivery_is_suspect(delivery) ? &lanes->suspects : &delivery->lane->waiting, &delivery->due, due_ms);
}

static void stop_waiting(Lanes *lanes, Delivery *delivery) {
    due_remove(delivery_is_suspect(delivery) ? &lanes->suspects : &delivery->lane->waiting, &delivery->due);
}

void lanes_join(Lanes *lanes, Delivery *delivery) {
    const SequenceKey key = sequence_key(delivery->lane, &delivery->row);
    Sequence *sequence = sequence_find(lanes, key);
    if (!sequence) {
        sequence = alloc_zeroed(1, sizeof *sequence);
        sequence->key = key;
        HASH_ADD(hh, lanes->sequences, key, sizeof sequence->key, sequence);
    }
    delivery->sequence = sequence;
    DL_APPEND(sequence->first, delivery);
    if (sequence->first == delivery) lanes_wait(lanes, delivery, delivery->row.next_attempt_ms);
}

void lanes_leave(Lanes *lanes, Delivery *delivery) {
    Sequence *sequence = delivery->sequence;
    if (!sequence) return;
    const bool was_first = sequence->first == delivery;
    if (was_first) stop_waiting(lanes, delivery);
    delivery->sequence = NULL;
    DL_DELETE(sequence->first, delivery);
    if (!sequence->first) {
        HASH_DEL(lanes->sequences, sequence);
        free(sequence);
    } else if (was_first &&
        !sequence->first->is_committing) { /* else it is being given up, and leaves when that is on disk */
        lanes_wait(lanes, sequence->first, sequence->first->row.next_attempt_ms);
    }
}

/* --- who may go --- */

/* When a lane may send the first of its heap, the slots of all apart. INT64_MAX: when one of its sends has ended. */
static int64_t lane_opens_ms(const Lane *lane, const DueItem *item) {
    if (lane->budget->in_flight >= LANES_RECEIVER_MAX) return INT64_MAX;
    if (lane->failures < LANE_CIRCUIT_FAILURES) return item->due_ms;
    if (lane->in_flight) return INT64_MAX; /* one probe at a time */
    return item->due_ms > lane->probe_ms ? item->due_ms : lane->probe_ms;
}

static Delivery *pick_suspect(const Lanes *lanes, int64_t now_ms) {
    for (size_t i = 0; i < lanes->suspects.count; i++) {
        Delivery *delivery = (Delivery *)lanes->suspects.items[i];
        if (lane_opens_ms(delivery->lane, &delivery->due) <= now_ms) return delivery;
    }
    return NULL;
}

Delivery *lanes_pick(Lanes *lanes, int64_t now_ms) {
    if (lanes->is_alone || lanes->in_flight >= LANES_FLIGHT_MAX || !lanes->table) return NULL;
    Lane *const begin = lanes->turn ? lanes->turn : lanes->table;
    Lane *lane = begin;
    do {
        Lane *const after = lane->hh.next ? lane->hh.next : lanes->table;
        DueItem *first = due_first(&lane->waiting);
        if (first && lane_opens_ms(lane, first) <= now_ms) {
            lanes->turn = after;
            return (Delivery *)first;
        }
        lane = after;
    } while (lane != begin);
    return lanes->in_flight ? NULL : pick_suspect(lanes, now_ms);
}

int64_t lanes_next_ms(const Lanes *lanes) {
    int64_t next = INT64_MAX;
    if (lanes->is_alone || lanes->in_flight >= LANES_FLIGHT_MAX) return next;
    for (const Lane *lane = lanes->table; lane; lane = lane->hh.next) {
        const DueItem *first = due_first(&lane->waiting);
        const int64_t opens = first ? lane_opens_ms(lane, first) : INT64_MAX;
        if (opens < next) next = opens;
    }
    for (size_t i = 0; !lanes->in_flight && i < lanes->suspects.count; i++) {
        const Delivery *delivery = (const Delivery *)lanes->suspects.items[i];
        const int64_t opens = lane_opens_ms(delivery->lane, &delivery->due);
        if (opens < next) next = opens;
    }
    return next;
}

void lanes_depart(Lanes *lanes, Delivery *delivery) {
    stop_waiting(lanes, delivery);
    lanes->is_alone = delivery_is_suspect(delivery);
    lanes->in_flight++;
    delivery->lane->in_flight++;
    delivery->lane->budget->in_flight++;
}

void lanes_return(Lanes *lanes, const Delivery *delivery) {
    lanes->is_alone = false; /* whoever was alone is the one that returns */
    lanes->in_flight--;
    delivery->lane->in_flight--;
    delivery->lane->budget->in_flight--;
}

void lane_succeeded(Lane *lane) { lane->failures = 0; }

void lane_failed(Lane *lane, int64_t retry_ms) {
    lane->failures++;
    lane->probe_ms = retry_ms;
}
