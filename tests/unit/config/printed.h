/* The lines of a Problems, as text to compare; caller frees. */
#ifndef TOCSIN_TESTS_PRINTED_H
#define TOCSIN_TESTS_PRINTED_H

#include "base/problems.h"

static inline char *printed(const Problems *all) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    problems_print(all, out);
    fclose(out);
    return text;
}

#endif
