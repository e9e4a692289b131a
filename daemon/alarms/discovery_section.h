/* The `discovery` section: bounds on the series that polls find. Owned by the snapshot. */
#ifndef TOCSIN_ALARMS_DISCOVERY_SECTION_H
#define TOCSIN_ALARMS_DISCOVERY_SECTION_H

#include "config/snapshot.h"

typedef struct DiscoverySection {
    int64_t grace_s; /* a series that no poll sees for so long is gone */
    int64_t max_instances; /* of one alarm */
} DiscoverySection;

extern const SectionDescriptor discovery_section;

#endif
