/* tocsinctl history [NAME]: what changed, newest first. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_SINCE, OPTION_LIMIT, HISTORY_ROWS = 50 };
static const CtlOption options[] = {
    {"--since", NULL, "TIME", "only from then on: a time (2026-01-02T03:04:05Z) or an age (2h)"},
    {"--limit", "-n", "N", "at most N changes (default 50)"}, {0}};

static void print_table(CtlContext *ctl, const json_t *transitions) {
    static const char *const heads[] = {"TIME", "ALARM", "FROM", "TO", "VALUE", "FINGERPRINT", "REASON", NULL};
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(transitions); i++) {
        const json_t *row = json_array_get(transitions, i);
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(row, "time")));
        table_cell(table, PAINT_BOLD, json_text(row, "name"));
        table_cell(table, people_state_paint(json_text(row, "from")), json_text(row, "from"));
        table_cell(table, people_state_paint(json_text(row, "to")), json_text(row, "to"));
        table_cell_take(table, PAINT_NONE, people_number(json_object_get(row, "value")));
        table_cell(table, PAINT_DIM, json_text(row, "fingerprint"));
        table_cell(table, PAINT_NONE, json_text(row, "reason"));
    }
    table_print(table, ctl->out, ctl->colour);
}

/* An age counts back from now; the daemon takes times only. */
static bool since_parse(const CtlContext *ctl, const char *text, char ret_time[static TIME_TEXT_MAX]) {
    int64_t at_ms, age_s;
    if (duration_parse(text, &age_s))
        at_ms = clock_wall_ms(ctl->clock) - age_s * 1000;
    else if (!time_parse(text, &at_ms))
        return false;
    time_format(at_ms, ret_time);
    return true;
}

static bool limit_parse(const char *text, int64_t *ret_limit) {
    const size_t length = strlen(text);
    if (length == 0 || length > 7 || strspn(text, "0123456789") != length) return false;
    *ret_limit = strtoll(text, NULL, 10);
    return *ret_limit > 0;
}

static char *history_path(const char *name, const char *since) {
    OWN(text) char *name_part = part_encode(name ? name : "");
    OWN(text) char *since_part = part_encode(since);
    return text_format("/v1/history%s%s%s%s%s", name || *since ? "?" : "", name ? "name=" : "", name_part,
        *since ? (name ? "&since=" : "since=") : "", since_part);
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *name = arguments->count ? arguments->words[0] : NULL, *given = arguments->values[OPTION_SINCE];
    int64_t limit = HISTORY_ROWS;
    char since[TIME_TEXT_MAX] = "";
    if (given && !since_parse(ctl, given, since)) return verb_usage(verb, ctl, "--since cannot be `%.60s`", given);
    if (arguments->values[OPTION_LIMIT] && !limit_parse(arguments->values[OPTION_LIMIT], &limit))
        return verb_usage(
            verb, ctl, "--limit cannot be `%.60s` (a whole number from 1)", arguments->values[OPTION_LIMIT]);
    OWN(text) char *path = history_path(name, since);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, path, "transitions", limit, &answer);
    if (outcome != CTL_DONE) return outcome;
    const json_t *transitions = json_list(answer, "transitions");
    if (ctl->json) return call_print(ctl, answer), CTL_DONE;
    if (json_array_size(transitions))
        print_table(ctl, transitions);
    else
        fprintf(ctl->out, "no changes%s%s%s%s\n", name ? " of " : "", name ? name : "", given ? " since " : "",
            given ? given : "");
    if (json_text(answer, "next")) fprintf(ctl->err, "(there are older ones: --limit %lld)\n", (long long)limit * 4);
    return CTL_DONE;
}

const CtlVerb verb_history = {.name = "history",
    .arguments = "[NAME]",
    .help = "every change of state, newest first",
    .options = options,
    .max_words = 1,
    .run = run};
