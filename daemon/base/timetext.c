#include "base/timetext.h"

#include "base/own.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static const int64_t first_ms = -62167219200000; /* the year 0 */
static const int64_t last_ms = 253402300799999; /* the end of 9999: what lies beyond has no four-digit year */

/* UTC broken down, whatever comes in; returns the milliseconds behind the second. */
static int broken_down(int64_t wall_ms, struct tm *ret_tm) {
    const int64_t ms = wall_ms < first_ms ? first_ms : wall_ms > last_ms ? last_ms : wall_ms;
    int64_t seconds = ms / 1000;
    int rest = (int)(ms % 1000);
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    const time_t t = (time_t)seconds;
    *ret_tm = (struct tm){0};
    gmtime_r(&t, ret_tm);
    return rest;
}

const char *time_format(int64_t wall_ms, char text[static TIME_TEXT_MAX]) {
    struct tm t;
    const int ms = broken_down(wall_ms, &t);
    char rest[TIME_TEXT_MAX / 2]; /* strftime's own year has no zeros before it */
    strftime(rest, sizeof rest, "-%m-%dT%H:%M:%S", &t);
    snprintf(text, TIME_TEXT_MAX, "%04d%s.%03dZ", t.tm_year + 1900, rest, ms);
    return text;
}

const char *time_format_compact(int64_t wall_ms, char text[static TIME_TEXT_MAX]) {
    struct tm t;
    char rest[TIME_TEXT_MAX / 2];
    broken_down(wall_ms, &t);
    strftime(rest, sizeof rest, "%m%dT%H%M%SZ", &t);
    snprintf(text, TIME_TEXT_MAX, "%04d%s", t.tm_year + 1900, rest);
    return text;
}

const char *time_format_mail(int64_t wall_ms, char text[static TIME_TEXT_MAX]) {
    struct tm t;
    broken_down(wall_ms, &t);
    char rest[TIME_TEXT_MAX / 2];
    strftime(rest, sizeof rest, "%H:%M:%S", &t);
    snprintf(text, TIME_TEXT_MAX, "%s, %02d %s %04d %s +0000", days[t.tm_wday], t.tm_mday, months[t.tm_mon],
        t.tm_year + 1900, rest);
    return text;
}

const char *time_format_reason(int64_t wall_ms, char text[static TIME_TEXT_MAX]) {
    struct tm t;
    broken_down(wall_ms, &t);
    const int parts[] = {t.tm_mday, t.tm_mon + 1, (t.tm_year + 1900) % 100, t.tm_hour, t.tm_min, t.tm_sec};
    char *at = strcpy(text, "dd/mm/yy hh:mm:ss");
    for (size_t i = 0; i < COUNT_OF(parts); i++, at += 3) { /* by hand: an alarm's reason has several in each poll */
        at[0] = (char)('0' + parts[i] / 10);
        at[1] = (char)('0' + parts[i] % 10);
    }
    return text;
}

/* Exactly `width` digits; moves on. */
static bool digits(const char **at, int width, int *ret_value) {
    int value = 0;
    for (int i = 0; i < width; i++) {
        const char c = (*at)[i];
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    *at += width;
    *ret_value = value;
    return true;
}

static bool letter(const char **at, const char *allowed) {
    if (!**at || !strchr(allowed, **at)) return false;
    (*at)++;
    return true;
}

static bool clock_face(const char **at, struct tm *t) {
    return digits(at, 2, &t->tm_hour) && letter(at, ":") && digits(at, 2, &t->tm_min) && letter(at, ":") &&
        digits(at, 2, &t->tm_sec);
}

/* Seconds since 1970; refuses a 30th of February, allows second 60 (RFC 3339 section 5.6). */
static bool seconds_of(struct tm t, int64_t *ret_seconds) {
    if (t.tm_mon < 0 || t.tm_mon > 11 || t.tm_mday < 1 || t.tm_hour > 23 || t.tm_min > 59 || t.tm_sec > 60)
        return false;
    struct tm again = t;
    const time_t seconds = timegm(&again);
    if (t.tm_sec < 60 && again.tm_mday != t.tm_mday) return false;
    if (t.tm_mday > 31 || (t.tm_sec == 60 && again.tm_mday != t.tm_mday && again.tm_mday != 1)) return false;
    *ret_seconds = (int64_t)seconds;
    return true;
}

static int fraction_ms(const char **at) {
    int ms = 0;
    if (!letter(at, ".,")) return 0;
    for (int unit = 100; isdigit((unsigned char)**at); (*at)++, unit /= 10) ms += unit * (**at - '0');
    return ms;
}

/* `Z`, `+hh:mm`, `+hhmm`, or nothing where that is allowed. */
static bool offset_of(const char *at, bool required, int *ret_seconds) {
    *ret_seconds = 0;
    if (!*at) return !required;
    if (!strcmp(at, "Z") || !strcmp(at, "z")) return true;
    const int sign = *at == '-' ? -1 : 1;
    int hours, minutes;
    if (!letter(&at, "+-") || !digits(&at, 2, &hours)) return false;
    letter(&at, ":");
    if (!digits(&at, 2, &minutes) || *at || hours > 23 || minutes > 59) return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool time_parse(const char *text, int64_t *ret_wall_ms) {
    struct tm t = {0};
    int year, month, offset;
    int64_t seconds;
    const char *at = text;
    if (!digits(&at, 4, &year) || !letter(&at, "-") || !digits(&at, 2, &month) || !letter(&at, "-")) return false;
    if (!digits(&at, 2, &t.tm_mday)) return false;
    const bool blank = *at == ' ';
    if (!letter(&at, "Tt ") || !clock_face(&at, &t)) return false;
    const bool pointed = *at == '.' || *at == ',';
    if (pointed && !isdigit((unsigned char)at[1])) return false;
    const int ms = fraction_ms(&at);
    if (!offset_of(at, !blank, &offset)) return false;
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    if (!seconds_of(t, &seconds)) return false;
    *ret_wall_ms = (seconds - offset) * 1000 + ms;
    return true;
}

bool time_parse_http(const char *text, int64_t *ret_wall_ms) {
    struct tm t = {.tm_mon = -1};
    int year;
    int64_t seconds;
    const char *at = strchr(text, ','); /* the weekday says nothing new */
    if (!at || at - text != 3) return false;
    at++;
    if (!letter(&at, " ") || !digits(&at, 2, &t.tm_mday) || !letter(&at, " ")) return false;
    for (int i = 0; i < 12; i++) {
        if (!strncmp(at, months[i], 3)) t.tm_mon = i;
    }
    if (t.tm_mon < 0) return false;
    at += 3;
    if (!letter(&at, " ") || !digits(&at, 4, &year) || !letter(&at, " ") || !clock_face(&at, &t)) return false;
    if (strcmp(at, " GMT") != 0) return false;
    t.tm_year = year - 1900;
    if (!seconds_of(t, &seconds)) return false;
    *ret_wall_ms = seconds * 1000;
    return true;
}

static const struct Unit {
    const char *letter;
    int64_t seconds;
} units[] = {{"y", 31536000}, {"w", 604800}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
enum { UNITS = sizeof units / sizeof *units };

static const int64_t duration_max_s = 100 * INT64_C(31536000); /* a hundred years: sums of it cannot overflow */

static bool whole(const char **at, int64_t *ret_value) {
    int64_t value = 0;
    if (!isdigit((unsigned char)**at)) return false;
    for (; isdigit((unsigned char)**at); (*at)++) {
        value = value * 10 + (**at - '0');
        if (value > duration_max_s) return false;
    }
    *ret_value = value;
    return true;
}

bool duration_parse(const char *text, int64_t *ret_seconds) {
    int64_t number, sum = 0;
    const char *at = text;
    if (!whole(&at, &number)) return false;
    if (!*at) { /* a bare number is seconds */
        *ret_seconds = number;
        return true;
    }
    at = text;
    size_t next = 0; /* units come once each, largest first */
    while (*at) {
        if (!whole(&at, &number)) return false;
        while (next < UNITS && *at != *units[next].letter) next++;
        if (next == UNITS || number > duration_max_s / units[next].seconds) return false;
        sum += number * units[next++].seconds;
        at++;
        if (sum > duration_max_s) return false;
    }
    *ret_seconds = sum;
    return true;
}

const char *duration_format(int64_t seconds, char text[static TIME_TEXT_MAX]) {
    const char *sign = seconds < 0 ? "-" : "";
    const uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    size_t unit = 2; /* from days on: weeks and years are for configurations */
    while (unit < UNITS - 1 && left < (uint64_t)units[unit].seconds) unit++;
    const uint64_t size = (uint64_t)units[unit].seconds, large = left / size;
    const unsigned small = unit + 1 < UNITS ? (unsigned)(left % size / (uint64_t)units[unit + 1].seconds) : 0;
    if (small) {
        snprintf(text, TIME_TEXT_MAX, "%s%ju%s %u%s", sign, (uintmax_t)large, units[unit].letter, small,
            units[unit + 1].letter);
    } else {
        snprintf(text, TIME_TEXT_MAX, "%s%ju%s", sign, (uintmax_t)large, units[unit].letter);
    }
    return text;
}
