/* AWS Signature Version 4, for one request exactly as it is sent. Pure; any thread. Signed here and not by libcurl,
 * whose own signer sorts no query, cannot correct a clock, and signs a changed header list wrongly in 7.88. Source: IAM
 * User Guide, "Create a signed AWS API request". */
#ifndef TOCSIN_AWS_SIGV4_H
#define TOCSIN_AWS_SIGV4_H

#include "base/digest.h"
#include "base/secret.h"
#include "base/timetext.h"

#include <stdbool.h>

enum { SIGV4_HEADERS = 16 };

typedef struct SigV4Header {
    const char *name; /* lower case */
    const char *value;
} SigV4Header;

typedef struct SigV4Request {
    const char *method, *host; /* host: as the Host header has it */
    const char *path; /* as on the request line, without query; "" is `/` */
    const char
        *query; /* percent-encoded, any order; NULL: none. What is sent may be in another order than what is signed */
    const SigV4Header *headers; /* to be signed besides host and x-amz-date, in any order; at most SIGV4_HEADERS - 2 */
    size_t header_count;
    const char *body;
    size_t body_length;
    bool plain_path; /* S3: the path is neither normalised nor encoded again */
    const char *region, *service; /* signed for */
    const char *key_id;
    const Secret *secret;
    int64_t now_ms; /* AWS's time: ours and the known skew */
} SigV4Request;

typedef struct SigV4Signature {
    char date[TIME_TEXT_MAX]; /* X-Amz-Date */
    char canonical[SHA256_HEX]; /* hash of the canonical request: what may be logged when AWS disagrees */
    char text[SHA256_HEX]; /* the signature */
    char *authorization; /* one line; caller frees */
} SigV4Signature;

void sigv4_sign(const SigV4Request *request, SigV4Signature *ret_signature);

#endif
