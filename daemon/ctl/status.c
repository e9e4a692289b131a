/* tocsinctl status: is the daemon well, and what does it see? */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/people.h"
#include "ctl/sources.h"

static int64_t whole(const json_t *object, const char *key) {
    int64_t value = 0;
    json_whole(object, key, &value);
    return value;
}

static void print_head(CtlContext *ctl, const json_t *status) {
    OWN(text) char *version = people_clean(json_text(status, "version"));
    OWN(text) char *since = people_when(ctl->clock, json_text(status, "started_at"));
    const bool ready = json_flag(status, "ready", false);
    fprintf(ctl->out, "tocsind %s  pid %lld  ", version, (long long)whole(status, "pid"));
    people_paint(ctl->out, ctl->colour, ready ? PAINT_GREEN : PAINT_YELLOW, ready ? "ready" : "not ready");
    fprintf(ctl->out, "  since %s\n", since);
}

static void print_config(CtlContext *ctl, const json_t *config) {
    const json_t *reload = json_map(config, "last_reload");
    OWN(text) char *file = people_clean(json_text(config, "file"));
    OWN(text) char *loaded = people_when(ctl->clock, json_text(config, "loaded_at"));
    fprintf(ctl->out, "config         %s, loaded %s\n", file, loaded);
    if (!reload || json_flag(reload, "ok", true)) return;
    OWN(text) char *at = people_when(ctl->clock, json_text(reload, "at"));
    OWN(text) char *error = people_clean(json_text(reload, "error"));
    OWN(text) char *line = text_format("the last reload was refused, %s: %s", at, error);
    fputs("               ", ctl->out);
    people_paint(ctl->out, ctl->colour, PAINT_RED, line);
    fputc('\n', ctl->out);
}

static void print_counts(CtlContext *ctl, const json_t *status) {
    const json_t *alarms = json_map(status, "alarms"), *owed = json_map(status, "notifications");
    const json_t *aws = json_map(status, "aws");
    const int64_t firing = whole(alarms, "ALARM"), parked = whole(owed, "parked");
    OWN(text) char *in_alarm = text_format("%lld ALARM", (long long)firing);
    OWN(text) char *given_up = text_format("%lld parked", (long long)parked);
    fputs("alarms         ", ctl->out);
    people_paint(ctl->out, ctl->colour, firing ? PAINT_RED : PAINT_NONE, in_alarm);
    fprintf(ctl->out, ", %lld OK, %lld INSUFFICIENT_DATA\n", (long long)whole(alarms, "OK"),
        (long long)whole(alarms, "INSUFFICIENT_DATA"));
    fprintf(ctl->out, "notifications  %lld pending, %lld delivered, %lld failed attempts, ",
        (long long)whole(owed, "pending"), (long long)whole(owed, "delivered"), (long long)whole(owed, "failed"));
    people_paint(ctl->out, ctl->colour, parked ? PAINT_RED : PAINT_NONE, given_up);
    fprintf(ctl->out, "%s\n", parked ? " (`tocsinctl notifications --state parked`)" : "");
    double usd = 0;
    json_double(aws, "estimated_usd_month", &usd);
    fprintf(ctl->out,
        "aws            %lld calls, %lld throttled, %lld metrics billed, %lld traces scanned, about %.2f USD a month\n",
        (long long)whole(aws, "calls"), (long long)whole(aws, "throttled"), (long long)whole(aws, "billed_metrics"),
        (long long)whole(aws, "traces_scanned"), usd);
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb, (void)arguments;
    OWN(json) json_t *status = NULL;
    const int outcome = call_daemon(ctl, "GET", "/v1/status", CALL_MS, &status, NULL);
    if (outcome != CTL_DONE) return outcome;
    if (ctl->json) return call_print(ctl, status), CTL_DONE;
    print_head(ctl, status);
    print_config(ctl, json_map(status, "config"));
    print_counts(ctl, status);
    fputc('\n', ctl->out);
    sources_print(ctl, json_list(status, "sources"));
    return CTL_DONE;
}

const CtlVerb verb_status = {.name = "status",
    .arguments = "",
    .help = "how the daemon is: configuration, alarms, deliveries, sources, AWS calls",
    .run = run};
