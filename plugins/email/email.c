/* email: a mail of text and HTML through an SMTP server. */
#include "email/mail.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "kit/answer.h"

#include <stdlib.h>
#include <string.h>

enum { PORT_SMTPS = 465, REFUSED_TOLD_MAX = 2000 };

typedef struct Email {
    const TocsinHost *host;
    json_t *config;
    char *server;
    int port;
    MailSettings settings;
    Address *people; /* to, then cc */
    const char **recipients; /* the same, bare; ends at NULL */
    TocsinSecret password;
} Email;

typedef struct Delivery {
    TocsinDone *done;
    void *ctx;
    char *server; /* for messages */
} Delivery;

static const TocsinKey keys[] = {
    {"to", "required texts", NULL, "Who gets it: `oncall@example.org` or `On call <oncall@example.org>`."},
    {"cc", "texts", NULL, "Who else."},
    {"from", "required text", NULL, "The sender."},
    {"smarthost", "required text", NULL, "The SMTP server, `smtp.example.org:587`."},
    {"username", "text", NULL, "The user to log in as; without it there is no login."},
    {"password_file", "secret", NULL, "That user's password."},
    {"auth", "choice plain login cram-md5", NULL, "How to log in; without it, as the server offers."},
    {"implicit_tls", "bool", NULL, "TLS from the first byte. Default: true on port 465, else false."},
    {"require_tls", "bool", "true", "Send nothing without TLS. When false, STARTTLS is used where it is offered."},
    {"ca_file", "path", NULL, "Authorities to trust in place of the system's."},
    {"subject", "text", NULL, "The subject; `{subject}` in it stands for the one that Tocsin makes."},
    {"headers", "map", NULL, "Headers to send besides."},
    {NULL, NULL, NULL, NULL},
};

/* --- check --- */

static void check_people(const json_t *list, const char *key, TocsinProblem *problem, void *ctx) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        Address address = {0};
        OWN(text) char *path = text_format("/%s/%zu", key, i);
        if (!address_parse(json_string_value(json_array_get(list, i)), &address))
            problem(ctx, path, "that is no mail address", "oncall@example.org, or On call <oncall@example.org>");
        address_deinit(&address);
    }
}

static void check_headers(const json_t *headers, TocsinProblem *problem, void *ctx) {
    const char *name;
    json_t *value;
    if (json_object_size(headers) > MAIL_HEADERS_MAX) problem(ctx, "/headers", "too many headers", "at most 50");
    json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
        OWN(text) char *path = text_format("/headers/%s", name);
        if (!mail_header_ok(name))
            problem(ctx, path, "this header is Tocsin's own, or no header's name", "take it out");
        else if (has_control(json_string_value(value)))
            problem(ctx, path, "a header cannot hold a line break or another control character", "one line of text");
    }
}

static void check_login(const json_t *config, TocsinProblem *problem, void *ctx) {
    const bool has_user = json_object_get(config, "username"), has_password = json_object_get(config, "password_file");
    if (has_user && !has_password)
        problem(ctx, "/username", "username has no password_file beside it", "give both, or neither");
    if (has_password && !has_user)
        problem(ctx, "/password_file", "password_file has no username beside it", "give both, or neither");
    if (json_object_get(config, "auth") && !has_user)
        problem(ctx, "/auth", "auth has no username beside it", "give username and password_file");
    const char *user = json_text(config, "username");
    if (user && has_control(user)) problem(ctx, "/username", "control characters in username", "one line of text");
}

static void check(const char *config_json, TocsinProblem *problem, void *ctx) {
    OWN(json) json_t *config = json_read(config_json, strlen(config_json), NULL);
    const json_t *to = json_list(config, "to"), *cc = json_list(config, "cc");
    const char *from = json_text(config, "from"), *subject = json_text(config, "subject"),
               *smarthost = json_text(config, "smarthost");
    Address address = {0};
    OWN(text) char *host = NULL;
    int port;
    if (json_array_size(to) == 0) problem(ctx, "/to", "nobody gets this mail", "at least one address");
    if (json_array_size(to) + json_array_size(cc) > MAIL_RECIPIENTS_MAX)
        problem(ctx, "/to", "too many recipients", "at most 100 in to and cc");
    check_people(to, "to", problem, ctx);
    check_people(cc, "cc", problem, ctx);
    if (!from || !address_parse(from, &address)) problem(ctx, "/from", "that is no mail address", "tocsin@example.org");
    address_deinit(&address);
    if (!smarthost || !smarthost_parse(smarthost, &host, &port))
        problem(ctx, "/smarthost", "smarthost must be a host and a port", "smtp.example.org:587");
    if (subject && has_control(subject))
        problem(ctx, "/subject", "control characters in subject", "one line of text");
    else if (subject && strstr(subject, "{{"))
        problem(ctx, "/subject", "templates do not exist in this version of Tocsin",
            "text, with `{subject}` for Tocsin's own");
    check_login(config, problem, ctx);
    check_headers(json_map(config, "headers"), problem, ctx);
}

/* --- a handle --- */

static void destroy(void *handle) {
    Email *email = handle;
    const size_t count = email->settings.to_count + email->settings.cc_count;
    for (size_t i = 0; i < count; i++) address_deinit(&email->people[i]);
    address_deinit(&email->settings.from);
    free(email->people);
    free(email->recipients);
    free(email->server);
    json_decref(email->config);
    free(email);
}

/* The addresses of a list, behind those that are there. */
static size_t add_people(Email *email, size_t at, const json_t *list) {
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list) && at + count < MAIL_RECIPIENTS_MAX; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !address_parse(text, &email->people[at + count])) continue; /* refused by check already */
        email->recipients[at + count] = email->people[at + count].address;
        count++;
    }
    return count;
}

static void *init(const char *config_json, const TocsinHost *host) {
    Email *email = alloc_zeroed(1, sizeof *email);
    int64_t number = 0;
    email->host = host;
    email->config = json_read(config_json, strlen(config_json), NULL);
    email->people = alloc_zeroed(MAIL_RECIPIENTS_MAX, sizeof *email->people);
    email->recipients = alloc_zeroed(MAIL_RECIPIENTS_MAX + 1, sizeof *email->recipients);
    email->settings.to = email->people;
    email->settings.to_count = add_people(email, 0, json_list(email->config, "to"));
    email->settings.cc = email->people + email->settings.to_count;
    email->settings.cc_count = add_people(email, email->settings.to_count, json_list(email->config, "cc"));
    email->settings.subject = json_text(email->config, "subject");
    email->settings.headers = json_map(email->config, "headers");
    if (json_whole(email->config, "password_file", &number)) email->password = (TocsinSecret)number;
    const char *from = json_text(email->config, "from"), *smarthost = json_text(email->config, "smarthost");
    if (from && smarthost && address_parse(from, &email->settings.from) &&
        smarthost_parse(smarthost, &email->server, &email->port))
        return email;
    host->log(host, TOCSIN_ERROR, "from or smarthost cannot be used");
    destroy(email);
    return NULL;
}

/* --- the answer (I4) --- */

static void answered_taken(TocsinDone *done, void *ctx, const char *server, const TocsinMailAnswer *answer) {
    OWN(buffer) Buffer refused = BUFFER((size_t)REFUSED_TOLD_MAX);
    for (size_t i = 0; answer->refused[i]; i++) buffer_format(&refused, "%s%s", i ? ", " : "", answer->refused[i]);
    if (refused.used == 0)
        answer_give(done, ctx, TOCSIN_DELIVERED, 0, "%s took it (%d)", server, answer->code);
    else
        answer_give(done, ctx, TOCSIN_DELIVERED, 0, "%s took it (%d), but not for %s: %s", server, answer->code,
            buffer_string(&refused), answer->error);
}

static void answered(void *ctx, const TocsinMailAnswer *answer) {
    Delivery *delivery = ctx;
    TocsinDone *done = delivery->done;
    void *theirs = delivery->ctx;
    OWN(text) char *server = GIVE(delivery->server);
    free(delivery);
    const char *error = *answer->error ? answer->error : "no answer came";
    if (answer->end == TOCSIN_ANSWERED && answer->accepted)
        answered_taken(done, theirs, server, answer);
    else if (answer->login_refused)
        answer_give(done, theirs, TOCSIN_RETRY, 0, "%s refused the login (%d): %s (check username and password_file)",
            server, answer->code, error);
    else if (answer->end == TOCSIN_UNSENT)
        answer_give(done, theirs, TOCSIN_REFUSED, 0, "%s: %s", server, error);
    else if (answer->end == TOCSIN_ANSWERED && answer->code >= 500)
        answer_give(done, theirs, TOCSIN_REFUSED, 0, "%s refused it (%d): %s", server, answer->code, error);
    else if (answer->code)
        answer_give(done, theirs, TOCSIN_RETRY, 0, "%s cannot take it now (%d): %s", server, answer->code, error);
    else
        answer_give(done, theirs, TOCSIN_RETRY, 0, "%s: %s", server, error);
}

/* --- a delivery --- */

static void deliver(void *handle, const char *notification_json, TocsinDone *done, void *ctx) {
    const Email *email = handle;
    OWN(notice) Notice *notice = notice_read(notification_json);
    if (!notice) {
        answer_give(done, ctx, TOCSIN_REFUSED, 0, "the stored notification cannot be read");
        return;
    }
    OWN(text) char *message = mail_build(notice, &email->settings);
    Delivery *delivery = alloc_zeroed(1, sizeof *delivery);
    *delivery = (Delivery){done, ctx, text_copy(email->server)};
    const TocsinMailRequest request = {
        .size = sizeof request,
        .host = email->server,
        .port = email->port,
        .implicit_tls = json_flag(email->config, "implicit_tls", email->port == PORT_SMTPS),
        .require_tls = json_flag(email->config, "require_tls", true),
        .ca_file = json_text(email->config, "ca_file"),
        .username = json_text(email->config, "username"),
        .password = email->password,
        .auth = json_text(email->config, "auth"),
        .from = email->settings.from.address,
        .recipients = email->recipients,
        .message = message,
        .message_length = strlen(message),
    };
    email->host->mail(email->host, &request, answered, delivery);
}

static const TocsinPlugin plugin = {sizeof(TocsinPlugin), TOCSIN_PLUGIN_ABI, keys, check, init, deliver, destroy};
const TocsinPlugin *tocsin_plugin(void) { return &plugin; }
