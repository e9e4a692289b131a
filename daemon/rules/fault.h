/* What is wrong in one line of a rule that a person wrote: where, what, and what would be right. Its reader fills it;
 * whoever knows the file, the call or the argument that the line came from tells it. */
#ifndef TOCSIN_RULES_FAULT_H
#define TOCSIN_RULES_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum { FAULT_TEXT_MAX = 320 };

typedef struct Fault {
    size_t column; /* in characters, from 1; one past the last where something is missing at the end; 0: no fault */
    char what[FAULT_TEXT_MAX];
    const char *remedy; /* never NULL in a fault; static */
} Fault;

/* Always false, so `return fault_set(...)` fails. `at` is a byte of `text`. The first fault stays; `fault` may be NULL.
 */
bool fault_set(Fault *fault, const char *text, size_t at, const char *remedy, const char *what, ...)
    __attribute__((format(printf, 5, 6)));
/* How many bytes of `text` to show of what may be long: whole characters. For `%.*s`. */
int fault_shown(const char *text, size_t length);
/* Refuses what no reader wants to see: longer than `max_bytes`, no UTF-8, a control character other than blanks. */
bool fault_check_text(Fault *fault, const char *text, size_t max_bytes);

#endif
