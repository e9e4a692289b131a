/* What the `metrics` key of an alarm says: metrics and expressions over them, one of which gives the alarm's series.
 * Immutable, in the snapshot. CloudWatch evaluates the expressions. */
#ifndef TOCSIN_SOURCES_MATH_SELECTOR_H
#define TOCSIN_SOURCES_MATH_SELECTOR_H

#include "sources/metric_selector.h"

extern const Source math_source; /* an alarm with this source has a MathSelector */

enum {
    MATH_ITEMS_MAX = 20,
    MATH_ID_MAX = 255,
    MATH_QUERY_KEPT_S = 3 * 3600, /* a Metrics Insights query sees the newest three hours */
};
#define MATH_LABEL_BETWEEN " | " /* between the dimensions in the label that Tocsin asks for */

typedef struct MathItem {
    const char *id, *expression, *label; /* expression NULL: a metric; label NULL: CloudWatch's own */
    MetricSelector metric; /* of a metric; its period_s is the item's, 0: not given */
    bool return_data;
    Place at; /* of the expression; of a metric, where the entry begins */
} MathItem;

typedef struct MathSelector {
    SectionList items; /* MathItem; first, where the decoder of lists puts it */
    size_t returned; /* which of them gives the alarm's series */
    int64_t period_s;
    bool is_query; /* Metrics Insights: one a call */
    bool is_many; /* it gives several series: an instance each */
    bool is_alone; /* must have a call of its own */
    const char *label; /* that CloudWatch is asked to put beside each series; NULL: its own */
    const char *const *names; /* is_many: the dimensions that `label` is made of; else the label as a whole names it */
    size_t name_count;
    double billed_units; /* metrics in it, at least 1 */
} MathSelector;

static inline const MathItem *math_item(const MathSelector *math, size_t index) {
    return (const MathItem *)math->items.items + index;
}
/* The labels of one of several series by the label that came with it; caller frees. */
Labels *math_labels(const MathSelector *math, const char *label);

#endif
