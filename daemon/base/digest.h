/* SHA-256, HMAC and their texts, by libcrypto. */
#ifndef TOCSIN_BASE_DIGEST_H
#define TOCSIN_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

void sha256(const void *data, size_t length, uint8_t ret_digest[static SHA256_BYTES]);
void hmac_sha256(
    const void *key, size_t key_length, const void *data, size_t length, uint8_t ret_digest[static SHA256_BYTES]);
/* Lower-case hex and a zero byte; `text` holds 2 * length + 1. Returns `text`. */
const char *hex_format(const uint8_t *bytes, size_t length, char *text);
const char *sha256_hex(const void *data, size_t length, char text[static SHA256_HEX]);
/* Base64 of `data`, without line breaks; caller frees. */
char *base64_encode(const void *data, size_t length);
/* A random UUID (version 4) as text: notification ids. Aborts if the kernel has no randomness. */
enum { UUID_TEXT = 37 };
const char *uuid_make(char text[static UUID_TEXT]);
uint64_t random_u64(void);
/* A stable 64-bit hash of a text, the same on every machine and run: phases of batches. */
uint64_t stable_hash(const char *text);

#endif
