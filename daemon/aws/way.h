/* The way to the base keys that environment and profile ask for: which sources stand behind one another, found but not
 * yet gone. Reads files, the tokens' among them: on the pool. Source: AWS SDKs and Tools Reference Guide, "Standardized
 * credential providers"; the order is botocore's: the first that is configured counts, and broken it is an error. */
#ifndef TOCSIN_AWS_WAY_H
#define TOCSIN_AWS_WAY_H

#include "aws/chain.h"
#include "base/problems.h"

enum { WAY_LINKS_MAX = 16 };

typedef enum { WAY_KEYS, WAY_ROLE, WAY_WEB_IDENTITY, WAY_PROCESS, WAY_CONTAINER, WAY_INSTANCE } WayKind;

/* One source. What its kind does not need is NULL. */
typedef struct WayLink {
    WayKind kind;
    char *origin; /* for messages: `credential_process of profile x`; never NULL */
    char *profile; /* whose keys ask for it */
    AwsKeys *keys; /* KEYS */
    char *role_arn, *session; /* ROLE, WEB_IDENTITY */
    Secret *external_id; /* ROLE */
    int64_t duration_s; /* ROLE, WEB_IDENTITY; 0: AWS's own */
    Secret *token; /* WEB_IDENTITY; CONTAINER: the Authorization header, or NULL */
    char **arguments; /* PROCESS; ends at NULL */
    char *url; /* CONTAINER: whole; INSTANCE: the endpoint, without a slash at its end */
} WayLink;

typedef struct Way {
    WayLink links[WAY_LINKS_MAX]; /* the first gives the keys; each but the last needs those of the one behind it */
    size_t count; /* at least 1 once it was found */
} Way;

/* `profile`: as configured, which outranks keys in the environment; NULL: by AWS_PROFILE, AWS_DEFAULT_PROFILE, or
 * `default`. NULL: ERROR_INPUT or ERROR_LOCAL with what was found, and what to do. Caller frees. */
Way *way_find(const char *profile, Error *err);
Way *way_free(Way *way);
OWN_DEFINE(Way, way)

/* The profiles that source_profile leads round in a circle, `a -> b -> a`, from the first one on (`profile` as in
 * way_find()); NULL: it leads to an end. `ret_at`: the line that closes it, its file borrowed. Pure. Caller frees. */
#define WAY_CIRCLE "source_profile goes round in a circle: %s"
#define WAY_CIRCLE_REMEDY "let one of them have keys of its own"
char *way_circle(const AwsFiles *files, const char *profile, Place *ret_at);

/* The address of a container's endpoint: https anywhere, http to this machine and the agents of ECS and EKS alone. */
bool way_container_url_ok(const char *url, Error *err);

#endif
