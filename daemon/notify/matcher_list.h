/* A YAML list of matchers, as routes and inhibition rules write them: read with the configuration. */
#ifndef TOCSIN_NOTIFY_MATCHER_LIST_H
#define TOCSIN_NOTIFY_MATCHER_LIST_H

#include "config/schema.h"
#include "rules/matcher.h"

/* Reads the value of `key`: a list of texts, each one matcher or several, or one text alone. What is wrong is told at
 * its text, with the character in it; all of it. Never NULL: what could be read; the caller frees. */
Matchers *matcher_list_read(const char *key, const Node *node, Decoding *in);

#endif
