/* The shared multi: what one HTTP exchange and one mail have in common. Inside daemon/net only; loop thread. A transfer
 * has one way out, transfer_end(), passed once. */
#ifndef TOCSIN_NET_TRANSFER_H
#define TOCSIN_NET_TRANSFER_H

#include "net/http.h"
#include "net/resolve.h"

#include <curl/curl.h>

enum {
    NET_CONNECT_MS = 5000,
    NET_HTTP_MS = 30000,
    NET_MAIL_MS = 60000,
    NET_STALL_BYTES_S = 100, /* less than this for NET_STALL_S is a stall */
    NET_STALL_S = 15,
    NET_IDLE_CONNECTION_S = 60,
    NET_CONNECTION_LIFE_S = 600,
    NET_ERROR_TEXT = 512
};

/* The base of an exchange; the first member of its own struct. */
struct HttpTicket {
    Http *http;
    CURL *easy;
    Lookup *lookup;
    void (*connected)(HttpTicket *ticket); /* libcurl has done its part, another begins; NULL: it does all */
    void (*leave)(HttpTicket *ticket); /* before the connection goes; may be NULL */
    void (*finish)(
        HttpTicket *ticket, HttpOutcome outcome, CURLcode code); /* tells the owner; the handle still answers */
    void (*release)(HttpTicket *ticket); /* frees what is its own, and itself; the handle is gone */
    char *where, *host; /* `https://host:port` for messages; the host to connect to */
    int port;
    struct curl_slist *headers, *resolve;
    int64_t started_ms, timeout_ms, connect_ms;
    HttpGuard guard;
    bool guarded, ended, in_multi;
    bool early; /* `outcome` and `error` are known before anything was sent */
    HttpOutcome outcome;
    char error[NET_ERROR_TEXT], curl_error[CURL_ERROR_SIZE];
    HttpTicket *prev, *next;
};

struct Http {
    uv_loop_t *loop;
    const Clock *clock;
    Metrics *metrics;
    CURLM *multi; /* NULL: closing */
    uv_timer_t timer, soon;
    unsigned open;
    Resolver *resolver;
    HttpTicket *tickets;
    size_t running;
};

/* Enters `ticket` (zeroed by its owner) with an easy handle that has every common option set. */
void transfer_begin(Http *http, HttpTicket *ticket, int64_t timeout_ms, int64_t connect_ms);
/* It will not be sent: `outcome` and the text reach `finish` in the loop's next turn. */
void transfer_refuse(HttpTicket *ticket, HttpOutcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Looks `ticket->host` up and sends. */
void transfer_connect(HttpTicket *ticket);
void transfer_end(HttpTicket *ticket, HttpOutcome outcome, CURLcode code);
/* Why it failed, in words, into ticket->error; says host and port, never a path. */
void transfer_explain(HttpTicket *ticket, CURLcode code);
bool transfer_tls_failed(CURLcode code);
/* Did it end before any byte of the request was on its way? */
bool transfer_never_connected(const HttpTicket *ticket);

/* curl_easy_setopt() with an outcome that matters only for memory: a handle that cannot take an option aborts. */
#define TRANSFER_SET(ticket, option, value) \
    do { \
        if (curl_easy_setopt((ticket)->easy, option, value) == CURLE_OUT_OF_MEMORY) abort(); \
    } while (0)

#endif
