#include "fake_world.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const SectionDescriptor *const sections[] = {&control_section, NULL};
static const SnapshotSchema schema = {.sections = sections};

static int free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!bind(fd, (struct sockaddr *)&address, sizeof address) &&
        !getsockname(fd, (struct sockaddr *)&address, &length));
    close(fd);
    return ntohs(address.sin_port);
}

void world_init(World *world) {
    *world = (World){.folder = "/tmp/tocsin-port-XXXXXX", .tcp_port = free_port()};
    ck_assert_ptr_nonnull(mkdtemp(world->folder));
    snprintf(world->socket, sizeof world->socket, "%s/t.sock", world->folder);
    snprintf(world->file, sizeof world->file, "%s/t.yaml", world->folder);
    FILE *out = fopen(world->file, "w");
    fprintf(out, "control: {socket: t.sock, mode: \"0640\", listen: \"127.0.0.1:%d\"}\n", world->tcp_port);
    fclose(out);
    OWN(problems) Problems *problems = problems_new();
    uv_loop_init(&world->loop);
    fake_engine_init(&world->engine, &world->loop);
    snapshot_free(world->engine.snapshot); /* the empty one */
    world->engine.snapshot = snapshot_load(&schema, world->file, false, problems);
    ck_assert_uint_eq(problems_errors(problems), 0);
}

void world_deinit(World *world) {
    uv_run(&world->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&world->loop), 0);
    fake_engine_deinit(&world->engine);
    unlink(world->file);
    ck_assert_int_eq(rmdir(world->folder), 0); /* the socket is gone */
}

static void on_publish(uv_async_t *async) {
    World *world = async->data;
    OWN(text) char *reason = alloc_zeroed(8192, 1);
    memset(reason, 'r', 8000);
    OWN(json) json_t *row = json_pack("{s:s, s:s}", "name", "cpu", "reason", reason);
    for (size_t i = 0; i < world->events; i++) {
        world->engine.event(world->engine.event_ctx, "delivery", row);
        world->engine.event(world->engine.event_ctx, "transition", row);
    }
}

static void on_stop(uv_async_t *async) {
    World *world = async->data;
    world->control = control_free(world->control);
    ck_assert_ptr_null(world->engine.event);
    uv_close((uv_handle_t *)&world->publish, NULL);
    uv_close((uv_handle_t *)&world->stop, NULL);
}

static void run_client(void *ctx) {
    World *world = ctx;
    world->client(world);
    uv_async_send(&world->stop);
}

void with_client(Client *client, World *world) {
    Error err = {0};
    world_init(world);
    world->client = client;
    world->control = control_new(&world->engine, world->engine.snapshot, &err);
    ck_assert_msg(world->control, "%s", err.text);
    uv_async_init(&world->loop, &world->publish, on_publish);
    uv_async_init(&world->loop, &world->stop, on_stop);
    world->publish.data = world->stop.data = world;
    uv_thread_t thread;
    uv_thread_create(&thread, run_client, world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    uv_thread_join(&thread);
    world_deinit(world);
}
