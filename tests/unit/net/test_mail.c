#include "net/http.h"

#include "../run.h"
#include "base/alloc.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>

typedef struct Case {
    const char *name;
    const char *greeting, *ehlo, *auth, *mail, *rcpt_bad, *data, *end, *quit; /* "": silence; NULL: the usual */
    const char *recipients[4];
    bool login, only; /* only: the login is all that is wanted */
    HttpOutcome outcome;
    long code;
    bool accepted, login_refused;
    size_t refused;
    int permanently;
    const char *error;
} Case;

typedef struct World {
    uv_loop_t loop;
    Clock *clock;
    Http *http;
    Server server;
    const Case *c;
    char message[8192], envelope[4096];
    int done;
    MailAnswer answer;
    char error[512], refused[256];
    size_t refused_count;
} World;

#define GOOD "good@example.org"
#define BAD "bad@example.org"

static const Case cases[] = {
    {.name = "all taken",
        .recipients = {GOOD, "b@example.org"},
        .outcome = HTTP_ANSWERED,
        .code = 250,
        .accepted = true,
        .error = ""},
    {.name = "one refused for good",
        .recipients = {GOOD, BAD},
        .rcpt_bad = "550 5.1.1 no such user\r\n",
        .outcome = HTTP_ANSWERED,
        .code = 250,
        .accepted = true,
        .refused = 1,
        .permanently = 1,
        .error = "550 5.1.1 no such user"},
    {.name = "one refused for now",
        .recipients = {BAD, GOOD},
        .rcpt_bad = "450 later\r\n",
        .outcome = HTTP_ANSWERED,
        .code = 250,
        .accepted = true,
        .refused = 1,
        .permanently = 0,
        .error = "450 later"},
    {.name = "all refused",
        .recipients = {BAD},
        .rcpt_bad = "550-5.1.1 first\r\n550 5.1.1 second\r\n",
        .outcome = HTTP_ANSWERED,
        .code = 550,
        .error = "550-5.1.1 first 5.1.1 second"},
    {.name = "refused after the data",
        .recipients = {GOOD},
        .end = "554 spam\r\n",
        .outcome = HTTP_ANSWERED,
        .code = 554,
        .error = "554 spam"},
    {.name = "one refused, then a break",
        .recipients = {GOOD, BAD},
        .rcpt_bad = "550 no\r\n",
        .end = "close",
        .outcome = HTTP_FAILED,
        .error = "127.0.0.1"},
    {.name = "sender refused",
        .recipients = {GOOD},
        .mail = "451 try later\r\n",
        .outcome = HTTP_ANSWERED,
        .code = 451,
        .error = "451 try later"},
    {.name = "no service",
        .recipients = {GOOD},
        .greeting = "421 busy\r\n",
        .outcome = HTTP_FAILED,
        .code = 421,
        .error = "421 busy"},
    {.name = "login refused",
        .recipients = {GOOD},
        .login = true,
        .auth = "535 5.7.8 no\r\n",
        .outcome = HTTP_ANSWERED,
        .code = 535,
        .login_refused = true,
        .error = "535 5.7.8 no"},
    {.name = "login taken",
        .recipients = {GOOD},
        .login = true,
        .outcome = HTTP_ANSWERED,
        .code = 250,
        .accepted = true,
        .error = ""},
    {.name = "only a login, taken", .login = true, .only = true, .outcome = HTTP_ANSWERED, .error = ""},
    {.name = "only a login, refused",
        .login = true,
        .only = true,
        .auth = "535 5.7.8 no\r\n",
        .outcome = HTTP_ANSWERED,
        .code = 535,
        .login_refused = true,
        .error = "535 5.7.8 no"},
    {.name = "only a connection", .only = true, .outcome = HTTP_ANSWERED, .error = ""},
    {.name = "only a connection, refused",
        .only = true,
        .greeting = "421 busy\r\n",
        .outcome = HTTP_FAILED,
        .code = 421,
        .error = "421 busy"},
    {.name = "silence", .recipients = {GOOD}, .greeting = "", .outcome = HTTP_TIMED_OUT, .error = "127.0.0.1"},
    {.name = "garbage",
        .recipients = {GOOD},
        .greeting = "\x01\xff what\r\n",
        .outcome = HTTP_TIMED_OUT,
        .error = "127.0.0.1"},
    {.name = "goodbye unanswered",
        .recipients = {GOOD},
        .quit = "",
        .outcome = HTTP_ANSWERED,
        .code = 250,
        .accepted = true,
        .error = ""},
    {.name = "goodbye unanswered after a refusal",
        .recipients = {BAD},
        .rcpt_bad = "550 no\r\n",
        .quit = "",
        .outcome = HTTP_ANSWERED,
        .code = 550,
        .error = "550 no"},
    {.name = "address with a line break",
        .recipients = {"a@b\r\nRCPT TO:<c@d>"},
        .outcome = HTTP_REFUSED,
        .error = "recipient"},
    {.name = "nobody", .recipients = {NULL}, .outcome = HTTP_REFUSED, .error = "no recipient"},
};

static void opened(Talk *talk) {
    const World *world = talk->server->ctx;
    talk_say(talk, world->c->greeting ? world->c->greeting : "220 test ESMTP\r\n");
}

static const char *reply(World *world, Talk *talk, const char *line) {
    const Case *c = world->c;
    if (strncmp(line, "EHLO", 4) == 0)
        return c->ehlo ? c->ehlo : "250-test\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 100000\r\n";
    if (strncmp(line, "AUTH", 4) == 0) return c->auth ? c->auth : "334 \r\n";
    if (strncmp(line, "MAIL", 4) == 0) return c->mail ? c->mail : "250 ok\r\n";
    if (strncmp(line, "RCPT", 4) == 0) return strstr(line, BAD) ? c->rcpt_bad : "250 ok\r\n";
    if (strncmp(line, "QUIT", 4) == 0) return c->quit ? c->quit : "221 bye\r\n";
    if (strncmp(line, "DATA", 4) != 0)
        return c->login ? "235 ok\r\n" : "500 what\r\n"; /* the login itself has no verb */
    talk->in_data = true;
    return "354 go on\r\n";
}

static size_t serve(Talk *talk) {
    World *world = talk->server->ctx;
    if (talk->in_data) {
        const char *end = strstr(talk->heard, "\r\n.\r\n");
        if (!end) return 0;
        const size_t length = (size_t)(end - talk->heard);
        snprintf(world->message, sizeof world->message, "%.*s", (int)length, talk->heard);
        talk->in_data = false;
        if (world->c->end && strcmp(world->c->end, "close") == 0)
            talk_close(talk);
        else
            talk_say(talk, world->c->end ? world->c->end : "250 taken\r\n");
        return talk->closing ? 0 : length + 5;
    }
    const char *end = strstr(talk->heard, "\r\n");
    if (!end) return 0;
    const size_t length = (size_t)(end - talk->heard) + 2;
    char line[1024];
    snprintf(line, sizeof line, "%.*s", (int)length, talk->heard);
    strncat(world->envelope, line, sizeof world->envelope - strlen(world->envelope) - 1);
    talk_say(talk, reply(world, talk, line));
    return length;
}

static void done(void *ctx, const MailAnswer *answer) {
    World *world = ctx;
    world->done++;
    world->answer = *answer;
    snprintf(world->error, sizeof world->error, "%s", answer->error);
    for (const char *const *name = answer->refused; *name; name++) {
        ck_assert_str_eq(*name, BAD);
        world->refused_count++;
    }
    uv_stop(&world->loop);
}

START_TEST(dialogues) {
    const Case *c = &cases[_i];
    static const char message[] = "Subject: hi\r\n\r\n.dot\r\nend\r\n";
    World world = {.c = c};
    uv_loop_init(&world.loop);
    world.clock = clock_new();
    world.http = http_new(&world.loop, world.clock, NULL);
    world.server.opened = opened;
    server_start(&world.server, &world.loop, serve, &world);
    OWN(secret) Secret *password = secret_new("pa55word", 8);
    mail_start(world.http,
        &(MailRequest){.host = "127.0.0.1",
            .port = world.server.port,
            .from = "tocsin@example.org",
            .recipients = c->recipients,
            .message = message,
            .message_length = sizeof message - 1,
            .timeout_ms = c->outcome == HTTP_TIMED_OUT ? run_limit_ms(100) : 0,
            .helo = "mon1",
            .login_only = c->only,
            .username = c->login ? "user" : NULL,
            .password = c->login ? password : NULL},
        done, &world);
    ck_assert_int_eq(world.done, 0);
    while (!world.done) uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_msg(world.answer.outcome == c->outcome && world.answer.code == c->code, "%s: outcome %d, code %ld: %s",
        c->name, (int)world.answer.outcome, world.answer.code, world.error);
    ck_assert_msg(world.answer.accepted == c->accepted && world.answer.login_refused == c->login_refused, "%s: %s",
        c->name, world.error);
    ck_assert_msg(
        world.refused_count == c->refused && world.answer.refused_permanently == c->permanently, "%s", c->name);
    ck_assert_msg(strstr(world.error, c->error) && (*c->error || !*world.error), "%s: %s", c->name, world.error);
    ck_assert_msg(strstr(world.error, "pa55word") == NULL, "%s", world.error);
    if (c->accepted)
        ck_assert_str_eq(world.message, "Subject: hi\r\n\r\n..dot\r\nend"); /* stuffed; the last CR LF ends the data */
    if (c->accepted)
        ck_assert_msg(
            strstr(world.envelope, "EHLO mon1\r\n") && strstr(world.envelope, "MAIL FROM:<tocsin@example.org>"), "%s",
            world.envelope);
    if (c->only) ck_assert_msg(!strstr(world.envelope, "MAIL") && !*world.message, "%s: %s", c->name, world.envelope);
    http_free(world.http);
    server_stop(&world.server);
    while (world.server.open) uv_run(&world.loop, UV_RUN_ONCE);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world.loop), 0);
    clock_free(world.clock);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, dialogues, 0, COUNT_OF(cases));
}

int main(void) {
    signal(SIGPIPE, SIG_IGN); /* the server's, when we hang up first */
    return run_tests("mail", fill);
}
