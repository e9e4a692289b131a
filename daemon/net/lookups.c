#include "net/lookups.h"

#include <stdlib.h>

void lookups_prepare(void) {
    setenv("UV_THREADPOOL_SIZE", "16", 1); /* half of it may look names up: they do not starve the rest */
    setenv("RES_OPTIONS", "timeout:2 attempts:2", 0); /* a silent name server is left before our own 5 s are up */
}
