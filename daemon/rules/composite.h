/* CloudWatch's composite rules: states of other alarms, joined (`ALARM("a") AND NOT OK("b")`). Parsed once into an
 * immutable tree, which any thread may evaluate; evaluation is pure.
 *
 *   rule  := or ;  or := and { OR and } ;  and := not { AND not } ;  not := NOT not | term
 *   term  := "(" rule ")" | TRUE | FALSE | state "(" ref ")" | AT_LEAST "(" m "," [NOT] state "," "(" ref {"," ref} ")"
 * ")" state := ALARM | OK | INSUFFICIENT_DATA ;  m := integer | integer "%" ;  ref := bare | '"' chars '"'
 *
 * Words are taken in any case. A bare reference has no blanks, round brackets, commas or quotes; in a quoted one \"
 * stands for a quote. NOT goes before AND before OR.
 * Source: CloudWatch User Guide, "Combining alarms", and the reference of PutCompositeAlarm. */
#ifndef TOCSIN_RULES_COMPOSITE_H
#define TOCSIN_RULES_COMPOSITE_H

#include "base/own.h"
#include "rules/fault.h"
#include "rules/judge.h"

enum {
    COMPOSITE_TEXT_MAX = 10240, /* bytes of a rule */
    COMPOSITE_CHILDREN_MAX = 100, /* different alarms */
    COMPOSITE_ELEMENTS_MAX = 500, /* references, TRUE and FALSE, pairs of brackets around a rule */
    COMPOSITE_DEPTH_MAX = 64, /* brackets within brackets */
    COMPOSITE_NAME_MAX = 2048 /* bytes of a reference */
};

typedef struct Composite Composite;

/* Caller frees. NULL: the rule breaks the grammar or a bound. */
Composite *composite_parse(const char *text, Fault *ret_fault);
Composite *composite_free(Composite *rule); /* NULL is fine; returns NULL */
OWN_DEFINE(Composite, composite)

/* The alarms it refers to, each once, in the order in which they are first named: names or ARNs, as written. */
size_t composite_children(const Composite *rule);
const char *composite_child(const Composite *rule, size_t index); /* borrowed */
size_t composite_child_column(const Composite *rule, size_t index); /* where it is first named; from 1 */
/* Where AND and OR first stand beside each other without brackets, so that a reader may read it the other way; 0:
 * nowhere. Worth a warning: AWS does not say which of them goes first. */
size_t composite_mixed_column(const Composite *rule);

/* A child's state; false: it does not exist (any more). */
typedef bool CompositeStateOf(void *ctx, const char *child, AlarmState *ret_state);
/* STATE_ALARM where the rule is true, else STATE_OK. A function over a child that does not exist is false, and such
 * children are counted in *ret_missing (may be NULL): the caller has an evaluation error. Asks for each child once. */
AlarmState composite_evaluate(const Composite *rule, CompositeStateOf *state_of, void *ctx, size_t *ret_missing);

#endif
