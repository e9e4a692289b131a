/* tocsinctl events: what was read from CloudTrail, and which rules it met. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <string.h>

enum { OPTION_SINCE, OPTION_RULE };

static const CtlOption options[] = {
    {"--since", NULL, "T", "only events from then on: an RFC 3339 time, or a duration such as 30m for that long ago"},
    {"--rule", NULL, "R", "only events that met the rule of this title"},
    {0},
};

/* A time, or how long ago; NULL: neither. Caller frees. */
static char *since_of(const Clock *clock, const char *text) {
    int64_t ago_s, at_ms;
    char time[TIME_TEXT_MAX];
    if (time_parse(text, &at_ms)) return text_copy(text);
    if (!duration_parse(text, &ago_s)) return NULL;
    return text_copy(time_format(clock_wall_ms(clock) - ago_s * 1000, time));
}

static char *path_of(const char *since, const char *rule) {
    Buffer path = BUFFER((size_t)16384);
    buffer_text(&path, "/v1/cloudtrail/events?limit=10000");
    if (since) {
        OWN(text) char *part = part_encode(since);
        buffer_format(&path, "&since=%s", part);
    }
    if (rule) {
        OWN(text) char *part = part_encode(rule);
        buffer_format(&path, "&rule=%s", part);
    }
    return buffer_take(&path);
}

static char *rules_text(const json_t *rules) {
    Buffer out = BUFFER((size_t)4096);
    for (size_t i = 0; i < json_array_size(rules); i++)
        buffer_format(&out, "%s%s", i ? ", " : "", json_string_value(json_array_get(rules, i)));
    return buffer_take(&out);
}

static void print_table(CtlContext *ctl, const json_t *events) {
    static const char *const heads[] = {"TIME", "WHERE", "WHAT HAPPENED", "RULES", NULL};
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        OWN(text) char *rules = rules_text(json_list(event, "rules"));
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(event, "time")));
        table_cell_take(
            table, PAINT_NONE, text_format("%s %s", json_text(event, "account"), json_text(event, "region")));
        table_cell(table, PAINT_NONE, json_text(event, "brief"));
        table_cell(table, *rules ? PAINT_YELLOW : PAINT_NONE, *rules ? rules : NULL);
    }
    table_print(table, ctl->out, ctl->colour);
}

static void print_end(CtlContext *ctl, size_t count, const char *as_of) {
    OWN(text) char *when = people_when(ctl->clock, as_of);
    if (!as_of && !count)
        fprintf(ctl->err,
            "nothing was read yet: CloudTrail is read for alarms on `events`, Sigma rules and packs (`tocsinctl "
            "sources`)\n");
    else
        fprintf(ctl->err, "%zu event%s, read %s%s; CloudTrail tells of an event some minutes after it\n", count,
            count == 1 ? "" : "s", as_of ? "up to " : "in part", as_of ? when : "");
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *given = arguments->values[OPTION_SINCE];
    OWN(text) char *since = given ? since_of(ctl->clock, given) : NULL;
    if (given && !since)
        return verb_usage(verb, ctl, "`%.80s` is neither a time nor a duration (2026-01-02T03:04:05Z, 30m)", given);
    OWN(text) char *path = path_of(since, arguments->values[OPTION_RULE]);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_daemon(ctl, "GET", path, CALL_MS, &answer, NULL);
    if (outcome != CTL_DONE) return outcome;
    const json_t *events = json_list(answer, "events");
    if (ctl->json)
        call_print(ctl, answer);
    else if (json_array_size(events))
        print_table(ctl, events);
    if (!ctl->json) print_end(ctl, json_array_size(events), json_text(answer, "as_of"));
    return CTL_DONE;
}

const CtlVerb verb_events = {.name = "events",
    .arguments = "",
    .help = "what was read from CloudTrail in the last hour, newest first, and which rules it met",
    .options = options,
    .run = run};
