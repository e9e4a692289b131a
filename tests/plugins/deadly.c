/* Takes the whole daemon with it when a notification holds its `mark`; any other is taken after a while. It writes down
 * what it began and what it ended, so that a test sees what was under way together. */
#include "tocsin-plugin.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORD_ROOM = 400, TAKES_MS = 300 };

typedef struct Deadly {
    const TocsinHost *host;
    char mark[WORD_ROOM], journal[WORD_ROOM];
} Deadly;

typedef struct Taken {
    const Deadly *deadly;
    TocsinDone *done;
    void *ctx;
} Taken;

static const TocsinKey keys[] = {{"mark", "required text", NULL, "What ends it."},
    {"journal", "required path", NULL, "Where it writes down what it does."}, {NULL, NULL, NULL, NULL}};

static void note(const Deadly *deadly, const char *line) {
    const int file = open(deadly->journal, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0 || write(file, line, strlen(line)) < 0) abort();
    close(file);
}

/* The text at `key`; none of those that a test gives needs an escape. */
static void read_word(const char *config_json, const char *key, char word[WORD_ROOM]) {
    const char *at = strstr(config_json, key);
    if (at) snprintf(word, WORD_ROOM, "%.*s", (int)strcspn(at + strlen(key), "\""), at + strlen(key));
}

static void *init(const char *config_json, const TocsinHost *host) {
    Deadly *deadly = calloc(1, sizeof *deadly);
    if (!deadly) return NULL;
    deadly->host = host;
    read_word(config_json, "\"mark\":\"", deadly->mark);
    read_word(config_json, "\"journal\":\"", deadly->journal);
    return deadly;
}

static void destroy(void *handle) { free(handle); }

static void take(void *ctx, bool cancelled) {
    Taken *taken = ctx;
    const TocsinResult result = {
        .size = sizeof result, .outcome = cancelled ? TOCSIN_RETRY : TOCSIN_DELIVERED, .detail = "taken"};
    note(taken->deadly, "end\n");
    taken->done(taken->ctx, &result);
    free(taken);
}

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    const Deadly *deadly = handle;
    if (strstr(notification_json, deadly->mark)) {
        note(deadly, "death\n");
        kill(getpid(), SIGKILL);
    }
    Taken *taken = calloc(1, sizeof *taken);
    if (!taken) abort();
    *taken = (Taken){deadly, done, ctx};
    note(deadly, "begin\n");
    deadly->host->timer(deadly->host, TAKES_MS, take, taken);
}

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, NULL, init, deliver, destroy};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
