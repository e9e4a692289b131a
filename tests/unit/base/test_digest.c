#include "base/digest.h"

#include "../run.h"

#include "base/alloc.h"
#include "base/own.h"
#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(published_vectors) { /* FIPS 180-4, RFC 4231 case 2, RFC 4648 section 10 */
    char text[SHA256_HEX];
    ck_assert_str_eq(sha256_hex("abc", 3, text), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_str_eq(sha256_hex(NULL, 0, text), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    uint8_t digest[SHA256_BYTES];
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
    ck_assert_str_eq(
        hex_format(digest, sizeof digest, text), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha256(NULL, 0, NULL, 0, digest);
    ck_assert_str_eq(
        hex_format(digest, sizeof digest, text), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    const char *const base64[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="};
    for (size_t i = 0; i < COUNT_OF(base64); i++) {
        OWN(text) char *got = base64_encode("foob", i);
        ck_assert_str_eq(got, base64[i]);
    }
}
END_TEST

START_TEST(random_and_stable) {
    char a[UUID_TEXT], b[UUID_TEXT];
    ck_assert_str_ne(uuid_make(a), uuid_make(b));
    ck_assert(strlen(a) == 36 && a[14] == '4' && strchr("89ab", a[19]) && a[8] == '-' && a[23] == '-');
    ck_assert_uint_ne(random_u64(), random_u64());
    ck_assert_uint_eq(stable_hash("abc"), 0xba7816bf8f01cfea);
    ck_assert_uint_eq(table_hash("abcdefghi", 9), table_hash("abcdefghi", 9));
    ck_assert_uint_ne(table_hash("abcdefghi", 9), table_hash("abcdefghj", 9));
}
END_TEST

typedef struct Entry {
    char key[16];
    UT_hash_handle hh;
} Entry;

/* uthash's own 32 buckets would be 512 bytes in each of very many groups. */
START_TEST(a_table_begins_small_and_grows) {
    enum { ENTRIES = 1000 };
    Entry *table = NULL, *entries = alloc_zeroed(ENTRIES, sizeof *entries);
    for (size_t i = 0; i < ENTRIES; i++) {
        snprintf(entries[i].key, sizeof entries[i].key, "key %zu", i);
        Entry *entry = &entries[i];
        HASH_ADD_STR(table, key, entry);
        if (i == 0) ck_assert_uint_eq(table->hh.tbl->num_buckets, 4);
    }
    const unsigned buckets = table->hh.tbl->num_buckets;
    ck_assert_uint_ge(buckets, ENTRIES / HASH_BKT_CAPACITY_THRESH);
    ck_assert_uint_eq(buckets, 1U << table->hh.tbl->log2_num_buckets);
    for (size_t i = 0; i < ENTRIES; i++) {
        Entry *found;
        HASH_FIND_STR(table, entries[i].key, found);
        ck_assert_ptr_eq(found, &entries[i]);
    }
    HASH_CLEAR(hh, table);
    free(entries);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_add_test(tcase, a_table_begins_small_and_grows);
    tcase_add_test(tcase, published_vectors);
    tcase_add_test(tcase, random_and_stable);
}
int main(void) { return run_tests("digest", fill); }
