#include "ctl/offline.h"

#include <stdlib.h>

Snapshot *offline_config(const CtlContext *ctl, const char *file) {
    OWN(problems) Problems *problems = problems_new();
    OWN(snapshot) Snapshot *snapshot = snapshot_load(ctl->schema, file, true, problems);
    if (snapshot && problems_errors(problems) == 0) return GIVE(snapshot);
    problems_print(problems, ctl->err);
    return NULL;
}

OfflineWatches offline_watches(const Snapshot *snapshot) {
    OfflineWatches all = {0};
    all.count = alarm_watches(snapshot, &all.watches, &all.alarms);
    return all;
}

void offline_watches_drop(OfflineWatches *watches) {
    free(watches->watches);
    free((void *)watches->alarms);
    *watches = (OfflineWatches){0};
}
