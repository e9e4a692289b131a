/* The past of metric alarms, read from CloudWatch for who evaluates it without a daemon. One (alarm, account, region)
 * at a time, in as many calls as its datapoints need; the same requests and decoding as a poll's. */
#ifndef TOCSIN_SOURCES_METRIC_HISTORY_H
#define TOCSIN_SOURCES_METRIC_HISTORY_H

#include "base/error.h"
#include "sources/source.h"

enum { HISTORY_SPANS_MAX = 1000 };

/* What must be asked for. */
typedef struct MetricPast {
    Plan *plan; /* one poll */
    int64_t start_s, end_s, step_s; /* the grid: whole steps */
    size_t span; /* datapoints a call */
    size_t calls;
    double usd; /* list price of all of it */
    int64_t stride_s; /* from one window end that can be judged to the next */
} MetricPast;

bool metric_past_of(const Source *source); /* does it have such a past: `metric`, `metrics`? */
/* All that windows which end in [from_s, to_s] look at. `now_s`: AWS's time, for what it has forgotten. False:
 * ERROR_INPUT says what CloudWatch does not keep. */
bool metric_past_plan(
    Snapshot *snapshot, const Watch *watch, int64_t from_s, int64_t to_s, int64_t now_s, MetricPast *ret, Error *err);
void metric_past_drop(MetricPast *past);
/* Reads call number `index`, as Source.start does; the observations' samples cover that part of the grid. */
PollRun *metric_past_read(const MetricPast *past, size_t index, const PollWorld *world, PollDone *done, void *ctx);

#endif
