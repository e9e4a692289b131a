#include "aws/skew.h"

static int64_t distance(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

/* The header is cut to whole seconds: half of one is what is missing on average. */
static bool sample(int64_t date_ms, SkewMoment arrived, int64_t *ret_offset_ms) {
    *ret_offset_ms = date_ms + 500 - arrived.boot_ms;
    return date_ms > 0 && distance(date_ms + 500, arrived.wall_ms) <= SKEW_MAX_MS;
}

void skew_see(Skew *skew, int64_t date_ms, SkewMoment arrived) {
    int64_t offset_ms;
    if (!sample(date_ms, arrived, &offset_ms)) return;
    skew->offset_ms = skew->known ? skew->offset_ms + (offset_ms - skew->offset_ms) / 4 : offset_ms;
    skew->known = true;
}

bool skew_correct(Skew *skew, int64_t date_ms, SkewMoment arrived) {
    int64_t offset_ms;
    if (!sample(date_ms, arrived, &offset_ms)) return false;
    *skew = (Skew){offset_ms, true};
    return true;
}

int64_t skew_ms(const Skew *skew, SkewMoment now) {
    return skew->known ? now.boot_ms + skew->offset_ms - now.wall_ms : 0;
}

int64_t skew_applied_ms(const Skew *skew, SkewMoment now) {
    const int64_t off_ms = skew_ms(skew, now);
    return distance(off_ms, 0) > SKEW_IGNORED_MS ? off_ms : 0;
}
