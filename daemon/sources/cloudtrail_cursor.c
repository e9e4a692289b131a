#include "sources/cloudtrail_cursor.h"

#include "base/json.h"
#include "base/own.h"

#include <string.h>

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

static void remove_at(CloudtrailCursor *cursor, size_t index) {
    cursor->gap_count--;
    memmove(&cursor->gaps[index], &cursor->gaps[index + 1], (cursor->gap_count - index) * sizeof *cursor->gaps);
}

/* Joins each gap with the next where they touch. */
static void join_touching(CloudtrailCursor *cursor) {
    for (size_t i = 0; i + 1 < cursor->gap_count;) {
        Interval *gap = &cursor->gaps[i], *next = &cursor->gaps[i + 1];
        if (next->from_s > gap->to_s + 1) {
            i++;
            continue;
        }
        if (next->to_s > gap->to_s) gap->to_s = next->to_s;
        remove_at(cursor, i + 1);
    }
}

static void join_nearest(CloudtrailCursor *cursor) {
    size_t best = 0;
    int64_t distance_s = INT64_MAX;
    for (size_t i = 0; i + 1 < cursor->gap_count; i++) {
        const int64_t between_s = cursor->gaps[i + 1].from_s - cursor->gaps[i].to_s;
        if (between_s < distance_s) best = i, distance_s = between_s;
    }
    cursor->gaps[best].to_s = cursor->gaps[best + 1].to_s;
    remove_at(cursor, best + 1);
}

void cursor_add_gap(CloudtrailCursor *cursor, Interval gap) {
    size_t at = 0;
    if (gap.to_s < gap.from_s) return;
    while (at < cursor->gap_count && cursor->gaps[at].from_s < gap.from_s) at++;
    memmove(&cursor->gaps[at + 1], &cursor->gaps[at], (cursor->gap_count - at) * sizeof gap);
    cursor->gaps[at] = gap;
    cursor->gap_count++;
    join_touching(cursor);
    if (cursor->gap_count > GAPS_MAX) join_nearest(cursor);
}

void cursor_gap_read(CloudtrailCursor *cursor, Interval gap, int64_t rest_to_s) {
    for (size_t i = 0; i < cursor->gap_count; i++) {
        Interval *found = &cursor->gaps[i];
        if (found->from_s != gap.from_s || found->to_s != gap.to_s) continue;
        if (rest_to_s < gap.from_s) return remove_at(cursor, i);
        if (rest_to_s < found->to_s) found->to_s = rest_to_s;
        return;
    }
}

int64_t cursor_drop_old(CloudtrailCursor *cursor, int64_t now_s) {
    const int64_t oldest_s = now_s - CLOUDTRAIL_KEPT_S;
    int64_t lost_s = 0;
    while (cursor->gap_count && cursor->gaps[0].to_s < oldest_s) {
        lost_s += cursor->gaps[0].to_s - cursor->gaps[0].from_s + 1;
        remove_at(cursor, 0);
    }
    if (!cursor->gap_count || cursor->gaps[0].from_s >= oldest_s) return lost_s;
    lost_s += oldest_s - cursor->gaps[0].from_s;
    cursor->gaps[0].from_s = oldest_s;
    return lost_s;
}

CloudtrailCursor cursor_parse(const char *json, int64_t now_s) {
    CloudtrailCursor cursor = {0};
    OWN(json) json_t *object = json ? json_read(json, strlen(json), NULL) : NULL;
    const json_t *pair;
    size_t i;
    if (!json_whole(object, "high_water_s", &cursor.high_water_s)) return (CloudtrailCursor){0};
    cursor.exists = true;
    cursor.high_water_s = clamp(cursor.high_water_s, 0, now_s);
    if (json_whole(object, "known_from_s", &cursor.known_from_s))
        cursor.known_from_s = clamp(cursor.known_from_s, 0, cursor.high_water_s);
    json_array_foreach(json_list(object, "gaps"), i, pair) {
        const json_t *from = json_array_get(pair, 0), *to = json_array_get(pair, 1);
        if (!json_is_integer(from) || !json_is_integer(to)) continue;
        cursor_add_gap(
            &cursor, (Interval){clamp(json_integer_value(from), 0, now_s), clamp(json_integer_value(to), 0, now_s)});
    }
    return cursor;
}

char *cursor_format(const CloudtrailCursor *cursor) {
    json_t *gaps = json_array();
    for (size_t i = 0; i < cursor->gap_count; i++)
        json_array_append_new(
            gaps, json_pack("[I, I]", (json_int_t)cursor->gaps[i].from_s, (json_int_t)cursor->gaps[i].to_s));
    OWN(json)
    json_t *object = json_pack("{s:I, s:I, s:o}", "high_water_s", (json_int_t)cursor->high_water_s, "known_from_s",
        (json_int_t)cursor->known_from_s, "gaps", gaps);
    return json_write(object);
}
