/* Which of a turn's alerts a message names: the first few of all in an order, found without sorting all. Pure. */
#ifndef TOCSIN_NOTIFY_RENDER_PICK_H
#define TOCSIN_NOTIFY_RENDER_PICK_H

#include "notify/turn.h"

/* Below 0: `a` comes first. */
typedef int PickOrder(const GroupAlert *a, const GroupAlert *b);
/* What a person sees first: severe before light, new before old. */
PickOrder pick_severe_first;
/* Those that programs know by name; of those, and of the others, those that the receiver was told of first; of what it
 * was told at once, as above. */
PickOrder pick_named_first;

/* Fills `into`, which has room for `max` (not 0), with the first alerts of that kind, in order; how many. */
size_t pick_first(const GroupTurn *turn, AlertKind kind, PickOrder *order, size_t max, const GroupAlert **into);

#endif
