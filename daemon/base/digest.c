#include "base/digest.h"

#include "base/alloc.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *algorithm; /* written once, before its first use */

static void fetch_algorithm(void) {
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!algorithm) abort();
}

/* SHA256() would look the algorithm up each time, which takes longer than to digest what names an instance. */
void sha256(const void *data, size_t length, uint8_t ret_digest[static SHA256_BYTES]) {
    pthread_once(&once, fetch_algorithm);
    if (!EVP_Digest(data ? data : "", length, ret_digest, NULL, algorithm, NULL)) abort();
}

void hmac_sha256(
    const void *key, size_t key_length, const void *data, size_t length, uint8_t ret_digest[static SHA256_BYTES]) {
    unsigned size = 0;
    if (key_length > INT32_MAX) abort();
    if (!HMAC(EVP_sha256(), key_length ? key : "", (int)key_length, data ? data : "", length, ret_digest, &size))
        abort();
}

const char *hex_format(const uint8_t *bytes, size_t length, char *text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * length] = '\0';
    return text;
}

const char *sha256_hex(const void *data, size_t length, char text[static SHA256_HEX]) {
    uint8_t digest[SHA256_BYTES];
    sha256(data, length, digest);
    return hex_format(digest, sizeof digest, text);
}

char *base64_encode(const void *data, size_t length) {
    if (length > INT32_MAX / 2) abort();
    char *text = alloc_zeroed((length + 2) / 3 * 4 + 1, 1);
    EVP_EncodeBlock((unsigned char *)text, data ? data : (const void *)"", (int)length);
    return text;
}

static void random_fill(void *bytes, size_t length) {
    if (getrandom(bytes, length, 0) != (ssize_t)length) abort(); /* up to 256 bytes come whole */
}

uint64_t random_u64(void) {
    uint64_t number;
    random_fill(&number, sizeof number);
    return number;
}

const char *uuid_make(char text[static UUID_TEXT]) {
    uint8_t b[16];
    random_fill(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562 section 5.4: version 4, variant 10 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    char hex[2 * sizeof b + 1];
    hex_format(b, sizeof b, hex);
    snprintf(text, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return text;
}

uint64_t stable_hash(const char *text) {
    uint8_t digest[SHA256_BYTES];
    sha256(text, strlen(text), digest);
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof hash; i++) hash = hash << 8 | digest[i];
    return hash;
}
