#include "room.h"

#include "unit/run.h"

#include <math.h>

static Room room;
static void set_up(void) { room_init(&room); }
static void tear_down(void) { room_deinit(&room); }

/* --- what was committed is there again ------------------------------------------------------------------------------
 */

static const InstanceRow instances[] = {
    {"00000000000000aa", "cpu", "cloudwatch", "prod", "eu-west-1", "{\"d\":\"1\"}", "{\"a\":\"b\"}", "ALARM",
        "too high", "{\"v\":1}", ROOM_NOW_MS - 1, ROOM_NOW_MS - 2, ROOM_NOW_MS - 3, 1.5, true, ROOM_NOW_MS - 4, 0,
        false},
    {"00000000000000bb", "mem", "cloudwatch", "prod", "eu-west-1", NULL, NULL, "INSUFFICIENT_DATA", NULL, NULL, 0, 0, 0,
        NAN, false, 0, ROOM_NOW_MS, true},
};
static const GroupTouch touch = {"oncall/{}:{}", "oncall", "{}", ROOM_NOW_MS + 30000};
static const CursorRow cursors[] = {{"trail", "{\"at\":1}"}, {"ledger", "7"}};

START_TEST(all_that_was_committed_is_loaded_again) {
    const OutboxRow owed[] = {room_owed("id-1"), room_owed("id-2")};
    room_open(&room);
    room_commit(&room,
        &(StoreBatch){.instances = instances,
            .instance_count = 2,
            .touches = &touch,
            .touch_count = 1,
            .outbox = owed,
            .outbox_count = 2,
            .cursors = cursors,
            .cursor_count = 2});
    ck_assert_int_eq(room.outcome, STORE_OK);
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert(load->was_clean);
    ck_assert_uint_eq(load->instance_count, 2);
    const InstanceRow *a = &load->instances[0], *b = &load->instances[1];
    ck_assert_str_eq(a->fingerprint, "00000000000000aa");
    ck_assert_str_eq(a->labels_json, "{\"a\":\"b\"}");
    ck_assert_str_eq(a->state, "ALARM");
    ck_assert(
        a->has_value && a->value == 1.5 && a->since_ms == ROOM_NOW_MS - 1 && a->firing_since_ms == ROOM_NOW_MS - 4);
    ck_assert(!b->has_value && isnan(b->value) && b->gone && b->resolved_ms == ROOM_NOW_MS);
    ck_assert_ptr_null(b->reason);
    ck_assert_uint_eq(load->group_count, 1);
    ck_assert_str_eq(load->groups[0].key, touch.key);
    ck_assert_int_eq(load->groups[0].due_ms, touch.due_ms);
    ck_assert_uint_eq(load->outbox_count, 2);
    ck_assert_str_eq(load->outbox[1].id, "id-2");
    ck_assert_uint_eq(load->cursor_count, 2);
    ck_assert_ptr_null(store_load_all(room.store, &room.err)); /* once */
}
END_TEST

static const SeenRow seen_rows[] = {{"prod eu-west-1", "event-1", ROOM_NOW_MS - 9},
    {"prod eu-west-1", "event-2", ROOM_NOW_MS}, {"test eu-west-1", "event-1", ROOM_NOW_MS - 9}};
static const MatchRow match_rows[] = {
    {"00000000000000aa", "event-2", 0, ROOM_NOW_MS - 60000, ROOM_NOW_MS, NULL},
    {"00000000000000aa", "event-1", 1, ROOM_NOW_MS - 90000, ROOM_NOW_MS, "10.0.0.1"},
    {"00000000000000bb", "event-1", 0, ROOM_NOW_MS - 90000, ROOM_NOW_MS, NULL},
};

static void commit_events(Room *of) {
    room_commit(of,
        &(StoreBatch){.instances = instances,
            .instance_count = 2,
            .seen = seen_rows,
            .seen_count = 3,
            .matches = match_rows,
            .match_count = 3});
}

START_TEST(events_are_kept_once) {
    const SeenRow later = {"prod eu-west-1", "event-1", ROOM_NOW_MS + 5};
    room_open(&room);
    commit_events(&room);
    commit_events(&room);
    room_commit(&room, &(StoreBatch){.seen = &later, .seen_count = 1});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->seen_count, 3);
    ck_assert_int_eq(load->seen[0].seen_ms, ROOM_NOW_MS); /* the newest first */
    ck_assert_int_eq(load->seen[1].seen_ms, ROOM_NOW_MS - 9);
    ck_assert_uint_eq(load->match_count, 3);
    const MatchRow *first = &load->matches[0], *second = &load->matches[1];
    ck_assert_str_eq(first->event_id, "event-1"); /* as they happened */
    ck_assert_int_eq(first->part, 1);
    ck_assert_str_eq(first->value, "10.0.0.1");
    ck_assert_int_eq(second->event_ms, ROOM_NOW_MS - 60000);
    ck_assert_ptr_null(second->value);
}
END_TEST

START_TEST(what_was_handed_over_is_marked_with_what_another_gets) {
    const OutboxRow owed[] = {room_owed("id-1"), room_owed("id-2")};
    const HandedRow handed = {"id-1", ROOM_NOW_MS - 3, NULL, NULL};
    room_open(&room);
    room_commit(&room, &(StoreBatch){.outbox = owed, .outbox_count = 1});
    room_commit(&room, &(StoreBatch){.outbox = owed + 1, .outbox_count = 1, .handed = &handed, .handed_count = 1});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->outbox_count, 2);
    ck_assert_int_eq(load->outbox[0].handed_ms, ROOM_NOW_MS - 3);
    ck_assert_int_eq(load->outbox[1].handed_ms, 0);
}
END_TEST

static void explained(void *ctx, const DecisionTold *rows, size_t count) {
    Buffer *said = ctx;
    for (size_t i = 0; i < count; i++)
        buffer_format(said, "%s %s: %s, %s; ", rows[i].decision.receiver, rows[i].decision.decision,
            rows[i].decision.reason, rows[i].has_message ? rows[i].message.id : "no message");
}

static void expect_explained(const char *fingerprint, const char *want) {
    Buffer said = BUFFER(1024);
    const DecisionQuery query = {fingerprint, 0, 10};
    store_decisions(room.store, &query, explained, &said);
    room_run(&room);
    ck_assert_str_eq(buffer_string(&said), want);
    buffer_deinit(&said);
}

/* What people ask later: who heard of it, in which message. */
START_TEST(what_was_handed_over_is_decided_for_the_other_too) {
    OutboxRow owed[] = {room_owed("id-1"), room_owed("id-2"), room_owed("id-3")};
    owed[1].receiver = owed[2].receiver = "lead";
    owed[1].created_ms = owed[2].created_ms = ROOM_NOW_MS - 3;
    const DecisionRow decisions[] = {
        {0, owed[0].created_ms, "f1", owed[0].group_key, owed[0].receiver, "told", "first notification"},
        {0, owed[0].created_ms, "f2", owed[0].group_key, owed[0].receiver, "held", "silenced"}};
    const HandedRow handed = {"id-1", ROOM_NOW_MS - 3, "lead", "it failed"};
    room_open(&room);
    room_commit(&room, &(StoreBatch){.outbox = owed, .outbox_count = 1, .decisions = decisions, .decision_count = 2});
    room_commit(&room, &(StoreBatch){.outbox = owed + 1, .outbox_count = 1, .handed = &handed, .handed_count = 1});
    room_commit(&room, &(StoreBatch){.handed = &handed, .handed_count = 1}); /* twice, one decision */
    expect_explained("f1", "lead told: it failed, id-2; oncall told: first notification, id-1; ");
    expect_explained("f2", "oncall held: silenced, no message; ");
}
END_TEST

START_TEST(what_people_did_is_kept_until_it_is_forgotten) {
    const SilenceRow silences[] = {{"s1", "{}", ROOM_NOW_MS, ROOM_NOW_MS + INT64_C(1000) * 86400 * 3650},
        {"s2", "{\"a\":1}", ROOM_NOW_MS - 1, ROOM_NOW_MS}};
    const SilenceRow later = {"s1", "{\"b\":2}", ROOM_NOW_MS, ROOM_NOW_MS + 9};
    const AckRow acks[] = {{"00000000000000aa", "ann", "on it", ROOM_NOW_MS - 4, ROOM_NOW_MS, 0},
        {"00000000000000bb", "bob", NULL, ROOM_NOW_MS - 4, ROOM_NOW_MS, ROOM_NOW_MS + 5}};
    const char *gone_silence[] = {"s2"}, *gone_ack[] = {"00000000000000aa"};
    room_open(&room);
    room_commit(&room, &(StoreBatch){.silences = silences, .silence_count = 2, .acks = acks, .ack_count = 2});
    room_close(&room);
    room_open(&room);
    {
        OWN(store_load) StoreLoad *load = room_load(&room);
        ck_assert_uint_eq(load->silence_count, 2);
        ck_assert_str_eq(load->silences[0].id, "s2"); /* in the order in which they begin */
        ck_assert_int_eq(load->silences[1].ends_ms, silences[0].ends_ms); /* not cut, however late */
        ck_assert_uint_eq(load->ack_count, 2);
        ck_assert_str_eq(load->acks[0].comment, "on it");
        ck_assert_ptr_null(load->acks[1].comment);
        ck_assert_int_eq(load->acks[1].until_ms, ROOM_NOW_MS + 5);
    }
    room_commit(&room,
        &(StoreBatch){.silences = &later,
            .silence_count = 1,
            .silence_forget = gone_silence,
            .silence_forget_count = 1,
            .ack_forget = gone_ack,
            .ack_forget_count = 1});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->silence_count, 1);
    ck_assert_str_eq(load->silences[0].json, "{\"b\":2}");
    ck_assert_uint_eq(load->ack_count, 1);
    ck_assert_str_eq(load->acks[0].by, "bob");
}
END_TEST

START_TEST(what_is_over_of_events_is_forgotten) {
    const ForgetBefore old_ids = {"prod eu-west-1", ROOM_NOW_MS},
                       old_matches = {"00000000000000aa", ROOM_NOW_MS - 60000};
    const char *gone[] = {"00000000000000bb"};
    room_open(&room);
    commit_events(&room);
    room_commit(&room,
        &(StoreBatch){.forget = gone,
            .forget_count = 1,
            .seen_forget = &old_ids,
            .seen_forget_count = 1,
            .match_forget = &old_matches,
            .match_forget_count = 1});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->seen_count, 2); /* the other scope's stay */
    ck_assert_str_eq(load->seen[0].id, "event-2");
    ck_assert_str_eq(load->seen[1].scope, "test eu-west-1");
    ck_assert_uint_eq(load->match_count, 1); /* an instance's matches go with it */
    ck_assert_str_eq(load->matches[0].event_id, "event-2");
}
END_TEST

START_TEST(forgetting_and_overwriting) {
    const char *gone[] = {"00000000000000bb"};
    const CursorRow no_ledger = {"ledger", NULL};
    InstanceRow calm = instances[0];
    calm.state = "OK";
    room_open(&room);
    room_commit(
        &room, &(StoreBatch){.instances = instances, .instance_count = 2, .cursors = cursors, .cursor_count = 2});
    room_commit(&room,
        &(StoreBatch){.instances = &calm,
            .instance_count = 1,
            .forget = gone,
            .forget_count = 1,
            .cursors = &no_ledger,
            .cursor_count = 1});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->instance_count, 1);
    ck_assert_str_eq(load->instances[0].state, "OK");
    ck_assert_uint_eq(load->cursor_count, 1);
    ck_assert_str_eq(load->cursors[0].name, "trail");
}
END_TEST

static const struct ToldCase {
    const char *what;
    int64_t resolved_ms, told_ms; /* in the file; what people were told of */
    bool gone, want_row, want_open;
} told_cases[] = {
    {"told: nothing is open any more", ROOM_NOW_MS - 9, ROOM_NOW_MS - 9, false, true, false},
    {"told, and the series is gone: so is the row", ROOM_NOW_MS - 9, ROOM_NOW_MS - 9, true, false, false},
    {"fires again meanwhile", 0, ROOM_NOW_MS - 9, false, true, true},
    {"fired again and ended again meanwhile", ROOM_NOW_MS - 3, ROOM_NOW_MS - 9, false, true, true},
    {"ended again, and gone: still to be told", ROOM_NOW_MS - 3, ROOM_NOW_MS - 9, true, true, true},
};

START_TEST(what_was_told_is_closed_unless_it_fired_again) {
    const struct ToldCase *c = &told_cases[_i];
    const InstanceRow row = {.fingerprint = "00000000000000aa",
        .state = "OK",
        .firing_since_ms = ROOM_NOW_MS - 20,
        .resolved_ms = c->resolved_ms,
        .gone = c->gone};
    const InstanceTold told = {"00000000000000aa", c->told_ms};
    room_open(&room);
    room_commit(&room, &(StoreBatch){.instances = &row, .instance_count = 1});
    room_commit(&room, &(StoreBatch){.told = &told, .told_count = 1});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_msg(load->instance_count == c->want_row, "%s: %zu rows", c->what, load->instance_count);
    if (!c->want_row) return;
    ck_assert_msg((load->instances[0].firing_since_ms != 0) == c->want_open, "%s", c->what);
    ck_assert_int_eq(load->instances[0].resolved_ms, c->want_open ? c->resolved_ms : 0);
}
END_TEST

static void commit_then_die(Room *in) { room_add_outbox(in, "before-the-crash"); }

START_TEST(an_answered_commit_survives_a_crash) {
    room_crash(&room, commit_then_die);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert(!load->was_clean);
    ck_assert_uint_eq(load->outbox_count, 1);
}
END_TEST

/* --- callbacks ------------------------------------------------------------------------------------------------------
 */

enum { MANY = 300 };
static size_t order[MANY], order_count;
static void note_order(void *ctx, StoreOutcome outcome) {
    ck_assert_int_eq(outcome, STORE_OK);
    order[order_count++] = (size_t)ctx;
}

START_TEST(answers_come_in_order_and_share_transactions) {
    static const Metric commits = {.name = "tocsin_store_commits_total", .type = METRIC_COUNTER};
    static const Metric jobs = {.name = "tocsin_store_jobs_total", .type = METRIC_COUNTER};
    order_count = 0;
    room_open(&room);
    for (size_t i = 0; i < MANY; i++) {
        const CursorRow cursor = {"n", "1"};
        store_commit_batch(room.store, &(StoreBatch){.cursors = &cursor, .cursor_count = 1}, note_order, (void *)i);
        ck_assert_uint_eq(order_count, 0); /* never inside the call */
    }
    ck_assert_uint_eq(store_queued(room.store), MANY);
    room_run(&room);
    ck_assert_uint_eq(order_count, MANY);
    for (size_t i = 0; i < MANY; i++) ck_assert_uint_eq(order[i], i);
    ck_assert_uint_eq(store_queued(room.store), 0);
    ck_assert(metric_get(room.metrics, &jobs, NULL) == MANY);
    ck_assert(metric_get(room.metrics, &commits, NULL) >= MANY / 64); /* 64 a transaction at most */
}
END_TEST

START_TEST(the_oldest_waits_as_long_as_the_clock_says) {
    room_open(&room);
    ck_assert_int_eq(store_waiting_ms(room.store), 0);
    store_lease(room.store, "none", 1, room_leased, &room);
    clock_advance(room.clock, 700);
    store_lease(room.store, "none", 2, room_leased, &room);
    ck_assert_int_eq(store_waiting_ms(room.store), 700);
    room_run(&room);
    ck_assert_int_eq(store_waiting_ms(room.store), 0);
}
END_TEST

START_TEST(close_commits_what_is_queued) {
    const CursorRow cursor = {"last", "1"};
    room_open(&room);
    store_commit_batch(room.store, &(StoreBatch){.cursors = &cursor, .cursor_count = 1}, room_done, &room);
    room.store = store_close(room.store);
    ck_assert_uint_eq(room.answers, 1); /* inside store_close() */
    ck_assert_int_eq(room.outcome, STORE_OK);
    room_run(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->cursor_count, 1);
}
END_TEST

static void close_inside(void *ctx, StoreOutcome outcome, const char *message_json) {
    Room *in = ctx;
    room_leased(ctx, outcome, message_json);
    in->store = store_close(in->store);
}

START_TEST(a_callback_may_close_the_store) {
    room_open(&room);
    store_lease(room.store, "x", 1, close_inside, &room);
    for (int i = 0; i < 100; i++) store_lease(room.store, "x", 1, room_leased, &room);
    room_run(&room);
    ck_assert_uint_eq(room.answers, 101);
    ck_assert_ptr_null(room.store);
}
END_TEST

/* --- a group that is touched while it is rendered
 * --------------------------------------------------------------------- */

enum { SEEN_NOW = -1 };
static const struct GroupCase {
    const char *what;
    int64_t first_due, second_due; /* touches before the flush; 0, 0: one touch without a time */
    int touches;
    int64_t seen, next_due; /* the flush */
    bool drop;
    int64_t want_due; /* -1: the row is gone */
} group_cases[] = {
    {"an earlier touch wins", 500, 300, 2, 2, 0, false, 0},
    {"a flush that has seen all sets its own time", 500, 0, 1, 1, 900, false, 900},
    {"a flush that has seen all may clear it", 500, 0, 1, 1, 0, false, 0},
    {"touched meanwhile: what is there stays if nothing is next", 500, 300, 2, 1, 0, false, 300},
    {"touched meanwhile: the smaller of both, the next", 500, 600, 2, 1, 400, false, 400},
    {"touched meanwhile: the smaller of both, the touch", 500, 300, 2, 1, 400, false, 300},
    {"touched without a time: the next is all there is", 0, 0, 2, 1, 400, false, 400},
    {"dropped when nothing came", 500, 0, 1, 1, 0, true, -1},
    {"touched meanwhile: not dropped", 500, 300, 2, 1, 0, true, 300},
    {"counted further than the file: taken as touched", 500, 0, 1, 6, 0, false, 500},
    {"counted further than the file: not dropped", 500, 0, 1, 6, 0, true, 500},
};

static void check_group(const struct GroupCase *c, int64_t base) {
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    if (c->want_due < 0) {
        ck_assert_msg(load->group_count == 0, "%s", c->what);
        return;
    }
    ck_assert_msg(load->group_count == 1, "%s", c->what);
    const GroupRow *row = &load->groups[0];
    const int64_t want = c->want_due ? base + c->want_due : 0;
    ck_assert_msg(row->due_ms == want, "%s: due %lld, not %lld", c->what, (long long)row->due_ms, (long long)want);
    ck_assert_int_eq(row->touches, c->touches);
    ck_assert_int_eq(row->first_flush_ms, base + 1);
    ck_assert_int_eq(row->last_sent_ms, base + 2);
    ck_assert_str_eq(row->told_json, "{\"a\":1}");
}

START_TEST(touch_and_flush) {
    const struct GroupCase *c = &group_cases[_i];
    const int64_t base = ROOM_NOW_MS;
    const GroupTouch first = {"k", "r", "{}", c->first_due ? base + c->first_due : 0};
    const GroupTouch second = {"k", "r", "{}", c->second_due ? base + c->second_due : 0};
    const GroupFlush flush = {.key = "k",
        .seen_touches = c->seen,
        .next_due_ms = c->next_due ? base + c->next_due : 0,
        .first_flush_ms = base + 1,
        .last_sent_ms = base + 2,
        .told_json = "{\"a\":1}",
        .drop = c->drop};
    room_open(&room);
    room_commit(&room, &(StoreBatch){.touches = &first, .touch_count = 1});
    if (c->touches == 2) room_commit(&room, &(StoreBatch){.touches = &second, .touch_count = 1});
    room_commit(&room, &(StoreBatch){.flushes = &flush, .flush_count = 1});
    check_group(c, base);
}
END_TEST

START_TEST(a_touch_in_the_batch_of_the_flush_is_not_lost) {
    const GroupTouch touches[] = {{"k", "r", "{}", ROOM_NOW_MS + 5}};
    const GroupFlush flush = {.key = "k", .seen_touches = 1, .drop = true};
    room_open(&room);
    room_commit(&room, &(StoreBatch){.touches = touches, .touch_count = 1});
    room_commit(&room, &(StoreBatch){.touches = touches, .touch_count = 1, .flushes = &flush, .flush_count = 1});
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->group_count, 1);
    ck_assert_int_eq(load->groups[0].due_ms, ROOM_NOW_MS + 5);
}
END_TEST

/* --- the outbox: leases and results, early, late and twice
 * -------------------------------------------------------------- */

/* L: lease as attempt N; d p k x e: finish attempt N as delivered, pending, parked, discarded, expired */
static const struct OutboxCase {
    const char *what, *steps, *state;
    int64_t attempts;
} outbox_cases[] = {
    {"nothing happened", "", "pending", 0},
    {"leased", "L1", "sending", 1},
    {"leased twice", "L1 L1", "sending", 1},
    {"leased ahead of its number", "L2", "pending", 0},
    {"leased while it is sent", "L1 L2", "sending", 1},
    {"delivered", "L1 d1", "delivered", 1},
    {"delivered, answered twice", "L1 d1 p1", "delivered", 1},
    {"delivered, then leased", "L1 d1 L2", "delivered", 1},
    {"failed and tried again", "L1 p1 L2", "sending", 2},
    {"a late answer of the first attempt", "L1 p1 L2 d1", "sending", 2},
    {"parked, by hand again", "L1 k1 p1 L2 d2", "delivered", 2},
    {"parked is not leased", "L1 k1 L2", "parked", 1},
    {"discarded stays", "L1 k1 x1 p1", "discarded", 1},
    {"expired, by hand again", "L1 p1 e1 p1", "pending", 1},
    {"an answer without a lease", "d1", "pending", 0},
    {"the same id from birth again", "L1 A", "sending", 1},
};

static const char *state_of(char letter) {
    switch (letter) {
    case 'd': return "delivered";
    case 'k': return "parked";
    case 'x': return "discarded";
    case 'e': return "expired";
    default: return "pending";
    }
}

static void take_step(Room *in, const char *step) {
    const int64_t attempts = step[1] - '0';
    if (*step == 'A') {
        room_add_outbox(in, "id");
    } else if (*step == 'L') {
        store_lease(in->store, "id", attempts, room_leased, in);
    } else {
        const OutboxResult result = {
            .id = "id", .attempts = attempts, .state = state_of(*step), .finished_ms = ROOM_NOW_MS};
        store_finish(in->store, &result, room_done, in);
    }
    room_run(in);
    ck_assert_int_eq(in->outcome, STORE_OK);
}

typedef struct Seen {
    size_t count;
    char state[16], id[64], error[200];
    int64_t attempts;
    bool failed;
} Seen;
static void see_outbox(void *ctx, const OutboxRow *rows, size_t count, const char *next) {
    Seen *seen = ctx;
    seen->failed = !rows;
    seen->count = count;
    ck_assert_ptr_null(next);
    if (!rows || count == 0) return;
    snprintf(seen->state, sizeof seen->state, "%s", rows[0].state);
    snprintf(seen->id, sizeof seen->id, "%s", rows[0].id);
    seen->attempts = rows[0].attempts;
}

/* Of what waits only the rows are loaded; the message comes with the lease, also when it was there before a restart. */
START_TEST(messages_stay_in_the_file) {
    room_open(&room);
    room_add_outbox(&room, "id");
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->outbox_count, 1);
    ck_assert_ptr_null(load->outbox[0].message_json);
    store_message(room.store, "id", room_leased, &room);
    room_run(&room);
    ck_assert_str_eq(room.message, ROOM_MESSAGE);
    store_message(room.store, "nobody", room_leased, &room);
    room_run(&room);
    ck_assert_str_eq(room.message, "(none)");
    take_step(&room, "L1");
    ck_assert_str_eq(room.message, ROOM_MESSAGE);
}
END_TEST

START_TEST(leases_and_results) {
    const struct OutboxCase *c = &outbox_cases[_i];
    room_open(&room);
    room_add_outbox(&room, "id");
    for (const char *step = c->steps; *step; step += strcspn(step, " "), step += strspn(step, " "))
        take_step(&room, step);
    Seen seen = {0};
    store_outbox(room.store, &(OutboxQuery){.limit = 10}, see_outbox, &seen);
    room_run(&room);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_msg(strcmp(seen.state, c->state) == 0 && seen.attempts == c->attempts,
        "%s: %s after %lld, not %s after %lld", c->what, seen.state, (long long)seen.attempts, c->state,
        (long long)c->attempts);
}
END_TEST

START_TEST(only_what_is_owed_is_loaded) {
    static const char *const states[] = {"pending", "delivered", "parked", "expired", "discarded"};
    room_open(&room);
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        OutboxRow row = room_owed(states[i]);
        row.state = states[i];
        room_commit(&room, &(StoreBatch){.outbox = &row, .outbox_count = 1});
    }
    room_close(&room);
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->outbox_count, 2);
    ck_assert_str_eq(load->outbox[0].id, "pending");
    ck_assert_str_eq(load->outbox[1].id, "parked");
}
END_TEST

/* --- crashes in a row (I5)
 * ------------------------------------------------------------------------------------------------ */

static void add_two(Room *in) {
    room_add_outbox(in, "poison");
    room_add_outbox(in, "calm");
}
static int64_t lease_number;
static void lease_and_die(Room *in) { store_lease(in->store, "poison", lease_number, room_leased, in); }
static void finish_and_die(Room *in) {
    const OutboxResult failed = {.id = "poison", .attempts = lease_number, .state = "pending"};
    lease_and_die(in);
    store_finish(in->store, &failed, room_done, in);
}
static void die(Room *in) { room_run(in); }

static void expect_poison(const char *state, int64_t crashes) {
    room_crash(&room, die); /* a crash while it is not sent: the count stays */
    room_open(&room);
    OWN(store_load) StoreLoad *load = room_load(&room);
    ck_assert_uint_eq(load->outbox_count, 2);
    ck_assert_str_eq(load->outbox[0].state, state);
    ck_assert_int_eq(load->outbox[0].crashes, crashes);
    ck_assert_int_eq(load->outbox[1].crashes, 0);
    if (strcmp(state, "parked") == 0) {
        ck_assert_ptr_nonnull(strstr(load->outbox[0].last_error, "6 times"));
        ck_assert_int_eq(load->outbox[0].finished_ms, ROOM_NOW_MS);
    }
    room_close(&room);
}

START_TEST(the_sixth_crash_in_a_row_parks) {
    room_crash(&room, add_two);
    for (lease_number = 1; lease_number <= 6; lease_number++) {
        room_crash(&room, lease_and_die);
        expect_poison(lease_number < 6 ? "pending" : "parked", lease_number);
    }
}
END_TEST

START_TEST(an_answered_attempt_ends_the_row_of_crashes) {
    room_crash(&room, add_two);
    for (lease_number = 1; lease_number <= 5; lease_number++) room_crash(&room, lease_and_die);
    room_crash(&room, finish_and_die);
    expect_poison("pending", 0);
}
END_TEST

START_TEST(a_clean_stop_is_no_crash) {
    room_open(&room);
    add_two(&room);
    store_lease(room.store, "poison", 1, room_leased, &room);
    room_close(&room);
    expect_poison("pending", 0);
}
END_TEST

/* --- one daemon a folder
 * ---------------------------------------------------------------------------------------------------- */

START_TEST(a_second_daemon_is_refused) {
    char pid[32];
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    room_open(&room);
    Error err = {0};
    char *lost = NULL;
    ck_assert_ptr_null(store_open(&room.loop, room.clock, room.metrics, &room.options, &lost, &err));
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(strstr(err.text, pid) != NULL, "%s", err.text);
    ck_assert_ptr_null(lost);
    room_add_outbox(&room, "still works");
    ck_assert_int_eq(room.outcome, STORE_OK);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, all_that_was_committed_is_loaded_again);
    tcase_add_test(tcase, events_are_kept_once);
    tcase_add_test(tcase, what_was_handed_over_is_marked_with_what_another_gets);
    tcase_add_test(tcase, what_was_handed_over_is_decided_for_the_other_too);
    tcase_add_test(tcase, what_people_did_is_kept_until_it_is_forgotten);
    tcase_add_test(tcase, what_is_over_of_events_is_forgotten);
    tcase_add_test(tcase, forgetting_and_overwriting);
    tcase_add_loop_test(tcase, what_was_told_is_closed_unless_it_fired_again, 0, COUNT_OF(told_cases));
    tcase_add_test(tcase, an_answered_commit_survives_a_crash);
    tcase_add_test(tcase, answers_come_in_order_and_share_transactions);
    tcase_add_test(tcase, the_oldest_waits_as_long_as_the_clock_says);
    tcase_add_test(tcase, close_commits_what_is_queued);
    tcase_add_test(tcase, a_callback_may_close_the_store);
    tcase_add_loop_test(tcase, touch_and_flush, 0, COUNT_OF(group_cases));
    tcase_add_test(tcase, a_touch_in_the_batch_of_the_flush_is_not_lost);
    tcase_add_test(tcase, messages_stay_in_the_file);
    tcase_add_loop_test(tcase, leases_and_results, 0, COUNT_OF(outbox_cases));
    tcase_add_test(tcase, only_what_is_owed_is_loaded);
    tcase_add_test(tcase, the_sixth_crash_in_a_row_parks);
    tcase_add_test(tcase, an_answered_attempt_ends_the_row_of_crashes);
    tcase_add_test(tcase, a_clean_stop_is_no_crash);
    tcase_add_test(tcase, a_second_daemon_is_refused);
}

int main(void) { return run_tests("store", fill); }
