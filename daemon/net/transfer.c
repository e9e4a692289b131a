#include "net/transfer.h"

#include "base/alloc.h"
#include "base/text.h"
#include "net/certificate.h"
#include "net/url.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

enum { CERTIFICATE_SHOWN = 160 }; /* bytes of its names */

typedef struct Watch {
    uv_poll_t poll;
    Http *http;
    curl_socket_t fd;
} Watch;

/* --- sockets, opened under the guard --- */

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
    HttpTicket *ticket = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
    if (ticket->guard == HTTP_GUARD_LINK_LOCAL && address_is_link_local(&address->addr)) {
        ticket->guarded = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* What OpenSSL's and libcurl's words mean for whoever has to mend it. */
static const struct TlsWords {
    const char *part, *meaning;
} tls_words[] = {
    {"wrong version number", "what answers there speaks no TLS"},
    {"local issuer certificate",
        "its certificate is signed by nobody whom this machine trusts (ca_file names others; AWS_CA_BUNDLE for AWS)"},
    {"self-signed certificate",
        "its certificate is signed by nobody whom this machine trusts (ca_file names others; AWS_CA_BUNDLE for AWS)"},
    {"self signed certificate",
        "its certificate is signed by nobody whom this machine trusts (ca_file names others; AWS_CA_BUNDLE for AWS)"},
    {"has expired", "its certificate has expired"},
    {"not yet valid", "its certificate is not valid yet"},
    {"does not match target host", "its certificate is another host's"},
    {"subject name matches target host", "its certificate is another host's"},
};

static void explain_tls(HttpTicket *ticket) {
    const char *said = *ticket->curl_error ? ticket->curl_error : "the TLS handshake failed";
    const char *meaning = NULL;
    for (size_t i = 0; i < COUNT_OF(tls_words) && !meaning; i++)
        if (strstr(said, tls_words[i].part)) meaning = tls_words[i].meaning;
    snprintf(ticket->error, sizeof ticket->error, meaning ? "%s: %s: %s" : "%s: %s%s", ticket->where,
        meaning ? meaning : "", said);
}

bool transfer_tls_failed(CURLcode code) {
    switch ((int)code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED: return true;
    default: return false;
    }
}

bool transfer_never_connected(const HttpTicket *ticket) {
    curl_off_t ready_us = 0;
    return curl_easy_getinfo(ticket->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us) || ready_us == 0;
}

static void explain_timeout(HttpTicket *ticket) {
    if (transfer_never_connected(ticket)) {
        snprintf(ticket->error, sizeof ticket->error, "%s: no connection within %g s", ticket->where,
            (double)ticket->connect_ms / 1000);
        return;
    }
    const bool stalled = strstr(ticket->curl_error, "too slow") != NULL;
    snprintf(ticket->error, sizeof ticket->error, stalled ? "%s: stalled for %g s" : "%s: no whole answer within %g s",
        ticket->where, stalled ? NET_STALL_S : (double)ticket->timeout_ms / 1000);
}

/* libcurl names the host that was wanted; whose certificate came instead tells a person what to mend. */
static void explain_name(HttpTicket *ticket) {
    char names[CERTIFICATE_SHOWN];
    const size_t used = strlen(ticket->error);
    if (!certificate_names(ticket->easy, names, sizeof names)) return;
    const int before = snprintf(ticket->error + used, sizeof ticket->error - used, "; the certificate is for ");
    if (used + (size_t)before >= sizeof ticket->error) return;
    const size_t room = sizeof ticket->error - used - (size_t)before - 1; /* a host's name may be long */
    strncat(ticket->error, names, utf8_cut(names, strlen(names), room));
}

void transfer_explain(HttpTicket *ticket, CURLcode code) {
    if (*ticket->error) return;
    long number = 0;
    if (code == CURLE_OPERATION_TIMEDOUT) {
        explain_timeout(ticket);
        return;
    }
    if (transfer_tls_failed(code)) {
        explain_tls(ticket);
        if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(ticket->error, "target host name")) explain_name(ticket);
        return;
    }
    curl_easy_getinfo(ticket->easy, CURLINFO_OS_ERRNO, &number);
    const char *words = curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT && number) words = strerror((int)number);
    if (code == CURLE_GOT_NOTHING) words = "closed the connection without an answer";
    if (code == CURLE_UNSUPPORTED_PROTOCOL) words = "what answers there speaks no HTTP";
    if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR)
        words = "the connection broke before the answer was whole";
    snprintf(ticket->error, sizeof ticket->error, "%s: %s", ticket->where, words);
}

/* --- the multi on the loop --- */

static HttpOutcome outcome_of(const HttpTicket *ticket, CURLcode code) {
    if (code == CURLE_OK) return HTTP_ANSWERED;
    if (ticket->guarded) return HTTP_REFUSED;
    return code == CURLE_OPERATION_TIMEDOUT ? HTTP_TIMED_OUT : HTTP_FAILED;
}

/* After every socket event and every timeout, even when nothing runs any more. A callback may free the Http: then multi
 * is gone, and the memory stays until its handles are closed. */
static void collect(Http *http) {
    int left;
    for (CURLMsg *message; http->multi && (message = curl_multi_info_read(http->multi, &left));) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result; /* read now: the message goes with the handle */
        HttpTicket *ticket = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&ticket);
        if (code == CURLE_OK && ticket->connected)
            ticket->connected(ticket);
        else
            transfer_end(ticket, outcome_of(ticket, code), code);
    }
}

/* Behind an error may stand an answer that came before it, a refusal while we were still sending: with CURL_CSELECT_ERR
 * alone libcurl would not read it. It reads until nothing is left, and so comes to the error by itself; libuv has
 * stopped the handle. */
static void on_ready(uv_poll_t *poll, int status, int events) {
    const Watch *watch = poll->data;
    Http *http = watch->http;
    int flags = status < 0 ? CURL_CSELECT_ERR | CURL_CSELECT_IN : 0, running;
    if (events & UV_READABLE) flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) flags |= CURL_CSELECT_OUT;
    if (!http->multi) return;
    curl_multi_socket_action(http->multi, watch->fd, flags, &running);
    collect(http);
}

static void watch_closed(uv_handle_t *handle) { free(handle->data); }

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx) {
    (void)easy;
    Http *http = ctx;
    Watch *watch = socket_ctx;
    if (what == CURL_POLL_REMOVE) {
        if (!watch) return 0;
        uv_poll_stop(&watch->poll);
        uv_close((uv_handle_t *)&watch->poll, watch_closed);
        curl_multi_assign(http->multi, fd, NULL);
        return 0;
    }
    if (!watch) {
        watch = alloc_zeroed(1, sizeof *watch);
        watch->http = http;
        watch->fd = fd;
        watch->poll.data = watch;
        if (uv_poll_init_socket(http->loop, &watch->poll, fd)) {
            free(watch);
            return -1;
        }
        curl_multi_assign(http->multi, fd, watch);
    }
    const int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->poll, events, on_ready) ? -1 : 0;
}

static void on_timeout(uv_timer_t *timer) {
    Http *http = timer->data;
    int running;
    if (!http->multi) return;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(http);
}

static int set_timer(CURLM *multi, long timeout_ms, void *ctx) {
    (void)multi;
    Http *http = ctx;
    if (timeout_ms < 0) return uv_timer_stop(&http->timer);
    return uv_timer_start(&http->timer, on_timeout, (uint64_t)timeout_ms, 0);
}

static HttpTicket *first_early(Http *http) {
    HttpTicket *ticket;
    DL_FOREACH(http->tickets, ticket)
        if (ticket->early) return ticket;
    return NULL;
}

/* As many as wait now: one that is refused again from a callback waits for the next turn. */
static void on_soon(uv_timer_t *timer) {
    Http *http = timer->data;
    size_t waiting = 0;
    HttpTicket *ticket;
    DL_FOREACH(http->tickets, ticket) waiting += ticket->early;
    for (; waiting && http->multi && (ticket = first_early(http)); waiting--)
        transfer_end(ticket, ticket->outcome, CURLE_OK);
    if (http->multi && first_early(http)) uv_timer_start(&http->soon, on_soon, 0, 0);
}

Http *http_new(uv_loop_t *loop, const Clock *clock, Metrics *metrics) {
    net_setup();
    Http *http = alloc_zeroed(1, sizeof *http);
    http->loop = loop;
    http->clock = clock;
    http->metrics = metrics;
    http->resolver = resolver_new(loop, clock, uv_getaddrinfo);
    http->multi = curl_multi_init();
    if (!http->multi) abort();
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 64L);
    uv_timer_init(loop, &http->timer);
    uv_timer_init(loop, &http->soon);
    http->timer.data = http->soon.data = http;
    http->open = 2;
    return http;
}

static void handle_closed(uv_handle_t *handle) {
    Http *http = handle->data;
    if (--http->open == 0) free(http);
}

Http *http_free(Http *http) {
    if (!http || !http->multi) return NULL;
    while (http->tickets) transfer_end(http->tickets, HTTP_CANCELLED, CURLE_OK);
    curl_multi_cleanup(http->multi); /* its last words go through watch_socket() and set_timer() */
    http->multi = NULL;
    http->resolver = resolver_free(http->resolver);
    uv_close((uv_handle_t *)&http->timer, handle_closed);
    uv_close((uv_handle_t *)&http->soon, handle_closed);
    return NULL;
}

size_t http_running(const Http *http) { return http->running; }

/* --- the life of a transfer --- */

static void common_options(HttpTicket *ticket) {
    TRANSFER_SET(ticket, CURLOPT_PRIVATE, ticket);
    TRANSFER_SET(ticket, CURLOPT_ERRORBUFFER, ticket->curl_error);
    TRANSFER_SET(ticket, CURLOPT_NOSIGNAL, 1L);
    TRANSFER_SET(ticket, CURLOPT_QUICK_EXIT, 1L);
    TRANSFER_SET(ticket, CURLOPT_FOLLOWLOCATION, 0L);
    TRANSFER_SET(ticket, CURLOPT_UNRESTRICTED_AUTH, 0L);
    TRANSFER_SET(ticket, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    TRANSFER_SET(ticket, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    TRANSFER_SET(ticket, CURLOPT_SSL_VERIFYPEER, 1L);
    TRANSFER_SET(ticket, CURLOPT_SSL_VERIFYHOST, 2L);
    TRANSFER_SET(ticket, CURLOPT_CERTINFO, 1L);
    TRANSFER_SET(ticket, CURLOPT_LOW_SPEED_LIMIT, (long)NET_STALL_BYTES_S);
    TRANSFER_SET(ticket, CURLOPT_LOW_SPEED_TIME, (long)NET_STALL_S);
    TRANSFER_SET(ticket, CURLOPT_MAXAGE_CONN, (long)NET_IDLE_CONNECTION_S);
    TRANSFER_SET(ticket, CURLOPT_MAXLIFETIME_CONN, (long)NET_CONNECTION_LIFE_S);
    TRANSFER_SET(ticket, CURLOPT_PROXY,
        ""); /* what the environment says is read by us: the proxy too is looked up by the gate */
    TRANSFER_SET(ticket, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    TRANSFER_SET(ticket, CURLOPT_OPENSOCKETDATA, ticket);
}

void transfer_begin(Http *http, HttpTicket *ticket, int64_t timeout_ms, int64_t connect_ms) {
    ticket->http = http;
    ticket->easy = curl_easy_init();
    if (!ticket->easy) abort();
    ticket->timeout_ms = timeout_ms;
    ticket->connect_ms = connect_ms > 0 ? connect_ms : NET_CONNECT_MS;
    ticket->started_ms = clock_mono_ms(http->clock);
    DL_APPEND(http->tickets, ticket);
    http->running++;
    common_options(ticket);
}

void transfer_refuse(HttpTicket *ticket, HttpOutcome outcome, const char *format, ...) {
    if (ticket->early) return; /* the first cause stays */
    va_list args;
    va_start(args, format);
    vsnprintf(ticket->error, sizeof ticket->error, format, args);
    va_end(args);
    ticket->early = true;
    ticket->outcome = outcome;
    uv_timer_start(&ticket->http->soon, on_soon, 0, 0);
}

static void launch(HttpTicket *ticket) {
    const int64_t left_ms = ticket->timeout_ms - (clock_mono_ms(ticket->http->clock) - ticket->started_ms);
    if (left_ms <= 0) {
        transfer_refuse(
            ticket, HTTP_TIMED_OUT, "%s: no address within %g s", ticket->where, (double)ticket->timeout_ms / 1000);
        return;
    }
    TRANSFER_SET(ticket, CURLOPT_TIMEOUT_MS, (long)left_ms);
    TRANSFER_SET(ticket, CURLOPT_CONNECTTIMEOUT_MS, (long)ticket->connect_ms);
    if (ticket->resolve) TRANSFER_SET(ticket, CURLOPT_RESOLVE, ticket->resolve);
    if (curl_multi_add_handle(ticket->http->multi, ticket->easy)) abort(); /* memory alone makes it fail */
    ticket->in_multi = true;
}

static bool add_address(Buffer *line, const struct sockaddr_storage *address) {
    char text[64] = "";
    const void *raw = address;
    if (uv_ip_name(raw, text, sizeof text)) return false;
    const bool v6 = address->ss_family == AF_INET6;
    return buffer_format(
        line, "%s%s%s%s", line->bytes[line->used - 1] == ':' ? "" : ",", v6 ? "[" : "", text, v6 ? "]" : "");
}

static void on_addresses(void *ctx, const ResolveAnswer *answer) {
    HttpTicket *ticket = ctx;
    ticket->lookup = NULL;
    if (answer->count == 0) {
        snprintf(ticket->error, sizeof ticket->error, "%s: %s", ticket->where, answer->error);
        transfer_end(ticket, HTTP_FAILED, CURLE_COULDNT_RESOLVE_HOST);
        return;
    }
    OWN(buffer) Buffer line = BUFFER(4096);
    buffer_format(&line, "+%s:%d:", ticket->host, ticket->port); /* +: kept for a minute only */
    for (size_t i = 0; i < answer->count; i++) {
        if (ticket->guard == HTTP_GUARD_LINK_LOCAL && address_is_link_local((const void *)&answer->addresses[i]))
            ticket->guarded = true;
        add_address(&line, &answer->addresses[i]);
    }
    if (ticket->guarded) {
        transfer_end(ticket, HTTP_REFUSED, CURLE_OK);
        return;
    }
    ticket->resolve = curl_slist_append(NULL, buffer_string(&line));
    if (!ticket->resolve) abort();
    launch(ticket);
}

void transfer_connect(HttpTicket *ticket) {
    struct sockaddr_storage address;
    if (ticket->early) return;
    if (!host_is_address(ticket->host, &address)) {
        ticket->lookup = resolver_start(ticket->http->resolver, ticket->host, on_addresses, ticket);
        return;
    }
    ticket->guarded = ticket->guard == HTTP_GUARD_LINK_LOCAL && address_is_link_local((const void *)&address);
    if (ticket->guarded)
        transfer_refuse(ticket, HTTP_REFUSED, "%s", "");
    else
        launch(ticket);
}

void transfer_end(HttpTicket *ticket, HttpOutcome outcome, CURLcode code) {
    if (ticket->ended) return; /* its own callback cancels it: it is on the way out */
    ticket->ended = true;
    Http *http = ticket->http;
    resolver_cancel(ticket->lookup);
    ticket->lookup = NULL;
    DL_DELETE(http->tickets, ticket);
    http->running--;
    if (ticket->leave) ticket->leave(ticket);
    if (ticket->in_multi) curl_multi_remove_handle(http->multi, ticket->easy);
    if (ticket->guarded && outcome == HTTP_REFUSED)
        snprintf(ticket->error, sizeof ticket->error,
            "%s is a link-local address (of the machine's metadata service): it is never sent to", ticket->where);
    else if (code)
        transfer_explain(ticket, code);
    if (outcome == HTTP_CANCELLED) snprintf(ticket->error, sizeof ticket->error, "cancelled");
    ticket->finish(ticket, outcome, code);
    curl_easy_cleanup(ticket->easy); /* may still write to the ticket's error buffer */
    curl_slist_free_all(ticket->headers);
    curl_slist_free_all(ticket->resolve);
    free(ticket->where);
    free(ticket->host);
    ticket->release(ticket);
}

void http_cancel(HttpTicket *ticket) { transfer_end(ticket, HTTP_CANCELLED, CURLE_OK); }
