/* AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity on the wire: forms, and what their answers say. Pure; any
 * thread. Source: AWS STS API Reference, of these names. */
#ifndef TOCSIN_AWS_STS_H
#define TOCSIN_AWS_STS_H

#include "aws/keys.h"

enum { STS_SESSION_MAX = 65 };

/* `tocsin-HOST`, with what a session's name may not have replaced. */
void sts_session_name(const char *host, char text[static STS_SESSION_MAX]);
typedef struct StsRole {
    const char *role_arn, *session;
    const char *external_id; /* NULL: none */
    const char *web_token; /* NULL: AssumeRole; else AssumeRoleWithWebIdentity, which nobody signs */
    int64_t duration_s; /* 0: AWS's own */
} StsRole;

/* The request's body. Caller frees by guard_free(). */
char *sts_assume_body(const StsRole *role);
/* The answer to either. NULL: it is not what it should be. `now_ms`: AWS's time. */
AwsKeys *sts_assume_read(const char *body, size_t length, const char *origin, int64_t now_ms, Error *err);

typedef struct StsIdentity {
    char account[13], arn[2049];
} StsIdentity;
/* GetCallerIdentity's answer. False: it is not what it should be. */
bool sts_identity_read(const char *body, size_t length, StsIdentity *ret_identity, Error *err);

#endif
