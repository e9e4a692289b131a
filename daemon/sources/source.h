/* What a source is: a way to read AWS on a schedule and hand on observations. A new source is one file and a line in
 * the table of sources.c. A source knows nothing of alarms: it is given watches (a decoded selector, an account, a
 * region, the rule's period and range) and says by index which watch an observation is for. */
#ifndef TOCSIN_SOURCES_SOURCE_H
#define TOCSIN_SOURCES_SOURCE_H

#include "aws/aws.h"
#include "base/labels.h"
#include "rules/window.h"

/* One alarm in one account and region. */
typedef struct Watch {
    size_t index; /* the caller's number for it; comes back in the observation */
    const struct Source *source; /* whose watch it is */
    const char *alarm; /* for messages; borrowed from the snapshot */
    const void *selector; /* what the source's selector_decode made; borrowed from the snapshot */
    const char *account, *region;
    const ThresholdRule *rule; /* borrowed from the snapshot */
    int64_t every_s, settle_s; /* 0: the source's default */
} Watch;

/* A state that the source itself says (an X-Ray insight is active or closed), in place of samples to be judged. */
typedef struct SaidState {
    AlarmState state;
    const char *reason; /* owned by the outcome */
    double value; /* NAN: none */
} SaidState;

/* What a poll found out about one series of one watch. */
typedef struct Observation {
    size_t watch; /* Watch.index */
    Labels *labels; /* the series' own; one reference, the receiver's */
    Labels
        *notes; /* annotations that only the source knows (root_cause, path ...); one reference, the receiver's; NULL:
                   none. They go with a message while the alarm fires, and stay as they were at the last of them */
    const char *error; /* not NULL: unknown, not missing; the state stays. Owned by the outcome */
    const SaidState *said; /* not NULL: the samples do not count. Owned by the outcome */
    Samples samples; /* what is there, on a grid; owned by the outcome */
    int64_t settled_end_s; /* UTC s: end of the newest window that is settled */
    int64_t absent_s; /* of a series that polls find: how long ago it was last there; 0: it is there */
    bool grows_only; /* an unsettled value that breaches cannot be undone by more data: the early alarm may use it */
    bool every_minute; /* all minutes since the last evaluation may be judged (60 s samples); else this end alone */
} Observation;

/* An event that a poll read, in short. Texts are the outcome's; "" where there is none. */
typedef struct ReadEvent {
    const char *id, *name, *service, *region; /* service: eventSource */
    const char *who, *where, *error;
    const char *brief; /* one line that reads like a sentence, at most EVENT_BRIEF_MAX bytes */
    const char *const *resources; /* names and ARNs that it touches, at most EVENT_RESOURCES_MAX */
    size_t resource_count;
    int64_t time_ms;
    bool is_read_only;
    bool is_new; /* false: it was counted before, and is here only to be looked at */
} ReadEvent;
enum { EVENT_BRIEF_MAX = 200, EVENT_RESOURCES_MAX = 32 };

/* A new event that a watch's rule matched. Texts are the outcome's. */
typedef struct EventMatch {
    size_t watch, event; /* Watch.index; place in PollOutcome.events */
    uint32_t part; /* the number of the rule that matched, where the watch's is made of several */
    Labels *group; /* values of the rule's group-by; one reference, the receiver's; NULL: it has none */
    const char *value; /* what is counted where values are; NULL: events are */
    const char *key; /* what must never have been seen before; NULL: nothing */
    const char *fields; /* of the event, which the rule wants shown; NULL: none */
} EventMatch;

/* How far a source was read, or what else it must find again after a restart, by name. */
typedef struct PollCursor {
    const char *name, *value_json; /* NULL: forget it */
} PollCursor;

/* An alarm that a source brings along by itself, from a rule file. Texts live in the snapshot. */
typedef struct SourceAlarm {
    const char *name, *description, *severity;
    TextMap annotations;
    const void *selector;
    Place at;
} SourceAlarm;

/* One thing on the schedule: a batch of queries to one (account, region). Made by plan(), immutable, lives in the plan.
 */
typedef struct Poll {
    const struct Source *source;
    const char *account, *region;
    const char *api; /* `GetMetricData`: the label of TocsinSourceFailing */
    int64_t every_s;
    uint64_t phase; /* a stable hash; its remainder by every_s (in ms) is when the poll runs */
    const size_t *watches; /* the Watch.index of all that hang on it: for reasons and for evaluation errors */
    size_t watch_count;
    const void *batch; /* the source's own */
} Poll;

typedef struct Plan Plan;
typedef struct PlanCost {
    double billed_units_month, usd_month; /* list price in us-east-1 */
} PlanCost;

/* What a finished poll hands on. */
typedef struct PollOutcome {
    bool failed; /* the retries are used up: nothing, or only part, was read */
    const char *error; /* a person's words */
    AwsClass error_class;
    Observation *observations;
    size_t count;
    /* Of a source that finds its series: the windows' end for a series that was not observed, whose samples are
     * missing; 0: what is not observed is not touched until it is gone. */
    int64_t settled_end_s;
    /* Of a source of events: what was read, oldest first, and what it means for the watches. */
    const ReadEvent *events;
    size_t event_count;
    const EventMatch *matches;
    size_t match_count;
    const char *scope; /* under which the new events' ids are remembered; NULL: no source of events */
    int64_t ids_until_ms; /* ids that were seen before this may be forgotten; 0: none */
    const PollCursor *cursors; /* to be written with the effects of this poll */
    size_t cursor_count;
    int64_t feed_seen_ms; /* eventTime of the newest call of our own that the feed shows; 0: none was seen yet */
    bool is_complete; /* everything that there is by now was read: absence is evidence */
    int64_t lag_s; /* how far behind what was read is, else how late the newest event came; -1: not known */
    void *kept; /* what of this poll people can look at until the next; NULL: nothing. The receiver's, for
                   Source.kept_free */
    int64_t now_ms; /* AWS's time when it was asked */
    size_t calls; /* pages asked */
    struct Arena *arena; /* errors and samples live here */
} PollOutcome;
typedef void PollDone(void *ctx, PollOutcome *take_outcome); /* once, on the loop, never inside start */
void poll_outcome_free(PollOutcome *outcome);

/* One series of a watch that has an instance already; borrowed for the call. */
typedef void KnownSeries(void *ctx, const Labels *series, AlarmState state);

typedef struct PollRun PollRun;
typedef struct PollWorld {
    uv_loop_t *loop;
    Aws *aws;
    const Clock *clock;
    Metrics *metrics;
    /* Calls `each` for every series of this watch that has an instance: what a restart remembers. NULL in tests. */
    void (*known)(void *ctx, size_t watch, KnownSeries *each, void *each_ctx);
    bool (*is_seen)(void *ctx, const char *scope, const char *id); /* was this event counted? NULL in tests: no */
    const char *(*cursor)(void *ctx, const char *name); /* as last committed; NULL: none. Borrowed */
    void *ctx; /* of these */
} PollWorld;

/* A call by which `doctor` finds out whether an action of the polls is allowed: it changes nothing, reads next to
 * nothing and costs no more than a metric. */
typedef struct SourceProbe {
    const char *action; /* xray:GetServiceGraph; NULL ends the list */
    AwsService service;
    const char *path; /* of a rest-json operation; NULL: none */
    const char *body; /* `@start@` and `@end@` stand for a second of the past, in UTC s */
} SourceProbe;

typedef struct Source {
    const char *name; /* cloudwatch */
    const char *alarm_key; /* `metric`: the key of an alarm that chooses this source */
    bool has_no_threshold; /* it says states: an alarm has no threshold, operator and evaluation periods */
    bool has_events; /* an alarm counts matches of events; its polls hand on events in place of observations */
    bool reads_home_region; /* an alarm without `regions` is watched in the partition's home region, too */
    int64_t grace_s; /* how long a series may go unobserved before it is gone; 0: discovery.grace */
    const SchemaRow *selector_rows;
    size_t selector_size;
    size_t item_size; /* not 0: the key holds a list of sections, `selector_rows` are an item's, and the selector begins
                         with the SectionList of items of this size */
    size_t items_max;
    /* After the rows. `rule` is decoded already; settle_s as written (0: default). May set the rule's defaults that
     * depend on the selector (period_s, missing where `missing_given` is false, range where it is 0, percentile). */
    bool (*selector_decode)(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
        int64_t *settle_s, int64_t *every_s);
    /* The alarms that it brings along, when all others were decoded; NULL: none. The array is the snapshot's. */
    size_t (*alarms)(Decoding *in, const SourceAlarm **ret_alarms);
    /* What the plan's price cannot know of this selector, in a few words that go behind a sum; NULL, or an answer of
     * NULL: nothing. */
    const char *(*price_note)(const void *selector);
    const char *const *actions; /* IAM actions that its polls need; ends at NULL */
    const SourceProbe *probes; /* of those that can be tried without a poll */
    /* Polls for these watches; `snapshot` gives the poll section. Caller frees. */
    Plan *(*plan)(Snapshot *snapshot, const Watch *watches, size_t count);
    PollRun *(*start)(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx);
    void (*cancel)(PollRun *run); /* done runs before it returns, failed, AWS_CANCELLED */
    /* The labels of the one series that it names; caller frees. NULL, or an answer of NULL: its polls find the series,
     * an instance each. */
    Labels *(*series)(const void *selector);
    void (*kept_free)(void *kept); /* NULL where polls keep nothing */
    /* The newest run asked by a wrong clock, and nobody judges it: what the poll remembers of it goes, so that the next
     * run reads what this one was to read. Between two runs; `now_s`: AWS's time as it is known by now. NULL: runs
     * leave nothing behind that the next one goes by. */
    void (*forget)(const Poll *poll, int64_t now_s);
    /* A link into the AWS console for this selector and time; caller frees. */
    char *(*console_url)(const void *selector, const Labels *series, const char *region, int64_t at_ms);
    /* The series in a few words, for a line on a phone: `checkout -> payments`; caller frees. NULL: name and value of
     * each label. Asked where polls find the series; else the alarm's name says enough. */
    char *(*series_words)(const Labels *series);
    /* Which AWS service the series belongs to, as CloudTrail names it (`elasticloadbalancing.amazonaws.com`); "" where
     * that is not known. NULL: it never is. */
    void (*service)(const void *selector, const Labels *series, char *text, size_t room);
    /* `AWS/ApplicationELB TargetResponseTime p99 60 s`, for a person; caller frees. */
    char *(*describe)(const void *selector, const ThresholdRule *rule);
} Source;

extern const Source *const sources[]; /* ends at NULL */
/* Every watch planned by its own source, as one plan. Caller frees. */
Plan *sources_plan(Snapshot *snapshot, const Watch *watches, size_t count);

const Poll *plan_poll(const Plan *plan, size_t index);
size_t plan_count(const Plan *plan);
PlanCost plan_cost(const Plan *plan);
Plan *plan_free(Plan *plan);
OWN_DEFINE(Plan, plan)

#endif
