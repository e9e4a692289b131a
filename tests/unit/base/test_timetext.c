#include "base/timetext.h"

#include "../run.h"

#include "base/own.h"

static const struct {
    const char *text;
    int64_t want_ms; /* REFUSED: not a time */
} times[] = {
#define REFUSED INT64_MIN
    {"", REFUSED}, {"2026", REFUSED}, {"2026-01-02", REFUSED}, {"2026-01-02T03:04", REFUSED},
    {"2026-01-02T03:04:05", REFUSED}, /* RFC 3339 wants an offset */
    {"2026-01-02T03:04:05.Z", REFUSED}, {"2026-01-02T03:04:05Zx", REFUSED}, {"2026-01-02T03:04:05+1", REFUSED},
    {"2026-01-02T03:04:05+24:00", REFUSED}, {"2026-13-02T03:04:05Z", REFUSED}, {"2026-00-02T03:04:05Z", REFUSED},
    {"2026-02-30T03:04:05Z", REFUSED}, {"2025-02-29T03:04:05Z", REFUSED}, {"2026-02-00T03:04:05Z", REFUSED},
    {"2026-01-32T03:04:60Z", REFUSED}, {"2026-01-02T24:04:05Z", REFUSED}, {"2026-01-02T03:60:05Z", REFUSED},
    {"2026-01-02T03:04:61Z", REFUSED}, {"1970-01-01T00:00:00Z", 0}, {"1969-12-31T23:59:59.5Z", -500},
    {"2026-01-02T03:04:05.678Z", 1767323045678}, {"2026-01-02T03:04:05.678999999z", 1767323045678},
    {"2026-01-02t04:04:05+01:00", 1767323045000}, {"2026-01-01T22:04:05-0500", 1767323045000},
    {"2026-01-02 03:04:05", 1767323045000}, {"2024-02-29T00:00:00Z", 1709164800000},
    {"2016-12-31T23:59:60Z", 1483228800000}, /* the leap second is the next second */
};
START_TEST(times_are_parsed) {
    int64_t got = REFUSED;
    const bool ok = time_parse(times[_i].text, &got);
    ck_assert_msg(got == times[_i].want_ms, "%s: %jd", times[_i].text, (intmax_t)got);
    ck_assert(ok == (got != REFUSED));
}
END_TEST

static const struct {
    const char *text;
    int64_t want_ms;
} http_dates[] = {
    {"", REFUSED},
    {"Fri", REFUSED},
    {"Friday, 02-Jan-26 03:04:05 GMT", REFUSED},
    {"Fri Jan  2 03:04:05 2026", REFUSED},
    {"Fri, 02 Foo 2026 03:04:05 GMT", REFUSED},
    {"Fri, 02 Jan 2026 03:04:05", REFUSED},
    {"Fri, 02 Jan 2026 03:04:05 GMT ", REFUSED},
    {"Fri, 31 Feb 2026 03:04:05 GMT", REFUSED},
    {"Fri, 02 Jan 2026 03:04:05 GMT", 1767323045000},
};
START_TEST(http_dates_are_parsed) {
    int64_t got = REFUSED;
    time_parse_http(http_dates[_i].text, &got);
    ck_assert_msg(got == http_dates[_i].want_ms, "%s: %jd", http_dates[_i].text, (intmax_t)got);
}
END_TEST

static const struct {
    const char *text;
    int64_t want_s;
} durations[] = {
    {"", -1},
    {"m", -1},
    {"-5", -1},
    {"+5", -1},
    {" 5", -1},
    {"5 m", -1},
    {"5m ", -1},
    {"1.5h", -1},
    {"500ms", -1},
    {"5M", -1},
    {"5m5m", -1},
    {"5m1h", -1}, /* largest unit first, as Prometheus */
    {"1h30", -1},
    {"0x10", -1},
    {"999999999999999999999", -1},
    {"101y", -1},
    {"99y9999999999s", -1},
    {"0", 0},
    {"90", 90},
    {"30s", 30},
    {"5m", 300},
    {"1h30m", 5400},
    {"1d", 86400},
    {"2w", 1209600},
    {"1y1w1d1h1m1s", 31536000 + 604800 + 86400 + 3600 + 60 + 1},
};
START_TEST(durations_are_parsed) {
    int64_t got = -1;
    duration_parse(durations[_i].text, &got);
    ck_assert_msg(got == durations[_i].want_s, "%s: %jd", durations[_i].text, (intmax_t)got);
}
END_TEST

static const struct {
    int64_t seconds;
    const char *want;
} lengths[] = {{0, "0s"}, {45, "45s"}, {60, "1m"}, {61, "1m 1s"}, {3600, "1h"}, {5400, "1h 30m"}, {5430, "1h 30m"},
    {86399, "23h 59m"}, {273600, "3d 4h"}, {86460, "1d"}, {86400 * 400, "400d"}, {-90, "-1m 30s"},
    {INT64_MIN, "-106751991167300d 15h"}};
START_TEST(durations_are_told) {
    char text[TIME_TEXT_MAX];
    ck_assert_str_eq(duration_format(lengths[_i].seconds, text), lengths[_i].want);
}
END_TEST

START_TEST(times_are_told) {
    char text[TIME_TEXT_MAX];
    ck_assert_str_eq(time_format(1767323045678, text), "2026-01-02T03:04:05.678Z");
    ck_assert_str_eq(time_format(-1, text), "1969-12-31T23:59:59.999Z");
    ck_assert_str_eq(time_format(-62135596800000, text), "0001-01-01T00:00:00.000Z"); /* four digits, always */
    ck_assert_str_eq(time_format_compact(-62135596800000, text), "00010101T000000Z");
    ck_assert_str_eq(time_format(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    ck_assert_uint_le(strlen(time_format(INT64_MIN, text)), TIME_TEXT_MAX - 1);
    ck_assert_str_eq(time_format_compact(1767323045678, text), "20260102T030405Z");
    ck_assert_str_eq(time_format_mail(1767323045678, text), "Fri, 02 Jan 2026 03:04:05 +0000");
    ck_assert_str_eq(time_format_reason(1767323045678, text), "02/01/26 03:04:05");
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_loop_test(tcase, times_are_parsed, 0, COUNT_OF(times));
    tcase_add_loop_test(tcase, http_dates_are_parsed, 0, COUNT_OF(http_dates));
    tcase_add_loop_test(tcase, durations_are_parsed, 0, COUNT_OF(durations));
    tcase_add_loop_test(tcase, durations_are_told, 0, COUNT_OF(lengths));
    tcase_add_test(tcase, times_are_told);
}
int main(void) { return run_tests("timetext", fill); }
