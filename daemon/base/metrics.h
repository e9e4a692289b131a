/* Tocsin's own counters and gauges, printed as Prometheus text. Each module declares its Metric as a static const; one
 * registry is handed around. Loop thread only. A metric has at most METRICS_SERIES label sets; what is beyond is
 * counted in tocsin_metrics_dropped_total. */
#ifndef TOCSIN_BASE_METRICS_H
#define TOCSIN_BASE_METRICS_H

#include "base/buffer.h"
#include "base/own.h"

enum { METRICS_SERIES = 2000, METRIC_LABELS = 6 };

typedef struct Metric {
    const char *name, *help;
    enum { METRIC_COUNTER, METRIC_GAUGE } type;
    const char *labels[METRIC_LABELS]; /* their names; the rest NULL */
} Metric;

typedef struct Metrics Metrics;

Metrics *metrics_new(void);
Metrics *metrics_free(Metrics *metrics);
OWN_DEFINE(Metrics, metrics)

#define METRIC_VALUES(...) ((const char *const[METRIC_LABELS]){__VA_ARGS__})
/* `values` run parallel to the metric's label names; NULL where it has none. `metrics` may be NULL: nothing happens. */
void metric_add(Metrics *metrics, const Metric *metric, double by, const char *const *values);
void metric_set(Metrics *metrics, const Metric *metric, double value, const char *const *values);
double metric_get(const Metrics *metrics, const Metric *metric, const char *const *values); /* 0 if never set */
double metric_sum(const Metrics *metrics, const Metric *metric); /* over all its label sets */
void metric_clear(Metrics *metrics, const Metric *metric); /* forgets its label sets: a gauge made anew */
void metrics_print(const Metrics *metrics, Buffer *out);

#endif
