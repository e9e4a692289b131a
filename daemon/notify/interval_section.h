/* The `time_intervals` section: Alertmanager's words, read and checked with the configuration. */
#ifndef TOCSIN_NOTIFY_INTERVAL_SECTION_H
#define TOCSIN_NOTIFY_INTERVAL_SECTION_H

#include "config/snapshot.h"
#include "notify/interval.h"

enum {
    INTERVALS_MAX = 1000, /* names */
    INTERVAL_SPECS_MAX = 100, /* of one name */
    INTERVAL_SPANS_MAX = 100, /* of one field */
    INTERVAL_NAME_MAX = 255
};

typedef struct IntervalsSection {
    size_t count;
    Interval *intervals; /* in file order */
} IntervalsSection;

extern const SectionDescriptor time_intervals_section;
extern const SchemaRow interval_rows[]; /* of one item, for the manual */

/* NULL: there is none of that name. */
const Interval *interval_find(const IntervalsSection *section, const char *name);

#endif
