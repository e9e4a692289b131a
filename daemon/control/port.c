#include "control/port.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/log.h"
#include "control/peer.h"
#include "control/routes.h"
#include "control/section.h"
#include "control/socket.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Exchange Exchange;

/* A connection, from accept to close. */
typedef struct Client {
    struct Client *next, **link;
    int fd;
    Peer peer;
    int64_t since_ms; /* monotonic; since when a whole request is awaited. 0: none is */
} Client;

/* An event stream: an exchange's response without an end. */
typedef struct Stream {
    struct Stream *next, **link;
    Port *port;
    struct MHD_Connection *connection;
    int fd;
    Ring *ring;
    int64_t moved_ms; /* monotonic; when the client last took something */
    bool asleep, cut;
} Stream;

struct Port {
    Engine *engine;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer, sweep, shed;
    unsigned open; /* handles that are not closed yet */
    bool remote, woken; /* woken: libmicrohttpd must run again, though its descriptor does not say so */
    bool is_full; /* as it was told */
    Client *clients;
    size_t client_count;
    Exchange *exchanges;
    Stream *streams;
    size_t stream_count;
    int64_t calls;
};

/* One request and its answer. libmicrohttpd calls on_request() again and again with it: once with the headers, for each
 * piece of the body, once at the end, and once more after a suspended one was resumed. */
struct Exchange {
    Exchange *next, **link;
    Port *port;
    struct MHD_Connection *connection;
    char *target;
    Buffer body;
    Answer *answer; /* while it is owed */
    Reply reply;
    bool begun, asked, replied, asleep;
};

static const Metric requests_total = {
    "tocsin_control_requests_total", "Calls answered on the control socket.", METRIC_COUNTER, {"status"}};
static const Metric connections_now = {
    "tocsin_control_connections", "Connections that are open.", METRIC_GAUGE, {"port"}};
static const Metric full_total = {"tocsin_control_full_total",
    "How often all connections that there may be were taken, so that others had to wait.", METRIC_COUNTER, {"port"}};
static const Metric streams_now = {"tocsin_control_streams", "Event streams that are open.", METRIC_GAUGE, {"port"}};
static const Metric cut_total = {"tocsin_control_cut_total",
    "Connections cut off: too slow in asking, idle while all were taken, or an event stream that was not read.",
    METRIC_COUNTER, {"why"}};

#define LIST_ADD(list, item) \
    do { \
        (item)->next = (list); \
        (item)->link = &(list); \
        if ((item)->next) (item)->next->link = &(item)->next; \
        (list) = (item); \
    } while (0)
#define LIST_REMOVE(item) \
    do { \
        *(item)->link = (item)->next; \
        if ((item)->next) (item)->next->link = (item)->link; \
    } while (0)

static int64_t now_ms(const Port *port) { return clock_mono_ms(engine_clock(port->engine)); }

static void on_timer(uv_timer_t *timer);

/* libmicrohttpd's descriptor does not tell of a resumed connection: without a thread of its own it only looks when it
 * runs. */
static void resume(Port *port, struct MHD_Connection *connection) {
    MHD_resume_connection(connection);
    port->woken = true;
    uv_timer_start(&port->timer, on_timer, 0, 0);
}

static const char *port_word(const Port *port) { return port->remote ? "listen" : "socket"; }

/* --- event streams --- */

static void count_streams(const Port *port) {
    metric_set(engine_metrics(port->engine), &streams_now, (double)port->stream_count, METRIC_VALUES(port_word(port)));
}

static void stream_wake(Stream *stream) {
    if (!stream->asleep) return;
    stream->asleep = false;
    resume(stream->port, stream->connection);
}

/* shutdown() and not only an end of the body: a client that does not read would never see that. */
static void stream_cut(Stream *stream, const char *why) {
    if (stream->cut) return;
    stream->cut = true;
    metric_add(engine_metrics(stream->port->engine), &cut_total, 1, METRIC_VALUES(why));
    LOG(INFO, "event stream cut off: its client does not read", KV("why", why), KV("events", (int)RING_EVENTS));
    shutdown(stream->fd, SHUT_RDWR);
    stream_wake(stream);
}

static void stream_push(Stream *stream, EventText *text) {
    if (stream->cut) return;
    if (!ring_push(stream->ring, text)) return stream_cut(stream, "ring");
    stream_wake(stream);
}

static ssize_t on_stream(void *ctx, uint64_t position, char *into, size_t room) {
    (void)position;
    Stream *stream = ctx;
    if (stream->cut) return MHD_CONTENT_READER_END_WITH_ERROR;
    const size_t got = ring_read(stream->ring, into, room);
    stream->moved_ms = now_ms(stream->port);
    if (got > 0) return (ssize_t)got;
    stream->asleep = true; /* to return 0 without it would be asked again at once, for ever */
    MHD_suspend_connection(stream->connection);
    return 0;
}

static void on_stream_gone(void *ctx) {
    Stream *stream = ctx;
    LIST_REMOVE(stream);
    stream->port->stream_count--;
    count_streams(stream->port);
    ring_free(stream->ring);
    free(stream);
}

static int connection_fd(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static struct MHD_Response *stream_response(Exchange *exchange) {
    enum { BLOCK_BYTES = 8192 };
    Port *port = exchange->port;
    Stream *stream = alloc_zeroed(1, sizeof *stream);
    *stream = (Stream){.port = port,
        .connection = exchange->connection,
        .fd = connection_fd(exchange->connection),
        .ring = ring_new(),
        .moved_ms = now_ms(port)};
    OWN(event_text) EventText *hello = event_text_comment("tocsin"); /* so that headers go out at once */
    ring_push(stream->ring, hello);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_stream, stream, on_stream_gone);
    LIST_ADD(port->streams, stream);
    port->stream_count++;
    count_streams(port);
    if (!response)
        on_stream_gone(stream);
    else
        MHD_set_connection_option(exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U); /* the sweep watches it */
    return response;
}

void port_publish(Port *port, EventText *text) {
    for (Stream *stream = port->streams; stream; stream = stream->next) stream_push(stream, text);
}

/* --- requests --- */

static enum MHD_Result respond(Exchange *exchange) {
    Reply *reply = &exchange->reply;
    struct MHD_Response *response = NULL;
    if (reply->stream)
        response = stream_response(exchange);
    else
        response = MHD_create_response_from_buffer(reply->length, reply->body, MHD_RESPMEM_MUST_FREE);
    if (!response) return MHD_NO;
    reply->body = NULL;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (*reply->allow) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
    const enum MHD_Result queued = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    char status[16];
    snprintf(status, sizeof status, "%u", reply->status);
    metric_add(engine_metrics(exchange->port->engine), &requests_total, 1, METRIC_VALUES(status));
    return queued;
}

static void on_answer(void *ctx, Reply *take_reply) {
    Exchange *exchange = ctx;
    exchange->reply = *take_reply;
    take_reply->body = NULL;
    exchange->answer = NULL;
    exchange->replied = true;
    if (!exchange->asleep) return;
    exchange->asleep = false;
    resume(exchange->port, exchange->connection);
}

static Client *client_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void ask(Exchange *exchange, const char *method) {
    Port *port = exchange->port;
    Client *client = client_of(exchange->connection);
    const ControlSection *section = snapshot_section(engine_snapshot(port->engine), &control_section);
    const Caller caller = {.remote = port->remote,
        .may_change = !port->remote && client &&
            peer_may_change(&client->peer, geteuid(), section->has_admin, section->admin_gid),
        .host = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
        .uid = client && client->peer.known ? client->peer.uid : (uid_t)-1,
        .pid = client ? client->peer.pid : 0,
        .body = exchange->body.bytes,
        .body_length = exchange->body.used,
        .serial = ++port->calls};
    if (client) client->since_ms = 0;
    exchange->asked = true;
    exchange->answer = answer_new(on_answer, exchange);
    routes_dispatch(port->engine, &caller, method, exchange->target, exchange->answer);
    if (!exchange->reply.stream || port->stream_count < PORT_STREAMS) return;
    exchange->reply = (Reply){0};
    answer_error(answer_new(on_answer, exchange), 503, "too_many", "%d event streams are open already", PORT_STREAMS);
}

/* A body that says in its header that it is too long is refused before it is sent. */
static bool announces_too_much(struct MHD_Connection *connection) {
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length && strtoull(length, NULL, 10) > PORT_BODY_BYTES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_bytes, void **con_ctx) {
    (void)ctx, (void)url, (void)version;
    Exchange *exchange = *con_ctx;
    exchange->connection = connection;
    if (!exchange->begun) {
        exchange->begun = true;
        if (!announces_too_much(connection)) return MHD_YES;
        answer_error(answer_new(on_answer, exchange), 413, "too_large", "a body may have %d bytes", PORT_BODY_BYTES);
        return respond(exchange);
    }
    if (*upload_bytes > 0) {
        const bool has_room = buffer_add(&exchange->body, upload, *upload_bytes);
        *upload_bytes = 0;
        return has_room ? MHD_YES : MHD_NO;
    }
    if (!exchange->asked) ask(exchange, method);
    if (exchange->replied) return respond(exchange);
    exchange->asleep = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

/* The request line as it came: the target with its query, before anybody decodes it. Makes the exchange. */
static void *on_line(void *ctx, const char *target, struct MHD_Connection *connection) {
    Port *port = ctx;
    Exchange *exchange = alloc_zeroed(1, sizeof *exchange);
    exchange->port = port;
    exchange->connection = connection;
    exchange->target = text_copy(target);
    exchange->body = BUFFER(PORT_BODY_BYTES);
    LIST_ADD(port->exchanges, exchange);
    return exchange;
}

static void on_completed(
    void *ctx, struct MHD_Connection *connection, void **con_ctx, enum MHD_RequestTerminationCode code) {
    (void)code;
    Exchange *exchange = *con_ctx;
    Client *client = client_of(connection);
    if (client) client->since_ms = now_ms(ctx);
    if (!exchange) return;
    *con_ctx = NULL;
    LIST_REMOVE(exchange);
    if (exchange->answer) answer_detach(exchange->answer);
    free(exchange->reply.body);
    free(exchange->target);
    buffer_deinit(&exchange->body);
    free(exchange);
}

/* Cuts off who has not asked anything whole for so long. */
static void cut_waiting(Port *port, int64_t limit_ms, const char *why) {
    const int64_t now = now_ms(port);
    for (Client *client = port->clients; client; client = client->next) {
        if (client->since_ms == 0 || now - client->since_ms < limit_ms) continue;
        metric_add(engine_metrics(port->engine), &cut_total, 1, METRIC_VALUES(why));
        shutdown(client->fd, SHUT_RDWR);
    }
}

static void on_shed(uv_timer_t *timer) {
    Port *port = timer->data;
    if (port->client_count < PORT_CONNECTIONS)
        uv_timer_stop(timer);
    else
        cut_waiting(port, PORT_SHED_MS, "full");
}

static void tell_full(Port *port) {
    port->is_full = true;
    metric_add(engine_metrics(port->engine), &full_total, 1, METRIC_VALUES(port_word(port)));
    LOG(WARNING, "the control socket has as many connections as it may: others wait, idle ones are closed",
        KV("port", port_word(port)), KV("bound", PORT_CONNECTIONS));
}

static void count_clients(Port *port, bool is_more) {
    const bool was_at_bound = port->client_count == PORT_CONNECTIONS;
    port->client_count = is_more ? port->client_count + 1 : port->client_count - 1;
    metric_set(
        engine_metrics(port->engine), &connections_now, (double)port->client_count, METRIC_VALUES(port_word(port)));
    if (was_at_bound) port->woken = true; /* at its bound libmicrohttpd listens again only when it runs the next time */
    if (port->client_count == PORT_CONNECTIONS && !port->is_full) tell_full(port);
    if (port->client_count == PORT_CONNECTIONS && !uv_is_active((uv_handle_t *)&port->shed))
        uv_timer_start(&port->shed, on_shed, PORT_SHED_MS, PORT_SHED_MS);
    if (!port->is_full || port->client_count > PORT_CONNECTIONS / 2) return;
    port->is_full = false;
    LOG(INFO, "the control socket has room for connections again", KV("port", port_word(port)));
}

static void on_connection(
    void *ctx, struct MHD_Connection *connection, void **con_ctx, enum MHD_ConnectionNotificationCode code) {
    Port *port = ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        Client *client = alloc_zeroed(1, sizeof *client);
        client->fd = connection_fd(connection);
        client->since_ms = now_ms(port);
        if (!port->remote) peer_init(&client->peer, client->fd);
        LIST_ADD(port->clients, client);
        count_clients(port, true);
        *con_ctx = client;
    } else if (*con_ctx) {
        Client *client = *con_ctx;
        *con_ctx = NULL;
        LIST_REMOVE(client);
        count_clients(port, false);
        peer_deinit(&client->peer);
        free(client);
    }
}

/* --- the loop --- */

static void port_run(Port *port) {
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    port->woken = false;
    MHD_run(port->daemon);
    if (!port->woken && MHD_get_timeout(port->daemon, &wait_ms) != MHD_YES)
        uv_timer_stop(&port->timer);
    else
        uv_timer_start(&port->timer, port->timer.timer_cb, wait_ms, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    port_run(poll->data);
}

static void on_timer(uv_timer_t *timer) { port_run(timer->data); }

static void on_sweep(uv_timer_t *timer) {
    Port *port = timer->data;
    const int64_t now = now_ms(port);
    cut_waiting(port, PORT_REQUEST_MS, "slow request");
    OWN(event_text) EventText *comment = event_text_comment("keep-alive");
    for (Stream *stream = port->streams; stream; stream = stream->next) {
        if (stream->asleep)
            stream_push(stream, comment);
        else if (now - stream->moved_ms >= PORT_STALL_MS)
            stream_cut(stream, "stalled");
    }
}

static void on_message(void *ctx, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void on_message(void *ctx, const char *format, va_list args) {
    (void)ctx;
    OWN(text) char *text = text_format_v(format, args);
    text[strcspn(text, "\r\n")] = 0;
    LOG(DEBUG, "libmicrohttpd", KV("says", text));
}

/* Leave the parts of an address as they came: request.c decodes them, after it has cut at the slashes. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text) {
    (void)ctx, (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *daemon_start(Port *port, int fd) {
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
        port, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)PORT_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PORT_IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)PORT_HEADER_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_line, port, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, port, MHD_OPTION_NOTIFY_CONNECTION, on_connection, port,
        MHD_OPTION_END);
}

static void handle_closed(uv_handle_t *handle) {
    Port *port = handle->data;
    if (--port->open == 0) free(port);
}

Port *port_new(Engine *engine, int take_fd, bool remote, Error *err) {
    OWN(port) Port *port = alloc_zeroed(1, sizeof *port);
    port->engine = engine;
    port->remote = remote;
    if (!socket_make_nonblocking(take_fd) || !(port->daemon = daemon_start(port, take_fd))) {
        close(take_fd);
        return error_set(err, ERROR_LOCAL, "the control socket cannot be served"), NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(port->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_loop_t *loop = engine_loop(engine);
    port->poll.data = port->timer.data = port->sweep.data = port->shed.data = port;
    if (!info || uv_poll_init(loop, &port->poll, info->epoll_fd))
        return error_set(err, ERROR_LOCAL, "the control socket cannot be polled"), NULL;
    uv_timer_init(loop, &port->timer);
    uv_timer_init(loop, &port->sweep);
    uv_timer_init(loop, &port->shed);
    port->open = 4;
    uv_poll_start(&port->poll, UV_READABLE, on_ready);
    uv_timer_start(&port->timer, on_timer, 0, 0);
    uv_timer_start(&port->sweep, on_sweep, PORT_SWEEP_MS, PORT_SWEEP_MS);
    return GIVE(port);
}

static void wake_all(Port *port) { /* libmicrohttpd does not stop while a connection is suspended */
    for (Stream *stream = port->streams; stream; stream = stream->next) {
        stream->cut = true;
        stream_wake(stream);
    }
    for (Exchange *exchange = port->exchanges; exchange; exchange = exchange->next) {
        if (exchange->answer) answer_detach(exchange->answer);
        exchange->answer = NULL;
        if (exchange->asleep) MHD_resume_connection(exchange->connection);
        exchange->asleep = false;
    }
}

Port *port_free(Port *port) {
    if (!port) return NULL;
    if (port->open > 0) uv_poll_stop(&port->poll); /* its descriptor closes with the daemon */
    wake_all(port);
    if (port->daemon) MHD_stop_daemon(port->daemon);
    port->daemon = NULL;
    if (port->open == 0) return free(port), NULL;
    uv_close((uv_handle_t *)&port->poll, handle_closed);
    uv_close((uv_handle_t *)&port->timer, handle_closed);
    uv_close((uv_handle_t *)&port->sweep, handle_closed);
    uv_close((uv_handle_t *)&port->shed, handle_closed);
    return NULL;
}
