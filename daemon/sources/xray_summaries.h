/* Answers of GetTraceSummaries, GetInsightSummaries and GetInsight. Pure; the pool. What has no id of its own is left
 * out and counted. Source: AWS X-Ray API Reference. */
#ifndef TOCSIN_SOURCES_XRAY_SUMMARIES_H
#define TOCSIN_SOURCES_XRAY_SUMMARIES_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACE_EXAMPLES = 5, /* ids kept of those that match */
    TRACE_ID_MAX = 64,
    INSIGHTS_MAX = 1000, /* of one list; more are left out */
    INSIGHT_ID_MAX = 128,
    INSIGHT_NAMES_MAX = 10, /* anomalous services told */
};

/* How many traces match; a trace that comes on two pages is one. */
typedef struct TraceCount TraceCount;
TraceCount *trace_count_new(void);
TraceCount *trace_count_free(TraceCount *count);
OWN_DEFINE(TraceCount, trace_count)
/* Takes one page in. False: ERROR_REMOTE, no answer of GetTraceSummaries. The token lives as long as the count. */
bool trace_count_add(TraceCount *count, const char *body, size_t length, const char **ret_token, Error *err);
size_t trace_count_traces(const TraceCount *count);
double trace_count_scanned(const TraceCount *count); /* TracesProcessedCount of all pages */
size_t trace_count_skipped(const TraceCount *count); /* without an id */
const char *trace_count_example(const TraceCount *count, size_t index); /* NULL: there is none; the newest first */

typedef struct Insight {
    const char *id, *state_word;
    bool is_active;
    const char *root_service, *root_type, *summary, *categories, *anomalous; /* "" where absent; lists by `, ` */
    double start_s, end_s; /* NAN where absent */
    int64_t client_faults, client_total, root_faults, root_total; /* -1 where absent */
} Insight;
typedef struct InsightList {
    Arena *arena; /* everything here, this struct too */
    Insight *insights; /* each id once: the first that came */
    size_t count, room, skipped; /* skipped: without an id or a state, repeated, or past INSIGHTS_MAX */
    struct InsightList *joined; /* lists that were taken over; a chain */
} InsightList;
InsightList *insight_list_new(void);
InsightList *insight_list_free(InsightList *list);
OWN_DEFINE(InsightList, insight_list)
/* Takes a page of GetInsightSummaries in. False: ERROR_REMOTE. The token lives as long as the list. */
bool insight_list_add(InsightList *list, const char *body, size_t length, const char **ret_token, Error *err);
/* Takes an answer of GetInsight in. False: ERROR_REMOTE. */
bool insight_list_add_one(InsightList *list, const char *body, size_t length, Error *err);
/* Takes over another list's insights, where their ids are new. */
void insight_list_join(InsightList *list, InsightList *take_other);
const Insight *insight_list_find(const InsightList *list, const char *id); /* NULL: it is not there */

#endif
