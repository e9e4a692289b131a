#include "sources/metric_history.h"

#include "sources/cloudwatch.h"

enum { DAY_S = 86400, FAR_DAYS = 15, FARTHER_DAYS = 63 };

bool metric_past_of(const Source *source) { return source == &cloudwatch_source || source == &math_source; }

static int64_t floor_to(int64_t value, int64_t step) { return value - ((value % step) + step) % step; }

/* The finest step that CloudWatch still has for a start so long ago. */
static int64_t kept_step_s(int64_t age_s) {
    if (age_s >= FARTHER_DAYS * DAY_S) return 3600;
    return age_s >= FAR_DAYS * DAY_S - 3600 ? 300 : 60;
}

/* Folded datapoints may be folded from coarser ones; others must be kept at the alarm's own period. */
static bool fit_step(MetricPast *past, const MetricBatch *batch, const Watch *watch, int64_t now_s, Error *err) {
    const int64_t age_s = now_s - past->start_s, kept_s = kept_step_s(age_s), period_s = watch->rule->period_s;
    const MathSelector *math = watch->source == &math_source ? watch->selector : NULL;
    if (math && math->is_query && age_s > MATH_QUERY_KEPT_S)
        return error_set(err, ERROR_INPUT, "a Metrics Insights query sees the newest 3h and no more");
    if (batch->step_s < 60 && age_s > METRIC_SHORT_KEPT_S)
        return error_set(err, ERROR_INPUT, "CloudWatch keeps periods below a minute for 3h");
    if (batch->step_s % kept_s != 0 && period_s % kept_s == 0 && batch->readers[0].fold != FOLD_NONE)
        past->step_s = kept_s;
    if (past->step_s >= 60 && past->step_s % kept_s != 0)
        return error_set(err, ERROR_INPUT,
            "so long ago CloudWatch has datapoints of %lld s, which do not make the alarm's period of %lld s",
            (long long)kept_s, (long long)period_s);
    return true;
}

static void fit_spans(MetricPast *past, const MetricBatch *batch) {
    const size_t room = METRIC_DATAPOINTS_MAX / batch->query_count;
    const size_t all = (size_t)((past->end_s - past->start_s) / past->step_s);
    past->span = all < room ? all : room;
    past->calls = past->span ? (all + past->span - 1) / past->span : 0;
    past->usd = plan_cost(past->plan).usd_month > 0 ? (double)past->calls * batch->billed_units *
            plan_cost(past->plan).usd_month / plan_cost(past->plan).billed_units_month
                                                    : 0;
}

bool metric_past_plan(
    Snapshot *snapshot, const Watch *watch, int64_t from_s, int64_t to_s, int64_t now_s, MetricPast *ret, Error *err) {
    const int64_t window_s = (int64_t)watch->rule->range * watch->rule->period_s;
    *ret = (MetricPast){.plan = watch->source->plan(snapshot, watch, 1)};
    const MetricBatch *batch = plan_poll(ret->plan, 0)->batch;
    ret->step_s = batch->step_s;
    ret->start_s = from_s - window_s;
    if (!fit_step(ret, batch, watch, now_s, err)) return metric_past_drop(ret), false;
    ret->start_s = floor_to(ret->start_s, ret->step_s);
    ret->end_s = floor_to(to_s, ret->step_s);
    const int64_t evaluated_s = evaluation_step_s(watch->rule);
    ret->stride_s = batch->phased ? watch->rule->period_s : ret->step_s > evaluated_s ? ret->step_s : evaluated_s;
    fit_spans(ret, batch);
    if (!ret->calls || ret->calls > HISTORY_SPANS_MAX) {
        error_set(err, ERROR_INPUT,
            ret->calls ? "that needs more than 1000 calls (HISTORY_SPANS_MAX)"
                       : "the time is shorter than a datapoint");
        metric_past_drop(ret);
        return false;
    }
    return true;
}

void metric_past_drop(MetricPast *past) { past->plan = plan_free(past->plan); }

PollRun *metric_past_read(const MetricPast *past, size_t index, const PollWorld *world, PollDone *done, void *ctx) {
    const int64_t start_s = past->start_s + (int64_t)(index * past->span) * past->step_s;
    const size_t left = (size_t)((past->end_s - start_s) / past->step_s);
    const MetricGrid grid = {start_s, past->step_s, left < past->span ? left : past->span};
    return metric_poll_past(plan_poll(past->plan, 0), world, &grid, done, ctx);
}
