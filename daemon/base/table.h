/* uthash with a keyed hash: whoever chooses the names that come from outside cannot choose them to collide. Include
 * this in place of uthash.h. */
#ifndef TOCSIN_BASE_TABLE_H
#define TOCSIN_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)table_hash((keyptr), (keylen)))
#define uthash_fatal(message) abort()

#include <uthash.h>

/* A table begins this small (uthash: 32, that is 512 bytes): there is one in each of very many groups. It grows.
 * Behind the include, for uthash defines its own whatever stands before it; its macros read these where a table is
 * made. */
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS 4U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 2U
_Static_assert(
    HASH_INITIAL_NUM_BUCKETS == 1U << HASH_INITIAL_NUM_BUCKETS_LOG2, "uthash counts buckets in powers of two");

/* SipHash-1-3 under a key drawn once a process: differs from run to run, so nothing that lasts is made of it (see
 * stable_hash() for that). Safe on every thread. */
uint64_t table_hash(const void *bytes, size_t length);

#endif
