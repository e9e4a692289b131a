#include "engine/feed.h"

bool feed_is_quiet(Feed *feed, int64_t seen_ms, int64_t now_ms) {
    const bool was_away = !feed->since_ms || now_ms - feed->read_ms > FEED_PAUSE_MS || now_ms < feed->since_ms;
    feed->read_ms = now_ms;
    if (was_away) feed->since_ms = now_ms;
    if (seen_ms > feed->since_ms) feed->since_ms = seen_ms;
    return now_ms - feed->since_ms > FEED_QUIET_MS;
}
