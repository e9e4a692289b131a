/* tocsinctl explain NAME|FINGERPRINT: why it was told or not, in sentences. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <string.h>

enum { OPTION_AT, INSTANCES_MAX = 10, DIGITS = 16 };
static const CtlOption options[] = {
    {"--at", NULL, "TIME", "as it was then: a time (2026-01-02T03:04:05Z) or an age (2h)"}, {0}};

static bool at_parse(const CtlContext *ctl, const char *text, char ret_time[static TIME_TEXT_MAX]) {
    int64_t at_ms, age_s;
    if (duration_parse(text, &age_s))
        at_ms = clock_wall_ms(ctl->clock) - age_s * 1000;
    else if (!time_parse(text, &at_ms))
        return false;
    time_format(at_ms, ret_time);
    return true;
}

static void print_sentences(CtlContext *ctl, const json_t *answer) {
    const json_t *sentences = json_list(answer, "sentences");
    for (size_t i = 0; i < json_array_size(sentences); i++) {
        OWN(text) char *clean = people_clean(json_string_value(json_array_get(sentences, i)));
        fprintf(ctl->out, "%s\n", clean);
    }
}

static int explain(CtlContext *ctl, const char *fingerprint, const char *at) {
    OWN(text) char *part = part_encode(fingerprint);
    OWN(text) char *at_part = part_encode(at);
    OWN(text) char *path = text_format("/v1/explain/%s%s%s", part, *at ? "?at=" : "", at_part);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_daemon(ctl, "GET", path, CALL_MS, &answer, NULL);
    if (outcome != CTL_DONE) return outcome;
    if (ctl->json)
        call_print(ctl, answer);
    else
        print_sentences(ctl, answer);
    return CTL_DONE;
}

/* Every instance of an alarm, a paragraph each. */
static int explain_alarm(CtlContext *ctl, const char *name, const char *at) {
    OWN(text) char *part = part_encode(name);
    OWN(text) char *path = text_format("/v1/alarms?name=%s", part);
    OWN(json) json_t *answer = NULL;
    int outcome = call_list(ctl, path, "alarms", INSTANCES_MAX, &answer);
    const json_t *alarms = json_list(answer, "alarms");
    if (outcome == CTL_DONE && !json_array_size(alarms)) {
        OWN(text) char *clean = people_clean(name);
        fprintf(ctl->err, "tocsinctl: there is no alarm `%s` (of one that is gone, name the fingerprint)\n", clean);
        return CTL_FAILED;
    }
    for (size_t i = 0; outcome == CTL_DONE && i < json_array_size(alarms); i++) {
        const char *fingerprint = json_text(json_array_get(alarms, i), "fingerprint");
        if (i && !ctl->json) fputc('\n', ctl->out);
        outcome = explain(ctl, fingerprint ? fingerprint : "", at);
    }
    if (outcome == CTL_DONE && json_text(answer, "next"))
        fprintf(ctl->err, "(there are more instances: name a fingerprint)\n");
    return outcome;
}

static bool is_fingerprint(const char *text) {
    return strlen(text) == DIGITS && strspn(text, "0123456789abcdef") == DIGITS;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *what = arguments->words[0], *given = arguments->values[OPTION_AT];
    char at[TIME_TEXT_MAX] = "";
    if (given && !at_parse(ctl, given, at)) return verb_usage(verb, ctl, "--at cannot be `%.60s`", given);
    return is_fingerprint(what) ? explain(ctl, what, at) : explain_alarm(ctl, what, at);
}

const CtlVerb verb_explain = {.name = "explain",
    .arguments = "NAME|FINGERPRINT",
    .help = "why it was told or not, and when it will be, in plain words",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .run = run};
