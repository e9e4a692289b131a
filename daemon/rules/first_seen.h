/* Keys that were never met before: `first_seen` of an event alarm. While it learns nothing is new; a key that was not
 * met for so long is new again. By the events' own time. Pure: no clock, no I/O; bounded; its keys can be listed and
 * put back. One thread at a time. */
#ifndef TOCSIN_RULES_FIRST_SEEN_H
#define TOCSIN_RULES_FIRST_SEEN_H

#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FIRST_SEEN_KEYS_MAX = 100000, /* then the one that was met longest ago is forgotten for each new one */
    FIRST_SEEN_KEY_BYTES_MAX = 4096 /* a key is cut behind that */
};

typedef enum { FIRST_SEEN_KNOWN, FIRST_SEEN_LEARNING, FIRST_SEEN_NEW } FirstSeenAnswer;
typedef struct FirstSeen FirstSeen;

/* `since_ms`: when learning began. `learn_s` may be 0. */
FirstSeen *first_seen_new(int64_t since_ms, int64_t learn_s, int64_t forget_s);
FirstSeen *first_seen_free(FirstSeen *seen);
OWN_DEFINE(FirstSeen, first_seen)

/* Remembers the key as met at time_ms. LEARNING: it was not known, and that says nothing yet. */
FirstSeenAnswer first_seen_meet(FirstSeen *seen, const char *key, int64_t time_ms);
/* The key that would go for want of room if this one were met now; NULL: none. Borrowed until then. */
const char *first_seen_going(const FirstSeen *seen, const char *key);
bool first_seen_is_over(const FirstSeen *seen, int64_t last_ms, int64_t now_ms); /* met so long ago that it is new */
void first_seen_prune(FirstSeen *seen, int64_t now_ms); /* forgets what was not met for forget_s */
size_t first_seen_count(const FirstSeen *seen);
uint64_t first_seen_dropped(const FirstSeen *seen); /* for want of room, since it was made */

typedef void FirstSeenVisit(void *ctx, const char *key, int64_t last_ms);
void first_seen_each(const FirstSeen *seen, FirstSeenVisit *visit, void *ctx); /* longest not met first */
void first_seen_restore(FirstSeen *seen, const char *key, int64_t last_ms); /* in that order */

#endif
