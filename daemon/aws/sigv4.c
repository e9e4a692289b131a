#include "aws/sigv4.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The canonical request, in wiped memory of one piece: a session token stands in it. */
typedef struct Canon {
    char *bytes;
    size_t used, room;
} Canon;

static void put(Canon *canon, const char *bytes, size_t length) {
    assert(canon->used + length <= canon->room);
    memcpy(canon->bytes + canon->used, bytes, length);
    canon->used += length;
}

static void put_text(Canon *canon, const char *text) { put(canon, text, strlen(text)); }

static void put_encoded(Canon *canon, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        char code[4];
        if (isalnum((unsigned char)text[i]) || strchr("-_.~", text[i]))
            put(canon, text + i, 1);
        else
            put(canon, code, (size_t)snprintf(code, sizeof code, "%%%02X", (unsigned char)text[i]));
    }
}

/* Takes the last segment away again. */
static void drop_segment(Canon *canon, size_t start) {
    while (canon->used > start && canon->bytes[--canon->used] != '/') {}
}

/* `.`, `..` and `//` resolved, then encoded a second time. */
static void put_path(Canon *canon, const char *path) {
    const size_t start = canon->used;
    for (const char *p = path; *p;) {
        p += strspn(p, "/");
        const size_t length = strcspn(p, "/");
        if (length == 2 && memcmp(p, "..", 2) == 0) {
            drop_segment(canon, start);
        } else if (length && !(length == 1 && *p == '.')) {
            put(canon, "/", 1);
            put_encoded(canon, p, length);
        }
        p += length;
    }
    const bool slash = *path && path[strlen(path) - 1] == '/';
    if (canon->used == start || slash) put(canon, "/", 1);
}

typedef struct Pair {
    const char *name, *value;
    size_t name_length, value_length;
} Pair;

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length) {
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_pairs(const void *left, const void *right) {
    const Pair *a = left, *b = right;
    const int order = compare_bytes(a->name, a->name_length, b->name, b->name_length);
    return order ? order : compare_bytes(a->value, a->value_length, b->value, b->value_length);
}

static void put_query(Canon *canon, const char *query) {
    size_t count = 1, n = 0;
    for (const char *p = query; *p; p++) count += *p == '&';
    Pair *pairs = alloc_zeroed(count, sizeof *pairs);
    for (const char *p = query; *p; p += *p == '&') {
        const size_t length = strcspn(p, "&"), name = strcspn(p, "=&");
        const size_t from = name < length ? name + 1 : length;
        if (length) pairs[n++] = (Pair){p, p + from, name, length - from};
        p += length;
    }
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < n; i++) {
        if (i) put(canon, "&", 1);
        put(canon, pairs[i].name, pairs[i].name_length);
        put(canon, "=", 1);
        put(canon, pairs[i].value, pairs[i].value_length);
    }
    free(pairs);
}

/* Trimmed, and a run of white space is one space. */
static void put_value(Canon *canon, const char *value) {
    bool gap = false, any = false;
    for (; *value; value++) {
        if (isspace((unsigned char)*value)) {
            gap = any;
            continue;
        }
        if (gap) put(canon, " ", 1);
        put(canon, value, 1);
        gap = false;
        any = true;
    }
}

static int compare_headers(const void *left, const void *right) {
    return strcmp(((const SigV4Header *)left)->name, ((const SigV4Header *)right)->name);
}

static size_t room_for(const SigV4Request *request, const SigV4Header *headers, size_t count) {
    size_t room =
        256 + strlen(request->method) + 3 * strlen(request->path) + 2 * strlen(request->query ? request->query : "");
    for (size_t i = 0; i < count; i++) room += 2 * strlen(headers[i].name) + strlen(headers[i].value) + 3;
    return room;
}

/* Also writes the list of signed names into `names`. */
static void hash_canonical(
    const SigV4Request *request, const SigV4Header *headers, size_t count, Canon *names, char *ret_hash) {
    Canon canon = {.room = room_for(request, headers, count)};
    char body[SHA256_HEX];
    canon.bytes = guard_malloc(canon.room);
    if (!canon.bytes) abort();
    put_text(&canon, request->method);
    put(&canon, "\n", 1);
    if (request->plain_path)
        put_text(&canon, *request->path ? request->path : "/");
    else
        put_path(&canon, request->path);
    put(&canon, "\n", 1);
    if (request->query) put_query(&canon, request->query);
    put(&canon, "\n", 1);
    for (size_t i = 0; i < count; i++) {
        put_text(&canon, headers[i].name);
        put(&canon, ":", 1);
        put_value(&canon, headers[i].value);
        put(&canon, "\n", 1);
        if (i) put(names, ";", 1);
        put_text(names, headers[i].name);
    }
    put(&canon, "\n", 1);
    put(&canon, names->bytes, names->used);
    put(&canon, "\n", 1);
    put_text(&canon, sha256_hex(request->body, request->body_length, body));
    sha256_hex(canon.bytes, canon.used, ret_hash);
    guard_free(canon.bytes);
}

/* Derived anew for each request: four hashes cost less than a cache of keys would have to be guarded for. */
static void signing_key(const SigV4Request *request, const char *day, uint8_t ret_key[static SHA256_BYTES]) {
    size_t length;
    const char *secret = secret_reveal(request->secret, &length);
    char *first = guard_malloc(length + 4);
    if (!first) abort();
    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret, length);
    hmac_sha256(first, length + 4, day, strlen(day), ret_key);
    guard_free(first);
    const char *const steps[] = {request->region, request->service, "aws4_request"};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        uint8_t next[SHA256_BYTES];
        hmac_sha256(ret_key, SHA256_BYTES, steps[i], strlen(steps[i]), next);
        memcpy(ret_key, next, sizeof next);
        explicit_bzero(next, sizeof next);
    }
}

void sigv4_sign(const SigV4Request *request, SigV4Signature *ret_signature) {
    SigV4Header headers[SIGV4_HEADERS];
    size_t count = 0, names_room = 1;
    assert(request->header_count <= SIGV4_HEADERS - 2);
    time_format_compact(request->now_ms, ret_signature->date);
    headers[count++] = (SigV4Header){"host", request->host};
    headers[count++] = (SigV4Header){"x-amz-date", ret_signature->date};
    for (size_t i = 0; i < request->header_count; i++) headers[count++] = request->headers[i];
    qsort(headers, count, sizeof *headers, compare_headers);
    for (size_t i = 0; i < count; i++) names_room += strlen(headers[i].name) + 1;

    Canon names = {.bytes = alloc_zeroed(names_room, 1), .room = names_room};
    hash_canonical(request, headers, count, &names, ret_signature->canonical);

    char day[9] = "";
    memcpy(day, ret_signature->date, 8);
    OWN(text) char *scope = text_format("%s/%s/%s/aws4_request", day, request->region, request->service);
    OWN(text)
    char *to_sign = text_format("AWS4-HMAC-SHA256\n%s\n%s\n%s", ret_signature->date, scope, ret_signature->canonical);
    uint8_t key[SHA256_BYTES], digest[SHA256_BYTES];
    signing_key(request, day, key);
    hmac_sha256(key, sizeof key, to_sign, strlen(to_sign), digest);
    explicit_bzero(key, sizeof key);
    hex_format(digest, sizeof digest, ret_signature->text);
    ret_signature->authorization = text_format("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%.*s, Signature=%s",
        request->key_id, scope, (int)names.used, names.bytes, ret_signature->text);
    free(names.bytes);
}
