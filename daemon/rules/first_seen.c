#include "rules/first_seen.h"

#include "base/alloc.h"
#include "base/table.h"
#include "base/text.h"

#include <string.h>

typedef struct Key {
    UT_hash_handle hh;
    int64_t last_ms;
    size_t length;
    char text[];
} Key;

struct FirstSeen {
    int64_t learned_ms, forget_ms;
    Key *keys; /* uthash keeps their order: met longest ago first */
    uint64_t dropped;
};

FirstSeen *first_seen_new(int64_t since_ms, int64_t learn_s, int64_t forget_s) {
    FirstSeen *seen = alloc_zeroed(1, sizeof *seen);
    *seen = (FirstSeen){.learned_ms = since_ms + learn_s * 1000, .forget_ms = forget_s * 1000};
    return seen;
}

static void drop(FirstSeen *seen, Key *key) {
    HASH_DEL(seen->keys, key);
    free(key);
}

FirstSeen *first_seen_free(FirstSeen *seen) {
    if (!seen) return NULL;
    while (seen->keys) drop(seen, seen->keys);
    free(seen);
    return NULL;
}

static size_t length_of(const char *key) { return utf8_cut(key, strlen(key), FIRST_SEEN_KEY_BYTES_MAX); }

static Key *find(const FirstSeen *seen, const char *text) {
    Key *key = NULL;
    HASH_FIND(hh, seen->keys, text, length_of(text), key);
    return key;
}

static void add(FirstSeen *seen, const char *text, int64_t last_ms) {
    const size_t length = length_of(text);
    if (HASH_COUNT(seen->keys) == FIRST_SEEN_KEYS_MAX) {
        drop(seen, seen->keys);
        seen->dropped++;
    }
    Key *key = alloc_zeroed(1, sizeof *key + length + 1);
    memcpy(key->text, text, length);
    key->length = length;
    key->last_ms = last_ms;
    HASH_ADD_KEYPTR(hh, seen->keys, key->text, key->length, key);
}

FirstSeenAnswer first_seen_meet(FirstSeen *seen, const char *text, int64_t time_ms) {
    Key *key = find(seen, text);
    const FirstSeenAnswer unknown = time_ms < seen->learned_ms ? FIRST_SEEN_LEARNING : FIRST_SEEN_NEW;
    if (!key) return add(seen, text, time_ms), unknown;
    const bool forgotten = time_ms - key->last_ms > seen->forget_ms;
    if (time_ms <= key->last_ms) return FIRST_SEEN_KNOWN;
    key->last_ms = time_ms;
    HASH_DEL(seen->keys, key); /* to the end of the order */
    HASH_ADD_KEYPTR(hh, seen->keys, key->text, key->length, key);
    return forgotten ? unknown : FIRST_SEEN_KNOWN;
}

const char *first_seen_going(const FirstSeen *seen, const char *key) {
    return HASH_COUNT(seen->keys) == FIRST_SEEN_KEYS_MAX && !find(seen, key) ? seen->keys->text : NULL;
}

bool first_seen_is_over(const FirstSeen *seen, int64_t last_ms, int64_t now_ms) {
    return now_ms - last_ms > seen->forget_ms;
}

void first_seen_prune(FirstSeen *seen, int64_t now_ms) {
    Key *key, *next;
    HASH_ITER(hh, seen->keys, key, next) {
        if (first_seen_is_over(seen, key->last_ms, now_ms)) drop(seen, key);
    }
}

size_t first_seen_count(const FirstSeen *seen) { return HASH_COUNT(seen->keys); }
uint64_t first_seen_dropped(const FirstSeen *seen) { return seen->dropped; }

void first_seen_each(const FirstSeen *seen, FirstSeenVisit *visit, void *ctx) {
    for (const Key *key = seen->keys; key; key = key->hh.next) visit(ctx, key->text, key->last_ms);
}

void first_seen_restore(FirstSeen *seen, const char *key, int64_t last_ms) {
    if (!find(seen, key)) add(seen, key, last_ms);
}
