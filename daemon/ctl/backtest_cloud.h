/* A backtest over CloudWatch itself: plans what must be read, says the price, reads, and hands on each series. */
#ifndef TOCSIN_CTL_BACKTEST_CLOUD_H
#define TOCSIN_CTL_BACKTEST_CLOUD_H

#include "ctl/backtest_replay.h"
#include "ctl/verb.h"

typedef struct CloudPast {
    const char *name; /* this alarm alone; NULL: all */
    int64_t from_s, to_s;
    bool yes; /* nobody is asked */
} CloudPast;

/* One series of one watch, ready to be run; `where` is "" unless the alarm has several instances. */
typedef void CloudSeries(void *ctx, const Replay *replay, const Watch *watch, const Labels *series, const char *where);

/* How many alarms (of each account and region) were tested; -1: an error was written, or somebody said no. */
int cloud_backtest(
    CtlContext *ctl, Snapshot *snapshot, const CloudPast *past, const Replay *like, CloudSeries *each, void *ctx);

#endif
