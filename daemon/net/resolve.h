/* The gate for name lookups: libcurl's own would start a thread each and once held the loop for 9 s. At most
 * RESOLVE_AT_ONCE run on libuv's pool, one a host whoever asks, and an answer, good or bad, is kept for a short while.
 * While name servers are silent, the addresses that they gave last go on to serve (RFC 8767). Loop thread. */
#ifndef TOCSIN_NET_RESOLVE_H
#define TOCSIN_NET_RESOLVE_H

#include "base/clock.h"

#include <sys/socket.h>
#include <uv.h>

enum {
    RESOLVE_AT_ONCE = 8,
    RESOLVE_SLOW_AT_ONCE = 4, /* of names that failed slowly the last time: they leave room for others */
    RESOLVE_SLOW_MS = 1000, /* a failure that took so long was a silence */
    RESOLVE_ADDRESSES = 16, /* kept of one answer */
    RESOLVE_NAMES = 256, /* remembered; what nobody waits for goes first */
    RESOLVE_KEEP_MS = 10000, /* an answer, or that there is none */
    RESOLVE_STALE_MS = 3600000, /* so long after it came the last good answer serves while no name server answers */
    RESOLVE_DEADLINE_MS = 5000, /* how long one who asks waits */
};

typedef struct Resolver Resolver;
typedef struct Lookup Lookup;

typedef struct ResolveAnswer {
    const struct sockaddr_storage *addresses; /* borrowed for the callback */
    size_t count; /* 0: `error` says why */
    const char *error;
} ResolveAnswer;
typedef void ResolveDone(void *ctx, const ResolveAnswer *answer); /* once, never inside resolver_start() */
/* How names are asked for: uv_getaddrinfo, or a test's own. */
typedef int ResolveAsk(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb done, const char *host,
    const char *service, const struct addrinfo *hints);

Resolver *resolver_new(uv_loop_t *loop, const Clock *clock, ResolveAsk *ask);
Resolver *resolver_free(Resolver *resolver); /* each lookup has been answered or cancelled; NULL is fine */
Lookup *resolver_start(Resolver *resolver, const char *host, ResolveDone *done, void *ctx);
void resolver_cancel(Lookup *lookup); /* no callback; NULL is fine; not after the callback */

#endif
