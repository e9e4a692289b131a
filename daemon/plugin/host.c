#include "plugin/host.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/handle.h"
#include "plugin/redact.h"
#include "plugin/ticket.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static const Metric timeouts = {.name = "tocsin_plugin_timeouts_total",
    .help = "Deliveries that a plugin did not answer in time.",
    .type = METRIC_COUNTER,
    .labels = {"receiver", "plugin"}};

/* One delivery. Its one timer is its patience first, and when the answer is there the way out of the plugin's call. */
typedef struct Try {
    uv_timer_t timer;
    PluginHost *host;
    Handle *handle; /* NULL: there was none */
    uintptr_t ticket;
    PluginDone *done;
    void *ctx;
    PluginDelivery result;
    char *detail, *receipt;
    bool settled;
    struct Try *prev, *next;
} Try;

struct PluginHost {
    Lender lender;
    uv_thread_t thread; /* the loop's, as the first delivery finds it */
    int64_t patience_ms;
    Handle **handles; /* of the configuration in force */
    size_t handle_count;
    Handle **retired; /* those that have deliveries left */
    size_t retired_count;
    Try *tries;
    size_t try_count;
};

PluginHost *plugin_host_new(uv_loop_t *loop, Http *http, Aws *aws, const Clock *clock, Metrics *metrics) {
    PluginHost *host = alloc_zeroed(1, sizeof *host);
    host->lender = (Lender){.loop = loop, .http = http, .aws = aws, .clock = clock, .metrics = metrics};
    host->patience_ms = PLUGIN_PATIENCE_MS;
    return host;
}

void plugin_host_set_patience(PluginHost *host, int64_t patience_ms) { host->patience_ms = patience_ms; }
size_t plugin_host_running(const PluginHost *host) { return host->try_count; }

const char *plugin_outcome_word(const PluginDelivery *delivery) {
    if (delivery->timed_out) return "timeout";
    switch (delivery->outcome) {
    case PLUGIN_DELIVERED: return "delivered";
    case PLUGIN_RETRY: return "retry";
    case PLUGIN_REFUSED: return "refused";
    case PLUGIN_GONE: return "gone";
    }
    return "";
}

/* --- handles --- */

/* Never while the plugin is on the stack: callers come from a timer or from the engine. */
static void handle_destroy(Handle *handle) {
    services_cancel(handle);
    if (handle->self) handle->channel->module->destroy(handle->self);
    snapshot_free(handle->snapshot);
    free(handle);
}

static Handle *handle_new(
    const Lender *lender, Snapshot *snapshot, const Receiver *receiver, const Channel *channel, Error *err) {
    Handle *handle = alloc_zeroed(1, sizeof *handle);
    handle->lender = lender;
    handle->snapshot = snapshot_ref(snapshot);
    handle->receiver = receiver->name;
    handle->channel = channel;
    services_lend(handle);
    handle->self = channel->module->init(channel->config_json, &handle->lent);
    if (handle->self) return handle;
    error_set(err, ERROR_INPUT, "receiver %s: plugin %s would not start (%s:%u; the log may say why)", receiver->name,
        channel->plugin, channel->at.file, channel->at.line);
    handle_destroy(handle);
    return NULL;
}

static void handle_release(PluginHost *host, Handle *handle) {
    if (--handle->tries > 0 || !handle->retired) return;
    for (size_t i = 0; i < host->retired_count; i++)
        if (host->retired[i] == handle) host->retired[i] = host->retired[--host->retired_count];
    handle_destroy(handle);
}

static void retire(PluginHost *host, Handle *handle) {
    handle->retired = true;
    if (handle->tries == 0) {
        handle_destroy(handle);
        return;
    }
    host->retired = alloc_again(host->retired, host->retired_count + 1, sizeof(Handle *));
    host->retired[host->retired_count++] = handle;
}

static void destroy_all(Handle **handles, size_t count) {
    for (size_t i = 0; i < count; i++) handle_destroy(handles[i]);
    free(handles);
}

bool plugin_host_configure(PluginHost *host, Snapshot *snapshot, Error *err) {
    const ReceiversSection *section = snapshot_section(snapshot, &receivers_section);
    size_t room = 0, count = 0;
    for (size_t i = 0; i < section->count; i++) room += section->receivers[i].channel_count;
    Handle **handles = alloc_zeroed(room + 1, sizeof(Handle *));
    for (size_t i = 0; i < section->count; i++) {
        const Receiver *receiver = &section->receivers[i];
        for (size_t j = 0; j < receiver->channel_count; j++) {
            Handle *handle = handle_new(&host->lender, snapshot, receiver, &receiver->channels[j], err);
            if (!handle) {
                destroy_all(handles, count);
                return false;
            }
            handles[count++] = handle;
        }
    }
    Handle **before = host->handles;
    const size_t before_count = host->handle_count;
    host->handles = handles;
    host->handle_count = count;
    for (size_t i = 0; i < before_count; i++) retire(host, before[i]);
    free(before);
    return true;
}

static Handle *handle_find(const PluginHost *host, const char *receiver, const char *plugin, size_t index) {
    for (size_t i = 0; i < host->handle_count; i++) {
        Handle *handle = host->handles[i];
        if (handle->channel->index == index && strcmp(handle->receiver, receiver) == 0 &&
            strcmp(handle->channel->plugin, plugin) == 0)
            return handle;
    }
    return NULL;
}

PluginRest plugin_host_rest(const PluginHost *host, const char *receiver, const char *plugin, size_t index) {
    const Handle *handle = handle_find(host, receiver, plugin, index);
    if (!handle || !handle->channel->module->rest) return PLUGIN_REST_NONE;
    switch (handle->channel->module->rest(handle->self)) {
    case TOCSIN_REST_CHANGED: return PLUGIN_REST_CHANGED;
    case TOCSIN_REST_ALL: return PLUGIN_REST_ALL;
    case TOCSIN_REST_NONE: break;
    }
    return PLUGIN_REST_NONE;
}

/* --- deliveries --- */

static void try_closed(uv_handle_t *timer) {
    Try *try = timer->data;
    free(try->detail);
    free(try->receipt);
    free(try);
}

/* The one way out. `done` comes last: it may do what it likes with the host. */
static void try_finish(Try *try) {
    PluginHost *host = try->host;
    ticket_drop(try->ticket);
    DL_DELETE(host->tries, try);
    host->try_count--;
    if (try->handle) handle_release(host, try->handle);
    try->result.detail = try->detail ? try->detail : "";
    try->result.receipt_json = try->receipt;
    try->done(try->ctx, &try->result);
    uv_close((uv_handle_t *)&try->timer, try_closed);
}

static void try_due(uv_timer_t *timer) {
    Try *try = timer->data;
    if (!try->settled) {
        const Channel *channel = try->handle->channel;
        try->result = (PluginDelivery){.outcome = PLUGIN_RETRY, .timed_out = true};
        try->detail = text_format(
            "plugin %s did not answer within %.3g s", channel->plugin, (double)try->host->patience_ms / 1000);
        metric_add(try->host->lender.metrics, &timeouts, 1, METRIC_VALUES(try->handle->receiver, channel->plugin));
    }
    try_finish(try);
}

static void try_settle(Try *try) {
    ticket_drop(try->ticket);
    try->settled = true;
    uv_timer_start(&try->timer, try_due, 0, 0);
}

/* What a receiver said, fit for a log, a terminal and JSON: no secret of ours, valid UTF-8 without control characters,
 * within its bound. */
static char *clean(const Handle *handle, const char *text) {
    OWN(text) char *bounded = text_copy_length(text, strnlen(text, PLUGIN_DETAIL_MAX + REDACT_LENGTH_MAX));
    char *copy = redact(handle->snapshot, bounded);
    const size_t length = strlen(copy);
    if (length > PLUGIN_DETAIL_MAX) copy[utf8_cut(copy, length, PLUGIN_DETAIL_MAX)] = '\0';
    const bool valid = utf8_ok(copy, strlen(copy));
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
        else if (!valid && (unsigned char)*p >= 0x80)
            *p = '?';
    return copy;
}

static char *receipt_of(const char *json) {
    const size_t length = strnlen(json, PLUGIN_RECEIPT_MAX + 1);
    if (length > PLUGIN_RECEIPT_MAX) return NULL;
    OWN(json) json_t *value = json_read(json, length, NULL);
    return value ? json_write(value) : NULL;
}

/* Theirs as ours: what lies beyond their size is nothing, what is out of range is the careful reading of it. */
static void try_take(Try *try, const TocsinResult *theirs) {
    TocsinResult result = {.outcome = TOCSIN_RETRY};
    if (theirs && theirs->size >= offsetof(TocsinResult, detail))
        memcpy(&result, theirs, theirs->size < sizeof result ? theirs->size : sizeof result);
    else
        result.detail = "the plugin gave no result";
    const bool known = result.outcome == TOCSIN_DELIVERED || result.outcome == TOCSIN_REFUSED;
    try->result.outcome = !known             ? PLUGIN_RETRY
        : result.outcome == TOCSIN_DELIVERED ? PLUGIN_DELIVERED
                                             : PLUGIN_REFUSED;
    if (result.detail) try->detail = clean(try->handle, result.detail);
    if (try->result.outcome == PLUGIN_DELIVERED && result.receipt_json) try->receipt = receipt_of(result.receipt_json);
    try->result.went_on = try->result.outcome == PLUGIN_RETRY && result.went_on;
    if (try->result.outcome != PLUGIN_RETRY || result.retry_after_ms <= 0) return;
    try->result.retry_after_ms =
        result.retry_after_ms < PLUGIN_RETRY_AFTER_MAX_MS ? result.retry_after_ms : PLUGIN_RETRY_AFTER_MAX_MS;
}

/* A TocsinDone: `ctx` is a number, see ticket.h. */
static void plugin_answered(void *ctx, const TocsinResult *theirs) {
    Try *try = ticket_object((uintptr_t)ctx);
    if (!try) {
        LOG(DEBUG, "a plugin answered twice or too late; the first outcome stands",
            KV("call", (int64_t)(uintptr_t)ctx));
        return;
    }
    const uv_thread_t here = uv_thread_self();
    if (!uv_thread_equal(&here, &try->host->thread)) {
        LOG(ERROR, "a plugin answered on a thread of its own; not taken", KV("call", (int64_t)(uintptr_t)ctx));
        return;
    }
    try_take(try, theirs);
    try_settle(try);
}

void plugin_host_deliver(PluginHost *host, const char *receiver, const char *plugin, size_t index,
    const char *message_json, PluginDone *done, void *ctx) {
    Try *try = alloc_zeroed(1, sizeof *try);
    *try = (Try){.host = host, .done = done, .ctx = ctx, .handle = handle_find(host, receiver, plugin, index)};
    host->thread = uv_thread_self();
    uv_timer_init(host->lender.loop, &try->timer);
    try->timer.data = try;
    DL_APPEND(host->tries, try);
    host->try_count++;
    if (!try->handle) {
        try->result.outcome = PLUGIN_GONE;
        try->detail = text_format("receiver %s has no plugin %s number %zu any more", receiver, plugin, index);
        try_settle(try);
        return;
    }
    try->handle->tries++;
    try->ticket = ticket_issue(try);
    uv_update_time(host->lender.loop);
    uv_timer_start(&try->timer, try_due, (uint64_t)host->patience_ms, 0);
    try->handle->channel->module->deliver(try->handle->self, message_json, plugin_answered, (void *)try->ticket);
}

PluginHost *plugin_host_free(PluginHost *host) {
    if (!host) return NULL;
    while (host->tries) {
        Try *try = host->tries;
        if (!try->settled) {
            try->result = (PluginDelivery){.outcome = PLUGIN_RETRY};
            try->detail = text_copy("Tocsin stopped before the answer came");
        }
        try_finish(try);
    }
    destroy_all(host->handles, host->handle_count);
    destroy_all(host->retired, host->retired_count);
    free(host);
    return NULL;
}
