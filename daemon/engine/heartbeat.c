/* daemon/engine/heartbeat.c: from the state of the engine to a request */
#include "engine/heartbeat.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/heartbeat_words.h"
#include "net/http.h"
#include "net/url.h"

#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, STUCK_MS = 20000, ANSWER_KEPT = 1024 };
enum { LOOK_MS = 5000, LOOK_DUE_MS = 1000 }; /* a look walks through all instances, and ticks may come in plenty */

static const Metric beats_metric = {"tocsin_heartbeats_total", "Heartbeats by what they said and whether they arrived.",
    METRIC_COUNTER, {"said", "result"}};
static const Metric arrived_metric = {"tocsin_heartbeat_last_success_timestamp_seconds",
    "When the newest heartbeat that said all is well arrived.", METRIC_GAUGE, {NULL}};

/* --- the section --- */

static bool check_url(const SchemaRow *row, const void *value, const Node *node, Decoding *in) {
    Error why = {0};
    const char *url = *(const char *const *)value;
    if (url_ok(url, true, &why) && !url_is_link_local(url)) return true;
    return problem_add(in->problems, node->at, row->remedy, "%s",
        why.kind ? why.text : "nothing is sent to a link-local address (of the machine's metadata service)");
}

static const SchemaRow heartbeat_rows[] = {
    {.key = "url",
        .type = SCHEMA_TEXT,
        .offset = offsetof(HeartbeatSection, url),
        .min = 1,
        .check = check_url,
        .remedy = "an address such as https://hc-ping.com/UUID",
        .doc = "The address that is asked, by POST, after each complete and good cycle; `/fail` behind it when "
               "something is blind or a message does not get through."},
    {.key = "url_file",
        .type = SCHEMA_SECRET,
        .offset = offsetof(HeartbeatSection, url_secret),
        .remedy = "the name of a file with that address",
        .doc = "A file with that address, where the address itself is a secret."},
    {.key = "every",
        .type = SCHEMA_DURATION,
        .offset = offsetof(HeartbeatSection, every_s),
        .min = HEARTBEAT_GAP_MS / 1000,
        .max = 86400,
        .fallback = "1m",
        .remedy = "a duration from 12s to 1d",
        .doc = "How often. A turn from good to bad or back is told at once, but never more than five times a minute."},
    SCHEMA_END,
};

/* The second address of a secret one is as secret. */
static bool decode_secret(Decoding *in, const Node *node, HeartbeatSection *heartbeat) {
    const char *url = secret_reveal(heartbeat->url_secret, NULL);
    Error why = {0};
    if (!url_ok(url, true, &why))
        return problem_add(in->problems, node_get(node, "url_file")->at, "one line such as https://hc-ping.com/UUID",
            "what stands in that file is no address");
    char *fail_url = heartbeat_fail_url(url);
    const size_t number = snapshot_secret_add(in->snapshot, secret_new(fail_url, strlen(fail_url)));
    explicit_bzero(fail_url, strlen(fail_url));
    free(fail_url);
    heartbeat->fail_secret = snapshot_secret(in->snapshot, number);
    return true;
}

static bool heartbeat_decode(Decoding *in, const Node *node, void *section) {
    HeartbeatSection *heartbeat = section;
    if (!node || node_is_null(node)) return true;
    const bool has_url = node_get(node, "url"), has_file = node_get(node, "url_file");
    const Place at = node->kind == NODE_MAP && node->count ? node->entries[0].key->at : node->at;
    if (has_url && has_file)
        return problem_add(
            in->problems, node_get(node, "url_file")->at, "one of them", "url and url_file are both given");
    if (!has_url && !has_file)
        return problem_add(in->problems, at, "url: https://hc-ping.com/UUID, or url_file", "`url` is missing");
    if (heartbeat->url_secret) return decode_secret(in, node, heartbeat);
    OWN(text) char *fail_url = heartbeat->url ? heartbeat_fail_url(heartbeat->url) : NULL;
    heartbeat->fail_url = fail_url ? arena_text(in->arena, fail_url) : NULL;
    return true;
}

const SectionDescriptor heartbeat_section = {
    .key = "heartbeat",
    .doc = "A dead man's switch: who watches the watcher.",
    .size = sizeof(HeartbeatSection),
    .rows = heartbeat_rows,
    .decode = heartbeat_decode,
};

/* --- the beats --- */

struct Heartbeat {
    Core *core;
    Http *http;
    Poller *poller;
    Notifier *notifier;
    HttpTicket *ticket; /* NULL: none is on its way */
    HeartbeatKind sent; /* what the newest one said */
    int64_t sent_boot_ms, looked_boot_ms;
    bool is_failing; /* the newest one did not arrive */
};

Heartbeat *heartbeat_new(Core *core, Http *http, Poller *poller, Notifier *notifier) {
    Heartbeat *heartbeat = alloc_zeroed(1, sizeof *heartbeat);
    *heartbeat = (Heartbeat){.core = core, .http = http, .poller = poller, .notifier = notifier};
    heartbeat->sent_boot_ms = heartbeat->looked_boot_ms = -HEARTBEAT_GAP_MS;
    return heartbeat;
}

Heartbeat *heartbeat_free(Heartbeat *heartbeat) {
    if (!heartbeat) return NULL;
    if (heartbeat->ticket) http_cancel(heartbeat->ticket);
    free(heartbeat);
    return NULL;
}

static const HeartbeatSection *section_of(const Heartbeat *heartbeat) {
    const Snapshot *snapshot = heartbeat->core->snapshot;
    const HeartbeatSection *section = snapshot ? snapshot_section(snapshot, &heartbeat_section) : NULL;
    return section && (section->url || section->url_secret) && !heartbeat->core->world.is_once ? section : NULL;
}

/* Tocsin's own alarms that mean a watch or a message is lost; the others are told of as well. */
static bool is_grave(const Instance *instance) {
    const OwnKind *const grave[] = {&own_source_failing, &own_feed_quiet, &own_delivery_failing, &own_state_full};
    for (size_t i = 0; i < COUNT_OF(grave); i++)
        if (!strcmp(instance->name, grave[i]->name)) return true;
    return false;
}

static char *where_of(const Labels *series) {
    Buffer out = BUFFER((size_t)4096);
    for (size_t i = 0; i < labels_count(series); i++)
        buffer_format(&out, "%s%s %s", i ? ", " : "", labels_at(series, i).name, labels_at(series, i).value);
    return buffer_take(&out);
}

static int by_name(const void *a, const void *b) {
    const HeartbeatTrouble *one = a, *other = b;
    const int order = strcmp(one->what, other->what);
    return order ? order : strcmp(one->where, other->where);
}

/* Up to OWN_ENTRIES of them: the words are cut, the count is not. Caller frees the array and each `where`. */
static size_t troubles_of(const Core *core, HeartbeatTrouble **ret_troubles) {
    HeartbeatTrouble *troubles = NULL;
    size_t count = 0;
    for (Instance *i = instances_next(core->instances, NULL); i; i = instances_next(core->instances, i)) {
        if (i->memory.state != STATE_ALARM || strcmp(i->source, SOURCE_TOCSIN)) continue;
        troubles = alloc_again(troubles, count + 1, sizeof *troubles);
        troubles[count++] = (HeartbeatTrouble){.what = i->name,
            .where = where_of(i->series),
            .reason = i->facts.reason ? i->facts.reason : "",
            .is_grave = is_grave(i)};
    }
    if (count) qsort(troubles, count, sizeof *troubles, by_name); /* the same state gives the same words */
    *ret_troubles = troubles;
    return count;
}

static void troubles_free(HeartbeatTrouble *troubles, size_t count) {
    for (size_t i = 0; i < count; i++) free((char *)(uintptr_t)troubles[i].where);
    free(troubles);
}

static void count_sources(const Heartbeat *heartbeat, HeartbeatFacts *facts) {
    SourceView *views;
    facts->sources = poller_sources(heartbeat->poller, &views);
    for (size_t i = 0; i < facts->sources; i++) facts->failed += views[i].last_error != NULL;
    free(views);
}

static HeartbeatFacts facts_of(const Heartbeat *heartbeat) {
    const Outbox *outbox = notifier_outbox(heartbeat->notifier);
    const OutboxCounts counts = outbox_counts(outbox);
    HeartbeatFacts facts = {.is_attempted = poller_attempted_ms(heartbeat->poller) != 0,
        .is_committed = store_waiting_ms(heartbeat->core->store) < STUCK_MS,
        .is_moving = outbox_overdue_ms(outbox) < STUCK_MS,
        .pending = counts.pending,
        .parked = counts.parked};
    count_sources(heartbeat, &facts);
    return facts;
}

/* A lasting state is told when it begins and when it ends. */
static void note_arrival(Heartbeat *heartbeat, bool arrived, const HttpAnswer *answer) {
    if (!arrived && !heartbeat->is_failing)
        LOG(WARNING, "the heartbeat does not arrive: the dead man's switch will call", KV("error", answer->error),
            KV("status", (int64_t)answer->status));
    if (arrived && heartbeat->is_failing) LOG(INFO, "the heartbeat arrives again");
    heartbeat->is_failing = !arrived;
}

static void answered(void *ctx, const HttpAnswer *answer) {
    Heartbeat *heartbeat = ctx;
    Core *core = heartbeat->core;
    heartbeat->ticket = NULL;
    if (answer->outcome == HTTP_CANCELLED) return;
    const bool arrived = answer->outcome == HTTP_ANSWERED && answer->status >= 200 && answer->status < 300;
    const bool is_good = heartbeat->sent == HEARTBEAT_GOOD;
    metric_add(core->metrics, &beats_metric, 1, METRIC_VALUES(is_good ? "good" : "fail", arrived ? "arrived" : "lost"));
    if (arrived && is_good) metric_set(core->metrics, &arrived_metric, (double)clock_wall_ms(core->clock) / 1000, NULL);
    note_arrival(heartbeat, arrived, answer);
    core->wake(core->ctx);
}

static void beat(Heartbeat *heartbeat, const HeartbeatSection *section, HeartbeatKind kind, const char *body) {
    static const HttpHeader headers[] = {{.name = "Content-Type", .value = "text/plain; charset=utf-8"}};
    const bool is_good = kind == HEARTBEAT_GOOD;
    const HttpRequest request = {.method = "POST",
        .url = is_good ? section->url : section->fail_url,
        .url_secret = is_good ? section->url_secret : section->fail_secret,
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = body,
        .body_length = strlen(body),
        .guard = HTTP_GUARD_LINK_LOCAL,
        .body_max = ANSWER_KEPT,
        .keep_head = true,
        .timeout_ms = TIMEOUT_MS};
    heartbeat->sent = kind;
    heartbeat->sent_boot_ms = clock_boot_ms(heartbeat->core->clock);
    heartbeat->ticket = http_start(heartbeat->http, &request, answered, heartbeat);
}

/* What did not arrive is said again as soon as it may be. */
static int64_t due_boot_ms(const Heartbeat *heartbeat, const HeartbeatSection *section) {
    return heartbeat->sent_boot_ms + (heartbeat->is_failing ? HEARTBEAT_GAP_MS : section->every_s * 1000);
}

/* Is it time to look? Not while one is on its way, nor too soon behind the last. */
static bool may_look(const Heartbeat *heartbeat, const HeartbeatSection *section, int64_t boot_ms) {
    const int64_t pause_ms = boot_ms >= due_boot_ms(heartbeat, section) ? LOOK_DUE_MS : LOOK_MS;
    return !heartbeat->ticket && boot_ms - heartbeat->sent_boot_ms >= HEARTBEAT_GAP_MS &&
        boot_ms - heartbeat->looked_boot_ms >= pause_ms;
}

void heartbeat_tick(Heartbeat *heartbeat) {
    const HeartbeatSection *section = section_of(heartbeat);
    const int64_t boot_ms = clock_boot_ms(heartbeat->core->clock);
    if (!section || !may_look(heartbeat, section, boot_ms)) return;
    heartbeat->looked_boot_ms = boot_ms;
    HeartbeatFacts facts = facts_of(heartbeat);
    HeartbeatTrouble *troubles;
    facts.trouble_count = troubles_of(heartbeat->core, &troubles);
    facts.troubles = troubles;
    const HeartbeatKind kind = heartbeat_judge(&facts);
    if (kind != HEARTBEAT_SILENT && (kind != heartbeat->sent || boot_ms >= due_boot_ms(heartbeat, section))) {
        OWN(text) char *body = heartbeat_words(&facts);
        beat(heartbeat, section, kind, body);
    }
    troubles_free(troubles, facts.trouble_count);
}

int64_t heartbeat_next_boot_ms(const Heartbeat *heartbeat) {
    const HeartbeatSection *section = section_of(heartbeat);
    if (!section || heartbeat->ticket) return INT64_MAX;
    const int64_t due_ms = due_boot_ms(heartbeat, section);
    return due_ms > clock_boot_ms(heartbeat->core->clock) ? due_ms : INT64_MAX; /* overdue: it waits for the cycle */
}
