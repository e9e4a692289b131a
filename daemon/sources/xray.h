/* The X-Ray sources, cut by noun: selectors (what an alarm watches), plans (which polls, shared by whom), polls (one
 * reading), and for the service graph the tally (a graph's datapoints) and the memory (what is remembered of windows).
 * Only these files and their tests include this header. */
#ifndef TOCSIN_SOURCES_XRAY_H
#define TOCSIN_SOURCES_XRAY_H

#include "rules/evaluate.h"
#include "sources/source.h"
#include "sources/xray_cause.h"
#include "sources/xray_graph.h"

extern const Source service_graph_source, traces_source, insights_source;

enum {
    XRAY_GROUP_MAX = 32,
    XRAY_WINDOW_MAX_S = 6 * 3600, /* AWS refuses a longer time range */
    XRAY_SETTLE_S = 120,
    XRAY_AGAIN_S = 180, /* how long past its settling a window is read once more: late traces */
    XRAY_EVERY_S = 60,
    XRAY_WINDOWS_A_RUN = 30, /* the rest is read by the next run */
    XRAY_SERIES_MAX = 10000, /* of one watch; more are left out */
    XRAY_CAUSES_MAX = 100, /* series of one watch and window whose cause is looked for */
};

/* --- selectors --- */
typedef struct GraphSelector {
    const char *group, *service, *type, *edge_to, *statistic; /* group, type, edge_to NULL: none */
    int64_t period_s, minimum_requests;
    double confidence;
    XrayStatistic parsed;
} GraphSelector;
typedef struct TracesSelector {
    const char *filter, *of; /* of NULL: none */
    int statistic; /* TracesStatistic */
    int64_t window_s;
} TracesSelector;
typedef enum { TRACES_COUNT, TRACES_RATIO } TracesStatistic;
typedef struct InsightsSelector {
    const char *group;
} InsightsSelector;

extern const SchemaRow graph_rows[], traces_rows[], insights_rows[];
bool graph_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s);
bool traces_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s);
bool insights_selector_decode(Decoding *in, const Node *node, void *selector, ThresholdRule *rule, bool missing_given,
    int64_t *settle_s, int64_t *every_s);
/* The alarm's own interval, else that of poll.xray. */
int64_t xray_every_s(const Watch *watch, Snapshot *snapshot);

/* --- windows: which are remembered, and which a run must read --- */

/* Windows of one length, by their ends, on a ring. The loop's. */
typedef struct Windows {
    int64_t period_s, settle_s;
    int64_t step_s; /* the distance of ends that may be asked for */
    bool reads_again; /* once more, XRAY_AGAIN_S after it settled */
    int64_t grain_s; /* what all ends are multiples of, apart from a constant: the ring's step */
    size_t slots;
    struct WindowSlot {
        int64_t end_s; /* 0: empty */
        bool is_final; /* never to be read again */
    } * ring;
} Windows;

/* `range`: the most windows that an alarm looks at; `replayed_s`: how far back ends may be judged late. */
void windows_init(
    Windows *windows, int64_t period_s, int64_t settle_s, int64_t step_s, size_t range, int64_t replayed_s);
void windows_deinit(Windows *windows);
int64_t windows_end_s(const Windows *windows, int64_t now_s); /* the newest settled end */
size_t windows_slot(const Windows *windows, int64_t end_s);
bool windows_has(const Windows *windows, int64_t end_s);
/* Is each of the `range` windows that end at end_s there? */
bool windows_have_range(const Windows *windows, int64_t end_s, size_t range);
/* The window was read: true where its slot held another one until now. */
bool windows_take(Windows *windows, int64_t end_s, int64_t now_s);
/* Forgets windows that end later than any that has settled at now_s: they were read by a wrong clock. True: there were
 * some, and they may have taken the place of others. */
bool windows_forget(Windows *windows, int64_t now_s);
/* The ends to read, newest first, at most `room`: of the `range` windows that end at end_s those that are not there,
 * and those that are there and were read too early to hold late traces. */
size_t windows_lacking(
    const Windows *windows, int64_t end_s, int64_t now_s, size_t range, int64_t *ret_ends, size_t room);

/* --- service graph: query and plan --- */

/* One watch, as the pool needs it: texts are copies. */
typedef struct GraphReader {
    size_t watch, range;
    int64_t period_s;
    const char *service, *type, *edge_to; /* globs; type and edge_to NULL: any, and the node itself */
    GraphMeasure measure;
} GraphReader;

typedef struct GraphQuery {
    Arena *arena; /* everything here, this struct too */
    unsigned refs; /* the loop's */
    const char *account, *region, *group; /* group NULL: none is asked for */
    int64_t period_s, settle_s, step_s;
    const GraphReader *readers;
    size_t reader_count;
} GraphQuery;
GraphQuery *graph_query_ref(GraphQuery *query);
void graph_query_unref(GraphQuery *query);

typedef struct GraphMemory GraphMemory;
typedef struct GraphBatch {
    GraphQuery *query;
    GraphMemory *memory; /* the loop's, the only thing here that changes */
} GraphBatch;

Plan *graph_plan(Snapshot *snapshot, const Watch *watches, size_t count);

/* --- service graph: tally --- */

/* One datapoint. Texts live in the tally. */
typedef struct TallySeries {
    size_t reader; /* its number in the query */
    const char *service, *type, *edge_to; /* edge_to NULL: a node */
    double value, samples; /* NAN: no data */
    const char *root_cause, *path, *affected, *measured; /* NULL: none */
} TallySeries;
typedef struct GraphTally {
    Arena *arena; /* everything here, this struct too */
    TallySeries *series; /* by reader */
    size_t count;
    size_t beyond; /* left out past XRAY_SERIES_MAX */
} GraphTally;
/* Every reader's series in the graph. `with_causes`: where a datapoint breaches, also why. Pure, runs on the pool. */
GraphTally *graph_tally(const GraphQuery *query, const ServiceGraph *graph, bool with_causes);
GraphTally *graph_tally_free(GraphTally *tally);

/* --- service graph: memory --- */
GraphMemory *graph_memory_new(const GraphQuery *query);
void graph_memory_free(GraphMemory *memory);
int64_t graph_memory_end_s(const GraphMemory *memory, int64_t now_s);
void graph_memory_begin(GraphMemory *memory); /* a run begins: graph_memory_forget() goes back to here */
/* The run read by a wrong clock: what it left behind is forgotten. */
void graph_memory_forget(GraphMemory *memory, int64_t now_s);
size_t graph_memory_lacking(const GraphMemory *memory, int64_t end_s, int64_t now_s, int64_t *ret_ends, size_t room);
/* Takes a window's datapoints in: what the series had there before is replaced. Returns how many series were left out
 * past XRAY_SERIES_MAX. */
size_t graph_memory_take(GraphMemory *memory, int64_t end_s, int64_t now_s, const GraphTally *tally);
/* How many observations graph_memory_observe() makes at most. */
size_t graph_memory_series(const GraphMemory *memory);
/* Adds the observations of every reader whose windows up to end_s are all there. True: that is so for each of them. */
bool graph_memory_observe(GraphMemory *memory, int64_t end_s, PollOutcome *outcome);

/* --- polls --- */
PollRun *graph_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx);
void graph_poll_cancel(PollRun *run);
void graph_poll_forget(const Poll *poll, int64_t now_s); /* Source.forget */

/* --- traces: each alarm has a poll of its own --- */
Plan *traces_plan(Snapshot *snapshot, const Watch *watches, size_t count);
PollRun *traces_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx);
void traces_poll_cancel(PollRun *run);
void traces_poll_forget(const Poll *poll, int64_t now_s); /* Source.forget */

/* --- insights: a poll a group --- */
Plan *insights_plan(Snapshot *snapshot, const Watch *watches, size_t count);
PollRun *insights_poll_start(const Poll *poll, const PollWorld *world, PollDone *done, void *ctx);
void insights_poll_cancel(PollRun *run);

/* --- words --- */
char *graph_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms);
char *graph_describe(const void *selector, const ThresholdRule *rule);
char *traces_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms);
char *traces_describe(const void *selector, const ThresholdRule *rule);
char *insights_console_url(const void *selector, const Labels *series, const char *region, int64_t at_ms);
char *insights_describe(const void *selector, const ThresholdRule *rule);

#endif
