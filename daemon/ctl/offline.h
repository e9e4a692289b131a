/* What verbs that read a configuration without a daemon have in common. */
#ifndef TOCSIN_CTL_OFFLINE_H
#define TOCSIN_CTL_OFFLINE_H

#include "alarms/alarm.h"
#include "ctl/verb.h"

#define CTL_CONFIG "/etc/tocsin/tocsin.yaml"

/* Loads and checks it, as `tocsind --check` does. NULL: its problems were written to err. */
Snapshot *offline_config(const CtlContext *ctl, const char *file);

/* The watches of a configuration, which borrow from it. */
typedef struct OfflineWatches {
    Watch *watches;
    const Alarm *const *alarms; /* parallel */
    size_t count;
} OfflineWatches;
OfflineWatches offline_watches(const Snapshot *snapshot);
void offline_watches_drop(OfflineWatches *watches);

#endif
