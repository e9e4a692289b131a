/* Instances: one alarm on one series, named by its fingerprint, with its state. The table is the loop's. State follows the
 * fingerprint over reloads and restarts; memory becomes true at the commit: a Transition is computed first, committed, and
 * applied by instance_apply() in the commit's callback. */
#ifndef TOCSIN_ALARMS_INSTANCE_H
#define TOCSIN_ALARMS_INSTANCE_H

#include "alarms/alarm.h"
#include "rules/evaluate.h"
#include "store/rows.h"

enum { FINGERPRINT_TEXT = 17, INSTANCE_DATAPOINTS = 1440 };

/* What people are told beside the state, and what the console shows. */
typedef struct InstanceFacts {
    char *reason;
    double value, threshold, worst; /* NAN: none; worst: since it began to fire */
    int64_t value_s;                /* the datapoint's own time */
    char *console_url;
    char *what;                     /* `AWS/ApplicationELB TargetResponseTime p99 60 s` */
} InstanceFacts;

typedef struct Instance {
    char fingerprint[FINGERPRINT_TEXT];
    const Alarm *alarm;     /* NULL: gone, or one of Tocsin's own */
    char *name;             /* alarm name */
    char *source;           /* cloudwatch, tocsin ... */
    char *account, *region;
    Severity severity;
    Labels *series, *labels; /* the series' own; all */
    Labels *annotations;     /* the alarm's own and its description; without value and reason */
    EvaluationMemory memory; /* state, window end */
    NoData no_data;
    int64_t since_ms;        /* when the state was reached */
    int64_t evaluated_ms;
    InstanceFacts facts;
    int64_t firing_since_ms; /* 0: not firing for people */
    int64_t resolved_ms;     /* end of what people knew as firing; kept until told */
    bool gone, data_missing, durable;
    char *evaluation_error;  /* NULL: none */
    double *datapoints;      /* the newest window, for show; NAN missing */
    int64_t datapoints_start_s, datapoints_step_s;
    size_t datapoint_count;
} Instance;

typedef struct Instances Instances;
Instances *instances_new(void);
Instances *instances_free(Instances *table);
OWN_DEFINE(Instances, instances)

/* SHA-256's first 8 bytes over alarm name, account, region, source and the series' labels, sorted (contract 3). */
void fingerprint_make(const char *alarm, const char *account, const char *region, const char *source, const Labels *series,
    char ret_text[static FINGERPRINT_TEXT]);

Instance *instance_find(Instances *table, const char *fingerprint); /* NULL: none */
size_t instances_count(const Instances *table);
/* A walk in no order; stop at NULL. Removing the one in hand is fine. */
Instance *instances_next(Instances *table, const Instance *after);
/* All of them sorted by name, then fingerprint; caller frees the array, not the instances. */
Instance **instances_sorted(Instances *table, size_t *ret_count);

#endif
