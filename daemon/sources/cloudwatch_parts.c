/* daemon/sources/cloudwatch_parts.c: a batch in as few calls as CloudWatch takes */
#include "sources/cloudwatch.h"

#include <string.h>

static void push(MetricParts *parts, size_t first, size_t end) {
    if (first == end) return;
    parts->parts[parts->count][0] = first;
    parts->parts[parts->count++][1] = end;
}

static void refuse(MetricParts *parts, size_t at, const char *words) {
    const size_t reader = parts->order[at];
    parts->refusals[reader] =
        metric_refusal(parts->arena, parts->batch, parts->asked, &parts->batch->readers[reader], words);
}

/* Those that were refused are tried again, a few in each poll; which begin depends on the time. */
static void push_refused(MetricParts *parts, size_t healthy, int64_t now_s) {
    const size_t readers = parts->batch->reader_count, refused = readers - healthy;
    const size_t begin = (size_t)((uint64_t)now_s / 60 * 0x9e3779b97f4a7c15u >> 40); /* any interval comes to all */
    for (size_t i = 0; i < refused; i++) {
        const size_t at = (i + begin) % refused;
        if (i < METRIC_REFUSED_TRIES)
            push(parts, healthy + at, healthy + at + 1);
        else
            refuse(parts, healthy + at, NULL);
    }
}

void metric_parts_init(MetricParts *parts, const MetricBatch *batch, Arena *arena, int64_t now_s) {
    const size_t readers = batch->reader_count;
    *parts = (MetricParts){.batch = batch, .arena = arena};
    parts->order = arena_alloc(arena, readers, sizeof *parts->order);
    parts->parts = arena_alloc(arena, 2 * readers + 2, sizeof *parts->parts);
    parts->refusals = arena_alloc(arena, readers, sizeof *parts->refusals);
    parts->asked = arena_alloc(arena, batch->query_count, sizeof *parts->asked);
    size_t count = 0;
    for (size_t i = 0; i < readers; i++)
        if (!batch->refused[i]) parts->order[count++] = i;
    const size_t healthy = count;
    for (size_t i = 0; i < readers; i++)
        if (batch->refused[i]) parts->order[count++] = i;
    if (healthy < readers) push_refused(parts, healthy, now_s);
    push(parts, 0, healthy);
}

static void mark_asked(MetricParts *parts, const MetricReader *reader) {
    parts->asked[reader->values] = true;
    if (reader->counts != METRIC_NO_QUERY) parts->asked[reader->counts] = true;
    for (size_t i = 0; i < reader->count; i++) parts->asked[reader->first + i] = true;
}

/* A part's share of the batch's price, by its queries: exact where it is the whole batch, or one alarm's metrics. */
static double price(const MetricParts *parts) {
    size_t count = 0;
    for (size_t i = 0; i < parts->batch->query_count; i++) count += parts->asked[i];
    return parts->batch->billed_units * (double)count / (double)parts->batch->query_count;
}

bool metric_parts_next(MetricParts *parts) {
    if (!parts->count) return false;
    parts->count--;
    parts->first = parts->parts[parts->count][0];
    parts->end = parts->parts[parts->count][1];
    parts->calls++;
    memset(parts->asked, 0, parts->batch->query_count * sizeof *parts->asked);
    for (size_t i = parts->first; i < parts->end; i++) mark_asked(parts, &parts->batch->readers[parts->order[i]]);
    parts->billed_units = price(parts);
    return true;
}

/* Past METRIC_CALLS_MAX the rest waits: who is known by then is asked alone in the next poll, which gets further. */
void metric_parts_refused(MetricParts *parts, const char *words) {
    const size_t count = parts->end - parts->first;
    if (count == 1) {
        parts->batch->refused[parts->order[parts->first]] = true;
        return refuse(parts, parts->first, words);
    }
    if (parts->calls >= METRIC_CALLS_MAX) {
        const char *shared = metric_refusal_shared(parts->arena, parts->batch, parts->asked, words);
        for (size_t i = parts->first; i < parts->end; i++) parts->refusals[parts->order[i]] = shared;
        return;
    }
    const size_t middle = parts->first + count / 2;
    push(parts, middle, parts->end);
    push(parts, parts->first, middle);
}

void metric_parts_read(MetricParts *parts) {
    parts->whole++;
    for (size_t i = parts->first; i < parts->end; i++) parts->batch->refused[parts->order[i]] = false;
}

void metric_parts_end(const MetricParts *parts) {
    if (!parts->whole && parts->calls < METRIC_CALLS_MAX)
        memset(parts->batch->refused, 0, parts->batch->reader_count * sizeof *parts->batch->refused);
}
