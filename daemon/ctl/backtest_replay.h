/* One alarm evaluated over a series, step by step, as the daemon would have with no delay: the window ends at the clock
 * and settle does not apply. Pure apart from memory. */
#ifndef TOCSIN_CTL_BACKTEST_REPLAY_H
#define TOCSIN_CTL_BACKTEST_REPLAY_H

#include "alarms/alarm.h"
#include "ctl/backtest_csv.h"
#include "rules/evaluate.h"

enum { REPLAY_STEPS_MAX = 10000000 }; /* 19 years of minutes */

typedef struct Replay {
    const Alarm *alarm;
    const CsvSeries *series; /* NULL: `samples` */
    const Samples *samples; /* read elsewhere; windows end from first_end_s to last_end_s, clock_step_s apart */
    int64_t first_end_s, last_end_s, clock_step_s;
    AlarmState initial;
    bool has_at;
    int64_t at_s; /* has_at: evaluate once, with the window that ends there (floored to the step) */
} Replay;

typedef struct ReplayResult {
    AlarmState final;
    Evaluation last; /* of the last step */
    size_t alarms; /* times that ALARM was reached */
    int64_t alarm_s, longest_s; /* time in ALARM; the longest stretch */
    int64_t total_s; /* from the first evaluation to the end of the last step */
} ReplayResult;

typedef void ReplayTransition(void *ctx, int64_t time_s, AlarmState from, const Evaluation *to);
/* Calls `transition` for each change of state, in order. False: ERROR_INPUT, the series is too long. */
bool replay_run(const Replay *replay, ReplayTransition *transition, void *ctx, ReplayResult *ret, Error *err);

#endif
