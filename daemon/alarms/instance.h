/* Instances: one alarm on one series, named by its fingerprint, with its state. The table is the loop's. State follows
 * the fingerprint over reloads and restarts; memory becomes true at the commit: an InstanceChange (change.h) is
 * computed first, committed, and applied in the commit's callback. */
#ifndef TOCSIN_ALARMS_INSTANCE_H
#define TOCSIN_ALARMS_INSTANCE_H

#include "alarms/alarm.h"
#include "rules/evaluate.h"
#include "store/rows.h"

enum { FINGERPRINT_TEXT = 17, INSTANCE_DATAPOINTS = 1440 };

#define SOURCE_TOCSIN "tocsin" /* the source of Tocsin's own alarms */

/* What people are told beside the state, and what the console shows. */
typedef struct InstanceFacts {
    char *reason;
    double value, threshold, worst; /* NAN: none; worst: since it began to fire */
    int64_t value_s; /* the datapoint's own time, 0: none */
    Labels *notes; /* annotations that the source found: root_cause, path ...; NULL: none */
    char *console_url;
    const char *what; /* interned:  `AWS/ApplicationELB TargetResponseTime p99 60 s` */
} InstanceFacts;

void instance_facts_name(InstanceFacts *facts, const char *what); /* NULL: nothing */
void instance_facts_copy(InstanceFacts *into, const InstanceFacts *from); /* frees what `into` held */
void instance_facts_deinit(InstanceFacts *facts);

/* The newest window judged, for show. */
typedef struct Datapoints {
    int64_t start_s, step_s;
    size_t count;
    double *values; /* NAN missing */
} Datapoints;

typedef struct Instance {
    char fingerprint[FINGERPRINT_TEXT];
    bool gone; /* removed by a reload or a vanished resource: kept until its resolution was told */
    bool data_missing; /* fires on, but its data is missing */
    bool durable; /* false: in memory only, the disk was full */
    Severity severity;
    NoData no_data;
    const Alarm *alarm; /* of the present snapshot; NULL: gone, or one of Tocsin's own */
    const char *name; /* alarm name; interned, as the next three */
    const char *source; /* cloudwatch, tocsin ... */
    const char *account, *region; /* "" where none */
    Labels *series, *labels; /* the series' own; all */
    Labels *annotations; /* NULL: none. The alarm's own and its description; without value and reason */
    EvaluationMemory memory; /* state, window end */
    Hold hold; /* what stands between its evaluation and what people are told */
    int64_t since_ms; /* when the state was reached */
    int64_t evaluated_ms;
    InstanceFacts facts;
    int64_t
        firing_since_ms; /* when it began to fire for people; 0: nothing is open. Stays until a resolution was told */
    int64_t resolved_ms; /* when that ended; 0: it still fires */
    int64_t news; /* what people are owed beyond that it fires: matches of events since it began; each is told once */
    int64_t hold_until_ms; /* event alarms: ALARM ends when no match came until then */
    int64_t
        unseen_boot_ms; /* since when polls that find its series do not see it; 0: they do. A reload does not end it */
    char *evaluation_error; /* NULL: none */
    Datapoints datapoints;
} Instance;

static inline bool instance_is_firing(const Instance *i) { return i->firing_since_ms && !i->resolved_ms; }
static inline bool instance_is_resolved(const Instance *i) { return i->firing_since_ms && i->resolved_ms; }

typedef struct Instances Instances;
Instances *instances_new(void);
Instances *instances_free(Instances *table);
OWN_DEFINE(Instances, instances)

/* SHA-256's first 8 bytes over alarm name, account, region, source and the series' labels, sorted (contract 3). */
void fingerprint_make(const char *alarm, const char *account, const char *region, const char *source,
    const Labels *series, char ret_text[static FINGERPRINT_TEXT]);

/* A new one in INSUFFICIENT_DATA, or the one that is there. `series` is borrowed. */
Instance *instance_get(Instances *table, const char *alarm, const char *account, const char *region, const char *source,
    const Labels *series, int64_t now_ms);
/* As instance_get(), where it is known that there is none under the fingerprint which these parts give. */
Instance *instance_add(Instances *table, const char *fingerprint, const char *alarm, const char *account,
    const char *region, const char *source, const Labels *series, int64_t now_ms);
Instance *instance_find(Instances *table, const char *fingerprint); /* NULL: none */
void instance_remove(Instances *table, Instance *instance);
size_t instances_count(const Instances *table);
/* A walk in no order; starts with NULL, ends at NULL. Removing the one in hand after asking for the next is fine. */
Instance *instances_next(Instances *table, const Instance *after);
/* All of them sorted by name, then fingerprint; caller frees the array, not the instances. */
Instance **instances_sorted(Instances *table, size_t *ret_count);

/* Takes over what the alarm's definition says: labels, annotations, severity. `account_id` may be "". */
void instance_attach(Instance *instance, const Alarm *alarm, const char *account_id);
/* Labels of one of Tocsin's own alarms: alertname, severity, source and `series`. */
void instance_attach_own(Instance *instance, Severity severity, const char *summary);

/* To and from the state file. The row's texts live in `arena`. A row that makes no sense gives NULL. */
InstanceRow instance_row(const Instance *instance, struct Arena *arena);
Instance *instance_restore(Instances *table, const InstanceRow *row, int64_t now_ms);

#endif
