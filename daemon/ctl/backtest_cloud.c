#include "ctl/backtest_cloud.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "ctl/offline.h"
#include "ctl/people.h"
#include "sources/metric_history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASKED_USD 0.01 /* from here on somebody must agree */
enum { WHERE_MAX = 512 };

/* A series as it is joined from the calls. */
typedef struct Joined {
    Labels *labels;
    Samples samples;
    struct Joined *next;
} Joined;

typedef struct Cloud {
    CtlContext *ctl;
    uv_loop_t loop;
    Metrics *metrics;
    Http *http;
    Aws *aws;
    PollWorld world;
    PollOutcome *outcome; /* of the call that has just ended */
} Cloud;

static void cloud_open(Cloud *cloud, CtlContext *ctl, Snapshot *snapshot) {
    *cloud = (Cloud){.ctl = ctl};
    uv_loop_init(&cloud->loop);
    cloud->metrics = metrics_new();
    cloud->http = http_new(&cloud->loop, ctl->clock, cloud->metrics);
    cloud->aws = aws_new(&cloud->loop, cloud->http, ctl->clock, cloud->metrics);
    aws_configure(cloud->aws, snapshot);
    cloud->world = (PollWorld){.loop = &cloud->loop, .aws = cloud->aws, .clock = ctl->clock, .metrics = cloud->metrics};
}

static void cloud_close(Cloud *cloud) {
    aws_free(cloud->aws);
    http_free(cloud->http);
    uv_run(&cloud->loop, UV_RUN_DEFAULT);
    uv_loop_close(&cloud->loop);
    metrics_free(cloud->metrics);
}

static void keep(void *ctx, PollOutcome *take_outcome) {
    Cloud *cloud = ctx;
    cloud->outcome = take_outcome;
}

/* --- one watch --- */

static Joined *joined_of(Joined **all, const MetricPast *past, const Observation *seen) {
    for (Joined *one = *all; one; one = one->next)
        if (labels_equal(one->labels, seen->labels)) return one;
    Joined *one = alloc_zeroed(1, sizeof *one);
    const size_t count = (size_t)((past->end_s - past->start_s) / past->step_s);
    one->labels = labels_ref(seen->labels);
    one->samples =
        (Samples){.fold = seen->samples.fold, .start_s = past->start_s, .step_s = past->step_s, .count = count};
    one->samples.values = alloc_zeroed(count + 1, sizeof *one->samples.values);
    one->samples.counts = seen->samples.counts ? alloc_zeroed(count + 1, sizeof *one->samples.counts) : NULL;
    for (size_t i = 0; i < count; i++) one->samples.values[i] = NAN;
    for (size_t i = 0; one->samples.counts && i < count; i++) one->samples.counts[i] = NAN;
    one->next = *all;
    return *all = one;
}

static Joined *joined_free(Joined *all) {
    while (all) {
        Joined *next = all->next;
        labels_free(all->labels);
        free(all->samples.values);
        free(all->samples.counts);
        free(all);
        all = next;
    }
    return NULL;
}

static void join(Joined **all, const MetricPast *past, const Observation *seen) {
    Joined *one = joined_of(all, past, seen);
    const size_t at = (size_t)((seen->samples.start_s - past->start_s) / past->step_s);
    memcpy(one->samples.values + at, seen->samples.values, seen->samples.count * sizeof *seen->samples.values);
    if (one->samples.counts && seen->samples.counts)
        memcpy(one->samples.counts + at, seen->samples.counts, seen->samples.count * sizeof *seen->samples.counts);
}

static bool read_call(Cloud *cloud, const MetricPast *past, size_t index, const Watch *watch, Joined **all) {
    cloud->outcome = NULL;
    metric_past_read(past, index, &cloud->world, keep, cloud);
    while (!cloud->outcome) uv_run(&cloud->loop, UV_RUN_ONCE);
    const bool good = !cloud->outcome->failed;
    OWN(text) char *why = people_clean(cloud->outcome->error);
    if (!good)
        fprintf(cloud->ctl->err, "tocsinctl: %s in %s %s: %s\n", watch->alarm, watch->account, watch->region, why);
    for (size_t i = 0; good && i < cloud->outcome->count; i++) join(all, past, &cloud->outcome->observations[i]);
    poll_outcome_free(cloud->outcome);
    return good;
}

/* ` [prod eu-west-1 Host=a]` where an alarm has more than one instance. */
static const char *where_of(char text[static WHERE_MAX], const Watch *watch, const Labels *series, bool is_alone) {
    text[0] = '\0';
    if (is_alone) return text;
    Buffer out = BUFFER(WHERE_MAX - 1);
    buffer_format(&out, " [%s %s", watch->account, watch->region);
    for (size_t i = 0; i < labels_count(series); i++)
        buffer_format(&out, " %s=%.100s", labels_at(series, i).name, labels_at(series, i).value);
    buffer_text(&out, "]");
    OWN(text) char *clean = people_clean(buffer_string(&out));
    snprintf(text, WHERE_MAX, "%s", clean);
    buffer_deinit(&out);
    return text;
}

static int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

/* --- all of them --- */

typedef struct Planned {
    const Watch *watch;
    const Alarm *alarm;
    MetricPast past;
    bool is_alone; /* its alarm has one instance */
} Planned;

static void run_series(const CloudPast *past, const Planned *planned, const Replay *like, const Joined *all,
    CloudSeries *each, void *ctx) {
    char where[WHERE_MAX];
    for (const Joined *one = all; one; one = one->next) {
        Replay replay = *like;
        replay.alarm = planned->alarm;
        replay.samples = &one->samples;
        replay.clock_step_s = planned->past.stride_s;
        replay.first_end_s = round_up(past->from_s, planned->past.stride_s);
        replay.last_end_s = planned->past.end_s;
        each(ctx, &replay, planned->watch, one->labels,
            where_of(where, planned->watch, one->labels, planned->is_alone && !all->next));
    }
}

static size_t plan_all(CtlContext *ctl, Snapshot *snapshot, const CloudPast *past, const OfflineWatches *all,
    Planned *planned, bool *ret_good) {
    size_t count = 0;
    *ret_good = true;
    for (size_t i = 0; i < all->count && *ret_good; i++) {
        const Watch *watch = &all->watches[i];
        if (!metric_past_of(watch->source) || (past->name && strcmp(past->name, watch->alarm))) continue;
        Watch own = *watch;
        own.index = 0;
        Error err = {0};
        *ret_good = metric_past_plan(
            snapshot, &own, past->from_s, past->to_s, clock_wall_ms(ctl->clock) / 1000, &planned[count].past, &err);
        if (!*ret_good) {
            fprintf(ctl->err, "tocsinctl: %s: %s\n", watch->alarm, err.text);
            break;
        }
        planned[count].watch = watch;
        planned[count].alarm = all->alarms[i];
        planned[count].is_alone = (i == 0 || all->alarms[i - 1] != all->alarms[i]) &&
            (i + 1 == all->count || all->alarms[i + 1] != all->alarms[i]);
        count++;
    }
    return count;
}

/* The price first: nothing is read that somebody has not agreed to. */
static bool agree(CtlContext *ctl, const CloudPast *past, const Planned *planned, size_t count) {
    double usd = 0;
    size_t calls = 0;
    for (size_t i = 0; i < count; i++) {
        usd += planned[i].past.usd;
        calls += planned[i].past.calls;
    }
    fprintf(ctl->err, "backtest: %zu calls of GetMetricData, about %.4f USD\n", calls, usd);
    if (past->yes || usd <= ASKED_USD) return true;
    if (!isatty(STDIN_FILENO)) {
        fputs("tocsinctl: that is more than a cent, and nobody can be asked: say --yes\n", ctl->err);
        return false;
    }
    char line[16] = "";
    fputs("read it? [y/N] ", ctl->err);
    fflush(ctl->err);
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static void show_progress(const CtlContext *ctl, size_t at, size_t count, const char *name) {
    if (!isatty(fileno(ctl->err))) return;
    OWN(text) char *clean = people_clean(name);
    fprintf(ctl->err, "\r\x1b[K%s", "");
    if (at < count) fprintf(ctl->err, "%zu of %zu: %.60s", at + 1, count, clean);
    fflush(ctl->err);
}

static bool read_all(Cloud *cloud, const CloudPast *past, const Planned *planned, size_t count, const Replay *like,
    CloudSeries *each, void *ctx) {
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        Joined *all = NULL;
        show_progress(cloud->ctl, i, count, planned[i].watch->alarm);
        for (size_t call = 0; call < planned[i].past.calls && good; call++)
            good = read_call(cloud, &planned[i].past, call, planned[i].watch, &all);
        show_progress(cloud->ctl, count, count, "");
        if (good) run_series(past, &planned[i], like, all, each, ctx);
        joined_free(all);
    }
    return good;
}

int cloud_backtest(
    CtlContext *ctl, Snapshot *snapshot, const CloudPast *past, const Replay *like, CloudSeries *each, void *ctx) {
    OfflineWatches all = offline_watches(snapshot);
    Planned *planned = alloc_zeroed(all.count + 1, sizeof *planned);
    bool good;
    const size_t count = plan_all(ctl, snapshot, past, &all, planned, &good);
    if (good && count) {
        good = agree(ctl, past, planned, count);
        Cloud cloud;
        if (good) {
            cloud_open(&cloud, ctl, snapshot);
            good = read_all(&cloud, past, planned, count, like, each, ctx);
            cloud_close(&cloud);
        }
    }
    for (size_t i = 0; i < count; i++) metric_past_drop(&planned[i].past);
    free(planned);
    offline_watches_drop(&all);
    return good ? (int)count : -1;
}
