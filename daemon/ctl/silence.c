/* tocsinctl silence add|list|update|expire: alerts of which nobody is told for a while. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"
#include "rules/matcher.h"

#include <string.h>

enum { OPTION_FOR, OPTION_COMMENT, OPTION_START, OPTION_AUTHOR, OPTION_ALL, SILENCES_SHOWN = 10000 };
static const CtlOption options[] = {
    {"--for", NULL, "DURATION", "add: how long it lasts (default 1h); update: from now on"},
    {"--comment", NULL, "TEXT", "add: why (required); update: why now"},
    {"--start", NULL, "TIME", "add: when it begins (RFC 3339; default: now)"},
    {"--author", NULL, "NAME", "add: who says so (default: your user's name)"},
    {"--all", NULL, NULL, "list: expired ones, too"}, {0}};

#define DEFAULT_LENGTH_S INT64_C(3600)

static bool read_length(const CtlVerb *verb, const CtlContext *ctl, const char *text, int64_t *ret_s) {
    if (!text) return true;
    if (duration_parse(text, ret_s) && *ret_s > 0) return true;
    verb_usage(verb, ctl, "--for cannot be `%.80s`: a duration such as 30m or 2h", text);
    return false;
}

static json_t *read_matchers(const CtlVerb *verb, const CtlContext *ctl, const CtlArguments *arguments) {
    OWN(matchers) Matchers *matchers = matchers_new();
    for (size_t i = 1; i < arguments->count; i++) {
        Fault fault = {0};
        if (matchers_add_text(matchers, arguments->words[i], &fault)) continue;
        verb_usage(verb, ctl, "%s, at character %zu of `%.200s` (%s)", fault.what, fault.column, arguments->words[i],
            fault.remedy);
        return NULL;
    }
    return matchers_json(matchers);
}

/* What most people do not mean. */
static void warn(const CtlContext *ctl, const json_t *answer) {
    int64_t matched = -1, all = -1;
    json_whole(answer, "matched", &matched);
    json_whole(answer, "instances", &all);
    if (matched == 0)
        fputs("tocsinctl: warning: it matches no alarm that there is now\n", ctl->err);
    else if (matched == all && all > 1)
        fprintf(ctl->err, "tocsinctl: warning: it matches everything: all %lld that there are\n", (long long)all);
}

static int print_id(const CtlContext *ctl, const json_t *answer) {
    const char *id = json_text(answer, "silenceID");
    OWN(text) char *clean = people_clean(id);
    if (ctl->json)
        call_print(ctl, answer);
    else
        fprintf(ctl->out, "%s\n", clean);
    warn(ctl, answer);
    return CTL_DONE;
}

static int post(CtlContext *ctl, const json_t *silence) {
    OWN(json) json_t *answer = NULL;
    const int outcome = call_send(ctl, "POST", "/v1/silences", silence, &answer);
    return outcome == CTL_DONE ? print_id(ctl, answer) : outcome;
}

static int add(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    int64_t length_s = DEFAULT_LENGTH_S, starts_ms = clock_wall_ms(ctl->clock);
    const char *comment = arguments->values[OPTION_COMMENT], *start = arguments->values[OPTION_START];
    if (arguments->count < 2) return verb_usage(verb, ctl, "add needs a matcher, such as alertname=api");
    if (!comment || !*comment) return verb_usage(verb, ctl, "add needs --comment: others will want to know why");
    if (!read_length(verb, ctl, arguments->values[OPTION_FOR], &length_s)) return CTL_USAGE;
    if (start && !time_parse(start, &starts_ms))
        return verb_usage(verb, ctl, "--start cannot be `%.80s`: a time such as 2026-01-02T15:04:05Z", start);
    json_t *matchers = read_matchers(verb, ctl, arguments);
    if (!matchers) return CTL_USAGE;
    OWN(text)
    char *author = arguments->values[OPTION_AUTHOR] ? text_copy(arguments->values[OPTION_AUTHOR]) : people_user();
    OWN(json)
    json_t *silence = json_pack("{s:o, s:o, s:o, s:o}", "matchers", matchers, "endsAt",
        json_time(starts_ms + length_s * 1000), "createdBy", json_safe(author), "comment", json_safe(comment));
    if (start) json_object_set_new(silence, "startsAt", json_time(starts_ms)); /* else the daemon's now */
    return post(ctl, silence);
}

static const json_t *find(const json_t *silences, const char *id) {
    for (size_t i = 0; i < json_array_size(silences); i++) {
        const char *other = json_text(json_array_get(silences, i), "id");
        if (other && !strcmp(other, id)) return json_array_get(silences, i);
    }
    return NULL;
}

static int update(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    int64_t length_s = 0;
    const char *id = arguments->words[1], *comment = arguments->values[OPTION_COMMENT];
    if (!read_length(verb, ctl, arguments->values[OPTION_FOR], &length_s)) return CTL_USAGE;
    if (!length_s && !comment) return verb_usage(verb, ctl, "update needs --for or --comment");
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, "/v1/silences", "silences", SILENCES_SHOWN, &answer);
    if (outcome != CTL_DONE) return outcome;
    const json_t *old = find(json_list(answer, "silences"), id);
    if (!old) return fprintf(ctl->err, "tocsinctl: there is no silence `%.80s`\n", id), CTL_FAILED;
    OWN(json) json_t *silence = json_deep_copy(old);
    if (length_s) json_object_set_new(silence, "endsAt", json_time(clock_wall_ms(ctl->clock) + length_s * 1000));
    if (comment) json_object_set_new(silence, "comment", json_safe(comment));
    return post(ctl, silence);
}

static int expire(CtlContext *ctl, const char *id) {
    OWN(text) char *part = part_encode(id);
    OWN(text) char *path = text_format("/v1/silences/%s", part);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_send(ctl, "DELETE", path, NULL, &answer);
    if (outcome == CTL_DONE && ctl->json) call_print(ctl, answer);
    if (outcome == CTL_DONE && !ctl->json)
        fputs("expired: what still fires is told at its group's next interval\n", ctl->out);
    return outcome;
}

/* --- the list --- */

static char *matchers_line(const json_t *array) {
    OWN(matchers) Matchers *matchers = matchers_new();
    return matchers_add_json(matchers, array, NULL) ? matchers_text(matchers) : text_copy("?");
}

static bool is_over(const json_t *silence) {
    const char *state = json_text(json_map(silence, "status"), "state");
    return state && !strcmp(state, "expired");
}

static size_t print_table(CtlContext *ctl, const json_t *rows, bool all) {
    static const char *const heads[] = {"STATE", "ID", "MATCHERS", "ENDS", "BY", "COMMENT", NULL};
    size_t shown = 0;
    OWN(table) Table *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (!all && is_over(row)) continue;
        shown++;
        table_cell(table, is_over(row) ? PAINT_DIM : PAINT_YELLOW, json_text(json_map(row, "status"), "state"));
        table_cell(table, PAINT_NONE, json_text(row, "id"));
        table_cell_take(table, PAINT_BOLD, matchers_line(json_list(row, "matchers")));
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(row, "endsAt")));
        table_cell(table, PAINT_NONE, json_text(row, "createdBy"));
        table_cell(table, PAINT_NONE, json_text(row, "comment"));
    }
    if (shown) table_print(table, ctl->out, ctl->colour);
    return shown;
}

static int list(CtlContext *ctl, bool all) {
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, "/v1/silences", "silences", SILENCES_SHOWN, &answer);
    if (outcome != CTL_DONE) return outcome;
    if (ctl->json)
        call_print(ctl, answer);
    else if (!print_table(ctl, json_list(answer, "silences"), all))
        fputs(all ? "no silences\n" : "no silences now (--all shows expired ones)\n", ctl->out);
    return CTL_DONE;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *act = arguments->count ? arguments->words[0] : "list";
    const bool has_id = arguments->count == 2;
    if (!strcmp(act, "add")) return add(verb, ctl, arguments);
    if (!strcmp(act, "list") && !has_id) return list(ctl, arguments->values[OPTION_ALL] != NULL);
    if (strcmp(act, "update") != 0 && strcmp(act, "expire") != 0)
        return verb_usage(verb, ctl, "`%.80s` is not add, list, update or expire", act);
    if (!has_id) return verb_usage(verb, ctl, "%s needs one silence's id", act);
    return strcmp(act, "update") ? expire(ctl, arguments->words[1]) : update(verb, ctl, arguments);
}

const CtlVerb verb_silence = {.name = "silence",
    .arguments = "[add MATCHER ... | list | update ID | expire ID]",
    .help = "keep alerts quiet for a while: they are judged and shown, and nobody is told",
    .details =
        "A matcher is name=value, name!=value, name=~expression or name!~expression; all of them must hold. `add` "
        "prints "
        "the\nnew id, `update` the id that it has from then on. What still fires when a silence ends is told then.",
    .options = options,
    .max_words = 101,
    .run = run};
