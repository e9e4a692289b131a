/* A server on loopback inside the test's own loop: what it hears goes to a function that may say something or hang up.
 */
#ifndef TOCSIN_TESTS_SERVER_H
#define TOCSIN_TESTS_SERVER_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { TALK_ROOM = 65536 };

typedef struct Server Server;
typedef struct Talk {
    uv_tcp_t tcp;
    Server *server;
    char heard[TALK_ROOM]; /* not yet consumed; a zero byte behind */
    size_t used;
    bool closing, in_data;
} Talk;
/* How many bytes of talk->heard are dealt with now; 0: more is needed. */
typedef size_t TalkHeard(Talk *talk);
typedef void TalkOpened(Talk *talk);

struct Server {
    uv_tcp_t tcp;
    TalkHeard *heard;
    TalkOpened *opened;
    void *ctx;
    int port, connections, open;
};

typedef struct Saying {
    uv_write_t request;
    char bytes[];
} Saying;

static inline void talk_closed(uv_handle_t *handle) {
    Talk *talk = handle->data;
    talk->server->open--;
    free(talk);
}

static inline void talk_close(Talk *talk) {
    if (!talk->closing) uv_close((uv_handle_t *)&talk->tcp, talk_closed);
    talk->closing = true;
}

static inline void talk_said(uv_write_t *request, int status) {
    (void)status;
    free(request);
}

static inline void talk_say_bytes(Talk *talk, const void *bytes, size_t length) {
    Saying *saying = malloc(sizeof *saying + length);
    memcpy(saying->bytes, bytes, length);
    const uv_buf_t buffer = uv_buf_init(saying->bytes, (unsigned)length);
    uv_write(&saying->request, (uv_stream_t *)&talk->tcp, &buffer, 1, talk_said);
}

static inline void talk_say(Talk *talk, const char *text) { talk_say_bytes(talk, text, strlen(text)); }

static inline void talk_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_buffer) {
    (void)wanted;
    Talk *talk = handle->data;
    *ret_buffer = uv_buf_init(talk->heard + talk->used, (unsigned)(TALK_ROOM - 1 - talk->used));
}

static inline void talk_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    (void)buffer;
    Talk *talk = stream->data;
    if (length < 0) {
        talk_close(talk);
        return;
    }
    talk->used += (size_t)length;
    talk->heard[talk->used] = 0;
    for (size_t eaten; !talk->closing && talk->used && (eaten = talk->server->heard(talk));) {
        memmove(talk->heard, talk->heard + eaten, talk->used - eaten + 1);
        talk->used -= eaten;
    }
}

static inline void server_accept(uv_stream_t *stream, int status) {
    (void)status;
    Server *server = stream->data;
    Talk *talk = calloc(1, sizeof *talk);
    talk->server = server;
    talk->tcp.data = talk;
    uv_tcp_init(stream->loop, &talk->tcp);
    uv_accept(stream, (uv_stream_t *)&talk->tcp);
    server->connections++;
    server->open++;
    if (server->opened) server->opened(talk);
    uv_read_start((uv_stream_t *)&talk->tcp, talk_room, talk_read);
}

static inline void server_start(Server *server, uv_loop_t *loop, TalkHeard *heard, void *ctx) {
    struct sockaddr_in address;
    int length = sizeof address;
    server->heard = heard;
    server->ctx = ctx;
    uv_tcp_init(loop, &server->tcp);
    server->tcp.data = server;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&server->tcp, (struct sockaddr *)&address, 0);
    uv_listen((uv_stream_t *)&server->tcp, 16, server_accept);
    uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &length);
    server->port = ntohs(address.sin_port);
}

static inline void server_stop(Server *server) { uv_close((uv_handle_t *)&server->tcp, NULL); }

/* The length of a whole HTTP request, 0 while it is not whole. */
static inline size_t http_request_length(const Talk *talk) {
    const char *end = strstr(talk->heard, "\r\n\r\n"), *length = strcasestr(talk->heard, "\r\ncontent-length:");
    if (!end) return 0;
    const size_t all = (size_t)(end - talk->heard) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    return talk->used >= all ? all : 0;
}

#endif
