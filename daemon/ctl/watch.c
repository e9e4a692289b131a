/* tocsinctl watch: transitions and deliveries as they happen. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"
#include "ctl/sse.h"
#include "net/unix_client.h"

#include <stdlib.h>
#include <string.h>

/* The time of day: what comes now needs no date. */
static void print_time(CtlContext *ctl, const char *time) {
    int64_t at_ms;
    char text[TIME_TEXT_MAX];
    if (!time || !time_parse(time, &at_ms)) at_ms = clock_wall_ms(ctl->clock);
    time_format(at_ms, text);
    OWN(text) char *clock = text_format("%.8sZ  ", text + 11);
    people_paint(ctl->out, ctl->colour, PAINT_DIM, clock);
}

static void print_transition(CtlContext *ctl, const json_t *row) {
    const char *to = json_text(row, "to");
    OWN(text) char *name = people_clean(json_text(row, "name"));
    OWN(text) char *from = people_clean(json_text(row, "from"));
    OWN(text) char *state = people_clean(to);
    OWN(text) char *value = people_number(json_object_get(row, "value"));
    OWN(text) char *reason = people_clean(json_text(row, "reason"));
    print_time(ctl, json_text(row, "time"));
    people_paint(ctl->out, ctl->colour, PAINT_BOLD, name);
    fprintf(ctl->out, "  %s -> ", from);
    people_paint(ctl->out, ctl->colour, people_state_paint(to), state);
    fprintf(ctl->out, "  value %s  %s\n", value, reason);
}

static void print_delivery(CtlContext *ctl, const json_t *row) {
    const char *word = json_text(row, "state");
    OWN(text) char *receiver = people_clean(json_text(row, "receiver"));
    OWN(text) char *plugin = people_clean(json_text(row, "plugin"));
    OWN(text) char *state = people_clean(word);
    OWN(text) char *tries = people_number(json_object_get(row, "attempts"));
    OWN(text) char *error = people_clean(json_text(row, "last_error"));
    print_time(ctl, NULL);
    fprintf(ctl->out, "to %s by %s  ", receiver, plugin);
    people_paint(ctl->out, ctl->colour, people_state_paint(word), state);
    fprintf(ctl->out, "  try %s%s%s\n", tries, *error ? "  " : "", error);
}

static void on_event(void *ctx, const char *kind, const char *data) {
    CtlContext *ctl = ctx;
    OWN(json) json_t *row = json_read(data, strlen(data), NULL);
    if (!row) return;
    if (ctl->json) {
        OWN(json) json_t *both = json_pack("{s:o, s:O}", "event", json_safe(kind), "data", row);
        call_print(ctl, both);
    } else if (!strcmp(kind, "transition")) {
        print_transition(ctl, row);
    } else if (!strcmp(kind, "delivery")) {
        print_delivery(ctl, row);
    }
    fflush(ctl->out); /* a reader behind a pipe wants it now */
}

/* Ends when out cannot be written any more: its reader has gone. */
typedef struct Watch {
    CtlContext *ctl;
    Sse sse;
} Watch;

static bool on_chunk(void *ctx, const char *bytes, size_t length) {
    Watch *watch = ctx;
    return sse_feed(&watch->sse, bytes, length) && !ferror(watch->ctl->out);
}

static int explain_refusal(CtlContext *ctl, UnixAnswer *answer) {
    OWN(json) json_t *object = json_read(answer->body, answer->length, NULL);
    const char *message = json_text(json_object_get(object, "error"), "message");
    OWN(text) char *clean = people_clean(message ? message : "it did not say why");
    fprintf(ctl->err, "tocsinctl: %s (%ld)\n", clean, answer->status);
    free(answer->body);
    return CTL_FAILED;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb, (void)arguments;
    Error err = {0};
    UnixAnswer refusal = {0};
    Watch watch = {.ctl = ctl};
    sse_init(&watch.sse, on_event, ctl);
    if (!ctl->json) fputs("watching; stop with ^C\n", ctl->err);
    const bool answered = unix_stream(ctl->socket, "/v1/events", on_chunk, &watch, &refusal, &err);
    sse_deinit(&watch.sse);
    if (answered && refusal.body) return explain_refusal(ctl, &refusal);
    if (answered && ferror(ctl->out)) return CTL_FAILED;
    fprintf(ctl->err, "tocsinctl: %s\n", answered ? "the daemon has ended the stream" : err.text);
    return CTL_UNREACHABLE;
}

const CtlVerb verb_watch = {.name = "watch",
    .arguments = "",
    .help = "changes of state and deliveries as they happen",
    .details = "With --json one object a line: {\"event\": transition or delivery, \"data\": the object of history or "
               "notifications}.",
    .run = run};
