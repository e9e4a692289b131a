/* tocsinctl sigma test: rules over recorded events, without a daemon. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/timetext.h"
#include "ctl/people.h"
#include "ctl/sigma_events.h"
#include "rules/sigma_correlator.h"
#include "rules/sigma_load.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_EVENTS, OPTION_PLACEHOLDERS };
static const CtlOption options[] = {
    {"--events", NULL, "FILE",
        "the events: one a line, a CloudTrail log file, or a LookupEvents answer; - reads standard input"},
    {"--placeholders", NULL, "FILE", "what rules with `expand` ask for: a YAML map, `admins: [alice, bob]`"}, {0}};

enum {
    RULE_PATHS_MAX = 1000,
    EVENT_TEXT_MAX = 512, /* bytes of a field that is shown */
    PROGRESS_EVENTS = 10000, /* a line of progress each so many */
    LATE_S = CORRELATION_TIMESPAN_MAX_S /* a file is in any order */
};

typedef struct Run {
    CtlContext *ctl;
    const SigmaSet *set;
    SigmaScratch *scratch;
    SigmaCorrelator *correlator;
    bool progress, correlates;
    size_t events, matches, uncounted;
} Run;

static const struct Shown {
    const char *key; /* in JSON */
    const char *fields[4]; /* the first that has a text */
} shown[] = {{"event_id", {"eventID"}}, {"event_name", {"eventName", "insightDetails.eventName"}},
    {"actor", {"userIdentity.arn", "userIdentity.userName", "userIdentity.invokedBy", "userIdentity.principalId"}},
    {"source_address", {"sourceIPAddress"}}, {"region", {"awsRegion"}}};

static const char *first_of(const json_t *event, const struct Shown *what, char text[static EVENT_TEXT_MAX]) {
    *text = '\0';
    for (size_t i = 0; i < COUNT_OF(what->fields) && what->fields[i] && !*text; i++)
        sigma_event_text(event, what->fields[i], text, EVENT_TEXT_MAX);
    return text;
}

static void print_json(Run *run, const json_t *event, const SigmaRule *rule, const SigmaFired *fired, size_t line) {
    char text[EVENT_TEXT_MAX];
    OWN(json)
    json_t *row = json_pack("{s:s, s:s?, s:s, s:s, s:I}", "rule", rule->title, "rule_id", rule->id, "level",
        sigma_level_word(rule->level), "severity", sigma_severity(rule->level), "line", (json_int_t)line);
    json_object_set_new(row, "time", json_safe(sigma_event_text(event, "eventTime", text, sizeof text)));
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        json_object_set_new(row, shown[i].key, json_safe(first_of(event, &shown[i], text)));
    if (fired) json_object_set_new(row, "count", json_integer(fired->count));
    OWN(text) char *written = json_write(row);
    fprintf(run->ctl->out, "%s\n", written);
}

static void print_word(FILE *out, const char *text, const char *behind) {
    OWN(text) char *clean = people_clean(*text ? text : "-");
    fprintf(out, "%s%s", clean, behind);
}

static void print_line(Run *run, const json_t *event, const SigmaRule *rule, const SigmaFired *fired) {
    char text[EVENT_TEXT_MAX];
    FILE *out = run->ctl->out;
    print_word(out, sigma_event_text(event, "eventTime", text, sizeof text), "  ");
    print_word(out, rule->title, "  ");
    print_word(out, sigma_level_word(rule->level), "  ");
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        print_word(out, first_of(event, &shown[i], text), i + 1 < COUNT_OF(shown) ? "  " : "");
    if (fired) fprintf(out, "  count=%lld", (long long)fired->count);
    fputc('\n', out);
}

static void print_match(Run *run, const json_t *event, uint32_t number, const SigmaFired *fired, size_t line) {
    const SigmaRule *rule = sigma_set_rule(run->set, number);
    if (rule->silent) return;
    run->matches++;
    if (run->ctl->json)
        print_json(run, event, rule, fired, line);
    else
        print_line(run, event, rule, fired);
}

/* An event without time or id cannot be counted: it would count twice, or nowhere. */
static void correlate(Run *run, const json_t *event, const uint32_t *numbers, size_t count, size_t line) {
    const char *id = json_text(event, "eventID"), *time = json_text(event, "eventTime");
    const SigmaFired *fired;
    int64_t time_ms;
    if (!id || !time || !time_parse(time, &time_ms)) {
        run->uncounted++;
        return;
    }
    const size_t fires = sigma_correlator_feed(run->correlator, event, time_ms, id, numbers, count, &fired);
    for (size_t i = 0; i < fires; i++) print_match(run, event, fired[i].number, &fired[i], line);
}

static void take_event(void *ctx, const json_t *event, size_t line) {
    Run *run = ctx;
    const uint32_t *numbers;
    const size_t count = sigma_set_match(run->set, event, run->scratch, &numbers);
    for (size_t i = 0; i < count; i++) print_match(run, event, numbers[i], NULL, line);
    if (count && run->correlates) correlate(run, event, numbers, count, line);
    if (++run->events % PROGRESS_EVENTS == 0 && run->progress)
        fprintf(run->ctl->err, "\r%zu events, %zu matches", run->events, run->matches);
}

static bool read_placeholders(Arena *arena, const char *path, SigmaOptions *ret, Problems *problems) {
    Error err = {0};
    size_t length = 0;
    OWN(text) char *text = file_read(path, YAML_FILE_MAX, &length, NULL, &err);
    if (!text) return problem_add(problems, (Place){path, 1, 1}, "name a file", "%s", err.text);
    const Node *map = node_parse(arena, arena, path, text, length, problems);
    return map && sigma_placeholders_read(arena, map, &ret->placeholders, &ret->placeholder_count, problems);
}

/* The rules of all paths; NULL with the problems on err. Warnings are shown too. */
static SigmaSet *load_rules(const CtlContext *ctl, const CtlArguments *arguments) {
    enum { TIMESPAN_S = 600 }; /* as `sigma.timespan` has it by default */
    const char *placeholders = arguments->values[OPTION_PLACEHOLDERS];
    SigmaOptions sigma_options = {.timespan_s = TIMESPAN_S};
    OWN(arena) Arena *arena = arena_new();
    OWN(problems) Problems *problems = problems_new();
    if (placeholders) read_placeholders(arena, placeholders, &sigma_options, problems);
    SigmaBuilder *builder = sigma_builder_new(&sigma_options, problems);
    for (size_t i = 1; i < arguments->count; i++)
        sigma_load(builder, arguments->words[i], (Place){"tocsinctl", 1, 1}, problems, NULL);
    OWN(sigma_set) SigmaSet *set = sigma_builder_finish(builder);
    problems_print(problems, ctl->err);
    return problems_errors(problems) ? NULL : GIVE(set);
}

static void tell_skipped(const Run *run, const SkipCounts *skipped) {
    FILE *err = run->ctl->err;
    for (size_t i = 0; i < SKIP_KINDS; i++) {
        if (!skipped->count[i]) continue;
        fprintf(err, "tocsinctl: skipped %zu that %s %s, the first in line %zu\n", skipped->count[i],
            skipped->count[i] == 1 ? "is" : "are", skip_words[i], skipped->first_line[i]);
    }
    if (run->uncounted)
        fprintf(err, "tocsinctl: %zu matches without eventTime or eventID were not correlated\n", run->uncounted);
    const SigmaLimits limits = sigma_scratch_limits(run->scratch);
    if (limits.regex + limits.values)
        fprintf(err, "tocsinctl: %llu tests ran into a limit and count as not met, the last of rule `%s`\n",
            (unsigned long long)(limits.regex + limits.values), sigma_set_rule(run->set, limits.rule)->title);
}

/* Without those that only serve a correlation. */
static size_t rules_told(const SigmaSet *set) {
    size_t count = 0;
    for (uint32_t i = 0; i < sigma_set_count(set); i++) count += !sigma_set_rule(set, i)->silent;
    return count;
}

static bool has_correlation(const SigmaSet *set) {
    for (uint32_t i = 0; i < sigma_set_count(set); i++)
        if (sigma_set_rule(set, i)->correlation) return true;
    return false;
}

static int run_over(CtlContext *ctl, const SigmaSet *set, FILE *in, const char *name) {
    OWN(sigma_scratch) SigmaScratch *scratch = sigma_scratch_new(set);
    OWN(sigma_correlator) SigmaCorrelator *correlator = sigma_correlator_new(set, LATE_S);
    Run run = {
        .ctl = ctl, .set = set, .scratch = scratch, .correlator = correlator, .correlates = has_correlation(set)};
    SkipCounts skipped;
    Error err = {0};
    const int terminal = fileno(ctl->err);
    run.progress = terminal >= 0 && isatty(terminal);
    const bool read = sigma_events_read(in, take_event, &run, &skipped, &err);
    if (run.progress && run.events >= PROGRESS_EVENTS) fputc('\r', ctl->err);
    if (!read) return fprintf(ctl->err, "tocsinctl: %s %s\n", name, err.text), CTL_FAILED;
    tell_skipped(&run, &skipped);
    fprintf(ctl->err, "%zu rules over %zu events: %zu matches\n", rules_told(set), run.events, run.matches);
    return run.matches ? CTL_DONE : CTL_FAILED;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    const char *name = arguments->values[OPTION_EVENTS];
    if (strcmp(arguments->words[0], "test"))
        return verb_usage(verb, ctl, "`%.80s` is nothing that it does: test", arguments->words[0]);
    if (arguments->count < 2) return verb_usage(verb, ctl, "name a rule file or a folder behind `test`");
    if (!name) return verb_usage(verb, ctl, "--events says over what");
    OWN(sigma_set) SigmaSet *set = load_rules(ctl, arguments);
    if (!set) return CTL_FAILED;
    if (!strcmp(name, "-")) return run_over(ctl, set, stdin, "standard input");
    FILE *in = fopen(name, "re");
    if (!in) return fprintf(ctl->err, "tocsinctl: %s: %s\n", name, strerror(errno)), CTL_FAILED;
    const int status = run_over(ctl, set, in, name);
    fclose(in);
    return status;
}

const CtlVerb verb_sigma = {.name = "sigma",
    .arguments = "test RULE...",
    .help = "run Sigma rules (files, or folders of them) over recorded CloudTrail events, without a daemon",
    .details =
        "A line a match: time, rule, level, event id, event name, actor, source address, region; with --json an\n"
        "object a line. Correlations are judged too; a rule that only serves one is not told by itself.\n"
        "Exit status: 0 something matched, 1 nothing did, or the rules have problems.",
    .options = options,
    .min_words = 1,
    .max_words = RULE_PATHS_MAX,
    .run = run};
