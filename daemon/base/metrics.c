#include "base/metrics.h"

#include "base/alloc.h"
#include "base/table.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

typedef struct Series {
    UT_hash_handle hh;
    double value;
    char labels[]; /* as printed, with the braces; the key */
} Series;

typedef struct Family {
    UT_hash_handle hh;
    const Metric *metric;
    Series *series;
} Family;

struct Metrics {
    Family *families; /* by the metric's name */
};

enum { METRICS_LABEL_BYTES = 65536 };

static const Metric dropped = {
    "tocsin_metrics_dropped_total", "Label sets that were beyond the bound of a metric.", METRIC_COUNTER, {"metric"}};

Metrics *metrics_new(void) { return alloc_zeroed(1, sizeof(Metrics)); }

static void forget(Family *family) {
    Series *series, *next;
    HASH_ITER(hh, family->series, series, next) {
        HASH_DEL(family->series, series);
        free(series);
    }
}

Metrics *metrics_free(Metrics *metrics) {
    if (!metrics) return NULL;
    Family *family, *next;
    HASH_ITER(hh, metrics->families, family, next) {
        forget(family);
        HASH_DEL(metrics->families, family);
        free(family);
    }
    free(metrics);
    return NULL;
}

static Family *family_find(const Metrics *metrics, const Metric *metric) {
    Family *family = NULL;
    if (metrics) HASH_FIND_STR(metrics->families, metric->name, family);
    return family;
}

static Family *family_make(Metrics *metrics, const Metric *metric) {
    Family *family = family_find(metrics, metric);
    if (family) return family;
    family = alloc_zeroed(1, sizeof *family);
    family->metric = metric;
    HASH_ADD_KEYPTR(hh, metrics->families, metric->name, strlen(metric->name), family);
    return family;
}

static void add_escaped(Buffer *out, const char *text, bool quotes_too) {
    for (; *text; text++) {
        if (*text == '\n') {
            buffer_text(out, "\\n");
        } else {
            if (*text == '\\' || (quotes_too && *text == '"')) buffer_text(out, "\\");
            buffer_add(out, text, 1);
        }
    }
}

static char *labels_text(const Metric *metric, const char *const *values) {
    Buffer text = BUFFER(METRICS_LABEL_BYTES);
    const char *before = "{";
    for (size_t i = 0; i < METRIC_LABELS && metric->labels[i]; i++) {
        buffer_format(&text, "%s%s=\"", before, metric->labels[i]);
        add_escaped(&text, values && values[i] ? values[i] : "", true);
        buffer_text(&text, "\"");
        before = ",";
    }
    if (text.used) buffer_text(&text, "}");
    return buffer_take(&text);
}

/* The series of these values; NULL where the metric is full. */
static Series *series_make(Metrics *metrics, const Metric *metric, const char *const *values) {
    Family *family = family_make(metrics, metric);
    OWN(text) char *labels = labels_text(metric, values);
    Series *series = NULL;
    HASH_FIND_STR(family->series, labels, series);
    if (series) return series;
    if (HASH_COUNT(family->series) >= METRICS_SERIES) {
        if (metric != &dropped) metric_add(metrics, &dropped, 1, METRIC_VALUES(metric->name));
        return NULL;
    }
    const size_t length = strlen(labels);
    series = alloc_zeroed(1, sizeof *series + length + 1);
    memcpy(series->labels, labels, length);
    HASH_ADD_STR(family->series, labels, series);
    return series;
}

void metric_add(Metrics *metrics, const Metric *metric, double by, const char *const *values) {
    Series *series = metrics ? series_make(metrics, metric, values) : NULL;
    if (series) series->value += by;
}

void metric_set(Metrics *metrics, const Metric *metric, double value, const char *const *values) {
    Series *series = metrics ? series_make(metrics, metric, values) : NULL;
    if (series) series->value = value;
}

double metric_get(const Metrics *metrics, const Metric *metric, const char *const *values) {
    const Family *family = family_find(metrics, metric);
    if (!family) return 0;
    OWN(text) char *labels = labels_text(metric, values);
    const Series *series = NULL;
    HASH_FIND_STR(family->series, labels, series);
    return series ? series->value : 0;
}

double metric_sum(const Metrics *metrics, const Metric *metric) {
    const Family *family = family_find(metrics, metric);
    double sum = 0;
    if (!family) return 0;
    for (const Series *series = family->series; series; series = series->hh.next) sum += series->value;
    return sum;
}

void metric_clear(Metrics *metrics, const Metric *metric) {
    Family *family = family_find(metrics, metric);
    if (family) forget(family);
}

static int family_order(const void *a, const void *b) {
    return strcmp((*(const Family *const *)a)->metric->name, (*(const Family *const *)b)->metric->name);
}

static int series_order(const void *a, const void *b) {
    return strcmp((*(const Series *const *)a)->labels, (*(const Series *const *)b)->labels);
}

/* Prometheus' text format 0.0.4, in one order, so that two prints of the same counters are the same bytes. */
static void family_print(const Family *family, Buffer *out) {
    const size_t count = HASH_COUNT(family->series);
    const Metric *metric = family->metric;
    const Series **order = alloc_zeroed(count, sizeof(const Series *));
    size_t i = 0;
    for (const Series *series = family->series; series; series = series->hh.next) order[i++] = series;
    qsort(order, count, sizeof *order, series_order);
    buffer_format(out, "# HELP %s ", metric->name);
    add_escaped(out, metric->help, false);
    buffer_format(out, "\n# TYPE %s %s\n", metric->name, metric->type == METRIC_COUNTER ? "counter" : "gauge");
    for (i = 0; i < count; i++) {
        char number[NUMBER_TEXT_MAX];
        buffer_format(out, "%s%s %s\n", metric->name, order[i]->labels, number_format(order[i]->value, number));
    }
    free(order);
}

void metrics_print(const Metrics *metrics, Buffer *out) {
    const size_t count = HASH_COUNT(metrics->families);
    const Family **order = alloc_zeroed(count, sizeof(const Family *));
    size_t i = 0;
    for (const Family *family = metrics->families; family; family = family->hh.next) order[i++] = family;
    qsort(order, count, sizeof *order, family_order);
    for (i = 0; i < count; i++) family_print(order[i], out);
    free(order);
}
