/* tocsinctl alarms [NAME]: each instance with its state, the worst first. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "ctl/call.h"
#include "ctl/held.h"
#include "ctl/people.h"
#include "ctl/ranked.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_STATE };
static const CtlOption options[] = {{"--state", NULL, "STATE", "only those in OK, ALARM or INSUFFICIENT_DATA"}, {0}};

static char *where(const json_t *alarm) {
    const char *account = json_text(alarm, "account"), *region = json_text(alarm, "region");
    if (!account || !*account) return text_copy("-");
    OWN(text) char *both = text_format("%s %s", account, region ? region : "");
    return people_clean(both);
}

static void print_row(CtlContext *ctl, Table *table, const json_t *alarm) {
    const char *state = json_text(alarm, "state"), *error = json_text(alarm, "evaluation_error");
    table_cell(table, people_state_paint(state), state);
    table_cell_take(table, PAINT_BOLD, ranked_name(alarm));
    table_cell(table, PAINT_NONE, json_text(alarm, "severity"));
    table_cell_take(table, PAINT_NONE, where(alarm));
    table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(alarm, "since")));
    table_cell_take(table, PAINT_NONE, people_number(json_object_get(alarm, "value")));
    table_cell_take(table, PAINT_NONE, people_number(json_object_get(alarm, "threshold")));
    table_cell(table, PAINT_DIM, json_text(alarm, "fingerprint"));
    OWN(text) char *held = held_words(alarm);
    if (!error && *held) {
        OWN(text)
        char *both = text_format("%s; %s", held, json_text(alarm, "reason") ? json_text(alarm, "reason") : "");
        return table_cell(table, PAINT_DIM, both);
    }
    if (!error) return table_cell(table, PAINT_NONE, json_text(alarm, "reason"));
    OWN(text) char *blind = text_format("not evaluated: %s", error);
    table_cell(table, PAINT_YELLOW, blind);
}

static void print_table(CtlContext *ctl, const json_t *alarms) {
    static const char *const heads[] = {
        "STATE", "ALARM", "SEVERITY", "WHERE", "SINCE", "VALUE", "THRESHOLD", "FINGERPRINT", "REASON", NULL};
    const json_t **ranked = ranked_new(alarms);
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(alarms); i++) print_row(ctl, table, ranked[i]);
    table_print(table, ctl->out, ctl->colour);
    free(ranked);
}

static char *alarms_path(const char *name, const char *state) {
    OWN(text) char *name_part = part_encode(name ? name : "");
    OWN(text) char *state_part = part_encode(state ? state : "");
    return text_format("/v1/alarms%s%s%s%s%s", name || state ? "?" : "", name ? "name=" : "", name_part,
        state ? (name ? "&state=" : "state=") : "", state_part);
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    const char *name = arguments->count ? arguments->words[0] : NULL, *state = arguments->values[OPTION_STATE];
    OWN(text) char *path = alarms_path(name, state);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, path, "alarms", INT64_MAX, &answer);
    if (outcome != CTL_DONE) return outcome;
    const json_t *alarms = json_list(answer, "alarms");
    if (ctl->json)
        call_print(ctl, answer);
    else if (json_array_size(alarms))
        print_table(ctl, alarms);
    else if (name)
        fprintf(ctl->out, "no alarm `%s`%s%s\n", name, state ? " in " : "", state ? state : "");
    else if (state)
        fprintf(ctl->out, "no alarm is in %s\n", state);
    else
        fputs("no alarms yet: the configuration has none, or nothing was evaluated so far\n", ctl->out);
    return CTL_DONE;
}

const CtlVerb verb_alarms = {.name = "alarms",
    .arguments = "[NAME]",
    .help = "every alarm's instances with state, value and reason; what is in ALARM first",
    .options = options,
    .max_words = 1,
    .run = run};
