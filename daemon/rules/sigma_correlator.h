/* Correlation rules over the matches of their parts: a window a correlation, fed event by event in any order. Pure: no
 * clock, no I/O. One thread at a time; the set is borrowed. */
#ifndef TOCSIN_RULES_SIGMA_CORRELATOR_H
#define TOCSIN_RULES_SIGMA_CORRELATOR_H

#include "rules/event_window.h"
#include "rules/sigma_set.h"

typedef struct SigmaCorrelator SigmaCorrelator;

/* `late_s`: how much later than others an event may come and still be counted with them. */
SigmaCorrelator *sigma_correlator_new(const SigmaSet *set, int64_t late_s);
SigmaCorrelator *sigma_correlator_free(SigmaCorrelator *correlator);
OWN_DEFINE(SigmaCorrelator, sigma_correlator)

typedef struct SigmaFired {
    uint32_t number; /* of the correlation, in the set */
    const char *group; /* its group-by values, joined by \x1f; the correlator's until the next feed */
    int64_t count; /* what met its condition */
} SigmaFired;

/* One event and the rules that it meets (sigma_set_match). The correlations that it completes; one that looks for
 * silence ({lt: 1}) is never among them: ask its window when time has passed. `*ret_fired` is the correlator's. */
size_t sigma_correlator_feed(SigmaCorrelator *correlator, const json_t *event, int64_t time_ms, const char *id,
    const uint32_t *numbers, size_t count, const SigmaFired **ret_fired);
void sigma_correlator_prune(SigmaCorrelator *correlator, int64_t now_ms);
/* The window of a correlation, to be listed, restored, asked; NULL where the number is no correlation's. */
EventWindow *sigma_correlator_window(SigmaCorrelator *correlator, uint32_t number);
/* The group that an event belongs to when it meets the `part`th of the correlation's rules. Caller frees. */
char *sigma_correlation_group(const SigmaCorrelation *correlation, size_t part, const json_t *event);

#endif
