/* The `inhibit_rules` section: Alertmanager's words, read and checked with the configuration. */
#ifndef TOCSIN_NOTIFY_INHIBIT_SECTION_H
#define TOCSIN_NOTIFY_INHIBIT_SECTION_H

#include "config/snapshot.h"
#include "notify/inhibit.h"

enum {
    INHIBIT_RULES_MAX = 1000,
    INHIBIT_EQUAL_MAX = 64 /* labels of one rule */
};

typedef struct InhibitSection {
    size_t count;
    InhibitRule *rules; /* in file order */
} InhibitSection;

extern const SectionDescriptor inhibit_rules_section;
extern const SchemaRow inhibit_rows[]; /* of one item, for the manual */

#endif
