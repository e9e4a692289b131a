/* What is wrong in a person's files, all of it: FILE:LINE:COLUMN: error: what (remedy). Collected by one thread. */
#ifndef TOCSIN_BASE_PROBLEMS_H
#define TOCSIN_BASE_PROBLEMS_H

#include "base/own.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PROBLEMS_SHOWN = 1000 };

typedef struct Place {
    const char *file; /* as given; lives as long as whoever made it (the snapshot's arena) */
    uint32_t line, column; /* from 1; columns count characters. No file is so long that these are too short */
} Place;

typedef struct Problems Problems;

Problems *problems_new(void);
Problems *problems_free(Problems *all);
OWN_DEFINE(Problems, problems)

/* Always false, so `return problem_add(...)` fails. `remedy` may be NULL. Past PROBLEMS_SHOWN it counts only; the last
 * line tells how many more. Texts are copied; control characters become \xNN. */
bool problem_add(Problems *all, Place at, const char *remedy, const char *what, ...)
    __attribute__((format(printf, 4, 5)));
/* A line `warning:`, which does not change the status. */
void problem_warn(Problems *all, Place at, const char *remedy, const char *what, ...)
    __attribute__((format(printf, 4, 5)));
size_t problems_errors(const Problems *all);
bool problems_full(const Problems *all); /* what comes now is only counted: no remedy need be found for it */
/* Lines in file order (file as first met, line, column). */
void problems_print(const Problems *all, FILE *out);
json_t *problems_json(const Problems *all); /* array of the same lines; new reference */

#endif
