#include "rules/judge.h"

#include "base/own.h"

#include <math.h>
#include <string.h>

static const char *const state_words[] = {
    [STATE_OK] = "OK",
    [STATE_ALARM] = "ALARM",
    [STATE_INSUFFICIENT_DATA] = "INSUFFICIENT_DATA",
};

const char *state_word(AlarmState state) { return state_words[state]; }

bool state_parse(const char *word, AlarmState *ret_state) {
    for (size_t i = 0; i < COUNT_OF(state_words); i++) {
        if (strcmp(word, state_words[i]) != 0) continue;
        *ret_state = (AlarmState)i;
        return true;
    }
    return false;
}

bool comparison_parse(const char *word, Comparison *ret_comparison) {
    static const struct {
        const char *sign, *name;
    } words[] = {
        [COMPARE_GT] = {">", "GreaterThanThreshold"},
        [COMPARE_GE] = {">=", "GreaterThanOrEqualToThreshold"},
        [COMPARE_LT] = {"<", "LessThanThreshold"},
        [COMPARE_LE] = {"<=", "LessThanOrEqualToThreshold"},
    };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(word, words[i].sign) != 0 && strcmp(word, words[i].name) != 0) continue;
        *ret_comparison = (Comparison)i;
        return true;
    }
    return false;
}

bool judge_breaches(const ThresholdRule *rule, double value, AlarmState previous) {
    const bool clearing = rule->has_ok_threshold && previous == STATE_ALARM;
    const double threshold = clearing ? rule->ok_threshold : rule->threshold;
    switch (rule->comparison) {
    case COMPARE_GT: return value > threshold;
    case COMPARE_GE: return value >= threshold;
    case COMPARE_LT: return value < threshold;
    case COMPARE_LE: return value <= threshold;
    }
    return false;
}

int64_t judge_samples_needed(int64_t percentile_e10) {
    const int64_t whole = 1000000000000; /* 100 percent */
    const int64_t rest = percentile_e10 >= whole / 2 ? whole - percentile_e10 : percentile_e10;
    return rest > 0 ? (10 * whole + rest - 1) / rest : 0;
}

/* What one pass over the window finds. */
typedef struct Tally {
    size_t real, breaching, oldest_age;
    size_t newest_breaching; /* among the n newest real ones */
    double fewest_samples; /* of the datapoints that decide */
} Tally;

static Tally tally(
    const ThresholdRule *rule, const double *window, const double *counts, size_t length, AlarmState previous) {
    Tally t = {.fewest_samples = INFINITY};
    for (size_t age = 1; age <= length; age++) {
        const double value = window[length - age];
        if (isnan(value)) continue;
        const bool breach = judge_breaches(rule, value, previous);
        if (t.real < rule->n) {
            t.newest_breaching += breach;
            if (counts && counts[length - age] < t.fewest_samples) t.fewest_samples = counts[length - age];
        }
        t.breaching += breach;
        t.real++;
        t.oldest_age = age;
    }
    return t;
}

static Verdict verdict_filled(const ThresholdRule *rule, const Tally *t) {
    const size_t filled = rule->n - t->real;
    const size_t breaching = t->breaching + (rule->missing == MISSING_BREACHING ? filled : 0);
    return (Verdict){breaching >= rule->m ? STATE_ALARM : STATE_OK, t->real, t->breaching, filled, BASIS_FILLED};
}

/* Fewer than n in the whole range, and missing data is not filled in. */
static Verdict verdict_short(const ThresholdRule *rule, const Tally *t, AlarmState previous) {
    const bool ignore = rule->missing == MISSING_IGNORE;
    Verdict v = {previous, t->real, t->breaching, 0, BASIS_KEPT};
    if (t->real == 0 && !ignore) {
        v.state = STATE_INSUFFICIENT_DATA;
        v.basis = BASIS_EMPTY;
    } else if (t->breaching >= rule->m || t->breaching < t->real) {
        v.state = t->breaching >= rule->m ? STATE_ALARM : STATE_OK;
        v.basis = BASIS_DATAPOINTS;
    } else if (t->real > 0 && t->oldest_age < rule->m) {
        v.state = previous == STATE_ALARM ? STATE_ALARM : STATE_OK;
        v.basis = BASIS_YOUNG;
    } else if (!ignore) {
        v.state = STATE_ALARM;
        v.basis = BASIS_PREMATURE;
    }
    return v;
}

Verdict judge(
    const ThresholdRule *rule, const double *window, const double *counts, size_t length, AlarmState previous) {
    const Tally t = tally(rule, window, counts, length, previous);
    if (rule->ignore_low_samples && t.fewest_samples < (double)judge_samples_needed(rule->percentile_e10))
        return (Verdict){previous, t.real, t.breaching, 0, BASIS_FEW_SAMPLES};
    if (t.real < rule->n) {
        const bool fills = rule->missing == MISSING_BREACHING || rule->missing == MISSING_NOT_BREACHING;
        return fills ? verdict_filled(rule, &t) : verdict_short(rule, &t, previous);
    }
    const AlarmState state = t.newest_breaching >= rule->m ? STATE_ALARM : STATE_OK; /* enough: gaps do not matter */
    return (Verdict){state, rule->n, t.newest_breaching, 0, BASIS_DATAPOINTS};
}
