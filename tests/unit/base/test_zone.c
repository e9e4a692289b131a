/* Time zones: which names are one, and what a clock on the wall shows there. */
#include "base/zone.h"

#include "../run.h"
#include "base/timetext.h"

#include <stdio.h>
#include <string.h>

static const char *const unknown[] = {"", "Europe/Berlim", "Europe", "europe/berlin/", "/etc/localtime",
    "/usr/share/zoneinfo/UTC", "../zoneinfo/UTC", "Europe/../UTC", "+01:00", "UTC+3", "UTC5", "XYZ3",
    "EST5EDT,M3.2.0,M11.1.0", "Europe/Berlin\n", "%s%n", "zone.tab", "leapseconds",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

START_TEST(refuses) {
    Error err = {0};
    ck_assert_msg(!zone_new(unknown[_i], &err), "`%s` was taken", unknown[_i]);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "is no time zone"));
    ck_assert_ptr_null(zone_new(unknown[_i], NULL));
}
END_TEST

static const struct Civil {
    const char *zone, *utc, *want;
} civil[] = {
    {"UTC", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00 day 4 of 31 offset 0"},
    {"Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01 01:00:00 day 4 of 31 offset 3600"},
    {"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59 day 0 of 31 offset 3600"},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00 day 0 of 31 offset 7200"},
    {"Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25 02:59:59 day 0 of 31 offset 7200"},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25 02:00:00 day 0 of 31 offset 3600"},
    {"America/New_York", "2026-01-01T04:59:59Z", "2025-12-31 23:59:59 day 3 of 31 offset -18000"},
    {"Asia/Kathmandu", "2026-06-30T18:15:00Z", "2026-07-01 00:00:00 day 3 of 31 offset 20700"},
    {"Australia/Lord_Howe", "2026-01-01T00:00:00Z", "2026-01-01 11:00:00 day 4 of 31 offset 39600"},
    {"Etc/GMT+3", "2026-01-01T00:00:00Z", "2025-12-31 21:00:00 day 3 of 31 offset -10800"},
    {"UTC", "2024-02-29T12:00:00Z", "2024-02-29 12:00:00 day 4 of 29 offset 0"},
    {"UTC", "2026-02-28T12:00:00Z", "2026-02-28 12:00:00 day 6 of 28 offset 0"},
    {"UTC", "2100-02-28T12:00:00Z", "2100-02-28 12:00:00 day 0 of 28 offset 0"},
    {"UTC", "2000-02-28T12:00:00Z", "2000-02-28 12:00:00 day 1 of 29 offset 0"},
    {"Europe/Berlin", "2090-07-01T00:00:00Z", "2090-07-01 02:00:00 day 6 of 31 offset 7200"}, /* by the zone's rule */
    {"UTC", "1969-12-31T23:59:59Z", "1969-12-31 23:59:59 day 3 of 31 offset 0"},
    {NULL, "2026-01-01T06:07:08Z", "2026-01-01 06:07:08 day 4 of 31 offset 0"},
};

static const char *shown(CivilTime t, char text[static 96]) {
    snprintf(text, 96, "%04d-%02d-%02d %02d:%02d:%02d day %d of %d offset %d", t.year, t.month, t.day,
        t.second_of_day / 3600, t.second_of_day / 60 % 60, t.second_of_day % 60, t.weekday, t.days_in_month,
        t.offset_s);
    return text;
}

START_TEST(shows_civil_time) {
    int64_t ms;
    char text[96];
    Error err = {0};
    ck_assert(time_parse(civil[_i].utc, &ms));
    OWN(zone) Zone *zone = civil[_i].zone ? zone_new(civil[_i].zone, &err) : NULL;
    ck_assert_str_eq(err.text, "");
    ck_assert_str_eq(shown(zone_civil(zone, ms / 1000), text), civil[_i].want);
}
END_TEST

static const int64_t extremes[] = {INT64_MIN, INT64_MAX, -62135596801, 253402300800, 0};

START_TEST(holds_at_any_time) {
    static const char *const names[] = {"UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Local"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        OWN(zone) Zone *zone = zone_new(names[i], NULL);
        ck_assert_ptr_nonnull(zone);
        const CivilTime t = zone_civil(zone, extremes[_i]);
        ck_assert_int_ge(t.year, 0);
        ck_assert_int_le(t.year, 9999);
        ck_assert_int_ge(t.month, 1);
        ck_assert_int_le(t.day, t.days_in_month);
    }
}
END_TEST

/* A zone of the process, and one zone of many, change nothing for another. */
START_TEST(zones_stand_side_by_side) {
    OWN(zone) Zone *berlin = zone_new("Europe/Berlin", NULL), *tokyo = zone_new("Asia/Tokyo", NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(zone_civil(berlin, 0).second_of_day, 3600);
        ck_assert_int_eq(zone_civil(tokyo, 0).second_of_day, 9 * 3600);
        ck_assert_int_eq(zone_civil(NULL, 0).second_of_day, 0);
    }
}
END_TEST

static const struct Shift {
    const char *zone, *from, *until, *want;
} shifts[] = {
    {"Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "2026-03-29T01:00:00.000Z"},
    {"Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", "2026-10-25T01:00:00.000Z"},
    {"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00.000Z"},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T12:00:00Z", "2026-03-30T12:00:00.000Z"},
    {"UTC", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "2026-03-30T12:00:00.000Z"},
};

START_TEST(finds_the_shift) {
    int64_t from, until;
    char text[TIME_TEXT_MAX];
    ck_assert(time_parse(shifts[_i].from, &from) && time_parse(shifts[_i].until, &until));
    OWN(zone) Zone *zone = zone_new(shifts[_i].zone, NULL);
    ck_assert_str_eq(time_format(1000 * zone_next_shift(zone, from / 1000, until / 1000), text), shifts[_i].want);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, refuses, 0, COUNT_OF(unknown));
    tcase_add_loop_test(tcase, shows_civil_time, 0, COUNT_OF(civil));
    tcase_add_loop_test(tcase, holds_at_any_time, 0, COUNT_OF(extremes));
    tcase_add_test(tcase, zones_stand_side_by_side);
    tcase_add_loop_test(tcase, finds_the_shift, 0, COUNT_OF(shifts));
}

int main(void) { return run_tests("zone", fill); }
