/* The one line that a good configuration prints: how many alarms and receivers, and AWS's price a month. */
#ifndef TOCSIN_ENGINE_CHECK_H
#define TOCSIN_ENGINE_CHECK_H

#include "config/snapshot.h"

/* `FILE: good: 12 alarms, 3 receivers; ...`; caller frees. Pure. */
char *check_summary(Snapshot *snapshot);

#endif
