/* A set of access keys, and a source of them that keeps itself fresh: one fetch in flight, shared by all who ask; the
 * old keys serve until they end. What fetching means is given to it. Loop thread. */
#ifndef TOCSIN_AWS_KEYS_H
#define TOCSIN_AWS_KEYS_H

#include "aws/errors.h"

enum {
    KEYS_AHEAD_MS = 15 * 60 * 1000, /* refreshed from here on (or from a quarter of their life) before the end */
    KEYS_WAIT_MS = 10 * 60 * 1000, /* and waited for from here (or from an eighth) */
    KEYS_AGAIN_MS = 60 * 1000 /* between two tries */
};

typedef struct AwsKeys {
    char *id;
    Secret *secret, *token; /* token NULL: long-lived keys */
    int64_t obtained_ms, expires_ms; /* AWS's time; expires 0: never */
    char *origin; /* for messages: `the environment`, `profile x in FILE` */
    unsigned refs;
} AwsKeys;

/* Copies its texts; takes the secrets. */
AwsKeys *aws_keys_new(const char *id, Secret *take_secret, Secret *take_token, const char *origin);
AwsKeys *aws_keys_ref(AwsKeys *keys);
AwsKeys *aws_keys_free(AwsKeys *keys); /* drops one reference; NULL is fine */
OWN_DEFINE(AwsKeys, aws_keys)
bool aws_keys_same(const AwsKeys *a, const AwsKeys *b); /* the same bytes */

typedef struct KeySource KeySource;
typedef struct KeyWait KeyWait;
typedef enum { KEYS_READY, KEYS_COMING, KEYS_FAILED } KeysState;

/* One who waits; in its owner's memory. Called once, when something changed: ask key_source_get() again. */
struct KeyWait {
    void (*changed)(void *ctx);
    void *ctx;
    KeyWait *prev, *next;
    bool listed;
};

/* Begins a fetch that ends in one key_source_fetched(), not inside. */
typedef void KeyFetch(void *ctx, KeySource *source);

/* `recheck`: keys that never expire are looked for again each KEYS_AGAIN_MS. `destroy` frees ctx. */
KeySource *key_source_new(const Clock *clock, KeyFetch *fetch, void *ctx, void (*destroy)(void *ctx), bool recheck);
/* These keys and no others, referenced. */
KeySource *key_source_fixed(const Clock *clock, AwsKeys *keys);
KeySource *key_source_ref(KeySource *source);
KeySource *key_source_free(KeySource *source); /* drops one reference; NULL is fine */

/* READY: *ret_keys, borrowed. COMING: enter a KeyWait. FAILED: *ret_failure, borrowed, says why. `bad`: keys that AWS
 * refused, or NULL: others are fetched in their place, at most once in KEYS_AGAIN_MS. `now_ms`: AWS's time. */
KeysState key_source_get(
    KeySource *source, const AwsKeys *bad, int64_t now_ms, AwsKeys **ret_keys, const AwsFailure **ret_failure);
void key_source_wait(KeySource *source, KeyWait *wait);
void key_source_leave(KeySource *source, KeyWait *wait); /* not listed is fine */
/* The end of a fetch: new keys (taken), or NULL and why. */
void key_source_fetched(KeySource *source, AwsKeys *take_keys, const AwsFailure *failure);
/* Of the fetch under way: are other keys needed (true), or is it a look whether something changed? */
bool key_source_renewing(const KeySource *source);
AwsKeys *key_source_keys(const KeySource *source); /* what is there; NULL: none yet */
void key_source_hurry(KeySource *source); /* forget failures: the next who asks tries at once */

#endif
