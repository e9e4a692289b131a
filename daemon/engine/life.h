/* An engine's life: opened before the loop runs, started, reloaded, stopped. tocsind.c calls this. */
#ifndef TOCSIN_ENGINE_LIFE_H
#define TOCSIN_ENGINE_LIFE_H

#include "base/own.h"
#include "engine/engine.h"

enum { STOP_GRACE_MS = 8000 }; /* how long a stop waits for sends in flight */

typedef struct EngineOptions {
    uv_loop_t *loop;
    const Clock *clock;
    const SnapshotSchema *schema;
    const char *file;
    Snapshot *snapshot; /* the first one; the engine takes its own reference */
    bool once; /* nothing waits for a group's time */
    bool level_given; /* the log level is the command line's, whatever a reload says */
    /* What lies right of the engine has its say: may this configuration replace that one? Adds problems where not. */
    bool (*accept)(void *ctx, const Snapshot *before, const Snapshot *after, Problems *all);
    void *ctx;
} EngineOptions;

/* Opens the state, restores it, loads the plugins; blocks. NULL: ERROR_INPUT or ERROR_LOCAL, with what to do. */
Engine *engine_open(const EngineOptions *options, Error *err);
void engine_start(Engine *engine); /* the first polls come within ten seconds */
/* Lets what is in flight end, at most STOP_GRACE_MS; `stopped` once, on the loop. Then engine_free(). */
void engine_stop(Engine *engine, void (*stopped)(void *ctx), void *ctx);
Engine *engine_free(Engine *engine); /* closes the state cleanly; the loop must run on until its handles are closed */
OWN_DEFINE(Engine, engine)

/* --once: everything was polled, judged and delivered, or 60 s have passed. */
bool engine_once_done(Engine *engine);
/* `STATE NAME FINGERPRINT value reason`, a line an instance. False: a source or a delivery failed. */
bool engine_once_print(Engine *engine, FILE *out);

#endif
