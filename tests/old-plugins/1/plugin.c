/* A plugin as somebody built it against the first header: never edited, loaded in every run. */
#include "tocsin-plugin.h"

#include <stdlib.h>
#include <string.h>

typedef struct Old {
    const TocsinHost *host;
    TocsinDone *done;
    void *ctx;
} Old;

static const TocsinKey keys[] = {{"word", "required text", NULL, "A word."}, {NULL, NULL, NULL, NULL}};

static void check(const char *config_json, TocsinProblem *problem, void *ctx) {
    if (strstr(config_json, "\"bad\"")) problem(ctx, "/word", "a bad word", "a good one");
}

static void *init(const char *config_json, const TocsinHost *host) {
    (void)config_json;
    if (!TOCSIN_HAS(TocsinHost, host, sha256)) return NULL;
    Old *old = calloc(1, sizeof *old);
    old->host = host;
    return old;
}

static void due(void *ctx, bool cancelled) {
    Old *old = ctx;
    char hex[65];
    old->host->sha256(old->host, 0, "abc", 3, hex);
    const TocsinResult result = {
        .size = sizeof result, .outcome = cancelled ? TOCSIN_RETRY : TOCSIN_DELIVERED, .detail = hex};
    old->done(old->ctx, &result);
}

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    Old *old = handle;
    (void)notification_json;
    old->done = done;
    old->ctx = ctx;
    old->host->log(old->host, TOCSIN_DEBUG, "an old plugin delivers");
    old->host->timer(old->host, 0, due, old);
}

static void destroy(void *handle) { free(handle); }

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, check, init, deliver, destroy};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
