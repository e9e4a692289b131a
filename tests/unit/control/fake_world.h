/* A control socket with a fake engine behind it on a loop, and a client in a thread of its own. */
#ifndef TOCSIN_TESTS_FAKE_WORLD_H
#define TOCSIN_TESTS_FAKE_WORLD_H

#include "control/control.h"
#include "fake_engine.h"

typedef struct World World;
typedef void Client(World *world);
struct World {
    char folder[40], socket[80], file[80];
    int tcp_port;
    uv_loop_t loop;
    Engine engine;
    Control *control;
    Client *client;
    uv_async_t publish, stop;
    size_t events; /* how many `publish` gives out */
    char got[4096]; /* what the client has to tell */
    long status;
};

/* Folder, configuration and engine; the socket is control_new()'s. */
void world_init(World *world);
/* Lets the loop end by itself, then checks that nothing is left behind. */
void world_deinit(World *world);
/* All of it, with `client` beside the loop until the client is done. */
void with_client(Client *client, World *world);

#endif
