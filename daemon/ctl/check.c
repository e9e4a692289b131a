/* tocsinctl check: a monitoring plugin (Nagios' conventions): one line, and the state as exit status. Whatever goes
 * wrong is UNKNOWN, within its own time limit: a check that hangs says nothing. */
#include "ctl/check.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"
#include "net/unix_client.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPTION_TIMEOUT,
    NAMED_MAX = 5,
    TIMEOUT_DEFAULT_S = 10,
    TIMEOUT_MAX_S = 3600,
    LINE_MAX_BYTES = 2048,
    TEXT_CUT = 300
};
static const CtlOption options[] = {
    {"--timeout", NULL, "DURATION", "how long it may take in all until it says UNKNOWN (default 10s)"}, {0}};

static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* --- what it says: pure --- */

static bool is_muted(const json_t *alarm) {
    return json_array_size(json_list(alarm, "silenced_by")) || json_map(alarm, "acknowledged");
}

static CheckState state_of(const json_t *alarm) {
    const char *severity = json_text(alarm, "severity");
    if (severity && (!strcmp(severity, "critical") || !strcmp(severity, "error"))) return CHECK_CRITICAL;
    return severity && !strcmp(severity, "warning") ? CHECK_WARNING : CHECK_OK;
}

static void count_alarms(const json_t *alarms, CheckCounts *ret) {
    for (size_t i = 0; i < json_array_size(alarms); i++) {
        const json_t *alarm = json_array_get(alarms, i);
        const CheckState state = state_of(alarm);
        if (is_muted(alarm))
            ret->muted++;
        else
            ret->firing[state]++;
    }
}

static size_t count_blind(const json_t *sources) {
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(sources); i++)
        count += json_text(json_array_get(sources, i), "last_error") != NULL;
    return count;
}

static CheckState worst(const CheckCounts *counts) {
    if (counts->firing[CHECK_CRITICAL]) return CHECK_CRITICAL;
    if (counts->firing[CHECK_WARNING]) return CHECK_WARNING;
    return counts->blind ? CHECK_UNKNOWN : CHECK_OK;
}

/* A bar ends the text in this format, so no name may hold one. */
static void add_clean(Buffer *out, const char *text) {
    OWN(text) char *clean = people_clean(text);
    clean[utf8_cut(clean, strlen(clean), TEXT_CUT)] = '\0';
    for (char *c = clean; *c; c++)
        if (*c == '|') *c = '/';
    buffer_text(out, clean);
}

static void add_names(Buffer *out, const json_t *alarms) {
    size_t named = 0, more = 0;
    for (int state = CHECK_CRITICAL; state >= CHECK_WARNING; state--)
        for (size_t i = 0; i < json_array_size(alarms); i++) {
            const json_t *alarm = json_array_get(alarms, i);
            if (is_muted(alarm) || state_of(alarm) != (CheckState)state) continue;
            if (named == NAMED_MAX) {
                more++;
                continue;
            }
            buffer_text(out, named++ ? ", " : ": ");
            add_clean(out, json_text(alarm, "name"));
        }
    if (more) buffer_format(out, " and %zu more", more);
}

static void add_blind(Buffer *out, const json_t *sources) {
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *source = json_array_get(sources, i);
        if (!json_text(source, "last_error")) continue;
        buffer_text(out, ": ");
        add_clean(out, json_text(source, "name"));
        buffer_text(out, " in ");
        add_clean(out, json_text(source, "account"));
        buffer_text(out, " ");
        add_clean(out, json_text(source, "region"));
        return; /* one is enough to look further */
    }
}

CheckState check_line(const json_t *alarms, const json_t *sources, char **ret_line) {
    CheckCounts counts = {.blind = count_blind(sources)};
    count_alarms(alarms, &counts);
    const CheckState state = worst(&counts);
    const size_t firing = counts.firing[CHECK_CRITICAL] + counts.firing[CHECK_WARNING];
    Buffer line = BUFFER(LINE_MAX_BYTES);
    buffer_format(&line, "%s - ", words[state]);
    if (firing) {
        buffer_format(&line, "%zu in ALARM", firing);
        add_names(&line, alarms);
    } else if (counts.blind) {
        buffer_format(&line, "%zu source%s cannot be read", counts.blind, counts.blind == 1 ? "" : "s");
        add_blind(&line, sources);
    } else {
        buffer_text(&line, "nothing is in ALARM");
    }
    buffer_format(&line,
        " | 'critical'=%zu;;;0 'warning'=%zu;;;0 'info'=%zu;;;0 'muted'=%zu;;;0 'blind_sources'=%zu;;;0",
        counts.firing[CHECK_CRITICAL], counts.firing[CHECK_WARNING], counts.firing[CHECK_OK], counts.muted,
        counts.blind);
    *ret_line = buffer_take(&line);
    return state;
}

/* --- how it asks --- */

typedef struct Asking {
    CtlContext *ctl;
    int64_t until_ms; /* boot time */
    Error err;
} Asking;

static json_t *ask(Asking *asking, const char *path) {
    const int64_t left_ms = asking->until_ms - clock_boot_ms(asking->ctl->clock);
    if (left_ms <= 0) return error_set(&asking->err, ERROR_REMOTE, "it took too long (--timeout)"), NULL;
    UnixAnswer answer = {0};
    if (!unix_call(asking->ctl->socket, "GET", path, NULL, left_ms, &answer, &asking->err)) return NULL;
    OWN(json) json_t *object = json_read(answer.body, answer.length, &asking->err);
    free(answer.body);
    if (answer.status == 200 && object) return GIVE(object);
    error_set(&asking->err, ERROR_REMOTE, "the daemon answered with status %ld", answer.status);
    return NULL;
}

/* All pages; NULL: not read. */
static json_t *ask_all(Asking *asking, const char *path, const char *key) {
    OWN(json) json_t *rows = json_array();
    OWN(text) char *after = text_copy("");
    for (int page = 0; page < CALL_PAGES; page++) {
        OWN(text) char *encoded = part_encode(after);
        OWN(text)
        char *asked =
            text_format("%s%climit=1000%s%s", path, strchr(path, '?') ? '&' : '?', *after ? "&after=" : "", encoded);
        OWN(json) json_t *answer = ask(asking, asked);
        if (!answer) return NULL;
        json_array_extend(rows, json_object_get(answer, key));
        const char *next = json_text(answer, "next");
        text_drop(&after);
        after = text_copy(next ? next : "");
        if (!next) return GIVE(rows);
    }
    error_set(&asking->err, ERROR_REMOTE, "the daemon's list has no end");
    return NULL;
}

static int say(const CtlContext *ctl, CheckState state, const char *line) {
    if (ctl->json) {
        OWN(json)
        json_t *object = json_pack("{s:s, s:i, s:o}", "state", words[state], "status", state, "line", json_safe(line));
        call_print(ctl, object);
    } else {
        fprintf(ctl->out, "%s\n", line);
    }
    return (int)state;
}

static int say_unknown(const CtlContext *ctl, const char *why) {
    Buffer line = BUFFER(LINE_MAX_BYTES);
    buffer_text(&line, "UNKNOWN - ");
    add_clean(&line, why);
    const int status = say(ctl, CHECK_UNKNOWN, buffer_string(&line));
    buffer_deinit(&line);
    return status;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    int64_t timeout_s = TIMEOUT_DEFAULT_S;
    const char *given = arguments->values[OPTION_TIMEOUT];
    if (given && (!duration_parse(given, &timeout_s) || timeout_s < 1 || timeout_s > TIMEOUT_MAX_S)) {
        verb_usage(verb, ctl, "--timeout cannot be `%.80s` (a duration from 1s to 1h)", given);
        return say_unknown(ctl, "wrong usage");
    }
    Asking asking = {.ctl = ctl, .until_ms = clock_boot_ms(ctl->clock) + timeout_s * 1000};
    OWN(json) json_t *alarms = ask_all(&asking, "/v1/alarms?state=ALARM", "alarms");
    OWN(json) json_t *sources = alarms ? ask_all(&asking, "/v1/sources", "sources") : NULL;
    if (!sources) return say_unknown(ctl, asking.err.text);
    OWN(text) char *line = NULL;
    const CheckState state = check_line(alarms, sources, &line);
    return say(ctl, state, line);
}

const CtlVerb verb_check = {.name = "check",
    .arguments = "",
    .help = "a monitoring plugin: one line, and the state as exit status",
    .details =
        "Exit status 2 when an alarm of severity critical or error is in ALARM, else 1 for warning, else 3 when\n"
        "a source cannot be read or Tocsin is not reached, else 0. Silenced and acknowledged alarms do not count.",
    .options = options,
    .usage_status = CHECK_UNKNOWN,
    .run = run};
