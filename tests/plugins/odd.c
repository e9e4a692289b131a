/* A plugin that breaks its promises in the way that its `does` names. */
#include "tocsin-plugin.h"

#include <stdlib.h>
#include <string.h>

typedef struct Odd {
    const TocsinHost *host;
    char does[32];
    TocsinDone *done;
    void *ctx;
    int ended;
} Odd;

static const TocsinKey keys[] = {{"does", "required text", NULL, "What it does wrong."},
    {"many", "texts", NULL, "Words."}, {"inner.required", "required text", NULL, "A word."},
    {"inner.count", "integer", "7", "A number."}, {"share", "number", NULL, "A number."},
    {"secret_file", "secret", NULL, "A secret."}, {"where_file", "secret url", NULL, "An address."},
    {"wait", "duration", "1m", "How long."}, {"place", "path", NULL, "A file."}, {"owner", "account", NULL, "Whose."},
    {"colour", "choice red green", NULL, "Which."}, {"later", "later", NULL, "Not yet."},
    {"names", "map", NULL, "Names."}, {"flag", "bool", "true", "Yes or no."}, {NULL, NULL, NULL, NULL}};

/* Complains where it is asked to: `does: complain` names places that are there and places that are not. */
static void check(const char *config_json, TocsinProblem *problem, void *ctx) {
    if (!strstr(config_json, "\"complain\"")) return;
    problem(ctx, "/does", "at the value", "r1");
    problem(ctx, "/many/1", "at the second", "r2");
    problem(ctx, "/many/9", "beyond the list", NULL);
    problem(ctx, "/inner/nothing", "at the section", NULL);
    problem(ctx, "", "at the channel", NULL);
    problem(ctx, NULL, NULL, NULL);
}

static void *init(const char *config_json, const TocsinHost *host) {
    if (strstr(config_json, "\"fail\"")) return NULL;
    Odd *odd = calloc(1, sizeof *odd);
    odd->host = host;
    const char *does = strstr(config_json, "\"does\":\"") + 8;
    memcpy(odd->does, does, strcspn(does, "\""));
    return odd;
}

static void destroy(void *handle) { free(handle); }

static void give(TocsinDone *done, void *ctx, TocsinOutcome outcome, const char *detail) {
    const TocsinResult result = {
        .size = sizeof result, .outcome = outcome, .detail = detail, .receipt_json = "{\"a\": 1}"};
    done(ctx, &result);
}

static void later(void *ctx, bool cancelled) {
    Odd *odd = ctx;
    give(odd->done, odd->ctx, TOCSIN_DELIVERED, cancelled ? "cancelled" : "later");
}

static void counted(void *ctx, bool cancelled) {
    Odd *odd = ctx;
    (void)cancelled;
    odd->ended++;
}

static void spawned(void *ctx, const TocsinSpawnAnswer *answer) {
    Odd *odd = ctx;
    give(odd->done, odd->ctx, answer->end == TOCSIN_UNSENT ? TOCSIN_REFUSED : TOCSIN_DELIVERED, answer->error);
}

static void again(void *ctx, bool cancelled) {
    Odd *odd = ctx;
    (void)cancelled;
    for (int i = 0; i < 3; i++) odd->host->timer(odd->host, 0, again, odd);
}

static void no_result(Odd *odd) {
    const TocsinResult empty = {.size = 0, .outcome = TOCSIN_DELIVERED};
    odd->done(odd->ctx, strcmp(odd->does, "small") == 0 ? &empty : NULL);
}

static void null_services(Odd *odd) {
    const TocsinHost *host = odd->host;
    host->log(host, TOCSIN_ERROR, NULL);
    host->log(host, (TocsinLevel)99, "odd level");
    host->http(host, NULL, NULL, NULL);
    host->mail(host, NULL, NULL, NULL);
    host->aws(host, NULL, NULL, NULL);
    host->timer(host, 0, NULL, NULL);
    host->timer_cancel(host, 12345);
    const TocsinSpawnRequest nothing = {.size = sizeof nothing};
    host->spawn(host, NULL, spawned, odd);
    host->spawn(host, &nothing, spawned, odd);
}

static void answered(void *ctx, const TocsinHttpAnswer *answer) {
    Odd *odd = ctx;
    give(odd->done, odd->ctx, answer->end == TOCSIN_UNSENT ? TOCSIN_REFUSED : TOCSIN_DELIVERED, answer->error);
}

/* A secret behind the body's end, or with no body at all; its number is 1 where there is one. */
static void misplaced(Odd *odd, const char *body) {
    const TocsinHttpRequest request = {.size = sizeof request,
        .url = "http://127.0.0.1:9/",
        .body = body,
        .body_length = body ? strlen(body) : 0,
        .body_secret = 1,
        .body_secret_at = body ? strlen(body) + 1 : 0};
    odd->host->http(odd->host, &request, answered, odd);
}

static void strange(Odd *odd) {
    static const char bytes[] = "a\x1b[31m\n\xff\xfe b";
    TocsinResult result = {.size = sizeof result,
        .outcome = (TocsinOutcome)77,
        .detail = bytes,
        .retry_after_ms = INT64_MAX,
        .receipt_json = "not json"};
    odd->done(odd->ctx, &result);
}

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    Odd *odd = handle;
    (void)notification_json;
    void *before = odd->ctx;
    odd->done = done;
    odd->ctx = ctx;
    const char *does = odd->does;
    if (strcmp(does, "stale") == 0) { /* answers its first delivery twice, and none after it */
        give(done, before ? before : ctx, before ? TOCSIN_DELIVERED : TOCSIN_RETRY, "stale");
        odd->ctx = before ? before : ctx;
        return;
    }
    if (strcmp(does, "hang") == 0) return;
    if (strcmp(does, "none") == 0 || strcmp(does, "small") == 0)
        no_result(odd);
    else if (strcmp(does, "nulls") == 0)
        null_services(odd);
    else if (strcmp(does, "misplaced") == 0)
        misplaced(odd, "{}");
    else if (strcmp(does, "bodiless") == 0)
        misplaced(odd, NULL);
    else if (strcmp(does, "strange") == 0)
        strange(odd);
    else if (strcmp(does, "twice") == 0) {
        give(done, ctx, TOCSIN_REFUSED, "first");
        give(done, ctx, TOCSIN_DELIVERED, "second");
        odd->host->timer(odd->host, 0, later, odd);
    } else if (strcmp(does, "late") == 0)
        odd->host->timer(odd->host, 3600000, later, odd); /* when it is destroyed */
    else if (strcmp(does, "greedy") == 0) {
        for (int i = 0; i < 1000; i++) odd->host->timer(odd->host, 3600000, counted, odd);
        give(done, ctx, odd->host->timer(odd->host, 0, counted, odd) ? TOCSIN_DELIVERED : TOCSIN_REFUSED, "greedy");
    } else if (strcmp(does, "endless") == 0) {
        odd->host->timer(odd->host, 3600000, again, odd); /* begins new ones while it is being cancelled */
        give(done, ctx, TOCSIN_DELIVERED, "endless");
    } else
        give(done, ctx, TOCSIN_DELIVERED, "fine");
}

static TocsinRest rest(void *handle) {
    const Odd *odd = handle;
    if (strcmp(odd->does, "strange") == 0) return (TocsinRest)77;
    return strcmp(odd->does, "changed") == 0 ? TOCSIN_REST_CHANGED
        : strcmp(odd->does, "all") == 0      ? TOCSIN_REST_ALL
                                             : TOCSIN_REST_NONE;
}

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, check, init, deliver, destroy, rest};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
