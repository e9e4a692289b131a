/* History and outbox as they are asked for, page by page, and what pruning leaves. */
#include "room.h"

#include "store/store_page.h"
#include "store/store_prune.h"
#include "store/store_reader.h"
#include "unit/run.h"

static Room room;
static void set_up(void) { room_init(&room); }
static void tear_down(void) { room_deinit(&room); }

enum { PAGES_SHOWN = 4096 };
typedef struct Told {
    char rows[PAGES_SHOWN]; /* reasons of the rows, newest first, `|` between pages, `!` for a failure */
    int64_t next;
    char next_id[64];
    size_t count, calls;
} Told;

static void tell_history(void *ctx, const HistoryRow *rows, size_t count, int64_t next) {
    Told *told = ctx;
    told->calls++;
    told->next = next;
    told->count += count;
    if (!rows) strcat(told->rows, "!");
    for (size_t i = 0; i < count; i++)
        if (strlen(told->rows) < 1000) strcat(strcat(told->rows, *told->rows ? " " : ""), rows[i].reason);
}

/* `count` rows a millisecond apart, of names a b a b…, of fingerprints 0 1 2 0 1 2…, with their number as the reason.
 */
static void add_history(size_t count, int64_t first_ms) {
    for (size_t i = 0; i < count; i++) {
        OWN(text) char *reason = text_format("%zu", i + 1);
        const HistoryRow row = {.time_ms = first_ms + (int64_t)i,
            .name = i % 2 ? "b" : "a",
            .fingerprint = (const char *[]){"0", "1", "2"}[i % 3],
            .from = "OK",
            .to = "ALARM",
            .reason = reason,
            .value = 1.5,
            .has_value = i % 2 == 0};
        store_commit_batch(room.store, &(StoreBatch){.history = &row, .history_count = 1}, room_done, &room);
    }
    room_run(&room);
}

#define T ROOM_NOW_MS
static const struct QueryCase {
    const char *what;
    HistoryQuery query;
    const char *want;
    int64_t next;
} query_cases[] = {
    {"all, newest first", {.limit = 100}, "7 6 5 4 3 2 1", 0},
    {"no limit", {.limit = 0}, "7 6 5 4 3 2 1", 0},
    {"a limit below 0", {.limit = -5}, "7 6 5 4 3 2 1", 0},
    {"one page", {.limit = 3}, "7 6 5", 5},
    {"the next", {.limit = 3, .after = 5}, "4 3 2", 2},
    {"the last", {.limit = 3, .after = 2}, "1", 0},
    {"the page that ends with the rows", {.limit = 7}, "7 6 5 4 3 2 1", 0},
    {"behind the end", {.limit = 3, .after = 1}, "", 0},
    {"of one name", {.name = "a", .limit = 9}, "7 5 3 1", 0},
    {"of one fingerprint", {.fingerprint = "1", .limit = 9}, "5 2", 0},
    {"of both", {.name = "a", .fingerprint = "0", .limit = 9}, "7 1", 0},
    {"of none", {.name = "c", .limit = 9}, "", 0},
    {"a name that looks like SQL", {.name = "a' OR 1=1 --", .limit = 9}, "", 0},
    {"since: with it", {.since_ms = T + 4, .limit = 9}, "7 6 5", 0},
    {"until: without it", {.until_ms = T + 2, .limit = 9}, "2 1", 0},
    {"between", {.since_ms = T + 2, .until_ms = T + 4, .limit = 9}, "4 3", 0},
    {"nothing between", {.since_ms = T + 4, .until_ms = T + 2, .limit = 9}, "", 0},
    {"all before", {.since_ms = T + 100, .limit = 9}, "", 0},
    {"all after", {.until_ms = T - 100, .limit = 9}, "", 0},
    {"a page of a name, since", {.name = "a", .since_ms = T + 1, .limit = 1, .after = 7}, "5", 5},
};

START_TEST(queries) {
    const struct QueryCase *c = &query_cases[_i];
    Told told = {0};
    room_open(&room);
    add_history(7, T);
    store_history(room.store, &c->query, tell_history, &told);
    ck_assert_uint_eq(told.calls, 0); /* never inside the call */
    room_run(&room);
    ck_assert_msg(strcmp(told.rows, c->want) == 0, "%s: `%s`, not `%s`", c->what, told.rows, c->want);
    ck_assert_int_eq(told.next, c->next);
}
END_TEST

START_TEST(times_that_went_back) { /* the wall clock was set between rows: pages go by id, bounds by time */
    Told since = {0}, until = {0};
    room_open(&room);
    add_history(2, T + 10);
    add_history(2, T);
    add_history(1, T + 12);
    store_history(room.store, &(HistoryQuery){.since_ms = T + 5}, tell_history, &since);
    store_history(room.store, &(HistoryQuery){.until_ms = T + 5}, tell_history, &until);
    room_run(&room);
    ck_assert_str_eq(since.rows, "1 2 1");
    ck_assert_str_eq(until.rows, "2 1");
}
END_TEST

static void see_values(void *ctx, const HistoryRow *rows, size_t count, int64_t next) {
    (void)next;
    ck_assert_uint_eq(count, 2);
    ck_assert(!rows[0].has_value && rows[1].has_value && rows[1].value == 1.5);
    ck_assert_str_eq(rows[0].to, "ALARM");
    ck_assert_int_eq(rows[1].time_ms, T - 800 * DAY_MS); /* kept for years, told as it was */
    *(bool *)ctx = true;
}

START_TEST(rows_come_as_they_were_put) {
    bool seen = false;
    room.options.history_keep_ms = 1000 * DAY_MS;
    room_open(&room);
    add_history(2, T - 800 * DAY_MS);
    store_history(room.store, &(HistoryQuery){.limit = 5}, see_values, &seen);
    room_run(&room);
    ck_assert(seen);
}
END_TEST

START_TEST(many_at_once_are_answered_or_refused_once) {
    Told told = {0};
    room_open(&room);
    add_history(1, T);
    for (int i = 0; i < QUERIES_MAX + 10; i++)
        store_history(room.store, &(HistoryQuery){.limit = 1}, tell_history, &told);
    room_run(&room);
    ck_assert_uint_eq(told.calls, QUERIES_MAX + 10);
    ck_assert_uint_eq(told.count, QUERIES_MAX + 1); /* one ran, QUERIES_MAX waited */
}
END_TEST

START_TEST(a_query_that_is_owed_is_answered_at_the_end) {
    Told told = {0};
    room_open(&room);
    add_history(7, T);
    for (int i = 0; i < 5; i++) store_history(room.store, &(HistoryQuery){.limit = 1}, tell_history, &told);
    room.store = store_close(room.store);
    ck_assert_uint_eq(told.calls, 5);
    room_run(&room);
    ck_assert_uint_eq(told.calls, 5);
}
END_TEST

/* --- the outbox as a list
 * ----------------------------------------------------------------------------------------------- */

static void tell_outbox(void *ctx, const OutboxRow *rows, size_t count, const char *next) {
    Told *told = ctx;
    told->calls++;
    if (!rows) strcat(told->rows, "!");
    for (size_t i = 0; i < count; i++) strcat(strcat(told->rows, *told->rows ? " " : ""), rows[i].id);
    snprintf(told->next_id, sizeof told->next_id, "%s", next ? next : "");
}

static const struct OutboxQueryCase {
    OutboxQuery query;
    const char *want, *next;
} outbox_cases[] = {
    {{.limit = 10}, "e d c b a", ""},
    {{.limit = 2}, "e d", "d"},
    {{.limit = 2, .after = "d"}, "c b", "b"},
    {{.limit = 2, .after = "b"}, "a", ""},
    {{.limit = 2, .after = "gone"}, "", ""},
    {{.state = "parked", .limit = 10}, "d b", ""},
    {{.state = "parked", .limit = 1}, "d", "d"},
    {{.state = "lunch", .limit = 1}, "", ""},
};

START_TEST(outbox_queries) {
    Told told = {0};
    room_open(&room);
    for (char id[] = "a"; *id <= 'e'; ++*id) {
        OutboxRow row = room_owed(id);
        row.state = *id == 'b' || *id == 'd' ? "parked" : "pending";
        room_commit(&room, &(StoreBatch){.outbox = &row, .outbox_count = 1});
    }
    store_outbox(room.store, &outbox_cases[_i].query, tell_outbox, &told);
    room_run(&room);
    ck_assert_str_eq(told.rows, outbox_cases[_i].want);
    ck_assert_str_eq(told.next_id, outbox_cases[_i].next);
}
END_TEST

START_TEST(a_page_of_long_rows_ends_early) {
    enum { LONG = 6 << 20 };
    Told told = {0};
    char *message = alloc_zeroed(LONG + 1, 1);
    memset(message, 'x', LONG);
    room_open(&room);
    for (char id[] = "a"; *id <= 'e'; ++*id) {
        OutboxRow row = room_owed(id);
        row.message_json = message;
        room_commit(&room, &(StoreBatch){.outbox = &row, .outbox_count = 1});
    }
    free(message);
    for (const char *after = NULL; !after || *after; after = told.next_id) { /* and nobody is left out */
        store_outbox(room.store, &(OutboxQuery){.after = after}, tell_outbox, &told);
        room_run(&room);
    }
    ck_assert_str_eq(told.rows, "e d c b a");
    ck_assert_uint_gt(told.calls, 1);
}
END_TEST

/* --- pruning
 * ---------------------------------------------------------------------------------------------------------------- */

static const struct PruneCase {
    const char *what;
    int64_t keep_ms, max_rows;
    size_t left;
} prune_cases[] = {
    {"nothing is past its limits", 90 * DAY_MS, 1000000, 1300},
    {"by count", 90 * DAY_MS, 200, 200},
    {"by age", 100, 1000000, 100},
    {"by both", 100, 40, 40},
    {"all", 0, 0, 0},
};

START_TEST(history_is_pruned_by_age_and_count) { /* 1,300 rows: more than two slices */
    const struct PruneCase *c = &prune_cases[_i];
    Told told = {0};
    room_open(&room);
    add_history(1300, T);
    clock_set_wall(room.clock, T + 1300);
    store_set_history(room.store, c->keep_ms, c->max_rows);
    room_close(&room); /* jobs go before pruning, and the close before it as well: so prune here, slice by slice */
    const PruneLimits limits = {T + 1300, c->keep_ms, c->max_rows};
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(room.path, &db), SQLITE_OK);
    for (int64_t rows = 1; rows > 0;) {
        ck_assert_int_eq(prune_slice(db, &limits, &rows), SQLITE_OK);
        ck_assert_int_le(rows, PRUNE_SLICE);
    }
    sqlite3_close(db);
    room_open(&room);
    store_history(room.store, &(HistoryQuery){.limit = 0}, tell_history, &told);
    room_run(&room);
    ck_assert_msg(told.count == c->left, "%s: %zu rows left, not %zu", c->what, told.count, c->left);
    if (c->left > 0) ck_assert_msg(strncmp(told.rows, "1300 1299", 9) == 0, "%s: %.20s", c->what, told.rows);
}
END_TEST

START_TEST(the_store_prunes_by_itself) {
    static const Metric pruned = {.name = "tocsin_store_pruned_rows_total", .type = METRIC_COUNTER};
    room_open(&room);
    add_history(700, T);
    store_set_history(room.store, 90 * DAY_MS, 50);
    while (metric_get(room.metrics, &pruned, NULL) < 650) add_history(0, T), room_add_outbox(&room, "x");
    ck_assert(metric_get(room.metrics, &pruned, NULL) == 650);
}
END_TEST

START_TEST(notifications_that_are_over_go_after_thirty_days) {
    static const char *const states[] = {"delivered", "discarded", "expired", "pending", "parked"};
    Told told = {0};
    int64_t rows = 0;
    sqlite3 *db = NULL;
    room_open(&room);
    for (size_t i = 0; i < 2 * COUNT_OF(states); i++) { /* each once old, once young */
        OWN(text) char *id = text_format("%s%zu", states[i / 2], i % 2);
        OutboxRow row = room_owed(id);
        row.state = states[i / 2];
        row.finished_ms = T - (i % 2 ? 29 : 31) * DAY_MS;
        room_commit(&room, &(StoreBatch){.outbox = &row, .outbox_count = 1});
    }
    room_close(&room);
    ck_assert_int_eq(sqlite3_open(room.path, &db), SQLITE_OK);
    ck_assert_int_eq(prune_slice(db, &(PruneLimits){T, DAY_MS, 10}, &rows), SQLITE_OK);
    sqlite3_close(db);
    room_open(&room);
    store_outbox(room.store, &(OutboxQuery){.limit = 0}, tell_outbox, &told);
    room_run(&room);
    ck_assert_str_eq(told.rows, "parked1 parked0 pending1 pending0 expired1 discarded1 delivered1");
}
END_TEST

/* --- decisions --- */

typedef struct Heard {
    size_t calls, count;
    char rows[512];
} Heard;

/* `3 held; 2 told [email delivered, webhook pending]; ` */
static void hear_decisions(void *ctx, const DecisionTold *rows, size_t count) {
    Heard *heard = ctx;
    heard->calls++;
    heard->count = count;
    size_t used = 0;
    heard->rows[0] = 0;
    for (size_t i = 0; rows && i < count; i++) {
        used += (size_t)snprintf(heard->rows + used, sizeof heard->rows - used, "%s%lld %s", i ? "; " : "",
            (long long)rows[i].decision.id, rows[i].decision.decision);
        if (rows[i].has_message)
            used += (size_t)snprintf(heard->rows + used, sizeof heard->rows - used, " [%s %s]", rows[i].message.plugin,
                rows[i].message.state);
    }
}

static OutboxRow message(const char *id, const char *group, const char *plugin, int64_t created_ms) {
    return (OutboxRow){.id = id,
        .group_key = group,
        .receiver = "people",
        .plugin = plugin,
        .state = "pending",
        .created_ms = created_ms,
        .next_attempt_ms = created_ms,
        .expires_ms = created_ms + DAY_MS,
        .message_json = "{}"};
}

static void decide(int64_t age_ms) {
    const int64_t at_ms = ROOM_NOW_MS - age_ms;
    const DecisionRow decisions[] = {{.time_ms = at_ms, "f", "g", "people", "told", "first notification"},
        {.time_ms = at_ms + 1, "f", "g", "people", "held", "silenced"},
        {.time_ms = at_ms + 2, "other", "g", "people", "told", "new alerts added"}};
    const OutboxRow outbox[] = {message("1", "g", "email", at_ms), message("2", "g", "webhook", at_ms),
        message("3", "h", "webhook", at_ms), message("4", "g", "webhook", at_ms + 1)};
    room_commit(&room, &(StoreBatch){.decisions = decisions, .decision_count = 3, .outbox = outbox, .outbox_count = 4});
}

static const struct DecisionCase {
    DecisionQuery query;
    const char *want;
} decision_cases[] = {
    {{"f", 0, 9}, "2 held; 1 told [email pending]; 1 told [webhook pending]"},
    {{"f", 0, 1}, "2 held"},
    {{"f", ROOM_NOW_MS - 5000, 9}, "1 told [email pending]; 1 told [webhook pending]"}, /* with that instant */
    {{"f", ROOM_NOW_MS - 5001, 9}, ""},
    {{"other", 0, 9}, "3 told"}, /* its message is not there any more */
    {{"f' OR 1=1 --", 0, 9}, ""},
};

START_TEST(decisions_come_with_their_messages) {
    Heard heard = {0};
    room_open(&room);
    decide(5000);
    store_decisions(room.store, &decision_cases[_i].query, hear_decisions, &heard);
    room_run(&room);
    ck_assert_str_eq(heard.rows, decision_cases[_i].want);
}
END_TEST

START_TEST(decisions_go_with_history) {
    Heard heard = {0};
    sqlite3 *db = NULL;
    int64_t rows = 1;
    room_open(&room);
    decide(2 * DAY_MS);
    decide(5000);
    room_close(&room);
    ck_assert_int_eq(sqlite3_open(room.path, &db), SQLITE_OK);
    for (const PruneLimits by_age = {ROOM_NOW_MS, DAY_MS, 1000000}; rows > 0;)
        ck_assert_int_eq(prune_slice(db, &by_age, &rows), SQLITE_OK);
    rows = 1;
    for (const PruneLimits by_count = {ROOM_NOW_MS, DAY_MS, 2}; rows > 0;)
        ck_assert_int_eq(prune_slice(db, &by_count, &rows), SQLITE_OK);
    sqlite3_close(db);
    room_open(&room);
    store_decisions(room.store, &(DecisionQuery){"f", 0, 9}, hear_decisions, &heard);
    room_run(&room);
    ck_assert_uint_eq(heard.calls, 1);
    ck_assert_str_eq(heard.rows, "5 held"); /* of six the two newest are left, and one of those is another's */
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, queries, 0, COUNT_OF(query_cases));
    tcase_add_test(tcase, times_that_went_back);
    tcase_add_test(tcase, rows_come_as_they_were_put);
    tcase_add_test(tcase, many_at_once_are_answered_or_refused_once);
    tcase_add_test(tcase, a_query_that_is_owed_is_answered_at_the_end);
    tcase_add_loop_test(tcase, outbox_queries, 0, COUNT_OF(outbox_cases));
    tcase_add_test(tcase, a_page_of_long_rows_ends_early);
    tcase_add_loop_test(tcase, history_is_pruned_by_age_and_count, 0, COUNT_OF(prune_cases));
    tcase_add_test(tcase, the_store_prunes_by_itself);
    tcase_add_loop_test(tcase, decisions_come_with_their_messages, 0, sizeof decision_cases / sizeof *decision_cases);
    tcase_add_test(tcase, decisions_go_with_history);
    tcase_add_test(tcase, notifications_that_are_over_go_after_thirty_days);
}

int main(void) { return run_tests("store history", fill); }
