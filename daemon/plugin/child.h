/* A child process for a plugin: a session of its own, a clean environment, every descriptor but its three closed, its
 * output bounded, the whole group killed when its time is over (robustness sections 3 and 9). Loop thread. */
#ifndef TOCSIN_PLUGIN_CHILD_H
#define TOCSIN_PLUGIN_CHILD_H

#include "tocsin-plugin.h"

#include <uv.h>

enum {
    CHILD_OUTPUT_MAX = 65536, /* kept; what comes after is read and dropped */
    CHILD_INPUT_MAX = 8 << 20,
    CHILD_ARGUMENTS_MAX = 1000,
    CHILD_TIMEOUT_MS = 30000,
    CHILD_LINGER_MS = 1000 /* after its end, for output that a grandchild still holds open */
};

typedef struct Child Child;

/* Texts are copied. `done` runs once, on the loop, never inside this call. */
Child *child_start(uv_loop_t *loop, const TocsinSpawnRequest *request, TocsinSpawnDone *done, void *ctx);
void child_cancel(Child *child); /* kills it; `done` runs before this returns, TOCSIN_CANCELLED */

#endif
