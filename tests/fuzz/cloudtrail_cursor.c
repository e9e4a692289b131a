/* How far CloudTrail was read, as the state file has it. Holds: times can be, gaps lie behind one another and are no
 * more than GAPS_MAX; what is written reads back the same; reading a gap to its end leaves nothing of it, and nothing
 * else is lost by that. */
#include "fuzz.h"

#include "base/alloc.h"
#include "sources/cloudtrail_cursor.h"

#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1767323045 };

static void check_cursor(const CloudtrailCursor *cursor) {
    if (cursor->high_water_s < 0 || cursor->high_water_s > NOW_S || cursor->gap_count > GAPS_MAX) abort();
    if (cursor->known_from_s < 0 || cursor->known_from_s > cursor->high_water_s) abort();
    for (size_t i = 0; i < cursor->gap_count; i++) {
        const Interval *gap = &cursor->gaps[i];
        if (gap->from_s < 0 || gap->to_s > NOW_S || gap->from_s > gap->to_s) abort();
        if (i && gap->from_s <= cursor->gaps[i - 1].to_s) abort();
    }
}

static int64_t seconds_of(const CloudtrailCursor *cursor) {
    int64_t all_s = 0;
    for (size_t i = 0; i < cursor->gap_count; i++) all_s += cursor->gaps[i].to_s - cursor->gaps[i].from_s + 1;
    return all_s;
}

static void check_reading(CloudtrailCursor cursor) {
    while (cursor.gap_count) {
        const Interval gap = cursor.gaps[cursor.gap_count / 2];
        const int64_t before_s = seconds_of(&cursor);
        cursor_gap_read(&cursor, gap, gap.from_s - 1);
        check_cursor(&cursor);
        if (seconds_of(&cursor) != before_s - (gap.to_s - gap.from_s + 1)) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(text) char *text = text_copy_length((const char *)data, size);
    CloudtrailCursor cursor = cursor_parse(text, NOW_S);
    check_cursor(&cursor);
    OWN(text) char *written = cursor_format(&cursor);
    const CloudtrailCursor again = cursor_parse(written, NOW_S);
    OWN(text) char *rewritten = cursor_format(&again);
    if (cursor.exists && strcmp(written, rewritten) != 0) abort();
    check_reading(cursor);
    const int64_t before_s = seconds_of(&cursor), lost_s = cursor_drop_old(&cursor, NOW_S);
    check_cursor(&cursor);
    if (lost_s < 0 || seconds_of(&cursor) + lost_s != before_s) abort();
    return 0;
}
