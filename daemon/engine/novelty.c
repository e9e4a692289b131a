/* daemon/engine/novelty.c: first_seen, remembered */
#include "engine/novelty.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "rules/first_seen.h"
#include "sources/event_selector.h"

#include <inttypes.h>
#include <string.h>

enum { DAY_MS = 86400000, REFRESHES = 8, KEY_DIGEST = 16, NAME_MAX_BYTES = 96 };

typedef struct Known {
    char name[NAME_MAX_BYTES]; /* `first/FINGERPRINT`: the cursor with when learning began, and the keys' prefix */
    FirstSeen *seen;
    int64_t refresh_ms; /* how old what is written of a key may be */
    int64_t pruned_ms;
    UT_hash_handle hh;
} Known;

struct Novelty {
    const Memory *memory;
    Known *known;
};

Novelty *novelty_new(const Memory *memory) {
    Novelty *novelty = alloc_zeroed(1, sizeof *novelty);
    novelty->memory = memory;
    return novelty;
}

void novelty_reset(Novelty *novelty) {
    Known *known, *next;
    HASH_ITER(hh, novelty->known, known, next) {
        HASH_DEL(novelty->known, known);
        first_seen_free(known->seen);
        free(known);
    }
}

Novelty *novelty_free(Novelty *novelty) {
    if (!novelty) return NULL;
    novelty_reset(novelty);
    free(novelty);
    return NULL;
}

/* --- cursors --- */

static void key_name(const Known *known, const char *key, char into[static NAME_MAX_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    char hex[2 * KEY_DIGEST + 1];
    sha256(key, strlen(key), digest);
    hex_format(digest, KEY_DIGEST, hex);
    snprintf(into, NAME_MAX_BYTES, "%.40s/%s", known->name, hex);
}

static void write_key(const Known *known, const char *key, int64_t last_ms, Batch *batch) {
    char name[NAME_MAX_BYTES];
    key_name(known, key, name);
    OWN(json) json_t *value = json_pack("{s:o, s:I}", "key", json_safe(key), "last_ms", (json_int_t)last_ms);
    OWN(text) char *text = json_write(value);
    batch_cursor(batch, name, text);
}

static void forget_key(const Known *known, const char *key, Batch *batch) {
    char name[NAME_MAX_BYTES];
    key_name(known, key, name);
    batch_cursor(batch, name, NULL);
}

typedef struct KeyRow {
    char *key;
    int64_t last_ms;
} KeyRow;

typedef struct KeyRows {
    KeyRow *rows;
    size_t count;
} KeyRows;

static void take_row(void *ctx, const char *name, const char *value_json) {
    KeyRows *all = ctx;
    OWN(json) json_t *value = json_read(value_json, strlen(value_json), NULL);
    const char *key = json_text(value, "key");
    KeyRow row = {0};
    (void)name;
    if (!key || !json_whole(value, "last_ms", &row.last_ms)) return;
    row.key = text_copy(key);
    all->rows = alloc_again(all->rows, all->count + 1, sizeof *all->rows);
    all->rows[all->count++] = row;
}

static int by_age(const void *a, const void *b) {
    const int64_t left = ((const KeyRow *)a)->last_ms, right = ((const KeyRow *)b)->last_ms;
    return (left > right) - (left < right);
}

static void restore_keys(const Novelty *novelty, const Known *known) {
    KeyRows all = {0};
    OWN(text) char *prefix = text_format("%s/", known->name);
    memory_each(novelty->memory, prefix, take_row, &all);
    if (all.count) qsort(all.rows, all.count, sizeof *all.rows, by_age);
    for (size_t i = 0; i < all.count; i++) {
        first_seen_restore(known->seen, all.rows[i].key, all.rows[i].last_ms);
        free(all.rows[i].key);
    }
    free(all.rows);
}

/* When learning began: now, unless it began before. */
static int64_t since_ms(const Novelty *novelty, const Known *known, int64_t now_ms, Batch *batch) {
    const char *text = memory_cursor(novelty->memory, known->name);
    int64_t began_ms = now_ms;
    if (text) {
        OWN(json) json_t *value = json_read(text, strlen(text), NULL);
        if (json_whole(value, "since_ms", &began_ms)) return began_ms;
    }
    char value[64];
    snprintf(value, sizeof value, "{\"since_ms\":%" PRId64 "}", now_ms);
    batch_cursor(batch, known->name, value);
    return now_ms;
}

static Known *known_of(Novelty *novelty, const Watch *watch, int64_t now_ms, Batch *batch) {
    char name[NAME_MAX_BYTES], fingerprint[FINGERPRINT_TEXT];
    fingerprint_make(watch->alarm, watch->account, "", "first_seen", NULL, fingerprint);
    snprintf(name, sizeof name, "first/%s", fingerprint);
    Known *known;
    HASH_FIND_STR(novelty->known, name, known);
    if (known) return known;
    const EventFirstSeen *rule = &((const EventSelector *)watch->selector)->first_seen;
    known = alloc_zeroed(1, sizeof *known);
    memcpy(known->name, name, sizeof name);
    known->seen = first_seen_new(since_ms(novelty, known, now_ms, batch), rule->learn_s, rule->forget_s);
    known->refresh_ms = rule->forget_s * 1000 / REFRESHES < DAY_MS ? rule->forget_s * 1000 / REFRESHES : DAY_MS;
    restore_keys(novelty, known);
    HASH_ADD_STR(novelty->known, name, known);
    return known;
}

bool novelty_is_new(
    Novelty *novelty, const Watch *watch, const char *key, int64_t event_ms, int64_t now_ms, Batch *batch) {
    const Known *known = known_of(novelty, watch, now_ms, batch);
    char name[NAME_MAX_BYTES];
    key_name(known, key, name);
    const char *written = memory_cursor(novelty->memory, name);
    int64_t written_ms = INT64_MIN;
    if (written) {
        OWN(json) json_t *value = json_read(written, strlen(written), NULL);
        json_whole(value, "last_ms", &written_ms);
    }
    const char *going = first_seen_going(known->seen, key);
    if (going) forget_key(known, going, batch);
    const FirstSeenAnswer answer = first_seen_meet(known->seen, key, event_ms);
    /* Written when it is new, and then once a day: what is forgotten after months need not be exact. */
    if (written_ms == INT64_MIN || event_ms - written_ms > known->refresh_ms) write_key(known, key, event_ms, batch);
    return answer == FIRST_SEEN_NEW;
}

typedef struct Pruning {
    const Known *known;
    int64_t now_ms;
    Batch *batch;
} Pruning;

static void prune_key(void *ctx, const char *key, int64_t last_ms) {
    const Pruning *in = ctx;
    if (first_seen_is_over(in->known->seen, last_ms, in->now_ms)) forget_key(in->known, key, in->batch);
}

void novelty_prune(Novelty *novelty, int64_t now_ms, Batch *batch) {
    for (Known *known = novelty->known; known; known = known->hh.next) {
        if (now_ms >= known->pruned_ms && now_ms - known->pruned_ms < known->refresh_ms) continue;
        known->pruned_ms = now_ms;
        first_seen_each(known->seen, prune_key, &(Pruning){.known = known, .now_ms = now_ms, .batch = batch});
        first_seen_prune(known->seen, now_ms);
    }
}
