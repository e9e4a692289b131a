/* Why a state was reached, in the words that users of CloudWatch know and search for. Pure; evaluate() calls it. */
#ifndef TOCSIN_RULES_REASON_H
#define TOCSIN_RULES_REASON_H

#include "rules/evaluate.h"

/* `ret` holds the verdict and how it was reached; `values` are the `rule->range` datapoints that decided, ending at
 * end_s. An infinite value is a stand-in and is never shown. Writes ret->reason. */
void reason_write(const ThresholdRule *rule, const double *values, int64_t end_s, AlarmState previous, Evaluation *ret);

#endif
