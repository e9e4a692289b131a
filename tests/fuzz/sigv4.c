/* A request to sign: method, host, path, query, a header's name and value, a line each, the body behind them. Holds:
 * the order of a query's parameters and of headers, blanks around a value and detours of a path change nothing; another
 * body, secret or region changes the signature; what goes into the header is one line. That the signature is AWS's own
 * is shown by botocore's, in the unit tests. */
#include "fuzz.h"

#include "aws/sigv4.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = 6 };

static void sign(const SigV4Request *request, char ret_text[static SHA256_HEX]) {
    SigV4Signature signature;
    sigv4_sign(request, &signature);
    if (strlen(signature.text) != SHA256_HEX - 1 || strlen(signature.canonical) != SHA256_HEX - 1) abort();
    if (!signature.authorization || !strstr(signature.authorization, signature.text)) abort();
    if (has_control(signature.authorization)) abort();
    memcpy(ret_text, signature.text, SHA256_HEX);
    free(signature.authorization);
}

static void expect(const SigV4Request *request, const char *before, bool is_same) {
    char text[SHA256_HEX];
    sign(request, text);
    if ((strcmp(text, before) == 0) != is_same) abort();
}

/* The parameters from the last to the first. Caller frees. */
static char *reversed(const char *query) {
    Buffer out = BUFFER((size_t)1 << 20);
    for (const char *end = query + strlen(query);;) {
        const char *start = end;
        while (start > query && start[-1] != '&') start--;
        buffer_add(&out, start, (size_t)(end - start));
        if (start == query) return buffer_take(&out);
        buffer_text(&out, "&");
        end = start - 1;
    }
}

static void check_same(SigV4Request request, const char *text) {
    OWN(text) char *query = reversed(request.query), *detour = text_format("/./x/..//.%s", request.path);
    const SigV4Header *named = request.headers;
    OWN(text) char *wide = text_format("  \t%s ", named[0].value);
    const SigV4Header turned[] = {{named[1].name, named[1].value}, {named[0].name, wide}};
    SigV4Request other = request;
    other.query = query;
    expect(&other, text, true);
    other = request;
    other.headers = turned;
    expect(&other, text, true);
    other = request;
    other.path = detour;
    if (*request.path == '/') expect(&other, text, true);
}

static void check_other(SigV4Request request, const char *text) {
    OWN(text) char *body = text_format("%s+", request.body);
    OWN(secret) Secret *secret = secret_new("another secret", 14);
    SigV4Request other = request;
    other.body = body;
    other.body_length = strlen(body);
    expect(&other, text, false);
    other = request;
    other.secret = secret;
    expect(&other, text, false);
    other = request;
    other.region = "eu-west-2";
    expect(&other, text, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(text) char *text = text_copy_length((const char *)data, size);
    char *lines[LINES + 1] = {text};
    for (size_t i = 1; i <= LINES; i++) {
        char *end = strchr(lines[i - 1], '\n');
        if (!end) return 0;
        *end = 0;
        lines[i] = end + 1;
    }
    const SigV4Header headers[] = {{lines[4], lines[5]}, {"x-amz-target", "Service.Call"}};
    for (size_t i = 0; i < COUNT_OF(headers); i++) /* who asks gives each once, and no line of several */
        if (!*headers[i].name || has_control(headers[i].name) || !strcmp(headers[i].name, "host") ||
            !strcmp(headers[i].name, "x-amz-date") || (i == 0 && !strcmp(headers[i].name, "x-amz-target")))
            return 0;
    OWN(secret) Secret *secret = secret_new("a secret", 8);
    const SigV4Request request = {.method = lines[0],
        .host = lines[1],
        .path = lines[2],
        .query = lines[3],
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = lines[6],
        .body_length = strlen(lines[6]),
        .region = "eu-west-1",
        .service = "monitoring",
        .key_id = "AKIDEXAMPLE",
        .secret = secret,
        .now_ms = INT64_C(1767323045000)};
    char signature[SHA256_HEX];
    sign(&request, signature);
    check_same(request, signature);
    check_other(request, signature);
    SigV4Request plain = request;
    plain.plain_path = true;
    sign(&plain, signature);
    return 0;
}
