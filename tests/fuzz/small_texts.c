/* The small grammars: durations, times, HTTP dates, numbers, globs. Holds: what is read is in its range, and written
 * and read again is the same; a glob agrees with its definition. For a glob the text stands behind the first line. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/timetext.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GLOB_TRIED_MAX = 40 };
static const int64_t hundred_years_s = 100 * INT64_C(31536000), year_0_ms = -62167219200000,
                     year_9999_ms = 253402300799999;

static void check_duration(const char *text) {
    int64_t seconds = -1, again = -1;
    char shown[TIME_TEXT_MAX];
    if (!duration_parse(text, &seconds)) {
        if (seconds != -1) abort(); /* what failed leaves everything as it was */
        return;
    }
    if (seconds < 0 || seconds > hundred_years_s || !*duration_format(seconds, shown)) abort();
    OWN(text) char *plain = text_format("%jds", (intmax_t)seconds);
    if (!duration_parse(plain, &again) || again != seconds) abort();
}

static void check_time(const char *text) {
    int64_t ms = 0, again = 0;
    char shown[TIME_TEXT_MAX];
    if (time_parse(text, &ms)) {
        const bool is_of_four_digits = ms >= year_0_ms && ms <= year_9999_ms; /* an offset may lead out of them */
        if (!time_parse(time_format(ms, shown), &again) || (is_of_four_digits && again != ms)) abort();
    }
    if (time_parse_http(text, &ms) && (ms % 1000 || ms < year_0_ms || ms > year_9999_ms + 1)) abort();
    time_format_mail(ms, shown);
    time_format_reason(ms, shown);
    if (strlen(time_format_compact(ms, shown)) != strlen("20260102T030405Z")) abort();
}

static void check_number(const char *text) {
    double value = 0, again = 0;
    char shown[NUMBER_TEXT_MAX];
    if (!number_parse(text, &value)) return;
    if (!isfinite(value) || strlen(number_format(value, shown)) >= NUMBER_TEXT_MAX) abort();
    if (!number_parse(shown, &again) || again != value) abort();
}

/* The definition, as slow as it is plain. */
static bool matches(const char *glob, const char *text) {
    if (*glob == '*') return matches(glob + 1, text) || (*text && matches(glob, text + 1));
    if (!*glob || !*text) return !*glob && !*text;
    if (*glob == '?') return matches(glob + 1, text + 1);
    if (*glob == '\\' && glob[1]) glob++;
    return *glob == *text && matches(glob + 1, text + 1);
}

/* A `?` is a byte or a character: the definition is for ASCII, and for texts that it is done with today. */
static void check_glob(const char *glob, const char *text) {
    const bool got = glob_matches(glob, text, false);
    size_t stars = 0;
    for (const char *p = glob; *p; p++) stars += *p == '*';
    for (const char *p = glob; *p; p++)
        if ((unsigned char)*p >= 0x80) return;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p >= 0x80) return;
    if (stars > 4 || strlen(text) > GLOB_TRIED_MAX) return;
    if (got != matches(glob, text)) abort();
    if (got && !glob_matches(glob, text, true)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(text) char *text = text_copy_length((const char *)data, size);
    check_duration(text);
    check_time(text);
    check_number(text);
    char *line = strchr(text, '\n');
    if (!line) return 0;
    *line = 0;
    check_glob(text, line + 1);
    return 0;
}
