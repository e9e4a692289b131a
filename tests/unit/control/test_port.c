#include "control/port.h"

#include "../run.h"

#include "base/alloc.h"
#include "fake_world.h"
#include "net/unix_client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static long call(World *world, const char *method, const char *path) {
    UnixAnswer answer = {0};
    Error err = {0};
    if (!unix_call(world->socket, method, path, NULL, 30000, &answer, &err))
        snprintf(world->got, sizeof world->got, "%s", err.text);
    else
        snprintf(world->got, sizeof world->got, "%s", answer.body);
    free(answer.body);
    return answer.status;
}

/* --- a call --- */

static void ask_many(World *world) {
    for (int i = 0; i < 200 && (i == 0 || world->status == 200); i++) {
        static const char *const targets[] = {"/v1/status", "/v1/history", "/v1/alarms/a%2Fb"};
        world->status = call(world, "GET", targets[i % 3]);
    }
}
START_TEST(calls_are_answered_at_once_and_later) {
    World world;
    with_client(ask_many, &world);
    ck_assert_int_eq(world.status, 200);
    ck_assert_ptr_nonnull(strstr(world.got, "transitions"));
}
END_TEST

static void change(World *world) { world->status = call(world, "POST", "/v1/notifications/x%2Fy/retry"); }
START_TEST(the_own_user_may_change) {
    World world;
    with_client(change, &world);
    ck_assert_int_eq(world.status, 200);
    ck_assert_str_eq(world.engine.asked, "retry x/y");
}
END_TEST

/* --- a client that speaks for itself --- */

static int dial(const World *world) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, world->socket, strlen(world->socket) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) ? -1 : fd;
}

static int dial_tcp(const World *world) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons((in_port_t)world->tcp_port)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) ? -1 : fd;
}

/* Sends, then reads until the other side closes; keeps the first bytes. */
static void converse(World *world, int fd, const char *request, size_t length) {
    char piece[4096];
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        const ssize_t sent = send(fd, request + at, length - at, MSG_NOSIGNAL);
        if (sent <= 0) break;
        at += (size_t)sent;
    }
    for (ssize_t got; (got = recv(fd, piece, sizeof piece, 0)) > 0;) {
        const size_t keep = (size_t)got < sizeof world->got - 1 - used ? (size_t)got : sizeof world->got - 1 - used;
        memcpy(world->got + used, piece, keep);
        used += keep;
    }
    close(fd);
}

static const struct Raw {
    const char *head; /* what is sent, with `fill` bytes behind */
    size_t fill;
    const char *want; /* how the answer begins; "": none */
    bool tcp;
    const char *tail; /* behind the filling; NULL: nothing */
} raws[] = {
    {"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 200 ", false},
    {"HEAD /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 200 ", false},
    {"PUT /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 405 ", false},
    {"nonsense\r\n\r\n", 0, "", false},
    {"GET /v1/", 100000, "HTTP/1.1 414 ", false},
    {"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: ", 100000, "HTTP/1.1 431 ", false},
    {"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", 0, "HTTP/1.1 413 ", false},
    {"POST /v1/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1048576\r\n\r\n", 1048576,
        "HTTP/1.1 200 ", false},
    {"POST /v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n", 0x200000, "", false,
        "\r\n0\r\n\r\n"},
    {"GET /v1/alarms HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 200 ", true},
    {"GET /v1/alarms HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 403 ", true},
    {"GET /v1/notifications HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 403 ", true},
    {"POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 0, "HTTP/1.1 403 ", true},
};
static size_t raw_case; /* the thread's; a test runs in a process of its own */
static void send_raw(World *world) {
    const struct Raw *c = &raws[raw_case];
    OWN(text) char *filling = alloc_zeroed(c->fill + 1, 1);
    memset(filling, 'a', c->fill);
    OWN(text) char *request = text_format("%s%s%s", c->head, filling, c->tail ? c->tail : "");
    converse(world, c->tcp ? dial_tcp(world) : dial(world), request, strlen(request));
}
START_TEST(requests_are_bounded) {
    World world;
    raw_case = (size_t)_i;
    with_client(send_raw, &world);
    const char *want = raws[_i].want;
    if (*want)
        ck_assert_msg(!strncmp(world.got, want, strlen(want)), "%s: %s", raws[_i].head, world.got);
    else
        ck_assert_msg(!strstr(world.got, "200 OK"), "%s: %s", raws[_i].head, world.got);
    ck_assert(!*world.engine.asked == (strncmp(raws[_i].head, "POST", 4) || strncmp(want, "HTTP/1.1 200", 12)));
}
END_TEST

/* --- events --- */

static bool on_chunk(void *ctx, const char *bytes, size_t length) {
    World *world = ctx;
    const size_t used = strlen(world->got);
    snprintf(world->got + used, sizeof world->got - used, "%.*s", (int)length, bytes);
    if (used == 0) { /* the greeting: the stream stands */
        world->events = 1;
        uv_async_send(&world->publish);
    }
    return !strstr(world->got, "event: delivery");
}
static void listen_to_events(World *world) {
    UnixAnswer answer = {0};
    Error err = {0};
    if (unix_stream(world->socket, "/v1/events", on_chunk, world, &answer, &err)) world->status = answer.status;
}
START_TEST(events_reach_a_stream_that_sleeps) {
    World world;
    with_client(listen_to_events, &world);
    ck_assert_int_eq(world.status, 200);
    ck_assert(!strncmp(world.got, ": tocsin\n\n", 10));
    ck_assert_ptr_nonnull(strstr(world.got, "event: delivery\ndata: {\"name\":\"cpu\""));
}
END_TEST

/* Reads the greeting, then nothing while 2,000 events come; the ring is full then, and the daemon hangs up. */
static void do_not_read(World *world) {
    static const char request[] = "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
    const int fd = dial(world);
    char piece[512];
    send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
    recv(fd, piece, sizeof piece, 0);
    world->events = 2 * RING_EVENTS;
    uv_async_send(&world->publish);
    converse(world, fd, "", 0); /* comes back, since it was cut off */
    world->status = call(world, "GET", "/metrics");
}
START_TEST(a_stream_that_is_not_read_is_cut_off) {
    World world;
    with_client(do_not_read, &world);
    ck_assert_int_eq(world.status, 200);
    ck_assert_ptr_nonnull(strstr(world.got, "tocsin_control_cut_total{why=\"ring\"} 1"));
}
END_TEST

static void stay_connected(World *world) {
    static const char stream[] = "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n", half[] = "GET /v1/st";
    char piece[512];
    const int one = dial(world), two = dial(world);
    send(one, stream, sizeof stream - 1, MSG_NOSIGNAL);
    recv(one, piece, sizeof piece, 0);
    send(two, half, sizeof half - 1, MSG_NOSIGNAL);
    world->status = call(world, "GET", "/healthz"); /* what was sent before has arrived */
}
START_TEST(stopping_drops_whoever_is_connected) {
    World world;
    with_client(stay_connected, &world);
    ck_assert_int_eq(world.status, 200);
}
END_TEST

/* --- as many as there may be --- */

/* At its bound libmicrohttpd does not listen; it must again when they have gone, and nobody is left to wake it. */
static void leave_together(World *world) {
    int fds[PORT_CONNECTIONS];
    for (size_t i = 0; i < PORT_CONNECTIONS; i++)
        while ((fds[i] = dial(world)) < 0) usleep(1000);
    usleep(200000); /* all are taken */
    for (size_t i = 0; i < PORT_CONNECTIONS; i++) close(fds[i]);
    world->status = call(world, "GET", "/metrics");
}
START_TEST(a_crowd_that_left_keeps_nobody_out) {
    World world;
    with_client(leave_together, &world);
    ck_assert_int_eq(world.status, 200);
    ck_assert_ptr_nonnull(strstr(world.got, "tocsin_control_full_total{port=\"socket\"} 1"));
}
END_TEST

/* --- the socket's place --- */

START_TEST(a_live_socket_is_not_taken) {
    World world;
    Error err = {0}, again = {0};
    world_init(&world);
    Control *first = control_new(&world.engine, world.engine.snapshot, &err);
    ck_assert_ptr_nonnull(first);
    struct stat made;
    ck_assert(!lstat(world.socket, &made) && (made.st_mode & 0777) == 0640);
    ck_assert_ptr_null(control_new(&world.engine, world.engine.snapshot, &again));
    ck_assert_int_eq(again.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(again.text, "in use"));
    ck_assert(!lstat(world.socket, &made));
    control_free(first);
    world_deinit(&world);
}
END_TEST

START_TEST(a_dead_socket_is_replaced) {
    World world;
    Error err = {0};
    world_init(&world);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, world.socket, strlen(world.socket) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert(!bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 1));
    close(fd);
    Control *control = control_new(&world.engine, world.engine.snapshot, &err);
    ck_assert_msg(control, "%s", err.text);
    control_free(control);
    world_deinit(&world);
}
END_TEST

START_TEST(a_file_is_never_removed) {
    World world;
    Error err = {0};
    world_init(&world);
    FILE *file = fopen(world.socket, "w");
    fclose(file);
    ck_assert_ptr_null(control_new(&world.engine, world.engine.snapshot, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "file of another kind"));
    ck_assert_int_eq(unlink(world.socket), 0);
    world_deinit(&world);
}
END_TEST

static void fill(TCase *tcase) {
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, calls_are_answered_at_once_and_later);
    tcase_add_test(tcase, the_own_user_may_change);
    tcase_add_loop_test(tcase, requests_are_bounded, 0, (int)(sizeof raws / sizeof *raws));
    tcase_add_test(tcase, events_reach_a_stream_that_sleeps);
    tcase_add_test(tcase, a_stream_that_is_not_read_is_cut_off);
    tcase_add_test(tcase, stopping_drops_whoever_is_connected);
    tcase_add_test(tcase, a_crowd_that_left_keeps_nobody_out);
    tcase_add_test(tcase, a_live_socket_is_not_taken);
    tcase_add_test(tcase, a_dead_socket_is_replaced);
    tcase_add_test(tcase, a_file_is_never_removed);
}
int main(void) { return run_tests("port", fill); }
