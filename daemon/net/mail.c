/* One mail by SMTP. libcurl speaks it; who was refused, and with which words, is read from the lines that pass. */
#include "base/alloc.h"
#include "base/guard.h"
#include "base/text.h"
#include "net/http.h"
#include "net/transfer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAIL_RECIPIENTS = 100, MAIL_SOCKETS = 8, MAIL_WORDS = 500 };

typedef enum { VERB_OTHER, VERB_AUTH, VERB_RCPT, VERB_DATA, VERB_QUIT } Verb;

typedef struct Mail {
    HttpTicket ticket;
    MailDone *done;
    void *ctx;
    char *message;
    size_t length, sent;
    struct curl_slist *recipients;
    Verb verb; /* what we said last */
    size_t asked; /* RCPT sent so far */
    int codes[MAIL_RECIPIENTS]; /* a recipient's answer */
    char *names[MAIL_RECIPIENTS];
    size_t count;
    int code; /* the last refusal, 0: none */
    int soft_code; /* a recipient's 4yz */
    char words[MAIL_WORDS], soft_words[MAIL_WORDS], line[MAIL_WORDS]; /* line: a reply of several lines, joined */
    curl_socket_t sockets[MAIL_SOCKETS];
} Mail;

static const Metric mails_total = {
    "tocsin_mail_requests_total", "Mails handed to a server, by outcome.", METRIC_COUNTER, {"outcome"}};

/* --- its sockets, so that a goodbye never waits --- */

static curl_socket_t mail_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
    Mail *mail = ctx;
    const curl_socket_t fd = transfer_socket(&mail->ticket, purpose, address);
    for (size_t i = 0; i < MAIL_SOCKETS; i++)
        if (mail->sockets[i] == CURL_SOCKET_BAD) return mail->sockets[i] = fd;
    if (fd != CURL_SOCKET_BAD) close(fd);
    return CURL_SOCKET_BAD; /* more attempts in parallel than libcurl makes */
}

static int mail_close(void *ctx, curl_socket_t fd) {
    Mail *mail = ctx;
    for (size_t i = 0; i < MAIL_SOCKETS; i++)
        if (mail->sockets[i] == fd) mail->sockets[i] = CURL_SOCKET_BAD;
    return close(fd);
}

/* libcurl 7.88 says QUIT and then waits for the answer in a blocking read, up to two minutes: our side ends first. */
static void hang_up(Mail *mail) {
    for (size_t i = 0; i < MAIL_SOCKETS; i++)
        if (mail->sockets[i] != CURL_SOCKET_BAD) shutdown(mail->sockets[i], SHUT_RDWR);
}

/* --- the dialogue, overheard --- */

static void said(Mail *mail, const char *line, size_t length) {
    static const struct {
        const char *word;
        Verb verb;
    } verbs[] = {{"AUTH", VERB_AUTH}, {"RCPT", VERB_RCPT}, {"DATA", VERB_DATA}, {"QUIT", VERB_QUIT},
        {"EHLO", VERB_OTHER}, {"HELO", VERB_OTHER}, {"STAR", VERB_OTHER}, {"MAIL", VERB_OTHER}};
    if (length < 4 || mail->verb == VERB_QUIT) return;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (memcmp(line, verbs[i].word, 4) != 0) continue; /* a login's later lines carry no verb */
        mail->verb = verbs[i].verb;
        mail->asked += mail->verb == VERB_RCPT;
        if (mail->verb == VERB_DATA)
            mail->code = 0; /* some refused recipients do not decide what happens from here on */
        if (mail->verb == VERB_QUIT) hang_up(mail);
        return;
    }
}

/* Adds one line of a reply, cleaned, to what is kept of it. */
static void keep_line(Mail *mail, const char *line, size_t length) {
    size_t used = strlen(mail->line);
    const size_t from = used ? 4 : 0; /* the code once is enough */
    if (used && used + 1 < sizeof mail->line) mail->line[used++] = ' ';
    for (size_t i = from; i < length && used + 1 < sizeof mail->line; i++)
        mail->line[used++] = (unsigned char)line[i] < 0x20 || line[i] == 0x7f ? '?' : line[i];
    mail->line[used] = 0;
}

static void replied(Mail *mail, int code) {
    if (mail->verb == VERB_RCPT && mail->asked && mail->asked <= mail->count) mail->codes[mail->asked - 1] = code;
    if (code < 400) return;
    if (mail->verb == VERB_RCPT && code < 500) {
        mail->soft_code = code;
        memcpy(mail->soft_words, mail->line, sizeof mail->soft_words);
    }
    mail->code = code;
    memcpy(mail->words, mail->line, sizeof mail->words);
}

static void heard(Mail *mail, const char *line, size_t length) {
    while (length && isspace((unsigned char)line[length - 1])) length--;
    if (length < 3 || mail->verb == VERB_QUIT) return;
    for (size_t i = 0; i < 3; i++)
        if (!isdigit((unsigned char)line[i])) return;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    keep_line(mail, line, length);
    if (length > 3 && line[3] == '-') return; /* more of it follows */
    replied(mail, code);
    mail->line[0] = 0;
}

static int overhear(CURL *easy, curl_infotype type, char *bytes, size_t length, void *ctx) {
    (void)easy;
    if (type == CURLINFO_HEADER_OUT) said(ctx, bytes, length);
    if (type == CURLINFO_HEADER_IN) heard(ctx, bytes, length);
    return 0;
}

static size_t give_message(char *room, size_t size, size_t count, void *ctx) {
    Mail *mail = ctx;
    size_t length = size * count;
    if (length > mail->length - mail->sent) length = mail->length - mail->sent;
    memcpy(room, mail->message + mail->sent, length);
    mail->sent += length;
    return length;
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *ctx) {
    (void)bytes;
    (void)ctx;
    return size * count;
}

/* --- the way out --- */

static void mail_finish(HttpTicket *ticket, HttpOutcome outcome, CURLcode code) {
    Mail *mail = (Mail *)ticket;
    const char *refused[MAIL_RECIPIENTS + 1] = {NULL};
    size_t refused_count = 0;
    MailAnswer answer = {.outcome = outcome, .error = ticket->error, .refused = refused};
    if (outcome == HTTP_ANSWERED) {
        answer.accepted = true;
        answer.code = 250;
        for (size_t i = 0; i < mail->count; i++) {
            if (mail->codes[i] < 400) continue;
            refused[refused_count++] = mail->names[i];
            answer.refused_permanently += mail->codes[i] >= 500;
        }
        answer.error = refused_count ? mail->words : "";
    } else if (outcome != HTTP_CANCELLED && code == CURLE_LOGIN_DENIED) {
        answer.outcome = HTTP_ANSWERED;
        answer.login_refused = true;
        answer.code = mail->code;
        answer.error = mail->code ? mail->words : "the server offers no way to log in that both sides know";
    } else if (outcome == HTTP_FAILED && mail->code && !transfer_tls_failed(code)) {
        const bool soft = mail->verb == VERB_RCPT && mail->soft_code; /* all refused, one of them for now: try again */
        answer.outcome = HTTP_ANSWERED;
        answer.code = soft ? mail->soft_code : mail->code;
        answer.error = soft ? mail->soft_words : mail->words;
    }
    metric_add(ticket->http->metrics, &mails_total, 1,
        METRIC_VALUES(answer.accepted             ? "accepted"
                : answer.outcome == HTTP_ANSWERED ? "refused"
                                                  : "failed"));
    mail->done(mail->ctx, &answer);
}

static void mail_release(HttpTicket *ticket) {
    Mail *mail = (Mail *)ticket;
    curl_slist_free_all(mail->recipients);
    for (size_t i = 0; i < mail->count; i++) free(mail->names[i]);
    guard_free(mail->message);
    free(mail);
}

/* --- what goes out --- */

/* libcurl passes CR LF on into MAIL FROM and RCPT TO. */
static bool address_ok(const char *address) {
    return address && *address && strlen(address) <= 320 && !has_control(address) && !strpbrk(address, "<> ");
}

static bool host_ok(const char *host) {
    return host && *host &&
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == strlen(host);
}

static void set_envelope(Mail *mail, const MailRequest *request) {
    HttpTicket *ticket = &mail->ticket;
    if (!address_ok(request->from))
        transfer_refuse(ticket, HTTP_REFUSED, "the sender's address cannot be sent as it is");
    else
        TRANSFER_SET(ticket, CURLOPT_MAIL_FROM, request->from);
    for (const char *const *to = request->recipients; to && *to; to++) {
        if (mail->count == MAIL_RECIPIENTS || !address_ok(*to)) {
            transfer_refuse(ticket, HTTP_REFUSED,
                "a recipient's address cannot be sent as it is, or there are more than %d", MAIL_RECIPIENTS);
            return;
        }
        struct curl_slist *more = curl_slist_append(mail->recipients, *to);
        if (!more) abort();
        mail->recipients = more;
        mail->names[mail->count++] = text_copy(*to);
    }
    if (!mail->count) transfer_refuse(ticket, HTTP_REFUSED, "no recipient");
    TRANSFER_SET(ticket, CURLOPT_MAIL_RCPT, mail->recipients);
    TRANSFER_SET(ticket, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* or one bad address fails all */
}

static void set_server(Mail *mail, const MailRequest *request) {
    HttpTicket *ticket = &mail->ticket;
    const char *scheme = request->implicit_tls ? "smtps" : "smtp";
    if (!host_ok(request->host) || request->port < 1 || request->port > 65535 ||
        (request->helo && !host_ok(request->helo))) {
        transfer_refuse(ticket, HTTP_REFUSED, "the mail server's name, port or our own name cannot be used");
        return;
    }
    const bool v6 = strchr(request->host, ':') != NULL;
    OWN(text)
    char *url = text_format("%s://%s%s%s:%d/%s", scheme, v6 ? "[" : "", request->host, v6 ? "]" : "", request->port,
        request->helo ? request->helo : "");
    ticket->where = text_format("%s:%d", request->host, request->port);
    ticket->host = text_copy(request->host);
    ticket->port = request->port;
    TRANSFER_SET(ticket, CURLOPT_URL, url);
    TRANSFER_SET(ticket, CURLOPT_PROTOCOLS_STR, scheme);
    const bool all = request->require_tls || request->implicit_tls;
    TRANSFER_SET(ticket, CURLOPT_USE_SSL, (long)(all ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (request->ca_file) TRANSFER_SET(ticket, CURLOPT_CAINFO, request->ca_file);
}

static void set_login(HttpTicket *ticket, const MailRequest *request) {
    static const struct {
        const char *word, *option;
    } ways[] = {{"plain", "AUTH=PLAIN"}, {"login", "AUTH=LOGIN"}, {"cram-md5", "AUTH=CRAM-MD5"}};
    if (!request->username) return;
    TRANSFER_SET(ticket, CURLOPT_USERNAME, request->username);
    TRANSFER_SET(ticket, CURLOPT_PASSWORD, request->password ? secret_reveal(request->password, NULL) : "");
    for (size_t i = 0; request->auth && i < COUNT_OF(ways); i++)
        if (strcmp(request->auth, ways[i].word) == 0) TRANSFER_SET(ticket, CURLOPT_LOGIN_OPTIONS, ways[i].option);
}

static void set_message(Mail *mail, const MailRequest *request) {
    mail->message = guard_malloc(request->message_length + 1);
    if (!mail->message) abort();
    memcpy(mail->message, request->message, request->message_length);
    mail->length = request->message_length;
    TRANSFER_SET(&mail->ticket, CURLOPT_UPLOAD, 1L);
    TRANSFER_SET(&mail->ticket, CURLOPT_READFUNCTION, give_message);
    TRANSFER_SET(&mail->ticket, CURLOPT_READDATA, mail);
    TRANSFER_SET(&mail->ticket, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->length);
}

HttpTicket *mail_start(Http *http, const MailRequest *request, MailDone *done, void *ctx) {
    Mail *mail = alloc_zeroed(1, sizeof *mail);
    HttpTicket *ticket = &mail->ticket;
    mail->done = done;
    mail->ctx = ctx;
    for (size_t i = 0; i < MAIL_SOCKETS; i++) mail->sockets[i] = CURL_SOCKET_BAD;
    ticket->guard = HTTP_GUARD_LINK_LOCAL;
    ticket->finish = mail_finish;
    ticket->release = mail_release;
    transfer_begin(http, ticket, request->timeout_ms > 0 ? request->timeout_ms : NET_MAIL_MS, 0);
    TRANSFER_SET(ticket, CURLOPT_OPENSOCKETFUNCTION, mail_socket);
    TRANSFER_SET(ticket, CURLOPT_CLOSESOCKETFUNCTION, mail_close);
    TRANSFER_SET(ticket, CURLOPT_CLOSESOCKETDATA, mail);
    TRANSFER_SET(ticket, CURLOPT_FRESH_CONNECT,
        1L); /* a connection that outlived its mail could close only by a blocking QUIT */
    TRANSFER_SET(ticket, CURLOPT_FORBID_REUSE, 1L);
    TRANSFER_SET(ticket, CURLOPT_VERBOSE, 1L); /* the lines go to overhear() alone */
    TRANSFER_SET(ticket, CURLOPT_DEBUGFUNCTION, overhear);
    TRANSFER_SET(ticket, CURLOPT_DEBUGDATA, mail);
    TRANSFER_SET(ticket, CURLOPT_WRITEFUNCTION, drop_answer);
    set_server(mail, request);
    set_login(ticket, request);
    set_envelope(mail, request);
    set_message(mail, request);
    transfer_connect(ticket);
    return ticket;
}
