/* tocsinctl show NAME: one alarm from all sides: each instance, its datapoints against the threshold, and its last
 * changes. */
#include "ctl/verb.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"
#include "ctl/call.h"
#include "ctl/held.h"
#include "ctl/people.h"
#include "ctl/ranked.h"
#include "ctl/sparkline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_TRANSITIONS = 5, NAMES_MAX = 10000 };

static void line(CtlContext *ctl, const char *head, const char *text) {
    if (!text || !*text) return;
    OWN(text) char *clean = people_clean(text);
    fprintf(ctl->out, "  %-12s %s\n", head, clean);
}

/* --- datapoints --- */

typedef struct Series {
    double values[SPARKLINE_MAX];
    size_t count;
    const char *first, *last; /* times; borrowed */
    double low, high; /* NAN: no value at all */
} Series;

static Series series_read(const json_t *datapoints) {
    Series series = {.low = NAN, .high = NAN};
    const size_t all = json_array_size(datapoints);
    for (size_t i = all > SPARKLINE_MAX ? all - SPARKLINE_MAX : 0; i < all; i++) {
        const json_t *pair = json_array_get(datapoints, i), *value = json_array_get(pair, 1);
        const double number = json_is_number(value) ? json_number_value(value) : NAN;
        series.last = json_string_value(json_array_get(pair, 0));
        if (!series.first) series.first = series.last;
        series.low = fmin(series.low, number);
        series.high = fmax(series.high, number);
        series.values[series.count++] = number;
    }
    return series;
}

/* Blocks, those beyond the threshold in red where there is colour. */
static void print_blocks(CtlContext *ctl, const Series *series, const char *blocks, Beyond beyond, double threshold) {
    for (size_t i = 0; i < series->count; i++) {
        uint32_t code;
        const size_t step = utf8_step(blocks, strlen(blocks), &code);
        OWN(text) char *block = text_copy_length(blocks, step);
        people_paint(
            ctl->out, ctl->colour, beyond_is(beyond, series->values[i], threshold) ? PAINT_RED : PAINT_NONE, block);
        blocks += step;
    }
}

static char *span(const Series *series) {
    int64_t first_ms = 0, last_ms = 0;
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    if (!series->first || !time_parse(series->first, &first_ms) || !time_parse(series->last, &last_ms))
        return text_copy("");
    time_format(first_ms, first);
    time_format(last_ms, last);
    if (isnan(series->low)) return text_format("%.5s to %.5sZ, all missing", first + 11, last + 11);
    return text_format("%.5s to %.5sZ, from %.6g to %.6g", first + 11, last + 11, series->low, series->high);
}

static void print_datapoints(CtlContext *ctl, const json_t *instance, Beyond beyond) {
    const Series series = series_read(json_list(instance, "datapoints"));
    double threshold = NAN;
    json_double(instance, "threshold", &threshold);
    if (series.count == 0) return line(ctl, "datapoints", isnan(threshold) ? NULL : "none yet");
    OWN(text) char *blocks = sparkline_blocks(series.values, series.count, threshold);
    OWN(text) char *marks = sparkline_marks(series.values, series.count, beyond, threshold);
    OWN(text) char *facts = span(&series);
    fprintf(ctl->out, "  %-12s ", "datapoints");
    print_blocks(ctl, &series, blocks, beyond, threshold);
    fprintf(ctl->out, "  %s\n", facts);
    if (*marks) fprintf(ctl->out, "  %-12s %s  beyond the threshold\n", "", marks);
}

/* --- an instance --- */

/* Without a threshold where it has none: a count of events, an insight. Caller frees. */
static char *value_text(const json_t *instance, Beyond beyond) {
    OWN(text) char *value = people_number(json_object_get(instance, "value"));
    if (!json_is_number(json_object_get(instance, "threshold")))
        return text_copy(json_is_number(json_object_get(instance, "value")) ? value : "");
    OWN(text) char *threshold = people_number(json_object_get(instance, "threshold"));
    const char *sign = beyond_sign(beyond);
    return text_format("%s, threshold %s%s%s", value, sign, *sign ? " " : "", threshold);
}

/* Several lines below one another: all but the first stand where no name of ours can. */
static void lines(CtlContext *ctl, const char *head, const char *text) {
    for (bool is_first = true; *text || is_first; is_first = false) {
        const size_t length = strcspn(text, "\n");
        OWN(text) char *one = text_format("%s%.*s", is_first ? "" : "  ", (int)length, text);
        line(ctl, is_first ? head : "", one);
        text += length + (text[length] == '\n');
    }
}

static void print_pairs(CtlContext *ctl, const char *head, const json_t *pairs) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)pairs, key, value) {
        OWN(text) char *pair = text_format("%s=%s", key, json_is_string(value) ? json_string_value(value) : "");
        lines(ctl, head, pair);
        head = "";
    }
}

/* What stands between its state and what people are told. */
static void print_hold(CtlContext *ctl, const json_t *instance) {
    const char *suppressor = json_text(instance, "suppressed_by"), *pending = json_text(instance, "pending_since");
    OWN(text) char *percent = people_number(json_object_get(instance, "flap_percent"));
    if (pending) {
        OWN(text) char *since = people_when(ctl->clock, pending);
        line(ctl, "pending", since);
    }
    if (json_flag(instance, "flapping", false)) {
        OWN(text) char *text = text_format("yes, %s %% of its states changed: messages are held", percent);
        line(ctl, "flapping", text);
    }
    if (suppressor) {
        OWN(text) char *text = text_format("the last change waits for `%s` (suppressor)", suppressor);
        line(ctl, "held", text);
    }
}

static void print_head(CtlContext *ctl, const json_t *instance) {
    const char *state = json_text(instance, "state");
    OWN(text) char *words = ranked_name(instance);
    OWN(text) char *name = people_clean(words);
    OWN(text) char *since = people_when(ctl->clock, json_text(instance, "since"));
    people_paint(ctl->out, ctl->colour, PAINT_BOLD, name);
    fputs("  ", ctl->out);
    people_paint(ctl->out, ctl->colour, people_state_paint(state), state ? state : "-");
    fprintf(ctl->out, "  since %s\n", since);
}

static void print_instance(CtlContext *ctl, const json_t *instance, Beyond beyond) {
    OWN(text) char *value = value_text(instance, beyond);
    OWN(text) char *evaluated = people_when(ctl->clock, json_text(instance, "last_evaluated"));
    const char *account = json_text(instance, "account"), *region = json_text(instance, "region");
    OWN(text) char *where = text_format("account %s, region %s", account ? account : "-", region ? region : "-");
    print_head(ctl, instance);
    line(ctl, "reason", json_text(instance, "reason"));
    OWN(text) char *held = held_words(instance);
    line(ctl, "told", held);
    line(ctl, "error", json_text(instance, "evaluation_error"));
    print_hold(ctl, instance);
    line(ctl, "metric", json_text(instance, "metric"));
    line(ctl, "value", value);
    print_datapoints(ctl, instance, beyond);
    line(ctl, "severity", json_text(instance, "severity"));
    if (account && *account) line(ctl, "where", where);
    print_pairs(ctl, "labels", json_map(instance, "labels"));
    print_pairs(ctl, "annotations", json_map(instance, "annotations"));
    line(ctl, "evaluated", evaluated);
    line(ctl, "console", json_text(instance, "console_url"));
    line(ctl, "fingerprint", json_text(instance, "fingerprint"));
    fputc('\n', ctl->out);
}

/* --- the alarm --- */

/* The series whose transition this is; "" where it has none, or is gone. Caller frees. */
static char *changed_series(const json_t *instances, const json_t *transition) {
    const char *wanted = json_text(transition, "fingerprint");
    for (size_t i = 0; i < json_array_size(instances); i++) {
        const char *is = json_text(json_array_get(instances, i), "fingerprint");
        if (wanted && is && !strcmp(wanted, is)) return ranked_series(json_array_get(instances, i));
    }
    return text_copy("");
}

/* With a column for the series where there are several. */
static void print_changes(CtlContext *ctl, const json_t *transitions, const json_t *instances) {
    static const char *const heads[] = {"CHANGED", "SERIES", "FROM", "TO", "VALUE", "REASON", NULL};
    static const char *const heads_of_one[] = {"CHANGED", "FROM", "TO", "VALUE", "REASON", NULL};
    const bool has_series = json_array_size(instances) > 1;
    if (json_array_size(transitions) == 0) return;
    OWN(table) Table *table = table_new(has_series ? heads : heads_of_one);
    for (size_t i = 0; i < json_array_size(transitions); i++) {
        const json_t *row = json_array_get(transitions, i);
        table_cell_take(table, PAINT_NONE, people_when(ctl->clock, json_text(row, "time")));
        if (has_series) table_cell_take(table, PAINT_NONE, changed_series(instances, row));
        table_cell(table, people_state_paint(json_text(row, "from")), json_text(row, "from"));
        table_cell(table, people_state_paint(json_text(row, "to")), json_text(row, "to"));
        table_cell_take(table, PAINT_NONE, people_number(json_object_get(row, "value")));
        table_cell(table, PAINT_NONE, json_text(row, "reason"));
    }
    table_print(table, ctl->out, ctl->colour);
}

/* The daemon knows no such alarm: which one was meant? */
static int not_there(CtlContext *ctl, const char *name) {
    OWN(json) json_t *answer = NULL;
    const int outcome = call_list(ctl, "/v1/alarms", "alarms", NAMES_MAX, &answer);
    if (outcome != CTL_DONE) return outcome;
    const json_t *alarms = json_list(answer, "alarms");
    const char **names = alloc_zeroed(json_array_size(alarms) + 1, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(alarms); i++) {
        names[count] = json_text(json_array_get(alarms, i), "name");
        count += names[count] != NULL;
    }
    const char *near = text_nearest(name, names);
    OWN(text) char *clean = people_clean(near);
    if (near)
        fprintf(ctl->err, "tocsinctl: there is no alarm `%s`: did you mean `%s`?\n", name, clean);
    else
        fprintf(ctl->err, "tocsinctl: there is no alarm `%s` (`tocsinctl alarms` lists them)\n", name);
    free(names);
    return CTL_FAILED;
}

/* `50 instances: 2 ALARM, 48 OK` */
static void print_count(CtlContext *ctl, const json_t *instances) {
    static const char *const states[] = {"ALARM", "INSUFFICIENT_DATA", "OK"};
    const char *lead = ": ";
    if (json_array_size(instances) < 2) return;
    fprintf(ctl->out, "%zu instances", json_array_size(instances));
    for (size_t s = 0; s < COUNT_OF(states); s++) {
        size_t count = 0;
        for (size_t i = 0; i < json_array_size(instances); i++) {
            const char *state = json_text(json_array_get(instances, i), "state");
            count += state && !strcmp(state, states[s]);
        }
        if (!count) continue;
        fprintf(ctl->out, "%s%zu ", lead, count);
        people_paint(ctl->out, ctl->colour, people_state_paint(states[s]), states[s]);
        lead = ", ";
    }
    fputs("\n\n", ctl->out);
}

static int print_alarm(CtlContext *ctl, const char *part, const json_t *answer) {
    const json_t *instances = json_list(answer, "instances");
    const Beyond beyond = beyond_parse(json_text(json_map(answer, "rule"), "comparison_operator"));
    if (json_array_size(instances) == 0)
        fputs("no instances: the alarm is not enabled, or was not evaluated so far\n", ctl->out);
    const json_t **ranked = ranked_new(instances);
    print_count(ctl, instances);
    for (size_t i = 0; i < json_array_size(instances); i++) print_instance(ctl, ranked[i], beyond);
    free(ranked);
    if (json_text(answer, "next")) fputs("(there are more instances: --json shows `next`)\n", ctl->out);
    OWN(json) json_t *history = NULL;
    OWN(text) char *path = text_format("/v1/history?name=%s", part);
    const int outcome = call_list(ctl, path, "transitions", SHOWN_TRANSITIONS, &history);
    if (outcome == CTL_DONE) print_changes(ctl, json_list(history, "transitions"), instances);
    return outcome;
}

static int run(const CtlVerb *verb, CtlContext *ctl, const CtlArguments *arguments) {
    (void)verb;
    const char *name = arguments->words[0];
    OWN(text) char *part = part_encode(name);
    OWN(text) char *path = text_format("/v1/alarms/%s", part);
    OWN(json) json_t *answer = NULL;
    long status = 0;
    if (ctl->json) {
        const int outcome = call_daemon(ctl, "GET", path, CALL_MS, &answer, NULL);
        if (outcome == CTL_DONE) call_print(ctl, answer);
        return outcome;
    }
    const int outcome = call_quiet(ctl, path, 404, &answer, &status);
    if (outcome == CTL_DONE) return print_alarm(ctl, part, answer);
    return outcome == CTL_FAILED && status == 404 ? not_there(ctl, name) : outcome;
}

const CtlVerb verb_show = {.name = "show",
    .arguments = "NAME",
    .help = "one alarm from all sides: datapoints against the threshold, reason, labels, last changes",
    .details = "A mark (^) stands under each datapoint that is beyond the threshold; a dot is a missing one.",
    .min_words = 1,
    .max_words = 1,
    .run = run};
