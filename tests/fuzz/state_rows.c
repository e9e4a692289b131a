/* The rows of a state file that somebody damaged or edited: a line each, its table's name, then the cells with bars
 * between them; a cell is its type, `t i r x -` for text, integer, real, bytes and NULL, and its value. They are read
 * by the loader itself and taken over by those who own them. Holds: names are there, times can be, states are known; an
 * owed notification is never left out; what was taken over is written as rows that read back the same; nothing that
 * goes on from there adds up to an impossible time. */
#include "fuzz.h"

#include "alarms/instance.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/core.h"
#include "engine/events.h"
#include "notify/outbox.h"
#include "notify/render.h"
#include "notify/silences.h"
#include "notify/turn.h"
#include "store/store_load.h"
#include "store/store_schema.h"
#include "store/store_sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t now_ms = 1767323045000, year_ms = 365 * INT64_C(86400000);

/* --- the file --- */

/* Today's tables without STRICT: a damaged page does not keep to types. */
static sqlite3 *lax_file(void) {
    static sqlite3 *db;
    if (db) return db;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK) abort();
    for (int64_t i = 0; i < schema_steps.count; i++) {
        OWN(text) char *step = text_copy(schema_steps.steps[i]);
        for (char *at = step; (at = strstr(at, "STRICT"));) {
            const bool goes_on = at[strlen("STRICT")] == ',';
            memset(at, ' ', strlen("STRICT") + goes_on);
        }
        if (sql_run(db, step) != SQLITE_OK) abort();
    }
    return db;
}

static void bind_cell(sqlite3_stmt *statement, int index, const char *cell) {
    const char *value = cell + 1;
    switch (*cell) {
    case 'i': sqlite3_bind_int64(statement, index, strtoll(value, NULL, 10)); break;
    case 'r': sqlite3_bind_double(statement, index, strtod(value, NULL)); break;
    case 'x': sqlite3_bind_blob(statement, index, value, (int)strlen(value), SQLITE_TRANSIENT); break;
    case '-': sqlite3_bind_null(statement, index); break;
    case 't': sqlite3_bind_text(statement, index, value, -1, SQLITE_TRANSIENT); break;
    default: break; /* NULL, too */
    }
}

static const struct Table {
    const char *name, *insert;
} tables[] = {
    {"instance", "INSERT OR IGNORE INTO instance VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"group", "INSERT OR IGNORE INTO notification_group VALUES(?,?,?,?,?,?,?,?)"},
    {"outbox", "INSERT OR IGNORE INTO outbox VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"message", "INSERT OR IGNORE INTO outbox_message VALUES((SELECT max(seq) FROM outbox),?)"},
    {"cursor", "INSERT OR IGNORE INTO cursor VALUES(?,?)"},
    {"seen", "INSERT OR IGNORE INTO event_seen VALUES(?,?,?)"},
    {"match", "INSERT OR IGNORE INTO event_match VALUES(?,?,?,?,?,?)"},
    {"silence", "INSERT OR IGNORE INTO silence VALUES(?,?,?,?)"},
    {"ack", "INSERT OR IGNORE INTO acknowledgement VALUES(?,?,?,?,?,?)"},
};

/* Up to the next `end`; moves on. NULL: nothing is left. */
static char *cut(char **at, char end) {
    char *start = *at, *stop = start ? strchr(start, end) : NULL;
    if (stop) *stop = 0;
    *at = stop ? stop + 1 : NULL;
    return start;
}

static void insert_line(sqlite3 *db, char *line) {
    const char *name = cut(&line, '|'), *cell;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        if (strcmp(name, tables[i].name) != 0) continue;
        sqlite3_stmt *statement = NULL;
        if (sqlite3_prepare_v2(db, tables[i].insert, -1, &statement, NULL) != SQLITE_OK) abort();
        for (int index = 1; (cell = cut(&line, '|')) && index <= sqlite3_bind_parameter_count(statement); index++)
            bind_cell(statement, index, cell);
        sqlite3_step(statement);
        sqlite3_finalize(statement);
    }
}

static StoreLoad *load_of(sqlite3 *db, const uint8_t *data, size_t size) {
    static const char empty[] = "DELETE FROM instance; DELETE FROM notification_group; DELETE FROM outbox_message;"
                                "DELETE FROM outbox; DELETE FROM cursor; DELETE FROM event_seen;"
                                "DELETE FROM event_match; DELETE FROM silence; DELETE FROM acknowledgement;";
    OWN(text) char *text = text_copy_length((const char *)data, size);
    StoreLoad *load = NULL;
    sql_run(db, "BEGIN");
    sql_run(db, empty);
    char *at = text;
    for (char *line; (line = cut(&at, '\n'));) insert_line(db, line);
    const bool was_clean = size % 2;
    if (store_settle_sending(db, was_clean, now_ms) != SQLITE_OK) abort();
    if (store_read_all(db, was_clean, now_ms, &load) != SQLITE_OK) abort();
    sql_run(db, "COMMIT");
    return load;
}

/* --- the rows --- */

static void check_time(int64_t time_ms) {
    if (time_ms && (time_ms < now_ms - year_ms || time_ms > now_ms + year_ms)) abort();
}

static void check_rows(sqlite3 *db, const StoreLoad *load) {
    AlarmState state;
    int64_t owed = -1;
    for (size_t i = 0; i < load->instance_count; i++) {
        const InstanceRow *row = &load->instances[i];
        if (!*row->fingerprint || !row->alarm || !row->region || !state_parse(row->state, &state)) abort();
        check_time(row->since_ms);
        check_time(row->firing_since_ms);
        check_time(row->resolved_ms);
        if (row->has_value == isnan(row->value)) abort();
    }
    for (size_t i = 0; i < load->group_count; i++) {
        if (!*load->groups[i].key || load->groups[i].touches < 0) abort();
        check_time(load->groups[i].due_ms);
    }
    sql_number(
        db, "SELECT count(*) FROM outbox WHERE ifnull(state, '') NOT IN ('delivered', 'discarded', 'expired')", &owed);
    if (owed != (int64_t)load->outbox_count) abort();
    for (size_t i = 0; i < load->outbox_count; i++) {
        const OutboxRow *row = &load->outbox[i];
        if (strcmp(row->state, "pending") != 0 && strcmp(row->state, "parked") != 0) abort();
        if (!row->id || !row->receiver || !row->plugin || row->attempts < 0 || row->crashes < 0) abort();
        check_time(row->next_attempt_ms);
        check_time(row->expires_ms);
    }
}

/* --- who owns them --- */

static void check_instance_again(const Instance *instance) {
    OWN(arena) Arena *arena = arena_new();
    OWN(instances) Instances *table = instances_new();
    const InstanceRow row = instance_row(instance, arena);
    const Instance *again = instance_restore(table, &row, now_ms);
    if (!again) abort();
    const InstanceRow same = instance_row(again, arena);
    if (strcmp(row.series_json, same.series_json) || strcmp(row.labels_json, same.labels_json)) abort();
    if (strcmp(row.reason_data_json, same.reason_data_json) || strcmp(row.state, same.state)) abort();
    if (row.since_ms != same.since_ms || row.firing_since_ms != same.firing_since_ms || row.gone != same.gone) abort();
}

/* It is judged, held and shown, as at the first poll behind a start. */
static void go_on(Instance *instance) {
    const PendingRule pending = {.for_s = 300, .keep_firing_s = 300};
    double values[] = {1, 2, 3};
    double scratch[64];
    const ThresholdRule rule = {.n = 3, .m = 2, .range = 3, .period_s = 60, .threshold = 1.5, .early = true};
    const Samples samples = {FOLD_NONE, now_ms / 1000 - 180, 60, COUNT_OF(values), values, NULL};
    Evaluation evaluation;
    evaluate(&rule, &samples, now_ms / 1000, now_ms / 1000, false, &instance->memory, scratch, &evaluation);
    Hold hold = {0};
    hold_copy(&hold, &instance->hold);
    pending_resume(&pending, &hold.pending, now_ms / 1000 - 900, now_ms / 1000);
    hold_pend(&pending, &hold, instance->memory.state, instance->since_ms / 1000, now_ms / 1000);
    suppression_due_ms(&hold.suppression);
    hold_deinit(&hold);
    json_decref(json_time(instance->facts.value_s * 1000));
    json_decref(json_time(instance->hold_until_ms));
}

static const Instance *find(void *ctx, const char *fingerprint) { return instance_find(ctx, fingerprint); }

/* Each group that can be due takes its turn, and what it says is rendered. */
static void take_turns(Groups *groups, Instances *instances) {
    static const char *const by_alertname[] = {"alertname"};
    static const Route route = {.id = "{}",
        .receiver = "oncall",
        .group_by = {1, by_alertname, NULL},
        .group_wait_s = 30,
        .group_interval_s = 300,
        .repeat_interval_s = 14400};
    const int64_t late_ms = now_ms + 2 * year_ms;
    const TurnWorld world = {
        .route = &route, .tells_resolved = true, .now_ms = late_ms, .find = find, .ctx = instances};
    const ReceiverChannel channel = {.plugin = "webhook", .send_resolved = true};
    const char *key;
    for (size_t left = groups_count(groups); left && (key = groups_due(groups, late_ms)); left--) {
        GroupTurn *turn = turn_begin(groups, key, &world);
        OWN(render_input) RenderInput *input = render_input_new(turn, &channel, 1, "", late_ms, NULL, NULL);
        OWN(rendered) Rendered *rendered = render(input);
        for (size_t i = 0; i < rendered_count(rendered); i++) {
            const char *text = rendered_row(rendered, i).message_json;
            OWN(json) json_t *message = json_read(text, strlen(text), NULL);
            if (!message) abort();
        }
        turn_end(groups, turn, true, late_ms);
    }
}

static void take_over_instances(const StoreLoad *load) {
    OWN(instances) Instances *instances = instances_new();
    OWN(groups) Groups *groups = groups_new(NULL);
    for (size_t i = 0; i < load->instance_count; i++) {
        Instance *instance = instance_restore(instances, &load->instances[i], now_ms);
        if (!instance) continue;
        check_instance_again(instance);
        go_on(instance);
    }
    for (size_t i = 0; i < load->group_count; i++) groups_restore(groups, &load->groups[i], now_ms);
    if (groups_count(groups) > load->group_count) abort();
    groups_shift(groups, 3600000);
    take_turns(groups, instances);
}

static void take_over_people(const StoreLoad *load) {
    OWN(silences) Silences *silences = silences_new();
    for (size_t i = 0; i < load->silence_count; i++) {
        Error err = {0};
        Silence *silence = silence_restore(&load->silences[i], &err);
        if (!silence && (err.kind != ERROR_INPUT || !*err.text)) abort();
        if (!silence) continue;
        OWN(arena) Arena *arena = arena_new();
        const SilenceRow row = silence_row(silence, arena);
        OWN(silence) Silence *again = silence_restore(&row, NULL);
        if (!again || again->ends_ms != silence->ends_ms || !matchers_equal(again->matchers, silence->matchers))
            abort();
        json_decref(silence_json(silence, now_ms));
        silences_add(silences, silence);
    }
    if (silences_next_ms(silences, now_ms) <= now_ms) abort();
    for (size_t i = 0; i < load->ack_count; i++) {
        OWN(ack) Ack *ack = ack_restore(&load->acks[i]);
        if (ack) json_decref(ack_json(ack));
    }
}

static void take_over_memory(const StoreLoad *load) {
    Core core = {.metrics = metrics_new(), .clock = NULL};
    core.memory = memory_new(core.metrics);
    memory_load(core.memory, load);
    for (size_t i = 0; i < load->seen_count; i++)
        if (!memory_is_seen(core.memory, load->seen[i].scope, load->seen[i].id)) abort();
    OWN(events) Events *events = events_new(&core);
    events_load(events, load);
    for (size_t i = 0; i < load->cursor_count; i++)
        if (!memory_cursor(core.memory, load->cursors[i].name)) abort();
    events = events_free(events);
    memory_free(core.memory);
    metrics_free(core.metrics);
}

/* --- the outbox --- */

/* What the store was asked and has not answered: it never does inside the call. */
typedef struct Asked {
    struct {
        StoreDone *done;
        StoreMessage *leased; /* of a lease: it is answered with the message */
        void *ctx;
    } * list;
    size_t count, sends;
} Asked;

static void ask(Asked *asked, StoreDone *done, StoreMessage *leased, void *ctx) {
    asked->list = alloc_again(asked->list, asked->count + 1, sizeof *asked->list);
    asked->list[asked->count].done = done;
    asked->list[asked->count].leased = leased;
    asked->list[asked->count++].ctx = ctx;
}

static void lease(void *store, const char *id, int64_t attempts, StoreMessage *done, void *ctx) {
    (void)id, (void)attempts;
    ask(store, NULL, done, ctx);
}
static void finish(void *store, const OutboxResult *result, StoreDone *done, void *ctx) {
    (void)result;
    ask(store, done, NULL, ctx);
}
static void answer_all(Asked *asked) {
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->list[i].leased)
            asked->list[i].leased(asked->list[i].ctx, STORE_OK, "{}");
        else
            asked->list[i].done(asked->list[i].ctx, STORE_OK);
    }
    asked->count = 0;
}
static void send_row(void *ctx, const OutboxRow *row) {
    (void)row;
    ((Asked *)ctx)->sends++;
}
static bool has_channel(void *ctx, const char *receiver, const char *plugin, int64_t index) {
    (void)ctx, (void)receiver, (void)index;
    return *plugin != 0;
}
static void health(void *ctx, const char *receiver, const char *plugin, bool is_failing, const char *reason) {
    (void)ctx, (void)receiver, (void)plugin, (void)is_failing, (void)reason;
}

/* How many different ones. */
static size_t ids_of(const StoreLoad *load) {
    size_t count = 0;
    for (size_t i = 0; i < load->outbox_count; i++) {
        bool is_first = true;
        for (size_t j = 0; j < i; j++) is_first &= strcmp(load->outbox[i].id, load->outbox[j].id) != 0;
        count += is_first;
    }
    return count;
}

static void take_over_outbox(const StoreLoad *load) {
    Asked asked = {0};
    OWN(clock) Clock *clock = clock_new_virtual(now_ms);
    const OutboxWorld world = {.store = &asked,
        .lease = lease,
        .finish = finish,
        .ctx = &asked,
        .send = send_row,
        .has_channel = has_channel,
        .health = health};
    OWN(outbox) Outbox *outbox = outbox_new(&world, clock, NULL);
    outbox_add(outbox, load->outbox, load->outbox_count);
    const OutboxCounts before = outbox_counts(outbox);
    const size_t taken = before.pending + before.parked;
    if (taken != ids_of(load)) abort();
    outbox_begin(outbox);
    outbox_check_channels(outbox);
    outbox_run(outbox);
    answer_all(&asked);
    const OutboxCounts after = outbox_counts(outbox);
    if (after.pending + after.parked != taken || asked.sends > taken) abort(); /* nothing expires at a start */
    clock_advance(clock, 5 * INT64_C(86400000));
    outbox_shift(outbox, 3600000);
    outbox_run(outbox);
    answer_all(&asked);
    for (size_t i = 0; i < load->outbox_count; i++) json_decref(outbox_row_json(&load->outbox[i]));
    free(asked.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    log_setup(LOG_TEXT, LOG_ERROR); /* not a line a row */
    sqlite3 *db = lax_file();
    OWN(store_load) StoreLoad *load = load_of(db, data, size);
    check_rows(db, load);
    take_over_instances(load);
    take_over_people(load);
    take_over_memory(load);
    take_over_outbox(load);
    return 0;
}
