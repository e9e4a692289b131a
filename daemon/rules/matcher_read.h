/* The grammar of matchers. For matcher.c alone: see matchers_add_text(). */
#ifndef TOCSIN_RULES_MATCHER_READ_H
#define TOCSIN_RULES_MATCHER_READ_H

#include "rules/matcher.h"

/* Adds what `text` holds, one by one; on failure those before the fault were added. */
bool matcher_read(Matchers *matchers, const char *text, Fault *fault);

#endif
