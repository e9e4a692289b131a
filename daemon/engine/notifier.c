/* daemon/engine/notifier.c: a due group's turn, from decision to commit 2, and the wiring of the outbox */
#include "engine/notifier.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/closing.h"
#include "engine/decisions.h"
#include "engine/handover.h"
#include "engine/settings.h"
#include "notify/inhibit_section.h"
#include "notify/render.h"
#include "notify/reroute.h"
#include "notify/turn.h"
#include "plugin/receivers.h"

#include <stdlib.h>
#include <string.h>

enum {
    TURNS_AT_ONCE = 16, /* groups that are rendered and committed at one time */
    LOOKED_AT_ONCE = 1000 /* alerts of due groups in one turn of the loop; a bigger group has one to itself */
};

struct Notifier {
    Core *core;
    Own *own;
    PluginHost *host;
    Outbox *outbox;
    Decisions *decisions;
    Handovers handovers;
    const char **receivers; /* names, of the present snapshot */
    size_t turns, rendering; /* under way; of those, on the pool */
    bool is_closing;
};

/* One group's turn on its way through the pool and the store. */
typedef struct Turn {
    Notifier *notifier;
    GroupTurn *group;
    RenderInput *input;
    Rendered *rendered;
    Arena *arena; /* of the decisions */
    DecisionRow *decisions;
    size_t decision_count;
    uv_work_t work;
} Turn;

/* --- the outbox's world --- */

typedef struct Sending {
    Notifier *notifier;
    int64_t attempts;
    char id[UUID_TEXT];
} Sending;

static void sent(void *ctx, const PluginDelivery *delivery) {
    static const SendOutcome outcomes[] = {
        [PLUGIN_DELIVERED] = SEND_DELIVERED,
        [PLUGIN_RETRY] = SEND_RETRY,
        [PLUGIN_REFUSED] = SEND_REFUSED,
        [PLUGIN_GONE] = SEND_GONE,
    };
    Sending *sending = ctx;
    const SendResult result = {.outcome = outcomes[delivery->outcome],
        .detail = delivery->detail,
        .retry_after_ms = delivery->retry_after_ms,
        .went_on = delivery->went_on,
        .receipt_json = delivery->receipt_json};
    outbox_sent(sending->notifier->outbox, sending->id, sending->attempts, &result);
    sending->notifier->core->wake(sending->notifier->core->ctx);
    free(sending);
}

static void send_row(void *ctx, const OutboxRow *row) {
    Notifier *notifier = ctx;
    Sending *sending = alloc_zeroed(1, sizeof *sending);
    *sending = (Sending){.notifier = notifier, .attempts = row->attempts};
    snprintf(sending->id, sizeof sending->id, "%s", row->id);
    plugin_host_deliver(
        notifier->host, row->receiver, row->plugin, (size_t)row->plugin_index, row->message_json, sent, sending);
}

static const Channel *channel_of(const Notifier *notifier, const char *name, const char *plugin, int64_t index) {
    const Receiver *receiver = receiver_find(snapshot_section(notifier->core->snapshot, &receivers_section), name);
    for (size_t i = 0; receiver && i < receiver->channel_count; i++) {
        const Channel *channel = &receiver->channels[i];
        if (!strcmp(channel->plugin, plugin) && (int64_t)channel->index == index) return channel;
    }
    return NULL;
}

static bool has_channel(void *ctx, const char *receiver, const char *plugin, int64_t index) {
    return channel_of(ctx, receiver, plugin, index) != NULL;
}

static int64_t fallback_ms(void *ctx, const char *receiver) {
    return handover_after_ms(((Notifier *)ctx)->core, receiver);
}

static void hand_over(void *ctx, const OutboxRow *row) { handover_begin(&((Notifier *)ctx)->handovers, row); }

static void health(void *ctx, const char *receiver, const char *plugin, bool is_failing, const char *reason) {
    Notifier *notifier = ctx;
    OWN(labels) Labels *series = labels_new((const Label[]){{"receiver", receiver}, {"plugin", plugin}}, 2);
    own_set(
        notifier->own, &own_delivery_failing, series, is_failing, is_failing ? reason : "deliveries go through again");
}

static void delivery_event(void *ctx, const OutboxRow *row) {
    const Core *core = ((Notifier *)ctx)->core;
    if (!core->event) return;
    OWN(json) json_t *json = outbox_row_json(row);
    core->event(core->event_ctx, "delivery", json);
}

static void lease(void *store, const char *id, int64_t attempts, StoreMessage *done, void *ctx) {
    store_lease(store, id, attempts, done, ctx);
}

static void finish(void *store, const OutboxResult *result, StoreDone *done, void *ctx) {
    store_finish(store, result, done, ctx);
}

static void outbox_wake(void *ctx) {
    const Core *core = ((Notifier *)ctx)->core;
    core->wake(core->ctx);
}

/* --- a turn --- */

static const Instance *find_instance(void *ctx, const char *fingerprint) {
    const Notifier *notifier = ctx;
    return instance_find(notifier->core->instances, fingerprint);
}

static const Receiver *receiver_of(const Notifier *notifier, const char *name) {
    return receiver_find(snapshot_section(notifier->core->snapshot, &receivers_section), name);
}

static bool tells_resolved(const Receiver *receiver) {
    for (size_t i = 0; receiver && i < receiver->channel_count; i++)
        if (receiver->channels[i].send_resolved) return true;
    return false;
}

/* The group's ways to its receiver. Caller frees. */
static ReceiverChannel *channels_of(const Notifier *notifier, const Receiver *receiver, const char *key) {
    const size_t count = receiver ? receiver->channel_count : 0;
    ReceiverChannel *channels = alloc_zeroed(count + 1, sizeof *channels);
    for (size_t i = 0; i < count; i++) {
        const Channel *channel = &receiver->channels[i];
        const PluginRest rest = plugin_host_rest(notifier->host, receiver->name, channel->plugin, channel->index);
        channels[i] = (ReceiverChannel){.plugin = channel->plugin,
            .index = channel->index,
            .send_resolved = channel->send_resolved,
            .has_waiting =
                outbox_has_waiting(notifier->outbox, key, receiver->name, channel->plugin, (int64_t)channel->index),
            .wants_rest = rest != PLUGIN_REST_NONE,
            .wants_again = rest == PLUGIN_REST_ALL};
    }
    return channels;
}

static RenderInput *input_of(Notifier *notifier, const GroupTurn *group, const TurnWorld *world) {
    const ExternalUrl *external = snapshot_section(notifier->core->snapshot, &external_url_section);
    return render_input_new(group, world->channels, world->channel_count, external->url,
        clock_wall_ms(notifier->core->clock), notifier->core->what_changed, notifier->core->ctx);
}

static void turn_free(Turn *turn) {
    render_input_free(turn->input);
    rendered_free(turn->rendered);
    arena_free(turn->arena);
    turn->notifier->turns--;
    free(turn);
}

typedef struct TurnCommit {
    Turn *turn;
    OutboxRow *rows;
    size_t row_count;
    Arena *arena;
    GroupTouch *touches; /* whom it goes on to, if nobody acknowledges */
    const char **touched;
    size_t touch_count;
} TurnCommit;

static void turn_commit_free(TurnCommit *commit) {
    turn_free(commit->turn);
    arena_free(commit->arena);
    free(commit->rows);
    free(commit);
}

static void follow_turn(TurnCommit *commit, bool is_committed) {
    Notifier *notifier = commit->turn->notifier;
    const GroupTurn *group = commit->turn->group;
    char(*ended)[FINGERPRINT_TEXT] = alloc_zeroed(group->alert_count + 1, sizeof *ended);
    size_t count = 0;
    for (size_t i = 0; i < group->alert_count; i++)
        if (group->alerts[i].kind != ALERT_FIRES) memcpy(ended[count++], group->alerts[i].fingerprint, sizeof *ended);
    turn_end(notifier->core->groups, commit->turn->group, is_committed, clock_wall_ms(notifier->core->clock));
    Closing *closing = closing_new(notifier->core, count);
    for (size_t i = 0; is_committed && i < count; i++)
        closing_add(closing, instance_find(notifier->core->instances, ended[i]));
    closing_commit(closing);
    free(ended);
}

static void turn_committed(void *ctx, StoreOutcome outcome) {
    TurnCommit *commit = ctx;
    Notifier *notifier = commit->turn->notifier;
    if (outcome != STORE_OK)
        decisions_unsay(notifier->decisions, commit->turn->decisions, commit->turn->decision_count);
    follow_turn(commit, outcome == STORE_OK);
    for (size_t i = 0; outcome == STORE_OK && i < commit->touch_count; i++)
        groups_apply_touch(notifier->core->groups, &commit->touches[i], commit->touched[i]);
    if (outcome == STORE_OK) outbox_add(notifier->outbox, commit->rows, commit->row_count);
    if (outcome == STORE_FULL) notifier->core->state_full(notifier->core->ctx, true);
    turn_commit_free(commit);
    notifier->core->wake(notifier->core->ctx);
}

static void commit_turn(Turn *turn) {
    Core *core = turn->notifier->core;
    const GroupWorld world = core_world(core);
    TurnCommit *commit = alloc_zeroed(1, sizeof *commit);
    commit->turn = turn;
    commit->arena = arena_new();
    commit->touch_count =
        turn_escalates(core->groups, &world, turn->group, commit->arena, &commit->touches, &commit->touched);
    commit->row_count = turn->rendered ? rendered_count(turn->rendered) : 0;
    commit->rows = alloc_zeroed(commit->row_count + 1, sizeof *commit->rows);
    for (size_t i = 0; i < commit->row_count; i++) commit->rows[i] = rendered_row(turn->rendered, i);
    decisions_date(turn->decisions, turn->decision_count, commit->row_count ? commit->rows[0].created_ms : 0);
    const StoreBatch batch = {.flushes = &turn->group->flush,
        .flush_count = 1,
        .touches = commit->touches,
        .touch_count = commit->touch_count,
        .decisions = turn->decisions,
        .decision_count = turn->decision_count,
        .outbox = commit->rows,
        .outbox_count = commit->row_count};
    store_commit_batch(core->store, &batch, turn_committed, commit);
}

static void render_on_pool(uv_work_t *work) {
    Turn *turn = work->data;
    turn->rendered = render(turn->input);
}

static void rendered_on_loop(uv_work_t *work, int status) {
    Turn *turn = work->data;
    turn->notifier->rendering--;
    if (status == 0 && !turn->notifier->is_closing) {
        commit_turn(turn);
        return;
    }
    decisions_unsay(turn->notifier->decisions, turn->decisions, turn->decision_count);
    turn_end(turn->notifier->core->groups, turn->group, false, clock_wall_ms(turn->notifier->core->clock));
    turn_free(turn);
}

static bool is_muted(void *ctx, const Instance *instance) {
    const Notifier *notifier = ctx;
    return mutes_hold(notifier->core->mutes, instance->labels, clock_wall_ms(notifier->core->clock));
}

static const Ack *ack_of(void *ctx, const Instance *instance) {
    const Notifier *notifier = ctx;
    return acks_find(notifier->core->acks, instance, clock_wall_ms(notifier->core->clock));
}

/* How many alerts it has. */
static size_t begin_turn(Notifier *notifier, const char *key, int64_t now_ms) {
    Core *core = notifier->core;
    const char *name = groups_receiver(core->groups, key);
    const Receiver *receiver = receiver_of(notifier, name);
    ReceiverChannel *channels = channels_of(notifier, receiver, key);
    const TurnWorld world = {
        .route = route_of_key(core->world.routes, name, key),
        .tells_resolved = tells_resolved(receiver),
        .channels = channels,
        .channel_count = receiver ? receiver->channel_count : 0,
        .now_ms = now_ms,
        .find = find_instance,
        .is_muted = is_muted,
        .ack_of = ack_of,
        .ctx = notifier,
    };
    Turn *turn = alloc_zeroed(1, sizeof *turn);
    turn->notifier = notifier;
    turn->work.data = turn;
    turn->group = turn_begin(core->groups, key, &world);
    turn->arena = arena_new();
    turn->decision_count =
        decisions_of_turn(notifier->decisions, turn->group, world.route, turn->arena, &turn->decisions);
    notifier->turns++;
    if (turn->group->reason) turn->input = input_of(notifier, turn->group, &world);
    free(channels);
    if (!turn->group->reason) {
        commit_turn(turn);
        return turn->group->alert_count;
    }
    notifier->rendering++;
    uv_queue_work(core->loop, &turn->work, render_on_pool, rendered_on_loop);
    return turn->group->alert_count;
}

static bool may_begin(const Notifier *notifier) {
    return notifier->turns < TURNS_AT_ONCE && !notifier->core->is_behind;
}

void notifier_tick(Notifier *notifier) {
    Core *core = notifier->core;
    const int64_t now_ms = clock_wall_ms(core->clock);
    core->world.owed = outbox_counts(notifier->outbox).pending;
    if (notifier->is_closing) return;
    outbox_run(notifier->outbox);
    size_t looked = 0;
    for (const char *key; looked < LOOKED_AT_ONCE && may_begin(notifier) && (key = groups_due(core->groups, now_ms));)
        looked += begin_turn(notifier, key, now_ms);
}

int64_t notifier_next_wall_ms(const Notifier *notifier) {
    const int64_t sends_ms = outbox_next_ms(notifier->outbox);
    const int64_t groups_ms = may_begin(notifier) ? groups_next_due_ms(notifier->core->groups) : INT64_MAX;
    return sends_ms < groups_ms ? sends_ms : groups_ms;
}

void notifier_shift(Notifier *notifier, int64_t by_ms) {
    groups_shift(notifier->core->groups, by_ms);
    outbox_shift(notifier->outbox, by_ms);
}

/* --- life --- */

Notifier *notifier_new(Core *core, Own *own, PluginHost *host) {
    Notifier *notifier = alloc_zeroed(1, sizeof *notifier);
    notifier->core = core;
    notifier->own = own;
    notifier->host = host;
    notifier->decisions = decisions_new(core);
    return notifier;
}

void notifier_load(Notifier *notifier, const StoreLoad *load) {
    Core *core = notifier->core;
    const OutboxWorld world = {.store = core->store,
        .lease = lease,
        .finish = finish,
        .ctx = notifier,
        .send = send_row,
        .has_channel = has_channel,
        .health = health,
        .event = delivery_event,
        .fallback_ms = fallback_ms,
        .hand_over = hand_over,
        .wake = outbox_wake};
    notifier->outbox = outbox_new(&world, core->clock, core->metrics);
    notifier->handovers = (Handovers){.core = core, .outbox = notifier->outbox};
    for (size_t i = 0; i < load->group_count; i++)
        groups_restore(core->groups, &load->groups[i], clock_wall_ms(core->clock));
    outbox_add(notifier->outbox, load->outbox, load->outbox_count);
}

Notifier *notifier_free(Notifier *notifier) {
    if (!notifier) return NULL;
    outbox_free(notifier->outbox);
    decisions_free(notifier->decisions);
    free(notifier->receivers);
    free(notifier);
    return NULL;
}

void notifier_stop(Notifier *notifier) {
    notifier->is_closing = notifier->handovers.is_closing = true;
    outbox_stop(notifier->outbox);
}

bool notifier_is_stopped(const Notifier *notifier) {
    return !notifier->turns && !outbox_counts(notifier->outbox).in_flight;
}

bool notifier_is_rendering(const Notifier *notifier) { return notifier->rendering + notifier->handovers.on_pool > 0; }

bool notifier_is_idle(const Notifier *notifier) {
    const Core *core = notifier->core;
    return !notifier->turns && groups_are_idle(core->groups, clock_wall_ms(core->clock)) &&
        !outbox_counts(notifier->outbox).pending;
}

bool notifier_has_failed(const Notifier *notifier) {
    const OutboxCounts counts = outbox_counts(notifier->outbox);
    return counts.failed > 0 || counts.pending > 0;
}

Outbox *notifier_outbox(Notifier *notifier) { return notifier->outbox; }

/* --- a new configuration --- */

void notifier_route_by(Notifier *notifier, Snapshot *snapshot) {
    Core *core = notifier->core;
    core->snapshot = snapshot;
    core->routings++;
    const ReceiversSection *receivers = snapshot_section(core->snapshot, &receivers_section);
    notifier->receivers = alloc_again(notifier->receivers, receivers->count + 1, sizeof *notifier->receivers);
    for (size_t i = 0; i < receivers->count; i++) notifier->receivers[i] = receivers->receivers[i].name;
    core->world.routes = snapshot_section(core->snapshot, &route_section);
    core->world.receivers = notifier->receivers;
    core->world.receiver_count = receivers->count;
}

static void rerouted(void *ctx, StoreOutcome outcome) {
    const Notifier *notifier = ctx;
    /* A restart comes to the same routing by itself: nothing is lost where there was no room for it. */
    if (outcome == STORE_FULL) notifier->core->state_full(notifier->core->ctx, true);
    notifier->core->wake(notifier->core->ctx);
}

void notifier_reroute(Notifier *notifier) {
    Core *core = notifier->core;
    OWN(arena) Arena *arena = arena_new();
    const Instance **open = alloc_zeroed(instances_count(core->instances) + 1, sizeof *open);
    size_t count = 0;
    for (Instance *i = instances_next(core->instances, NULL); i; i = instances_next(core->instances, i))
        if (i->firing_since_ms) open[count++] = i;
    mutes_follow_rules(core->mutes, snapshot_section(core->snapshot, &inhibit_rules_section), open, count);
    const GroupWorld world = core_world(core);
    const Rerouting rerouting = groups_reroute(core->groups, &world, open, count, arena);
    const StoreBatch batch = {.touches = rerouting.touches,
        .touch_count = rerouting.touch_count,
        .flushes = rerouting.flushes,
        .flush_count = rerouting.flush_count};
    if (batch.touch_count || batch.flush_count) store_commit_batch(core->store, &batch, rerouted, notifier);
    free(open);
}

static bool is_still_a_channel(void *ctx, const Labels *series) {
    const Notifier *notifier = ctx;
    const Receiver *receiver = receiver_of(notifier, labels_get(series, "receiver"));
    for (size_t i = 0; receiver && i < receiver->channel_count; i++)
        if (!strcmp(receiver->channels[i].plugin, labels_get(series, "plugin"))) return true;
    return false;
}

void notifier_configure(Notifier *notifier, bool is_start) {
    notifier_reroute(notifier);
    closing_of_all(notifier->core);
    own_clear_others(
        notifier->own, &own_delivery_failing, is_still_a_channel, notifier, "it is not configured any more");
    outbox_check_channels(notifier->outbox);
    if (is_start)
        outbox_begin(notifier->outbox);
    else
        outbox_retry_parked(notifier->outbox);
    notifier->core->wake(notifier->core->ctx);
}
