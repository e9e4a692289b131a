/* Keys from the endpoints that only what runs there can reach: EC2's instance metadata, version 2 alone, and the agents
 * of ECS and EKS. Plain HTTP with short deadlines, no proxy, no redirects. Loop thread. Sources: EC2 User Guide, "Use
 * the Instance Metadata Service"; AWS SDKs and Tools Reference Guide, "Container credential provider". */
#ifndef TOCSIN_AWS_METADATA_H
#define TOCSIN_AWS_METADATA_H

#include "aws/core.h"
#include "aws/way.h"

enum {
    INSTANCE_TIMEOUT_MS = 1000,
    INSTANCE_TRIES = 2,
    CONTAINER_TIMEOUT_MS = 2000,
    CONTAINER_TRIES = 3,
    CONTAINER_PAUSE_MS = 1000, /* between two tries */
    INSTANCE_HOLD_MS = 15 * 60 * 1000, /* keys that have ended are what it has: asked again after this and … */
    INSTANCE_HOLD_MORE_MS = 8 * 60 * 1000 /* … two minutes and up to so much more */
};

typedef struct Metadata Metadata;
/* Once, on the loop, never inside metadata_start(). Keys are taken; NULL: `why`, borrowed. */
typedef void MetadataDone(void *ctx, AwsKeys *take_keys, const char *why);

/* Borrows `link` (WAY_INSTANCE or WAY_CONTAINER) until `done`. */
Metadata *metadata_start(Aws *aws, const WayLink *link, MetadataDone *done, void *ctx);
void metadata_cancel(Metadata *metadata); /* `done` runs before this returns */

#endif
