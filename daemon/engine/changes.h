/* What changed just before: write events of CloudTrail beside an alarm of any source, those that touch its resource
 * first. Only where CloudTrail is read already. Loop thread. */
#ifndef TOCSIN_ENGINE_CHANGES_H
#define TOCSIN_ENGINE_CHANGES_H

#include "alarms/instance.h"
#include "sources/event_log.h"

enum { CHANGES_SHOWN = 5 };

typedef struct WhatChanged {
    int64_t window_s; /* 0: turned off */
} WhatChanged;
extern const SectionDescriptor what_changed_section;
extern const SchemaRow what_changed_rows[];

/* Up to CHANGES_SHOWN lines, and up to when they are known: what touches the alarm's resource before what is of its
 * service, what came before the alarm before what came since, and then the newest first; NULL: there is nothing to
 * tell. `log` is of the instance's account and region. Caller frees. */
char *changes_words(const Instance *instance, const EventLog *log, int64_t window_s, int64_t now_ms);

#endif
