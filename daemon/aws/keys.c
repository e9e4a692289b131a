#include "aws/keys.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

AwsKeys *aws_keys_new(const char *id, Secret *take_secret, Secret *take_token, const char *origin) {
    AwsKeys *keys = alloc_zeroed(1, sizeof *keys);
    keys->id = text_copy(id);
    keys->secret = take_secret;
    keys->token = take_token;
    keys->origin = text_copy(origin);
    keys->refs = 1;
    return keys;
}

AwsKeys *aws_keys_ref(AwsKeys *keys) {
    keys->refs++;
    return keys;
}

AwsKeys *aws_keys_free(AwsKeys *keys) {
    if (!keys || --keys->refs) return NULL;
    secret_free(keys->secret);
    secret_free(keys->token);
    free(keys->id);
    free(keys->origin);
    free(keys);
    return NULL;
}

static bool same_secret(const Secret *a, const Secret *b) {
    if (!a || !b) return a == b;
    size_t a_length, b_length;
    const char *a_bytes = secret_reveal(a, &a_length), *b_bytes = secret_reveal(b, &b_length);
    return a_length == b_length && memcmp(a_bytes, b_bytes, a_length) == 0;
}

bool aws_keys_same(const AwsKeys *a, const AwsKeys *b) {
    return a == b ||
        (a && b && strcmp(a->id, b->id) == 0 && same_secret(a->secret, b->secret) && same_secret(a->token, b->token));
}

struct KeySource {
    const Clock *clock;
    KeyFetch *fetch;
    void *ctx;
    void (*destroy)(void *ctx);
    AwsKeys *keys;
    AwsFailure failure; /* of the last fetch; class AWS_FINE: it went well */
    bool recheck, fetching, renewing;
    int64_t next_try_ms, next_forced_ms, next_check_ms; /* monotonic; 0: at once */
    KeyWait *waiting;
    unsigned refs;
};

KeySource *key_source_new(const Clock *clock, KeyFetch *fetch, void *ctx, void (*destroy)(void *ctx), bool recheck) {
    KeySource *source = alloc_zeroed(1, sizeof *source);
    *source =
        (KeySource){.clock = clock, .fetch = fetch, .ctx = ctx, .destroy = destroy, .recheck = recheck, .refs = 1};
    return source;
}

KeySource *key_source_fixed(const Clock *clock, AwsKeys *keys) {
    KeySource *source = key_source_new(clock, NULL, NULL, NULL, false);
    source->keys = aws_keys_ref(keys);
    return source;
}

KeySource *key_source_ref(KeySource *source) {
    source->refs++;
    return source;
}

KeySource *key_source_free(KeySource *source) {
    if (!source || --source->refs) return NULL;
    if (source->destroy) source->destroy(source->ctx);
    aws_keys_free(source->keys);
    free(source);
    return NULL;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

typedef enum {
    FRESH,
    AGEING /* refresh beside the work */,
    OLD /* wait for the refresh, if one can be had */,
    GONE
} Age;

static Age age_of(const AwsKeys *keys, int64_t now_ms) {
    if (!keys) return GONE;
    if (!keys->expires_ms) return FRESH;
    const int64_t left_ms = keys->expires_ms - now_ms, life_ms = keys->expires_ms - keys->obtained_ms;
    if (left_ms <= 0) return GONE;
    if (left_ms < smaller(KEYS_WAIT_MS, life_ms / 8)) return OLD;
    return left_ms < smaller(KEYS_AHEAD_MS, life_ms / 4) ? AGEING : FRESH;
}

static void begin_fetch(KeySource *source, bool renewing, bool forced) {
    const int64_t mono_ms = clock_mono_ms(source->clock);
    if (!source->fetch || source->fetching || mono_ms < source->next_try_ms) return;
    if (forced && mono_ms < source->next_forced_ms) return;
    if (forced) source->next_forced_ms = mono_ms + KEYS_AGAIN_MS;
    source->fetching = true;
    source->renewing = renewing;
    source->next_check_ms = mono_ms + KEYS_AGAIN_MS;
    key_source_ref(source); /* until key_source_fetched() */
    source->fetch(source->ctx, source);
}

KeysState key_source_get(
    KeySource *source, const AwsKeys *bad, int64_t now_ms, AwsKeys **ret_keys, const AwsFailure **ret_failure) {
    const bool refused = bad && aws_keys_same(bad, source->keys);
    const Age age = refused ? GONE : age_of(source->keys, now_ms);
    const bool due = source->recheck && clock_mono_ms(source->clock) >= source->next_check_ms;
    if (age != FRESH || due) begin_fetch(source, age != FRESH, refused);
    if (age == FRESH || age == AGEING || (age == OLD && !source->fetching)) {
        *ret_keys = source->keys;
        return KEYS_READY;
    }
    if (source->fetching) return KEYS_COMING;
    *ret_failure = &source->failure;
    return KEYS_FAILED;
}

void key_source_wait(KeySource *source, KeyWait *wait) {
    DL_APPEND(source->waiting, wait);
    wait->listed = true;
}

void key_source_leave(KeySource *source, KeyWait *wait) {
    if (wait->listed) DL_DELETE(source->waiting, wait);
    wait->listed = false;
}

void key_source_fetched(KeySource *source, AwsKeys *take_keys, const AwsFailure *failure) {
    /* The same again: nothing better is to be had just now. EC2 and containers hand the old ones out until shortly
     * before their end, and asking at each call would not change that. */
    const bool same = take_keys && aws_keys_same(take_keys, source->keys);
    source->fetching = false;
    if (same && take_keys->expires_ms == source->keys->expires_ms) {
        aws_keys_free(take_keys); /* whoever holds the object goes on with it */
    } else if (take_keys) {
        aws_keys_free(source->keys);
        source->keys = take_keys;
    }
    source->failure = take_keys ? (AwsFailure){0} : *failure;
    /* One that only looked whether others lie there now has not tried: it puts off no renewal. */
    const bool has_tried = !take_keys || (same && source->renewing);
    source->next_try_ms = has_tried ? clock_mono_ms(source->clock) + KEYS_AGAIN_MS : 0;
    size_t count = 0; /* who waits anew from its own callback is behind these */
    KeyWait *wait;
    DL_COUNT(source->waiting, wait, count);
    for (; count && source->waiting; count--) {
        wait = source->waiting;
        key_source_leave(source, wait);
        wait->changed(wait->ctx);
    }
    key_source_free(source);
}

bool key_source_renewing(const KeySource *source) { return source->renewing; }

AwsKeys *key_source_keys(const KeySource *source) { return source->keys; }

void key_source_hurry(KeySource *source) { source->next_try_ms = source->next_check_ms = 0; }
