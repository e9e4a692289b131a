#include "rules/statistic.h"

#include "base/own.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { PERCENT_DECIMALS = 10 };

/* `99`, `99.9`, `0.0000000001` at the start of `*text`, at most 100; moves `*text` behind it. */
static bool percent_read(const char **text, int64_t *ret_e10) {
    int64_t value = 0;
    size_t digits = 0, decimals = 0;
    const char *p = *text;
    for (; isdigit((unsigned char)*p); p++, digits++) {
        value = value * 10 + (*p - '0');
        if (value > 100) return false;
    }
    if (digits == 0) return false;
    if (*p == '.') {
        p++;
        for (; isdigit((unsigned char)*p); p++, decimals++) {
            if (decimals == PERCENT_DECIMALS) return false;
            value = value * 10 + (*p - '0');
        }
        if (decimals == 0) return false;
    }
    for (; decimals < PERCENT_DECIMALS; decimals++) value *= 10;
    if (value > STATISTIC_WHOLE) return false;
    *text = p;
    *ret_e10 = value;
    return true;
}

/* `p99.9`, `tm95`: a prefix and a percent. */
static bool short_form(const char *text, const char *prefix, int64_t *ret_e10) {
    const size_t length = strlen(prefix);
    if (strncmp(text, prefix, length) != 0) return false;
    const char *p = text + length;
    return percent_read(&p, ret_e10) && *p == '\0';
}

/* One side of `a:b`; empty is open. `percent` becomes 1 or 0 as the first given side says; the other must agree. */
static bool bound_read(const char *text, size_t length, int *percent, int64_t *e10, double *value) {
    char side[STATISTIC_TEXT_MAX];
    if (length == 0) return true;
    if (length >= sizeof side) return false;
    memcpy(side, text, length);
    side[length] = '\0';
    const int is_percent = side[length - 1] == '%';
    if (*percent >= 0 && *percent != is_percent) return false;
    *percent = is_percent;
    if (!is_percent) return number_parse(side, value);
    const char *p = side;
    return percent_read(&p, e10) && strcmp(p, "%") == 0;
}

/* `(a:b)`, one side of which may be open. */
static bool range_form(const char *text, Statistic *s) {
    const size_t length = strlen(text);
    const char *colon = strchr(text, ':');
    if (length < 4 || length > STATISTIC_TEXT_MAX || text[0] != '(' || text[length - 1] != ')' || !colon) return false;
    int percent = -1;
    s->lower_e10 = 0;
    s->upper_e10 = STATISTIC_WHOLE;
    s->lower_value = -INFINITY;
    s->upper_value = INFINITY;
    if (!bound_read(text + 1, (size_t)(colon - text - 1), &percent, &s->lower_e10, &s->lower_value)) return false;
    if (!bound_read(colon + 1, (size_t)(text + length - 1 - (colon + 1)), &percent, &s->upper_e10, &s->upper_value))
        return false;
    s->by_percent = percent == 1;
    return s->by_percent ? s->lower_e10 < s->upper_e10 : s->lower_value < s->upper_value;
}

static bool trimmed_parse(const char *text, Statistic *s) {
    static const struct {
        const char *prefix, *range_prefix;
        StatisticKind kind;
    } forms[] = {
        {"tm", "TM", STATISTIC_TRIMMED_MEAN},
        {"tc", "TC", STATISTIC_TRIMMED_COUNT},
        {"ts", "TS", STATISTIC_TRIMMED_SUM},
        {"wm", "WM", STATISTIC_WINSORIZED_MEAN},
        {NULL, "PR", STATISTIC_PERCENTILE_RANK},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        s->kind = forms[i].kind;
        if (strncmp(text, forms[i].range_prefix, 2) == 0)
            return range_form(text + 2, s) && !(s->kind == STATISTIC_PERCENTILE_RANK && s->by_percent);
        if (!forms[i].prefix || !short_form(text, forms[i].prefix, &s->upper_e10)) continue;
        s->by_percent = true;
        return s->upper_e10 > 0;
    }
    return false;
}

bool statistic_parse(const char *text, Statistic *ret_statistic) {
    static const char *const simple[] = {
        [STATISTIC_AVERAGE] = "Average",
        [STATISTIC_SUM] = "Sum",
        [STATISTIC_MINIMUM] = "Minimum",
        [STATISTIC_MAXIMUM] = "Maximum",
        [STATISTIC_SAMPLE_COUNT] = "SampleCount",
    };
    Statistic s = {.kind = STATISTIC_PERCENTILE};
    if (strlen(text) > STATISTIC_TEXT_MAX) return false;
    for (size_t i = 0; i < COUNT_OF(simple); i++) {
        if (strcmp(text, simple[i]) != 0) continue;
        *ret_statistic = (Statistic){.kind = (StatisticKind)i};
        return true;
    }
    if (strcmp(text, "IQM") == 0)
        s = (Statistic){.kind = STATISTIC_TRIMMED_MEAN,
            .by_percent = true,
            .lower_e10 = STATISTIC_WHOLE / 4,
            .upper_e10 = STATISTIC_WHOLE / 4 * 3};
    else if (!short_form(text, "p", &s.percentile_e10) && !trimmed_parse(text, &s))
        return false;
    *ret_statistic = s;
    return true;
}

bool statistic_folds(const Statistic *statistic) { return statistic->kind <= STATISTIC_SAMPLE_COUNT; }

/* Rows [first, end) of the sorted rows lie within the bounds. */
static void trim(const Statistic *s, const double *rows, size_t count, size_t *ret_first, size_t *ret_end) {
    size_t first = 0, end = count;
    if (s->by_percent) {
        first = (size_t)floorl((long double)count * (long double)s->lower_e10 / (long double)STATISTIC_WHOLE);
        end = (size_t)ceill((long double)count * (long double)s->upper_e10 / (long double)STATISTIC_WHOLE);
    } else {
        while (first < count && rows[first] <= s->lower_value) first++;
        while (end > first && rows[end - 1] > s->upper_value) end--;
    }
    *ret_first = first;
    *ret_end = end;
}

static double trimmed_over(const Statistic *s, const double *rows, size_t count) {
    size_t first, end;
    trim(s, rows, count, &first, &end);
    const size_t kept = end - first;
    if (s->kind == STATISTIC_TRIMMED_COUNT) return (double)kept;
    if (s->kind == STATISTIC_PERCENTILE_RANK) return 100.0 * (double)kept / (double)count;
    if (kept == 0) return NAN;
    double sum = 0;
    for (size_t i = first; i < end; i++) sum += rows[i];
    if (s->kind == STATISTIC_TRIMMED_SUM) return sum;
    if (s->kind == STATISTIC_TRIMMED_MEAN) return sum / (double)kept;
    sum += (double)first * rows[first] +
        (double)(count - end) * rows[end - 1]; /* what lies outside takes the edge's value */
    return sum / (double)count;
}

double statistic_over(const Statistic *s, const double *rows, size_t count) {
    if (count == 0) return NAN;
    double sum = 0;
    switch (s->kind) {
    case STATISTIC_AVERAGE:
    case STATISTIC_SUM:
        for (size_t i = 0; i < count; i++) sum += rows[i];
        return s->kind == STATISTIC_SUM ? sum : sum / (double)count;
    case STATISTIC_MINIMUM: return rows[0];
    case STATISTIC_MAXIMUM: return rows[count - 1];
    case STATISTIC_SAMPLE_COUNT: return (double)count;
    case STATISTIC_PERCENTILE: {
        const long double exact = (long double)count * (long double)s->percentile_e10 / (long double)STATISTIC_WHOLE;
        const size_t rank = (size_t)ceill(exact);
        return rows[rank > 0 ? rank - 1 : 0];
    }
    case STATISTIC_TRIMMED_MEAN:
    case STATISTIC_TRIMMED_COUNT:
    case STATISTIC_TRIMMED_SUM:
    case STATISTIC_WINSORIZED_MEAN:
    case STATISTIC_PERCENTILE_RANK: break;
    }
    return trimmed_over(s, rows, count);
}
