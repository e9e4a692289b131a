/* Civil time in any IANA time zone, by GLib's GTimeZone alone: libc's own zone is one for the whole process. A Zone is
 * immutable and may be read on any thread; making one reads a file of the zone database: before the loop, or on the
 * pool. */
#ifndef TOCSIN_BASE_ZONE_H
#define TOCSIN_BASE_ZONE_H

#include "base/error.h"
#include "base/own.h"

#include <stdint.h>

enum { ZONE_NAME_MAX = 64 };

typedef struct Zone Zone;

/* What a calendar and a clock on the wall show. */
typedef struct CivilTime {
    int year, month, day; /* 2026, 1 to 12, 1 to 31 */
    int weekday; /* 0 is Sunday */
    int days_in_month;
    int second_of_day; /* 0 to 86399 */
    int32_t offset_s; /* east of UTC: what the clock is ahead of it */
} CivilTime;

/* `Europe/Berlin`, `UTC`, or `Local` for this machine's own, as Alertmanager takes them. Caller frees. NULL:
 * ERROR_INPUT, no such zone. */
Zone *zone_new(const char *name, Error *err);
Zone *zone_free(Zone *zone); /* NULL is fine; returns NULL */
OWN_DEFINE(Zone, zone)

/* The civil time at `utc_s`, seconds since 1970; NULL stands for UTC. Outside the years 1 to 9998 it is the nearest
 * time within. */
CivilTime zone_civil(const Zone *zone, int64_t utc_s);
/* The first second at or before `until_s` at which the clock is set forward or back, where one is after `from_s`; else
 * `until_s`. The two lie so near each other that the clock is set at most once between them: a few days. */
int64_t zone_next_shift(const Zone *zone, int64_t from_s, int64_t until_s);

#endif
