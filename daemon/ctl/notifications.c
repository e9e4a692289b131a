/* tocsinctl notifications [retry ID | discard ID]: the outbox. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <string.h>

enum { OPTION_STATE, OPTION_LIMIT_ROWS = 200 };
static const CtlOption options[] = {
    {"--state", NULL, "STATE", "only pending, sending, delivered, parked, expired or discarded ones"}, {0}};

static void print_table(CtlContext *ctl, const json_t *rows) {
    static const char *const heads[] = {
        "STATE", "ID", "RECEIVER", "PLUGIN", "TRIES", "CREATED", "NEXT TRY", "LAST ERROR", NULL};
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *state = json_text(row, "state"), *next = json_text(row, "next_attempt");
        table_cell(table, people_state_paint(state), state);
        table_cell(table, PAINT_NONE, json_text(row, "id"));
        table_cell(table, PAINT_BOLD, json_text(row, "receiver"));
        table_cell(table, PAINT_NONE, json_text(row, "plugin"));
        table_cell_take(table, PAINT_NONE, people_number(json_object_get(row, "attempts")));
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(row, "created_at")));
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, next));
        table_cell(table, PAINT_NONE, json_text(row, "last_error"));
    }
    table_print(table, ctl->out, ctl->colour);
}

static int list(CtlContext *ctl, const char *state) {
    OWN(text) char *part = part_encode(state ? state : "");
    OWN(text) char *path = text_format("/v1/notifications%s%s", state ? "?state=" : "", part);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, path, "notifications", OPTION_LIMIT_ROWS, &answer);
    if (outcome != CTL_DONE) return outcome;
    const json_t *rows = json_list(answer, "notifications");
    if (ctl->json) return call_print(ctl, answer), CTL_DONE;
    if (json_array_size(rows))
        print_table(ctl, rows);
    else if (state)
        fprintf(ctl->out, "no notification is %s\n", state);
    else
        fputs("no notifications: nobody was owed a message so far\n", ctl->out);
    if (json_text(answer, "next")) fprintf(ctl->err, "(there are more than %d)\n", OPTION_LIMIT_ROWS);
    return CTL_DONE;
}

static int change(CtlContext *ctl, const char *act, const char *id) {
    OWN(text) char *part = part_encode(id);
    OWN(text) char *path = text_format("/v1/notifications/%s/%s", part, act);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_daemon(ctl, "POST", path, CALL_MS, &answer, NULL);
    if (outcome != CTL_DONE) return outcome;
    if (ctl->json)
        call_print(ctl, answer);
    else
        fprintf(ctl->out, "%s\n", strcmp(act, "retry") ? "discarded: nobody will be told" : "it is tried again now");
    return CTL_DONE;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    if (arguments->count == 0) return list(ctl, arguments->values[OPTION_STATE]);
    const char *act = arguments->words[0];
    if (strcmp(act, "retry") && strcmp(act, "discard"))
        return verb_usage(verb, ctl, "`%.80s` is not retry or discard", act);
    if (arguments->count < 2) return verb_usage(verb, ctl, "%s needs the notification's id", act);
    return change(ctl, act, arguments->words[1]);
}

const CtlVerb verb_notifications = {.name = "notifications",
    .arguments = "[retry ID | discard ID]",
    .help = "what is owed to people and what became of it; a parked one by hand",
    .options = options,
    .max_words = 2,
    .run = run};
