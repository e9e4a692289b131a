/* How far CloudTrail was read in one account and region: the newest event seen, the gaps behind it, and from when on
 * the ids of what was counted are known. One cursor row, as JSON. Pure. All times are UTC seconds; stamps have a
 * resolution of one second and both ends of an interval belong to it, as in LookupEvents. */
#ifndef TOCSIN_SOURCES_CLOUDTRAIL_CURSOR_H
#define TOCSIN_SOURCES_CLOUDTRAIL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GAPS_MAX = 64, /* more are joined with their neighbours: read twice, never lost */
    CLOUDTRAIL_KEPT_S = 90 * 86400 - 3600 /* what LookupEvents still has; a little for the call itself */
};

typedef struct Interval {
    int64_t from_s, to_s;
} Interval;

typedef struct CloudtrailCursor {
    bool exists; /* false: this account and region were never read */
    int64_t high_water_s; /* the newest eventTime seen */
    int64_t known_from_s; /* ids of older events may be forgotten: nothing before it is read again */
    Interval gaps[GAPS_MAX + 1]; /* oldest first, apart from one another */
    size_t gap_count;
} CloudtrailCursor;

/* NULL, and what is no cursor: one that does not exist; times are clamped to `now_s`. */
CloudtrailCursor cursor_parse(const char *json, int64_t now_s);
char *cursor_format(const CloudtrailCursor *cursor); /* caller frees */
/* What could not be read to its end. Joins what touches; of more than GAPS_MAX the two that are nearest. */
void cursor_add_gap(CloudtrailCursor *cursor, Interval gap);
/* This gap was read: the part from `rest_to_s` back is left; before its beginning: nothing is. */
void cursor_gap_read(CloudtrailCursor *cursor, Interval gap, int64_t rest_to_s);
/* Gaps that LookupEvents does not have any more. The seconds that are lost. */
int64_t cursor_drop_old(CloudtrailCursor *cursor, int64_t now_s);

#endif
