/* Composites that wait for each other: each cycle makes all of its members meaningless, so a configuration with one is
 * refused. Pure. */
#ifndef TOCSIN_RULES_COMPOSITE_CYCLE_H
#define TOCSIN_RULES_COMPOSITE_CYCLE_H

#include "rules/composite.h"

typedef struct NamedComposite {
    const char *name; /* unique among them; what the others refer to */
    const Composite *rule; /* NULL: not known, it refers to nothing */
} NamedComposite;

/* `index`: a member, the first one that was met; `path`: `a -> b -> a`, borrowed for the call. */
typedef void CompositeCycleFound(void *ctx, size_t index, const char *path);
/* Tells of cycles until none would be left if one reference of each that was told were cut. Each reference is looked
 * at once. Returns how many were told. */
size_t composite_cycles(const NamedComposite *composites, size_t count, CompositeCycleFound *found, void *ctx);

#endif
