/* tocsinctl backtest: metric alarms over recorded samples, without a daemon. */
#include "ctl/verb.h"

#include "alarms/instance.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/backtest_replay.h"
#include "ctl/offline.h"
#include "ctl/people.h"
#include "sources/metric_selector.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_CONFIG, OPTION_ALARM, OPTION_CSV, OPTION_AT, OPTION_INITIAL, OPTION_FROM, OPTION_TO };
static const CtlOption options[] = {{"-c", "--config", "FILE", "the configuration that has the alarms"},
    {"--alarm", NULL, "NAME", "this alarm alone (default: every metric alarm)"},
    {"--csv", NULL, "SERIES.csv", "the samples: `timestamp,value`, times in UTC; an absent row is missing data"},
    {"--at", NULL, "TIME", "evaluate once, with the window that ends then"},
    {"--initial-state", NULL, "STATE", "what each alarm begins in: OK, ALARM or INSUFFICIENT_DATA (default)"},
    {"--from", NULL, "TIME", "not in this version: from CloudWatch itself"},
    {"--to", NULL, "TIME", "not in this version: from CloudWatch itself"}, {0}};

/* One run of the verb. */
typedef struct Backtest {
    CtlContext *ctl;
    const Alarm *alarm; /* in hand */
    char fingerprint[FINGERPRINT_TEXT];
    json_t *transitions, *final; /* with --json */
} Backtest;

static void print_state(const CtlContext *ctl, AlarmState state) {
    people_paint(ctl->out, ctl->colour, people_state_paint(state_word(state)), state_word(state));
}

static void print_value(const CtlContext *ctl, double value) {
    char text[NUMBER_TEXT_MAX];
    fprintf(ctl->out, " value=%s", isnan(value) ? "-" : number_format(value, text));
}

static void on_transition(void *ctx, int64_t time_s, AlarmState from, const Evaluation *to) {
    Backtest *test = ctx;
    CtlContext *ctl = test->ctl;
    char time[TIME_TEXT_MAX];
    time_format(time_s * 1000, time);
    if (ctl->json) {
        json_array_append_new(test->transitions,
            json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:s}", "time", time, "name", json_safe(test->alarm->name),
                "fingerprint", test->fingerprint, "from", state_word(from), "to", state_word(to->memory.state), "value",
                json_number(to->value), "reason", to->reason));
        return;
    }
    fprintf(ctl->out, "%s %s ", time, test->alarm->name);
    print_state(ctl, from);
    fputs(" -> ", ctl->out);
    print_state(ctl, to->memory.state);
    print_value(ctl, to->value);
    fprintf(ctl->out, " %s\n", to->reason);
}

static void print_summary(const Backtest *test, const ReplayResult *result) {
    FILE *out = test->ctl->out;
    char total[TIME_TEXT_MAX], longest[TIME_TEXT_MAX];
    const double share = result->total_s > 0 ? 100.0 * (double)result->alarm_s / (double)result->total_s : 0;
    fprintf(out, "%s: ", test->alarm->name);
    print_state(test->ctl, result->final);
    fprintf(out, " at the end; %zu %s in ALARM", result->alarms, result->alarms == 1 ? "time" : "times");
    if (result->alarm_s > 0)
        fprintf(out, ", %s in all, the longest %s, %.1f %% of the time", duration_format(result->alarm_s, total),
            duration_format(result->longest_s, longest), share);
    fputc('\n', out);
}

/* With --at: what that one evaluation said, whether or not it changed anything. */
static void print_verdict(const Backtest *test, const ReplayResult *result) {
    fprintf(test->ctl->out, "%s: ", test->alarm->name);
    print_state(test->ctl, result->final);
    print_value(test->ctl, result->last.value);
    fprintf(test->ctl->out, " %s\n", result->last.reason);
}

/* The instance that the daemon would show for the alarm's first account and region; as if none, where it has none. */
static void name_instance(Backtest *test, const Snapshot *snapshot) {
    const MetricSelector *metric = test->alarm->selector;
    const char *account = "", *region = "";
    Watch *watches = NULL;
    const Alarm *const *alarms = NULL;
    const size_t count = alarm_watches(snapshot, &watches, &alarms);
    for (size_t i = 0; i < count && !*account; i++) {
        if (alarms[i] != test->alarm) continue;
        account = watches[i].account;
        region = watches[i].region;
    }
    OWN(labels) Labels *series = labels_new(metric->series, metric->dimensions.count);
    fingerprint_make(test->alarm->name, account, region, test->alarm->source->name, series, test->fingerprint);
    free(watches);
    free((void *)alarms);
}

static bool test_alarm(Backtest *test, const Snapshot *snapshot, const Replay *replay, Error *err) {
    ReplayResult result;
    test->alarm = replay->alarm;
    name_instance(test, snapshot);
    if (!replay_run(replay, on_transition, test, &result, err)) return false;
    if (test->ctl->json)
        json_object_set_new(test->final, test->alarm->name, json_string(state_word(result.final)));
    else if (replay->has_at)
        print_verdict(test, &result);
    else
        print_summary(test, &result);
    return true;
}

/* The alarms that were asked for, one after the other; the count of those that were tested, or -1. */
static int test_alarms(Backtest *test, const Snapshot *snapshot, const char *name, Replay *replay) {
    const AlarmsSection *section = snapshot_section(snapshot, &alarms_section);
    int tested = 0;
    for (size_t i = 0; i < section->count; i++) {
        replay->alarm = &section->alarms[i];
        if (replay->alarm->source != &cloudwatch_source) continue;
        if (name && strcmp(name, replay->alarm->name) != 0) continue;
        Error err = {0};
        if (!test_alarm(test, snapshot, replay, &err)) {
            fprintf(test->ctl->err, "tocsinctl: %s: %s\n", replay->alarm->name, err.text);
            return -1;
        }
        tested++;
    }
    return tested;
}

static int run_tests(CtlContext *ctl, const Snapshot *snapshot, const char *name, Replay *replay) {
    Backtest test = {.ctl = ctl};
    OWN(json) json_t *answer = json_pack("{s:[], s:{}}", "transitions", "final");
    test.transitions = json_object_get(answer, "transitions");
    test.final = json_object_get(answer, "final");
    const int tested = test_alarms(&test, snapshot, name, replay);
    if (tested < 0) return CTL_FAILED;
    if (tested == 0) {
        if (name)
            fprintf(ctl->err, "tocsinctl: the configuration has no metric alarm `%.255s`\n", name);
        else
            fputs("tocsinctl: the configuration has no metric alarm\n", ctl->err);
        return CTL_FAILED;
    }
    if (ctl->json) {
        OWN(text) char *text = json_write(answer);
        fprintf(ctl->out, "%s\n", text);
    }
    return CTL_DONE;
}

static CsvSeries *series_read(CtlContext *ctl, const char *path) {
    Error err = {0};
    FILE *in = fopen(path, "re");
    if (!in) return fprintf(ctl->err, "tocsinctl: %s: %s\n", path, strerror(errno)), NULL;
    CsvSeries *series = csv_read(in, path, &err);
    fclose(in);
    OWN(text) char *why = people_clean(err.text);
    if (!series) fprintf(ctl->err, "tocsinctl: %s\n", why);
    return series;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *const *given = arguments->values;
    Replay replay = {.initial = STATE_INSUFFICIENT_DATA, .has_at = given[OPTION_AT] != NULL};
    int64_t at_ms = 0;
    if (given[OPTION_FROM] || given[OPTION_TO])
        return verb_usage(verb, ctl, "--from and --to do not exist in this version of Tocsin (use --csv)");
    if (!given[OPTION_CONFIG]) return verb_usage(verb, ctl, "-c FILE is missing");
    if (!given[OPTION_CSV]) return verb_usage(verb, ctl, "--csv SERIES.csv is missing");
    if (replay.has_at && !time_parse(given[OPTION_AT], &at_ms))
        return verb_usage(verb, ctl, "--at cannot be `%.80s` (such as 2026-01-02T03:04:00Z)", given[OPTION_AT]);
    if (given[OPTION_INITIAL] && !state_parse(given[OPTION_INITIAL], &replay.initial))
        return verb_usage(
            verb, ctl, "--initial-state cannot be `%.80s` (OK, ALARM or INSUFFICIENT_DATA)", given[OPTION_INITIAL]);
    replay.at_s = at_ms / 1000;
    OWN(snapshot) Snapshot *snapshot = offline_config(ctl, given[OPTION_CONFIG]);
    if (!snapshot) return CTL_FAILED;
    OWN(csv) CsvSeries *series = series_read(ctl, given[OPTION_CSV]);
    if (!series) return CTL_FAILED;
    replay.series = series;
    return run_tests(ctl, snapshot, given[OPTION_ALARM], &replay);
}

const CtlVerb verb_backtest = {.name = "backtest",
    .arguments = "",
    .help = "evaluate metric alarms over recorded samples, without a daemon",
    .details =
        "Rows are samples: a datapoint is the alarm's statistic over the rows of its period. The clock steps by the\n"
        "minute (10 s for periods below a minute); each window ends at the clock, and settle does not apply.",
    .options = options,
    .run = run};
