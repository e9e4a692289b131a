/* tests/unit/model/daemon.c: an engine between two stand-ins, driven second by second */
#include "daemon.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "base/timetext.h"
#include "load.h"

#include "../store/shim.h"

#include <check.h>
#include <ftw.h>
#include <math.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

enum { TURNS_MAX = 1000000 }; /* of the loop, for what one second brings */

static Daemon *only; /* the stand-ins have no context of their own */
static atomic_size_t writes_left; /* until the disk takes nothing any more */
static atomic_bool is_disk_full;

/* --- the disk --- */

static int on_disk(void *ctx, const ShimEvent *event) {
    (void)ctx;
    if (event->op != SHIM_WRITE) return SQLITE_OK; /* what is written whole is answered: no commit is in doubt */
    if (atomic_load(&is_disk_full)) return SQLITE_FULL;
    size_t left = atomic_load(&writes_left);
    while (left && left != SIZE_MAX && !atomic_compare_exchange_weak(&writes_left, &left, left - 1)) {}
    return left ? SQLITE_OK : SQLITE_FULL;
}

void daemon_die_after(Daemon *daemon, size_t writes) {
    (void)daemon;
    atomic_store(&writes_left, writes);
}
void daemon_live(Daemon *daemon) { daemon_die_after(daemon, SIZE_MAX); }
bool daemon_is_dead(const Daemon *daemon) {
    (void)daemon;
    return !atomic_load(&writes_left);
}

void daemon_fill_disk(Daemon *daemon, bool is_full) {
    (void)daemon;
    atomic_store(&is_disk_full, is_full);
}

bool daemon_is_behind(const Daemon *daemon) { return daemon->engine->core.is_behind; }

/* --- HTTP: what is posted is taken, but by who refuses --- */

typedef struct Posted {
    UT_hash_handle hh;
    char id[64];
    char *line;
    size_t receiver;
    bool is_taken;
    int64_t posted_s, taken_s;
} Posted;

struct HttpTicket {
    uv_timer_t timer;
    Posted *posted;
    HttpDone *done;
    void *ctx;
    HttpTicket *prev, *next;
};

static HttpTicket *tickets;

static const char *header_of(const HttpRequest *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++)
        if (!strcasecmp(request->headers[i].name, name)) return request->headers[i].value;
    return NULL;
}

static Posted *posted_get(const char *id) {
    Posted *posted;
    ck_assert_ptr_nonnull(id);
    HASH_FIND_STR(only->posted, id, posted);
    if (posted) return posted;
    posted = alloc_zeroed(1, sizeof *posted);
    snprintf(posted->id, sizeof posted->id, "%s", id);
    HASH_ADD_STR(only->posted, id, posted);
    return posted;
}

void daemon_refuse(Daemon *daemon, size_t receiver, bool refuses) { daemon->refuses[receiver] = refuses; }

bool daemon_owes(const Daemon *daemon, size_t receiver) { return daemon->owed[receiver] > 0; }

/* What is taken in this second was on its way when somebody looked; what is posted first in it was not there. */
bool daemon_waits(const Daemon *daemon, const char *line, size_t length) {
    const int64_t now_s = daemon_now_s(daemon);
    for (const Posted *posted = daemon->posted; posted; posted = posted->hh.next)
        if ((!posted->is_taken || posted->taken_s == now_s) && posted->posted_s < now_s &&
            !strncmp(posted->line, line, length) && posted->line[length] == ' ')
            return true;
    return false;
}

static size_t alert_of(const char *fingerprint) {
    size_t alert = 0;
    while (alert < SPEC_ALERTS && strcmp(only->fingerprints[alert], fingerprint) != 0) alert++;
    ck_assert_uint_lt(alert, SPEC_ALERTS);
    return alert;
}

static size_t add_alerts(char *line, size_t used, size_t room, const json_t *alerts) {
    char marks[SPEC_ALERTS] = {0};
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const json_t *alert = json_array_get(alerts, i);
        marks[alert_of(json_text(alert, "fingerprint"))] = strcmp(json_text(alert, "status"), "firing") ? '-' : '+';
    }
    for (size_t i = 0; i < SPEC_ALERTS; i++)
        if (marks[i]) used += (size_t)snprintf(line + used, room - used, " %c%zu", marks[i], i);
    return used;
}

static Posted *keep_post(const HttpRequest *request) {
    static const char host[] = "http://127.0.0.1/";
    char line[1024];
    size_t receiver, channel;
    ck_assert_str_eq(request->method, "POST");
    ck_assert(!strncmp(request->url, host, strlen(host)));
    ck_assert_int_eq(sscanf(request->url + strlen(host), "%zu/%zu", &receiver, &channel), 2);
    Posted *posted = posted_get(header_of(request, "Idempotency-Key"));
    if (posted->line) return posted;
    OWN(json) json_t *body = json_read(request->body, request->body_length, NULL);
    size_t used = (size_t)snprintf(line, sizeof line, "r%zu.%zu %s %s:", receiver, channel, json_text(body, "groupKey"),
        json_text(body, "notification_reason"));
    add_alerts(line, used, sizeof line, json_object_get(body, "alerts"));
    said_add(&only->said, line);
    posted->line = text_copy(line);
    posted->receiver = receiver;
    posted->posted_s = daemon_now_s(only);
    only->owed[receiver]++;
    return posted;
}

static void ticket_closed(uv_handle_t *timer) { free(timer->data); }

static void ticket_end(HttpTicket *ticket, const HttpAnswer *answer) {
    DL_DELETE(tickets, ticket);
    uv_close((uv_handle_t *)&ticket->timer, ticket_closed);
    ticket->done(ticket->ctx, answer);
}

static void answer(uv_timer_t *timer) {
    HttpTicket *ticket = timer->data;
    const bool is_taken = !only->refuses[ticket->posted->receiver];
    if (is_taken && !ticket->posted->is_taken) {
        ticket->posted->is_taken = true;
        ticket->posted->taken_s = daemon_now_s(only);
        only->owed[ticket->posted->receiver]--;
    }
    ticket_end(
        ticket, &(HttpAnswer){.outcome = HTTP_ANSWERED, .status = is_taken ? 200 : 503, .body = "", .error = ""});
}

Http *http_new(uv_loop_t *loop, const Clock *clock, Metrics *metrics) {
    (void)clock, (void)metrics;
    return (Http *)loop;
}
Http *http_free(Http *http) {
    (void)http;
    while (tickets) http_cancel(tickets);
    return NULL;
}
HttpTicket *http_start(Http *http, const HttpRequest *request, HttpDone *done, void *ctx) {
    HttpTicket *ticket = alloc_zeroed(1, sizeof *ticket);
    ticket->done = done;
    ticket->ctx = ctx;
    uv_timer_init((uv_loop_t *)http, &ticket->timer);
    ticket->timer.data = ticket;
    DL_APPEND(tickets, ticket);
    ticket->posted = keep_post(request);
    uv_timer_start(&ticket->timer, answer, 0, 0);
    return ticket;
}
void http_cancel(HttpTicket *ticket) {
    ticket_end(ticket, &(HttpAnswer){.outcome = HTTP_CANCELLED, .body = "", .error = ""});
}
HttpTicket *mail_start(Http *http, const MailRequest *request, MailDone *done, void *ctx) {
    (void)http, (void)request, (void)done, (void)ctx;
    ck_abort_msg("nobody is told by mail here");
}
const char *http_answer_header(const HttpAnswer *answer, const char *name) {
    (void)answer, (void)name;
    return "";
}

/* --- the poller: its alarms are what daemon_feed() says --- */

struct Poller {
    Core *core;
    Backlog *backlog;
    Snapshot *snapshot;
    Watch *watches;
    const Alarm *const *alarms;
    size_t count;
};

Poller *poller_new(Core *core, Backlog *backlog, Own *own) {
    (void)own;
    Poller *poller = alloc_zeroed(1, sizeof *poller);
    *poller = (Poller){.core = core, .backlog = backlog};
    return poller;
}
static void forget_watches(Poller *poller) {
    free(poller->watches);
    free((void *)(uintptr_t)poller->alarms);
    snapshot_free(poller->snapshot);
}
Poller *poller_free(Poller *poller) {
    if (!poller) return NULL;
    forget_watches(poller);
    free(poller);
    return NULL;
}
void poller_resume(Poller *poller, const StoreLoad *load) { (void)poller, (void)load; }
int64_t poller_resumed_s(const Poller *poller) {
    (void)poller;
    return 0;
}

static void keep_fingerprint(const Instance *instance) {
    for (size_t i = 0; i < SPEC_ALERTS; i++) {
        const SpecAlert *alert = &only->spec.alerts[i];
        if (!strcmp(alert->values[LABEL_ALERTNAME], instance->name) &&
            !strcmp(alert->values[LABEL_REGION], instance->region))
            memcpy(only->fingerprints[i], instance->fingerprint, FINGERPRINT_TEXT);
    }
}

void poller_configure(Poller *poller, Snapshot *snapshot) {
    Core *core = poller->core;
    forget_watches(poller);
    poller->snapshot = snapshot_ref(snapshot);
    poller->count = alarm_watches(snapshot, &poller->watches, &poller->alarms);
    for (Instance *i = instances_next(core->instances, NULL); i; i = instances_next(core->instances, i))
        i->alarm = NULL;
    for (size_t w = 0; w < poller->count; w++) {
        const Watch *watch = &poller->watches[w];
        Instance *instance = instance_get(core->instances, watch->alarm, watch->account, watch->region, "cloudwatch",
            NULL, clock_wall_ms(core->clock));
        instance_attach(instance, poller->alarms[w], "");
        keep_fingerprint(instance);
    }
    composites_attach(core->composites, snapshot, poller->watches, poller->alarms, poller->count);
}
void poller_tick(Poller *poller) { (void)poller; }
int64_t poller_next_boot_ms(const Poller *poller) {
    (void)poller;
    return INT64_MAX;
}
void poller_realign(Poller *poller) { (void)poller; }
void poller_rush(Poller *poller) { (void)poller; }
bool poller_is_idle(const Poller *poller) {
    (void)poller;
    return true;
}
bool poller_has_failed(const Poller *poller) {
    (void)poller;
    return false;
}
PlanCost poller_cost(const Poller *poller) {
    (void)poller;
    return (PlanCost){0};
}
size_t poller_sources(const Poller *poller, SourceView **ret_views) {
    (void)poller;
    *ret_views = NULL;
    return 0;
}
const void *poller_kept(const Poller *poller, size_t index, const Poll **ret_poll) {
    (void)poller, (void)index;
    *ret_poll = NULL;
    return NULL;
}
int64_t poller_attempted_ms(const Poller *poller) {
    (void)poller;
    return 0;
}

/* --- the loop --- */

static bool is_busy(const Daemon *daemon) {
    const Engine *engine = daemon->engine;
    return store_queued(engine->core.store) || !notifier_is_stopped(engine->notifier) ||
        notifier_is_rendering(engine->notifier) || engine->is_reloading || tickets;
}

static bool is_due(const Daemon *daemon) {
    return !uv_is_active((const uv_handle_t *)&daemon->engine->timer) || !uv_timer_get_due_in(&daemon->engine->timer);
}

/* One step: it waits for the store or the pool alone, never behind a timer that has just been served. */
static void step(Daemon *daemon) {
    uv_update_time(&daemon->loop);
    uv_run(&daemon->loop, uv_backend_timeout(&daemon->loop) ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    uv_update_time(&daemon->loop);
}

/* The engine's timer waits in the machine's time for what its clock says: it is asked again after each step. */
void daemon_run(Daemon *daemon) {
    daemon->engine->core.wake(daemon->engine->core.ctx);
    for (size_t turn = 0; is_due(daemon) || is_busy(daemon); turn++) {
        ck_assert_msg(turn < TURNS_MAX, "the engine does not come to rest");
        step(daemon);
    }
}

int64_t daemon_now_s(const Daemon *daemon) { return clock_wall_ms(daemon->clock) / 1000; }
void daemon_pass(Daemon *daemon, int64_t seconds) { clock_advance(daemon->clock, seconds * 1000); }

/* --- life --- */

void daemon_write(Daemon *daemon, const Spec *spec) {
    daemon->spec = *spec;
    FILE *out = fopen(daemon->file, "w");
    ck_assert_ptr_nonnull(out);
    spec_print(spec, daemon->folder, out);
    ck_assert_int_eq(fclose(out), 0);
}

void daemon_start(Daemon *daemon) {
    daemon_live(daemon);
    OWN(problems) Problems *problems = problems_new();
    OWN(snapshot) Snapshot *snapshot = snapshot_load(&load_schema, daemon->file, false, problems);
    if (problems_errors(problems)) problems_print(problems, stderr);
    ck_assert_uint_eq(problems_errors(problems), 0);
    const EngineOptions options = {.loop = &daemon->loop,
        .clock = daemon->clock,
        .schema = &load_schema,
        .file = daemon->file,
        .snapshot = snapshot};
    Error err = {0};
    daemon->engine = engine_open(&options, &err);
    ck_assert_msg(daemon->engine != NULL, "%s", err.text);
    engine_start(daemon->engine);
    daemon_run(daemon);
}

static void end(Daemon *daemon) {
    daemon->engine = engine_free(daemon->engine);
    while (uv_run(&daemon->loop, UV_RUN_DEFAULT)) {}
}

void daemon_kill(Daemon *daemon) {
    daemon_die_after(daemon, 0);
    end(daemon);
}

static void stopped(void *ctx) { *(bool *)ctx = true; }

void daemon_stop(Daemon *daemon) {
    bool is_stopped = false;
    engine_stop(daemon->engine, stopped, &is_stopped);
    while (!is_stopped) step(daemon);
    end(daemon);
}

static char folder[64]; /* in which each daemon has its own */

void daemon_folder_make(void) {
    const char *base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm"; /* where a sync costs nothing */
    snprintf(folder, sizeof folder, "%s/tocsin-model-XXXXXX", base);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw) {
    (void)status, (void)kind, (void)ftw;
    return remove(path);
}

void daemon_folder_remove(void) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

void daemon_init(Daemon *daemon, const Spec *spec, int64_t start_s) {
    *daemon = (Daemon){.clock = clock_new_virtual(start_s * 1000)};
    only = daemon;
    snprintf(daemon->folder, sizeof daemon->folder, "%s/XXXXXX", folder);
    ck_assert_ptr_nonnull(mkdtemp(daemon->folder));
    snprintf(daemon->file, sizeof daemon->file, "%s/tocsin.yaml", daemon->folder);
    uv_loop_init(&daemon->loop);
    static bool is_installed;
    if (!is_installed) shim_install(on_disk, NULL);
    is_installed = true;
    daemon_write(daemon, spec);
    daemon_start(daemon);
}

void daemon_deinit(Daemon *daemon) {
    Posted *posted, *next;
    daemon_stop(daemon);
    ck_assert_int_eq(uv_loop_close(&daemon->loop), 0);
    HASH_ITER(hh, daemon->posted, posted, next) {
        HASH_DEL(daemon->posted, posted);
        free(posted->line);
        free(posted);
    }
    clock_free(daemon->clock);
    nftw(daemon->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void reloaded(void *ctx, bool ok, const Problems *problems) {
    (void)ctx;
    if (!ok) problems_print(problems, stderr);
    ck_assert(ok);
}

void daemon_reload(Daemon *daemon) {
    engine_reload(daemon->engine, reloaded, NULL);
    daemon_run(daemon);
}

/* --- what happens --- */

static InstanceChange *change_to(Daemon *daemon, size_t alert, bool fires) {
    const Core *core = &daemon->engine->core;
    const Instance *instance = instance_find(core->instances, daemon->fingerprints[alert]);
    const AlarmState state = fires ? STATE_ALARM : STATE_OK;
    if (instance->memory.state == state) return NULL;
    InstanceChange *change = change_new(instance);
    change_state(change, state, NAN, "so it is", clock_wall_ms(core->clock));
    return change;
}

bool daemon_fires(Daemon *daemon, size_t alert) {
    return instance_find(daemon->engine->core.instances, daemon->fingerprints[alert])->memory.state == STATE_ALARM;
}

void daemon_feed(Daemon *daemon, const bool fires[SPEC_ALERTS]) {
    Batch *batch = NULL;
    for (size_t alert = 0; alert < SPEC_ALERTS; alert++) {
        InstanceChange *change = change_to(daemon, alert, fires[alert]);
        if (!change) continue;
        if (!batch) batch = batch_new(daemon->engine->backlog);
        batch_add(batch, change);
    }
    if (batch) batch_commit(batch, NULL, NULL);
    daemon_run(daemon);
}

static json_t *time_json(int64_t seconds) { return json_time(seconds * 1000); }

static void changed(void *ctx, EngineOutcome outcome) { *(EngineOutcome *)ctx = outcome; }

bool daemon_acknowledge(Daemon *daemon, size_t alert, int64_t until_s) {
    const Core *core = &daemon->engine->core;
    EngineOutcome outcome = ENGINE_NOT_FOUND;
    Error err = {0};
    OWN(json)
    json_t *json =
        json_pack("{s:s, s:o}", "by", "ann", "until", until_s == MODEL_FOREVER ? json_null() : time_json(until_s));
    Ack *ack =
        ack_read(json, instance_find(core->instances, daemon->fingerprints[alert]), clock_wall_ms(core->clock), &err);
    ck_assert_msg(ack != NULL, "%s", err.text);
    engine_acknowledge(daemon->engine, ack, changed, &outcome);
    daemon_run(daemon);
    return outcome == ENGINE_DONE;
}

bool daemon_unacknowledge(Daemon *daemon, size_t alert) {
    EngineOutcome outcome = ENGINE_NOT_FOUND;
    engine_unacknowledge(daemon->engine, daemon->fingerprints[alert], changed, &outcome);
    daemon_run(daemon);
    ck_assert_int_ne(outcome, ENGINE_NOT_FOUND);
    ck_assert_int_ne(outcome, ENGINE_WRONG_STATE);
    return outcome == ENGINE_DONE;
}

typedef struct Silenced {
    EngineOutcome outcome;
    char said[256];
} Silenced;

static void silenced(void *ctx, EngineOutcome outcome, const char *said) {
    Silenced *silenced = ctx;
    silenced->outcome = outcome;
    snprintf(silenced->said, sizeof silenced->said, "%s", said);
}

static json_t *list_json(const SpecMatchers *matchers) {
    json_t *list = json_array();
    for (size_t i = 0; i < matchers->count; i++) {
        const SpecMatcher *m = &matchers->list[i];
        json_array_append_new(list,
            json_pack("{s:s, s:s, s:b, s:b}", "name", spec_label_names[m->label], "value", m->value, "isRegex",
                m->op == OP_LIKE || m->op == OP_UNLIKE, "isEqual", m->op == OP_EQUAL || m->op == OP_LIKE));
    }
    return list;
}

bool daemon_silence(
    Daemon *daemon, const SpecMatchers *matchers, int64_t starts_s, int64_t ends_s, char ret_id[UUID_TEXT]) {
    Silenced said = {.outcome = ENGINE_NOT_FOUND};
    Error err = {0};
    OWN(json)
    json_t *json = json_pack("{s:o, s:o, s:o, s:s, s:s}", "matchers", list_json(matchers), "startsAt",
        time_json(starts_s), "endsAt", time_json(ends_s), "createdBy", "ann", "comment", "work");
    Silence *silence = silence_read(json, clock_wall_ms(daemon->clock), &err);
    ck_assert_msg(silence != NULL, "%s", err.text);
    engine_silence_post(daemon->engine, silence, silenced, &said);
    daemon_run(daemon);
    ck_assert_msg(said.outcome == ENGINE_DONE || said.outcome == ENGINE_STORE_FULL, "%s", said.said);
    snprintf(ret_id, UUID_TEXT, "%.*s", UUID_TEXT - 1, said.said);
    return said.outcome == ENGINE_DONE;
}

bool daemon_unsilence(Daemon *daemon, const char *id) {
    Silenced said = {.outcome = ENGINE_NOT_FOUND};
    engine_silence_expire(daemon->engine, id, silenced, &said);
    daemon_run(daemon);
    ck_assert_msg(said.outcome == ENGINE_DONE || said.outcome == ENGINE_STORE_FULL, "%s", said.said);
    return said.outcome == ENGINE_DONE;
}
