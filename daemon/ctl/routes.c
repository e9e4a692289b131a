/* tocsinctl routes [test LABEL=VALUE ...]: the tree, or where an alert would go and what would hold it. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <string.h>

enum { OPTION_AT, PATH_BYTES = 16384, LINE_BYTES = 65536 };
static const CtlOption options[] = {{"--at", NULL, "TIME", "test: as if it were then (RFC 3339; default: now)"}, {0}};

static const char *span(const json_t *object, const char *key, char text[static TIME_TEXT_MAX]) {
    int64_t seconds = 0;
    json_whole(object, key, &seconds);
    return duration_format(seconds, text);
}

/* `, WORD a, b` where there are any. */
static void add_list(Buffer *out, const char *word, const json_t *names) {
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        buffer_format(out, "%s%s", i ? ", " : word, name ? name : "?");
    }
}

static void add_times(Buffer *out, const json_t *route) {
    char wait[TIME_TEXT_MAX], interval[TIME_TEXT_MAX], repeat[TIME_TEXT_MAX], after[TIME_TEXT_MAX];
    add_list(out, "by ", json_list(route, "group_by"));
    buffer_format(out, "%safter %s, every %s, again after %s",
        json_array_size(json_list(route, "group_by")) ? "; " : "all as one; ", span(route, "group_wait", wait),
        span(route, "group_interval", interval), span(route, "repeat_interval", repeat));
    const json_t *escalations = json_list(route, "escalate");
    for (size_t i = 0; i < json_array_size(escalations); i++) {
        const json_t *one = json_array_get(escalations, i);
        const char *receiver = json_text(one, "receiver");
        buffer_format(out, "; not acknowledged for %s: %s", span(one, "after", after), receiver ? receiver : "?");
    }
}

static void put_line(CtlContext *ctl, int depth, const Buffer *line) {
    OWN(text) char *clean = people_clean(buffer_string(line));
    fprintf(ctl->out, "%*s%s\n", depth * 2, "", clean);
}

static void print_route(CtlContext *ctl, const json_t *route, int depth) {
    OWN(buffer) Buffer head = BUFFER((size_t)LINE_BYTES), times = BUFFER((size_t)LINE_BYTES);
    const char *receiver = json_text(route, "receiver");
    add_list(&head, "", json_list(route, "matchers"));
    buffer_format(&head, "%s-> %s%s", head.used ? " " : "", receiver ? receiver : "?",
        json_flag(route, "continue", false) ? ", and on" : "");
    add_list(&head, ", silent in ", json_list(route, "mute_time_intervals"));
    add_list(&head, ", only in ", json_list(route, "active_time_intervals"));
    add_times(&times, route);
    put_line(ctl, depth, &head);
    put_line(ctl, depth + 2, &times);
    const json_t *below = json_list(route, "routes");
    for (size_t i = 0; i < json_array_size(below); i++) print_route(ctl, json_array_get(below, i), depth + 1);
}

static int show(CtlContext *ctl) {
    OWN(json) json_t *answer = NULL;
    const int outcome = call_send(ctl, "GET", "/v1/routes", NULL, &answer);
    if (outcome != CTL_DONE) return outcome;
    if (ctl->json)
        call_print(ctl, answer);
    else if (json_map(answer, "route"))
        print_route(ctl, json_map(answer, "route"), 0);
    else
        fputs("no route: Tocsin only watches\n", ctl->out);
    return CTL_DONE;
}

/* --- where it would go --- */

static void print_mutes(CtlContext *ctl, const json_t *mutes) {
    OWN(buffer) Buffer out = BUFFER((size_t)LINE_BYTES);
    const char *interval = json_text(mutes, "time_interval"), *until = json_text(mutes, "until");
    if (interval) buffer_format(&out, "; the time interval %s, until %s", interval, until ? until : "further notice");
    if (json_array_size(json_list(mutes, "silences"))) add_list(&out, "; silenced by ", json_list(mutes, "silences"));
    add_list(&out, "; inhibited by ", json_list(mutes, "inhibited_by"));
    OWN(text) char *clean = people_clean(buffer_string(&out));
    if (*clean) fprintf(ctl->out, "    held: %s\n", clean + 2);
}

static void print_way(CtlContext *ctl, const json_t *way) {
    OWN(buffer) Buffer times = BUFFER((size_t)LINE_BYTES);
    OWN(text) char *receiver = people_clean(json_text(way, "receiver"));
    OWN(text) char *key = people_clean(json_text(way, "group_key"));
    add_times(&times, way);
    people_paint(ctl->out, ctl->colour, PAINT_BOLD, receiver);
    fprintf(ctl->out, "  %s\n", key);
    put_line(ctl, 2, &times);
    print_mutes(ctl, json_map(way, "muted_by"));
}

static char *test_path(const CtlArguments *arguments) {
    Buffer path = BUFFER((size_t)PATH_BYTES);
    for (size_t i = 1; i < arguments->count; i++) {
        OWN(text) char *part = part_encode(arguments->words[i]);
        buffer_format(&path, "%slabel=%s", i > 1 ? "&" : "/v1/routes?", part);
    }
    OWN(text) char *at = part_encode(arguments->values[OPTION_AT] ? arguments->values[OPTION_AT] : "");
    if (*at) buffer_format(&path, "&at=%s", at);
    return buffer_take(&path);
}

static int test(CtlContext *ctl, const CtlArguments *arguments) {
    OWN(text) char *path = test_path(arguments);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_send(ctl, "GET", path, NULL, &answer);
    if (outcome != CTL_DONE) return outcome;
    const json_t *ways = json_list(answer, "ways");
    if (ctl->json) return call_print(ctl, answer), CTL_DONE;
    for (size_t i = 0; i < json_array_size(ways); i++) print_way(ctl, json_array_get(ways, i));
    if (!json_array_size(ways)) fputs("nowhere: there is no route\n", ctl->out);
    return CTL_DONE;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    if (!arguments->count) return show(ctl);
    if (strcmp(arguments->words[0], "test") != 0)
        return verb_usage(verb, ctl, "`%.80s` is not test", arguments->words[0]);
    if (arguments->count < 2) return verb_usage(verb, ctl, "test needs the alert's labels, such as severity=critical");
    for (size_t i = 1; i < arguments->count; i++)
        if (!strchr(arguments->words[i], '='))
            return verb_usage(verb, ctl, "`%.80s` is no label: write name=value", arguments->words[i]);
    return test(ctl, arguments);
}

const CtlVerb verb_routes = {.name = "routes",
    .arguments = "[test LABEL=VALUE ...]",
    .help = "the tree of routes; or where an alert with these labels would go, and what would hold it",
    .options = options,
    .max_words = 31,
    .run = run};
