/* Times and durations as text, and back. All UTC. */
#ifndef TOCSIN_BASE_TIMETEXT_H
#define TOCSIN_BASE_TIMETEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIME_TEXT_MAX = 40 };

/* RFC 3339 UTC with milliseconds, `2026-01-02T03:04:05.678Z`. Returns `text`. */
const char *time_format(int64_t wall_ms, char text[static TIME_TEXT_MAX]);
/* `20260102T030405Z`, as Signature Version 4 wants it; its first eight characters are the date. */
const char *time_format_compact(int64_t wall_ms, char text[static TIME_TEXT_MAX]);
/* `Fri, 02 Jan 2026 03:04:05 +0000`: RFC 5322's date, for mail. */
const char *time_format_mail(int64_t wall_ms, char text[static TIME_TEXT_MAX]);
/* `02/01/26 03:04:05`, day/month/year: the stamp inside CloudWatch's reason texts. */
const char *time_format_reason(int64_t wall_ms, char text[static TIME_TEXT_MAX]);

/* RFC 3339 / ISO 8601 with `Z` or an offset, fraction optional; also `YYYY-MM-DD hh:mm:ss` (UTC). */
bool time_parse(const char *text, int64_t *ret_wall_ms);
/* An HTTP `Date` (RFC 9110's IMF-fixdate). */
bool time_parse_http(const char *text, int64_t *ret_wall_ms);

/* Prometheus' durations (`30s`, `5m`, `1h30m`, `1d`, `2w`, `500ms` is refused) or a whole number of seconds. */
bool duration_parse(const char *text, int64_t *ret_seconds);
/* For people: `45s`, `5m`, `1h 30m`, `3d 4h`: the two largest units. Returns `text`. */
const char *duration_format(int64_t seconds, char text[static TIME_TEXT_MAX]);

#endif
