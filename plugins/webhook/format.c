#include "webhook/format.h"

#include "base/alloc.h"

#include <stdlib.h>

void bodies_add(Bodies *bodies, char *take_text) {
    bodies->texts = alloc_again(bodies->texts, bodies->count + 1, sizeof *bodies->texts);
    bodies->texts[bodies->count++] = take_text;
}

void bodies_deinit(Bodies *bodies) {
    for (size_t i = 0; i < bodies->count; i++) free(bodies->texts[i]);
    free(bodies->texts);
    *bodies = (Bodies){0};
}
