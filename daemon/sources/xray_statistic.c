#include "sources/xray_statistic.h"

#include "rules/statistic.h"

#include <math.h>
#include <string.h>

static const char *const simple[] = {
    [XRAY_FAULT_RATE] = "fault_rate",
    [XRAY_ERROR_RATE] = "error_rate",
    [XRAY_THROTTLE_RATE] = "throttle_rate",
    [XRAY_OK_RATE] = "ok_rate",
    [XRAY_REQUEST_COUNT] = "request_count",
    [XRAY_FAULT_COUNT] = "fault_count",
    [XRAY_ERROR_COUNT] = "error_count",
    [XRAY_THROTTLE_COUNT] = "throttle_count",
    [XRAY_AVERAGE_RESPONSE_TIME] = "average_response_time",
};

const char *const xray_statistic_words[] = {"fault_rate", "error_rate", "throttle_rate", "ok_rate", "request_count",
    "fault_count", "error_count", "throttle_count", "average_response_time", "p50", "p90", "p95", "p99", "p99.9", NULL};

bool xray_statistic_parse(const char *text, XrayStatistic *ret_statistic) {
    Statistic percentile;
    for (size_t i = 0; i < COUNT_OF(simple); i++) {
        if (strcmp(text, simple[i]) != 0) continue;
        *ret_statistic = (XrayStatistic){.kind = (XrayStatisticKind)i};
        return true;
    }
    if (text[0] != 'p' || !statistic_parse(text, &percentile) || percentile.percentile_e10 <= 0) return false;
    *ret_statistic = (XrayStatistic){.kind = XRAY_PERCENTILE, .percentile_e10 = percentile.percentile_e10};
    return true;
}

bool xray_statistic_is_rate(XrayStatisticKind kind) { return kind <= XRAY_OK_RATE; }
bool xray_statistic_is_count(XrayStatisticKind kind) {
    return kind >= XRAY_REQUEST_COUNT && kind <= XRAY_THROTTLE_COUNT;
}

double histogram_percentile(const Histogram *histogram, int64_t percentile_e10) {
    const unsigned __int128 whole = (unsigned __int128)STATISTIC_WHOLE; /* in integers: 0.07 x 100 is above 7 */
    const unsigned __int128 exact = (unsigned __int128)histogram->total * (unsigned __int128)percentile_e10;
    const int64_t ranked = (int64_t)((exact + whole - 1) / whole), rank = ranked > 0 ? ranked : 1;
    int64_t running = 0;
    for (size_t i = 0; i < histogram->length; i++) {
        if (__builtin_add_overflow(running, histogram->entries[i].count, &running)) running = INT64_MAX;
        if (running >= rank) return histogram->entries[i].value;
    }
    return NAN;
}

/* erfc(-z / sqrt 2) / 2 is the normal distribution up to z. */
double wilson_z(double confidence) {
    double low = 0, high = 40;
    if (!(confidence > 0.5 && confidence < 1)) return 0;
    for (int i = 0; i < 100; i++) {
        const double middle = (low + high) / 2;
        if (erfc(middle / M_SQRT2) / 2 > 1 - confidence)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double wilson_bound(int64_t hits, int64_t total, double z, bool upper) {
    const double n = (double)total, p = fmin((double)hits / n, 1);
    const double centre = p + z * z / (2 * n), spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const double bound = (upper ? centre + spread : centre - spread) / (1 + z * z / n);
    return fmin(fmax(bound, 0), 1);
}

static int64_t hits_of(XrayStatisticKind kind, const GraphFigures *figures) {
    switch (kind) {
    case XRAY_FAULT_RATE:
    case XRAY_FAULT_COUNT: return figures->fault;
    case XRAY_ERROR_RATE:
    case XRAY_ERROR_COUNT: return figures->error;
    case XRAY_THROTTLE_RATE:
    case XRAY_THROTTLE_COUNT: return figures->throttle;
    case XRAY_OK_RATE: return figures->ok;
    case XRAY_REQUEST_COUNT: return figures->total;
    case XRAY_AVERAGE_RESPONSE_TIME:
    case XRAY_PERCENTILE: break;
    }
    return -1;
}

static const Histogram *histogram_for(const GraphFigures *figures) {
    return figures->response.length ? &figures->response : &figures->age;
}

bool xray_statistic_is_age(const XrayStatistic *statistic, const GraphFigures *figures) {
    return statistic->kind == XRAY_PERCENTILE && !figures->response.length && figures->age.length;
}

double xray_statistic_value(const XrayStatistic *statistic, const GraphFigures *figures, double *ret_samples) {
    if (statistic->kind == XRAY_PERCENTILE) {
        const Histogram *histogram = histogram_for(figures);
        *ret_samples = histogram->length ? (double)histogram->total : NAN;
        return histogram_percentile(histogram, statistic->percentile_e10);
    }
    *ret_samples = figures->has_counts && figures->total > 0 ? (double)figures->total : NAN;
    if (isnan(*ret_samples)) return NAN;
    if (statistic->kind == XRAY_AVERAGE_RESPONSE_TIME) return figures->seconds / (double)figures->total;
    const int64_t hits = hits_of(statistic->kind, figures);
    if (hits < 0) return NAN; /* OkCount was not said */
    if (xray_statistic_is_count(statistic->kind)) return (double)hits;
    if (statistic->z > 0) return 100 * wilson_bound(hits, figures->total, statistic->z, statistic->wants_upper);
    return fmin(100 * (double)hits / (double)figures->total, 100); /* a segment may carry several flags */
}
