#include "notify/inhibit.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 1 << 20 }; /* of a rule's number and the values of its `equal`, each at most LABEL_VALUE_MAX */

typedef struct Source Source;

/* Sources of one rule that agree in its `equal`. */
typedef struct Bucket {
    char *key;
    size_t key_length;
    struct Side {
        Source **sources;
        size_t count;
    } sides[2]; /* those that match the source side alone; those that match both */
    UT_hash_handle hh;
} Bucket;

typedef struct Seat {
    Bucket *bucket;
    size_t side;
} Seat;

struct Source {
    char *fingerprint;
    Seat *seats; /* one a rule that it is a source of */
    size_t seat_count;
    UT_hash_handle hh;
};

struct Inhibit {
    const InhibitRule *rules;
    size_t count;
    Bucket *buckets;
    Source *sources;
    unsigned limits;
};

Inhibit *inhibit_new(const InhibitRule *rules, size_t count) {
    Inhibit *index = alloc_zeroed(1, sizeof *index);
    index->rules = rules;
    index->count = count;
    return index;
}

/* The rule's number, and the values with a zero byte behind each: no value can be read as another's part. */
static void make_key(const Inhibit *index, size_t rule, const Labels *labels, Buffer *key) {
    buffer_add(key, &rule, sizeof rule);
    for (size_t i = 0; i < index->rules[rule].equal_count; i++) {
        const char *value = labels_get(labels, index->rules[rule].equal[i]);
        buffer_add(key, value, strlen(value) + 1);
    }
}

static Bucket *find_bucket(const Inhibit *index, const Buffer *key) {
    Bucket *bucket = NULL;
    HASH_FIND(hh, index->buckets, key->bytes, key->used, bucket);
    return bucket;
}

static Bucket *get_bucket(Inhibit *index, size_t rule, const Labels *labels) {
    OWN(buffer) Buffer key = BUFFER(KEY_BYTES);
    make_key(index, rule, labels, &key);
    Bucket *bucket = find_bucket(index, &key);
    if (bucket) return bucket;
    bucket = alloc_zeroed(1, sizeof *bucket);
    bucket->key_length = key.used;
    bucket->key = buffer_take(&key);
    HASH_ADD_KEYPTR(hh, index->buckets, bucket->key, bucket->key_length, bucket);
    return bucket;
}

static void drop_if_empty(Inhibit *index, Bucket *bucket) {
    if (bucket->sides[0].count || bucket->sides[1].count) return;
    HASH_DELETE(hh, index->buckets, bucket);
    free(bucket->sides[0].sources);
    free(bucket->sides[1].sources);
    free(bucket->key);
    free(bucket);
}

static void take_seat(Source *source, Bucket *bucket, size_t number) {
    struct Side *side = &bucket->sides[number];
    side->sources = alloc_again(side->sources, side->count + 1, sizeof *side->sources);
    side->sources[side->count++] = source;
    source->seats = alloc_again(source->seats, source->seat_count + 1, sizeof *source->seats);
    source->seats[source->seat_count++] = (Seat){bucket, number};
}

static void leave_seat(Inhibit *index, const Source *source, const Seat *seat) {
    struct Side *side = &seat->bucket->sides[seat->side];
    size_t at = 0;
    while (side->sources[at] != source) at++;
    memmove(side->sources + at, side->sources + at + 1, (side->count - at - 1) * sizeof *side->sources);
    side->count--;
    drop_if_empty(index, seat->bucket);
}

static void source_remove(Inhibit *index, Source *source) {
    for (size_t i = 0; i < source->seat_count; i++) leave_seat(index, source, &source->seats[i]);
    HASH_DELETE(hh, index->sources, source);
    free(source->seats);
    free(source->fingerprint);
    free(source);
}

Inhibit *inhibit_free(Inhibit *index) {
    if (!index) return NULL;
    Source *source, *next;
    HASH_ITER(hh, index->sources, source, next) source_remove(index, source);
    free(index);
    return NULL;
}

void inhibit_remove(Inhibit *index, const char *fingerprint) {
    Source *source = NULL;
    HASH_FIND_STR(index->sources, fingerprint, source);
    if (source) source_remove(index, source);
}

void inhibit_add(Inhibit *index, const char *fingerprint, const Labels *labels) {
    if (!index->count) return;
    Source *source = alloc_zeroed(1, sizeof *source);
    inhibit_remove(index, fingerprint);
    source->fingerprint = text_copy(fingerprint);
    HASH_ADD_KEYPTR(hh, index->sources, source->fingerprint, strlen(source->fingerprint), source);
    for (size_t i = 0; i < index->count; i++) {
        const InhibitRule *rule = &index->rules[i];
        if (!matchers_match(rule->source, labels, &index->limits)) continue;
        const bool is_both = matchers_match(rule->target, labels, &index->limits);
        take_seat(source, get_bucket(index, i, labels), is_both);
    }
}

/* --- the question --- */

typedef struct Found {
    const char **fingerprints;
    size_t count, room;
} Found;

static void add_side(const struct Side *side, Found *found) {
    for (size_t i = 0; i < side->count && found->count < found->room; i++) {
        const char *fingerprint = side->sources[i]->fingerprint;
        size_t j = 0;
        while (j < found->count && found->fingerprints[j] != fingerprint) j++; /* one text a source */
        if (j == found->count) found->fingerprints[found->count++] = fingerprint;
    }
}

static void find_under(const Inhibit *index, size_t number, const Labels *labels, Found *found) {
    const InhibitRule *rule = &index->rules[number];
    if (!matchers_match(rule->target, labels, NULL)) return;
    OWN(buffer) Buffer key = BUFFER(KEY_BYTES);
    make_key(index, number, labels, &key);
    const Bucket *bucket = find_bucket(index, &key);
    if (!bucket) return;
    add_side(&bucket->sides[0], found);
    if (bucket->sides[1].count && !matchers_match(rule->source, labels, NULL)) add_side(&bucket->sides[1], found);
}

size_t inhibit_find(const Inhibit *index, const Labels *labels, const char **ret_fingerprints, size_t room) {
    Found found = {ret_fingerprints, 0, room};
    for (size_t i = 0; i < index->count && found.count < room; i++) find_under(index, i, labels, &found);
    return found.count;
}

unsigned inhibit_limits(const Inhibit *index) { return index->limits; }
