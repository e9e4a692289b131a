/* tocsinctl ack, unack FINGERPRINT|NAME: somebody is on it. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"

#include <string.h>

enum { OPTION_FOR, OPTION_COMMENT, OPTION_AUTHOR, FOUND_MAX = 10000, FINGERPRINT_DIGITS = 16 };
static const CtlOption ack_options[] = {{"--for", NULL, "DURATION", "until then; default: until it resolves"},
    {"--comment", NULL, "TEXT", "what you are about to do"},
    {"--author", NULL, "NAME", "who is on it (default: your user's name)"}, {0}};

static bool looks_like_fingerprint(const char *text) {
    return strlen(text) == FINGERPRINT_DIGITS && strspn(text, "0123456789abcdef") == FINGERPRINT_DIGITS;
}

static int find(CtlContext *ctl, const char *key, const char *text, json_t **ret_rows) {
    OWN(text) char *part = part_encode(text);
    OWN(text) char *path = text_format("/v1/alarms?%s=%s", key, part);
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, path, "alarms", FOUND_MAX, &answer);
    if (outcome == CTL_DONE) *ret_rows = json_incref(json_object_get(answer, "alarms"));
    return outcome;
}

/* The instances that a person means: one by its fingerprint, or all of a name. Caller decrefs. */
static int find_meant(CtlContext *ctl, const char *word, json_t **ret_rows) {
    if (looks_like_fingerprint(word)) {
        const int outcome = find(ctl, "fingerprint", word, ret_rows);
        if (outcome != CTL_DONE || json_array_size(*ret_rows)) return outcome;
        json_decref(*ret_rows);
        *ret_rows = NULL;
    }
    const int outcome = find(ctl, "name", word, ret_rows);
    if (outcome != CTL_DONE || json_array_size(*ret_rows)) return outcome;
    fprintf(ctl->err, "tocsinctl: there is no alarm `%.255s` (`tocsinctl alarms` lists them)\n", word);
    return CTL_FAILED;
}

static bool fires(const json_t *alarm) {
    const char *state = json_text(alarm, "state");
    return state && !strcmp(state, "ALARM");
}

static bool is_acknowledged(const json_t *alarm) { return json_map(alarm, "acknowledged") != NULL; }

static int change(CtlContext *ctl, const char *method, const json_t *alarm, const json_t *body) {
    OWN(text) char *path = text_format("/v1/alarms/%s/acknowledge", json_text(alarm, "fingerprint"));
    OWN(json) json_t *answer = NULL;
    const int outcome = call_send(ctl, method, path, body, &answer);
    if (outcome != CTL_DONE) return outcome;
    OWN(text) char *name = people_clean(json_text(alarm, "name"));
    if (ctl->json)
        call_print(ctl, answer);
    else
        fprintf(ctl->out, "%s  %s  %s\n", body ? "acknowledged" : "nobody is on it any more", name,
            json_text(alarm, "fingerprint"));
    return CTL_DONE;
}

/* Of those that were found, each that it can be done to; the first failure ends it. */
static int change_all(CtlContext *ctl, const char *word, const json_t *body, bool (*wants)(const json_t *alarm)) {
    OWN(json) json_t *rows = NULL;
    size_t done = 0;
    int outcome = find_meant(ctl, word, &rows);
    for (size_t i = 0; outcome == CTL_DONE && i < json_array_size(rows); i++) {
        if (!wants(json_array_get(rows, i))) continue;
        outcome = change(ctl, body ? "POST" : "DELETE", json_array_get(rows, i), body);
        done++;
    }
    if (outcome != CTL_DONE || done) return outcome;
    fprintf(ctl->err, "tocsinctl: `%.255s` %s\n", word, body ? "does not fire" : "is not acknowledged");
    return CTL_FAILED;
}

static int run_ack(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *length = arguments->values[OPTION_FOR], *comment = arguments->values[OPTION_COMMENT];
    const char *author = arguments->values[OPTION_AUTHOR];
    int64_t length_s = 0;
    if (length && (!duration_parse(length, &length_s) || length_s <= 0))
        return verb_usage(verb, ctl, "--for cannot be `%.80s`: a duration such as 30m or 2h", length);
    OWN(text) char *by = author ? text_copy(author) : people_user();
    OWN(json) json_t *body = json_pack("{s:o, s:o}", "by", json_safe(by), "comment", json_safe(comment));
    if (length_s) json_object_set_new(body, "until", json_time(clock_wall_ms(ctl->clock) + length_s * 1000));
    return change_all(ctl, arguments->words[0], body, fires);
}

static int run_unack(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    return change_all(ctl, arguments->words[0], NULL, is_acknowledged);
}

const CtlVerb verb_ack = {.name = "ack",
    .arguments = "FINGERPRINT | NAME",
    .help = "say that you are on it: nobody is reminded, nor is it escalated, until it resolves",
    .details = "With a name all its instances that fire are acknowledged. Everybody sees who, in messages too.",
    .options = ack_options,
    .min_words = 1,
    .max_words = 1,
    .run = run_ack};
const CtlVerb verb_unack = {.name = "unack",
    .arguments = "FINGERPRINT | NAME",
    .help = "take an acknowledgement back",
    .min_words = 1,
    .max_words = 1,
    .run = run_unack};
