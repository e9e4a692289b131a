/* What a URL connects to, taken apart by curl_url alone, and which addresses nobody may be sent to. Any thread. */
#ifndef TOCSIN_NET_URL_H
#define TOCSIN_NET_URL_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/socket.h>

typedef struct UrlParts {
    char *scheme, *host, *path; /* host: lower case, an IPv6 literal without its brackets; path: with the query */
    char *authority; /* `host`, `host:port` or `[v6]:port`: as the Host header has it, default port left out */
    int port;
} UrlParts;

/* libcurl's start, once a process, with allocators that wipe (robustness section 7). Every entry to libcurl calls it.
 */
void net_setup(void);

/* Takes `url` apart; http and https only, no userinfo, no control characters. False: ERROR_INPUT, never quoting the
 * URL, which may be a secret. */
bool url_split(const char *url, UrlParts *ret_parts, Error *err);
void url_parts_deinit(UrlParts *parts);
static inline void url_parts_drop(UrlParts *parts) { url_parts_deinit(parts); }

/* What to connect to for a proxy `[SCHEME://][USER:PASSWORD@]HOST[:PORT]`; http, https and socks5h. Caller frees the
 * host. */
bool proxy_split(const char *url, char **ret_host, int *ret_port, Error *err);

/* Is `host` an address rather than a name? */
bool host_is_address(const char *host, struct sockaddr_storage *ret_address);
/* 169.254/16, fe80::/10, fd00:ec2::/32 (the metadata services), and the IPv6 forms that carry an IPv4 address of these:
 * mapped, compatible, translated (RFC 2765), NAT64 (RFC 6052, RFC 8215) and 6to4. */
bool address_is_link_local(const struct sockaddr *address);
/* Is the host of `url`, which url_ok() took, such an address by its literal, however spelled? A name shows it later
 * only. */
bool url_is_link_local(const char *url);
/* The proxy that the usual variables name for a host: caller frees; NULL: none, or no_proxy spares the host. */
char *proxy_from_environment(const char *scheme, const char *host);

#endif
