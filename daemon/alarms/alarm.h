/* Alarm definitions: the `alarms` section. Keys that every alarm has are read here; the key that says what is watched
 * (`metric`, later `service_graph`, `events` ...) is read by its source. */
#ifndef TOCSIN_ALARMS_ALARM_H
#define TOCSIN_ALARMS_ALARM_H

#include "alarms/hold.h"
#include "config/snapshot.h"
#include "sources/source.h"

typedef enum { SEVERITY_CRITICAL, SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_INFO } Severity;
const char *severity_word(Severity severity);

typedef enum { NODATA_HOLD, NODATA_NOTIFY, NODATA_RESOLVE } NoData; /* insufficient_data: what people are told */

/* An alarm as it was written, small: its keys and brackets, which alarms that are written alike share, and its scalars.
 */
typedef struct Written {
    const char *const *shape, *const *values;
} Written;
enum { WRITTEN_SHAPES = 64 };
typedef struct WrittenShapes { /* of one load; zeroed at its begin */
    const char *const *recent[WRITTEN_SHAPES];
} WrittenShapes;
/* Lives in the arena; the texts are the node's. */
Written written_keep(Arena *arena, WrittenShapes *shapes, const Node *node);

typedef struct Alarm {
    const char *name, *description; /* description "" where absent */
    bool enabled;
    int severity; /* Severity */
    TextMap labels, annotations;
    TextList accounts, regions; /* empty: all; decided by alarm_watches() */
    int no_data; /* NoData */
    bool suppress_callers; /* while it fires, what those send who call its service is held */
    int64_t every_s, settle_s; /* 0: the source's default */
    ThresholdRule rule;
    HoldRule hold;
    const Source *source; /* NULL: a composite */
    const void *selector;
    const struct CompositeAlarm *composite; /* NULL: none; composite_alarm.h */
    const Node *node; /* during the load; NULL: a source brought it along (a rule file's) */
    Written written; /* what is left of the node for alarm_rule_json(); empty: there was none */
    Place at;
} Alarm;

/* Is its state judged by comparing, not said? */
static inline bool alarm_has_threshold(const Alarm *alarm) {
    return !alarm->composite && !(alarm->source && alarm->source->has_no_threshold);
}

typedef struct AlarmsSection {
    const Alarm *alarms;
    size_t count;
    const Alarm *const *by_name; /* the same, sorted */
} AlarmsSection;

extern const SectionDescriptor alarms_section;
extern const SchemaRow alarm_rows[];

const Alarm *alarm_find(const Snapshot *snapshot, const char *name);
/* The (account, region) pairs of every enabled alarm, as watches numbered from 0; `*ret_alarms` runs parallel. Arrays
 * are the caller's to free; texts are the snapshot's. */
size_t alarm_watches(const Snapshot *snapshot, Watch **ret_watches, const Alarm *const **ret_alarms);
json_t *alarm_rule_json(const Alarm *alarm); /* the alarm as written, types kept; new reference */

#endif
