/* AssumeRole on the wire: its form, and the keys out of its answer. Pure; any thread. Source: AWS STS API Reference,
 * "AssumeRole". */
#ifndef TOCSIN_AWS_STS_H
#define TOCSIN_AWS_STS_H

#include "aws/keys.h"

enum { STS_SESSION_MAX = 65 };

/* `tocsin-HOST`, with what a session's name may not have replaced. */
void sts_session_name(const char *host, char text[static STS_SESSION_MAX]);
/* The request's body; `external_id` NULL: none. Caller frees, and wipes if the id is a secret. */
char *sts_assume_body(const char *role_arn, const char *session, const char *external_id);
/* NULL: the answer is not what it should be. `now_ms`: AWS's time. */
AwsKeys *sts_assume_read(const char *body, size_t length, const char *role_arn, int64_t now_ms, Error *err);

#endif
