#include "base/alloc.h"
#include "sources/cloudwatch.h"
#include "sources/event_selector.h"
#include "sources/plan.h"
#include "sources/xray.h"

#include <stdlib.h>

const Source *const sources[] = {&cloudwatch_source, &math_source, &service_graph_source, &traces_source,
    &insights_source, &cloudtrail_source, NULL};

Plan *sources_plan(Snapshot *snapshot, const Watch *watches, size_t count) {
    Plan *all = plan_new(snapshot);
    Watch *own = alloc_zeroed(count + 1, sizeof *own);
    for (size_t s = 0; sources[s]; s++) {
        size_t used = 0;
        for (size_t i = 0; i < count; i++)
            if (watches[i].source == sources[s]) own[used++] = watches[i];
        if (used) plan_join(all, sources[s]->plan(snapshot, own, used));
    }
    free(own);
    return all;
}
