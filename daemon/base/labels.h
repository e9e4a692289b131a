/* A set of name-value pairs, sorted by name, immutable and reference-counted: what names a series and an instance.
 * Names are unique; a pair with an empty value is the same as none (as in Prometheus). The count is the loop's: not
 * thread-safe. */
#ifndef TOCSIN_BASE_LABELS_H
#define TOCSIN_BASE_LABELS_H

#include "base/json_pull.h"
#include "base/own.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { LABEL_NAME_MAX = 128, LABEL_VALUE_MAX = 1024 };

typedef struct Label {
    const char *name, *value;
} Label;

typedef struct Labels Labels;

/* Copies `count` pairs, in any order; of two with one name the later wins. Names and values are cut to their bounds. */
Labels *labels_new(const Label *pairs, size_t count);
Labels *labels_ref(Labels *labels);
Labels *labels_free(Labels *labels); /* drops one reference; NULL is fine; returns NULL */
OWN_DEFINE(Labels, labels)

/* Can a label have this name, as Prometheus has it: letters, digits and `_`, not beginning with a digit, of at most
 * LABEL_NAME_MAX? What is told to Alertmanager's clients must be such a name. */
bool label_name_ok(const char *name);

/* A new set: all of `base`, then `over`'s pairs win. */
Labels *labels_merge(const Labels *base, const Labels *over);
size_t labels_count(const Labels *labels); /* NULL counts 0 */
Label labels_at(const Labels *labels, size_t index); /* sorted by name; borrowed */
const char *labels_get(const Labels *labels, const char *name); /* "" where absent; borrowed */
bool labels_equal(const Labels *a, const Labels *b);
json_t *labels_json(const Labels *labels); /* an object of strings; new reference */
/* The strings of the object at hand, which is taken; others are left out. Caller frees. NULL: the value is no object,
 * and still at hand. */
Labels *labels_pull(JsonPull *in);
/* The same from a text; what is no object, or NULL, gives none, and of a damaged one what stands before the damage
 * counts. Never NULL. */
Labels *labels_read(const char *json);

#endif
