/* Routing anew what is open: after a restart and after a reload. What people were told stays true: an alert that goes
 * to the same receiver by another key takes along what was told; one that goes to another receiver is told there as
 * new, and its end is still told to the first. Loop thread. */
#ifndef TOCSIN_NOTIFY_REROUTE_H
#define TOCSIN_NOTIFY_REROUTE_H

#include "notify/groups.h"

/* For one batch; texts live in the arena that was handed in. */
typedef struct Rerouting {
    GroupTouch *touches;
    size_t touch_count;
    GroupFlush *flushes; /* groups that lost a member, took along what was told, or are no more */
    size_t flush_count;
} Rerouting;

/* `instances`: all that have firing_since_ms set, whatever else may be among them. Memory is changed at once (nothing
 * of it is sent before a commit of its own, and a restart comes to the same); the batch must be committed before
 * anything that follows from it. */
Rerouting groups_reroute(
    Groups *groups, const GroupWorld *world, const Instance *const *instances, size_t count, Arena *arena);

#endif
