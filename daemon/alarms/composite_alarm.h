/* Composite alarms as they are configured: the alarm's keys `composite` and `suppressor`, and what can be said of them
 * only when all alarms are known: references that lead nowhere, and cycles. */
#ifndef TOCSIN_ALARMS_COMPOSITE_ALARM_H
#define TOCSIN_ALARMS_COMPOSITE_ALARM_H

#include "alarms/alarm.h"
#include "rules/composite.h"
#include "rules/suppression.h"

#define SOURCE_COMPOSITE "composite" /* the source of their instances */

enum { COMPOSITE_PARENTS_MAX = 150 }; /* composites that may watch one alarm: CloudWatch's bound */

typedef struct CompositeAlarm {
    Composite *rule; /* NULL: it could not be read, which was told */
    const char *text; /* as written */
    Place at; /* of the text */
    const char *suppressor; /* an alarm's name; NULL: none */
    Place suppressor_at;
    SuppressionRule suppression;
} CompositeAlarm;

extern const SchemaRow composite_rows[], suppressor_rows[], flap_rows[];

/* Reads an alarm that has `composite`; `alarm` is its whole node. In the snapshot's arena but for the rule, which
 * composite_alarm_deinit() frees. False if it added an error. */
bool composite_alarm_decode(const Node *alarm, CompositeAlarm *into, Decoding *in);
void composite_alarm_deinit(CompositeAlarm *composite);

/* Every composite of the section: each reference must name an alarm, and none may wait for itself. */
bool composite_alarms_check(const AlarmsSection *section, Decoding *in);

#endif
