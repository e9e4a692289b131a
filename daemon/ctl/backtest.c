/* tocsinctl backtest: metric alarms over recorded samples, without a daemon. */
#include "ctl/verb.h"

#include "alarms/instance.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/backtest_cloud.h"
#include "ctl/offline.h"
#include "ctl/people.h"
#include "sources/metric_history.h"
#include "sources/metric_selector.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_CONFIG, OPTION_ALARM, OPTION_CSV, OPTION_AT, OPTION_INITIAL, OPTION_FROM, OPTION_TO, OPTION_YES };
static const CtlOption options[] = {{"-c", "--config", "FILE", "the configuration that has the alarms"},
    {"--alarm", NULL, "NAME", "this alarm alone (default: every metric alarm)"},
    {"--csv", NULL, "SERIES.csv", "the samples: `timestamp,value`, times in UTC; an absent row is missing data"},
    {"--at", NULL, "TIME", "evaluate once, with the window that ends then"},
    {"--initial-state", NULL, "STATE", "what each alarm begins in: OK, ALARM or INSUFFICIENT_DATA (default)"},
    {"--from", NULL, "TIME", "in place of a CSV, CloudWatch itself: what its price is, is told first"},
    {"--to", NULL, "TIME", "until when (default now)"},
    {"--yes", NULL, NULL, "do not ask where it costs more than a cent"}, {0}};

/* One run of the verb. */
typedef struct Backtest {
    CtlContext *ctl;
    const Alarm *alarm; /* in hand */
    char fingerprint[FINGERPRINT_TEXT];
    const char *where; /* beside the name, where the alarm has several instances; "" */
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
    fprintf(ctl->out, "%s %s%s ", time, test->alarm->name, test->where);
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
    fprintf(out, "%s%s: ", test->alarm->name, test->where);
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

/* Of several instances the one that is worst speaks for its alarm. */
static void note_final(Backtest *test, AlarmState state) {
    AlarmState before;
    const char *word = json_text(test->final, test->alarm->name);
    if (word && state_parse(word, &before) && (before == STATE_ALARM || state == STATE_INSUFFICIENT_DATA)) return;
    json_object_set_new(test->final, test->alarm->name, json_string(state_word(state)));
}

static void test_series(void *ctx, const Replay *replay, const Watch *watch, const Labels *series, const char *where) {
    Backtest *test = ctx;
    ReplayResult result;
    test->alarm = replay->alarm;
    test->where = where;
    fingerprint_make(watch->alarm, watch->account, watch->region, watch->source->name, series, test->fingerprint);
    replay_run(replay, on_transition, test, &result, NULL); /* over samples nothing can be wrong */
    if (test->ctl->json)
        note_final(test, result.final);
    else
        print_summary(test, &result);
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

static int run_tests(CtlContext *ctl, Snapshot *snapshot, const char *name, const CloudPast *past, Replay *replay) {
    Backtest test = {.ctl = ctl, .where = ""};
    OWN(json) json_t *answer = json_pack("{s:[], s:{}}", "transitions", "final");
    test.transitions = json_object_get(answer, "transitions");
    test.final = json_object_get(answer, "final");
    const int tested = past ? cloud_backtest(ctl, snapshot, past, replay, test_series, &test)
                            : test_alarms(&test, snapshot, name, replay);
    if (tested < 0) return CTL_FAILED;
    if (tested == 0) {
        const Alarm *alarm = name ? alarm_find(snapshot, name) : NULL;
        if (alarm && metric_past_of(alarm->source))
            fprintf(ctl->err, "tocsinctl: `%.255s` has an expression, which CloudWatch alone evaluates: use --from\n",
                name);
        else if (name)
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

static bool past_parse(const CtlVerb *verb, const CtlContext *ctl, const char *const *given, CloudPast *ret) {
    const int64_t now_ms = clock_wall_ms(ctl->clock);
    int64_t from_ms, to_ms = now_ms;
    if (given[OPTION_AT]) return verb_usage(verb, ctl, "--at goes with --csv alone"), false;
    if (!time_parse(given[OPTION_FROM], &from_ms))
        return verb_usage(verb, ctl, "--from cannot be `%.80s` (such as 2026-01-02T03:04:00Z)", given[OPTION_FROM]),
               false;
    if (given[OPTION_TO] && !time_parse(given[OPTION_TO], &to_ms))
        return verb_usage(verb, ctl, "--to cannot be `%.80s` (such as 2026-01-02T03:04:00Z)", given[OPTION_TO]), false;
    if (to_ms > now_ms) to_ms = now_ms;
    if (from_ms >= to_ms) return verb_usage(verb, ctl, "--from must be before --to, and both in the past"), false;
    ret->from_s = from_ms / 1000;
    ret->to_s = to_ms / 1000;
    return true;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *const *given = arguments->values;
    Replay replay = {.initial = STATE_INSUFFICIENT_DATA, .has_at = given[OPTION_AT] != NULL};
    int64_t at_ms = 0;
    CloudPast past = {.name = given[OPTION_ALARM], .yes = given[OPTION_YES] != NULL};
    if (!given[OPTION_CONFIG]) return verb_usage(verb, ctl, "-c FILE is missing");
    if (!given[OPTION_CSV] == !given[OPTION_FROM])
        return verb_usage(verb, ctl, "one of --csv SERIES.csv and --from TIME must be given");
    if (given[OPTION_FROM] && !past_parse(verb, ctl, given, &past)) return CTL_USAGE;
    if (replay.has_at && !time_parse(given[OPTION_AT], &at_ms))
        return verb_usage(verb, ctl, "--at cannot be `%.80s` (such as 2026-01-02T03:04:00Z)", given[OPTION_AT]);
    if (given[OPTION_INITIAL] && !state_parse(given[OPTION_INITIAL], &replay.initial))
        return verb_usage(
            verb, ctl, "--initial-state cannot be `%.80s` (OK, ALARM or INSUFFICIENT_DATA)", given[OPTION_INITIAL]);
    replay.at_s = at_ms / 1000;
    OWN(snapshot) Snapshot *snapshot = offline_config(ctl, given[OPTION_CONFIG]);
    if (!snapshot) return CTL_FAILED;
    if (given[OPTION_FROM]) return run_tests(ctl, snapshot, given[OPTION_ALARM], &past, &replay);
    OWN(csv) CsvSeries *series = series_read(ctl, given[OPTION_CSV]);
    if (!series) return CTL_FAILED;
    replay.series = series;
    return run_tests(ctl, snapshot, given[OPTION_ALARM], NULL, &replay);
}

const CtlVerb verb_backtest = {.name = "backtest",
    .arguments = "",
    .help = "evaluate metric alarms over recorded samples, without a daemon",
    .details =
        "Rows are samples: a datapoint is the alarm's statistic over the rows of its period. The clock steps by the\n"
        "minute (10 s for periods below a minute); each window ends at the clock, and settle does not apply.\n"
        "With --from the datapoints are CloudWatch's own, expressions included; what that costs is written first, and\n"
        "asked about where it is more than a cent. Percentiles and expressions are judged once a period.",
    .options = options,
    .run = run};
