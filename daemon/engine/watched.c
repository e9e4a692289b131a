/* daemon/engine/watched.c: from watches to instances */
#include "engine/watched.h"

#include "alarms/instance_link.h"
#include "base/alloc.h"
#include "engine/composites.h"

#include <stdlib.h>
#include <string.h>

struct Watched {
    Core *core;
    Backlog *backlog;
    Snapshot *snapshot;
    Watch *watches;
    const Alarm *const *alarms; /* parallel to watches */
    size_t count;
    char (*fingerprints)[FINGERPRINT_TEXT]; /* parallel to watches; "" where polls find the series */
    Series *series; /* those */
};

/* --- a new configuration --- */

static void detach_all(Instances *instances) {
    for (Instance *i = instances_next(instances, NULL); i; i = instances_next(instances, i)) {
        instance_keep_link(i);
        i->alarm = NULL;
    }
}

static void attach_watches(Watched *watched) {
    Core *core = watched->core;
    for (size_t w = 0; w < watched->count; w++) {
        const Watch *watch = &watched->watches[w];
        const Alarm *alarm = watched->alarms[w];
        if (series_is_found(watched->series, w)) continue;
        OWN(labels) Labels *series = alarm->source->series(alarm->selector);
        Instance *instance = instance_get(core->instances, alarm->name, watch->account, watch->region,
            alarm->source->name, series, clock_wall_ms(core->clock));
        instance_attach(instance, alarm, aws_account_id(core->aws, watch->account));
        memcpy(watched->fingerprints[w], instance->fingerprint, FINGERPRINT_TEXT);
    }
}

Watched *watched_new(Core *core, Backlog *backlog, Own *own, Snapshot *snapshot) {
    Watched *watched = alloc_zeroed(1, sizeof *watched);
    watched->core = core;
    watched->backlog = backlog;
    watched->snapshot = snapshot_ref(snapshot);
    watched->count = alarm_watches(snapshot, &watched->watches, &watched->alarms);
    watched->fingerprints = alloc_zeroed(watched->count + 1, sizeof *watched->fingerprints);
    detach_all(core->instances);
    watched->series = series_new(core, backlog, own, snapshot_section(snapshot, &discovery_section), watched->watches,
        watched->alarms, watched->count);
    attach_watches(watched);
    composites_attach(core->composites, snapshot, watched->watches, watched->alarms, watched->count);
    return watched;
}

Watched *watched_free(Watched *watched) {
    if (!watched) return NULL;
    free(watched->watches);
    free((void *)watched->alarms);
    free(watched->fingerprints);
    series_free(watched->series);
    snapshot_free(watched->snapshot);
    free(watched);
    return NULL;
}

static const char *why_gone(const Watched *watched, const Instance *instance) {
    const Alarm *alarm = alarm_find(watched->snapshot, instance->name);
    if (!alarm) return "the alarm was removed from the configuration";
    if (!alarm->enabled) return "the alarm was disabled";
    return "the alarm does not watch this series any more";
}

void watched_retire_others(Watched *watched) {
    Instances *instances = watched->core->instances;
    const int64_t now_ms = clock_wall_ms(watched->core->clock);
    Batch *batch = batch_new(watched->backlog);
    for (Instance *i = instances_next(instances, NULL); i; i = instances_next(instances, i)) {
        if (i->alarm || i->gone || !strcmp(i->source, SOURCE_TOCSIN)) continue;
        if (i->firing_since_ms) {
            InstanceChange *change = change_new(i);
            change_gone(change, why_gone(watched, i), now_ms);
            batch_add(batch, change);
        } else {
            batch_forget(batch, i->fingerprint);
        }
    }
    batch_commit(batch, NULL, NULL);
}

/* --- what a poll saw of it --- */

const Watch *watched_all(const Watched *watched, size_t *ret_count) {
    *ret_count = watched->count;
    return watched->watches;
}

Series *watched_series(const Watched *watched) { return watched->series; }

Instance *watched_instance(Watched *watched, const Observation *seen, int64_t now_ms) {
    const Core *core = watched->core;
    const Watch *watch = &watched->watches[seen->watch];
    const Alarm *alarm = watched->alarms[seen->watch];
    if (series_is_found(watched->series, seen->watch))
        return series_seen(watched->series, seen->watch, seen->labels, seen->absent_s, now_ms);
    Instance *instance = instance_find(core->instances, watched->fingerprints[seen->watch]);
    if (!instance)
        instance = instance_get(
            core->instances, alarm->name, watch->account, watch->region, alarm->source->name, seen->labels, now_ms);
    const char *id = aws_account_id(core->aws, watch->account);
    if (instance->alarm != alarm || (*id && strcmp(id, labels_get(instance->labels, "account_id"))))
        instance_attach(instance, alarm, id);
    return instance;
}

void watched_blind(Watched *watched, const Poll *poll, const PollOutcome *outcome) {
    const char *error = outcome->error ? outcome->error : "not read";
    for (size_t i = 0; i < poll->watch_count; i++) {
        const size_t watch = poll->watches[i];
        if (series_is_found(watched->series, watch)) series_blind(watched->series, watch, error);
        bool was_seen = false;
        for (size_t o = 0; o < outcome->count && !was_seen; o++) was_seen = outcome->observations[o].watch == watch;
        if (was_seen || !*watched->fingerprints[watch]) continue;
        Instance *instance = instance_find(watched->core->instances, watched->fingerprints[watch]);
        if (!instance) continue;
        free(instance->evaluation_error);
        instance->evaluation_error = text_copy(error);
    }
}

void watched_close(Watched *watched, const Poll *poll, const PollOutcome *outcome, int64_t now_ms, Batch *batch) {
    for (size_t i = 0; i < poll->watch_count; i++)
        if (series_is_found(watched->series, poll->watches[i]))
            series_close(watched->series, poll->watches[i], outcome->settled_end_s, now_ms, batch);
}
