"""The faults that tests/seeded puts into a copy of the daemon, each a breach of one of robustness' invariants.

An edit replaces a piece of code that stands exactly once in its file; blanks and line breaks count as one blank, so that
a formatter's work harms none. When the code has moved on, mend the edit here: the `lint` suite finds it.
"""

import dataclasses
import re

KILLS = "kill_anytime_loses_nothing"
EVENTS = "events_survive_kills"


@dataclasses.dataclass(frozen=True)
class Edit:
    path: str
    old: str
    new: str

    def apply(self, text):
        """The edited text; LookupError where the old piece does not stand there once."""
        pattern = r"\s+".join(re.escape(word) for word in self.old.split())
        found = re.findall(pattern, text)
        if len(found) != 1:
            raise LookupError(f"{self.path}: `{' '.join(self.old.split())}` stands there {len(found)} times, not once")
        return text.replace(found[0], self.new)


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    breach: str
    scenario: str
    edits: tuple


FAULTS = (
    Fault("split-commit", "the state is committed first, and in a second transaction that its groups are due (I1)", KILLS, (
        Edit("daemon/engine/batch.c", "store_commit_batch(store, &batch->rows, committed, batch);", """{
        StoreBatch state = batch->rows;
        const StoreBatch debt = {.touches = state.touches, .touch_count = state.touch_count};
        state.touch_count = 0;
        store_commit_batch(store, &state, NULL, NULL);
        store_commit_batch(store, &debt, committed, batch);
    }"""),)),
    Fault("told-first", "what a group was told is committed first, and in a second transaction its messages (I1)", KILLS, (
        Edit("daemon/engine/notifier.c", "store_commit_batch(core->store, &batch, turn_committed, commit);", """
    StoreBatch told = batch;
    const StoreBatch owed = {.outbox = batch.outbox, .outbox_count = batch.outbox_count};
    told.outbox_count = 0;
    store_commit_batch(core->store, &told, NULL, NULL);
    store_commit_batch(core->store, &owed, turn_committed, commit);"""),)),
    Fault("cursor-first", "cursors and seen ids are committed first, and in a second transaction what they lead to (I1)", EVENTS, (
        Edit("daemon/engine/batch.c", "store_commit_batch(store, &batch->rows, committed, batch);", """{
        StoreBatch effect = batch->rows;
        const StoreBatch place = {.cursors = effect.cursors, .cursor_count = effect.cursor_count,
            .seen = effect.seen, .seen_count = effect.seen_count};
        effect.cursor_count = effect.seen_count = 0;
        store_commit_batch(store, &place, NULL, NULL);
        store_commit_batch(store, &effect, committed, batch);
    }"""),)),
    Fault("id-anew", "a retry has an id of its own (I2)", KILLS, (
        Edit("daemon/engine/notifier.c", '#include "base/json.h"', '#include "base/digest.h"\n#include "base/json.h"'),
        Edit("daemon/engine/notifier.c", """plugin_host_deliver(
        notifier->host, row->receiver, row->plugin, (size_t)row->plugin_index, row->message_json, sent, sending);""", """
    OWN(json) json_t *message = json_read(row->message_json, strlen(row->message_json), NULL);
    char id[UUID_TEXT];
    if (row->attempts > 1) json_object_set_new(message, "id", json_string(uuid_make(id)));
    char *text = json_write(message);
    plugin_host_deliver(
        notifier->host, row->receiver, row->plugin, (size_t)row->plugin_index, text, sent, sending);
    free(text);"""),)),
    Fault("bytes-anew", "a retry says something that its first try did not (I2)", KILLS, (
        Edit("daemon/engine/notifier.c", """plugin_host_deliver(
        notifier->host, row->receiver, row->plugin, (size_t)row->plugin_index, row->message_json, sent, sending);""", """
    OWN(json) json_t *message = json_read(row->message_json, strlen(row->message_json), NULL);
    json_object_set_new(json_object_get(message, "webhook"), "truncatedAlerts", json_integer(row->attempts - 1));
    char *text = json_write(message);
    plugin_host_deliver(
        notifier->host, row->receiver, row->plugin, (size_t)row->plugin_index, text, sent, sending);
    free(text);"""),)),
    Fault("lease-behind", "a send is not on disk before it begins, only with its result (I3)", KILLS, (
        Edit("daemon/notify/outbox.c",
             "outbox->world.lease(outbox->world.store, delivery->row.id, delivery->row.attempts, on_leased, delivery);",
             "store_message(outbox->world.store, delivery->row.id, on_leased, delivery);"),
        Edit("daemon/notify/outbox.c", "outbox->world.finish(outbox->world.store, &result, on_finished, delivery);",
             """outbox->world.lease(outbox->world.store, row->id, row->attempts, NULL, NULL);
    outbox->world.finish(outbox->world.store, &result, on_finished, delivery);"""),)),
    Fault("mark-before-send", "a message is marked as delivered before it is sent (I3)", KILLS, (
        Edit("daemon/notify/outbox.c", "static void on_leased(void *ctx, StoreOutcome outcome, const char *message_json) {", """
static void send_read(void *ctx, StoreOutcome outcome, const char *message_json) {
    Delivery *delivery = ctx;
    if (outcome == STORE_OK) send_row(delivery->outbox, delivery, message_json);
}

static void send_marked(void *ctx, StoreOutcome outcome) {
    Delivery *delivery = ctx;
    if (outcome == STORE_OK) store_message(delivery->outbox->world.store, delivery->row.id, send_read, delivery);
}

static void on_leased(void *ctx, StoreOutcome outcome, const char *message_json) {
    (void)message_json;"""),
        Edit("daemon/notify/outbox.c", "else send_row(outbox, delivery, message_json);", """else
            outbox->world.finish(outbox->world.store,
                &(OutboxResult){.id = delivery->row.id, .attempts = delivery->row.attempts, .state = "delivered",
                    .finished_ms = now(outbox)},
                send_marked, delivery);"""),)),
    Fault("leased-is-done", "what was on its way at a kill is not sent again (I3)", KILLS, (
        Edit("daemon/store/store_file.c", "code = store_settle_sending(o->db, o->was_clean, o->now_ms);",
             "code = SQLITE_OK;"),
        Edit("daemon/store/store_load.c", "WHERE ifnull(state, '') NOT IN ('delivered', 'discarded', 'expired')",
             "WHERE ifnull(state, '') NOT IN ('sending', 'delivered', 'discarded', 'expired')"),)),
    Fault("taken-again", "what a receiver took is sent again (I3)", KILLS, (
        Edit("daemon/notify/delivery.c", "[ON_ACCEPTED] = {true, DELIVERY_DELIVERED},",
             "[ON_ACCEPTED] = {true, DELIVERY_PENDING},"),)),
    Fault("left-until-start", "a message that was committed is only sent after the next start (no alarm is late)", KILLS, (
        Edit("daemon/engine/notifier.c",
             "if (outcome == STORE_OK) outbox_add(notifier->outbox, commit->rows, commit->row_count);", ""),)),
    Fault("redirect-delivers", "an answer of 3xx counts as delivered (I4)", KILLS, (
        Edit("plugins/webhook/webhook.c", "const bool is_fine = status >= 200 && status < 300;",
             "const bool is_fine = status >= 200 && status < 400;"),
        Edit("plugins/webhook/webhook.c", "if (status >= 300 && status < 400)", "if (status >= 400 && status < 400)"),)),
    Fault("ack-answered-early", "an acknowledgement is answered before its commit (I6)", KILLS, (
        Edit("daemon/engine/acking.c", """.acks = &row, .ack_count = 1, .touches = acking->touches, .touch_count = acking->touch_count};
    store_commit_batch(core->store, &batch, committed, acking);""", """
        .acks = &row, .ack_count = 1, .touches = acking->touches, .touch_count = acking->touch_count};
    if (acking->done) acking->done(acking->ctx, ENGINE_DONE);
    acking->done = NULL;
    store_commit_batch(core->store, &batch, committed, acking);"""),)),
    Fault("silence-answered-early", "a silence, or its end, is answered before its commit (I6)", KILLS, (
        Edit("daemon/engine/silencing.c", "answer(silencing, ENGINE_DONE, made->id);", ""),
        Edit("daemon/engine/silencing.c", "store_commit_batch(silencing->core->store, &batch, committed, silencing);", """
    answer(silencing, ENGINE_DONE, silencing->change.puts[0]->id);
    store_commit_batch(silencing->core->store, &batch, committed, silencing);"""),)),
    Fault("silence-forgotten", "a start does not read the silences that are in the state file (I6, I7)", KILLS, (
        Edit("daemon/engine/engine.c", "silencing_load(engine->silencing, load);", ""),)),
)
