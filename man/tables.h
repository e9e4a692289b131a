/* What the programs that write manuals and the schema know of the tables: which rows stand behind which key. */
#ifndef TOCSIN_MAN_TABLES_H
#define TOCSIN_MAN_TABLES_H

#include "alarms/alarm.h"
#include "alarms/composite_alarm.h"
#include "engine/changes.h"
#include "load.h"
#include "notify/inhibit_section.h"
#include "notify/interval_section.h"
#include "notify/route.h"
#include "plugin/receivers.h"

#include <string.h>

/* The source whose alarms have this key; NULL: none. */
static inline const Source *table_source(const char *alarm_key) {
    for (size_t i = 0; sources[i]; i++)
        if (!strcmp(sources[i]->alarm_key, alarm_key)) return sources[i];
    return NULL;
}

static inline const SectionDescriptor *table_section(const char *key) {
    for (size_t i = 0; load_schema.sections[i]; i++)
        if (!strcmp(load_schema.sections[i]->key, key)) return load_schema.sections[i];
    return NULL;
}

/* Sections that are lists or trees, or that may be turned off, keep their rows beside them. */
static inline const SchemaRow *table_rows(const char *key) {
    if (!strcmp(key, "alarms")) return alarm_rows;
    if (!strcmp(key, "alarms.composite")) return composite_rows;
    if (!strcmp(key, "alarms.suppressor")) return suppressor_rows;
    if (!strcmp(key, "alarms.flap")) return flap_rows;
    if (!strcmp(key, "what_changed")) return what_changed_rows;
    if (!strcmp(key, "receivers.fallback")) return fallback_rows;
    if (!strcmp(key, "route")) return route_rows;
    if (!strcmp(key, "inhibit_rules")) return inhibit_rows;
    if (!strcmp(key, "time_intervals")) return interval_rows;
    const Source *source = strncmp(key, "alarms.", 7) ? NULL : table_source(key + 7);
    if (source) return source->selector_rows;
    const SectionDescriptor *section = table_section(key);
    return section ? section->rows : NULL;
}

#endif
