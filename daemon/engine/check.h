/* The one line that a good configuration prints: how many alarms and receivers, and AWS's price a month. */
#ifndef TOCSIN_ENGINE_CHECK_H
#define TOCSIN_ENGINE_CHECK_H

#include "config/snapshot.h"
#include "sources/plan.h"

/* `FILE: good: 12 alarms, 3 receivers; ...`; caller frees. `cost` is that of the configuration's plan; NULL: it is
 * planned for this. Pure. */
char *check_summary(Snapshot *snapshot, const PlanCost *cost);

#endif
