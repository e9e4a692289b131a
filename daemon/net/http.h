/* One curl multi on the loop: HTTP and SMTP, every request with deadlines and bounds (robustness sections 3 and 4).
 * Everything happens on the loop; a callback never runs inside the call that started it. */
#ifndef TOCSIN_NET_HTTP_H
#define TOCSIN_NET_HTTP_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct Http Http;
typedef struct HttpTicket HttpTicket;

Http *http_new(uv_loop_t *loop, const Clock *clock, Metrics *metrics);
/* Cancels what runs (each callback once, HTTP_CANCELLED), then closes its handles; memory goes with the last of them.
 */
Http *http_free(Http *http);

typedef struct HttpHeader {
    const char *name, *value;
    const Secret *secret; /* appended to value where set; never logged */
} HttpHeader;

typedef enum {
    HTTP_GUARD_NONE, /* AWS and metadata endpoints that we chose */
    HTTP_GUARD_LINK_LOCAL /* targets that users wrote: the connected address is checked, link-local is refused */
} HttpGuard;

typedef struct HttpRequest {
    const char *method; /* GET POST PUT DELETE HEAD */
    const char *url; /* http or https; no userinfo. Or url_secret */
    const Secret *url_secret;
    const HttpHeader *headers;
    size_t header_count;
    const char *body; /* copied; NULL: none */
    size_t body_length;
    const char *username; /* HTTP basic auth with `password`; NULL: none */
    const Secret *password;
    const char *ca_file, *cert_file, *key_file, *proxy_url; /* NULL: the system's; proxy by the usual variables */
    bool no_proxy; /* metadata endpoints */
    bool connect_only; /* connection and TLS alone: nothing is asked, ANSWERED with status 0 says that both stand */
    HttpGuard guard;
    size_t body_max; /* decoded bytes of the answer; 0: 8 MiB */
    bool keep_head; /* past body_max keep the first bytes and stop, instead of failing: a receiver's own words */
    int64_t timeout_ms; /* whole request; 0: 30 s. Connect 5 s and a stall of 15 s apply besides */
    int64_t connect_timeout_ms; /* 0: 5 s */
} HttpRequest;

typedef enum {
    HTTP_ANSWERED, /* there is a status */
    HTTP_FAILED, /* resolve, connect, TLS, reset, protocol: `error` says which */
    HTTP_TIMED_OUT,
    HTTP_TOO_LONG, /* the answer passed body_max */
    HTTP_REFUSED, /* not sent: a bad URL or header, a guarded address */
    HTTP_CANCELLED
} HttpOutcome;

typedef struct HttpAnswer {
    HttpOutcome outcome;
    long status; /* 0 unless answered */
    const char *body; /* borrowed for the callback; a zero byte stands behind */
    size_t body_length;
    const char *error; /* a person's words, without secrets: scheme and host only */
    int64_t retry_after_ms; /* Retry-After as seconds or date, or x-amz-retry-after (ms); 0: none; at most 1 h */
    int64_t date_ms; /* the Date header; 0: none */
    int64_t arrived_ms, arrived_boot_ms; /* wall and boot clock at arrival */
    const char *location; /* a redirect's target host, or NULL */
    bool tls_failed, never_connected;
    const void *headers; /* see http_answer_header() */
} HttpAnswer;
const char *http_answer_header(const HttpAnswer *answer, const char *name); /* "" where absent; borrowed */

typedef void HttpDone(void *ctx, const HttpAnswer *answer); /* once, on the loop, never inside http_start() */

HttpTicket *http_start(Http *http, const HttpRequest *request, HttpDone *done, void *ctx);
void http_cancel(HttpTicket *ticket); /* its callback runs before this returns, with HTTP_CANCELLED */

/* One mail by SMTP, on the same multi. */
typedef struct MailRequest {
    const char *host; /* name or address */
    int port;
    bool implicit_tls; /* smtps */
    bool require_tls; /* USE_SSL_ALL: fails closed; false: STARTTLS where offered */
    const char *ca_file;
    const char *username; /* NULL: no login */
    const Secret *password;
    const char *auth; /* plain login cram-md5, or NULL: what the server offers */
    const char *from; /* envelope; bare addresses */
    const char *const *recipients; /* ends at NULL; at most 100 */
    const char *message; /* RFC 5322, CR LF everywhere; copied */
    size_t message_length;
    int64_t timeout_ms; /* 0: 60 s */
    const char *helo; /* our name; NULL: the host's */
    bool login_only; /* connection, TLS and login alone: no mail, whose members are not looked at; ANSWERED with code 0
                        says that all stand */
} MailRequest;
typedef struct MailAnswer {
    HttpOutcome outcome; /* ANSWERED: accepted by at least one recipient, or refused with a code */
    long code; /* the SMTP answer that decided, 250 when taken; 0: none. FAILED with a code: it came before the mail */
    bool accepted; /* 250 after DATA */
    bool login_refused;
    const char *error; /* the server's own words */
    const char *const *refused; /* recipients refused while others were accepted; ends at NULL; may be empty */
    int refused_permanently; /* how many of them with 5yz */
} MailAnswer;
typedef void MailDone(void *ctx, const MailAnswer *answer);
HttpTicket *mail_start(Http *http, const MailRequest *request, MailDone *done, void *ctx);

size_t http_running(const Http *http);

/* Is `url` http or https with a host, no userinfo, no control characters? Parsed by curl_url alone. */
bool url_ok(const char *url, bool allow_http, Error *err);

#endif
