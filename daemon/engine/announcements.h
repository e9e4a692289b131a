/* What became true is said: each transition is counted, logged, and shown to who watches events. One batch may have
 * thousands, so they are said some a turn of the loop, in their order. Memory is true before that. Loop thread. */
#ifndef TOCSIN_ENGINE_ANNOUNCEMENTS_H
#define TOCSIN_ENGINE_ANNOUNCEMENTS_H

#include "engine/core.h"

enum { ANNOUNCED_AT_ONCE = 200 }; /* changes; twice what a turn judges, so that they do not pile up */

typedef struct Announcements Announcements;
Announcements *announcements_new(Core *core);
Announcements *announcements_free(Announcements *announcements); /* says the rest; NULL is fine; returns NULL */
OWN_DEFINE(Announcements, announcements)

/* Behind what waits already, the first of them now. */
void announcements_take(Announcements *announcements, InstanceChange **take_changes, size_t count);
/* At once, and all that waits before; the changes are borrowed. */
void announcements_say(Announcements *announcements, InstanceChange *const *changes, size_t count);
void announcements_tick(Announcements *announcements); /* the next ANNOUNCED_AT_ONCE */
bool announcements_wait(const Announcements *announcements); /* there are more */

#endif
