#include "net/http.h"

#include "../run.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "net/transfer.h" /* for its name server */
#include "server.h"

#include <curl/curl.h>

#include <netdb.h>

/* 200,000 zero bytes, by gzip */
static char bomb[4096];
static size_t bomb_length;

typedef struct World {
    uv_loop_t loop;
    Clock *clock;
    Metrics *metrics;
    Http *http;
    Server server;
    char heard[4096]; /* the last request */
    int done;
    HttpAnswer answer;
    char body[4096], error[512], location[256], header[64];
} World;

static void make_bomb(void) {
    FILE *made = popen("head -c 200000 /dev/zero | gzip -9 -n", "r");
    bomb_length = fread(bomb, 1, sizeof bomb, made);
    pclose(made);
}

static bool asked(const Talk *talk, const char *path) {
    const char *target = strchr(talk->heard, ' ');
    return target && strncmp(target + 1, path, strlen(path)) == 0;
}

static size_t serve(Talk *talk) {
    static const struct {
        const char *path, *answer;
        bool hang_up;
    } answers[] = {
        {"/ok",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Amzn-RequestId: r-1\r\nDate: Fri, 02 Jan 2026 03:04:05 "
            "GMT\r\n\r\nhello",
            false},
        {"/continue",
            "HTTP/1.1 103 Early Hints\r\nX-Amzn-RequestId: early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            false},
        {"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n",
            false}, /* and 2048 bytes, for ever: below */
        {"/long", "HTTP/1.1 500 Oops\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz", false},
        {"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", true},
        {"/nothing", "", true},
        {"/garbage", "?????\r\n\r\n", true},
        {"/moved",
            "HTTP/1.1 302 Found\r\nLocation: https://user:secret@other.example.org/path?token=1\r\nContent-Length: "
            "0\r\n\r\n",
            false},
        {"/elsewhere",
            "HTTP/1.1 302 Found\r\nLocation: https://other.example.org:444/path?token=1\r\nContent-Length: 0\r\n\r\n",
            false},
        {"/wait", "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", false},
        {"/refused-at-length", "HTTP/1.1 413 Too Large\r\nContent-Length: 100000\r\n\r\n", false}, /* likewise */
        {"/refused", "HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large", false}, /* and a reset */
        {"/slow", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", false},
    };
    const size_t length = http_request_length(talk);
    World *world = talk->server->ctx;
    if (!length) return 0;
    snprintf(world->heard, sizeof world->heard, "%.*s", (int)length, talk->heard);
    if (asked(talk, "/hints")) {
        static const char hint[] = "HTTP/1.1 103 Early Hints\r\nX-Amzn-RequestId: early\r\n\r\n";
        for (size_t sent = 0; sent < 2 * 65536; sent += sizeof hint - 1) talk_say(talk, hint);
    }
    if (asked(talk, "/bomb")) {
        char head[128];
        snprintf(
            head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", bomb_length);
        talk_say(talk, head);
        talk_say_bytes(talk, bomb, bomb_length);
    }
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (!asked(talk, answers[i].path) || talk->closing) continue;
        talk_say(talk, answers[i].answer);
        static const char chunk[2048 + 2] = {[2048] = '\r', [2049] = '\n'};
        for (int n = 0; strcmp(answers[i].path, "/chunked") == 0 && n < 8; n++) {
            talk_say_bytes(talk, chunk, sizeof chunk);
            talk_say(talk, "800\r\n");
        }
        if (strncmp(answers[i].path, "/refused", 8) == 0) {
            static const char more[100000];
            if (strcmp(answers[i].path, "/refused-at-length") == 0) talk_say_bytes(talk, more, sizeof more);
            talk->closing = true;
            uv_tcp_close_reset(&talk->tcp, talk_closed);
        }
        if (answers[i].hang_up) {
            uv_shutdown_t *shut = calloc(1, sizeof *shut);
            uv_shutdown(shut, (uv_stream_t *)&talk->tcp, (uv_shutdown_cb)(void *)free);
        }
    }
    return length;
}

static void begin(World *world) {
    *world = (World){0};
    uv_loop_init(&world->loop);
    world->clock = clock_new();
    world->metrics = metrics_new();
    world->http = http_new(&world->loop, world->clock, world->metrics);
    server_start(&world->server, &world->loop, serve, world);
}

static void end(World *world) {
    http_free(world->http);
    server_stop(&world->server);
    while (world->server.open) uv_run(&world->loop, UV_RUN_ONCE); /* connections close when ours are gone */
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    clock_free(world->clock);
    metrics_free(world->metrics);
}

static void done(void *ctx, const HttpAnswer *answer) {
    World *world = ctx;
    world->done++;
    uv_stop(&world->loop);
    world->answer = *answer;
    snprintf(world->body, sizeof world->body, "%s", answer->body);
    snprintf(world->error, sizeof world->error, "%s", answer->error);
    snprintf(world->location, sizeof world->location, "%s", answer->location ? answer->location : "");
    snprintf(world->header, sizeof world->header, "%s", http_answer_header(answer, "x-amzn-requestid"));
}

static void wait_done(World *world, int count) {
    while (world->done < count) uv_run(&world->loop, UV_RUN_DEFAULT); /* done() stops it */
}

static void ask(World *world, HttpRequest request, const char *path) {
    OWN(text) char *url = text_format("http://127.0.0.1:%d%s", world->server.port, path);
    if (!request.url) request.url = url;
    if (!request.method) request.method = "GET";
    const int before = world->done;
    http_start(world->http, &request, done, world);
    ck_assert_int_eq(world->done, before); /* never inside */
    wait_done(world, before + 1);
}

START_TEST(a_connection_alone_asks_nothing) {
    World world;
    begin(&world);
    ask(&world, (HttpRequest){.connect_only = true}, "/ok");
    ck_assert_msg(world.answer.outcome == HTTP_ANSWERED && world.answer.status == 0, "%s", world.error);
    ck_assert_str_eq(world.heard, "");
    ask(&world, (HttpRequest){.connect_only = true, .url = "http://127.0.0.1:1/"}, "/ok");
    ck_assert_msg(world.answer.outcome == HTTP_FAILED && strstr(world.error, "refused"), "%s", world.error);
    end(&world);
}
END_TEST

static const struct Case {
    const char *path;
    size_t max;
    bool keep_head;
    int64_t timeout_ms;
    HttpOutcome outcome;
    long status;
    const char *body, *error; /* error: a part of it */
} cases[] = {
    {"/ok", 0, false, 0, HTTP_ANSWERED, 200, "hello", ""},
    {"/ok", 5, false, 0, HTTP_ANSWERED, 200, "hello", ""},
    {"/ok", 4, false, 0, HTTP_TOO_LONG, 0, NULL, "longer than 4 bytes"},
    {"/continue", 0, false, 0, HTTP_ANSWERED, 200, "ok", ""},
    {"/hints", 0, false, 0, HTTP_TOO_LONG, 0, NULL, "the answer's head is longer than 65536 bytes"},
    {"/refused-at-length", 0, false, 0, HTTP_ANSWERED, 413, "", ""},
    {"/refused", 0, false, 0, HTTP_ANSWERED, 413, "too large", ""},
    {"/long", 5, true, 0, HTTP_ANSWERED, 500, "abcde", ""},
    {"/bomb", 1000, false, 0, HTTP_TOO_LONG, 0, NULL, "longer than 1000 bytes"},
    {"/bomb", 300000, false, 0, HTTP_ANSWERED, 200, "", ""},
    {"/chunked", 10000, false, 0, HTTP_TOO_LONG, 0, NULL, "longer than"},
    {"/cut", 0, false, 0, HTTP_FAILED, 0, NULL, "broke before the answer was whole"},
    {"/nothing", 0, false, 0, HTTP_FAILED, 0, NULL, "closed the connection without an answer"},
    {"/garbage", 0, false, 0, HTTP_FAILED, 0, NULL, "127.0.0.1"},
    {"/slow", 0, false, 60, HTTP_TIMED_OUT, 0, NULL, "no whole answer within "},
    {"/hang", 0, false, 60, HTTP_TIMED_OUT, 0, NULL, "no whole answer"},
    {"/moved", 0, false, 0, HTTP_ANSWERED, 302, "", ""},
};

START_TEST(answers) {
    const struct Case *c = &cases[_i];
    World world;
    begin(&world);
    ask(&world, (HttpRequest){.body_max = c->max, .keep_head = c->keep_head, .timeout_ms = run_limit_ms(c->timeout_ms)},
        c->path);
    ck_assert_msg(
        world.answer.outcome == c->outcome, "%s: outcome %d (%s)", c->path, (int)world.answer.outcome, world.error);
    ck_assert_int_eq(world.answer.status, c->status);
    if (c->body) ck_assert_str_eq(world.body, c->body);
    ck_assert_msg(strstr(world.error, c->error) != NULL, "%s: %s", c->path, world.error);
    ck_assert_msg(
        strstr(world.location, "secret") == NULL && strstr(world.location, "token") == NULL, "%s", world.location);
    ck_assert(http_running(world.http) == 0);
    end(&world);
}
END_TEST

static const struct Refused {
    const char *url, *header, *value, *method, *error;
} refused[] = {
    {"", "A", "b", "GET", "no address of the form"},
    {"ftp://127.0.0.1/", "A", "b", "GET", "must begin with https://"},
    {"http://user:pw@127.0.0.1/", "A", "b", "GET", "user name"},
    {"http://127.0.0.1/a\r\nX: y", "A", "b", "GET", "control character"},
    {"http://127.0.0.1/", "A", "b\r\nX: y", "GET", "header"},
    {"http://127.0.0.1/", "A\r\nX", "b", "GET", "header"},
    {"http://127.0.0.1/", "A b", "b", "GET", "header"},
    {"http://127.0.0.1/", "A", "b", "BREW", "method"},
    {"http://169.254.169.254/latest", "A", "b", "GET", "link-local"},
    {"http://0xa9fea9fe/latest", "A", "b", "GET", "link-local"},
    {"http://2852039166/latest", "A", "b", "GET", "link-local"},
    {"http://0251.0376.0251.0376/latest", "A", "b", "GET", "link-local"},
    {"http://[fe80::1]/", "A", "b", "GET", "link-local"},
    {"http://[fd00:ec2::254]/", "A", "b", "GET", "link-local"},
    {"http://[::ffff:169.254.169.254]/", "A", "b", "GET", "link-local"},
    {"http://[64:ff9b::a9fe:a9fe]/", "A", "b", "GET", "link-local"},
};

START_TEST(refusals) {
    const struct Refused *c = &refused[_i];
    World world;
    begin(&world);
    const HttpHeader header = {c->header, c->value, NULL};
    ask(&world,
        (HttpRequest){
            .url = c->url, .method = c->method, .headers = &header, .header_count = 1, .guard = HTTP_GUARD_LINK_LOCAL},
        "");
    ck_assert_msg(
        world.answer.outcome == HTTP_REFUSED, "%s: outcome %d (%s)", c->url, (int)world.answer.outcome, world.error);
    ck_assert_msg(strstr(world.error, c->error) != NULL, "%s: %s", c->url, world.error);
    ck_assert_int_eq(world.server.connections, 0);
    end(&world);
}
END_TEST

START_TEST(what_is_sent) {
    World world;
    begin(&world);
    OWN(secret) Secret *token = secret_new("t0ken", 5), *password = secret_new("pw", 2);
    const HttpHeader headers[] = {
        {"Content-Type", "text/x", NULL}, {"X-Token", "Bearer ", token}, {"X-Empty", "", NULL}};
    ask(&world,
        (HttpRequest){.method = "POST",
            .body = "a=b",
            .body_length = 3,
            .headers = headers,
            .header_count = 3,
            .username = "u",
            .password = password},
        "/ok?q=1");
    ck_assert_msg(strncmp(world.heard, "POST /ok?q=1 HTTP/1.1\r\n", 23) == 0, "%s", world.heard);
    static const char *const wanted[] = {"\r\nX-Token: Bearer t0ken\r\n", "\r\nContent-Type: text/x\r\n",
        "\r\nX-Empty:\r\n", "\r\nUser-Agent: tocsin/", "\r\nContent-Length: 3\r\n",
        "\r\nAuthorization: Basic dTpwdw==\r\n", "\r\n\r\na=b"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        ck_assert_msg(strstr(world.heard, wanted[i]) != NULL, "%s in %s", wanted[i], world.heard);
    ck_assert(strcasestr(world.heard, "\r\nExpect") == NULL);
    ck_assert_str_eq(world.header, "r-1");
    ck_assert_int_eq(world.answer.date_ms, 1767323045000);
    ask(&world, (HttpRequest){.method = "PUT"}, "/ok");
    ck_assert_msg(
        strstr(world.heard, "PUT /ok") == world.heard && strstr(world.heard, "Content-Length: 0"), "%s", world.heard);
    ck_assert_msg(strcasestr(world.heard, "content-type") == NULL, "%s", world.heard);
    ck_assert_int_eq(world.server.connections, 1); /* reused */
    end(&world);
}
END_TEST

START_TEST(redirects_are_told_and_not_followed) {
    World world;
    begin(&world);
    ask(&world, (HttpRequest){0}, "/elsewhere");
    ck_assert_int_eq(world.answer.status, 302);
    ck_assert_str_eq(world.location, "other.example.org:444");
    ask(&world, (HttpRequest){0}, "/wait");
    ck_assert_int_eq(world.answer.retry_after_ms, 7000);
    end(&world);
}
END_TEST

START_TEST(nobody_listens) {
    World world;
    begin(&world);
    ask(&world, (HttpRequest){.url = "http://127.0.0.1:1/secret-path"}, "");
    ck_assert_int_eq(world.answer.outcome, HTTP_FAILED);
    ck_assert_msg(strstr(world.error, "Connection refused") && !strstr(world.error, "secret"), "%s", world.error);
    ck_assert(world.answer.never_connected);
    ask(&world, (HttpRequest){.url = "http://tocsin.invalid/"}, "");
    ck_assert_int_eq(world.answer.outcome, HTTP_FAILED);
    ck_assert_msg(strstr(world.error, "http://tocsin.invalid: the name") != NULL, "%s", world.error);
    end(&world);
}
END_TEST

/* A bare root without /etc/hosts does not. */
static bool knows_localhost(void) {
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found)) return false;
    freeaddrinfo(found);
    return true;
}

START_TEST(names_go_through_the_gate) {
    World world;
    if (!knows_localhost()) return (void)printf("no localhost here (/etc/hosts): not tested\n");
    begin(&world);
    OWN(text) char *url = text_format("http://localhost:%d/ok", world.server.port);
    ask(&world, (HttpRequest){.url = url, .guard = HTTP_GUARD_LINK_LOCAL}, "");
    ck_assert_msg(world.answer.outcome == HTTP_ANSWERED, "%s", world.error);
    end(&world);
}
END_TEST

/* --- names whose addresses change --- */

/* A name server that answers with the next of these at each question; several addresses have a blank between. */
static struct Answers {
    const char *const *texts;
    size_t asked;
} answers_of_name;

static int answer_next(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb known, const char *host,
    const char *service, const struct addrinfo *hints) {
    (void)loop, (void)host, (void)service, (void)hints;
    const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char text[128], *rest = text;
    snprintf(text, sizeof text, "%s", answers_of_name.texts[answers_of_name.asked++]);
    for (char *one; (one = strsep(&rest, " "));) { /* by malloc, as uv_freeaddrinfo() frees a list of the C library */
        struct addrinfo *next = NULL;
        ck_assert_int_eq(getaddrinfo(one, NULL, &numeric, &next), 0);
        next->ai_next = list;
        list = next;
    }
    known(request, 0, list);
    return 0;
}

static const struct Rebinding {
    const char *const texts[3]; /* one a request; the first is our server's */
    bool refused[3];
} rebindings[] = {
    {{"127.0.0.1", "169.254.169.254", "127.0.0.1"}, {false, true, false}}, /* rebound, and back */
    {{"127.0.0.1", "127.0.0.1 169.254.169.254", "169.254.169.254 127.0.0.1"}, {false, true, true}}, /* one of two */
    {{"127.0.0.1", "fd00:ec2::254", "::ffff:169.254.169.254"}, {false, true, true}},
    {{"127.0.0.1", "64:ff9b::a9fe:a9fe", "fe80::1"}, {false, true, true}},
};

START_TEST(a_name_is_judged_by_what_it_means_now) {
    const struct Rebinding *c = &rebindings[_i];
    World world;
    begin(&world);
    clock_free(world.clock);
    http_free(world.http);
    world.clock = clock_new_virtual(0);
    world.http = http_new(&world.loop, world.clock, world.metrics);
    resolver_free(world.http->resolver);
    world.http->resolver = resolver_new(&world.loop, world.clock, answer_next);
    answers_of_name = (struct Answers){c->texts, 0};
    OWN(text) char *url = text_format("http://rebound.example.org:%d/ok", world.server.port);
    for (size_t i = 0; i < COUNT_OF(c->texts); i++) {
        ask(&world, (HttpRequest){.url = url, .guard = HTTP_GUARD_LINK_LOCAL}, "");
        ck_assert_msg(world.answer.outcome == (c->refused[i] ? HTTP_REFUSED : HTTP_ANSWERED), "%s: outcome %d (%s)",
            c->texts[i], (int)world.answer.outcome, world.error);
        ck_assert_uint_eq(answers_of_name.asked, i + 1); /* once a request: what was judged is what is connected to */
        clock_advance(world.clock, RESOLVE_KEEP_MS);
    }
    end(&world);
}
END_TEST

typedef struct Chain {
    World *world;
    HttpTicket *self, *other;
    int called, other_called;
    HttpOutcome other_outcome;
} Chain;

static void other_done(void *ctx, const HttpAnswer *answer) {
    Chain *chain = ctx;
    chain->other_called++;
    uv_stop(&chain->world->loop);
    chain->other_outcome = answer->outcome;
}

static void cancels_both(void *ctx, const HttpAnswer *answer) {
    (void)answer;
    Chain *chain = ctx;
    chain->called++;
    uv_stop(&chain->world->loop);
    http_cancel(chain->self); /* on its way out: nothing happens */
    http_cancel(chain->other);
    ck_assert_int_eq(chain->other_called, 1); /* before it returns */
}

START_TEST(cancel_from_inside_a_callback) {
    World world;
    begin(&world);
    Chain chain = {.world = &world};
    OWN(text) char *ok = text_format("http://127.0.0.1:%d/ok", world.server.port);
    OWN(text) char *hang = text_format("http://127.0.0.1:%d/hang", world.server.port);
    chain.other = http_start(world.http, &(HttpRequest){.method = "GET", .url = hang}, other_done, &chain);
    chain.self = http_start(world.http, &(HttpRequest){.method = "GET", .url = ok}, cancels_both, &chain);
    while (!chain.called) uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(chain.other_outcome, HTTP_CANCELLED);
    ck_assert_int_eq(chain.called, 1);
    HttpTicket *early = http_start(world.http, &(HttpRequest){.method = "GET", .url = "nonsense"}, other_done, &chain);
    http_cancel(early); /* outside, before its turn came */
    ck_assert_int_eq(chain.other_called, 2);
    HttpTicket *looking =
        http_start(world.http, &(HttpRequest){.method = "GET", .url = "http://localhost:1/"}, other_done, &chain);
    http_cancel(looking); /* while its name is looked up */
    ck_assert_int_eq(chain.other_called, 3);
    end(&world);
}
END_TEST

static void frees_all(void *ctx, const HttpAnswer *answer) {
    (void)answer;
    Chain *chain = ctx;
    chain->called++;
    uv_stop(&chain->world->loop);
    chain->world->http = http_free(chain->world->http);
}

START_TEST(free_from_inside_a_callback) {
    World world;
    begin(&world);
    Chain chain = {.world = &world};
    OWN(text) char *ok = text_format("http://127.0.0.1:%d/ok", world.server.port);
    OWN(text) char *hang = text_format("http://127.0.0.1:%d/hang", world.server.port);
    http_start(world.http, &(HttpRequest){.method = "GET", .url = hang}, other_done, &chain);
    http_start(world.http, &(HttpRequest){.method = "GET", .url = "nonsense"}, other_done, &chain);
    http_start(world.http, &(HttpRequest){.method = "GET", .url = ok}, frees_all, &chain);
    while (!chain.called) uv_run(&world.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(chain.other_called, 2);
    ck_assert(world.http == NULL);
    end(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_connection_alone_asks_nothing);
    tcase_add_loop_test(tcase, answers, 0, COUNT_OF(cases));
    tcase_add_loop_test(tcase, refusals, 0, COUNT_OF(refused));
    tcase_add_test(tcase, what_is_sent);
    tcase_add_test(tcase, redirects_are_told_and_not_followed);
    tcase_add_test(tcase, nobody_listens);
    tcase_add_test(tcase, names_go_through_the_gate);
    tcase_add_loop_test(tcase, a_name_is_judged_by_what_it_means_now, 0, COUNT_OF(rebindings));
    tcase_add_test(tcase, cancel_from_inside_a_callback);
    tcase_add_test(tcase, free_from_inside_a_callback);
}

int main(void) {
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < COUNT_OF(proxies); i++) unsetenv(proxies[i]);
    make_bomb();
    return run_tests("http", fill);
}
