/* daemon/engine/check.c */
#include "engine/check.h"

#include "alarms/alarm.h"
#include "base/alloc.h"
#include "plugin/receivers.h"

#include <stdlib.h>

static PlanCost cost_of(Snapshot *snapshot) {
    Watch *watches;
    const Alarm *const *alarms;
    const size_t count = alarm_watches(snapshot, &watches, &alarms);
    OWN(plan) Plan *plan = sources_plan(snapshot, watches, count);
    const PlanCost cost = plan_cost(plan);
    free(watches);
    free((void *)alarms);
    return cost;
}

char *check_summary(Snapshot *snapshot, const PlanCost *cost) {
    const AlarmsSection *alarms = snapshot_section(snapshot, &alarms_section);
    const ReceiversSection *receivers = snapshot_section(snapshot, &receivers_section);
    const PlanCost planned = cost ? *cost : cost_of(snapshot);
    return text_format(
        "%s: good: %zu alarm%s, %zu receiver%s; AWS about %.2f USD a month (%.0f metrics asked by GetMetricData)",
        snapshot_file(snapshot), alarms->count, alarms->count == 1 ? "" : "s", receivers->count,
        receivers->count == 1 ? "" : "s", planned.usd_month, planned.billed_units_month);
}
