/* Alertmanager's matchers: which label sets a route, a silence or an inhibition speaks of. Read from text
 * (`severity="critical"`, `{a="b",c=~"d"}`) or from the JSON of Alertmanager's API v2; built by one thread, and from
 * then on immutable: any thread may match.
 *
 * The grammar takes what Alertmanager's two parsers take: a bare name is anything but blanks and {}!=~,"'`; a name in
 * double quotes is anything. A bare value ends at a comma or at the end and loses the blanks around it; one with a
 * comma, a quote, or blanks at its ends stands in double quotes. Escapes are \" \\ \n, in bare values too; any other
 * backslash stands for itself, so that regular expressions read as they are meant. An absent label is the empty text.
 * Source: Alertmanager documentation, "Configuration", section "matcher". */
#ifndef TOCSIN_RULES_MATCHER_H
#define TOCSIN_RULES_MATCHER_H

#include "base/labels.h"
#include "rules/fault.h"

enum {
    MATCHERS_MAX = 100, /* of one list */
    MATCHER_TEXT_MAX = 65536, /* bytes of one text */
    MATCHER_VALUE_MAX = 4096, /* bytes of a value; of a regular expression, too */
    MATCHER_MATCH_LIMIT = 100000, /* PCRE2's three limits, of each match */
    MATCHER_DEPTH_LIMIT = 1000,
    MATCHER_HEAP_KIB = 1024
};

typedef struct Matcher {
    const char *name, *value; /* borrowed; the value as it was meant: no quotes, no escapes */
    bool is_regex, is_equal; /* =~ and !~; = and =~ */
} Matcher;

typedef struct Matchers Matchers;

Matchers *matchers_new(void); /* an empty list, which every label set matches */
Matchers *matchers_free(Matchers *matchers); /* NULL is fine; returns NULL */
OWN_DEFINE(Matchers, matchers)

/* Adds what `text` holds: one matcher, several behind commas, or a list in braces (`{}` holds none). False: it is
 * empty, it breaks the grammar or a bound, or a regular expression cannot be compiled; nothing of it was added. */
bool matchers_add_text(Matchers *matchers, const char *text, Fault *ret_fault);
/* Adds one. False: a bound, an empty name, no UTF-8, or the expression; the column is then in the value. */
bool matchers_add(Matchers *matchers, const Matcher *matcher, Fault *ret_fault);
/* Adds the objects `{"name","value","isRegex","isEqual"}` of an array; `isEqual` is true where it is absent, as in
 * Alertmanager. The fault's column is 1 where an object has the wrong form. All or nothing. */
bool matchers_add_json(Matchers *matchers, const json_t *array, Fault *ret_fault);

size_t matchers_count(const Matchers *matchers);
Matcher matchers_at(const Matchers *matchers, size_t index);
/* Do all of them hold? An expression that passes a limit holds neither for =~ nor for !~, so that nothing is muted by
 * what could not be decided; each such one adds to *add_limits (may be NULL). */
bool matchers_match(const Matchers *matchers, const Labels *labels, unsigned *add_limits);
/* Would all of them hold for a label set that has none of their labels? Such a silence would hide everything. */
bool matchers_match_empty(const Matchers *matchers);
/* The same matchers, in any order? */
bool matchers_equal(const Matchers *a, const Matchers *b);

json_t *matchers_json(const Matchers *matchers); /* as matchers_add_json() reads it; new reference */
char *matchers_text(const Matchers *matchers); /* `{a="b",c=~"d"}`, which reads back the same; caller frees */

#endif
