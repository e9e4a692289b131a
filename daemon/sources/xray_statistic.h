/* A statistic of a service or an edge of the service graph, and its value over one window's figures. Pure; any thread.
 * Percentages are of TotalCount (the documented buckets leave out 3xx). No traffic is no data, never 0 percent. */
#ifndef TOCSIN_SOURCES_XRAY_STATISTIC_H
#define TOCSIN_SOURCES_XRAY_STATISTIC_H

#include "sources/xray_graph.h"

typedef enum {
    XRAY_FAULT_RATE,
    XRAY_ERROR_RATE,
    XRAY_THROTTLE_RATE,
    XRAY_OK_RATE,
    XRAY_REQUEST_COUNT,
    XRAY_FAULT_COUNT,
    XRAY_ERROR_COUNT,
    XRAY_THROTTLE_COUNT,
    XRAY_AVERAGE_RESPONSE_TIME, /* s */
    XRAY_PERCENTILE /* s, by nearest rank */
} XrayStatisticKind;

typedef struct XrayStatistic {
    XrayStatisticKind kind;
    int64_t percentile_e10; /* PERCENTILE: percent x 10^10, above 0, at most 100 percent */
    double z; /* rates: compare the Wilson bound at so many standard deviations; 0: the plain rate */
    bool wants_upper; /* with z: the bound above the rate, for < and <=; else that below it */
} XrayStatistic;

/* `fault_rate`, `p99.9`. False: none; `ret_statistic` gets z 0. */
bool xray_statistic_parse(const char *text, XrayStatistic *ret_statistic);
extern const char *const xray_statistic_words[]; /* for the nearest name; ends at NULL */
bool xray_statistic_is_rate(XrayStatisticKind kind);
bool xray_statistic_is_count(XrayStatisticKind kind);

/* The statistic; NAN where there is no data. `*ret_samples` gets what it stands on: requests, for a percentile the
 * histogram's entries. */
double xray_statistic_value(const XrayStatistic *statistic, const GraphFigures *figures, double *ret_samples);
/* Does a percentile of these figures tell how old events were, for want of response times (an asynchronous edge)? */
bool xray_statistic_is_age(const XrayStatistic *statistic, const GraphFigures *figures);
/* Nearest rank: the first value whose running count reaches max(1, ceil(total x percent)); NAN where it is empty. */
double histogram_percentile(const Histogram *histogram, int64_t percentile_e10);

/* How many standard deviations a one-sided confidence of 0 < c < 1 is: the standard normal distribution's quantile at
 * c, by bisection of erfc(); 0 for c <= 0.5 and what is no confidence. */
double wilson_z(double confidence);
/* The lower or upper end, as a share, of Wilson's score interval for `hits` of `total` > 0:
 * (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), p = hits / n.
 * Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927). */
double wilson_bound(int64_t hits, int64_t total, double z, bool upper);

#endif
