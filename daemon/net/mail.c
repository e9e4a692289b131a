/* One mail by SMTP. libcurl connects, encrypts and logs in (CONNECT_ONLY); the transaction itself is smtp.c's, over the
 * socket that libcurl keeps. */
#include "base/alloc.h"
#include "base/text.h"
#include "net/http.h"
#include "net/smtp.h"
#include "net/transfer.h"

#include <stdlib.h>
#include <string.h>

/* What watches the socket during the transaction: two handles in one piece of memory. */
typedef struct Talk {
    uv_poll_t poll;
    uv_timer_t deadline;
    unsigned open;
    struct Mail *mail; /* NULL: it is over */
} Talk;

typedef struct Mail {
    HttpTicket ticket;
    MailDone *done;
    void *ctx;
    Smtp smtp;
    SmtpReply reply, refusal; /* of greeting, TLS and login: overheard */
    Talk *talk;
    char in[SMTP_LINE_MAX];
    size_t in_used;
} Mail;

static const Metric mails_total = {
    "tocsin_mail_requests_total", "Mails handed to a server, by outcome.", METRIC_COUNTER, {"outcome"}};

/* --- greeting, TLS and login, overheard --- */

static int overhear(CURL *easy, curl_infotype type, char *bytes, size_t length, void *ctx) {
    (void)easy;
    Mail *mail = ctx;
    if (type != CURLINFO_HEADER_IN || !smtp_reply_line(&mail->reply, bytes, length)) return 0;
    if (mail->reply.code >= 400) mail->refusal = mail->reply;
    mail->reply = (SmtpReply){0};
    return 0;
}

/* --- the transaction, on the socket --- */

static void talk_closed(uv_handle_t *handle) {
    Talk *talk = handle->data;
    if (--talk->open == 0) free(talk);
}

static void mail_leave(HttpTicket *ticket) {
    Mail *mail = (Mail *)ticket;
    Talk *talk = mail->talk;
    if (!talk) return;
    mail->talk = NULL;
    talk->mail = NULL;
    uv_poll_stop(&talk->poll);
    uv_close((uv_handle_t *)&talk->poll, talk_closed);
    uv_close((uv_handle_t *)&talk->deadline, talk_closed);
}

static void mail_over(Mail *mail) {
    size_t sent;
    curl_easy_send(mail->ticket.easy, "QUIT\r\n", 6, &sent); /* out of politeness: nobody waits for the answer */
    const bool told = mail->smtp.accepted || smtp_verdict(&mail->smtp)->code;
    if (!told && !*mail->ticket.error)
        snprintf(mail->ticket.error, NET_ERROR_TEXT, "%s: what answers does not speak SMTP", mail->ticket.where);
    transfer_end(&mail->ticket, told ? HTTP_ANSWERED : HTTP_FAILED, CURLE_OK);
}

static void mail_broke(Mail *mail) {
    snprintf(mail->ticket.error, NET_ERROR_TEXT, "%s: the connection broke before the server took the mail",
        mail->ticket.where);
    transfer_end(&mail->ticket, HTTP_FAILED, CURLE_OK);
}

static void hear_lines(Mail *mail) {
    char *end;
    while (mail->smtp.step != SMTP_OVER && (end = memchr(mail->in, '\n', mail->in_used))) {
        const size_t length = (size_t)(end - mail->in) + 1;
        smtp_hear(&mail->smtp, mail->in, length);
        memmove(mail->in, mail->in + length, mail->in_used - length);
        mail->in_used -= length;
    }
    if (mail->in_used == sizeof mail->in)
        mail->in_used = sizeof mail->in / 2; /* of an endless line the start is kept */
}

/* False: the mail is gone. */
static bool receive(Mail *mail) {
    for (;;) {
        size_t got = 0;
        const CURLcode code =
            curl_easy_recv(mail->ticket.easy, mail->in + mail->in_used, sizeof mail->in - mail->in_used, &got);
        if (code == CURLE_AGAIN) return true;
        if (code || got == 0) {
            mail_broke(mail);
            return false;
        }
        mail->in_used += got;
        hear_lines(mail);
        if (mail->smtp.step != SMTP_OVER) continue;
        mail_over(mail);
        return false;
    }
}

static bool transmit(Mail *mail) {
    while (mail->smtp.out_length) {
        size_t sent = 0;
        const CURLcode code = curl_easy_send(mail->ticket.easy, mail->smtp.out, mail->smtp.out_length, &sent);
        if (code == CURLE_AGAIN) return true;
        if (code) {
            mail_broke(mail);
            return false;
        }
        mail->smtp.out += sent;
        mail->smtp.out_length -= sent;
    }
    return true;
}

static void on_event(uv_poll_t *poll, int status, int events);

static void proceed(Mail *mail) {
    if (!transmit(mail) || !receive(mail)) return;
    if (!transmit(mail)) return;
    uv_poll_start(&mail->talk->poll, UV_READABLE | (mail->smtp.out_length ? UV_WRITABLE : 0), on_event);
}

static void on_event(uv_poll_t *poll, int status, int events) {
    (void)events;
    const Talk *talk = poll->data;
    if (!talk->mail) return;
    if (status < 0)
        mail_broke(talk->mail);
    else
        proceed(talk->mail);
}

static void on_deadline(uv_timer_t *timer) {
    const Talk *talk = timer->data;
    if (!talk->mail) return;
    HttpTicket *ticket = &talk->mail->ticket;
    snprintf(ticket->error, sizeof ticket->error, "%s: no whole answer within %g s", ticket->where,
        (double)ticket->timeout_ms / 1000);
    transfer_end(ticket, HTTP_TIMED_OUT, CURLE_OK);
}

/* Logged in: from here on the socket is ours. */
static void mail_connected(HttpTicket *ticket) {
    Mail *mail = (Mail *)ticket;
    curl_socket_t fd = CURL_SOCKET_BAD;
    const int64_t left_ms = ticket->timeout_ms - (clock_mono_ms(ticket->http->clock) - ticket->started_ms);
    Talk *talk = alloc_zeroed(1, sizeof *talk);
    curl_easy_getinfo(ticket->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD || uv_poll_init_socket(ticket->http->loop, &talk->poll, fd)) {
        free(talk);
        mail_broke(mail);
        return;
    }
    uv_timer_init(ticket->http->loop, &talk->deadline);
    talk->poll.data = talk->deadline.data = talk;
    talk->open = 2;
    talk->mail = mail;
    mail->talk = talk;
    uv_timer_start(&talk->deadline, on_deadline, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
    smtp_begin(&mail->smtp);
    proceed(mail);
}

/* Logged in, and that was all. */
static void mail_tried(HttpTicket *ticket) {
    size_t sent;
    curl_easy_send(ticket->easy, "QUIT\r\n", 6, &sent);
    transfer_end(ticket, HTTP_ANSWERED, CURLE_OK);
}

/* --- the way out --- */

static void answer_refused(MailAnswer *answer, const SmtpReply *reply) {
    answer->outcome = HTTP_ANSWERED;
    answer->code = reply->code;
    answer->error = reply->words;
}

static void mail_finish(HttpTicket *ticket, HttpOutcome outcome, CURLcode code) {
    Mail *mail = (Mail *)ticket;
    const Smtp *smtp = &mail->smtp;
    const char *refused[SMTP_RECIPIENTS + 1] = {NULL};
    size_t refused_count = 0;
    MailAnswer answer = {.outcome = outcome, .error = ticket->error, .refused = refused};
    for (size_t i = 0; smtp->accepted && i < smtp->count; i++) {
        if (smtp->codes[i] < 400) continue;
        refused[refused_count++] = smtp->recipients[i];
        answer.refused_permanently += smtp->codes[i] >= 500;
    }
    if (outcome == HTTP_ANSWERED && ticket->connected == mail_tried) {
        answer.error = "";
    } else if (smtp->accepted) {
        answer.accepted = true;
        answer.code = 250;
        answer.error = refused_count ? smtp->refusal.words : "";
    } else if (outcome == HTTP_ANSWERED) {
        answer_refused(&answer, smtp_verdict(smtp));
    } else if (code == CURLE_LOGIN_DENIED) {
        answer_refused(&answer, &mail->refusal);
        answer.login_refused = true;
        if (!mail->refusal.code) answer.error = "the server offers no way to log in that both sides know";
    } else if (outcome == HTTP_FAILED && mail->refusal.code && !transfer_tls_failed(code)) {
        answer_refused(&answer, &mail->refusal);
        answer.outcome = HTTP_FAILED; /* greeting or EHLO: the mail itself was not refused (I4) */
    }
    metric_add(ticket->http->metrics, &mails_total, 1,
        METRIC_VALUES(answer.accepted             ? "accepted"
                : answer.outcome == HTTP_ANSWERED ? "refused"
                                                  : "failed"));
    mail->done(mail->ctx, &answer);
}

static void mail_release(HttpTicket *ticket) {
    Mail *mail = (Mail *)ticket;
    smtp_deinit(&mail->smtp);
    free(mail);
}

/* --- what goes out --- */

static bool host_ok(const char *host) {
    return host && *host &&
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == strlen(host);
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

HttpTicket *mail_start(Http *http, const MailRequest *request, MailDone *done, void *ctx) {
    Mail *mail = alloc_zeroed(1, sizeof *mail);
    HttpTicket *ticket = &mail->ticket;
    mail->done = done;
    mail->ctx = ctx;
    ticket->guard = HTTP_GUARD_LINK_LOCAL;
    ticket->connected = request->login_only ? mail_tried : mail_connected;
    ticket->leave = mail_leave;
    ticket->finish = mail_finish;
    ticket->release = mail_release;
    transfer_begin(http, ticket, request->timeout_ms > 0 ? request->timeout_ms : NET_MAIL_MS, 0);
    TRANSFER_SET(ticket, CURLOPT_CONNECT_ONLY, 1L);
    TRANSFER_SET(ticket, CURLOPT_VERBOSE, 1L); /* the lines go to overhear() alone */
    TRANSFER_SET(ticket, CURLOPT_DEBUGFUNCTION, overhear);
    TRANSFER_SET(ticket, CURLOPT_DEBUGDATA, mail);
    set_server(mail, request);
    set_login(ticket, request);
    if (!request->login_only &&
        !smtp_init(&mail->smtp, request->from, request->recipients, request->message, request->message_length))
        transfer_refuse(ticket, HTTP_REFUSED, "%s",
            mail->smtp.count || !request->recipients || *request->recipients
                ? "the sender's or a recipient's address cannot be sent as it is, or there are too many"
                : "no recipient");
    transfer_connect(ticket);
    return ticket;
}
