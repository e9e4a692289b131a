#include "net/url.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/text.h"
#include "net/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void curl_start(void) {
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, guard_malloc, guard_free, guard_realloc, guard_strdup, guard_calloc))
        abort(); /* out of memory before anything ran */
}

void net_setup(void) {
    static pthread_once_t once =
        PTHREAD_ONCE_INIT; /* libcurl's own start is a global, and configurations load on the pool */
    pthread_once(&once, curl_start);
}

static char *part(CURLU *url, CURLUPart what, unsigned flags) {
    char *got = NULL;
    if (curl_url_get(url, what, &got, flags) || !got) return text_copy("");
    char *copy = text_copy(got);
    curl_free(got);
    return copy;
}

static bool host_ok(const char *host) {
    for (const char *p = host; *p; p++)
        if (*p <= ' ' || *p > '~') return false;
    return *host;
}

static void bare_host(char *host) {
    const size_t length = strlen(host);
    if (length > 2 && host[0] == '[') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = 0;
    }
    for (char *p = host; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
}

static void fill_parts(CURLU *url, UrlParts *parts) {
    parts->scheme = part(url, CURLUPART_SCHEME, 0);
    parts->host = part(url, CURLUPART_HOST, 0);
    OWN(text) char *port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    parts->port = (int)strtol(port, NULL, 10);
    OWN(text) char *path = part(url, CURLUPART_PATH, 0);
    OWN(text) char *query = part(url, CURLUPART_QUERY, 0);
    parts->path = text_format("%s%s%s", path, *query ? "?" : "", query);
    const bool v6 = parts->host[0] == '[';
    bare_host(parts->host);
    const int usual = strcmp(parts->scheme, "https") == 0 ? 443 : 80;
    const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";
    parts->authority = parts->port == usual ? text_format("%s%s%s", open, parts->host, close)
                                            : text_format("%s%s%s:%d", open, parts->host, close, parts->port);
}

bool url_split(const char *text, UrlParts *ret_parts, Error *err) {
    net_setup();
    if (!text || has_control(text)) return error_set(err, ERROR_INPUT, "the address has a control character in it");
    CURLU *url = curl_url();
    if (!url) abort();
    const CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    if (code) {
        curl_url_cleanup(url);
        if (code == CURLUE_USER_NOT_ALLOWED)
            return error_set(
                err, ERROR_INPUT, "the address has a user name in it; give user and password by their own keys");
        return error_set(err, ERROR_INPUT, "this is no address of the form https://host/path");
    }
    UrlParts parts = {0};
    fill_parts(url, &parts);
    curl_url_cleanup(url);
    const bool http = strcmp(parts.scheme, "http") == 0 || strcmp(parts.scheme, "https") == 0;
    if (http && host_ok(parts.host)) {
        *ret_parts = parts;
        return true;
    }
    url_parts_deinit(&parts);
    if (!http) return error_set(err, ERROR_INPUT, "the address must begin with https:// or http://");
    return error_set(err, ERROR_INPUT, "the host's name must be ASCII (write others as xn--…)");
}

void url_parts_deinit(UrlParts *parts) {
    free(parts->scheme);
    free(parts->host);
    if (parts->path) explicit_bzero(parts->path, strlen(parts->path)); /* a webhook's path is its secret */
    free(parts->path);
    free(parts->authority);
    *parts = (UrlParts){0};
}

bool proxy_split(const char *text, char **ret_host, int *ret_port, Error *err) {
    net_setup();
    CURLU *url = curl_url();
    if (!url) abort();
    const unsigned flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
    const bool read = !has_control(text) && curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK;
    OWN(text) char *scheme = part(url, CURLUPART_SCHEME, 0);
    OWN(text) char *host = part(url, CURLUPART_HOST, 0);
    OWN(text) char *port = part(url, CURLUPART_PORT, 0);
    curl_url_cleanup(url);
    const bool https = strcmp(scheme, "https") == 0;
    if (!read || !host_ok(host)) return error_set(err, ERROR_INPUT, "this is no address of the form http://host:port");
    if (!https && strcmp(scheme, "http") != 0 && strcmp(scheme, "socks5h") != 0)
        return error_set(err, ERROR_INPUT, "its address must begin with http://, https:// or socks5h://");
    bare_host(host);
    *ret_port = *port ? (int)strtol(port, NULL, 10) : https ? 443 : 1080; /* libcurl's own defaults */
    *ret_host = GIVE(host);
    return true;
}

bool url_ok(const char *url, bool allow_http, Error *err) {
    __attribute__((cleanup(url_parts_drop))) UrlParts parts = {0};
    if (!url_split(url, &parts, err)) return false;
    if (!allow_http && strcmp(parts.scheme, "https") != 0)
        return error_set(err, ERROR_INPUT, "the address must begin with https://");
    return true;
}

bool host_is_address(const char *host, struct sockaddr_storage *ret_address) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char bare[INET6_ADDRSTRLEN + 1];
    const size_t length = strcspn(host, "%"); /* a zone is no part of the address */
    if (length >= sizeof bare) return false;
    memcpy(bare, host, length);
    bare[length] = 0;
    *ret_address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, bare, &v4.sin_addr) == 1) return memcpy(ret_address, &v4, sizeof v4), true;
    if (inet_pton(AF_INET6, bare, &v6.sin6_addr) == 1) return memcpy(ret_address, &v6, sizeof v6), true;
    return false;
}

static bool v4_link_local(const uint8_t *bytes) { return bytes[0] == 169 && bytes[1] == 254; }

static bool v6_link_local(const uint8_t *a) {
    static const struct Carrier {
        uint8_t prefix[12];
        size_t length, at; /* of the prefix; of the IPv4 address inside */
    } carriers[] = {
        {{[10] = 0xff, [11] = 0xff}, 12, 12}, /* ::ffff:a.b.c.d */
        {{0}, 12, 12}, /* ::a.b.c.d */
        {{[8] = 0xff, [9] = 0xff}, 12, 12}, /* ::ffff:0:a.b.c.d */
        {{0x00, 0x64, 0xff, 0x9b}, 12, 12}, /* NAT64 */
        {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 6, 12}, /* a NAT64 of one's own, its prefix of 96 bits */
        {{0x20, 0x02}, 2, 2}, /* 6to4 */
    };
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) return true;
    if (a[0] == 0xfd && a[1] == 0x00 && a[2] == 0x0e && a[3] == 0xc2) return true;
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
        if (memcmp(a, carriers[i].prefix, carriers[i].length) == 0 && v4_link_local(a + carriers[i].at)) return true;
    return false;
}

bool address_is_link_local(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return v4_link_local((const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr);
    if (address->sa_family == AF_INET6)
        return v6_link_local(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
    return false;
}

bool url_is_link_local(const char *url) {
    __attribute__((cleanup(url_parts_drop))) UrlParts parts = {0};
    struct sockaddr_storage address;
    return url_split(url, &parts, NULL) && host_is_address(parts.host, &address) &&
        address_is_link_local((const void *)&address);
}

static const char *variable(const char *lower, const char *upper) {
    const char *value = getenv(lower);
    if ((!value || !*value) && upper) value = getenv(upper);
    return value && *value ? value : NULL;
}

/* As curl reads it: a list by commas and blanks, `*` for all, a name spares itself and what ends in `.name`. */
static bool spared(const char *host) {
    const char *list = variable("no_proxy", "NO_PROXY");
    const size_t host_length = strlen(host);
    while (list && *list) {
        list += strspn(list, ", \t.");
        const size_t length = strcspn(list, ", \t");
        if (length == 1 && *list == '*') return true;
        if (length && length <= host_length && strncasecmp(host + host_length - length, list, length) == 0 &&
            (length == host_length || host[host_length - length - 1] == '.'))
            return true;
        list += length;
    }
    return false;
}

char *proxy_from_environment(const char *scheme, const char *host) {
    const bool https = strcmp(scheme, "https") == 0;
    /* HTTP_PROXY in capitals is what a CGI client can set by a header: not read, as in curl */
    const char *proxy = https ? variable("https_proxy", "HTTPS_PROXY") : variable("http_proxy", NULL);
    if (!proxy) proxy = variable("all_proxy", "ALL_PROXY");
    return proxy && !spared(host) ? text_copy(proxy) : NULL;
}
