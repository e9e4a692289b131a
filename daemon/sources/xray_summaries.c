#include "sources/xray_summaries.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 900, INSIGHT_NAME_SHOWN = 100, NAMES_TEXT_MAX = 2000 }; /* bytes; ten names fit */
#define SCANNED_MAX 1e12 /* of one page */
#define IMPACT_MAX ((int64_t)1000000000000)
#define STAMP_MAX 1e11 /* s; year 5138: what lies beyond is no time */

/* --- traces --- */

typedef struct TraceSeen {
    UT_hash_handle hh;
    char id[];
} TraceSeen;

struct TraceCount {
    Arena *arena; /* ids and tokens */
    TraceSeen *seen;
    const char *examples[TRACE_EXAMPLES];
    size_t example_count, traces, skipped;
    double scanned;
};

TraceCount *trace_count_new(void) {
    TraceCount *count = alloc_zeroed(1, sizeof *count);
    count->arena = arena_new();
    return count;
}

TraceCount *trace_count_free(TraceCount *count) {
    if (!count) return NULL;
    HASH_CLEAR(hh, count->seen); /* the entries lie in the arena */
    arena_free(count->arena);
    free(count);
    return NULL;
}

/* Letters, digits and hyphens: what may go into a link as it is. */
static bool id_ok(const char *id, size_t max) {
    if (!id || !*id || strlen(id) > max) return false;
    for (; *id; id++)
        if (!isalnum((unsigned char)*id) && *id != '-') return false;
    return true;
}

static void trace_add(TraceCount *count, const json_t *summary) {
    const char *id = json_text(summary, "Id");
    TraceSeen *seen = NULL;
    if (!id_ok(id, TRACE_ID_MAX)) {
        count->skipped++;
        return;
    }
    const size_t length = strlen(id);
    HASH_FIND(hh, count->seen, id, length, seen);
    if (seen) return;
    seen = arena_alloc(count->arena, 1, sizeof *seen + length + 1);
    memcpy(seen->id, id, length + 1);
    HASH_ADD_KEYPTR(hh, count->seen, seen->id, length, seen);
    count->traces++;
    if (count->example_count < TRACE_EXAMPLES) count->examples[count->example_count++] = seen->id;
}

static const char *next_token(Arena *arena, const json_t *answer) {
    const char *token = json_text(answer, "NextToken");
    return token && *token ? arena_text(arena, token) : NULL;
}

bool trace_count_add(TraceCount *count, const char *body, size_t length, const char **ret_token, Error *err) {
    Error why = {0};
    OWN(json) json_t *answer = json_read_foreign(body, length, &why);
    if (!answer) return error_set(err, ERROR_REMOTE, "the answer of GetTraceSummaries is no JSON: %.300s", why.text);
    const json_t *summaries = json_list(answer, "TraceSummaries");
    if (!summaries) return error_set(err, ERROR_REMOTE, "the answer of GetTraceSummaries has no TraceSummaries");
    for (size_t i = 0; i < json_array_size(summaries); i++) trace_add(count, json_array_get(summaries, i));
    double scanned;
    if (json_double(answer, "TracesProcessedCount", &scanned) && scanned > 0 && scanned < SCANNED_MAX)
        count->scanned += scanned;
    *ret_token = next_token(count->arena, answer);
    return true;
}

size_t trace_count_traces(const TraceCount *count) { return count->traces; }
double trace_count_scanned(const TraceCount *count) { return count->scanned; }
size_t trace_count_skipped(const TraceCount *count) { return count->skipped; }
const char *trace_count_example(const TraceCount *count, size_t index) {
    return index < count->example_count ? count->examples[index] : NULL;
}

/* --- insights --- */

InsightList *insight_list_new(void) {
    Arena *arena = arena_new();
    InsightList *list = arena_alloc(arena, 1, sizeof *list);
    list->arena = arena;
    return list;
}

InsightList *insight_list_free(InsightList *list) {
    while (list) {
        InsightList *joined = list->joined;
        arena_free(list->arena); /* the list itself lives there */
        list = joined;
    }
    return NULL;
}

const Insight *insight_list_find(const InsightList *list, const char *id) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->insights[i].id, id) == 0) return &list->insights[i];
    return NULL;
}

static const char *text_read(Arena *arena, const json_t *object, const char *key) {
    const char *text = json_text(object, key);
    return text ? arena_text_length(arena, text, utf8_cut(text, strlen(text), TEXT_MAX)) : "";
}

static double stamp_read(const json_t *object, const char *key) {
    double seconds;
    return json_double(object, key, &seconds) && seconds > 0 && seconds < STAMP_MAX ? seconds : NAN;
}

static int64_t impact_read(const json_t *statistics, const char *key) {
    int64_t count;
    return json_whole(statistics, key, &count) && count >= 0 && count <= IMPACT_MAX ? count : -1;
}

/* Texts of a list, by commas: items themselves, or the Name of an item's ServiceId. */
static const char *names_read(Arena *arena, const json_t *list, bool services) {
    Buffer out = BUFFER(NAMES_TEXT_MAX);
    for (size_t i = 0, used = 0; i < json_array_size(list) && used < INSIGHT_NAMES_MAX; i++) {
        const json_t *item = json_array_get(list, i);
        const char *name = services ? json_text(json_map(item, "ServiceId"), "Name") : json_string_value(item);
        if (!name || !*name) continue;
        buffer_format(&out, "%s%.*s", used++ ? ", " : "", (int)utf8_cut(name, strlen(name), INSIGHT_NAME_SHOWN), name);
    }
    const char *text = arena_text(arena, buffer_string(&out));
    buffer_deinit(&out);
    return text;
}

static void insight_push(InsightList *list, const Insight *insight) {
    if (list->count == INSIGHTS_MAX || insight_list_find(list, insight->id)) {
        list->skipped++;
        return;
    }
    if (list->count == list->room) {
        const size_t room = list->room ? 2 * list->room : 16;
        Insight *insights = arena_alloc(list->arena, room, sizeof *insights);
        if (list->count) memcpy(insights, list->insights, list->count * sizeof *insights);
        list->insights = insights;
        list->room = room;
    }
    list->insights[list->count++] = *insight;
}

void insight_list_join(InsightList *list, InsightList *take_other) {
    InsightList **last = &list->joined;
    for (size_t i = 0; i < take_other->count; i++) insight_push(list, &take_other->insights[i]);
    list->skipped += take_other->skipped;
    while (*last) last = &(*last)->joined;
    *last = take_other;
}

static void insight_add(InsightList *list, const json_t *from) {
    const char *id = json_text(from, "InsightId"), *state = json_text(from, "State");
    const bool is_active = state && strcmp(state, "ACTIVE") == 0;
    if (!id_ok(id, INSIGHT_ID_MAX) || !state || (!is_active && strcmp(state, "CLOSED") != 0)) {
        list->skipped++;
        return;
    }
    const json_t *root = json_map(from, "RootCauseServiceId");
    const json_t *client = json_map(from, "ClientRequestImpactStatistics");
    const json_t *at_root = json_map(from, "RootCauseServiceRequestImpactStatistics");
    const Insight insight = {
        .id = arena_text(list->arena, id),
        .state_word = arena_text(list->arena, state),
        .is_active = is_active,
        .root_service = text_read(list->arena, root, "Name"),
        .root_type = text_read(list->arena, root, "Type"),
        .summary = text_read(list->arena, from, "Summary"),
        .categories = names_read(list->arena, json_list(from, "Categories"), false),
        .anomalous = names_read(list->arena, json_list(from, "TopAnomalousServices"), true),
        .start_s = stamp_read(from, "StartTime"),
        .end_s = stamp_read(from, "EndTime"),
        .client_faults = impact_read(client, "FaultCount"),
        .client_total = impact_read(client, "TotalCount"),
        .root_faults = impact_read(at_root, "FaultCount"),
        .root_total = impact_read(at_root, "TotalCount"),
    };
    insight_push(list, &insight);
}

bool insight_list_add(InsightList *list, const char *body, size_t length, const char **ret_token, Error *err) {
    Error why = {0};
    OWN(json) json_t *answer = json_read_foreign(body, length, &why);
    if (!answer) return error_set(err, ERROR_REMOTE, "the answer of GetInsightSummaries is no JSON: %.300s", why.text);
    const json_t *summaries = json_list(answer, "InsightSummaries");
    if (!summaries) return error_set(err, ERROR_REMOTE, "the answer of GetInsightSummaries has no InsightSummaries");
    for (size_t i = 0; i < json_array_size(summaries); i++) insight_add(list, json_array_get(summaries, i));
    *ret_token = next_token(list->arena, answer);
    return true;
}

bool insight_list_add_one(InsightList *list, const char *body, size_t length, Error *err) {
    Error why = {0};
    OWN(json) json_t *answer = json_read_foreign(body, length, &why);
    if (!answer) return error_set(err, ERROR_REMOTE, "the answer of GetInsight is no JSON: %.300s", why.text);
    const json_t *insight = json_map(answer, "Insight");
    if (!insight) return error_set(err, ERROR_REMOTE, "the answer of GetInsight has no Insight");
    insight_add(list, insight);
    return true;
}
