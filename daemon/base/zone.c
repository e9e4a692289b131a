#include "base/zone.h"

#include "base/alloc.h"
#include "base/text.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Zone {
    GTimeZone *zone;
};

static const int64_t first_s = -62135596800; /* the year 1 */
static const int64_t last_s = 253370764799; /* the end of 9998: a day later is still a year of four digits */

/* A file of the database begins so (RFC 9636, section 3.1); GLib loses memory over the tables that lie beside them. */
static bool is_zone_file(const char *path) {
    char magic[4];
    FILE *file = fopen(path, "rbe");
    if (!file) return false;
    const bool is_one = fread(magic, 1, sizeof magic, file) == sizeof magic && !memcmp(magic, "TZif", sizeof magic);
    fclose(file);
    return is_one;
}

/* The names of the database and nothing else: GLib would take a path, an offset or a rule, too, and a typing error in a
 * name can be one of these. */
static bool is_listed(const char *name) {
    static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
    const char *folder = getenv("TZDIR"); /* as GLib looks */
    char path[4096];
    const size_t length = strnlen(name, ZONE_NAME_MAX + 1);
    if (!length || length > ZONE_NAME_MAX || strspn(name, letters) != length) return false;
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    return is_zone_file(path);
}

static GTimeZone *find(const char *name) {
    if (strcmp(name, "UTC") == 0) return g_time_zone_new_utc(); /* without the database, too */
    if (strcmp(name, "Local") == 0) return g_time_zone_new_local();
    return is_listed(name) ? g_time_zone_new_identifier(name) : NULL;
}

Zone *zone_new(const char *name, Error *err) {
    GTimeZone *found = find(name);
    if (!found) {
        const int shown = (int)utf8_cut(name, strlen(name), ZONE_NAME_MAX);
        error_set(err, ERROR_INPUT, "`%.*s` is no time zone", shown, name);
        return NULL;
    }
    Zone *zone = alloc_zeroed(1, sizeof *zone);
    zone->zone = found;
    return zone;
}

Zone *zone_free(Zone *zone) {
    if (!zone) return NULL;
    g_time_zone_unref(zone->zone);
    free(zone);
    return NULL;
}

static int64_t within(int64_t utc_s) { return utc_s < first_s ? first_s : utc_s > last_s ? last_s : utc_s; }

static int32_t offset_at(const Zone *zone, int64_t utc_s) {
    if (!zone) return 0;
    const gint interval = g_time_zone_find_interval(zone->zone, G_TIME_TYPE_UNIVERSAL, within(utc_s));
    return interval < 0 ? 0 : g_time_zone_get_offset(zone->zone, interval);
}

static int month_length(int year, int month) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap);
}

CivilTime zone_civil(const Zone *zone, int64_t utc_s) {
    const int32_t offset_s = offset_at(zone, utc_s);
    const time_t local = (time_t)(within(utc_s) + offset_s);
    struct tm t = {0};
    gmtime_r(&local, &t);
    return (CivilTime){
        .year = t.tm_year + 1900,
        .month = t.tm_mon + 1,
        .day = t.tm_mday,
        .weekday = t.tm_wday,
        .days_in_month = month_length(t.tm_year + 1900, t.tm_mon + 1),
        .second_of_day = (t.tm_hour * 60 + t.tm_min) * 60 + t.tm_sec,
        .offset_s = offset_s,
    };
}

int64_t zone_next_shift(const Zone *zone, int64_t from_s, int64_t until_s) {
    const int32_t before = offset_at(zone, from_s);
    if (offset_at(zone, until_s) == before) return until_s;
    while (until_s - from_s > 1) { /* from_s: before it; until_s: behind or at it */
        const int64_t middle = from_s + (until_s - from_s) / 2;
        if (offset_at(zone, middle) == before)
            from_s = middle;
        else
            until_s = middle;
    }
    return until_s;
}
