/* Chance that can be had again: the same seed draws the same. */
#ifndef TOCSIN_TESTS_DRAW_H
#define TOCSIN_TESTS_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Draw {
    uint64_t state;
} Draw;

static inline size_t draw_below(Draw *draw, size_t below) {
    draw->state = draw->state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(draw->state >> 33) % below;
}

/* Both are included. */
static inline int64_t draw_between(Draw *draw, int64_t least, int64_t most) {
    return least + (int64_t)draw_below(draw, (size_t)(most - least + 1));
}

static inline bool draw_one_in(Draw *draw, size_t times) { return draw_below(draw, times) == 0; }

#endif
