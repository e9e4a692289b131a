#include "net/http.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/text.h"
#include "base/timetext.h"
#include "net/answer.h"
#include "net/transfer.h"
#include "net/url.h"

#include <stdlib.h>
#include <string.h>

enum { HTTP_BODY_MAX = 8 << 20, HTTP_HEADERS_SENT = 64 };

typedef struct Exchange {
    HttpTicket ticket;
    HttpDone *done;
    void *ctx;
    char *request, *scheme, *authority; /* request: the body, ours for the time of the sending */
    /* The answer, decoded. In memory that is wiped: credentials come this way. */
    char *body;
    size_t used, room, max;
    bool keep_head, cut, too_long, head_too_long;
    AnswerHeaders headers;
    int64_t date_ms, date_arrived_ms, date_arrived_boot_ms;
} Exchange;

static const Metric requests_total = {
    "tocsin_http_requests_total", "HTTP requests that ended, by outcome.", METRIC_COUNTER, {"outcome"}};
static const char *const outcome_words[] = {[HTTP_ANSWERED] = "answered",
    [HTTP_FAILED] = "failed",
    [HTTP_TIMED_OUT] = "timed_out",
    [HTTP_TOO_LONG] = "too_long",
    [HTTP_REFUSED] = "refused",
    [HTTP_CANCELLED] = "cancelled"};

/* --- what comes in --- */

static void body_room(Exchange *exchange, size_t wanted) {
    if (wanted < exchange->room) return;
    while (exchange->room <= wanted) exchange->room = exchange->room ? exchange->room * 2 : 4096;
    if (exchange->room > exchange->max + 2) exchange->room = exchange->max + 2; /* all of it is wiped in the end */
    exchange->body = guard_realloc(exchange->body, exchange->room);
    if (!exchange->body) abort(); /* at most max, and that is bounded */
}

/* Counts decoded bytes: CURLOPT_MAXFILESIZE sees neither gzip bombs nor chunked bodies. */
static size_t take_body(char *bytes, size_t size, size_t count, void *ctx) {
    Exchange *exchange = ctx;
    size_t length = size * count;
    const bool over = length > exchange->max - exchange->used;
    if (over) {
        exchange->cut = exchange->keep_head;
        exchange->too_long = !exchange->keep_head;
        length = exchange->keep_head ? exchange->max - exchange->used : 0;
    }
    body_room(exchange, exchange->used + length + 1);
    memcpy(exchange->body + exchange->used, bytes, length);
    exchange->used += length;
    return over ? 0 : length; /* 0 of some: curl stops with CURLE_WRITE_ERROR */
}

static size_t take_header(char *bytes, size_t size, size_t count, void *ctx) {
    Exchange *exchange = ctx;
    const size_t length = size * count;
    if (!answer_headers_line(&exchange->headers, bytes, length)) {
        exchange->too_long = exchange->head_too_long = true;
        return 0;
    }
    const char *date = answer_headers_get(&exchange->headers, "Date");
    if (*date && !exchange->date_ms && time_parse_http(date, &exchange->date_ms)) {
        exchange->date_arrived_ms = clock_wall_ms(exchange->ticket.http->clock);
        exchange->date_arrived_boot_ms = clock_boot_ms(exchange->ticket.http->clock);
    }
    return length;
}

const char *http_answer_header(const HttpAnswer *answer, const char *name) {
    return answer_headers_get(answer->headers, name);
}

/* --- the way out --- */

static char *redirect_host(Exchange *exchange) {
    char *target = NULL;
    UrlParts parts;
    if (curl_easy_getinfo(exchange->ticket.easy, CURLINFO_REDIRECT_URL, &target) || !target) return NULL;
    if (!url_split(target, &parts, NULL)) return text_copy("a place that is no http address");
    char *host = text_copy(parts.authority);
    url_parts_deinit(&parts);
    return host;
}

static void exchange_finish(HttpTicket *ticket, HttpOutcome outcome, CURLcode code) {
    Exchange *exchange = (Exchange *)ticket;
    const int64_t now_ms = clock_wall_ms(ticket->http->clock);
    long status = 0;
    curl_easy_getinfo(ticket->easy, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->cut && code == CURLE_WRITE_ERROR) outcome = HTTP_ANSWERED;
    if (exchange->too_long && outcome == HTTP_FAILED) {
        outcome = HTTP_TOO_LONG;
        if (exchange->head_too_long)
            snprintf(ticket->error, sizeof ticket->error,
                "%s: the answer's head is longer than %d bytes or has more than %d headers", ticket->where,
                ANSWER_HEADER_BYTES, ANSWER_HEADERS);
        else
            snprintf(ticket->error, sizeof ticket->error, "%s: the answer is longer than %zu bytes", ticket->where,
                exchange->max);
    }
    body_room(exchange, exchange->used + 1);
    exchange->body[exchange->used] = 0;
    OWN(text) char *location = outcome == HTTP_ANSWERED ? redirect_host(exchange) : NULL;
    const HttpAnswer answer = {.outcome = outcome,
        .status = outcome == HTTP_ANSWERED ? status : 0,
        .body = exchange->body,
        .body_length = exchange->used,
        .error = outcome == HTTP_ANSWERED ? "" : ticket->error,
        .retry_after_ms = retry_after_ms(&exchange->headers, now_ms),
        .date_ms = exchange->date_ms,
        .arrived_ms = exchange->date_ms ? exchange->date_arrived_ms : now_ms,
        .arrived_boot_ms = exchange->date_ms ? exchange->date_arrived_boot_ms : clock_boot_ms(ticket->http->clock),
        .location = location,
        .tls_failed = transfer_tls_failed(code),
        .never_connected = outcome != HTTP_ANSWERED && transfer_never_connected(ticket),
        .headers = &exchange->headers};
    metric_add(ticket->http->metrics, &requests_total, 1, METRIC_VALUES(outcome_words[outcome]));
    exchange->done(exchange->ctx, &answer);
}

static void exchange_release(HttpTicket *ticket) {
    Exchange *exchange = (Exchange *)ticket;
    answer_headers_deinit(&exchange->headers);
    guard_free(exchange->request);
    guard_free(exchange->body);
    free(exchange->scheme);
    free(exchange->authority);
    free(exchange);
}

/* --- what goes out --- */

static bool header_name_ok(const char *name) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return *name && name[strspn(name, token)] == 0;
}

static bool is_header(const char *name, const char *wanted) { return strcasecmp(name, wanted) == 0; }

/* libcurl passes CR LF on into headers: such bytes stop here, whoever let them through. */
static bool add_header(HttpTicket *ticket, const HttpHeader *header) {
    const char *value = header->value ? header->value : "";
    const char *secret = header->secret ? secret_reveal(header->secret, NULL) : "";
    if (!header_name_ok(header->name) || has_control(value) || has_control(secret)) {
        transfer_refuse(ticket, HTTP_REFUSED, "the header `%.100s` has a byte that no header may have",
            header_name_ok(header->name) ? header->name : "?");
        return false;
    }
    const size_t room = strlen(header->name) + strlen(value) + strlen(secret) + 3;
    char *line = guard_malloc(room);
    if (!line) abort();
    const bool empty = !*value && !*secret; /* `Name;` is libcurl's way to send it without a value */
    snprintf(line, room, "%s%s%s%s", header->name, empty ? ";" : ": ", value, secret);
    struct curl_slist *more = curl_slist_append(ticket->headers, line); /* copies, by wiping allocators */
    guard_free(line);
    if (!more) abort();
    ticket->headers = more;
    return true;
}

static void add_plain(HttpTicket *ticket, const char *line) {
    struct curl_slist *more = curl_slist_append(ticket->headers, line);
    if (!more) abort();
    ticket->headers = more;
}

static void set_headers(HttpTicket *ticket, const HttpRequest *request) {
    bool typed = false, named = false;
    if (request->header_count > HTTP_HEADERS_SENT)
        transfer_refuse(ticket, HTTP_REFUSED, "more than %d headers", HTTP_HEADERS_SENT);
    for (size_t i = 0; i < request->header_count && i < HTTP_HEADERS_SENT; i++) {
        if (!add_header(ticket, &request->headers[i])) return;
        typed |= is_header(request->headers[i].name, "Content-Type");
        named |= is_header(request->headers[i].name, "User-Agent");
    }
    add_plain(ticket, "Expect:"); /* curl would wait a second for a 100 that few send */
    if (!typed) add_plain(ticket, "Content-Type:");
    if (!named) add_plain(ticket, "User-Agent: tocsin/" TOCSIN_VERSION);
    TRANSFER_SET(ticket, CURLOPT_HTTPHEADER, ticket->headers);
}

static void set_body(Exchange *exchange, const HttpRequest *request) {
    const size_t length = request->body ? request->body_length : 0;
    exchange->request = guard_malloc(length + 1);
    if (!exchange->request) abort();
    if (length) memcpy(exchange->request, request->body, length);
    TRANSFER_SET(&exchange->ticket, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    TRANSFER_SET(&exchange->ticket, CURLOPT_POSTFIELDS, exchange->request); /* borrowed; wiped in exchange_release() */
}

static void set_method(Exchange *exchange, const HttpRequest *request) {
    HttpTicket *ticket = &exchange->ticket;
    const char *method = request->method;
    const bool known = strcmp(method, "GET") == 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
        strcmp(method, "DELETE") == 0 || strcmp(method, "HEAD") == 0;
    if (!known) {
        transfer_refuse(ticket, HTTP_REFUSED, "no such method: `%.20s`", method);
        return;
    }
    if (strcmp(method, "HEAD") == 0) {
        TRANSFER_SET(ticket, CURLOPT_NOBODY, 1L);
        return;
    }
    const bool sends = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
    if (sends || request->body) set_body(exchange, request);
    if (strcmp(method, "POST") != 0 && (sends || request->body || strcmp(method, "GET") != 0))
        TRANSFER_SET(ticket, CURLOPT_CUSTOMREQUEST, method);
}

/* The proxy is what we connect to and look up. It would reach a forbidden address for us: a literal one is refused
 * here. */
static void set_proxy(HttpTicket *ticket, const char *url) {
    struct sockaddr_storage address;
    Error err = {0};
    OWN(text) char *host = NULL;
    int port;
    ticket->guarded = ticket->guard == HTTP_GUARD_LINK_LOCAL && host_is_address(ticket->host, &address) &&
        address_is_link_local((const void *)&address);
    if (ticket->guarded) {
        transfer_refuse(ticket, HTTP_REFUSED, "%s", "");
        return;
    }
    if (!proxy_split(url, &host, &port, &err)) {
        transfer_refuse(ticket, HTTP_REFUSED, "the proxy: %s", err.text);
        return;
    }
    TRANSFER_SET(ticket, CURLOPT_PROXY, url);
    free(ticket->host);
    ticket->host = GIVE(host);
    ticket->port = port;
}

static void set_target(Exchange *exchange, const HttpRequest *request) {
    HttpTicket *ticket = &exchange->ticket;
    const char *url = request->url_secret ? secret_reveal(request->url_secret, NULL) : request->url;
    Error err = {0};
    UrlParts parts;
    if (!url_split(url, &parts, &err)) {
        transfer_refuse(ticket, HTTP_REFUSED, "%s", err.text);
        return;
    }
    TRANSFER_SET(ticket, CURLOPT_URL, url);
    TRANSFER_SET(ticket, CURLOPT_PROTOCOLS_STR, parts.scheme);
    ticket->where = text_format("%s://%s", parts.scheme, parts.authority);
    ticket->host = text_copy(parts.host);
    ticket->port = parts.port;
    OWN(text)
    char *by = request->no_proxy ? NULL
        : request->proxy_url     ? text_copy(request->proxy_url)
                                 : proxy_from_environment(parts.scheme, parts.host);
    url_parts_deinit(&parts);
    if (by) set_proxy(ticket, by);
}

static void set_login(HttpTicket *ticket, const HttpRequest *request) {
    if (request->ca_file) TRANSFER_SET(ticket, CURLOPT_CAINFO, request->ca_file);
    if (request->cert_file) TRANSFER_SET(ticket, CURLOPT_SSLCERT, request->cert_file);
    if (request->key_file) TRANSFER_SET(ticket, CURLOPT_SSLKEY, request->key_file);
    if (!request->username) return;
    TRANSFER_SET(ticket, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    TRANSFER_SET(ticket, CURLOPT_USERNAME, request->username);
    TRANSFER_SET(ticket, CURLOPT_PASSWORD, request->password ? secret_reveal(request->password, NULL) : "");
}

HttpTicket *http_start(Http *http, const HttpRequest *request, HttpDone *done, void *ctx) {
    Exchange *exchange = alloc_zeroed(1, sizeof *exchange);
    HttpTicket *ticket = &exchange->ticket;
    exchange->done = done;
    exchange->ctx = ctx;
    exchange->max = request->body_max ? request->body_max : HTTP_BODY_MAX;
    exchange->keep_head = request->keep_head;
    ticket->guard = request->guard;
    ticket->finish = exchange_finish;
    ticket->release = exchange_release;
    transfer_begin(
        http, ticket, request->timeout_ms > 0 ? request->timeout_ms : NET_HTTP_MS, request->connect_timeout_ms);
    TRANSFER_SET(ticket, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    TRANSFER_SET(ticket, CURLOPT_ACCEPT_ENCODING, "gzip");
    TRANSFER_SET(ticket, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    TRANSFER_SET(ticket, CURLOPT_WRITEFUNCTION, take_body);
    TRANSFER_SET(ticket, CURLOPT_WRITEDATA, exchange);
    TRANSFER_SET(ticket, CURLOPT_HEADERFUNCTION, take_header);
    TRANSFER_SET(ticket, CURLOPT_HEADERDATA, exchange);
    if (request->connect_only) TRANSFER_SET(ticket, CURLOPT_CONNECT_ONLY, 1L);
    set_target(exchange, request);
    set_method(exchange, request);
    set_headers(ticket, request);
    set_login(ticket, request);
    transfer_connect(ticket);
    return ticket;
}
