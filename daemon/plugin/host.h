/* The daemon as a plugin sees it: handles of the channels of the configuration in force, deliveries through them, the
 * services lent to them. Loop thread. What comes back from a plugin is not believed: late, repeated and empty answers
 * do no harm, and one that never answers is given up. */
#ifndef TOCSIN_PLUGIN_HOST_H
#define TOCSIN_PLUGIN_HOST_H

#include "aws/aws.h"
#include "plugin/receivers.h"

enum { PLUGIN_PATIENCE_MS = 60000, PLUGIN_SERVICES_MAX = 64, PLUGIN_DETAIL_MAX = 4096, PLUGIN_RECEIPT_MAX = 4096 };
#define PLUGIN_RETRY_AFTER_MAX_MS ((int64_t)3600000)

typedef enum {
    PLUGIN_DELIVERED,
    PLUGIN_RETRY, /* may succeed later */
    PLUGIN_REFUSED, /* will not as it stands: to be parked */
    PLUGIN_GONE /* the configuration in force has no such receiver or channel: to be parked */
} PluginOutcome;

typedef struct PluginDelivery {
    PluginOutcome outcome;
    bool timed_out; /* RETRY because the plugin did not answer in time */
    const char *detail; /* the receiver's own words, cleaned, at most PLUGIN_DETAIL_MAX bytes; "" for none */
    int64_t retry_after_ms; /* RETRY: the receiver's wish; 0 for none; at most PLUGIN_RETRY_AFTER_MAX_MS */
    bool went_on; /* RETRY: part of it was taken, which is no failure of the receiver */
    const char *receipt_json; /* DELIVERED: valid JSON, or NULL */
} PluginDelivery;
const char *plugin_outcome_word(const PluginDelivery *delivery); /* delivered retry refused timeout gone */

/* Texts are borrowed for the call. Runs on the loop, never inside plugin_host_deliver(). */
typedef void PluginDone(void *ctx, const PluginDelivery *delivery);

typedef struct PluginHost PluginHost;

/* All are borrowed and must outlive the host; `http`, `aws` and `metrics` may be NULL (in tests: what needs them
 * fails). */
PluginHost *plugin_host_new(uv_loop_t *loop, Http *http, Aws *aws, const Clock *clock, Metrics *metrics);
/* Deliveries that run are done first, as RETRY; then every handle is destroyed. Memory that holds libuv's handles goes
 * when the loop runs on. NULL is fine; returns NULL. */
PluginHost *plugin_host_free(PluginHost *host);
OWN_DEFINE(PluginHost, plugin_host)

/* Handles for every channel of `snapshot`, which is referenced. Handles from before live until their last delivery has
 * ended. False: ERROR_INPUT, a plugin would not start; then nothing has changed. Never inside a PluginDone. */
bool plugin_host_configure(PluginHost *host, Snapshot *snapshot, Error *err);

/* One try of one message, which is borrowed for the call. Calls `done` exactly once. */
void plugin_host_deliver(PluginHost *host, const char *receiver, const char *plugin, size_t index,
    const char *message_json, PluginDone *done, void *ctx);

/* Which alerts a channel wants to be named beyond those that a message shows in full: tocsin-plugin.h's TocsinRest. */
typedef enum { PLUGIN_REST_NONE, PLUGIN_REST_CHANGED, PLUGIN_REST_ALL } PluginRest;
PluginRest plugin_host_rest(const PluginHost *host, const char *receiver, const char *plugin, size_t index);

/* How long a plugin may take, in place of PLUGIN_PATIENCE_MS: for tests. */
void plugin_host_set_patience(PluginHost *host, int64_t patience_ms);
size_t plugin_host_running(const PluginHost *host); /* deliveries under way */

#endif
