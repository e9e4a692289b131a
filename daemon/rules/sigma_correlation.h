/* Sigma's correlation rules as data: what is counted, over which rules, grouped by which fields, within how long.
 * Source: Sigma Correlation Rules Specification 2.0. Made by sigma_correlation.c, judged by
 * sigma_correlator.h. */
#ifndef TOCSIN_RULES_SIGMA_CORRELATION_H
#define TOCSIN_RULES_SIGMA_CORRELATION_H

#include "rules/count_condition.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CORRELATION_RULES_MAX = 64,
    CORRELATION_GROUP_BY_MAX = 16,
    CORRELATION_CHAIN_MAX = 16,
    CORRELATION_TIMESPAN_MAX_S = 90 * 86400
};

typedef enum { CORRELATE_EVENT_COUNT, CORRELATE_VALUE_COUNT, CORRELATE_TEMPORAL, CORRELATE_ORDERED } CorrelationKind;

typedef struct SigmaCorrelation {
    CorrelationKind kind;
    size_t rule_count;
    const uint32_t *rules; /* numbers in the set, in the order given; correlations may be among them */
    size_t group_count;
    const char *const *group_by; /* as written: a field or an alias */
    const char *const *group_fields; /* [rule * group_count + group]: the field in that rule's events */
    const char *field; /* CORRELATE_VALUE_COUNT */
    int64_t timespan_s;
    CountCondition condition; /* TEMPORAL, ORDERED: over how many of the rules were met */
} SigmaCorrelation;

#endif
