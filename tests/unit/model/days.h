/* Days by chance, in which daemon and model must say the same to the same people each second. */
#ifndef TOCSIN_TESTS_DAYS_H
#define TOCSIN_TESTS_DAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct DayFigures {
    size_t messages, restarts, cuts, full, outages;
} DayFigures;

/* Draws a configuration and what happens under it: alerts, people, reloads, restarts, down-time, and power cuts at any
 * write or, with `has_faults`, a disk that is full and receivers that take nothing. A test fails where they differ.
 * TRACE in the environment shows what happens. */
void days_run(uint64_t seed, int64_t hours, bool has_faults, DayFigures *add);

/* A number of the environment, or this one. */
int64_t days_number(const char *name, int64_t standard);

#endif
