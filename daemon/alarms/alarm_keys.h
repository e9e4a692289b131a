/* An alarm's keys as they are written, between the rows that read them (alarm_rows.c) and the checks that make an Alarm
 * of them (alarm.c). */
#ifndef TOCSIN_ALARMS_ALARM_KEYS_H
#define TOCSIN_ALARMS_ALARM_KEYS_H

#include "alarms/alarm.h"

typedef struct AlarmKeys {
    const char *name, *description; /* description NULL where absent */
    const Node *metric, *metrics, *service_graph, *traces, *insights, *events, *composite, *suppressor, *flap;
    bool enabled, early, suppress_callers;
    bool threshold_given, ok_threshold_given, missing_given;
    int severity, no_data, comparison, missing, low_samples;
    TextMap labels, annotations;
    TextList accounts, regions;
    double threshold, ok_threshold;
    int64_t n, m, range; /* 0: not given */
    int64_t every_s, settle_s;
    int64_t for_s, keep_firing_s;
} AlarmKeys;

enum { COMPARISON_NONE = -1, LOW_SAMPLES_EVALUATE = 0, LOW_SAMPLES_IGNORE = 1, PERIODS_MAX = 10080 };

#endif
