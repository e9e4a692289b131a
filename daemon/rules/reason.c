#include "rules/reason.h"

#include "base/text.h"
#include "base/timetext.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Line {
    char *text;
    size_t used;
} Line;

/* What does not fit is cut: every part is ASCII. A reason is written for each alarm in each poll: what is in most of
 * them is put together without printf, which took a sixth of a cycle. */
static void add_text(Line *line, const char *text) {
    const size_t length = strlen(text), room = REASON_MAX - 1 - line->used;
    const size_t taken = length < room ? length : room;
    memcpy(line->text + line->used, text, taken);
    line->used += taken;
    line->text[line->used] = '\0';
}

static void add_count(Line *line, size_t count) {
    char text[WHOLE_TEXT_MAX];
    add_text(line, whole_format(count, text));
}

__attribute__((format(printf, 2, 3))) static void add(Line *line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int wanted = vsnprintf(line->text + line->used, REASON_MAX - line->used, format, args);
    va_end(args);
    if (wanted > 0) line->used += (size_t)wanted;
    if (line->used > REASON_MAX - 1) line->used = REASON_MAX - 1;
}

/* As CloudWatch prints a double: never without a decimal point. */
static void add_number(Line *line, double value) {
    char text[NUMBER_TEXT_MAX];
    number_format(value, text);
    add_text(line, text);
    if (!strpbrk(text, ".e")) add_text(line, ".0");
}

static const char *plural(size_t count, const char *one, const char *many) { return count == 1 ? one : many; }

static const char *comparison_words(Comparison comparison) {
    switch (comparison) {
    case COMPARE_GT: return "greater than";
    case COMPARE_GE: return "greater than or equal to";
    case COMPARE_LT: return "less than";
    case COMPARE_LE: return "less than or equal to";
    }
    return "";
}

/* The datapoints among those that decided which breach, or which do not: newest first, as [value (stamp), ...]. Returns
 * their number. */
static size_t add_datapoints(Line *line, const ThresholdRule *rule, const double *values, int64_t end_s,
    AlarmState previous, const Verdict *verdict, bool breaching) {
    size_t seen = 0, shown = 0;
    char stamp[TIME_TEXT_MAX];
    add_text(line, "[");
    for (size_t i = rule->range; i-- > 0 && seen < verdict->real;) {
        if (isnan(values[i])) continue;
        seen++;
        if (judge_breaches(rule, values[i], previous) != breaching || isinf(values[i])) continue;
        if (++shown > REASON_DATAPOINTS) continue;
        if (shown > 1) add_text(line, ", ");
        add_number(line, values[i]);
        time_format_reason(window_start(end_s, rule->period_s, rule->range, i) * 1000, stamp);
        add_text(line, " (");
        add_text(line, stamp);
        add_text(line, ")");
    }
    add_text(line, shown > REASON_DATAPOINTS ? ", ...]" : "]");
    return shown;
}

static void add_filled(Line *line, const ThresholdRule *rule, size_t filled) {
    add(line, "%zu missing %s treated as [%s]", filled, plural(filled, "datapoint was", "datapoints were"),
        rule->missing == MISSING_BREACHING ? "Breaching" : "NonBreaching");
}

static void add_crossing(Line *line, const ThresholdRule *rule, const double *values, int64_t end_s,
    AlarmState previous, const Verdict *verdict) {
    const size_t good = verdict->real - verdict->breaching;
    /* an ALARM shows what breaches, an OK what does not, as far as there is any */
    const bool breaching = verdict->state == STATE_ALARM ? verdict->breaching > 0 : good == 0;
    const size_t hits = breaching ? verdict->breaching : good;
    add_text(line, verdict->basis == BASIS_YOUNG ? "Too Few Datapoints: " : "Threshold Crossed: ");
    add_count(line, hits);
    add_text(line, " out of the last ");
    add_count(line, verdict->real);
    add_text(line, " datapoints ");
    add_datapoints(line, rule, values, end_s, previous, verdict, breaching);
    const bool clearing = rule->has_ok_threshold && previous == STATE_ALARM;
    add_text(line, plural(hits, " was ", " were "));
    if (!breaching) add_text(line, "not ");
    add_text(line, comparison_words(rule->comparison));
    add_text(line, clearing ? " the ok_threshold (" : " the threshold (");
    add_number(line, clearing ? rule->ok_threshold : rule->threshold);
    add_text(line, ")");
    if (verdict->basis == BASIS_FILLED) {
        add_text(line, " and ");
        add_filled(line, rule, verdict->filled);
    }
    if (verdict->basis == BASIS_PREMATURE) add_text(line, " and no other datapoint was received");
    const size_t minimum = verdict->state == STATE_ALARM || breaching ? rule->m : rule->n - rule->m + 1;
    add_text(line, " (minimum ");
    add_count(line, minimum);
    add_text(line, plural(minimum, " datapoint for ", " datapoints for "));
    add_text(line, verdict->state == STATE_ALARM || breaching ? "OK -> ALARM" : "ALARM -> OK");
    add_text(line, " transition).");
}

static void add_missing(Line *line, const ThresholdRule *rule, const Verdict *verdict) {
    add(line, "Threshold Crossed: no datapoints were received for %zu %s and ", rule->n,
        plural(rule->n, "period", "periods"));
    add_filled(line, rule, verdict->filled);
    add(line, ".");
}

static void add_verdict(Line *line, const ThresholdRule *rule, const double *values, int64_t end_s, AlarmState previous,
    const Verdict *verdict) {
    switch (verdict->basis) {
    case BASIS_EMPTY:
        add(line, "Insufficient Data: %zu %s unknown.", rule->n, plural(rule->n, "datapoint was", "datapoints were"));
        return;
    case BASIS_KEPT:
        add(line, "Unchanged: %zu of %zu datapoints were received, and missing data is ignored.", verdict->real,
            rule->n);
        return;
    case BASIS_FEW_SAMPLES:
        add(line, "Unchanged: the percentile stands on fewer than %lld samples.",
            (long long)judge_samples_needed(rule->percentile_e10));
        return;
    case BASIS_FILLED:
        if (verdict->real == 0) return add_missing(line, rule, verdict);
        break;
    case BASIS_DATAPOINTS:
    case BASIS_PREMATURE:
    case BASIS_YOUNG: break;
    }
    add_crossing(line, rule, values, end_s, previous, verdict);
}

void reason_write(
    const ThresholdRule *rule, const double *values, int64_t end_s, AlarmState previous, Evaluation *ret) {
    Line line = {ret->reason, 0};
    ret->reason[0] = '\0';
    if (ret->held) {
        char stamp[TIME_TEXT_MAX];
        time_format_reason(ret->memory.early_until_s * 1000, stamp);
        add(&line, "Threshold Crossed: stays in ALARM until the periods before (%s) have settled.", stamp);
        return;
    }
    add_verdict(&line, rule, values, end_s, previous, &ret->verdict);
    if (ret->too_few)
        add(&line, " Too few requests: %.0f in the window, minimum_requests is %.0f.", ret->samples, rule->samples_min);
    if (ret->early) add(&line, " Early: the newest period is still filling.");
}
