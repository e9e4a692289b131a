/* A notification that goes to the fallback is counted; what cannot or need not go is not said to have gone. */
#include "engine/handover.h"

#include "../run.h"
#include "aws/aws.h"
#include "base/buffer.h"
#include "base/problems.h"
#include "core.h"
#include "plugin/receivers.h"

static const SectionDescriptor *const sections[] = {&aws_section, &plugins_section, &receivers_section, NULL};
static const SnapshotSchema schema = {sections, NULL};

static Snapshot *load(const char *text) {
    setenv("TOCSIN_PLUGIN_DIR", BUILT_PLUGINS, 1);
    return core_load(&schema, text);
}

static const struct Case {
    const char *what, *message;
    size_t goes;
} cases[] = {
    {"it fires", "{\"subject\":\"x\",\"webhook\":{\"status\":\"firing\"}}", 1},
    {"an end, to one who takes none", "{\"subject\":\"x\",\"webhook\":{\"status\":\"resolved\"}}", 0},
    {"it cannot be read", "{\"subject\":", 0},
    {"it is lost", "", 0},
};

static bool is_counted(const Room *room) {
    OWN(buffer) Buffer out = BUFFER(65536);
    metrics_print(room->metrics, &out);
    return strstr(buffer_string(&out), "tocsin_notifications_handed_over_total{receiver=\"oncall\"} 1\n") != NULL;
}

START_TEST(what_goes_to_the_fallback_is_counted_and_nothing_else) {
    const struct Case *c = &cases[_i];
    Room room;
    room_init(&room);
    room_open(&room);
    OWN(snapshot)
    Snapshot *snapshot =
        load("aws: {region: eu-west-1}\nreceivers:\n  - name: oncall\n    fallback: {receiver: lead, after: 1m}\n"
             "  - name: lead\n    webhook: {url: 'https://example.org/', "
             "send_resolved: false}\n");
    Core core = {
        .loop = &room.loop, .clock = room.clock, .metrics = room.metrics, .store = room.store, .snapshot = snapshot};
    OWN(outbox) Outbox *outbox = outbox_new(&(OutboxWorld){0}, room.clock, room.metrics);
    Handovers all = {.core = &core, .outbox = outbox};
    OutboxRow row = room_owed("a");
    row.message_json = c->message;
    room_commit(&room, &(StoreBatch){.outbox = &row, .outbox_count = 1});
    handover_begin(&all, &row);
    room_run(&room);
    ck_assert_msg(is_counted(&room) == (c->goes > 0), "%s", c->what);
    ck_assert_msg(outbox_counts(outbox).pending == c->goes, "%s", c->what);
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *rows = room_load(&room);
    ck_assert_uint_eq(rows->outbox_count, 1 + c->goes);
    ck_assert_int_eq(rows->outbox[0].handed_ms, ROOM_NOW_MS); /* in any case not looked at again */
    room_deinit(&room);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, what_goes_to_the_fallback_is_counted_and_nothing_else, 0, COUNT_OF(cases));
}

int main(void) { return run_tests("handover", fill); }
