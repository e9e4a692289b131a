/* A composite rule as a tree. For composite.c, which evaluates it, and composite_parse.c, which grows it. */
#ifndef TOCSIN_RULES_COMPOSITE_TREE_H
#define TOCSIN_RULES_COMPOSITE_TREE_H

#include "rules/composite.h"

typedef enum { TERM_FALSE, TERM_TRUE, TERM_STATE, TERM_AT_LEAST, TERM_NOT, TERM_AND, TERM_OR } TermKind;

typedef struct Term {
    TermKind kind;
    size_t left, right; /* NOT: left alone; AND, OR; numbers of terms that stand before this one */
    AlarmState state; /* STATE, AT_LEAST */
    bool is_other; /* AT_LEAST: any other state (NOT) */
    bool is_percent; /* AT_LEAST */
    size_t least; /* AT_LEAST: how many, or percent */
    size_t first_ref, refs; /* STATE: one; AT_LEAST */
} Term;

typedef struct Child {
    char *name;
    size_t column;
} Child;

struct Composite {
    Term *terms; /* the last is the root */
    size_t term_count;
    size_t *refs; /* numbers of children */
    size_t ref_count;
    Child *children;
    size_t child_count;
    size_t mixed_column;
};

#endif
