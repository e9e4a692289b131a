/* A world for the outbox: a store whose answers the test gives, receivers that do as they are told, a clock that
 * stands. */
#ifndef TOCSIN_TESTS_OUTBOX_WORLD_H
#define TOCSIN_TESTS_OUTBOX_WORLD_H

#include "notify/outbox.h"

#include "../run.h"

#include <stdio.h>
#include <string.h>

enum { WORLD_ASKED = 256, WORLD_TEXT = 64, WORLD_START_MS = 1700000000 };

#define WORLD_MESSAGE "{\"from\":\"file\"}"

/* A commit or a send that waits for its answer. */
typedef struct Asked {
    bool is_open;
    char id[WORLD_TEXT], state[WORLD_TEXT], receiver[WORLD_TEXT];
    int64_t attempts, next_attempt_ms;
    StoreDone *done; /* of a finish */
    StoreMessage *leased;
    void *ctx;
} Asked;

typedef struct World {
    Clock *clock;
    Outbox *outbox;
    Asked leases[WORLD_ASKED], finishes[WORLD_ASKED], sends[WORLD_ASKED];
    size_t lease_count, finish_count, send_count;
    StoreOutcome answer; /* what the store says */
    const char *no_channel; /* this receiver is not configured */
    int64_t fallback_ms; /* of every receiver; 0: none */
    size_t handed; /* times that it was asked to hand over */
    char last_handed[WORLD_TEXT];
    int failing; /* +1 when told that a plugin fails, 0 when it works */
    char why[512], last_event[WORLD_TEXT];
    size_t events;
} World;

static inline Asked *asked_new(Asked *list, size_t *count, const char *id, int64_t attempts) {
    ck_assert_uint_lt(*count, WORLD_ASKED);
    Asked *asked = &list[(*count)++];
    *asked = (Asked){.is_open = true, .attempts = attempts};
    snprintf(asked->id, WORLD_TEXT, "%s", id);
    return asked;
}

static inline void world_lease(void *store, const char *id, int64_t attempts, StoreMessage *done, void *ctx) {
    World *world = store;
    Asked *asked = asked_new(world->leases, &world->lease_count, id, attempts);
    asked->leased = done;
    asked->ctx = ctx;
}

static inline void world_finish(void *store, const OutboxResult *result, StoreDone *done, void *ctx) {
    World *world = store;
    Asked *asked = asked_new(world->finishes, &world->finish_count, result->id, result->attempts);
    snprintf(asked->state, WORLD_TEXT, "%s", result->state);
    asked->next_attempt_ms = result->next_attempt_ms;
    asked->done = done;
    asked->ctx = ctx;
}

static inline void world_send(void *ctx, const OutboxRow *row) {
    World *world = ctx;
    Asked *asked = asked_new(world->sends, &world->send_count, row->id, row->attempts);
    snprintf(asked->receiver, WORLD_TEXT, "%s", row->receiver);
    ck_assert_str_eq(row->state, "sending");
    ck_assert_str_eq(row->message_json, WORLD_MESSAGE); /* the file's, not one that was kept */
}

static inline bool world_has_channel(void *ctx, const char *receiver, const char *plugin, int64_t index) {
    const World *world = ctx;
    return *plugin && index >= 0 && (!world->no_channel || strcmp(receiver, world->no_channel) != 0);
}

static inline void world_health(
    void *ctx, const char *receiver, const char *plugin, bool is_failing, const char *reason) {
    World *world = ctx;
    world->failing = is_failing;
    snprintf(world->why, sizeof world->why, "%s/%s: %s", receiver, plugin, reason);
}

static inline void world_event(void *ctx, const OutboxRow *row) {
    World *world = ctx;
    world->events++;
    snprintf(world->last_event, WORLD_TEXT, "%s %s", row->id, row->state);
}

static inline int64_t world_fallback_ms(void *ctx, const char *receiver) {
    return strcmp(receiver, "alone") == 0 ? 0 : ((World *)ctx)->fallback_ms;
}

static inline void world_hand_over(void *ctx, const OutboxRow *row) {
    World *world = ctx;
    world->handed++;
    snprintf(world->last_handed, WORLD_TEXT, "%s", row->id);
}

static inline void world_init(World *world) {
    *world = (World){.clock = clock_new_virtual((int64_t)WORLD_START_MS * 1000)};
    const OutboxWorld outside = {world, world_lease, world_finish, world, world_send, world_has_channel, world_health,
        world_event, world_fallback_ms, world_hand_over, NULL};
    world->outbox = outbox_new(&outside, world->clock, NULL);
}

static inline void world_deinit(World *world) {
    world->outbox = outbox_free(world->outbox);
    world->clock = clock_free(world->clock);
}

static inline void world_add(World *world, const char *id, const char *group, const char *receiver, int64_t crashes) {
    const int64_t now_ms = clock_wall_ms(world->clock);
    const OutboxRow row = {.id = id,
        .group_key = group,
        .receiver = receiver,
        .plugin = "webhook",
        .state = "pending",
        .crashes = crashes,
        .created_ms = now_ms,
        .next_attempt_ms = now_ms,
        .expires_ms = now_ms + 72 * 3600000LL,
        .message_json = "{}"};
    outbox_add(world->outbox, &row, 1);
}

/* The store answers every commit that waits. */
static inline void world_commit(World *world) {
    for (size_t i = 0; i < world->lease_count; i++)
        if (world->leases[i].is_open) {
            world->leases[i].is_open = false;
            world->leases[i].leased(world->leases[i].ctx, world->answer, WORLD_MESSAGE);
        }
    for (size_t i = 0; i < world->finish_count; i++)
        if (world->finishes[i].is_open) {
            world->finishes[i].is_open = false;
            world->finishes[i].done(world->finishes[i].ctx, world->answer);
        }
    world->lease_count = world->finish_count = 0;
}

/* What may be sent now is sent: leased, and its lease committed. */
static inline void world_run(World *world) {
    outbox_run(world->outbox);
    world_commit(world);
}

static inline Asked *world_sent(World *world, const char *id) {
    for (size_t i = world->send_count; i > 0; i--)
        if (world->sends[i - 1].is_open && !strcmp(world->sends[i - 1].id, id)) return &world->sends[i - 1];
    return NULL;
}

static inline size_t world_in_flight(const World *world) {
    size_t count = 0;
    for (size_t i = 0; i < world->send_count; i++) count += world->sends[i].is_open;
    return count;
}

static inline void world_answer_with(World *world, const char *id, const SendResult *result) {
    Asked *sent = world_sent(world, id);
    ck_assert_msg(sent, "%s is not on its way", id);
    sent->is_open = false;
    ck_assert(outbox_sent(world->outbox, id, sent->attempts, result));
    if (!world_in_flight(world)) world->send_count = 0;
}

static inline void world_answer(World *world, const char *id, SendOutcome outcome) {
    world_answer_with(world, id, &(SendResult){.outcome = outcome, .detail = "said so"});
}

#endif
