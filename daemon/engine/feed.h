/* Does a feed of events live? Our own calls are events, too: where none of an hour is shown, others are not shown
 * either. Time in which nothing was read is no evidence (I16): there were no calls of ours to be shown. Pure. */
#ifndef TOCSIN_ENGINE_FEED_H
#define TOCSIN_ENGINE_FEED_H

#include <stdbool.h>
#include <stdint.h>

enum { FEED_QUIET_MS = 3600000, FEED_PAUSE_MS = 900000 /* without a reading for so long, the hour begins anew */ };

typedef struct Feed {
    int64_t since_ms; /* since when it must have shown our own calls; 0: not yet read */
    int64_t read_ms; /* when it was read last */
} Feed;

/* It was read now; `seen_ms` is the time of the newest call of ours that it ever showed, 0: none. True: it is dead. */
bool feed_is_quiet(Feed *feed, int64_t seen_ms, int64_t now_ms);

#endif
