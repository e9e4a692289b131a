/* From samples and a rule to a state with its reason: the settled window, the early window beside it, and the words.
 * Pure. One call judges one window end; the caller walks the minutes. */
#ifndef TOCSIN_RULES_EVALUATE_H
#define TOCSIN_RULES_EVALUATE_H

#include "rules/window.h"

/* What an instance remembers between evaluations. Zero is a new instance: INSUFFICIENT_DATA must be set by the caller.
 */
typedef struct EvaluationMemory {
    AlarmState state;
    int64_t window_end_s; /* newest settled window end judged so far; 0: none */
    int64_t early_until_s; /* set while an early ALARM stands: end of the datapoint that tripped it; OK only from a
                              settled window that reaches past it */
} EvaluationMemory;

enum { REASON_MAX = 1024, REASON_DATAPOINTS = 5 };

typedef struct Evaluation {
    EvaluationMemory memory; /* the new one */
    Verdict verdict;
    bool changed; /* state differs from before */
    bool early; /* the unsettled window decided */
    bool too_few; /* fewer samples than the rule's samples_min: the window's datapoints counted as missing */
    double samples; /* in the window, where the rule asks for a number of them */
    bool held; /* an early ALARM stands although the settled window, which does not reach that far, is good */
    double value; /* newest real datapoint of the window that decided (early: newest that breaches); NAN: none */
    int64_t value_s; /* its stamp (period start) */
    char reason[REASON_MAX]; /* worded as alarm-semantics 1.13 shows */
} Evaluation;

/* Judges the window that ends at end_s. `settled_end_s`: windows up to there are settled; when end_s == settled_end_s
 * and the rule's `early` and `grows_only` allow it, the early window is looked at too. `scratch` holds 2 * rule->range
 * doubles. */
void evaluate(const ThresholdRule *rule, const Samples *samples, int64_t end_s, int64_t settled_end_s, bool grows_only,
    const EvaluationMemory *memory, double *scratch, Evaluation *ret);
/* The step of window ends: 60 s, 10 s for high resolution (period < 60), 3,600 s beyond one day of range (multi-day).
 */
int64_t evaluation_step_s(const ThresholdRule *rule);
/* The newest window end not after `now_s - settle_s`, on the step. */
int64_t evaluation_end_s(const ThresholdRule *rule, int64_t now_s, int64_t settle_s);
/* The operator of a rule as a sign: > >= < <=. */
const char *comparison_sign(Comparison comparison);

#endif
