/* A body of the user's own: a JSON document in whose texts `{{ NAME }}` stands for a value of the canonical message,
 * and in which the list `["{{ each alerts }}", ITEM]` becomes an ITEM for each alert. What is put in is a JSON value
 * before it is written, so that no text can leave its place; there is no other way in. Pure. */
#ifndef TOCSIN_WEBHOOK_TEMPLATE_H
#define TOCSIN_WEBHOOK_TEMPLATE_H

#include "kit/notice.h"

enum { TEMPLATE_PLACES_MAX = 200, TEMPLATE_BODY_MAX = 4 << 20 };

/* `what` begins with the place inside the template: `line 2, column 7: `. */
typedef void TemplateProblem(void *ctx, const char *what, const char *remedy);

/* All that is wrong. False if anything is. */
bool template_check(const char *text, TemplateProblem *problem, void *ctx);

/* The body; `text` has passed the check. Caller frees. NULL: it would be longer than TEMPLATE_BODY_MAX. */
char *template_body(const char *text, const Notice *notice);

#endif
