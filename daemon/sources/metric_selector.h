/* What the `metric` key of an alarm says: one CloudWatch metric and a statistic of it. Immutable, in the snapshot. For
 * the source itself, and for who evaluates a metric's alarm over other data (backtest). */
#ifndef TOCSIN_SOURCES_METRIC_SELECTOR_H
#define TOCSIN_SOURCES_METRIC_SELECTOR_H

#include "rules/statistic.h"
#include "sources/source.h"

extern const Source cloudwatch_source; /* an alarm with this source has a MetricSelector */

typedef struct MetricSelector {
    const char *namespace, *metric_name, *statistic;
    const char *unit; /* NULL: any */
    TextMap dimensions;
    int64_t period_s;
    int unit_choice; /* 0: none given */
    Statistic parsed; /* of `statistic` */
    Place at; /* of the `metric` key's value; in an entry of `metrics` the entry says it */
    const Label *series; /* the dimensions, sorted by name; dimensions.count of them */
} MetricSelector;

#endif
