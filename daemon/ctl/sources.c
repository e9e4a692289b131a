#include "ctl/sources.h"

#include "base/alloc.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"

static void seconds_cell(Table *table, const json_t *row, const char *key) {
    int64_t seconds;
    char text[TIME_TEXT_MAX];
    table_cell(table, PAINT_NONE, json_whole(row, key, &seconds) ? duration_format(seconds, text) : NULL);
}

void sources_print(CtlContext *ctl, const json_t *sources) {
    static const char *const heads[] = {
        "SOURCE", "ACCOUNT", "REGION", "EVERY", "LAG", "CALLS", "LAST SUCCESS", "NEXT POLL", "LAST ERROR", NULL};
    if (json_array_size(sources) == 0) {
        fputs("no sources: no enabled alarm reads AWS\n", ctl->out);
        return;
    }
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *row = json_array_get(sources, i);
        const char *error = json_text(row, "last_error");
        table_cell(table, PAINT_NONE, json_text(row, "name"));
        table_cell(table, PAINT_NONE, json_text(row, "account"));
        table_cell(table, PAINT_NONE, json_text(row, "region"));
        seconds_cell(table, row, "every");
        seconds_cell(table, row, "lag_seconds");
        table_cell_take(table, PAINT_NONE, people_number(json_object_get(row, "calls")));
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(row, "last_success")));
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(row, "next_poll")));
        table_cell(table, error ? PAINT_RED : PAINT_NONE, error);
    }
    table_print(table, ctl->out, ctl->colour);
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb, (void)arguments;
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, "/v1/sources", "sources", INT64_MAX, &answer);
    if (outcome != CTL_DONE) return outcome;
    if (ctl->json)
        call_print(ctl, answer);
    else
        sources_print(ctl, json_list(answer, "sources"));
    return CTL_DONE;
}

const CtlVerb verb_sources = {.name = "sources",
    .arguments = "",
    .help = "what is read from AWS, how far behind it is, and what went wrong",
    .run = run};
