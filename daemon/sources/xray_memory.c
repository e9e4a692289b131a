#include "sources/xray.h"

#include "base/alloc.h"
#include "base/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPLAY_S = 30 * 60 };

/* One series of one reader: a datapoint a window on the ring. */
typedef struct GraphSeries {
    UT_hash_handle hh;
    Labels *labels, *notes; /* notes: of the window that ended at notes_end_s; NULL: none */
    int64_t seen_end_s, notes_end_s; /* the newest window that it was in */
    double *values, *samples; /* by slot; NAN where it was not in the window */
    char key[];
} GraphSeries;

typedef struct ReaderMemory {
    GraphSeries *series;
    size_t count;
    int64_t observed_end_s; /* the newest window end that was handed on; 0: none */
    int64_t observed_before_s; /* likewise as it was when the newest run began */
} ReaderMemory;

struct GraphMemory {
    const GraphQuery *query;
    Windows windows;
    ReaderMemory *readers; /* parallel to the query's */
};

GraphMemory *graph_memory_new(const GraphQuery *query) {
    GraphMemory *memory = alloc_zeroed(1, sizeof *memory);
    size_t range = 1;
    for (size_t i = 0; i < query->reader_count; i++)
        if (query->readers[i].range > range) range = query->readers[i].range;
    memory->query = query;
    memory->readers = alloc_zeroed(query->reader_count + 1, sizeof *memory->readers);
    windows_init(&memory->windows, query->period_s, query->settle_s, query->step_s, range,
        query->period_s == query->step_s ? REPLAY_S : 0);
    memory->windows.reads_again = true;
    return memory;
}

static void series_drop(ReaderMemory *reader, GraphSeries *series) {
    HASH_DEL(reader->series, series);
    reader->count--;
    labels_free(series->labels);
    labels_free(series->notes);
    free(series->values);
    free(series->samples);
    free(series);
}

static void series_drop_all(GraphMemory *memory) {
    for (size_t i = 0; i < memory->query->reader_count; i++)
        while (memory->readers[i].series) series_drop(&memory->readers[i], memory->readers[i].series);
}

void graph_memory_free(GraphMemory *memory) {
    if (!memory) return;
    series_drop_all(memory);
    free(memory->readers);
    windows_deinit(&memory->windows);
    free(memory);
}

int64_t graph_memory_end_s(const GraphMemory *memory, int64_t now_s) { return windows_end_s(&memory->windows, now_s); }

void graph_memory_begin(GraphMemory *memory) {
    for (size_t i = 0; i < memory->query->reader_count; i++)
        memory->readers[i].observed_before_s = memory->readers[i].observed_end_s;
}

/* A window of a far future drops every series that it does not hold (slot_clear): then the rest of the ring speaks of
 * nobody any more, and all of it is read again. */
void graph_memory_forget(GraphMemory *memory, int64_t now_s) {
    const int64_t newest_s = graph_memory_end_s(memory, now_s);
    if (windows_forget(&memory->windows, now_s)) {
        series_drop_all(memory);
        memset(memory->windows.ring, 0, memory->windows.slots * sizeof *memory->windows.ring);
    }
    for (size_t i = 0; i < memory->query->reader_count; i++) {
        ReaderMemory *reader = &memory->readers[i];
        reader->observed_end_s = reader->observed_before_s <= newest_s ? reader->observed_before_s : 0;
    }
}

/* Window ends behind the newest that this reader has not been judged at yet, where they can be made up for. */
static size_t missed_ends(const GraphMemory *memory, size_t reader, int64_t end_s) {
    const int64_t step_s = memory->query->step_s, behind_s = end_s - memory->readers[reader].observed_end_s;
    if (memory->query->period_s != step_s || memory->readers[reader].observed_end_s == 0) return 0;
    return behind_s > step_s && behind_s <= REPLAY_S ? (size_t)(behind_s / step_s) - 1 : 0;
}

size_t graph_memory_lacking(const GraphMemory *memory, int64_t end_s, int64_t now_s, int64_t *ret_ends, size_t room) {
    size_t range = 1;
    for (size_t i = 0; i < memory->query->reader_count; i++) {
        const size_t needed = memory->query->readers[i].range + missed_ends(memory, i, end_s);
        if (needed > range) range = needed;
    }
    return windows_lacking(&memory->windows, end_s, now_s, range, ret_ends, room);
}

size_t graph_memory_series(const GraphMemory *memory) {
    size_t count = 0;
    for (size_t i = 0; i < memory->query->reader_count; i++) count += memory->readers[i].count;
    return count;
}

/* --- a window's datapoints --- */

static Labels *series_labels(const GraphQuery *query, const TallySeries *from) {
    Label pairs[4] = {{"service", from->service}, {"service_type", from->type}};
    size_t count = 2;
    if (from->edge_to) pairs[count++] = (Label){"edge_to", from->edge_to};
    if (query->group) pairs[count++] = (Label){"xray_group", query->group};
    return labels_new(pairs, count);
}

static Labels *series_notes(const TallySeries *from) {
    const Label all[] = {{"root_cause", from->root_cause}, {"path", from->path}, {"affected", from->affected},
        {"measured", from->measured}};
    Label pairs[COUNT_OF(all)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i].value) pairs[count++] = all[i];
    return count ? labels_new(pairs, count) : NULL;
}

static GraphSeries *series_get(GraphMemory *memory, const TallySeries *from) {
    ReaderMemory *reader = &memory->readers[from->reader];
    GraphSeries *series = NULL;
    const char *to = from->edge_to ? from->edge_to : "";
    OWN(text) /* lengths first: a name may hold any separator */
    char *key = text_format("%zu %zu %s%s%s", strlen(from->service), strlen(from->type), from->service, from->type, to);
    const size_t length = strlen(key), slots = memory->windows.slots;
    HASH_FIND(hh, reader->series, key, length, series);
    if (series || reader->count >= XRAY_SERIES_MAX) return series;
    series = alloc_zeroed(1, sizeof *series + length + 1);
    memcpy(series->key, key, length + 1);
    series->labels = series_labels(memory->query, from);
    series->values = alloc_zeroed(slots, sizeof *series->values);
    series->samples = alloc_zeroed(slots, sizeof *series->samples);
    for (size_t i = 0; i < slots; i++) series->values[i] = series->samples[i] = NAN;
    HASH_ADD_KEYPTR(hh, reader->series, series->key, length, series);
    reader->count++;
    return series;
}

/* Nobody has a datapoint in this window yet; who was in none on the ring is forgotten. */
static void slot_clear(GraphMemory *memory, size_t slot, int64_t end_s) {
    const int64_t oldest_s = end_s - (int64_t)memory->windows.slots * memory->windows.grain_s;
    for (size_t i = 0; i < memory->query->reader_count; i++) {
        GraphSeries *series, *next;
        HASH_ITER(hh, memory->readers[i].series, series, next) {
            series->values[slot] = series->samples[slot] = NAN;
            if (series->seen_end_s <= oldest_s) series_drop(&memory->readers[i], series);
        }
    }
}

size_t graph_memory_take(GraphMemory *memory, int64_t end_s, int64_t now_s, const GraphTally *tally) {
    const size_t slot = windows_slot(&memory->windows, end_s);
    size_t beyond = tally->beyond;
    windows_take(&memory->windows, end_s, now_s);
    slot_clear(memory, slot, end_s);
    for (size_t i = 0; i < tally->count; i++) {
        const TallySeries *from = &tally->series[i];
        GraphSeries *series = series_get(memory, from);
        if (!series) {
            beyond++;
            continue;
        }
        series->values[slot] = from->value;
        series->samples[slot] = from->samples;
        if (end_s > series->seen_end_s) series->seen_end_s = end_s;
        if (end_s < series->notes_end_s) continue;
        labels_free(series->notes);
        series->notes = series_notes(from);
        series->notes_end_s = end_s;
    }
    return beyond;
}

/* --- what is handed on --- */

static Samples series_samples(
    const GraphMemory *memory, const GraphSeries *series, int64_t end_s, size_t count, Arena *arena) {
    const int64_t step_s = memory->windows.period_s;
    Samples samples = {.fold = FOLD_NONE, .start_s = end_s - (int64_t)count * step_s, .step_s = step_s, .count = count};
    samples.values = arena_alloc(arena, count, sizeof *samples.values);
    samples.counts = arena_alloc(arena, count, sizeof *samples.counts);
    for (size_t i = 0; i < count; i++) {
        const int64_t at_s = end_s - (int64_t)(count - 1 - i) * step_s;
        const size_t slot = windows_slot(&memory->windows, at_s);
        const bool is_there = windows_has(&memory->windows, at_s);
        samples.values[i] = is_there ? series->values[slot] : NAN;
        samples.counts[i] = is_there ? series->samples[slot] : NAN;
    }
    return samples;
}

/* How long a series has not been there, by the windows that were read: what was not read is no evidence. */
static int64_t absent_s(const GraphMemory *memory, const GraphSeries *series, int64_t end_s) {
    int64_t at_s = end_s;
    while (at_s > series->seen_end_s && windows_has(&memory->windows, at_s)) at_s -= memory->windows.step_s;
    return end_s - at_s;
}

static void observe_reader(GraphMemory *memory, size_t number, int64_t end_s, PollOutcome *outcome) {
    const GraphReader *reader = &memory->query->readers[number];
    ReaderMemory *remembered = &memory->readers[number];
    const size_t missed = missed_ends(memory, number, end_s), count = reader->range + missed;
    const bool is_near = remembered->observed_end_s > 0 && end_s - remembered->observed_end_s <= REPLAY_S;
    const bool all_there = windows_have_range(&memory->windows, end_s, count);
    for (GraphSeries *series = remembered->series; series; series = series->hh.next) {
        if (end_s - series->seen_end_s >= (int64_t)count * memory->windows.period_s) continue; /* in none of them */
        const bool has_notes = series->notes && series->notes_end_s == end_s;
        outcome->observations[outcome->count++] = (Observation){
            .watch = reader->watch,
            .labels = labels_ref(series->labels),
            .notes = has_notes ? labels_ref(series->notes) : NULL,
            .samples = series_samples(memory, series, end_s, all_there ? count : reader->range, outcome->arena),
            .settled_end_s = end_s,
            .absent_s = absent_s(memory, series, end_s),
            .every_minute = memory->query->period_s == 60 && is_near && all_there,
        };
    }
    if (end_s > remembered->observed_end_s) remembered->observed_end_s = end_s;
}

bool graph_memory_observe(GraphMemory *memory, int64_t end_s, PollOutcome *outcome) {
    bool all = true;
    for (size_t i = 0; i < memory->query->reader_count; i++) {
        if (windows_have_range(&memory->windows, end_s, memory->query->readers[i].range))
            observe_reader(memory, i, end_s, outcome);
        else
            all = false; /* read later: till then unknown, not missing */
    }
    return all;
}
